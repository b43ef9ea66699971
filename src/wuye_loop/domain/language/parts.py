"""What every part of a definition is made of: closed, immutable models, and the ways in which names and spans are written."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, GetJsonSchemaHandler, StringConstraints

from wuye_loop.domain.language.forms import NAME
from wuye_loop.domain.time.spans import WRITTEN_AS, Span

Name = Annotated[str, StringConstraints(pattern=NAME)]
Title = Annotated[str, StringConstraints(min_length=1, max_length=60)]
Code = Annotated[str, StringConstraints(min_length=1, max_length=40)]


def listed(raw: object) -> object:
    """Let a list of one be written without brackets."""
    if raw is None:
        return ()
    return tuple(raw) if isinstance(raw, list | tuple) else (raw,)


def _span(raw: object) -> object:
    if isinstance(raw, str):
        return Span.parse(raw)
    if isinstance(raw, Span):
        return raw
    raise ValueError(WRITTEN_AS)  # else pydantic would take a mapping of Span's fields


def _bodies(raw: object) -> object:
    """Take a group of bodies that must differ, written as a list or with its source: only the list decides anything."""
    if not isinstance(raw, Mapping):
        return raw
    unknown = next((name for name in raw if name not in ("roles", "source")), None)
    if unknown is not None:
        raise ValueError(f"这一组里没有“{unknown}”可写，只有 roles 和 source")
    said = raw.get("source", "")
    if not isinstance(said, str) or len(said) > MOST_SOURCE:
        raise ValueError(f"source 要写文字，最多 {MOST_SOURCE} 个字")
    return raw.get("roles", ())


def _bodies_schema(strict: Any, handler: GetJsonSchemaHandler) -> dict[str, Any]:
    roles = handler(strict)
    source = {"type": "string", "minLength": 1, "maxLength": MOST_SOURCE}
    parts = {"roles": roles, "source": source}
    whole = {"type": "object", "properties": parts, "required": ["roles"], "additionalProperties": False}
    return {"anyOf": [roles, whole]}


class _BodiesSchema:
    """What editors read of a group: the list, or the list with its source."""

    __get_pydantic_json_schema__ = staticmethod(_bodies_schema)


MOST_SOURCE = 300
#: Two or more names of bodies that must differ.
Bodies = Annotated[tuple[str, ...], Field(min_length=2), BeforeValidator(_bodies), _BodiesSchema]
Names = Annotated[tuple[str, ...], BeforeValidator(listed)]
SpanText = Annotated[Span, BeforeValidator(_span)]


class Part(BaseModel):
    """Base of every part of a definition: closed (unknown keys are errors) and immutable.

    Every part may say in `source` which regulation or article it follows; people read it, nothing is decided by it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True, populate_by_name=True)

    source: Annotated[str, StringConstraints(min_length=1, max_length=MOST_SOURCE)] | None = None

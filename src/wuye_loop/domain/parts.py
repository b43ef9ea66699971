"""What every part of a definition is made of: closed, immutable models, and the ways in which names and spans are written."""

from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, StringConstraints

from wuye_loop.domain.forms import NAME
from wuye_loop.domain.spans import Span

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
    raise ValueError("no span: write text such as 5 workdays")  # else pydantic would take a mapping of Span's fields


Names = Annotated[tuple[str, ...], BeforeValidator(listed)]
SpanText = Annotated[Span, BeforeValidator(_span)]


class Part(BaseModel):
    """Base of every part of a definition: closed (unknown keys are errors) and immutable.

    Every part may say in `source` which regulation or article it follows; people read it, nothing is decided by it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True, populate_by_name=True)

    source: Annotated[str, StringConstraints(min_length=1, max_length=300)] | None = None

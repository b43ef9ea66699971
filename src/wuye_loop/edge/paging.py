"""Lists, page by page: a cursor is the key of the last row shown, checked like any other input."""

import base64
import binascii
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal
from urllib.parse import quote, urlencode
from uuid import UUID

import orjson
from fastapi import Request, Response
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from wuye_loop.domain.errors import BadInput, BadValue
from wuye_loop.domain.privacy.text import clean
from wuye_loop.domain.time.timestamps import as_text, from_text

LONGEST_CURSOR = 600
_LONGEST_PART = 200

Key = tuple[Any, ...]


def _clean(value: str) -> str:
    cleaned = clean(value, max_len=len(value))
    if not cleaned:
        raise BadValue("不能只有空白")
    return cleaned


#: A filter's value: a code or a name, never long.
Word = Annotated[str, StringConstraints(min_length=1, max_length=100), AfterValidator(_clean)]
#: A group of subjects by its code; the empty one is of those that are in none.
Group = Word | Literal[""]
Revision = Annotated[int | None, Field(ge=1, le=1000)]


class Paging(BaseModel):
    """What every list may be asked; a parameter that the list does not know is refused."""

    model_config = ConfigDict(extra="forbid")
    cursor: Annotated[str | None, Field(max_length=LONGEST_CURSOR, description="上一页答复里的 next,原样送回")] = None
    limit: Annotated[int, Field(ge=1, le=200, description="一页几项")] = 50


def instant(part: object) -> datetime:
    """Read a key's instant. Raises ValueError, OverflowError."""
    return from_text(text(part))


def identifier(part: object) -> UUID:
    """Read a key's id. Raises ValueError."""
    return UUID(text(part))


def integer(part: object) -> int:
    """Read a key's number. Raises ValueError for what no column holds."""
    return _number(part, 0, 2**31)


def transaction(part: object) -> int:
    """Read a key's transaction: a larger number, -1 before the first. Raises ValueError for what no column holds."""
    return _number(part, -1, 2**62)


def _number(part: object, least: int, most: int) -> int:
    if type(part) is not int or not least <= part < most:
        raise ValueError
    return part


def text(part: object) -> str:
    """Read a key's text. Raises ValueError."""
    if not isinstance(part, str) or len(part) > _LONGEST_PART or "\0" in part:
        raise ValueError
    return part


@dataclass(frozen=True, slots=True)
class Order:
    """What a list is sorted by: its name, so that no list takes another's cursor, and the parts of its key."""

    name: str
    parts: tuple[Callable[[object], Any], ...]

    def write(self, key: Sequence[Any] | None) -> str | None:
        """Return the cursor of a key, or None where the list ends."""
        if key is None:
            return None
        plain = [as_text(part) if isinstance(part, datetime) else part for part in key]
        return base64.urlsafe_b64encode(orjson.dumps([self.name, *plain])).decode().rstrip("=")

    def read(self, cursor: str | None, name: str = "cursor") -> Key | None:
        """Return the key of a cursor.

        Raises BadInput for anything that `write` of this list would not have written.
        """
        if cursor is None:
            return None
        try:
            raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
            _, *key = [read(part) for read, part in zip((self._own, *self.parts), orjson.loads(raw), strict=True)]
            return tuple(key)
        except (ValueError, TypeError, OverflowError, binascii.Error):
            problem = "不是这个列表的翻页游标，请从第一页重新读起"
            raise BadInput("翻页游标无效", fields=[{"path": f"query.{name}", "problem": problem}]) from None

    def _own(self, part: object) -> None:
        if part != self.name:
            raise ValueError


def listed(request: Request, items: Sequence[Mapping[str, Any]], cursor: str | None) -> Response:
    """Answer one page: `{"items": [...], "next": cursor or null}`, and the next page's address in `Link`."""
    headers = {}
    if cursor is not None:
        asked = [(name, value) for name, value in request.query_params.multi_items() if name != "cursor"]
        address = f"{quote(request.url.path)}?{urlencode([*asked, ('cursor', cursor)])}"
        headers["Link"] = f'<{address}>; rel="next"'
    return Response(orjson.dumps({"items": items, "next": cursor}), headers=headers, media_type="application/json")

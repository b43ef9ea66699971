"""One file out of a `multipart/form-data` body, as a browser's form or `curl -F` sends it; in memory, never on a disk."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from wuye_loop.domain.errors import BadInput, UnsupportedMedia

if TYPE_CHECKING:
    from python_multipart.multipart import MultipartCallbacks

MULTIPART = "multipart/form-data"
#: What stands around a file: boundaries, headers, a few short fields.
ENVELOPE = 64 * 1024
_MOST_PARTS = 8
_LONGEST_FIELD = 1000


@dataclass(slots=True)
class _Part:
    name: str = ""
    filename: str | None = None
    pieces: list[bytes] = field(default_factory=list)

    def content(self) -> bytes:
        return self.pieces[0] if len(self.pieces) == 1 else b"".join(self.pieces)


@dataclass(frozen=True, slots=True)
class SentFile:
    """The file of a form, its name as it was sent, and the form's other fields."""

    content: bytes
    filename: str
    fields: dict[str, str]


def is_form(content_type: str) -> bool:
    """Say whether a Content-Type announces a form."""
    return content_type.partition(";")[0].strip().lower() == MULTIPART


def file_in(body: bytes, content_type: str, allowed: frozenset[str] = frozenset()) -> SentFile:
    """Return the one file of a form, whose other fields may be those allowed, each once.

    Raises UnsupportedMedia for a body that is no whole form, BadInput for no file, two, or another field.
    """
    parts = _Parts()
    try:
        boundary = parse_options_header(content_type)[1].get(b"boundary", b"")
        if not boundary:
            raise UnsupportedMedia("multipart/form-data 没有写明 boundary")
        parser = MultipartParser(boundary, parts.callbacks(), max_header_count=8, max_header_size=4096)
        parser.write(body)
    except (FormParserError, UnicodeError, ValueError):
        raise UnsupportedMedia("multipart/form-data 正文读不出来") from None
    if not parts.ended:
        raise UnsupportedMedia("multipart/form-data 正文不完整")
    files = [part for part in parts.found if part.filename is not None]
    if len(files) != 1:
        raise BadInput("表单里要有一个文件，也只能有一个", fields=[{"path": "body.file", "problem": "要一个文件"}])
    return SentFile(files[0].content(), files[0].filename or "", _fields(parts.found, allowed))


def _fields(parts: list[_Part], allowed: frozenset[str]) -> dict[str, str]:
    fields: dict[str, str] = {}
    for part in parts:
        if part.filename is not None:
            continue
        value = part.content()
        if part.name not in allowed or part.name in fields or len(value) > _LONGEST_FIELD:
            raise BadInput("表单里有不认识的、重复的或过长的字段", fields=[{"path": "body", "problem": "含有未知字段"}])
        try:
            fields[part.name] = value.decode()
        except UnicodeDecodeError:
            raise BadInput("表单的字段不是 UTF-8 文字") from None
    return fields


class _Parts:
    """Collects what the parser reports."""

    def __init__(self) -> None:
        self.found: list[_Part] = []
        self.ended = False
        self._header = bytearray()
        self._value = bytearray()

    def callbacks(self) -> "MultipartCallbacks":
        """Return what the parser calls."""
        return {
            "on_part_begin": self._begin,
            "on_header_field": lambda data, start, end: self._header.extend(data[start:end]),
            "on_header_value": lambda data, start, end: self._value.extend(data[start:end]),
            "on_header_end": self._header_end,
            "on_part_data": lambda data, start, end: self.found[-1].pieces.append(bytes(data[start:end])),
            "on_end": self._end,
        }

    def _begin(self) -> None:
        if len(self.found) >= _MOST_PARTS:
            raise FormParserError
        self.found.append(_Part())

    def _header_end(self) -> None:
        if bytes(self._header).lower() == b"content-disposition":
            _, options = parse_options_header(bytes(self._value))
            part = self.found[-1]
            part.name = options.get(b"name", b"").decode()
            if b"filename" in options:
                part.filename = options[b"filename"].decode("utf-8", "replace")
        self._header.clear()
        self._value.clear()

    def _end(self) -> None:
        self.ended = True

"""What both readers of the strict dialect share: its limits, what a plain scalar means, places, and its one error."""

import re
from typing import NamedTuple

MAX_BYTES = 256 * 1024
MAX_DEPTH = 32
MAX_NODES = 40_000  # a definition of 200 states and 1,000 actions has half as many
LINE_BREAK = re.compile(r"\r\n|\r|\n")

Path = tuple[str | int, ...]

# Leading zeros, underscores, colons, hexadecimal and exponents stay text: a phone number, an hour or a building
# "3e5" must never turn into another number. Eighteen digits fit every database integer; a longer code stays text.
_INT = re.compile(r"-?(?:0|[1-9][0-9]{0,17})")
_FLOAT = re.compile(r"-?(?:0|[1-9][0-9]{0,17})\.[0-9]{1,17}")
_WORDS: dict[str, bool | None] = {
    "true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False,
    "null": None, "Null": None, "NULL": None, "~": None, "": None,
}  # fmt: skip


class Mark(NamedTuple):
    """A place in a file: line and column, both counted from 1."""

    line: int
    column: int


class Read(NamedTuple):
    """What a reader makes of one document: plain data, and where each value and each key begins, by its path."""

    data: object
    values: dict[Path, Mark]
    keys: dict[Path, Mark]


class YamlDocError(ValueError):
    """A rule file that cannot be read: what is wrong in Chinese words, and where; prints as file:line:column: words."""

    def __init__(self, message: str, mark: Mark | None, file: str) -> None:
        """Keep the words, the place (None when the whole file is meant) and the file's name."""
        super().__init__(message, mark, file)
        self.message = message
        self.mark = mark
        self.file = file

    def __str__(self) -> str:
        """Give one line that editors and terminals can jump from."""
        place = f"{self.file}:{self.mark.line}:{self.mark.column}" if self.mark else self.file
        return f"{place}: {self.message}"


def plain(value: str) -> object:
    """Give a plain scalar its YAML 1.2 meaning; everything not surely a number, a truth value or null is text."""
    if value in _WORDS:
        return _WORDS[value]
    if _INT.fullmatch(value):
        return int(value)
    return float(value) if _FLOAT.fullmatch(value) else value

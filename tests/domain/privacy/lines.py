"""Lines made by hand, each with what must be struck out of it; read from lines.txt."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from wuye_loop.domain.privacy.known import NOBODY, Known, known

FILE = Path(__file__).with_name("lines.txt")
_MARKED = re.compile("⟦(.*?)⟧")
_FIELD = re.compile(r"(name|phone|address)=(.*?)(?=\s(?:name|phone|address)=|$)")


@dataclass(frozen=True)
class Line:
    """One line: the text as it was written, how it must read, what was struck, whose order it is of."""

    n: int
    text: str
    shown: str
    secrets: tuple[str, ...]
    person: Known


def lines() -> Iterator[Line]:
    """Yield the lines in their order."""
    person = NOBODY
    for n, line in enumerate(FILE.read_text(encoding="utf-8").split("\n"), start=1):
        if line.startswith("@ ") or line == "@":
            person = known(**dict(_FIELD.findall(line)))
        elif line and not line.startswith("#"):
            yield Line(n, _MARKED.sub(r"\1", line), _MARKED.sub("***", line), tuple(_MARKED.findall(line)), person)

"""What the checker finds: a place in the file, a stable code, and words for the clerk who wrote it."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from wuye_loop.domain.rulefile.reader import Path, YamlDoc

MOST = 200  # findings of one file: a clerk mends a page at a time
_ALIKE = 60  # of 100: how like a name must be to be suggested
_SHOWN = 12  # names that a message lists
_LONGEST = 40  # characters of a written name that a message repeats


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One thing that is wrong (error) or doubtful (warning) in a definition; prints as file:line:column: message."""

    file: str
    line: int
    column: int
    code: str
    message: str
    severity: Literal["error", "warning"] = "error"

    def __str__(self) -> str:
        """Give one line that editors and terminals can jump from."""
        return f"{self.file}:{self.line}:{self.column}: {self.message}"


class Findings:
    """Collects findings for one document; a path is made of the keys and indexes of the definition, not of the file."""

    def __init__(self, doc: YamlDoc) -> None:
        self._doc = doc
        self._found: dict[Finding, None] = {}

    def error(self, path: Sequence[str | int], code: str, message: str, *, key: bool = False) -> None:
        """Note what must be mended; `key` points at the key rather than at its value."""
        self._note(path, code, message, "error", key=key)

    def warn(self, path: Sequence[str | int], code: str, message: str, *, key: bool = False) -> None:
        """Note what may be meant so, but seldom is."""
        self._note(path, code, message, "warning", key=key)

    def unknown(self, path: Sequence[str | int], what: str, name: str, allowed: Iterable[str]) -> None:
        """Note a name that nothing has: the nearest one, and what is allowed."""
        if not self.full:
            every = list(dict.fromkeys(allowed))
            meant = next((one for one in _called(self._doc.data, name) if one in every), None)
            rest = f"，“{name[:_LONGEST]}”是 {meant} 的名称，请写 {meant}" if meant else nearest(name, every)
            self.error(path, "unknown-name", f"没有{what}{quoted(name)}{rest}")

    def own(self, *paths: Sequence[str | int]) -> Sequence[str | int]:
        """Return the first of some places that the file itself wrote, and not what it extends; else the first."""
        return next(filter(self.wrote, paths), paths[0])

    def has(self, path: Sequence[str | int], code: str) -> bool:
        """Say whether this was noted at that place already."""
        file, mark = self._doc.place(written(self._doc.data, path))
        place = (file, mark.line, mark.column, code)
        return any((one.file, one.line, one.column, one.code) == place for one in self._found)

    @property
    def data(self) -> object:
        """The definition as plain data, with what it extends."""
        return self._doc.data

    def wrote(self, path: Sequence[str | int]) -> bool:
        """Say whether the file itself wrote this part, and not what it extends."""
        return self._doc.place(written(self._doc.data, path), key=True)[0] == self._doc.file

    @property
    def full(self) -> bool:
        """Whether there are as many findings as are kept."""
        return len(self._found) >= MOST

    @property
    def sorted(self) -> list[Finding]:
        """The findings in the order of the file."""
        return sorted(self._found)

    def _note(
        self, path: Sequence[str | int], code: str, message: str, severity: Literal["error", "warning"], *, key: bool
    ) -> None:
        if not self.full:
            file, mark = self._doc.place(written(self._doc.data, path), key=key)
            self._found[Finding(file, mark.line, mark.column, code, message, severity)] = None


def _called(node: object, title: str) -> Iterator[str]:
    """Give the keys in a definition of whatever has this title: people know things by it."""
    for key, inner in node.items() if isinstance(node, dict) else ():
        if isinstance(inner, dict) and inner.get("title") == title:
            yield str(key)
        yield from _called(inner, title)


def written(data: object, path: Sequence[str | int]) -> Path:
    """Return where a part stands in the file: a list of one may be without brackets, a field's type may wrap its rest."""
    place: list[str | int] = []
    node = data
    for step in path:
        if isinstance(node, list) and isinstance(step, int) and 0 <= step < len(node):
            place.append(step)
            node = node[step]
        elif isinstance(node, dict):
            if str(step) not in node:
                wrapper = next(
                    (name for name, inner in node.items() if isinstance(inner, dict) and step in inner), None
                )
                if wrapper is None:
                    continue
                place.append(wrapper)
                node = node[wrapper]
            place.append(str(step))
            node = node[str(step)]
    return tuple(place)


def quoted(name: str) -> str:
    """Return a written name in quotes, cut short."""
    return f"“{name[:_LONGEST]}{'…' if len(name) > _LONGEST else ''}”"


def listed(names: Iterable[str]) -> str:
    """Return names for a message, the first dozen of them."""
    every = list(dict.fromkeys(names))
    rest = f" 等 {len(every)} 个" if len(every) > _SHOWN else ""
    return "、".join(every[:_SHOWN]) + rest


def alike(name: str, allowed: Sequence[str]) -> str | None:
    """Return the name that a written one is likely meant to be."""
    from rapidfuzz import fuzz, process  # noqa: PLC0415 a file that is right asks for no suggestion

    near = process.extractOne(name[:_LONGEST], allowed, scorer=fuzz.ratio, score_cutoff=_ALIKE)
    return str(near[0]) if near else None


def nearest(name: str, allowed: Iterable[str]) -> str:
    """Return the end of a sentence about a wrong name: the nearest right one, and all of them."""
    every = list(dict.fromkeys(allowed))
    if not every:
        return "：这里一个也没有定义"
    near = alike(name, every)
    guess = f"，是不是 {near}？" if near else "。"
    return f"{guess}可用：{listed(every)}"

"""`extends: standard@1`: a city's file laid over the base it names, each value keeping the place where it was written.

Mappings are laid over key by key; a scalar or a list of the city takes the place of the base's; `key: null` removes what
the base has. What the language reads as one value is replaced whole: a condition, a limit, effects, a field of a form.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import sha256
from typing import Any, Final, NamedTuple, Self

from wuye_loop.domain.rulefile.reader import Mark, Path, YamlDoc, YamlDocError, read

EXTENDS: Final = "extends"
#: What a file says of itself: never taken from a base.
OWN: Final = ("name", "version", "title", "source", EXTENDS, "migrates")
#: Keys of an entry whose value, though a mapping, is one value.
ONE_VALUE: Final = frozenset({"if", "limit", "effect"})
_FORMS: Final = frozenset({"needs", "asks"})  # their fields are one value each
_ENTRY: Final = 2  # section, name: the steps to an entry such as actions.sign
_REFERENCE: Final = re.compile(r"[a-z][a-z0-9-]{1,39}@[1-9][0-9]{0,3}")
_SEAM: Final = re.compile(
    r"^--- # extends (?P<id>[a-z0-9@-]+) file (?P<file>\S+) sha256 (?P<base>[0-9a-f]{64}) own (?P<own>[0-9a-f]{64})\n",
    re.MULTILINE,
)


# Wherever it does not stand behind a `#`, it may be the key.
_MAY_EXTEND: Final = re.compile(rf"^[^#\n]*{EXTENDS}", re.MULTILINE)


class Base(NamedTuple):
    """A file that others extend: its text, and the name that findings call it by."""

    text: str | bytes
    file: str


Bases = Callable[[str], Base | None]  # standard@1 -> its file, or None when there is none


@dataclass(frozen=True)
class Extended(YamlDoc):
    """Two files read as one: the merged data, with places in the file that wrote each value."""

    base: YamlDoc = field(repr=False, compare=False, kw_only=True)

    def place(self, path: Path, *, key: bool = False) -> tuple[str, Mark]:
        """Find the file and the place of a value: the city's if it wrote the value or changed a part of it."""
        while path and not self.has(path) and not self.base.has(path):
            path = path[:-1]
        return super().place(path, key=key) if self.has(path) else self.base.place(path, key=key)


class ExtendingError(YamlDocError):
    """An `extends` that cannot be followed; `rest` are the further ones of the same file."""

    def __init__(self, message: str, mark: Mark | None, file: str, rest: tuple[Self, ...] = ()) -> None:
        super().__init__(message, mark, file)
        self.rest = rest


def read_whole(text: str | bytes, file: str, bases: Bases | None = None) -> YamlDoc:
    """Read a definition with the base it extends: from its own bundle, else where `bases` finds it.

    Raises YamlDocError for what cannot be read, ExtendingError when the base is missing or does not fit.
    """
    own, bundled = unbundle(text)
    doc = read(own, file)
    if not isinstance(doc.data, dict) or EXTENDS not in doc.data:
        if bundled is not None:
            raise YamlDocError("没有写 extends，却附有底本", None, file)
        return doc
    name = doc.data[EXTENDS]
    if not isinstance(name, str) or not _REFERENCE.fullmatch(name):
        raise ExtendingError("extends 要写成 名称@版本，如 standard@1", doc.mark((EXTENDS,)), file)
    found = bundled or (bases(name) if bases is not None else None)
    if found is None:
        raise ExtendingError(
            f"找不到底本 {name}：同一文件夹、流程文件夹和已发布的流程里都没有", doc.mark((EXTENDS,)), file
        )
    base = _read_base(*found)
    problem = _unfit(doc.data, base.data, name)
    if problem:
        raise ExtendingError(f"底本 {name}（{base.file}）{problem}", doc.mark((EXTENDS,)), file)
    merging = _Merging(doc)
    rest = {key: value for key, value in _mapping(base.data).items() if key not in OWN}
    own_first = {key: doc.data[key] for key in OWN if doc.data.get(key) is not None}
    data = own_first | merging.merged(rest, doc.data, ())
    if merging.problems:
        first, *others = merging.problems
        raise ExtendingError(first.message, first.mark, file, tuple(others))
    return Extended(_without_removed(data, rest, doc.data), doc.file, doc.text, doc.values, doc.keys, base=base)


@lru_cache(maxsize=4)
def _read_base(text: str | bytes, file: str) -> YamlDoc:
    return read(text, file)  # five cities, one base: its data is only ever read


def _mapping(data: object) -> dict[str, Any]:
    return data if isinstance(data, dict) else {}


def _unfit(own: Mapping[str, object], base: object, name: str) -> str | None:
    """Say why a base cannot be extended by this file; None when it can."""
    if not isinstance(base, dict):
        return "不是“键: 值”"
    if EXTENDS in base:
        return f"自己又继承了 {base[EXTENDS]}：只能继承一层"
    says = f"{base.get('name')}@{base.get('version')}"
    if says != name:
        return f"里写的是 {says}"
    if f"{own.get('name')}@{own.get('version')}" == name:
        return "就是这个文件自己：请另起 name 或改 version"
    return None


def _without_removed(data: dict[str, Any], base: Mapping[str, Any], city: Mapping[str, Any]) -> dict[str, Any]:
    """Return the definition whose inherited actions no longer start from states that the city removes.

    Only where an action that the city does not write about starts elsewhere too: one that starts nowhere is a mistake.
    """
    gone = {name for name in _mapping(base.get("states")) if name not in _mapping(data.get("states"))}
    actions, own = _mapping(data.get("actions")), _mapping(city.get("actions"))
    fewer = {}
    for name, action in actions.items() if gone else ():
        start = action.get("from") if isinstance(action, dict) and name not in own else None
        if (
            isinstance(start, list)
            and not gone.isdisjoint(start)
            and (left := [one for one in start if one not in gone])
        ):
            fewer[name] = {**action, "from": left}
    return {**data, "actions": {**actions, **fewer}} if fewer else data


class _Merging:
    """One laying over: the city's document, and what it removes in vain."""

    def __init__(self, doc: YamlDoc) -> None:
        self._doc = doc
        self.problems: list[ExtendingError] = []

    def merged(self, base: Mapping[str, Any], city: Mapping[str, Any], path: Path) -> dict[str, Any]:
        """Return the base's keys in their order, as the city changes them, then the city's new ones."""
        result = {key: value for key, value in base.items() if city.get(key, self) is not None}
        for key, value in city.items():
            here = (*path, key)
            if value is None:
                if key not in base:
                    words = f"null 表示去掉底本里的“{key[:40]}”，但底本没有这一项"
                    self.problems.append(ExtendingError(words, self._doc.mark(here, key=True), self._doc.file))
            elif isinstance(value, dict) and isinstance(base.get(key), dict) and not _is_one_value(here):
                result[key] = self.merged(base[key], value, here)
            else:
                result[key] = value
        return result


def _is_one_value(path: Path) -> bool:
    """Say whether a mapping is one value of the language, such as a condition or a field, and not a list of entries."""
    rest = path[_ENTRY:] if path[0] == "tasks" and len(path) > _ENTRY else path  # a kind of task is a flow in itself
    if rest[0] == "open":  # what an entry is elsewhere, with no name of its own
        rest = ("open", *rest)
    keys = rest[_ENTRY:]
    return (len(keys) == 1 and keys[0] in ONE_VALUE) or (len(keys) > 1 and keys[0] in _FORMS)


def bundle(text: str | bytes, file: str, bases: Bases | None) -> str:
    """Return a definition that needs no other file: the text itself, with its base behind it if it extends one.

    This is what is published, so that what is pinned can be read from the database alone. Raises as `read_whole` does.
    """
    if isinstance(text, bytes):
        text = read(text, file).text
    if EXTENDS not in text or _SEAM.search(text):
        return text
    whole = read_whole(text, file, bases)
    if not isinstance(whole, Extended):
        return text
    base = whole.base
    name = _called(base.file)
    seam = (
        f"--- # extends {_mapping(whole.data)[EXTENDS]} file {name} sha256 {_digest(base.text)} own {_digest(text)}\n"
    )
    return f"{text}{'' if text.endswith(chr(10)) else chr(10)}{seam}{base.text}"


def stands_bundled(text: str, published: str, bases: Bases) -> bool:
    """Say whether a published text is surely what `bundle` makes of a file's, reading neither as YAML: no "no" is sure."""
    if text == published:
        return _SEAM.search(text) is not None or _MAY_EXTEND.search(text) is None
    seam = _SEAM.search(published)
    if seam is None or published[: seam.start()] != f"{text}{'' if text.endswith(chr(10)) else chr(10)}":
        return False
    base = bases(seam["id"])
    return base is not None and base.text == published[seam.end() :] and _called(base.file) == seam["file"]


def _called(file: str) -> str:
    return file.replace("\\", "/").rpartition("/")[2].replace(" ", "_")


def unbundle(text: str | bytes) -> tuple[str | bytes, Base | None]:
    """Part a published text into the file itself and the base that was put behind it."""
    if isinstance(text, bytes):
        if b"\n--- # extends " not in text:
            return text, None
        text = text.decode(errors="surrogateescape")
    seam = _SEAM.search(text)
    if seam is None:
        return text, None
    return text[: seam.start()], Base(text[seam.end() :], seam["file"])


def sources(text: str, file: str) -> dict[str, str]:
    """Return the SHA-256 of each file that a published text was made of, by its name: one, or the city's and the base's."""
    seam = _SEAM.search(text)
    return {file: _digest(text)} if seam is None else {file: seam["own"], seam["file"]: seam["base"]}


def _digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()

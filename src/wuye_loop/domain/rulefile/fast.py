"""The fast reader of the strict dialect: libyaml's events, twenty times as quick as the pure parser's.

It only ever says yes. Whatever it does not take, or would not read exactly as the careful reader does, it leaves to that
one; tests/domain/test_yamldoc_fast.py compares the two.
"""

import re
from typing import Any, Final

import yaml
from yaml import events

from wuye_loop.domain.rulefile.scalars import MAX_DEPTH, MAX_NODES, Mark, Path, Read, plain

# Without its compiled part (an unusual platform) the library would only be a second slow parser.
_PARSER: Final[Any] = getattr(yaml, "CLoader", None)

# What the two parsers are known to see differently, and what only the careful reader has words for.
_LEFT = re.compile(
    r"\t"  # as space it is allowed here and there
    r"|\?(?:\s|\Z)"  # a key written with a question mark
    r"|[|>][-+0-9]*#|[|>][-+0-9]* *[\r\n]+ *[\r\n]"  # the beginning of a text in lines
    r"|^\.\.\.",  # the end of a document
    re.MULTILINE,
)


class _Left(Exception):
    """Something that the careful reader must judge."""


def read_fast(text: str) -> Read | None:
    """Read one plain document; None for anything that is wrong or merely unusual."""
    if _PARSER is None or _LEFT.search(text):
        return None
    try:
        return _FastReading().read(text)
    except (_Left, yaml.YAMLError):
        return None


class _FastReading:
    """Plain data built from events; `path` and `node` are the open collection's, `key` waits for its value."""

    def __init__(self) -> None:
        self.data: object = None
        self.values: dict[Path, Mark] = {}
        self.keys: dict[Path, Mark] = {}
        self._stack: list[tuple[Path, Any, str | None]] = []
        self._path: Path = ()
        self._node: Any = None
        self._key: str | None = None

    def read(self, text: str) -> Read:
        parser = _PARSER(text)
        documents = nodes = 0
        while (event := parser.get_event()) is not None:
            kind = type(event)
            if kind is events.ScalarEvent:
                nodes += 1
                self._scalar(event)
            elif kind is events.MappingStartEvent or kind is events.SequenceStartEvent:
                nodes += 1
                self._open(event, {} if kind is events.MappingStartEvent else [])
            elif kind is events.MappingEndEvent or kind is events.SequenceEndEvent:
                self._path, self._node, self._key = self._stack.pop()
            elif kind is events.DocumentStartEvent:
                documents += 1
                if documents > 1 or event.version or event.tags:
                    raise _Left
            elif kind is events.AliasEvent:
                raise _Left
            if nodes > MAX_NODES:
                raise _Left
        return Read(self.data, self.values, self.keys)

    def _scalar(self, event: Any) -> None:
        if event.anchor is not None or event.tag is not None or self._node is None:
            raise _Left
        value: str = event.value
        node = self._node
        if type(node) is dict and self._key is None:
            if not value or value in node or value != value.strip() or (value == "<<" and not event.style):
                raise _Left
            self._key = value
            self.keys[(*self._path, value)] = _mark(event)
        else:
            nothing = not value and not event.style and self._key is not None
            place = self.keys[(*self._path, self._key or "")] if nothing else _mark(event)
            self._put(value if event.style else plain(value), place)

    def _open(self, event: Any, node: dict[str, object] | list[object]) -> None:
        mapping = type(self._node) is dict
        if event.anchor is not None or event.tag is not None or (mapping and self._key is None):
            raise _Left
        if len(self._stack) >= MAX_DEPTH:
            raise _Left
        path = self._put(node, _mark(event))
        self._stack.append((self._path, self._node, self._key))
        self._path, self._node, self._key = path, node, None

    def _put(self, value: object, mark: Mark) -> Path:
        node = self._node
        if node is None:
            path: Path = ()
            self.data = value
        elif type(node) is list:
            path = (*self._path, len(node))
            node.append(value)
        else:
            path = (*self._path, self._key or "")
            node[self._key] = value
            self._key = None
        self.values[path] = mark
        return path


def _mark(event: Any) -> Mark:
    start = event.start_mark
    return Mark(start.line + 1, start.column + 1)

"""The careful reader of the strict dialect: the pure parser, whose verdict and words are the same on every machine.

It judges whatever the fast reader does not take, and is the measure by which the fast one is tested.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, StreamMark, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    CollectionEndEvent,
    CollectionStartEvent,
    DocumentStartEvent,
    Event,
    MappingStartEvent,
    NodeEvent,
    ScalarEvent,
)
from ruamel.yaml.scanner import Scanner, ScannerError

from wuye_loop.domain.rulefile.scalars import LINE_BREAK, MAX_DEPTH, MAX_NODES, Mark, Path, Read, YamlDocError, plain

# Full-width marks where YAML wants its own: after a key, around a list, before one; not those of the sentences of a text.
_FULL_WIDTH = re.compile(
    r"(?:^|[{,\[])\s*(?:- )*[^\s:：,\"'{}\[\]]+：|[｛｝［］　\u00a0]|，\s*[^\s:：，,\"'{}\[\]]+:(?:\s|$)|^\s*[－＃]"
)
_COMMENT = re.compile(r"\s#.*[}\]]")  # a comment that took the end of braces or brackets with it
_TAB = "缩进或分隔用了制表符：请改用空格"

# What the parser may raise on text it did not foresee, besides its own errors.
_PARSER_FAULTS = (ArithmeticError, AssertionError, AttributeError, LookupError, RecursionError, TypeError, ValueError)

_SHOWN = 40  # characters of a name that an error repeats
_TOO_DEEP = f"嵌套超过 {MAX_DEPTH} 层"
_PARSER_WORDS = (
    ("could not find expected ':'", "这里应有冒号：键后面要写半角冒号和一个空格"),
    ("mapping values are not allowed here", "这里不能再出现“键: 值”：检查上一行的缩进，或给含冒号的文字加引号"),
    ("mapping keys are not allowed here", "这里不能写键"),
    ("sequence entries are not allowed here", "这里不能写“- ”列表项：检查缩进"),
    ("found character '\\t'", _TAB),
    ("expected <block end>", "缩进与上文不一致"),
    ("expected ',' or ']'", "方括号列表没有写完：缺少半角逗号或右方括号"),
    ("expected ',' or '}'", "花括号没有写完：缺少半角逗号或右花括号"),
    ("found unexpected end of stream", "引号没有闭合"),
    ("found unknown escape character", "双引号里有未知的转义：请改用单引号"),
    ("found unexpected document separator", "引号没有闭合就遇到了文档分隔线"),
    ("expected the node content", "这里应有一个值"),
    ("cannot start any token", "这个字符不能作为值的开头：请给文字加引号"),
    ("expected a comment or a line break", "“|”或“>”之后应换行"),
    ("expected chomping or indentation", "“|”或“>”之后应换行；以它们开头的文字要加引号"),
    ("expected '<document start>'", "这里已在文档之外：检查缩进、括号和引号"),
    ("expected URI", "以 ! 开头的文字要加引号"),
    ("expected alphabetic or numeric character", "以 &、*、%、! 开头的文字要加引号"),
    (_TOO_DEEP, _TOO_DEEP),
)


def read_carefully(text: str, file: str) -> Read:
    """Read one document; raise YamlDocError, with its place, for what the dialect leaves out."""
    reading = _CarefulReading(file, text)
    for event in _events(text, file):
        reading.take(event)
    return Read(reading.data, reading.values, reading.keys)


class _ShallowScanner(Scanner):
    """The pure scanner, stopped at the depth limit.

    It reads a thousand characters ahead for a possible key, in square time over open brackets, long before the first
    event arrives; so the limit must hold here too.
    """

    def fetch_flow_collection_start(self, TokenClass: Any, to_push: str) -> None:  # noqa: N803  the parent's name
        if self.flow_level >= MAX_DEPTH:
            raise ScannerError(None, None, _TOO_DEEP, self.reader.get_mark())
        super().fetch_flow_collection_start(TokenClass, to_push)


def _events(text: str, file: str) -> Iterator[Event]:
    """Run the parser, always the pure one so that every site gives the same verdict, and put its errors into words."""
    yaml = YAML(typ="safe", pure=True)
    yaml.Scanner = _ShallowScanner
    try:
        yield from yaml.parse(text)
    except MarkedYAMLError as error:
        found = error.problem_mark or error.context_mark
        mark = _mark(found) if found else None
        raise YamlDocError(_in_words(error, text, mark), mark, file) from None
    except YAMLError as error:
        message = f"不是合法的 YAML：{error}"
        raise YamlDocError(message, None, file) from None
    except _PARSER_FAULTS as error:
        message = f"YAML 解析器无法处理这个文件（{type(error).__name__}）"
        raise YamlDocError(message, None, file) from None


def _mark(mark: StreamMark) -> Mark:
    return Mark(mark.line + 1, mark.column + 1)


def _in_words(error: MarkedYAMLError, text: str, mark: Mark | None) -> str:
    problem = str(error.problem or error.context or "")
    words = next((words for part, words in _PARSER_WORDS if part in problem), f"YAML 语法错误：{problem}")
    lines = LINE_BREAK.split(text)
    begun = error.context_mark.line if error.context_mark else mark.line - 1 if mark else 0
    if mark and words != _TAB and any(_COMMENT.search(line) for line in lines[begun : mark.line]):
        words += "（空格加 # 之后是注释，右括号也成了注释：文字里要写 # 请加引号）"
    elif mark and words != _TAB and any(_FULL_WIDTH.search(line) for line in lines[max(0, mark.line - 2) : mark.line]):
        words += "（这里有全角标点或全角空格，YAML 的标点必须是半角）"
    return words


@dataclass(slots=True)
class _Frame:
    """A collection that is still open: for a mapping, the key waiting for its value and the place of each key."""

    path: Path
    node: dict[str, object] | list[object]
    key: str | None = None


class _CarefulReading:
    """Plain data built from events with a stack of open collections, so that no depth of input can exhaust ours."""

    def __init__(self, file: str, text: str) -> None:
        self.data: object = None
        self.values: dict[Path, Mark] = {}
        self.keys: dict[Path, Mark] = {}
        self._file = file
        self._lines = LINE_BREAK.split(text) if "\t" in text else []
        self._stack: list[_Frame] = []
        self._documents = 0
        self._nodes = 0

    def take(self, event: Event) -> None:
        """Take the next event; raise YamlDocError for what the dialect leaves out."""
        if isinstance(event, NodeEvent):
            self._check(event)
            if isinstance(event, ScalarEvent):
                self._take_scalar(event)
            elif isinstance(event, CollectionStartEvent):
                self._open(event)
        elif isinstance(event, CollectionEndEvent):
            self._stack.pop()
        elif isinstance(event, DocumentStartEvent):
            self._documents += 1
            if self._documents > 1:
                raise self._error("一个文件只能有一个文档：从这里开始的第二个请移到别的文件", event)
            if event.version or event.tags:
                raise self._error("不允许 %YAML、%TAG 指令：请删除", event)

    def _check(self, event: NodeEvent) -> None:
        self._nodes += 1
        if self._nodes > MAX_NODES:
            raise self._error(f"内容超过 {MAX_NODES} 项", event)
        if isinstance(event, AliasEvent):
            raise self._error(f"不允许别名 *{event.anchor[:_SHOWN]}：请把内容写全", event)
        if event.anchor is not None:
            raise self._error(f"不允许锚点 &{event.anchor[:_SHOWN]}：请把内容写全", event)
        if isinstance(event, ScalarEvent | CollectionStartEvent) and event.ctag is not None:
            raise self._error("不允许类型标签（! 开头）：请删除；以 ! 开头的文字要加引号", event)
        if self._lines:
            before = self._lines[event.start_mark.line][: event.start_mark.column]
            if "\t" in before and not before.strip():
                raise self._error("缩进用了制表符：请改用空格", event)

    def _take_scalar(self, event: ScalarEvent) -> None:
        frame = self._stack[-1] if self._stack else None
        if frame and isinstance(frame.node, dict) and frame.key is None:
            self._take_key(frame, frame.node, event)
        else:
            nothing = event.value == "" and event.style is None
            # The parser sees a value that is not there after its key, or on the line below: its key is what people find.
            place = self.keys[(*frame.path, frame.key)] if frame and frame.key and nothing else _mark(event.start_mark)
            self._put(plain(event.value) if event.style is None else event.value, place)

    def _take_key(self, frame: _Frame, node: dict[str, object], event: ScalarEvent) -> None:
        key: str = event.value
        if key == "<<" and event.style is None:
            raise self._error("不允许合并键 <<：请把内容写全", event)
        if not key:
            raise self._error("键是空的：冒号前面要写键", event)
        if key != key.strip():
            raise self._error("键的前后有空白（可能是全角空格）：请删除", event)
        if key in node:
            first = self.keys[(*frame.path, key)].line
            raise self._error(
                f"键“{key[:_SHOWN]}”重复：第 {first} 行已经写过，第 {event.start_mark.line + 1} 行又写了一次", event
            )
        frame.key = key
        self.keys[(*frame.path, key)] = _mark(event.start_mark)

    def _open(self, event: CollectionStartEvent) -> None:
        if self._stack and isinstance(self._stack[-1].node, dict) and self._stack[-1].key is None:
            raise self._error("键必须是文字，不能是列表或映射（花括号、方括号开头的文字要加引号）", event)
        if len(self._stack) >= MAX_DEPTH:
            raise self._error(_TOO_DEEP, event)
        node: dict[str, object] | list[object] = {} if isinstance(event, MappingStartEvent) else []
        path = self._put(node, _mark(event.start_mark))
        self._stack.append(_Frame(path, node))

    def _put(self, value: object, mark: Mark) -> Path:
        path: Path = ()
        if self._stack:
            frame = self._stack[-1]
            if isinstance(frame.node, list):
                path = (*frame.path, len(frame.node))
                frame.node.append(value)
            elif frame.key is not None:
                path = (*frame.path, frame.key)
                frame.node[frame.key] = value
                frame.key = None
        else:
            self.data = value
        self.values[path] = mark
        return path

    def _error(self, message: str, event: Event) -> YamlDocError:
        return YamlDocError(message, _mark(event.start_mark), self._file)

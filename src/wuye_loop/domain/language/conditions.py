"""The one condition grammar (`when`, `if`): a mapping from facts to what each must be; all must hold.

A matcher is a scalar (equals), a list (any of), or a mapping of operators: `min`, `max` (inclusive), `pattern` (re2),
`not`, `any`; several operators in one mapping must all hold. A fact whose value is a list holds when any element does.
"""

import difflib
import json
import math
import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, NoReturn

import re2
from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from wuye_loop.domain import phrases
from wuye_loop.domain.language.fact_names import FACTS, FAMILIES, FactInfo, fact_info
from wuye_loop.domain.phrases import phrase

__all__ = ["ALWAYS", "FACTS", "FAMILIES", "Condition", "ConditionError", "FactInfo", "fact_info"]

MAX_PATTERN = 500  # characters
MAX_PROGRAM = 2_000  # re2 instructions: about 200 repeats of a dot; keeps a search of 10 kB within a few milliseconds
MAX_ITEMS = 1_000
MAX_DEPTH = 8
_AND, _OR = "{one} 且 {other}", "{one} 或 {other}"
LIST_OF_FACTS = "全部事实见 docs/language.md 的“条件”一节"

RawPath = tuple[str | int, ...]
Check = Callable[[object], bool]

_LISTS = (list, tuple, set, frozenset)
_NUMBERS = (int, float)
_TOO_LARGE = "pattern 展开后太大或次数写反：请检查 {n,m}"
_OPERATORS = ("min", "max", "pattern", "not", "any")


class ConditionError(ValueError):
    """A condition that cannot be read: words in Chinese, and the path inside the condition where it went wrong."""

    def __init__(self, words: str, path: RawPath) -> None:
        super().__init__(words)
        self.words = words
        self.path = path


@dataclass(frozen=True, slots=True)
class _Matcher:
    check: Check
    words: str
    denied: str  # the words of its opposite


@dataclass(frozen=True, slots=True)
class _Clause:
    name: str
    missing: object
    check: Check
    words: str
    shown: bool
    said: tuple[str, str]  # what the fact is called, what it must be


@dataclass(frozen=True, slots=True)
class Condition:
    """An immutable condition over facts; equal to another that was written with the same facts and matchers."""

    source: str  # as it was written, in JSON
    _clauses: tuple[_Clause, ...] = field(compare=False, repr=False)
    fact_names: frozenset[str] = field(init=False, compare=False, repr=False)  # that are asked about

    def __post_init__(self) -> None:
        object.__setattr__(self, "fact_names", frozenset(clause.name for clause in self._clauses))

    @classmethod
    def parse(cls, raw: object) -> "Condition":
        """Compile a mapping of facts to matchers; raise ConditionError with words and the path of the fault."""
        if not isinstance(raw, Mapping):
            raise ConditionError("条件应是“事实: 要求”的映射，例如 {urgency: 特急}", ())
        clauses = tuple(_clause(name, matcher) for name, matcher in raw.items())
        source = json.dumps(raw, ensure_ascii=False, default=dict)
        return cls(source, clauses)

    def holds(self, facts: Mapping[str, object]) -> bool:
        """Whether every fact is as required; an absent fact is null (a count is 0, an `overdue` is false)."""
        for clause in self._clauses:  # noqa: SIM110  the hot path: all() of a generator takes twice as long
            if not clause.check(facts.get(clause.name, clause.missing)):
                return False
        return True

    def missed(self, facts: Mapping[str, object]) -> int:
        """Count the facts that are not as required."""
        missed = 0
        for clause in self._clauses:
            if not clause.check(facts.get(clause.name, clause.missing)):
                missed += 1
        return missed

    def unmet(self, facts: Mapping[str, object], words: Mapping[str, str] | None = None) -> list[str]:
        """Say in Chinese, one sentence each, what does not hold; only numbers and truth values show how they stand.

        `words` says by fact what must hold in the titles of a definition, where the caller has one; a truth value then
        needs no more.
        """
        sentences = []
        for clause in self._clauses:
            value = facts.get(clause.name, clause.missing)
            if not clause.check(value):
                silent = isinstance(value, str | bool) if words else isinstance(value, str)
                now = "" if silent or not clause.shown else f"（现为 {_shown(value)}）"
                sentences.append(f"需要：{(words or {}).get(clause.name, clause.words)}{now}")
        return sentences

    def describe(self) -> str:
        """Say in Chinese what must hold, for diagrams and traces; 无条件 when nothing must."""
        return "；".join(clause.words for clause in self._clauses) or "无条件"

    @property
    def said(self) -> list[tuple[str, str]]:
        """What each fact is called and what it must be, in words."""
        return [clause.said for clause in self._clauses]

    @property
    def always(self) -> bool:
        """Whether it holds whatever the facts are: nothing is required."""
        return not self._clauses

    @property
    def raw(self) -> dict[str, Any]:
        """The condition as it was written: a fresh copy of plain data."""
        return dict(json.loads(self.source))

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: Any, _handler: GetCoreSchemaHandler) -> CoreSchema:
        """Validate from a mapping; a fault appears as `ctx["error"]`, a ConditionError whose path goes on from `loc`."""
        return core_schema.no_info_plain_validator_function(
            lambda raw: raw if isinstance(raw, cls) else cls.parse(raw),
            ref="Condition",
            serialization=core_schema.plain_serializer_function_ser_schema(lambda condition: condition.raw),
        )

    @classmethod
    def __get_pydantic_json_schema__(cls, _schema: CoreSchema, _handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return _json_schema()


def _clause(name: object, raw: object) -> _Clause:
    info = fact_info(name) if isinstance(name, str) else None
    if info is None or not isinstance(name, str):
        raise ConditionError(_unknown(str(name)), (name,) if isinstance(name, str) else ())
    member = name.partition(".")[2]
    matcher = _matcher(info, raw, (name,))
    title = f"{info.title}“{member}”" if member else info.title
    shown = info.type in {"number", "bool"}
    return _Clause(name, info.missing, matcher.check, f"{title} {matcher.words}", shown, (info.title, matcher.words))


def _unknown(name: str) -> str:
    """Name the nearest facts: by spelling, by Chinese title, by family."""
    family = re.split(r"[._-]", name, maxsplit=1)[0]
    if name in FAMILIES or f"{family}." == name or (family in FAMILIES and "." not in name):
        return f"没有事实“{name[:64]}”：{family} 后面要写点和名称，例如 {family}.assist。{LIST_OF_FACTS}"
    titles = {info.title: known for known, info in FACTS.items()}
    near = difflib.get_close_matches(name, [*FACTS, *FAMILIES, *titles], n=3, cutoff=0.5)
    names = dict.fromkeys(titles.get(found, found) + ("." if found in FAMILIES else "") for found in near)
    guess = f"，是不是 {' 或 '.join(names)}？" if names else "。"
    return f"没有事实“{name[:64]}”{guess}{LIST_OF_FACTS}"


def _matcher(info: FactInfo, raw: object, path: RawPath) -> _Matcher:
    if isinstance(raw, list | tuple):
        return _any_of(info, raw, path)
    return _operators(info, raw, path) if isinstance(raw, Mapping) else _one_of(info, [(path, raw)])


def _operators(info: FactInfo, raw: Mapping[Any, object], path: RawPath) -> _Matcher:
    if len(path) > MAX_DEPTH:
        raise ConditionError(f"条件嵌套超过 {MAX_DEPTH} 层", path)
    for name in raw:
        if name not in _OPERATORS:
            raise ConditionError(f"没有运算“{str(name)[:64]}”：只有 {'、'.join(_OPERATORS)}", (*path, str(name)))
    if not raw:
        raise ConditionError(f"要求是空的：写一个值、一个列表，或 {'、'.join(_OPERATORS)}", path)
    found = [_range(info, raw, path)] if "min" in raw or "max" in raw else []
    for name, build in (("pattern", _pattern), ("any", _any_of), ("not", _not)):
        if name in raw:
            found.append(build(info, raw[name], (*path, name)))
    return _joined(found, all, (_AND, _OR))


def _not(info: FactInfo, raw: object, path: RawPath) -> _Matcher:
    inner = _matcher(info, raw, path)
    return _Matcher(lambda value: not inner.check(value), inner.denied, inner.words)


def _any_of(info: FactInfo, raw: object, path: RawPath) -> _Matcher:
    if not isinstance(raw, list | tuple):
        raise ConditionError("any 后面要写列表", path)
    if not 0 < len(raw) <= MAX_ITEMS:
        raise ConditionError("列表是空的" if not raw else f"列表超过 {MAX_ITEMS} 项", path)
    items: list[tuple[RawPath, object]] = [((*path, index), item) for index, item in enumerate(raw)]
    scalars = [(place, item) for place, item in items if not isinstance(item, Mapping)]
    found = [_one_of(info, scalars)] if scalars else []
    found += [_operators(info, item, place) for place, item in items if isinstance(item, Mapping)]
    return _joined(found, any, (_OR, _AND))


def _joined(found: list[_Matcher], how: Callable[[Iterable[bool]], bool], words: tuple[str, str]) -> _Matcher:
    if len(found) == 1:
        return found[0]
    checks = tuple(matcher.check for matcher in found)
    return _Matcher(
        lambda value: how(check(value) for check in checks),
        phrases.folded((matcher.words for matcher in found), words[0]),
        phrases.folded((matcher.denied for matcher in found), words[1]),
    )


def _one_of(info: FactInfo, items: Iterable[tuple[RawPath, object]]) -> _Matcher:
    values = [_scalar(info, value, path) for path, value in items]
    texts = {value for value in values if isinstance(value, str)}
    truths = {value for value in values if isinstance(value, bool)}
    numbers = {value for value in values if isinstance(value, int | float) and not isinstance(value, bool)}
    null = None in values
    if info.type == "any":  # an unquoted code is read as a number, while the outside system sends text
        texts |= {str(number) for number in numbers if isinstance(number, int)}

    def is_one(value: object) -> bool:
        if isinstance(value, str):
            return value in texts
        if isinstance(value, bool):
            return value in truths
        if isinstance(value, _LISTS):
            return any(map(is_one, value)) if value else null
        return value in numbers if isinstance(value, _NUMBERS) else null and value is None

    words = phrases.folded((_shown(value) for value in values), _OR)
    return _Matcher(is_one, phrase("为 {words}", words=words), phrase("不为 {words}", words=words))


def _scalar(info: FactInfo, value: object, path: RawPath) -> str | float | bool | None:
    """Check a scalar against the fact's type; a code such as 370705 on a text fact is its text."""
    if value is None or (isinstance(value, str) and info.type in {"text", "list", "any"}):
        return value
    if isinstance(value, bool):
        if info.type in {"bool", "any"}:
            return value
    elif isinstance(value, int) and info.type in {"text", "list"}:
        return str(value)
    elif isinstance(value, int | float) and info.type in {"number", "any"} and math.isfinite(value):
        return value
    need = {"bool": "true 或 false", "number": "数字", "any": "文字、数字、true 或 false"}
    raise ConditionError(f"“{info.title}”只能与 {need.get(info.type, '文字（请加引号）')} 比较", path)


def _range(info: FactInfo, raw: Mapping[Any, object], path: RawPath) -> _Matcher:
    if info.type not in {"number", "any"}:
        raise ConditionError(f"“{info.title}”不是数字，不能用 min、max", path)
    low, high = (_bound(raw, name, fallback, path) for name, fallback in (("min", -math.inf), ("max", math.inf)))
    if low > high:
        raise ConditionError("min 大于 max，永远不成立；要跨零点请写 {any: [{min: 22}, {max: 6}]}", path)

    def inside(value: object) -> bool:
        return isinstance(value, _NUMBERS) and not isinstance(value, bool) and low <= value <= high

    if "max" not in raw:
        return _Matcher(_each(inside), phrase("不少于 {low}", low=low), phrase("少于 {low}", low=low))
    if "min" not in raw:
        return _Matcher(_each(inside), phrase("不多于 {high}", high=high), phrase("多于 {high}", high=high))
    said = {"low": low, "high": high}
    return _Matcher(
        _each(inside), phrase("在 {low} 至 {high} 之间", **said), phrase("不在 {low} 至 {high} 之间", **said)
    )


def _bound(raw: Mapping[Any, object], name: str, fallback: float, path: RawPath) -> float:
    value = raw.get(name, fallback)
    if isinstance(value, bool) or not isinstance(value, int | float) or (name in raw and not math.isfinite(value)):
        raise ConditionError(f"{name} 后面要写数字", (*path, name))
    return value


def _pattern(info: FactInfo, raw: object, path: RawPath) -> _Matcher:
    if info.type not in {"text", "list", "any"}:
        raise ConditionError(f"“{info.title}”不是文字，不能用 pattern", path)
    if not isinstance(raw, str) or not 0 < len(raw) <= MAX_PATTERN:
        raise ConditionError(f"pattern 后面要写 1 至 {MAX_PATTERN} 个字符的文字（请加引号）", path)
    try:
        pattern = compiled(raw)
    except (re2.error, UnicodeError) as error:
        _refuse_pattern(error, path)
    if pattern.programsize > MAX_PROGRAM:
        raise ConditionError(_TOO_LARGE, path)
    search = pattern.search

    def found(value: object) -> bool:
        return isinstance(value, str) and search(_folded(value)) is not None

    return _Matcher(_each(found), phrase("匹配“{raw}”", raw=raw), phrase("不匹配“{raw}”", raw=raw))


def _refuse_pattern(error: Exception, path: RawPath) -> NoReturn:
    reason = error.args[0].decode(errors="replace") if isinstance(error.args[0], bytes) else "含有不成对的代理字符"
    words = f"pattern 不是合法的 re2 正则：{reason}"
    if reason.startswith("invalid perl operator"):
        words = "pattern 用了 re2 没有的写法：没有环视 (?=…) (?!…) (?<=…) (?<!…)；“不含”请写 {not: {pattern: …}}"
    elif re.fullmatch(r"invalid escape sequence: \\[1-9]", reason):
        words = "pattern 用了 re2 没有的写法：没有反向引用 \\1"
    elif "too large" in reason or "repetition size" in reason:
        words = _TOO_LARGE
    raise ConditionError(words, path) from None


def compiled(pattern: str) -> "re2._Regexp[str]":
    """Compile a pattern for texts in the form of `folded`: the one way that a file's words are looked for.

    Raises re2.error and UnicodeError.
    """
    options = re2.Options()
    options.log_errors = False
    options.case_sensitive = False
    options.never_capture = True
    options.dot_nl = True  # a complaint breaks its lines anywhere
    return re2.compile(folded_pattern(pattern), options)


def folded_pattern(pattern: str) -> str:
    """Fold a pattern like the text it meets, each character by itself: a full-width bracket stays a plain character."""
    return "".join(c if c.isascii() else re.sub(r"[!-/:-@\[-`{-~]", r"\\\g<0>", folded(c)) for c in pattern)


@lru_cache(maxsize=8)  # the many patterns of one decision meet the same few texts
def _folded(text: str) -> bytes:
    return folded(text).encode(errors="replace")


def folded(text: str) -> str:
    """Return a text as patterns meet it."""
    return unicodedata.normalize("NFKC", text).casefold()


def _each(check: Check) -> Check:
    """Let a list hold when any element does; an empty list is an absent value."""

    def holds(value: object) -> bool:
        if isinstance(value, _LISTS):
            return any(map(check, value)) if value else check(None)
        return check(value)

    return holds


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return "是" if value else "否"
    return "空" if value is None else str(value)


def _json_schema() -> JsonSchemaValue:
    operators: JsonSchemaValue = {"min": {"type": "number"}, "max": {"type": "number"}, "pattern": {"type": "string"}}
    operators |= {"not": {}, "any": {"type": "array"}}
    rest: JsonSchemaValue = {"properties": operators, "additionalProperties": False, "minItems": 1}
    every = {**FACTS, **FAMILIES}
    known = {name: {"title": info.title, "description": info.description, **rest} for name, info in every.items()}
    return {
        "type": "object",
        "properties": {name: known[name] for name in FACTS},
        "patternProperties": {rf"^{name}\.\w[\w.-]*$": known[name] for name in FAMILIES},
        "additionalProperties": False,
    }


ALWAYS = Condition.parse({})

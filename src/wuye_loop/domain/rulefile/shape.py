"""Puts pydantic's complaints about the shape of a definition into Chinese words, each at its place in the file."""

import re
from collections.abc import Iterable, Sequence
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from wuye_loop.domain.language.conditions import ConditionError
from wuye_loop.domain.language.forms import NAME
from wuye_loop.domain.language.workflow import EffectCall
from wuye_loop.domain.rulefile.findings import Findings, alike, listed, nearest, quoted
from wuye_loop.domain.time.spans import WRITTEN_AS

Place = tuple[str | int, ...]

_TAGS = frozenset({"DutyUnit", "TaskUnit", "EstateUnit", "str", "int", "constrained-str", "Span"})  # of unions
_CHINESE = re.compile(r"[\u4e00-\u9fff]")
_CHOICES = re.compile(r"'([^']*)'")
_PATTERNS = {
    NAME: "名字要以小写英文字母开头，只含小写字母、数字和下划线，最多 40 个字符",
    r"^[a-z][a-z0-9-]{1,39}$": "名字要以小写英文字母开头，只含小写字母、数字和连字符，2 至 40 个字符",
    r"^\d\d:\d\d-\d\d:\d\d$": "办公时间要写成 08:30-12:00 的样子（加引号）",
    r"\{n\}": "文号里要有 {n}（顺序号）",
}
_WORDS = {
    "string_type": "这里要写文字（数字请加引号）",
    "string_too_short": "不能为空",
    "int_type": "这里要写整数",
    "int_parsing": "这里要写整数",
    "int_from_float": "这里要写整数",
    "float_type": "这里要写数字",
    "float_parsing": "这里要写数字",
    "bool_type": "这里要写 true 或 false",
    "bool_parsing": "这里要写 true 或 false",
    "dict_type": "这里要写“键: 值”的映射",
    "model_type": "这里要写“键: 值”的映射",
    "model_attributes_type": "这里要写“键: 值”的映射",
    "tuple_type": "这里要写列表",
    "list_type": "这里要写列表",
    "is_instance_of": WRITTEN_AS,
    "dataclass_type": WRITTEN_AS,
}
_LIMITS = {
    "string_too_long": ("max_length", "太长，最多 {} 个字"),
    "greater_than_equal": ("ge", "太小，最小是 {}"),
    "greater_than": ("gt", "要大于 {}"),
    "less_than_equal": ("le", "太大，最大是 {}"),
    "less_than": ("lt", "要小于 {}"),
    "too_long": ("max_length", "最多写 {} 项"),
    "too_short": ("min_length", "至少写 {} 项"),
}


def note_shape(error: ValidationError, model: type[BaseModel], prefix: Sequence[str | int], findings: Findings) -> None:
    """Note every complaint of a validation of `model`, whose data stands at `prefix` in the definition."""
    details = error.errors(include_url=False)
    for detail in _one_per_union(details):
        loc: Place = detail["loc"]
        words, code, key = _words(detail, model)
        if detail["type"] == "missing":
            findings.error((*prefix, *loc[:-1]), code, words, key=True)
            continue
        inner = detail.get("ctx", {}).get("error")
        path = inner.path if isinstance(inner, ConditionError) else ()
        unknown_fact = bool(path) and path[0] == path[-1] and len(path) == 1
        findings.error((*prefix, *loc, *path), code, words, key=key or unknown_fact)


def _one_per_union(details: Iterable[ErrorDetails]) -> Iterable[ErrorDetails]:
    """Keep, of the branches of a union that all failed, the one that came furthest; its tags start with no field's name."""
    every = list(details)
    lacking = {
        detail["loc"][:-1] for detail in every if detail["type"] == "missing"
    }  # models that the writer did not mean
    kept: dict[Place, ErrorDetails] = {}
    broken = {detail["loc"][:end] for detail in every for end in range(len(detail["loc"]))}
    for detail in every:
        loc = detail["loc"]
        if detail["type"] == "too_short" and loc in broken:
            continue  # what is broken in the list was not counted: it is not that nothing was written
        tag = next((index for index, step in enumerate(loc) if _is_tag(step)), None)
        place: Place = loc if tag is None else loc[:tag]
        have = kept.get(place)
        if tag is None and have is None:
            kept[place] = detail
        elif tag is None:
            kept[(*place, detail["type"])] = detail
        elif have is None or _worth(detail, lacking) > _worth(have, lacking):
            kept[place] = detail
    return kept.values()


def _worth(detail: ErrorDetails, lacking: set[Place]) -> tuple[int, bool, int]:
    """Rank the branches of a union: the deeper a complaint, the better it fits; then what lacks nothing, and says most."""
    loc = detail["loc"]
    return (
        len(loc),
        loc[:-1] not in lacking,
        {"value_error": 2, "dataclass_type": 2, "string_type": 1}.get(detail["type"], 0),
    )


def _is_tag(step: str | int) -> bool:
    return isinstance(step, str) and (("[" in step and step != "[key]") or step in _TAGS)


def _words(detail: ErrorDetails, model: type[BaseModel]) -> tuple[str, str, bool]:
    """Return the sentence, the code of the finding, and whether it is the key that is wrong."""
    kind, loc, context = detail["type"], detail["loc"], detail.get("ctx", {})
    last = str(loc[-1]) if loc else ""
    if kind == "missing":
        here = f"第 {loc[-1] + 1} 项" if isinstance(loc[-1], int) else quoted(last)
        return f"缺少{here}", "missing", True
    if kind == "extra_forbidden":
        return _unknown_key(last, _model_at(model, loc[:-1])), "unknown-key", True
    if kind in ("literal_error", "enum"):
        words = f"{_called(loc)}这里不能这样写{_instead(detail['input'], _CHOICES.findall(str(context.get('expected', ''))))}"
    elif kind == "string_pattern_mismatch":
        words = _PATTERNS.get(str(context.get("pattern")), "写法不对")
    elif kind in ("value_error", "assertion_error"):
        reason = str(context.get("error", ""))
        words = reason if _CHINESE.search(reason) else WRITTEN_AS
        if "ladder" in loc and "at" in loc:
            words += "；到期当时写 due"
    elif kind == "string_type" and isinstance(detail["input"], dict | list | tuple):
        many = "“键: 值”的映射" if isinstance(detail["input"], dict) else "列表"
        words = f"{_called(loc)}这里只能写一个词或一句话，不能写{many}"
    elif kind in _LIMITS:
        name, frame = _LIMITS[kind]
        words = frame.format(context.get(name, ""))
    else:
        words = _WORDS.get(kind, f"写法不对（{kind}）")
    return words, "bad-value", last == "[key]"


def _called(loc: Place) -> str:
    """Return the key that a place stands under, with the one above it: `limit.per `."""
    names = [step for step in loc if isinstance(step, str) and not _is_tag(step) and step != "[key]"]
    return f"{'.'.join(names[-2:])} " if names else ""


def _instead(written: object, choices: Sequence[str]) -> str:
    """Return the end of a sentence about a wrong word: the one that is likely meant, and what may be written."""
    near = alike(written, choices) if isinstance(written, str) else None
    return f"{f'，是不是 {near}？' if near else '，'}可用：{listed(choices)}"


def _unknown_key(name: str, model: type[BaseModel] | None) -> str:
    if model is EffectCall:
        return f"一个效果只写一个名字，{quoted(name)}要另写一项：[{{…}}, {{…}}]"
    if model is None:
        return f"不认识的键{quoted(name)}"
    allowed = [field.alias or key for key, field in model.model_fields.items()]
    if not allowed:
        return f"不认识的键{quoted(name)}：这里不用写参数"
    if _CHINESE.search(name):
        return f"不认识的键{quoted(name)}：花括号里的文字若含半角逗号，要加引号。可用：{listed(allowed)}"
    return f"不认识的键{quoted(name)}{nearest(name, allowed)}"


def _model_at(model: type[BaseModel], loc: Place) -> type[BaseModel] | None:
    """Return the model that a place in the data is read into."""
    here: Any = model
    for step in loc:
        owner = _model_of(here)
        if owner is not None:
            fields = owner.model_fields
            name = next((key for key, field in fields.items() if step in (key, field.alias)), None)
            if name is not None:
                here = fields[name].annotation
            continue  # a tag of a union, or a place inside a shorthand
        inner = _inside(here)
        here = inner if inner is not None else here
    return _model_of(here) or _model_of(_inside(here))


def _bare(annotation: Any) -> Any:
    """Strip Annotated and an optional's None."""
    while True:
        origin = get_origin(annotation)
        if origin is Annotated:
            annotation = get_args(annotation)[0]
        elif origin in (Union, UnionType):
            rest = [one for one in get_args(annotation) if one is not type(None)]
            models = [one for one in rest if isinstance(one, type) and issubclass(one, BaseModel)]
            annotation = (models or rest)[0]
        else:
            return annotation


def _model_of(annotation: Any) -> type[BaseModel] | None:
    bare = _bare(annotation)
    return bare if isinstance(bare, type) and issubclass(bare, BaseModel) else None


def _inside(annotation: Any) -> Any:
    """Return what a dict's values or a tuple's items are."""
    bare = _bare(annotation)
    origin, args = get_origin(bare), get_args(bare)
    if origin is dict:
        return args[1]
    return args[0] if origin in (tuple, list) and args else None

"""What differs between two versions of a scheme, part by part, in the words of the file."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from wuye_loop.domain.assessment.scheme import Scheme
from wuye_loop.domain.time.spans import Span

_SECTIONS: Final = {
    "subjects": "考核对象", "measures": "指标", "inputs": "评分", "periods": "考核期", "consequences": "处置",
    "credit": "信用分", "appeals": "申诉", "templates": "通报模板", "workflow": "流程", "title": "名称", "calendar": "日历",
}  # fmt: skip
_OWN: Final = frozenset({"name", "version", "extends", "source", "kind"})


@dataclass(frozen=True, slots=True)
class SchemeChange:
    """One difference: in which section, of what, in words."""

    section: str
    path: str
    words: str


def scheme_differences(old: Scheme, new: Scheme) -> list[SchemeChange]:
    """Return what a new version changes, in the order of the file; where a rule comes from is no change of it."""
    changes = []
    before, after = _data(old), _data(new)
    for section, title in _SECTIONS.items():
        for path, was, is_ in _differing(before.get(section), after.get(section), ()):
            where = "．".join((title, *path))
            changes.append(SchemeChange(section, ".".join((section, *path)), f"{where}：{_words(was)} → {_words(is_)}"))
    return changes


def _data(scheme: Scheme) -> dict[str, Any]:
    return scheme.model_dump(by_alias=True, exclude_defaults=True)


def _differing(was: Any, is_: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any, Any]]:
    if isinstance(was, Mapping) and isinstance(is_, Mapping):
        for key in dict.fromkeys((*was, *is_)):
            if key not in _OWN or (path and path[-1] == "open" and key == "source"):
                yield from _differing(was.get(key), is_.get(key), (*path, _called(key, was, is_)))
    elif isinstance(was, list | tuple) and isinstance(is_, list | tuple) and _entries(was) and _entries(is_):
        old, new = ({one["title"]: one for one in each} for each in (was, is_))
        yield from _differing(old, new, path)
    elif was != is_:
        yield path, was, is_


def _entries(items: Any) -> bool:
    return all(isinstance(one, Mapping) and "title" in one for one in items)


def _called(key: str, *sides: Mapping[str, Any]) -> str:
    for side in sides:
        one = side.get(key)
        if isinstance(one, Mapping) and isinstance(one.get("title"), str):
            return f"“{one['title']}”"
    return key


def _words(value: Any) -> str:
    if value is None:
        return "没有"
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, Span):
        return value.chinese
    if isinstance(value, Mapping):
        return "{" + "，".join(f"{key}: {_words(one)}" for key, one in value.items() if key not in _OWN) + "}"
    if isinstance(value, list | tuple):
        return "、".join(_words(one) for one in value)
    return str(value)

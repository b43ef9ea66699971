"""How people say what a count of tasks or actions must be: `“协办”都已办完`, `办过“先行联系”`, not `不少于 1`."""

from collections.abc import Mapping
from typing import Any, Final

from wuye_loop.domain.phrases import phrase

#: family -> what is said of none, of at least one, and of a number; `{what}` is the title, `{n}` the number with its bounds.
_SAID: Final[Mapping[str, tuple[str, str, str]]] = {
    "open": ("{what}都已办完", "有{what}未办完", "未办完的{what}{n}件"),
    "tasks": ("没有开过{what}", "开过{what}", "{what}开过{n}件"),
    "done": ("没有办过{what}", "办过{what}", "{what}办过{n}次"),
    "cycle_done": ("本轮没有办过{what}", "本轮办过{what}", "{what}本轮办过{n}次"),
}


def counted(family: str, matcher: Any, title: str) -> str | None:
    """Return what must be so of a count in words; None where the family counts nothing, or the matcher is no plain one."""
    said = _SAID.get(family)
    if said is None:
        return None
    none, some, number = said
    if isinstance(matcher, Mapping) and set(matcher) == {"not"}:
        if matcher["not"] == 0 or matcher["not"] == {"max": 0}:
            return phrase(some, what=title)
        return phrase(none, what=title) if matcher["not"] == {"min": 1} else None
    if matcher in (0, {"max": 0}):
        return phrase(none, what=title)
    if matcher == {"min": 1}:
        return phrase(some, what=title)
    bounds = _bounds(matcher)
    return phrase(number, what=title, n=bounds) if bounds is not None else None


def _bounds(matcher: Any) -> str | None:
    if isinstance(matcher, int) and not isinstance(matcher, bool):
        return f" {matcher} "
    if not isinstance(matcher, Mapping) or not matcher or not set(matcher) <= {"min", "max"}:
        return None
    if "max" not in matcher:
        return phrase("不少于 {n} ", n=matcher["min"])
    if "min" in matcher:
        return phrase(" {min} 至 {max} ", min=matcher["min"], max=matcher["max"])
    return phrase("不多于 {n} ", n=matcher["max"])

"""How people say what a count of tasks or actions must be: `“协办”都已办完`, `办过“先行联系”`, not `不少于 1`."""

from collections.abc import Mapping
from typing import Any, Final

#: family -> what is said of none, of at least one, and of a number; `{}` is the title, `{n}` the number with its bounds.
_SAID: Final[Mapping[str, tuple[str, str, str]]] = {
    "open": ("{}都已办完", "有{}未办完", "未办完的{}{n}件"),
    "tasks": ("没有开过{}", "开过{}", "{}开过{n}件"),
    "done": ("没有办过{}", "办过{}", "{}办过{n}次"),
    "cycle_done": ("本轮没有办过{}", "本轮办过{}", "{}本轮办过{n}次"),
}


def counted(family: str, matcher: Any, title: str) -> str | None:
    """Return what must be so of a count in words; None where the family counts nothing, or the matcher is no plain one."""
    said = _SAID.get(family)
    if said is None:
        return None
    none, some, number = said
    if isinstance(matcher, Mapping) and set(matcher) == {"not"}:
        if matcher["not"] == 0 or matcher["not"] == {"max": 0}:
            return some.format(title)
        return none.format(title) if matcher["not"] == {"min": 1} else None
    if matcher in (0, {"max": 0}):
        return none.format(title)
    if matcher == {"min": 1}:
        return some.format(title)
    bounds = _bounds(matcher)
    return number.format(title, n=bounds) if bounds is not None else None


def _bounds(matcher: Any) -> str | None:
    if isinstance(matcher, int) and not isinstance(matcher, bool):
        return f" {matcher} "
    if not isinstance(matcher, Mapping) or not matcher or not set(matcher) <= {"min", "max"}:
        return None
    if "max" not in matcher:
        return f"不少于 {matcher['min']} "
    return f" {matcher['min']} 至 {matcher['max']} " if "min" in matcher else f"不多于 {matcher['max']} "

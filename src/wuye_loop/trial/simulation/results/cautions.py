"""What must be said beside the figures, so that nobody reads more into them than there is."""

from collections.abc import Iterator
from typing import Final

from wuye_loop.domain.language.workflow import ClockSpec, Limit, Workflow
from wuye_loop.domain.time.calendar import Starts
from wuye_loop.domain.time.spans import Span, TimeUnit
from wuye_loop.trial.simulation.inputs.mainline import states_of
from wuye_loop.trial.simulation.inputs.staff import Staff, Work, work_of
from wuye_loop.trial.simulation.minutes import DAY
from wuye_loop.trial.simulation.results.summary import Figure

_MONTH: Final = 28 * DAY
_AT_ONCE: Final = {TimeUnit.MINUTE: 1, TimeUnit.HOUR: 60, TimeUnit.WORKHOUR: 60}


def worse_elsewhere(before: Figure, after: Figure) -> list[str]:
    """Say where the on-time rate rises and another clock's falls: who is slow at the gate passes less on."""
    rise = points(before["on_time"], after["on_time"])
    if rise is None or rise <= 0:
        return []
    others = {clock["clock"]: clock["on_time"] for clock in after["clocks"]}
    fallen = []
    for clock in before["clocks"]:
        fall = points(clock["on_time"], others[clock["clock"]]) if clock["clock"] in others else None
        if fall is not None and fall < 0:
            fallen.append(f"{clock['title']}降了 {-fall:.1f} 个百分点")
    assessed = [clock["title"] for clock in before["clocks"] if clock["assessed"]]
    counted = f"只计{'、'.join(assessed)}" if assessed else "是全部时限合在一起"
    return (
        [f"按时率升了 {rise:.1f} 个百分点，它{counted}；同时{'、'.join(fallen)}，不能只看按时率就说好了"]
        if fallen
        else []
    )


def points(before: Figure, after: Figure) -> float | None:
    """Return by how many percentage points a rate differs, as both are shown; None where one of them is blank."""
    if before["rate"] is None or after["rate"] is None:
        return None
    return round(_shown(after["rate"]) - _shown(before["rate"]), 1)


def _shown(rate: float) -> float:
    return float(f"{rate:.1%}".removesuffix("%"))


def short_limits(workflow: Workflow, staff: Staff, figures: Figure, a_day: int) -> list[str]:
    """Say which limits are shorter than the time that was assumed for the action that ends them, and what changes it."""
    went = {clock["clock"] for clock in figures["clocks"] if clock["on_time"]["due"]}
    work = work_of(workflow, staff)
    return [
        words
        for name, clock in workflow.clocks.items()
        if name in went
        for action in _ending(workflow, clock)
        if action in work and (words := _too_short(workflow, staff, clock, action, work[action], a_day))
    ]


def _ending(workflow: Workflow, clock: ClockSpec) -> Iterator[str]:
    """Give the usual actions that lead out of the states in which a clock runs."""
    inside = {*clock.during, *clock.paused}
    found = (state.main for name, state in states_of(workflow).items() if name in clock.during)
    for action in dict.fromkeys(name for name in found if name is not None):
        targets = {way.to or workflow.actions[action].to for way in workflow.actions[action].ways}
        if targets - inside:
            yield action


def _too_short(workflow: Workflow, staff: Staff, clock: ClockSpec, action: str, work: Work, a_day: int) -> str | None:
    said = staff.work.get(action, Work())
    keys = [key for key in ("minutes", "wait") if getattr(said, key) is None]
    assumed = (work.minutes or 0) + (work.wait or 0) * a_day
    short = [
        limit
        for limit in clock.limit
        if limit.is_ is not None and _minutes(limit.is_, _starts(limit, clock), a_day) < assumed
    ]
    if not keys or not short:
        return None
    limits = "、".join(dict.fromkeys(limit.is_.chinese for limit in short if limit.is_ is not None))
    wait = f"、另等 {work.wait:g} 个工作日" if work.wait else ""
    change = "、".join(f"work.{action}.{key}" for key in keys)
    title = workflow.actions[action].title
    return f"“{clock.title}”（{limits}）比推定的用时短，大多会超期：“{title}”推定 {work.minutes:g} 分钟{wait}；实际多长，在 --staff 文件里写 {change}"


def _starts(limit: Limit, clock: ClockSpec) -> Starts:
    return limit.starts or clock.starts


def _minutes(span: Span, starts: Starts, a_day: int) -> float:
    """Return how many minutes a limit has at most: of the office where it counts those, else of the wall."""
    if span.unit in _AT_ONCE:
        return span.n * _AT_ONCE[span.unit]
    days = span.n + (starts is not Starts.AT_ONCE)  # the day on which it began is not counted
    return days * {TimeUnit.WORKDAY: a_day, TimeUnit.DAY: DAY}.get(span.unit, _MONTH)

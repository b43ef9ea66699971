"""Why a deadline is when it is: its limit, its start, the days passed over, what held or moved it, what fires when."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from sqlalchemy.orm import Session

from wuye_loop.domain.grievance.ledger import RUNG
from wuye_loop.domain.grievance.situation import World
from wuye_loop.domain.time import clock_moves
from wuye_loop.domain.time.calendar import Due, Starts
from wuye_loop.domain.time.clock_moves import ClockStatus, Rung
from wuye_loop.domain.time.spans import TimeUnit
from wuye_loop.domain.time.timestamps import as_text
from wuye_loop.domain.wording.definition import STARTS, Wording, offset
from wuye_loop.loop.engine import Loop
from wuye_loop.queries.explain.clock_moves import moves
from wuye_loop.queries.explain.days import said_day, said_days, weekday
from wuye_loop.queries.explain.history import MIGRATED, History
from wuye_loop.queries.explain.limits import won
from wuye_loop.queries.explain.telling import Telling
from wuye_loop.queries.rule_history import RuleHistory
from wuye_loop.store.calendar.names import DayName, names

_WEEKEND = 5
_STATUS = {ClockStatus.RUNNING: "正在走", ClockStatus.PAUSED: "暂停中", ClockStatus.ENDED: "已结束"}


def deadlines(
    loop: Loop, session: Session, world: World, past: History, rules_then: RuleHistory
) -> list[dict[str, Any]]:
    """Return for each clock that runs or is held, of the grievance and of its open tasks, why it is due when it is."""
    found = []
    alive = [clock for clock in past.now.clocks.values() if clock.status is not ClockStatus.ENDED]
    for clock in sorted(alive, key=lambda clock: (clock.task_id is not None, clock.due_at, clock.name)):
        task = past.now.tasks.get(clock.task_id) if clock.task_id else None
        if clock.task_id is not None and task is None:
            continue
        kind = task.kind if task else None
        spec = world.rules.workflow.flow(kind).clocks.get(clock.name)
        if spec is not None:
            found.append(_told(Telling(loop, session, world, past, rules_then, clock, spec, kind)))
    return found


def _told(tell: Telling) -> dict[str, Any]:
    clock, calendar = tell.clock, tell.calendar
    line = won(tell)
    due = clock_moves.due_of(clock.limit, clock.until, clock.starts, clock.started_at, clock.adjustments, calendar)
    days, called = _days(tell, due)
    kind = tell.world.rules.workflow.tasks.get(tell.kind or "")
    title = f"“{kind.title}”的{tell.spec.title}" if kind else tell.spec.title
    late = "，已经逾期" if clock.status is ClockStatus.RUNNING and clock_moves.is_overdue(clock, tell.world.now) else ""
    words = [
        f"{title}{_STATUS[clock.status]}，{tell.at(clock.due_at, due=True)} 到期{late}。",
        f"{'；'.join(line.words)}。",
        f"{tell.at(clock.started_at)} 开始，{_counting(tell)}。",
        *_passed(due, days, called),
        *moves(tell),
        *_sum(tell, due),
        *_rungs(tell),
    ]
    return {
        "clock": clock.name,
        "title": title,
        "task": str(clock.task_id) if clock.task_id else None,
        "status": clock.status.value,
        "limit": str(clock.limit) if clock.limit else None,
        "limit_index": line.index,
        "limit_place": line.place,
        "starts": clock.starts.value,
        "started_at": as_text(clock.started_at),
        "due_at": as_text(clock.due_at),
        "recomputed_due_at": as_text(due.at),
        "agrees": due.at == clock.due_at,
        "counted": [day.isoformat() for day in _counted(tell)] if _in_workdays(tell) else [],
        "line": line.words,
        "provisional": clock.provisional,
        "skipped": [
            {"date": day.isoformat(), "weekday": weekday(day), "name": called[day].name, "source": called[day].source}
            for day in due.skipped
        ],
        "made_up": [{"date": day.isoformat(), "weekday": weekday(day), "name": called[day].name} for day in days],
        "words": words,
    }


def _days(tell: Telling, due: Due) -> tuple[list[date], Mapping[date, DayName]]:
    """Return the make-up days that were counted, and what they and the days passed over are called."""
    clock, calendar = tell.clock, tell.calendar
    made_up: list[date] = []
    if due.skipped or (clock.limit is not None and clock.limit.working):
        first = calendar.local_date(clock.started_at)
        last = calendar.local_date(due.at - timedelta.resolution)
        every = (first + timedelta(days=n) for n in range((last - first).days + 1))
        made_up = [day for day in every if day.weekday() >= _WEEKEND and calendar.is_workday(day)]
    return made_up, names(tell.session, [*due.skipped, *made_up])


def _counting(tell: Telling) -> str:
    """Say by which rule the first day is found, and which day that is."""
    clock = tell.clock
    if clock.limit is None:
        return "走到约定的那一天下班"
    if clock.limit.unit in (TimeUnit.MINUTE, TimeUnit.HOUR):
        return "按钟表时间走，节假日也走"
    if clock.limit.unit is TimeUnit.WORKHOUR or clock.starts is Starts.AT_ONCE:
        return "立即起算，只在办公时间里走" if clock.limit.working else "立即起算，节假日也走"
    if clock.limit.unit is not TimeUnit.WORKDAY:
        return STARTS[clock.starts]
    counted = _counted(tell)
    first = f"，第 1 天是 {said_day(counted[0])}" if counted else ""
    last = f"，第 {len(counted)} 天是 {said_day(counted[-1])}" if len(counted) > 1 else ""
    return f"{STARTS[clock.starts]}{first}{last}下班"


def _in_workdays(tell: Telling) -> bool:
    limit = tell.clock.limit
    return limit is not None and limit.unit is TimeUnit.WORKDAY and tell.clock.starts is not Starts.AT_ONCE


def _counted(tell: Telling) -> list[date]:
    """Return the days that make up a limit in workdays, before anything held or moved it."""
    clock, calendar = tell.clock, tell.calendar
    if clock.limit is None:
        return []
    first, plain = calendar.local_date(clock.started_at), calendar.due(clock.started_at, clock.limit, clock.starts)
    last = calendar.local_date(plain.at - timedelta.resolution)
    every = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    return [day for day in every if calendar.is_workday(day)][-clock.limit.n :]


def _passed(due: Due, made_up: list[date], called: Mapping[date, DayName]) -> list[str]:
    words = []
    if due.skipped:
        words.append(f"跳过 {len(due.skipped)} 天：{said_days(due.skipped, called)}。")
    if made_up:
        said = "、".join(f"{said_day(day)}{called[day].name}调休上班" for day in made_up)
        words.append(f"计入调休：{said}。")
    sources = sorted({item.source for item in called.values() if item.source})
    if sources:
        words.append(f"放假依据：{'；'.join(sources)}。")
    return words


def _sum(tell: Telling, due: Due) -> list[str]:
    """Say whether the due instant follows from what was told."""
    words = []
    if due.at == tell.clock.due_at:
        words.append(f"照此重算，到期是 {tell.at(due.at, due=True)}，与存下的一致。")
    else:
        words.append(
            f"注意：照此重算，到期是 {tell.at(due.at, due=True)}，与存下的 {tell.at(tell.clock.due_at, due=True)} 不一致。"
        )
    if due.provisional or tell.clock.provisional:
        words.append("这是暂定的：涉及的年份还没有公布放假通知，通知装入后重算。")
    return words


# --- rungs ----------------------------------------------------------------------------------------------------------


def _rungs(tell: Telling) -> list[str]:
    """Say of each rung when it fired or will fire."""
    said = Wording(tell.world.rules.workflow)
    words = []
    for rung in tell.clock.rungs:
        if rung.index >= len(tell.spec.ladder):
            continue
        spec = tell.spec.ladder[rung.index]
        does = said.rung(spec, tell.kind)
        words.append(f"第 {rung.index + 1} 级，{offset(spec.at)}{does}：{_fires(tell, rung)}。")
    return words


def _fires(tell: Telling, rung: Rung) -> str:
    if rung.fired_at is not None:
        return f"已于 {tell.at(rung.fired_at)} 触发{_came_to(tell, rung)}"
    if rung.skipped:
        return "换版时已经过了，跳过" if _passed_over(tell, rung) else "开始时已经过了，跳过"
    if rung.at is None:
        return "时限停着，接着走时再定"
    if rung.at <= tell.world.now:  # no sweep has come by yet
        return f"应于 {tell.at(rung.at, due=True)} 触发，到点未触发"
    waiting = [
        item.at
        for item in tell.clock.rungs
        if item.at is not None and item.fired_at is None and item.at > tell.world.now
    ]
    following = "下一级，" if waiting and rung.at == min(waiting) else ""
    return f"{following}将于 {tell.at(rung.at, due=True)} 触发"


def _passed_over(tell: Telling, rung: Rung) -> bool:
    """Say whether it was a migration that passed a rung over."""
    moved = [row.facts for row in tell.past.rows if row.action == MIGRATED and tell.touched(row)]
    return bool(moved) and rung.index in moved[-1].get("skipped", {}).get(tell.clock.name, ())


def _came_to(tell: Telling, rung: Rung) -> str:
    """Say what a rung that has fired did not do, and why not; nothing where it did all of it."""
    action = f"{RUNG}{tell.clock.name}"
    mine = (row.facts for row in tell.past.rows if row.action == action and tell.touched(row))
    facts = next((one for one in mine if one.get("rung") == rung.index), {})
    if facts.get("passed"):
        return "，条件不成立，什么也没做"
    if facts.get("act") and not facts.get("applies"):
        return f"，要办的动作当时做不了：{facts['refused']}" if facts.get("refused") else "，要办的动作当时做不了"
    return ""

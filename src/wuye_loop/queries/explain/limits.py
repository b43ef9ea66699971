"""Which line of a clock's limit won: asked again of the facts as they were in the row that gave the clock its limit."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from sqlalchemy.orm import Session

from wuye_loop.domain.grievance.facts import facts_of
from wuye_loop.domain.grievance.situation import TaskState, World
from wuye_loop.domain.language.conditions import fact_info
from wuye_loop.domain.language.workflow import ClockSpec, Limit
from wuye_loop.domain.rulefile import extends
from wuye_loop.domain.rulefile.findings import written
from wuye_loop.domain.rules.rules import Rules
from wuye_loop.domain.step.clock_changes import moment_of
from wuye_loop.domain.time.clock_moves import Clock
from wuye_loop.domain.wording.definition import STARTS, Wording, quoted
from wuye_loop.queries.explain.history import MIGRATED, History, deed
from wuye_loop.queries.explain.telling import Telling
from wuye_loop.store.reads.grievances import LedgerRow
from wuye_loop.store.workflows import versions

#: Facts whose values may be told: what free text or outside systems wrote is not among them.
_TELLABLE: Final = frozenset(
    {"kind", "urgency", "category", "level", "channel", "state", "stage", "cycle", "document", "lead", "area"}
)


@dataclass(frozen=True, slots=True)
class Won:
    """The line that won, where it is written, and the words about it."""

    index: int | None
    limit: Limit | None
    place: str | None
    words: list[str]


def won(tell: Telling) -> Won:
    """Return which limit a clock runs under and why."""
    session, world, past, clock = tell.session, tell.world, tell.past, tell.clock
    found = past.limited(clock)
    if found is None:
        return Won(None, None, None, ["台账里找不到这个时限是哪一行起算的"])
    row, name = found
    lost = tell.rules_then.lost(row.seq)
    if lost is not None:
        return Won(None, None, None, [*_begun(tell, row), f"那时的规则 {lost} 已经删除，说不出适用哪一条"])
    then = past.at(row.seq)
    task = then.tasks.get(clock.task_id) if clock.task_id else None
    rules = tell.rules_then.of_row(row.seq)
    flow = rules.workflow.tasks.get(task.kind) if task else rules.workflow
    spec = flow.clocks.get(name) if flow else None
    if spec is None:
        return Won(None, None, None, [f"规则 {rules.id} 里没有时限 {name}"])
    world_then = replace(world, rules=rules, now=row.at, calendar=tell.rules_then.calendar(row.seq))
    facts = facts_of(world_then, then, task)
    index = _first(spec, facts)
    words = _begun(tell, row)
    if index is None:
        return Won(None, None, None, [*words, "按那时的事实重新推算，没有一条时限成立：与存下的不符"])
    limit, said = spec.limit[index], Wording(rules.workflow)
    path = ("tasks", task.kind) if task else ()
    place = _place(session, rules, (*path, "clocks", name, "limit", index))
    when = said.condition(limit.when)
    source = f"，出处：{limit.source}" if limit.source else ""
    where = f"（{place}）" if place else ""
    words.append(
        f"适用第 {index + 1} 条{where}：{when or '其他各条都不成立'}，{said.long(limit)}，"
        f"{STARTS[limit.starts or spec.starts]}{source}"
    )
    words += _doubts(spec, limit, clock, facts, said, world_then)
    fixed = "换版" if row.action == MIGRATED else "起算"
    words += _since(spec, index, facts, facts_of(world, past.now, _task_now(past, clock)), said, fixed)
    return Won(index, limit, place, words)


def _begun(tell: Telling, row: LedgerRow) -> list[str]:
    """Say which row started the clock, and which gave it another limit since: that one did not start it anew."""
    first, _ = tell.past.images(tell.clock)[0]
    words = [f"由台账第 {first.seq} 行{deed(first, tell.rules_then.of_row(first.seq))}起算"]
    if first.seq != row.seq:
        how = "换版" if row.action == MIGRATED else deed(row, tell.rules_then.of_row(row.seq))
        words.append(f"第 {row.seq} 行{how}时重定为{_limit_words(tell.clock)}")
    return words


def _limit_words(clock: Clock) -> str:
    return f" {clock.limit.chinese}" if clock.limit else "到约定的日期"


def _first(spec: ClockSpec, facts: Mapping[str, Any]) -> int | None:
    return next((place for place, limit in enumerate(spec.limit) if limit.when.holds(facts)), None)


def _task_now(past: History, clock: Clock) -> TaskState | None:
    return past.now.tasks.get(clock.task_id) if clock.task_id else None


def _doubts(
    spec: ClockSpec, limit: Limit, clock: Clock, facts: Mapping[str, Any], said: Wording, then: World
) -> list[str]:
    """Say where the line that wins by the facts of then is not what the clock has stored."""
    if limit.of is not None or (limit.until is not None and limit.is_ is not None):
        return []  # the order said it, and may have been mended since
    until = moment_of(then, facts.get(limit.until)) if limit.until is not None else None
    if (limit.is_, until, limit.starts or spec.starts) == (clock.limit, clock.until, clock.starts):
        return []
    stored = clock.limit.chinese if clock.limit else "到约定的日期"
    return [f"注意：按那时的事实应是{said.long(limit)}，与时限里存的（{stored}，{STARTS[clock.starts]}）不符"]


def _since(
    spec: ClockSpec, index: int, facts: Mapping[str, Any], now: Mapping[str, Any], said: Wording, fixed: str
) -> list[str]:
    """Say which of the facts that were asked have changed since; a clock's limit does not move with them."""
    asked = sorted({name for limit in spec.limit for name in limit.when.fact_names})
    changed = [name for name in asked if facts.get(name) != now.get(name)]
    if not changed:
        return []
    told = "、".join(_changed(name, facts.get(name), now.get(name)) for name in changed)
    today = _first(spec, now)
    if today is None or today == index:
        return [f"{fixed}以后{told}；适用的仍是这一条"]
    other = said.limit(spec.limit[today], spec.starts)
    return [f"{fixed}以后{told}；按现在的事实会是第 {today + 1} 条（{other}），但时限在{fixed}时定下，不随之改变"]


def _changed(name: str, before: Any, after: Any) -> str:
    info = fact_info(name)
    title = info.title if info else name
    if name not in _TELLABLE:
        return f"{title}有变化"
    return f"{title}由{_value(before)}改为{_value(after)}"


def _value(value: Any) -> str:
    return "空" if value is None else quoted(str(value))


def _place(session: Session, rules: Rules, path: tuple[str | int, ...]) -> str | None:
    """Return file and line of a part in the published text."""
    text = versions.published(session).get(rules.id)
    if text is None:
        return None
    doc = extends.read_whole(text, f"{rules.id}.yaml")
    file, mark = doc.place(written(doc.data, path))
    return f"{file} 第 {mark.line} 行"

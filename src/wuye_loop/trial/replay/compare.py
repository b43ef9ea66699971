"""What is different: one recorded grievance beside what it comes to under other rules, finding by finding."""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from wuye_loop.domain.grievance.ledger import RUNG
from wuye_loop.domain.time.timestamps import as_text
from wuye_loop.store.reads.recorded import Recorded, RecordedClock
from wuye_loop.trial.replay.pair import Pair
from wuye_loop.trial.replay.replay import ReplayedCase

if TYPE_CHECKING:
    from wuye_loop.domain.time.clock_moves import Clock

_TOLERANCE = timedelta(minutes=1)  # limits are stated in minutes at least; less is the sweep's lag


class Kind(StrEnum):
    """What may differ."""

    ROUTE = "route"
    DEADLINE = "deadline"
    ESCALATION = "escalation"
    REFUSED = "refused"
    STATE = "state"

    @property
    def chinese(self) -> str:
        """What people call it."""
        return {
            "route": "承办单位",
            "deadline": "时限",
            "escalation": "督办",
            "refused": "不允许的动作",
            "state": "最后状态",
        }[self.value]


class Finding(NamedTuple):
    """One difference of one grievance. `what` and `how` are what findings are counted by; `seconds` is how much later.

    `follows`: it only follows from an action that the other version refused, here or before.
    """

    kind: Kind
    what: str
    how: str
    unit: str | None
    was: str | None
    now: str | None
    follows: bool = False
    seconds: int | None = None


#: Where a clock is found again: kind of task and its place among these, name, cycle, run.
_Key = tuple[str | None, int, str, int, int]


def compare(recorded: Recorded, outcome: ReplayedCase, pair: Pair) -> list[Finding]:
    """Return every difference, refusals first."""
    refused = list(_refused(outcome, pair))
    follows = any(not one.follows for one in refused)
    lead = recorded.leads[-1] if recorded.leads else None
    return [
        *refused,
        *_routes(recorded, outcome, follows=follows),
        *_deadlines(recorded, outcome, pair, lead, follows=follows),
        *_escalations(recorded, outcome, pair, lead, follows=follows),
        *_states(recorded, outcome, pair, lead, follows=follows),
    ]


def _refused(outcome: ReplayedCase, pair: Pair) -> Iterator[Finding]:
    for one in outcome.refused:
        at = _shown(one.act.at)
        title = pair.titles(one.act.action, one.kind)
        unit = one.act.actor[1] or one.act.actor[0]
        yield Finding(Kind.REFUSED, title, one.why, unit, at, None, follows=one.follows)


def _routes(recorded: Recorded, outcome: ReplayedCase, *, follows: bool) -> Iterator[Finding]:
    """Compare who was in charge, in order; the first that differs tells."""
    was, now = list(recorded.leads), outcome.leads
    if was == now:
        return
    place = next(
        (n for n, pairs in enumerate(zip(was, now, strict=False)) if pairs[0] != pairs[1]), min(len(was), len(now))
    )
    before = was[place] if place < len(was) else None
    after = now[place] if place < len(now) else None
    how = "改派" if before and after else ("不再派出" if before else "多派一次")
    yield Finding(
        Kind.ROUTE, f"{before or '（无）'} → {after or '（无）'}", how, before or after, before, after, follows
    )


def _deadlines(
    recorded: Recorded, outcome: ReplayedCase, pair: Pair, lead: str | None, *, follows: bool
) -> Iterator[Finding]:
    was = _recorded_clocks(recorded, pair)
    differ: list[tuple[_Key, RecordedClock | None, Clock | None]] = []
    for clock in outcome.situation.clocks.values():
        kind, n = outcome.kinds[clock.task_id] if clock.task_id is not None else (None, 0)
        key = (kind, n, clock.name, clock.cycle, clock.run)
        one = was.pop(key, None)
        if one is None or (clock.due_at != one.due_at and abs(clock.due_at - one.due_at) >= _TOLERANCE):
            differ.append((key, one, clock))
    differ.extend((key, one, None) for key, one in was.items())
    for key, before, after in sorted(differ, key=lambda one: (one[0][0] or "", *one[0][1:])):
        name = f"{key[0]}/{key[2]}" if key[0] else key[2]
        if before is None and after is not None:
            yield Finding(Kind.DEADLINE, name, "新开", after.unit or lead, None, _shown(after.due_at), follows)
        elif after is None and before is not None:
            yield Finding(Kind.DEADLINE, name, "没有", before.unit or lead, _shown(before.due_at), None, follows)
        elif before is not None and after is not None:
            later = after.due_at - before.due_at
            how = "变长" if later > timedelta(0) else "变短"
            unit = before.unit or lead
            yield Finding(
                Kind.DEADLINE, name, how, unit, _shown(before.due_at), _shown(after.due_at), follows,
                round(later.total_seconds()),
            )  # fmt: skip


def _recorded_clocks(recorded: Recorded, pair: Pair) -> dict[_Key, RecordedClock]:
    places: dict[str | None, tuple[str | None, int]] = {None: (None, 0)}
    if recorded.tasks:
        seen: Counter[str] = Counter()
        for task in sorted(recorded.tasks.values(), key=lambda one: one.n):
            seen[task.kind] += 1
            places[task.id] = (task.kind, seen[task.kind])
    called = pair.mapping.names.clocks
    found: dict[_Key, RecordedClock] = {}
    for clock in recorded.clocks:
        kind, n = places[clock.task]
        found[kind, n, called.get(clock.name, clock.name), clock.cycle, clock.run] = clock
    return found


def _escalations(
    recorded: Recorded, outcome: ReplayedCase, pair: Pair, lead: str | None, *, follows: bool
) -> Iterator[Finding]:
    was: dict[int, int] = {}
    for act in recorded.rungs:
        if not act.facts.get("passed"):
            task = recorded.tasks.get(act.task) if act.task is not None else None
            place = (task.kind if task else None, act.action.removeprefix(RUNG), act.facts["rung"])
            group = pair.groups[0].get(place)
            if group is not None:
                was[group] = was.get(group, 0) + 1
    now = outcome.fired
    if was == now:
        return
    old, new = pair.group_names
    for group in dict.fromkeys((*was, *now)):
        name = new[group] if group in now else old[group]
        more = now.get(group, 0) - was.get(group, 0)
        for _ in range(abs(more)):
            how = "多出" if more > 0 else "不再"
            yield Finding(Kind.ESCALATION, f"{name.clock} {name.words}", how, lead, None, None, follows)


def _states(
    recorded: Recorded, outcome: ReplayedCase, pair: Pair, lead: str | None, *, follows: bool
) -> Iterator[Finding]:
    was, now = pair.mapping.state(recorded.state), outcome.situation.grievance.state
    if was != now:
        yield Finding(Kind.STATE, f"{was} → {now}", "不同", lead, was, now, follows)


def _shown(at: datetime) -> str:
    return f"{as_text(at)[:16]}Z"

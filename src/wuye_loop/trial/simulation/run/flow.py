"""A workflow made ready to be simulated: states, actions, clocks and rungs with everything looked up beforehand."""

from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final, Literal

from wuye_loop.domain.grievance.roles import SYSTEM_ROLE
from wuye_loop.domain.language.conditions import Condition
from wuye_loop.domain.language.workflow import ActionSpec, ClockSpec, EffectCall, RungSpec, Times, Workflow
from wuye_loop.domain.rules.flow import BACK
from wuye_loop.domain.rules.rules import conditions_in
from wuye_loop.domain.time.calendar import Starts
from wuye_loop.domain.time.spans import Span, TimeUnit
from wuye_loop.trial.simulation.chance import below, lengths, shared
from wuye_loop.trial.simulation.inputs.load import Shares
from wuye_loop.trial.simulation.inputs.mainline import states_of
from wuye_loop.trial.simulation.inputs.staff import Staff, Work, answers_of, work_of
from wuye_loop.trial.simulation.minutes import Deadlines, Later

Per = Literal["entry", "cycle", "once", "level", "assignment"]
#: Facts that change while a grievance is under way; by the first five a limit may still be looked up.
_KEYED: Final = ("cycle", "level", "lead", "state", "stage")
_UNKEYED: Final = ("hour", "workday", "age_workdays", "urged", "repeat", "followers", "lead_final")
_FAMILIES: Final = ("done.", "cycle_done.", "overdue.")
_TASKS: Final = ("open.", "tasks.")  # side flows are not simulated: none is ever open
#: Effects that move a grievance or change who has it; the others leave a run as it is.
_FELT: Final = frozenset({"route", "assign", "release", "new_cycle", "climb"})


@dataclass(slots=True)
class Rung:
    """One rung: how people call it, when it stands for a due minute, what it does to the grievance."""

    index: int
    label: str
    at: Later
    act: str | None
    when: Condition | None


@dataclass(frozen=True, slots=True)
class Unless:
    """What a condition does not hold of."""

    condition: Condition

    def holds(self, facts: Mapping[str, Any]) -> bool:
        """Say whether the condition does not hold."""
        return not self.condition.holds(facts)


@dataclass(slots=True)
class LimitLine:
    """One limit of a clock: for whom, and until when; `office` when standing still is counted in office time."""

    when: Condition | Unless | None
    due: Later | None
    office: bool
    worked: int  # office minutes that it lasts at least: who is quicker is on time without a look at the calendar


@dataclass(slots=True)
class ClockLine:
    """One clock of the main flow."""

    index: int
    name: str
    title: str
    per: Per
    during: frozenset[str]
    paused: frozenset[str]
    assessed: bool
    limits: Sequence[LimitLine]
    rungs: Sequence[Rung]
    simple: bool  # one state, nothing that goes on later or acts: counted when the state is left, and not before
    acting: Sequence[Rung]  # those that take an action
    early: bool  # a rung stands before the due minute
    least: int  # minutes that every limit lasts at least: who is quicker is on time without a look at the calendar
    keys: tuple[str, ...] | None  # facts beside the fixed ones that choose the limit; None: look anew each time
    known: dict[Any, LimitLine | None] = field(default_factory=dict)
    stood: dict[int, "Marks"] = field(default_factory=dict)

    def marks(self, due: int) -> "Marks":
        """Return where each rung stands for a due minute; many clocks are due at the same one."""
        found = self.stood.get(due)
        if found is None:
            every = [(rung.at(due), rung) for rung in self.rungs]
            first = min((at for at, _ in every), default=due)
            found = self.stood[due] = Marks(first, every, [(at, rung) for at, rung in every if rung.act is not None])
        return found


@dataclass(slots=True)
class Marks:
    """Where the rungs of a clock stand: the first minute, each with its own, and those that take an action."""

    first: int
    all: Sequence[tuple[int, Rung]]
    acting: Sequence[tuple[int, Rung]]


@dataclass(slots=True)
class Way:
    """One way an action may end."""

    when: Condition | None
    to: str | None
    effects: Sequence[str]
    then: Sequence[str]  # what the system takes next: said by the way, or by its effects
    follow: Sequence["ActionLine"] = ()  # the same, looked up
    target: "StateLine | None" = None  # the state of `to`, where it is always the same one


@dataclass(slots=True)
class ActionLine:
    """One action: who may take it, how long it takes, how its form is answered, how it ends."""

    name: str
    title: str
    froms: frozenset[str]
    system: bool  # the system may take it
    guard: Condition | None
    times: Times | None
    within: Later | None
    before_due: str | None
    ways: Sequence[Way]
    asked: Sequence[str]  # facts that decide how it ends, answers of its own form apart
    asks: bool
    counted: Sequence[str]  # facts that say how often it was taken, where anything asks for them
    straight: str | None  # where it leads, when nothing else follows from it
    answers: Sequence[tuple[str, Sequence[object]]]
    minutes: Sequence[int]
    by_category: Mapping[str, Sequence[int]]
    wait: Sequence[int] | None
    free: bool  # nothing but the state and the role can speak against it
    known: dict[tuple[object, ...], Way | None] = field(default_factory=dict)  # ways by the facts that were asked
    target: "StateLine | None" = None  # the state of `straight`
    keeps: bool = False  # done for another's sake, and leaves the grievance where it is
    taken: int = 0
    failed: int = 0  # times that the work was done, and nothing came of it
    barred: int = 0  # times that it was to be taken, and was not lawful


@dataclass(slots=True)
class StateLine:
    """One state of the main flow; `choices` are the actions of who works there, each with the lots up to it."""

    index: int
    name: str
    title: str
    stage: str
    final: bool
    holder: str | None
    worker: str | None
    own: bool  # who holds it here also works on it
    simple: Sequence[ClockLine]
    choices: Sequence[tuple[int, ActionLine]]
    plain: ActionLine | None  # the only choice of a unit, when nothing can speak against it or comes first
    spare: Sequence[ActionLine] = ()  # what else leads on, where none of the choices is lawful
    careful: bool = False  # something may have to be done before an action
    timed: bool = False  # what is not lawful now may be so later
    moves: dict[int, Any] = field(default_factory=dict)  # what a change of state does, by the next state
    quick: dict[Any, int] = field(default_factory=dict)  # who leaves it sooner (office minutes) is on time, by profile


@dataclass(slots=True)
class Flow:
    """The whole main flow."""

    workflow: Workflow
    states: Mapping[str, StateLine]
    actions: Mapping[str, ActionLine]
    clocks: Sequence[ClockLine]
    joins: Sequence[tuple[Condition, ActionLine]]
    staff: Staff


def flow_of(workflow: Workflow, staff: Staff, deadlines: Deadlines, a_day: int) -> Flow:
    """Return a workflow ready for one run; `a_day` is an office day in minutes."""
    work = work_of(workflow, staff)
    answers = answers_of(workflow, staff)
    counted = {fact.partition(".")[2] for condition in conditions_in(workflow) for fact in condition.fact_names}
    actions = {
        name: _action(name, spec, work.get(name), answers.get(name, {}), deadlines, a_day, counted=name in counted)
        for name, spec in workflow.actions.items()
    }
    joins = [(join.when, actions[join.act]) for join in workflow.joins]
    clocks = [
        _clock(n, name, spec, workflow, deadlines, a_day) for n, (name, spec) in enumerate(workflow.clocks.items())
    ]
    return Flow(workflow, _states(workflow, staff, actions, clocks), actions, clocks, joins, staff)


def _states(
    workflow: Workflow, staff: Staff, actions: Mapping[str, ActionLine], clocks: Sequence[ClockLine]
) -> dict[str, StateLine]:
    usual = states_of(workflow)
    found = {}
    for n, (name, spec) in enumerate(workflow.states.items()):
        line = usual.get(name)
        if line is not None:
            shares = _shares([(one, line.aside.get(one)) for one in line.actions], staff.shares)
        else:  # a grievance that is over comes back only where the staff file says so
            again = [one for one, action in workflow.actions.items() if name in action.from_ and staff.shares.get(one)]
            shares = {one: staff.shares[one] for one in again} if spec.final else {}
        spare = [one for one in line.aside if one not in shares and one not in staff.shares] if line else ()
        choices, total = [], 0.0
        for one, share in shares.items():
            total += share
            choices.append((below(total), actions[one]))
        only = choices[0][1] if len(choices) == 1 and line is not None and line.worker is not None else None
        found[name] = StateLine(
            n, name, spec.title, str(spec.stage or ""), spec.final, spec.holder, line.worker if line else None,
            line is not None and line.worker == spec.holder,
            [clock for clock in clocks if clock.simple and name in clock.during], choices, only if only is not None and only.free else None,
            [actions[one] for one in spare],
        )  # fmt: skip
    for action in actions.values():
        for way in action.ways:
            way.target = found.get(way.to or "")
            way.follow = tuple(actions[one] for one in way.then)
        action.target = found[action.straight] if action.straight is not None and not workflow.joins else None
    return found


def _shares(actions: Sequence[tuple[str, float | None]], said: Mapping[str, float]) -> dict[str, float]:
    """Return each action's share: what is said, what is usual, and all the rest for the first that nobody spoke of."""
    shares = {name: said.get(name, usual) for name, usual in actions}
    open_ = [name for name, share in shares.items() if share is None]
    given = {name: share for name, share in shares.items() if share is not None}
    rest = max(0.0, 1 - sum(given.values()))
    if open_:
        return {open_[0]: rest} | {name: share for name, share in given.items() if share}
    heirs = [name for name, _ in actions if name not in said]
    if heirs and rest:
        given[heirs[0]] = given.get(heirs[0], 0.0) + rest
    total = sum(given.values()) or 1.0
    return {name: share / total for name, share in given.items() if share}


def _action(
    name: str,
    spec: ActionSpec,
    work: Work | None,
    answers: Mapping[str, Shares],
    deadlines: Deadlines,
    a_day: int,
    *,
    counted: bool,
) -> ActionLine:
    ways = [
        Way(
            way.when if way.when.raw else None,
            way.to if way.to is not None else spec.to,
            tuple(call.name for call in (*spec.effect, *way.effect) if call.name in _FELT),
            (*(way.then or spec.then), *_acts(*spec.effect, *way.effect)),
        )
        for way in spec.ways
    ]
    work = work or Work(minutes=5, spread=0, wait=0)
    guard = spec.if_ if spec.if_.raw and not _settled(spec.if_) else None
    asks = any(way.when is not None for way in ways)
    asked = {fact for way in ways if way.when is not None for fact in way.when.fact_names}
    straight = None
    if not asks and not ways[0].effects and not ways[0].then and ways[0].to != BACK:
        straight = ways[0].to
    minutes, spread, wait = work.minutes or 0.0, work.spread or 0.0, work.wait or 0.0
    return ActionLine(
        name=name,
        title=spec.title,
        froms=frozenset(spec.from_),
        system=SYSTEM_ROLE in spec.by,
        guard=guard,
        times=spec.limit,
        within=deadlines.offset(spec.within) if spec.within is not None else None,
        before_due=spec.before_due,
        ways=ways,
        asked=sorted(fact for fact in asked if not fact.startswith("form.")),
        asks=asks,
        counted=(f"done.{name}", f"cycle_done.{name}") if counted or spec.limit is not None else (),
        straight=straight,
        answers=[(f"form.{field}", _answers(shares)) for field, shares in answers.items()],
        minutes=_lengths(minutes, spread),
        by_category={category: _lengths(mean, spread) for category, mean in work.categories.items()},
        wait=_lengths(wait * a_day, spread) if wait else None,
        free=guard is None and spec.limit is None and spec.within is None and spec.before_due is None,
    )


def _acts(*effects: EffectCall) -> list[str]:
    return [str(call.params.get("value")) for call in effects if call.name == "act"]


def _settled(guard: Condition) -> bool:
    """Say whether a guard asks about side flows alone, and holds while there are none."""
    return all(fact.startswith(_TASKS) for fact in guard.fact_names) and guard.holds({})


@lru_cache(maxsize=256)
def _lengths(mean: float, spread: float) -> "array[int]":
    return array("i", lengths(mean, spread))  # a list of so many numbers would not stay near the processor


def _answers(shares: Shares) -> list[object]:
    words: dict[str, object] = {"true": True, "false": False}
    return [words.get(answer, answer) for answer in shared(shares)]


def _clock(n: int, name: str, spec: ClockSpec, workflow: Workflow, deadlines: Deadlines, a_day: int) -> ClockLine:
    limits = [
        LimitLine(
            limit.when if limit.when.raw else None,
            None if limit.is_ is None else deadlines.limit(limit.is_, limit.starts or spec.starts),
            limit.is_ is not None and limit.is_.working,
            _worked(limit.is_, limit.starts or spec.starts, a_day),
        )
        for limit in spec.limit
    ]
    if spec.when.raw:  # what it is not meant for has no limit, and starts no clock
        limits.insert(0, LimitLine(Unless(spec.when), None, office=False, worked=0))
    conditions = [spec.when, *(limit.when for limit in spec.limit)]
    asked = {fact for when in conditions for fact in when.fact_names}
    unkeyed = asked & set(_UNKEYED) or any(fact.startswith(_FAMILIES) for fact in asked)
    rungs = [_rung(place, rung, workflow, deadlines) for place, rung in enumerate(spec.ladder)]
    early = any(rung.offset is not None and rung.offset.n < 0 for rung in spec.ladder)
    return ClockLine(
        index=n,
        name=name,
        title=spec.title,
        per=spec.per,
        during=frozenset(spec.during),
        paused=frozenset(spec.paused),
        assessed=spec.assessed,
        simple=spec.per == "entry" and len(spec.during) == 1 and not spec.paused and not any(r.act for r in rungs),
        limits=limits,
        rungs=rungs,
        acting=[rung for rung in rungs if rung.act is not None],
        early=early,
        least=0
        if early or spec.when.raw
        else min(_least(limit.is_, limit.starts or spec.starts, a_day) for limit in spec.limit),
        keys=None if unkeyed else tuple(fact for fact in _KEYED if fact in asked),
    )


def _least(span: Span | None, starts: Starts, a_day: int) -> int:
    at_once = {TimeUnit.MINUTE: 1, TimeUnit.HOUR: 60, TimeUnit.WORKHOUR: 60}
    if span is None:
        return 0
    if span.unit in at_once:
        return span.n * at_once[span.unit]
    return span.n * a_day if span.unit is TimeUnit.WORKDAY and starts is Starts.AT_ONCE else 0


def _worked(span: Span | None, starts: Starts, a_day: int) -> int:
    if span is None or not span.working:
        return 0
    if span.unit is TimeUnit.WORKHOUR:
        return span.n * 60
    return (span.n - (starts is Starts.SAME_DAY)) * a_day  # of the first day little may be left


def _rung(n: int, spec: RungSpec, workflow: Workflow, deadlines: Deadlines) -> Rung:
    does = [workflow.instruments[name].title if name in workflow.instruments else name for name in spec.do]
    if spec.act is not None:
        does.append(workflow.actions[spec.act].title)
    if spec.open is not None:
        does.append(spec.document or workflow.tasks[spec.open].title)
    label = f"{stands(spec.offset)} {'、'.join(does) or '提醒'}"
    when = spec.when if spec.when.raw else None
    return Rung(n, label, deadlines.offset(spec.offset), spec.act, when)


def stands(offset: Span | None) -> str:
    """Say where a rung stands: 到期, 到期前 1 个工作日, 超期 2 个工作日."""
    if offset is None:
        return "到期"
    return f"{'到期前' if offset.n < 0 else '超期'} {Span(abs(offset.n), offset.unit).chinese}"

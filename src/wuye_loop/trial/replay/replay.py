"""Takes one recorded grievance through other rules, in memory: people do what they did, the system what these say."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from wuye_loop.domain.directory.directory import Directory
from wuye_loop.domain.errors import BadInput, Forbidden, WuyeError
from wuye_loop.domain.grievance.ledger import OPEN, RUNG
from wuye_loop.domain.grievance.roles import HOLDER, OPENER, unit_of
from wuye_loop.domain.grievance.situation import EMPTY, SYSTEM_ACTOR, Actor, Brief, Command, Situation, World
from wuye_loop.domain.routing.chain import Choice
from wuye_loop.domain.routing.chain import choose as try_routers
from wuye_loop.domain.step import rungs
from wuye_loop.domain.step.correction import as_recorded
from wuye_loop.domain.step.records import EntryDraft
from wuye_loop.domain.step.routing import routing_case
from wuye_loop.domain.terms import ActorKind
from wuye_loop.domain.time.calendar import WorkCalendar
from wuye_loop.domain.time.clock_moves import Clock, Rung
from wuye_loop.domain.time.timestamps import as_text
from wuye_loop.store.reads.recorded import Act, Recorded
from wuye_loop.trial.replay.pair import FOLLOWERS, Known, Pair
from wuye_loop.trial.replay.record import OTHER, actor_of, arrived, choice_of, fires, no_loads, others_of, ran, why
from wuye_loop.trial.replay.steps import Again, Careful, Quick, Row, Rows

_LATEST = 1 << 62
_NEVER = _LATEST + 1
_DAY = timedelta(days=1)
_SYSTEM = ActorKind.SYSTEM.value


@dataclass(frozen=True, slots=True)
class Refused:
    """A recorded action that the other version does not allow, and why.

    `follows`: it only follows from an earlier refusal, or its task was never opened here.
    """

    act: Act
    kind: str | None
    why: str
    follows: bool


@dataclass(slots=True)
class ReplayedCase:
    """Where a grievance stands under the other version, and what happened on the way."""

    situation: Situation
    leads: list[str] = field(default_factory=list)
    fired: dict[int, int] = field(default_factory=dict)  # how often, by the number that the pair gives a rung
    refused: list[Refused] = field(default_factory=list)
    kinds: dict[UUID, tuple[str, int]] = field(default_factory=dict)  # of each task: its kind, its place among these


class Replay:
    """One grievance on its way. `until` is when the record ends: no rung fires after it."""

    def __init__(
        self,
        recorded: Recorded,
        pair: Pair,
        calendar: WorkCalendar,
        directory: Directory,
        until: datetime,
        way: type[Quick | Careful] = Careful,
    ) -> None:
        self.recorded = recorded
        self.pair = pair
        self.calendar = calendar
        self.directory = directory
        self.until = until
        self._ids = 0  # how many were given
        self._numbers = 0
        self._rules = pair.new
        self._situation = arrived(recorded, pair)
        self.outcome = ReplayedCase(self._situation)
        self._lead: str | None = None
        self._tasks: dict[str, UUID] = {}  # recorded id -> the id it has here
        self._kinds = self.outcome.kinds
        self._opened: dict[str, int] = {}
        self._made: dict[tuple[datetime, str], int] = {}  # what the system did by itself
        self._state = recorded.acts[0].to_state
        self._one_world = World(
            self._rules, recorded.acts[0].at, calendar, directory, self._new_id, self._choose, self._next_number,
            EMPTY, None, str, frozenset, correct=as_recorded,
        )  # fmt: skip
        self._steps = way(self._one_world, self._situation)
        self._fires = fires(recorded, pair)
        self._ran: dict[tuple[str | None, str, str], datetime] | None = None  # few ask
        self._routed: list[Act] | None = None  # few ask
        self._stuck: set[tuple[UUID, int]] = set()

    def run(self) -> ReplayedCase:
        """Play the record to its end and return what it came to."""
        acts = self.recorded.acts
        first = acts[0]
        self._take(self._steps.receive(self._world(first.at), actor_of(first, self.recorded)))
        before = first
        for act in acts[1:]:
            self._fire_until(act.at, act.seq)
            self._play(act, begins=act.at != before.at)
            if act.task is None and act.to_state is not None:
                self._state = act.to_state
            before = act
        self._fire_until(self.until, _LATEST)
        self.outcome.situation = self._situation
        # They know this replay, and this them: without that, memory comes back at once.
        del self._one_world, self._steps
        return self.outcome

    # --- people ---

    def _play(self, act: Act, *, begins: bool) -> None:
        known = self.pair.known(act.action, self._kind(act))
        if known.aside:
            if act.action in FOLLOWERS:
                self._situation.grievance.followers += FOLLOWERS[act.action]
            return
        if act.actor[0] == _SYSTEM:
            self._play_system(act, known, begins=begins)
            return
        try:
            self._take(self._decided(act, known, actor_of(act, self.recorded)))
        except Forbidden as error:
            self._in_the_name(act, known, error)
        except WuyeError as error:
            self._refuse(act, error)

    def _play_system(self, act: Act, known: Known, *, begins: bool) -> None:
        """Do what came from outside: a lead was closed, another system answered. What follows by itself has followed."""
        made = (act.at, act.action)
        if self._made.get(made):
            self._made[made] -= 1
            return
        state = self.pair.old.workflow.states.get(act.from_state or "")
        if known.opens or not (begins or (state is not None and state.parked)):
            return
        try:
            self._take(self._decided(act, known, SYSTEM_ACTOR))
        except WuyeError as error:
            self._refuse(act, error)
        else:
            self._made[made] = self._made.get(made, 0) - 1

    def _in_the_name(self, act: Act, known: Known, error: WuyeError) -> None:
        """Let the unit act that has the same role here: another one may be in charge now."""
        actor = actor_of(act, self.recorded)
        role = act.actor[2]
        task = self._situation.tasks.get(self._tasks[act.task]) if act.task in self._tasks else None
        spec = known.spec
        name = self.pair.mapping.role(role) if role else None
        if actor.kind is ActorKind.UNIT and spec is not None and name in spec.by:
            unit = unit_of(name, self._world(act.at), self._situation, task)
            if name not in (HOLDER, OPENER) and unit is None:
                unit = self._assistant(name)
            if unit is not None and unit != actor.unit:
                try:
                    self._take(self._decided(act, known, replace(actor, unit=unit)))
                except WuyeError as again:
                    error = again
                else:
                    return
        self._refuse(act, error)

    def _assistant(self, role: str) -> str | None:
        """Return a unit that holds a task which this role stands for."""
        spec = self._rules.workflow.roles.get(role)
        kind = spec.unit if spec is not None and spec.unit == "assist" else getattr(spec and spec.unit, "task", None)
        return next((task.holder_unit for task in self._situation.tasks.values() if task.kind == kind), None)

    def _decided(self, act: Act, known: Known, actor: Actor) -> Rows:
        world = self._world(act.at, act)
        if known.names_others:
            world.others = others_of(act)
        form = self._form(act, known) if actor is not SYSTEM_ACTOR else EMPTY
        if known.opens is not None:
            rows = self._steps.open(world, known.opens, actor, form)
            if act.task is not None and self._steps.opened is not None:
                self._tasks[act.task] = self._steps.opened
            return rows
        task_id = self._task(act, self._kind(act)) if act.task is not None else None
        return self._steps.act(world, Command(act.action, actor, form, task_id, known.checked))

    def _kind(self, act: Act) -> str | None:
        if act.task is None:
            return None
        found = self.recorded.tasks.get(act.task)
        return found.kind if found is not None else None

    def _task(self, act: Act, kind: str | None) -> UUID:
        """Return the task here that a recorded one is: opened by the same act, else the same one in its kind's order."""
        known = self._tasks.get(act.task or "")
        if known is None:
            taken = set(self._tasks.values())
            found = [task for task in self._situation.tasks.values() if task.kind == kind and task.id not in taken]
            holder = self.recorded.tasks[act.task or ""].holder
            same = next((task for task in found if task.holder_unit == holder), found[0] if found else None)
            if same is None:
                raise BadInput("没有开过这件任务，或它已结束")
            known = self._tasks[act.task or ""] = same.id
        if known not in self._situation.tasks:
            raise BadInput("这件任务已结束")
        return known

    def _form(self, act: Act, known: Known) -> Mapping[str, Any]:
        """Return what was filled in then, as far as the form is asked here."""
        if not act.facts:
            return EMPTY
        form = known.form(act.facts)
        if act.task is not None and "document" in form:
            form["document"] = self.recorded.tasks[act.task].document  # the row has the number in its place
        return form

    def _refuse(self, act: Act, error: WuyeError) -> None:
        kind = self._kind(act)
        self.outcome.refused.append(Refused(act, kind, why(error), follows=self._follows(act, kind)))

    def _follows(self, act: Act, kind: str | None) -> bool:
        """Say whether a refusal only follows from another: something was refused before, and it stands elsewhere since."""
        mapping = self.pair.mapping
        if act.task is not None and not act.action.startswith(OPEN):
            task = self._situation.tasks.get(self._tasks.get(act.task, OTHER))
            if task is None:
                return True
            elsewhere = task.state != mapping.task_state(kind or "", act.from_state or "")
        else:
            state = act.from_state if act.task is None else self._state
            elsewhere = self._situation.grievance.state != mapping.state(state or "")
        return elsewhere and bool(self.outcome.refused)

    # --- the system ---

    def _fire_until(self, at: datetime, seq: int) -> None:
        """Fire every rung that is due by then, in the order in which it would: as it was recorded, else when it is due."""
        while standing := rungs.standing(self._situation, at):
            due = self._due(standing, at, seq)
            if due is None:
                return
            now, clock, index = due
            rows = self._steps.fire(self._world(now), clock, index)
            if rows is None:
                self._stuck.add((clock.id, index))
            else:
                self._take(rows)

    def _due(
        self, standing: list[tuple[Clock, Rung, datetime]], at: datetime, seq: int
    ) -> tuple[datetime, Clock, int] | None:
        best: tuple[datetime, int, datetime, str, int] | None = None
        found: Clock | None = None
        for clock, rung, due in standing:
            fires, order = self._fires_at(clock, rung.index, due)
            if (fires, order) > (at, seq) or (clock.id, rung.index) in self._stuck:
                continue
            key = (fires, order, due, clock.name, rung.index)
            if best is None or key < best:
                best, found = key, clock
        return (best[0], found, best[4]) if best is not None and found is not None else None

    def _fires_at(self, clock: Clock, index: int, at: datetime) -> tuple[datetime, int]:
        """Return when a rung fires: when it was recorded to, where it was due then too; else as soon as it is due."""
        kind = self._kinds[clock.task_id][0] if clock.task_id is not None else None
        place, due = (kind, clock.name, index), as_text(clock.due_at)
        recorded = self._fires.get((place, due))
        if recorded is not None:
            return recorded
        if place in self.pair.kept:
            if self._ran is None:
                self._ran = ran(self.recorded, self.pair, self.until)
            if self._ran.get((kind, clock.name, due), at) > at:
                return self.until, _NEVER  # somebody was quicker than the sweep: what did not fire then does not now
        return at, 0

    def _take(self, rows: Rows) -> None:
        """Stand where the step leads; tasks that are over are left behind, as a reader of open ones does."""
        for row in rows:
            lead = row.lead_unit
            if lead != self._lead:
                self._lead = lead
                if lead is not None:
                    self.outcome.leads.append(lead)
            if row.actor["kind"] == _SYSTEM:
                if row.action.startswith(RUNG):
                    self._count(row)
                else:
                    made = (row.at, row.action)
                    self._made[made] = self._made.get(made, 0) + 1
        tasks = self._steps.situation.tasks
        if tasks:
            for task in tasks.values():
                if task.id not in self._kinds:
                    place = self._opened[task.kind] = self._opened.get(task.kind, 0) + 1
                    self._kinds[task.id] = (task.kind, place)
            self._steps.leave([key for key, task in tasks.items() if task.final])
        self._situation = self._steps.situation

    def _count(self, row: EntryDraft | Row) -> None:
        if not row.facts.get("passed"):
            kind = self._kinds[row.task_id][0] if row.task_id is not None else None
            group = self.pair.groups[1][kind, row.action.removeprefix(RUNG), row.facts["rung"]]
            self.outcome.fired[group] = self.outcome.fired.get(group, 0) + 1

    # --- what a decision may ask ---

    def _world(self, now: datetime, act: Act | None = None) -> World:
        world = self._one_world  # what was decided before is not asked again: only the present one is looked at
        world.now = now
        world.others = EMPTY
        if self._situation.grievance.merged_into is None:
            world.lead = None
        else:
            closed = self.recorded.lead_closed_at
            over = (closed is not None and closed <= now) or (act is not None and act.actor[0] == _SYSTEM)
            world.lead = Brief(OTHER, "", "", over, None)
        return world

    def _new_id(self) -> Any:
        """Call tasks and clocks by their number: only whether two are the same matters, and a number is found sooner."""
        self._ids += 1
        return self._ids

    def _next_number(self, _: str, __: int) -> int:
        self._numbers += 1
        return self._numbers

    def _choose(self, situation: Situation) -> Choice:
        """Decide as it was decided then, where the routers are the same; else ask these, that know no loads."""
        world = self._one_world
        now = world.now
        if self._routed is None:
            rows = self.recorded.acts[1:]
            self._routed = [
                act for act in rows if act.facts and ("routing" in act.facts or act.facts.get("routed") is False)
            ]
        while self.pair.same_routers and self._routed:
            act = self._routed.pop(0)
            if act.at < now - _DAY and self._routed:
                continue
            return choice_of(act)
        case = routing_case(world, situation)
        asked: dict[int, None] = {}
        while True:
            choice = try_routers(self._rules.workflow.routers, case, self.directory, no_loads, asked=asked)
            if choice.ask is None:
                return choice
            asked[choice.ask.index] = None


def played(
    recorded: Recorded, pair: Pair, calendar: WorkCalendar, directory: Directory, until: datetime
) -> ReplayedCase:
    """Play a record quickly; where something is refused on the way, play it again carefully."""
    try:
        return Replay(recorded, pair, calendar, directory, until, Quick).run()
    except Again:
        return Replay(recorded, pair, calendar, directory, until, Careful).run()

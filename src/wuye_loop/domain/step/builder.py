"""Builds one Step: holds the images being changed, keeps clocks in step with states, and drafts ledger rows."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from wuye_loop.domain.grievance.roles import task_holder, unit_of
from wuye_loop.domain.grievance.situation import Going, GrievanceState, Situation, TaskState, World, mutable, newest
from wuye_loop.domain.grievance.standing import FOLLOWED, because
from wuye_loop.domain.language.results import RESULT
from wuye_loop.domain.rules.clocks import CompiledClock
from wuye_loop.domain.step.clock_changes import applies, held, taken_up
from wuye_loop.domain.step.records import DocumentDraft, EntryDraft, NoticeDraft, PrecedentDraft, RatingDraft, Step
from wuye_loop.domain.time import clock_moves
from wuye_loop.domain.time.clock import ENDED, RUNNING, Clock


class Builder:
    """The step under construction: copy-on-write over the situation that was locked."""

    #: What few steps make: a new list where something is added.
    documents: Sequence[DocumentDraft] = ()
    ratings: Sequence[RatingDraft] = ()
    precedents: Sequence[PrecedentDraft] = ()
    joins: Sequence[tuple[UUID, int]] = ()
    asks: Sequence[dict[str, Any]] = ()
    opened: UUID | None = None
    tells = True  # whether anybody is told: who would be is not asked otherwise, but for a document

    def __init__(self, world: World, situation: Situation) -> None:
        self.world = world
        self.grievance: GrievanceState = situation.grievance.copy()
        self.tasks: dict[UUID, TaskState] = dict(situation.tasks)
        self.clocks: dict[UUID, Clock] = dict(situation.clocks)
        self._going: Going = dict(situation.going())
        #: The situation as it is by now.
        self.situation = Situation(self.grievance, self.tasks, self.clocks, self._going)
        self.drafts: list[EntryDraft] = []
        self.notices: list[NoticeDraft] = []
        self.then: list[str] = []
        self.then_on_tasks: list[tuple[UUID, str]] = []
        self.remarks: dict[str, Any] = {}  # what an effect wants kept in the ledger row's facts
        #: Why tasks followed the grievance when it was last asked, where it stood, and which tasks there were then.
        self.stood = because(world.rules, self.grievance), self.grievance.state, frozenset(self.tasks)
        #: What the main flow's clocks were last brought in step with: state, holder, cycle; None when one was touched.
        self._in_step: tuple[str, str | None, int] | None = (
            (self.grievance.state, self.grievance.holder_unit, self.grievance.cycle) if self.grievance.seq else None
        )

    def back_to(self, grievance: GrievanceState) -> None:
        """Let the grievance stand again as it did."""
        self.grievance = grievance
        self.situation = Situation(grievance, self.tasks, self.clocks, self._going)

    # --- the grievance and its tasks ---

    def set(self, **changes: Any) -> None:
        """Change fields of the grievance."""
        for name, value in changes.items():
            setattr(self.grievance, name, value)

    def set_task(self, task_id: UUID, **changes: Any) -> TaskState:
        """Change fields of a task."""
        task = self.tasks[task_id].copy()
        for name, value in changes.items():
            setattr(task, name, value)
        self.tasks[task_id] = task
        return task

    def count(self, name: str, task_id: UUID | None = None) -> None:
        """Count an action: in all, in this cycle, and at this level where a limit asks."""
        key = f"done.{name}"
        if task_id is not None:
            counts = self.tasks[task_id].counts
            self.set_task(task_id, counts={**counts, key: counts.get(key, 0) + 1})
            return
        self.grievance.counts = self.counted(self.grievance.counts, key)

    def counted(self, counts: Mapping[str, int], name: str) -> dict[str, int]:
        """Return the counts with one more of this name, in the cycle too, at the level or assignment where a limit asks."""
        found = dict(counts)
        for key in self.world.rules.counted_as[name]:
            found[key] = found.get(key, 0) + 1
        return found

    def did(self, role: str, unit: str | None) -> None:
        """Remember which unit acted in which role this cycle: separation of duties asks."""
        if unit is None or role not in self.world.rules.rivals:
            return
        have = self.grievance.did.get(role, [])
        if unit not in have:
            self.set(did={**self.grievance.did, role: [*have, unit]})

    def move(self, state: str) -> None:
        """Enter a state of the main flow: stage, holder, clocks."""
        place = self.world.rules.main.states[state]
        grievance, now = self.grievance, self.world.now
        if state != grievance.state:
            grievance.state = state
            grievance.state_since = now
        grievance.stage = place.stage or grievance.stage
        grievance.final = place.final
        grievance.closed_at = now if place.final else None
        if state in self.world.rules.ends_as:
            self.set(data={**grievance.data, RESULT: self.world.rules.ends_as[state]})
        self.hold()

    def place(self, state: str, task_id: UUID | None = None) -> None:
        """Say that the present state has this name now (a migration): nothing is entered, nothing restarts."""
        self._in_step = None  # under other rules other clocks may run in it
        if task_id is not None:
            self.set_task(task_id, state=state)
            return
        stage = self.world.rules.workflow.states[state].stage
        self.set(state=state, stage=stage or self.grievance.stage)

    def hold(self) -> None:
        """Resolve the holder of the present state again: the state or the lead has changed.

        Where the state wants a unit and none is assigned yet, whoever held the grievance goes on holding it.
        """
        rules, grievance = self.world.rules, self.grievance
        role = rules.main.states[grievance.state].holder
        unit = unit_of(role, self.world, self.situation) if role else None
        if unit is None and role is not None and rules.roles[role].held:
            unit = grievance.holder_unit
        grievance.holder_role, grievance.holder_unit = role, unit

    def move_task(self, task_id: UUID, state: str) -> None:
        """Enter a state of a task."""
        spec = self.world.rules.workflow.tasks[self.tasks[task_id].kind].states[state]
        self.set_task(
            task_id,
            state=state,
            final=spec.final,
            state_since=self.world.now,
            closed_at=self.world.now if spec.final else None,
        )
        self.sync_task(task_id)
        self.sync_paused(task_id)

    # --- clocks ---

    def sync_paused(self, task_id: UUID) -> None:
        """Hold the main flow's clocks that a task pauses while it is open, or let them go on when it is over."""
        if self.world.rules.workflow.tasks[self.tasks[task_id].kind].pauses and self.grievance.seq:
            self._in_step = None
            self.sync()

    def sync(self) -> None:
        """Bring the main flow's clocks in step with its state, and the due instant that sorts an inbox."""
        grievance = self.grievance
        now = (grievance.state, grievance.holder_unit, grievance.cycle)
        if now != self._in_step:
            self._sync(None, grievance.state, grievance.holder_unit)
            self.next_due()
            self._in_step = now

    def sync_task(self, task_id: UUID) -> None:
        """Bring a task's clocks in step with its state; they run against whoever holds that state."""
        task = self.tasks[task_id]
        self._sync(task, task.state, self.task_holder(task_id))
        if FOLLOWED in task.data and not task.final:
            self.rest_task(task_id)

    def task_holder(self, task_id: UUID) -> str | None:
        """Return the unit that a task lies with in the state that it is in."""
        return task_holder(self.world, self.situation, self.tasks[task_id])

    def rest_task(self, task_id: UUID) -> None:
        """Hold a task's running clocks while its grievance rests."""
        for clock in list(self._going.get(task_id, {}).values()):
            self.keep(clock_moves.pause(clock, self.world.now, self.world.calendar))

    def end_task_clocks(self, task_id: UUID) -> None:
        """End the clocks of a task that is withdrawn."""
        for clock in self._going.pop(task_id, {}).values():
            self.clocks[clock.id] = clock_moves.end(clock, self.world.now, self.world.calendar)

    def _sync(self, task: TaskState | None, state: str, unit: str | None) -> None:
        world = self.world
        machine = world.rules.machine(task.kind if task else None)
        task_id = task.id if task else None
        before = self._going.get(task_id, {})
        going: dict[str, Clock] = {}
        waiting = self._waiting() if task is None and world.rules.pausing else frozenset()
        for compiled in machine.during[state]:
            clock = before.get(compiled.name)
            if clock is None and not applies(world, compiled, self.situation, task):
                continue
            if compiled.name in waiting:
                going[compiled.name] = self._waits(compiled, clock, unit)
                continue
            if clock is None or clock.status is not RUNNING or (unit is not None and clock.unit != unit):
                latest = newest(self.clocks, compiled.name, task_id) if clock is None else clock
                clock = taken_up(world, compiled, latest, unit, self.situation, task)
                self.clocks[clock.id] = clock
            going[compiled.name] = clock
        for name, clock in before.items():
            if name not in going:
                stopped = held(world, machine.clocks[name], clock, state) if name in machine.clocks else clock
                if stopped is not clock:
                    self.clocks[stopped.id] = stopped
                if stopped.status is not ENDED:
                    going[name] = stopped
        self._going[task_id] = going

    def _waiting(self) -> frozenset[str]:
        """Return the main flow's clocks that stand still because of an open task."""
        kinds = {task.kind for task in self.tasks.values() if not task.final}
        return frozenset(name for kind in kinds for name in self.world.rules.workflow.tasks[kind].pauses)

    def _waits(self, compiled: CompiledClock, clock: Clock | None, unit: str | None) -> Clock:
        """Return a clock of the present state as it stands still: the one there is, or one that starts and waits."""
        if clock is None:
            clock = taken_up(self.world, compiled, newest(self.clocks, compiled.name, None), unit, self.situation, None)
        elif unit is not None and clock.unit != unit:
            clock = clock_moves.held_by(clock, unit)
        held_still = clock_moves.pause(clock, self.world.now, self.world.calendar)
        self.clocks[held_still.id] = held_still
        return held_still

    def keep(self, clock: Clock) -> None:
        """Replace a clock's image, or add one."""
        self.clocks[clock.id] = clock
        before = self._going.get(clock.task_id, {})
        going = {name: item for name, item in before.items() if item.id != clock.id}  # a migration may have renamed it
        if clock.status is not ENDED:
            going[clock.name] = clock
        self._going[clock.task_id] = going

    def put_clock(self, clock: Clock) -> None:
        """Replace a clock's image, and what follows from it."""
        self.keep(clock)
        if clock.task_id is None:
            self.next_due()
            self._in_step = None

    def end_clocks(self) -> None:
        """End the main flow's clocks: a new cycle starts its own."""
        self._in_step = None
        for clock in self._going.pop(None, {}).values():
            self.clocks[clock.id] = clock_moves.end(clock, self.world.now, self.world.calendar)

    def end_per(self, what: str) -> None:
        """End for good what belongs to a level, or to an assignment: its clocks, its counts; the next has its own."""
        self._in_step = None
        rules = self.world.rules
        for name in rules.clocks_per.get(what, ()):
            latest = newest(self.clocks, name, None)
            if latest is not None and latest.cycle == self.grievance.cycle:
                self.keep(clock_moves.end(latest, self.world.now, self.world.calendar))
                self.set(counts={**self.grievance.counts, f"cycle_over.{name}": latest.run})
        if what in rules.counts_per:
            counts = self.grievance.counts
            self.set(counts={name: n for name, n in counts.items() if not name.startswith(f"{what}_")})

    def next_due(self) -> None:
        """Store which running clock of the main flow is due first."""
        going = self._going.get(None, {})
        running = [(clock.due_at, name) for name, clock in going.items() if clock.status is RUNNING]
        self.grievance.due_at, self.grievance.due_clock = min(running) if running else (None, None)

    # --- notices ---

    def notify(self, instrument: str, units: Iterable[str], title: str | None = None) -> None:
        """Address an instrument's notice to units; `title` where the file names no such instrument."""
        spec = self.world.rules.workflow.instruments.get(instrument)
        urgent = spec.urgent if spec else False
        now = self.world.now
        self.notices.append(
            NoticeDraft(
                instrument,
                spec.title if spec else title or instrument,
                tuple(units),
                urgent,
                now if urgent else self._awake(now),
                self.grievance.seq + 1,
            )
        )

    def _awake(self, now: datetime) -> datetime:
        """Return when a notice that is not urgent may go out: after the quiet hours, else in office hours."""
        quiet = self.world.rules.quiet
        return quiet.over(now, self.world.calendar) if quiet.ranges else self.world.calendar.next_open(now)

    # --- the ledger ---

    def close_entry(
        self,
        action: str,
        *,
        actor: Mapping[str, Any],
        facts: Mapping[str, Any],
        audience: str,
        task_id: UUID | None = None,
        from_state: str | None = None,
        to_state: str | None = None,
    ) -> None:
        """Write one ledger row over everything that changed since the row before; posting.py finds what that is."""
        grievance = self.grievance
        grievance.seq += 1
        facts = self.remarked(facts)
        self.drafts.append(
            EntryDraft(
                grievance.seq, self.world.now, action, task_id, actor, from_state, to_state, facts, audience,
                mutable(grievance), tuple(self.tasks.values()), tuple(self.clocks.values()),
            )
        )  # fmt: skip

    def remarked(self, facts: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return what a row says, with what effects remarked since the row before."""
        if not self.remarks:
            return facts
        remarks, self.remarks = self.remarks, {}
        return {**facts, **remarks}

    def step(self) -> Step:
        """Return what was decided."""
        return Step(
            self.world, self.situation, self.drafts, self.notices, self.documents, self.ratings, self.precedents,
            self.joins, self.asks, self.opened,
        )  # fmt: skip

"""Moves a running grievance to another version of its rules: same history, same elapsed time, one ledger row."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from wuye_loop.domain.errors import IllegalAction
from wuye_loop.domain.grievance.situation import SYSTEM_ACTOR, Situation, TaskState, World, newest
from wuye_loop.domain.language.workflow import ClockSpec, Flow, RungSpec
from wuye_loop.domain.step.builder import Builder
from wuye_loop.domain.step.clock_changes import resolve_limit
from wuye_loop.domain.step.migration.mapping import (
    MissingTarget,
    NotMigratable,
    VersionMapping,
    flow_of,
    missing_roles,
    missing_targets,
)
from wuye_loop.domain.step.migration.remedies import NO_START, due_moved
from wuye_loop.domain.step.records import Step
from wuye_loop.domain.terms import Audience
from wuye_loop.domain.time import clock_moves
from wuye_loop.domain.time.clock_moves import AdjustKind, Adjustment, Clock, ClockStatus, Rung

ACTION = "migrate"
_OVER = "cycle_over."
_NONE: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Carried:
    """One open clock as it was taken over; `skipped` and `lost` are rungs, by their index in the new, the old ladder.

    `overdue` says that it is late now and was not before.
    """

    was: str
    name: str
    task: str | None
    started_at: datetime
    was_due_at: datetime
    due_at: datetime
    skipped: tuple[int, ...] = ()
    lost: tuple[int, ...] = ()
    overdue: bool = False


@dataclass(frozen=True, slots=True)
class Moved:
    """What became of one grievance: from which state to which, its open clocks, and what somebody should look at."""

    number: str
    from_state: str
    to_state: str
    clocks: tuple[Carried, ...]
    warnings: tuple[str, ...]


def migrated(world: World, situation: Situation, mapping: VersionMapping) -> tuple[Step, Moved]:
    """Decide the step that takes a grievance over; `world` has the new version's rules and calendar.

    A clock keeps its start, its adjustments and its stored limit, unless the mapping asks for new limits. Rungs are
    laid from the new ladder; what fired stays fired, and what would lie in the past is passed over, never fired.
    Raises NotMigratable.
    """
    missing = [*missing_targets(world, situation, mapping), *missing_roles(situation, mapping)]
    if missing:
        raise NotMigratable(missing)
    return _Crossing(world, situation, mapping).made()


class _Crossing:
    """One grievance on its way."""

    def __init__(self, world: World, situation: Situation, mapping: VersionMapping) -> None:
        self.builder = Builder(world, situation)
        self.before = situation
        self.mapping = mapping
        self.carried: dict[UUID, Carried] = {}
        self.warnings: list[str] = []

    def made(self) -> tuple[Step, Moved]:
        self._rename()
        runs = _runs(self.before, self.mapping)
        for clock in self.before.clocks.values():
            self._carry(clock, runs[clock.id])
        self._sync()
        self._compare()
        grievance, was = self.builder.grievance, self.before.grievance
        moved = Moved(
            was.number, was.state, grievance.state, tuple(self.carried.values()), tuple(self.warnings)
        )  # fmt: skip
        self.builder.close_entry(
            ACTION,
            actor=SYSTEM_ACTOR.as_json(),
            facts=self._facts(moved),
            audience=Audience.UNITS.value,
            from_state=was.state,
            to_state=grievance.state,
        )
        return self.builder.step(), moved

    # --- names ---

    def _rename(self) -> None:
        builder, mapping = self.builder, self.mapping
        grievance = builder.grievance
        state = mapping.state(grievance.state)
        data = dict(grievance.data)
        if data.get("back"):
            data["back"] = {**data["back"], "state": mapping.state(str(data["back"]["state"]))}
        did: dict[str, list[str]] = {}
        for role, units in grievance.did.items():
            have = did.setdefault(mapping.role(role), [])
            have.extend(unit for unit in units if unit not in have)
        builder.place(state)
        builder.set(workflow=mapping.new.id, data=data, did=did)
        for task in self.before.tasks.values():
            named = mapping.task_state(task.kind, task.state)
            if not task.final and named != task.state:
                builder.place(named, task.id)
            opener = mapping.role(task.opener_role) if task.opener_role else None
            if opener != task.opener_role:
                builder.set_task(task.id, opener_role=opener)

    # --- clocks ---

    def _carry(self, clock: Clock, run: int) -> None:
        """Bring one clock over: its name, its place in the new ladder, and where it is asked for, its new limit."""
        task = self.builder.tasks.get(clock.task_id) if clock.task_id else None
        flow = flow_of(self.mapping.new, task) if clock.task_id is None or task else None
        old = flow_of(self.mapping.old, task)
        name = self.mapping.clock(clock.name)
        if flow is None or old is None or name not in flow.clocks:
            return  # over, and of the past: the new version never asks for it
        over = f"{_OVER}{clock.name}"
        counts = self.builder.grievance.counts
        if clock.task_id is None and counts.get(over) == clock.run and (name, run) != (clock.name, clock.run):
            kept = {key: value for key, value in counts.items() if key != over}
            self.builder.set(counts={**kept, f"{_OVER}{name}": run})
        named = clock if (name, run) == (clock.name, clock.run) else replace(clock, name=name, run=run)
        changed, skipped, lost = named, _NONE, _NONE
        if clock.status is not ClockStatus.ENDED or self._may_go_on(clock, flow.clocks[name]):
            changed, skipped, lost = self._laid(self._limited(named, task), clock.name, old, flow)
        if changed != clock:
            self.builder.keep(changed)
        if clock.status is not ClockStatus.ENDED:
            self.carried[clock.id] = Carried(
                clock.name, name, task.kind if task else None, clock.started_at, clock.due_at, changed.due_at,
                skipped, lost,
                clock.status is ClockStatus.RUNNING and changed.due_at < self.builder.world.now <= clock.due_at,
            )  # fmt: skip

    def _may_go_on(self, clock: Clock, spec: ClockSpec) -> bool:
        """Say whether an ended clock may be taken up again; every other one stays on record as it was."""
        return spec.per != "entry" and clock is newest(self.before.clocks, clock.name, clock.task_id)

    def _limited(self, clock: Clock, task: TaskState | None) -> Clock:
        """Read the limit anew where it is asked for; it counts from the same start, so the time gone by counts."""
        if not self.mapping.new_limits or clock.status is ClockStatus.ENDED:
            return clock
        world = self.builder.world
        compiled = world.rules.machine(task.kind if task else None).clocks[clock.name]
        try:
            found = resolve_limit(world, compiled, self.builder.situation, task)
        except IllegalAction as error:
            self.warnings.append(f"{compiled.spec.title}：{error.detail}，沿用原来的时限")
            return clock
        return replace(clock, limit=found.span, until=found.until, starts=found.starts)

    def _laid(self, clock: Clock, was: str, old: Flow, flow: Flow) -> tuple[Clock, tuple[int, ...], tuple[int, ...]]:
        """Lay the new ladder under a clock; return it with the rungs passed over and those that fired and have no match."""
        world = self.builder.world
        ladder = flow.clocks[clock.name].ladder
        before = old.clocks[was].ladder
        plans = tuple(clock_moves.RungPlan(index, spec.offset) for index, spec in enumerate(ladder))
        match = _matched(clock, before, ladder)
        rungs = tuple(
            replace(match[index], index=index)
            if index in match and match[index].fired_at
            else Rung(index, None, None, skipped=False)
            for index in range(len(ladder))
        )
        kept = {rung.index for rung in match.values()}
        lost = tuple(rung.index for rung in clock.rungs if rung.fired_at and rung.index not in kept)
        clock = clock_moves.recompute(replace(clock, plans=plans, rungs=rungs), world.calendar)
        since = _stood_since(clock) or world.now
        running = clock_moves.recompute(replace(clock, status=ClockStatus.RUNNING), world.calendar)
        past = tuple(
            rung.index
            for rung in running.rungs
            if rung.at is not None and rung.fired_at is None and rung.at < since
            and not _waits(match.get(rung.index), world.now)
        )  # fmt: skip
        if past:
            passed = tuple(replace(rung, at=None, skipped=True) if rung.index in past else rung for rung in clock.rungs)
            history = clock.adjustments
            if clock.status is ClockStatus.RUNNING:
                history = (*history, Adjustment(AdjustKind.CARRY, world.now))
            clock = replace(clock, rungs=passed, adjustments=history)
        return clock, past, lost

    def _sync(self) -> None:
        """Let holders and clocks follow from the new states: a clock may start, pause or end here."""
        builder = self.builder
        try:
            for task in list(builder.tasks.values()):
                if not task.final:
                    builder.sync_task(task.id)
            builder.hold()
            builder.sync()
        except IllegalAction as error:
            raise NotMigratable(
                [
                    MissingTarget(
                        NO_START, builder.grievance.state, f"新版在这个状态要起算的时限，不能开始计时：{error.detail}"
                    )
                ]
            ) from None

    # --- what a person should look at ---

    def _compare(self) -> None:
        for key, after in self.builder.clocks.items():
            title = self._title(after)
            before = self.before.clocks.get(key)
            if before is None:
                self.warnings.append(f"{title}：新版在这个状态计时，从现在开始")
            elif before.status is not after.status:
                said = {ClockStatus.ENDED: "停止", ClockStatus.PAUSED: "暂停", ClockStatus.RUNNING: "继续"}
                self.warnings.append(f"{title}：新版在这个状态{said[after.status]}计时")
        for key, item in self.carried.items():
            title = self._title(self.builder.clocks[key])
            if item.due_at != item.was_due_at:
                zone = self.builder.world.calendar.zone
                moved = due_moved(item.was_due_at, item.due_at, self.builder.world.now, zone)
                self.warnings.append(f"{title}：{moved}")
            if item.skipped:
                self.warnings.append(f"{title}：第 {_listed(item.skipped)} 级的时刻已过，不再补发")
            if item.lost:
                self.warnings.append(f"{title}：原第 {_listed(item.lost)} 级已触发，新版没有对应的一级")
        if self.builder.grievance.holder_unit != self.before.grievance.holder_unit:
            name_of = self.builder.world.directory.name_of
            self.warnings.append(
                f"承办方由 {name_of(self.before.grievance.holder_unit) or '（无）'}"
                f" 变为 {name_of(self.builder.grievance.holder_unit) or '（无）'}"
            )

    def _title(self, clock: Clock) -> str:
        task = self.builder.tasks.get(clock.task_id) if clock.task_id else None
        flow = flow_of(self.mapping.new, task)
        spec = flow.clocks.get(clock.name) if flow else None
        return spec.title if spec else clock.name

    def _facts(self, moved: Moved) -> dict[str, Any]:
        renamed = {item.was: item.name for item in moved.clocks if item.was != item.name}
        tasks = {
            f"{task.kind}/{task.state}": self.builder.tasks[key].state
            for key, task in self.before.tasks.items()
            if self.builder.tasks[key].state != task.state
        }
        facts: dict[str, Any] = {"from": self.mapping.old.id, "to": self.mapping.new.id}
        facts |= {"limits": "new" if self.mapping.new_limits else "stored"}
        named: dict[str, dict[str, str]] = {
            "states": {moved.from_state: moved.to_state} if moved.from_state != moved.to_state else {},
            "tasks": tasks,
            "clocks": renamed,
        }
        facts["names"] = {key: value for key, value in named.items() if value}
        facts["skipped"] = {item.name: list(item.skipped) for item in moved.clocks if item.skipped}
        return {key: value for key, value in facts.items() if value}


def _runs(situation: Situation, mapping: VersionMapping) -> dict[UUID, int]:
    """Return each clock's run under its new name: two names that become one must not be one instance."""
    highest: dict[tuple[UUID | None, str, int], int] = {}
    runs: dict[UUID, int] = {}
    ordered = sorted(
        situation.clocks.values(),
        key=lambda item: (mapping.clock(item.name) != item.name, item.status is not ClockStatus.ENDED, item.run),
    )
    for clock in ordered:
        place = (clock.task_id, mapping.clock(clock.name), clock.cycle)
        run = clock.run if clock.name == place[1] else max(clock.run, highest.get(place, 0) + 1)
        runs[clock.id] = run
        highest[place] = max(highest.get(place, 0), run)
    return runs


def _does(spec: RungSpec) -> tuple[object, ...]:
    """Return what makes two rungs the same: where they stand and what they do; to whom may differ."""
    return str(spec.at), spec.do, spec.act, spec.open, spec.document


def _matched(clock: Clock, old: tuple[RungSpec, ...], new: tuple[RungSpec, ...]) -> dict[int, Rung]:
    """Return by index in the new ladder the rung of the old one that stands there and does the same."""
    found: dict[int, Rung] = {}
    left = {rung.index: rung for rung in clock.rungs if rung.index < len(old)}
    for index, spec in enumerate(new):
        same = next((place for place in left if _does(old[place]) == _does(spec)), None)
        if same is not None:
            found[index] = left.pop(same)
    return found


def _waits(rung: Rung | None, now: datetime) -> bool:
    """Say whether a rung was due already before the move and only waits for the sweep: it must not be lost."""
    return rung is not None and rung.fired_at is None and rung.at is not None and rung.at <= now


def _stood_since(clock: Clock) -> datetime | None:
    """Return since when a clock stands still; None while it runs."""
    if clock.status is ClockStatus.RUNNING:
        return None
    if clock.status is ClockStatus.ENDED:
        return clock.ended_at
    return max(item.at for item in clock.adjustments if item.kind is AdjustKind.PAUSE)


def _listed(indexes: tuple[int, ...]) -> str:
    return "、".join(str(index + 1) for index in indexes)

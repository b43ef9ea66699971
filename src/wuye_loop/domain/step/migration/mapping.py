"""The way from one version of the rules to another: what becomes of each name, and what has no place to go."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from wuye_loop.domain.grievance.roles import HOLDER, OPENER, SYSTEM_ROLE, unit_of
from wuye_loop.domain.grievance.situation import Situation, TaskState, World
from wuye_loop.domain.language.workflow import DutyUnit, Flow, Migration, Role
from wuye_loop.domain.rules.rules import Rules
from wuye_loop.domain.time.clock_moves import ClockStatus


@dataclass(frozen=True, order=True)
class MissingTarget:
    """Something of the old version that has no place in the new one: what kind of thing, its name, why, in words."""

    what: str
    name: str
    why: str

    @property
    def words(self) -> str:
        """It as a person reads it."""
        return f"{self.what} {self.name}：{self.why}"


class NotMigratable(Exception):
    """A grievance that cannot go over; `gaps` says why, each of them once."""

    def __init__(self, missing: list[MissingTarget]) -> None:
        super().__init__("；".join(target.words for target in missing))
        self.missing = missing


@dataclass(frozen=True)
class VersionMapping:
    """From which rules to which; `new_limits` asks that limits be read anew, from the same start."""

    old: Rules
    new: Rules
    new_limits: bool = False

    @cached_property
    def names(self) -> Migration:
        """What the new version says of the old one's names; nothing said: every name keeps itself."""
        return self.new.workflow.migrates.get(self.old.id) or Migration()

    def state(self, name: str) -> str:
        """Return what a state of the main flow is called in the new version."""
        return self.names.states.get(name, name)

    def task_state(self, kind: str, name: str) -> str:
        """Return what a state of a task is called in the new version."""
        return self.names.tasks.get(kind, {}).get(name, name)

    def clock(self, name: str) -> str:
        """Return what a clock is called in the new version."""
        return self.names.clocks.get(name, name)

    def role(self, name: str) -> str:
        """Return what a role is called in the new version."""
        return self.names.roles.get(name, name)


def missing_targets(world: World, situation: Situation, mapping: VersionMapping) -> list[MissingTarget]:
    """Return everything of a running grievance and its open tasks that has no place to go; `world` has the new rules."""
    return list(dict.fromkeys(_missing(world, situation, mapping)))


def _missing(world: World, situation: Situation, mapping: VersionMapping) -> Iterator[MissingTarget]:
    grievance, workflow = situation.grievance, mapping.new.workflow
    yield from _missing_state(workflow, mapping.state(grievance.state), grievance.state, "状态")
    back = grievance.data.get("back")
    if back:
        yield from _missing_state(workflow, mapping.state(str(back["state"])), str(back["state"]), "并案前的状态")
    if grievance.level not in {level.value for level in workflow.levels}:
        yield MissingTarget("层级", grievance.level, "新版没有这一级")
    for task in situation.tasks.values():
        kind = workflow.tasks.get(task.kind)
        if kind is None:
            yield MissingTarget("任务", task.kind, "新版没有这种任务")
        elif not task.final:
            state = mapping.task_state(task.kind, task.state)
            yield from _missing_state(kind, state, f"{task.kind}/{task.state}", "任务状态")
    yield from _missing_clocks(situation, mapping)
    yield from _missing_holder(world, situation, mapping.state(grievance.state))


def _missing_state(flow: Flow, state: str, name: str, what: str) -> Iterator[MissingTarget]:
    spec = flow.states.get(state)
    if spec is None:
        same = state == name.rpartition("/")[2]
        yield MissingTarget(
            what, name, "新版没有这个状态，也没有写它到哪里去" if same else f"写明的去处 {state}，新版没有"
        )
    elif spec.final:
        yield MissingTarget(what, name, f"去处 {state} 是办结状态；迁移不能替人办结")


def _missing_clocks(situation: Situation, mapping: VersionMapping) -> Iterator[MissingTarget]:
    taken: dict[tuple[object, str], str] = {}
    for clock in situation.clocks.values():
        if clock.status is ClockStatus.ENDED:
            continue
        task = situation.tasks.get(clock.task_id) if clock.task_id else None
        flow = flow_of(mapping.new, task)
        if flow is None:
            continue  # its task has no place itself
        name = mapping.clock(clock.name)
        if name not in flow.clocks:
            where = f"{task.kind}/{clock.name}" if task else clock.name
            yield MissingTarget("时限", where, "正在计时，新版没有这个时限")
        other = taken.setdefault((clock.task_id, name), clock.name)
        if other != clock.name:
            yield MissingTarget("时限", "、".join(sorted((other, clock.name))), f"都在计时，不能并成一个 {name}")


def flow_of(rules: Rules, task: TaskState | None) -> Flow | None:
    """Return the flow that a clock of the grievance, or of a task, belongs to; None for an unknown kind of task."""
    return rules.workflow if task is None else rules.workflow.tasks.get(task.kind)


def _missing_holder(world: World, situation: Situation, state: str) -> Iterator[MissingTarget]:
    spec = world.rules.workflow.states.get(state)
    name = spec.holder if spec else None
    role = world.rules.workflow.roles.get(name) if name else None
    if name is None or role is None or role.unit is None:
        return
    unit = unit_of(name, world, situation)
    if _fixed(role):
        lost = world.directory.unit(unit) is None
    else:  # whoever holds it goes on holding it until a unit is assigned
        lost = unit is None and situation.grievance.holder_unit is None
    if lost:
        yield MissingTarget("角色", name, "在这件诉求上找不到单位")


def _fixed(role: Role) -> bool:
    return isinstance(role.unit, DutyUnit) or (isinstance(role.unit, str) and role.unit not in ("lead", "assist"))


# Roles that a running grievance remembers by name: who acted in which, and who opened what; none may vanish on the way.

ACTED = "办过的角色"
OPENED = "发起任务的角色"
_SPECIAL = frozenset({HOLDER, OPENER, SYSTEM_ROLE})
_GONE = "新版没有这个角色，也没有写它改称什么"


def missing_roles(situation: Situation, mapping: VersionMapping) -> list[MissingTarget]:
    """Return the roles that separation of duties remembers, or that opened what is still open, and that lead nowhere."""
    return list(dict.fromkeys(_missing_roles(situation, mapping)))


def _missing_roles(situation: Situation, mapping: VersionMapping) -> Iterator[MissingTarget]:
    for role, units in situation.grievance.did.items():
        if units and not _known(role, mapping):
            yield MissingTarget(ACTED, role, f"有单位以它办过，职责分离要记得；{_GONE}")
    for task in situation.tasks.values():
        if not task.final and task.opener_role and not _known(task.opener_role, mapping):
            yield MissingTarget(OPENED, f"{task.kind}/{task.opener_role}", f"它发起的任务还没有办完；{_GONE}")


def _known(role: str, mapping: VersionMapping) -> bool:
    return role in _SPECIAL or mapping.role(role) in mapping.new.workflow.roles

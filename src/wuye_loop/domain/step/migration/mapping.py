"""The way from one version of the rules to another: what becomes of each name, and what has no place to go."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from wuye_loop.domain.grievance.roles import HOLDER, OPENER, SYSTEM, unit_of
from wuye_loop.domain.grievance.situation import Situation, TaskState, World
from wuye_loop.domain.language.workflow import DutyUnit, Flow, Migration, Role
from wuye_loop.domain.rules.rules import Rules
from wuye_loop.domain.time.clock_moves import ClockStatus


@dataclass(frozen=True, order=True)
class Gap:
    """Something of the old version that has no place in the new one: what kind of thing, its name, why, in words."""

    what: str
    name: str
    why: str

    @property
    def words(self) -> str:
        """The gap as a person reads it."""
        return f"{self.what} {self.name}：{self.why}"


class NoPlace(Exception):
    """A grievance that cannot go over; `gaps` says why, each of them once."""

    def __init__(self, gaps: list[Gap]) -> None:
        super().__init__("；".join(gap.words for gap in gaps))
        self.gaps = gaps


@dataclass(frozen=True)
class Passage:
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


def gaps(world: World, situation: Situation, passage: Passage) -> list[Gap]:
    """Return everything of a running grievance and its open tasks that has no place to go; `world` has the new rules."""
    return list(dict.fromkeys(_gaps(world, situation, passage)))


def _gaps(world: World, situation: Situation, passage: Passage) -> Iterator[Gap]:
    grievance, workflow = situation.grievance, passage.new.workflow
    yield from _state_gaps(workflow, passage.state(grievance.state), grievance.state, "状态")
    back = grievance.data.get("back")
    if back:
        yield from _state_gaps(workflow, passage.state(str(back["state"])), str(back["state"]), "并案前的状态")
    if grievance.level not in {level.value for level in workflow.levels}:
        yield Gap("层级", grievance.level, "新版没有这一级")
    for task in situation.tasks.values():
        kind = workflow.tasks.get(task.kind)
        if kind is None:
            yield Gap("任务", task.kind, "新版没有这种任务")
        elif not task.final:
            state = passage.task_state(task.kind, task.state)
            yield from _state_gaps(kind, state, f"{task.kind}/{task.state}", "任务状态")
    yield from _clock_gaps(situation, passage)
    yield from _holder_gaps(world, situation, passage.state(grievance.state))


def _state_gaps(flow: Flow, state: str, name: str, what: str) -> Iterator[Gap]:
    spec = flow.states.get(state)
    if spec is None:
        same = state == name.rpartition("/")[2]
        yield Gap(what, name, "新版没有这个状态，也没有写它到哪里去" if same else f"写明的去处 {state}，新版没有")
    elif spec.final:
        yield Gap(what, name, f"去处 {state} 是办结状态；迁移不能替人办结")


def _clock_gaps(situation: Situation, passage: Passage) -> Iterator[Gap]:
    taken: dict[tuple[object, str], str] = {}
    for clock in situation.clocks.values():
        if clock.status is ClockStatus.ENDED:
            continue
        task = situation.tasks.get(clock.task_id) if clock.task_id else None
        flow = flow_of(passage.new, task)
        if flow is None:
            continue  # its task has no place itself
        name = passage.clock(clock.name)
        if name not in flow.clocks:
            where = f"{task.kind}/{clock.name}" if task else clock.name
            yield Gap("时限", where, "正在计时，新版没有这个时限")
        other = taken.setdefault((clock.task_id, name), clock.name)
        if other != clock.name:
            yield Gap("时限", "、".join(sorted((other, clock.name))), f"都在计时，不能并成一个 {name}")


def flow_of(rules: Rules, task: TaskState | None) -> Flow | None:
    """Return the flow that a clock of the grievance, or of a task, belongs to; None for an unknown kind of task."""
    return rules.workflow if task is None else rules.workflow.tasks.get(task.kind)


def _holder_gaps(world: World, situation: Situation, state: str) -> Iterator[Gap]:
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
        yield Gap("角色", name, "在这件诉求上找不到单位")


def _fixed(role: Role) -> bool:
    return isinstance(role.unit, DutyUnit) or (isinstance(role.unit, str) and role.unit not in ("lead", "assist"))


# Roles that a running grievance remembers by name: who acted in which, and who opened what; none may vanish on the way.

ACTED = "办过的角色"
OPENED = "发起任务的角色"
_SPECIAL = frozenset({HOLDER, OPENER, SYSTEM})
_GONE = "新版没有这个角色，也没有写它改称什么"


def role_gaps(situation: Situation, passage: Passage) -> list[Gap]:
    """Return the roles that separation of duties remembers, or that opened what is still open, and that lead nowhere."""
    return list(dict.fromkeys(_role_gaps(situation, passage)))


def _role_gaps(situation: Situation, passage: Passage) -> Iterator[Gap]:
    for role, units in situation.grievance.did.items():
        if units and not _known(role, passage):
            yield Gap(ACTED, role, f"有单位以它办过，职责分离要记得；{_GONE}")
    for task in situation.tasks.values():
        if not task.final and task.opener_role and not _known(task.opener_role, passage):
            yield Gap(OPENED, f"{task.kind}/{task.opener_role}", f"它发起的任务还没有办完；{_GONE}")


def _known(role: str, passage: Passage) -> bool:
    return role in _SPECIAL or passage.role(role) in passage.new.workflow.roles

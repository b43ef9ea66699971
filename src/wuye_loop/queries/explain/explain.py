"""Why a grievance is where it is: who holds it, how it came to its unit, why it is due when it is, what is blocked."""

from typing import Any

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from wuye_loop.domain.errors import BadInput, NotFound, RecordDamaged, WuyeError
from wuye_loop.domain.grievance.roles import unit_of
from wuye_loop.domain.grievance.situation import SYSTEM_ACTOR, Actor, World
from wuye_loop.domain.language.results import RESULT
from wuye_loop.domain.language.workflow import DutyUnit, EstateUnit, Role
from wuye_loop.domain.terms import ActorKind, Stage
from wuye_loop.domain.time.clock_moves import ClockStatus, is_overdue
from wuye_loop.domain.time.timestamps import as_text
from wuye_loop.domain.wording.definition import LEVELS, Wording, quoted
from wuye_loop.loop import engine, under_lock
from wuye_loop.loop.engine import Loop
from wuye_loop.queries.explain.actions import actions
from wuye_loop.queries.explain.clocks import deadlines
from wuye_loop.queries.explain.days import said_at
from wuye_loop.queries.explain.history import History, history
from wuye_loop.queries.explain.routing import hands
from wuye_loop.queries.rule_history import RuleHistory
from wuye_loop.store.grievance import related

SUPERVISOR = "supervisor"


def explain(loop: Loop, session: Session, number: str, viewer: str | None = None) -> dict[str, Any]:
    """Return all that explains how a grievance stands, as facts and as sentences (`words`), never its complainant.

    `viewer` is a unit's code or `supervisor`: then of the actions only what blocks that one. For who runs the house: no
    jurisdiction narrows it. Raises NotFound, BadInput for a viewer that nobody knows, RecordDamaged.
    """
    try:
        return _explained(loop, session, number.strip().upper(), viewer)
    except (SQLAlchemyError, WuyeError):
        raise
    except Exception as error:
        raise RecordDamaged(
            "这件诉求的台账或时限在数据库里的记录损坏，说不清来历；请运行 verify，从备份恢复"
        ) from error


def _explained(loop: Loop, session: Session, number: str, viewer: str | None) -> dict[str, Any]:
    locked = under_lock.read(loop.keyring, session, number, SYSTEM_ACTOR)
    if locked is None:
        raise NotFound(f"没有编号为 {number} 的诉求")
    lead = related.lead_of(session, locked.situation.grievance)
    world = engine.world_of(loop, session, locked, lead=lead)
    past = history(session, locked.situation)
    rules_then = RuleHistory(loop, session, locked.situation.grievance.id, world.rules)
    actor = _viewer(world, locked.situation.grievance.area_path, viewer)
    return {
        "number": number,
        "workflow": locked.situation.grievance.workflow,
        "as": viewer,
        "as_title": _viewer_title(world, viewer) if viewer else None,
        "now": as_text(world.now),
        "standing": _standing(world, past),
        "unit": hands(world, past, rules_then),
        "deadlines": deadlines(loop, session, world, past, rules_then),
        "ended": _ended(world, past),
        "actions": actions(world, locked.situation, actor),
    }


def _viewer(world: World, area_path: str, viewer: str | None) -> Actor | None:
    if viewer is None:
        return None
    if viewer == SUPERVISOR:
        return Actor(ActorKind.SUPERVISOR, area_path=area_path)
    if world.directory.unit(viewer) is None:
        raise BadInput(f"没有单位 {viewer[:40]}，或它已停用；--as 写单位编码或 supervisor")
    return Actor(ActorKind.UNIT, unit=viewer)


def _viewer_title(world: World, viewer: str) -> str:
    """Return what people call a viewer: the unit's name, or the title of the role that supervisors play."""
    if viewer != SUPERVISOR:
        return str(world.directory.name_of(viewer))
    roles = world.rules.workflow.roles.values()
    return next((role.title for role in roles if role.is_ == SUPERVISOR), "督办人员")


def _standing(world: World, past: History) -> dict[str, Any]:
    """Say where the grievance stands, since when, and who holds it because of which role."""
    grievance, workflow = past.now.grievance, world.rules.workflow
    state = workflow.states[grievance.state]
    place = f"{Stage(grievance.stage).chinese}·{state.title}"
    facts = "，".join(
        filter(None, [grievance.kind, grievance.urgency, grievance.category and f"类别 {grievance.category}"])
    )
    since = said_at(grievance.state_since, world.calendar)
    under = f"按 {grievance.workflow} 办理（{facts}），第 {grievance.cycle} 轮"
    words = [f"{under}，现在是{quoted(place)}，自 {since} 起。"]
    if grievance.final:
        words.append("已经办结，没有人持有。")
        words += _result(world, past)
    else:
        words.append(_holding(world, past))
        words += _not_meant(world, past)
    if grievance.merged_into is not None and world.lead is not None:
        words.append(f"已并入 {world.lead.number}，随它办理。")
    return {
        "state": grievance.state,
        "state_title": state.title,
        "stage": grievance.stage,
        "since": as_text(grievance.state_since),
        "holder_unit": grievance.holder_unit,
        "holder_role": grievance.holder_role,
        "words": words,
    }


def _result(world: World, past: History) -> list[str]:
    """Say what the grievance ended with, and how long the file has that kept."""
    name = past.now.grievance.data.get(RESULT)
    spec = world.rules.workflow.results.get(str(name))
    kept = f"，{spec.chinese}" if spec is not None else ""
    return [f"办理结果是{quoted(str(name))}{kept}。"] if name else []


def _not_meant(world: World, past: History) -> list[str]:
    """Say which clocks of the present state do not run because they are not meant for such a grievance."""
    grievance, wording = past.now.grievance, Wording(world.rules.workflow)
    return [
        f"{clock.spec.title}没有起算：它只管{wording.condition(clock.when)}的诉求。"
        for clock in world.rules.main.during[grievance.state]
        if clock.when is not None and past.now.open_clock(clock.name, None) is None
    ]


def _holding(world: World, past: History) -> str:
    grievance, workflow = past.now.grievance, world.rules.workflow
    name = grievance.holder_role
    role = workflow.roles.get(name) if name else None
    holder = world.directory.name_of(grievance.holder_unit)
    if role is None or name is None:
        return f"由{holder}持有。" if holder else "没有单位持有。"
    if holder is None:
        return f"这个状态由{quoted(role.title)}持有；它不是单位，不进收件箱。"
    if unit_of(name, world, past.now) != grievance.holder_unit:
        return f"由{holder}持有：这个状态归{quoted(role.title)}，现在还没有这样的单位，原来的持有单位继续持有。"
    return f"由{holder}持有：这个状态归{quoted(role.title)}，{_because(world, role, grievance.area_path, grievance.level)}。"


def _because(world: World, role: Role, area_path: str, level: str) -> str:
    where = role.unit
    if where == "lead":
        return "它是主办单位"
    if isinstance(where, DutyUnit):
        at = level if where.level == "current" else where.level.value
        area = world.directory.area_at(area_path, at)
        level = next((title for item, title in LEVELS.items() if item.value == at), at)
        return f"它是属地{level}（{area.name if area else '未知'}）职责为 {where.duty} 的单位"
    if isinstance(where, EstateUnit):
        return "它是小区的物业企业"
    return f"规则里写明是{Wording(world.rules.workflow).unit(role)}"


def _ended(world: World, past: History) -> list[dict[str, Any]]:
    """Return the clocks of the grievance itself that are over in this cycle, each in time or late."""
    found = []
    for clock in sorted(past.now.clocks.values(), key=lambda clock: (clock.started_at, clock.name)):
        spec = world.rules.workflow.clocks.get(clock.name)
        if clock.task_id or spec is None or clock.status is not ClockStatus.ENDED or clock.ended_at is None:
            continue
        if clock.cycle != past.now.grievance.cycle:
            continue
        late = is_overdue(clock, clock.ended_at)
        said = f"{spec.title}已于 {said_at(clock.ended_at, world.calendar)} 结束，应在"
        words = [f"{said} {said_at(clock.due_at, world.calendar, due=True)} 之前，{'超期' if late else '按时'}。"]
        found.append({"clock": clock.name, "title": spec.title, "late": late, "words": words})
    return found

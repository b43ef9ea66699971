"""What is said of a clock that was taken over, and what to do where something has no place to go."""

from datetime import datetime, tzinfo

from wuye_loop.domain.language.workflow import DutyUnit, EstateUnit, Flow, TaskUnit
from wuye_loop.domain.step.migration.mapping import ACTED, OPENED, MissingTarget, VersionMapping
from wuye_loop.domain.time.timestamps import wall
from wuye_loop.domain.wording.definition import LEVELS, Wording

NO_START = "起算"


def shown(at: datetime, zone: tzinfo) -> str:
    """Return `2026-03-09 17:30` as the office's wall shows a deadline."""
    return " ".join(map(str, wall(at, zone)))


def due_moved(before: datetime, after: datetime, now: datetime, zone: tzinfo) -> str:
    """Say from when to when a deadline moved, and whether that makes it late."""
    late = {(False, True): "，因此已经逾期", (True, True): "，仍然逾期", (True, False): "，不再逾期"}.get(
        (before < now, after < now), ""
    )
    return f"到期由 {shown(before, zone)} 改为 {shown(after, zone)}{late}"


def title_of(target: MissingTarget, way: VersionMapping) -> str:
    """Return what people call the thing that is missing; the empty text where no definition knows it."""
    kind, _, name = target.name.rpartition("/")
    old, new = way.old.workflow, way.new.workflow
    flow: Flow = old.tasks.get(kind, old)
    if target.what == "角色":
        return new.roles[name].title
    if target.what == "层级":
        return next((words for level, words in LEVELS.items() if level.value == name), "")
    if target.what == "任务":
        return old.tasks[name].title if name in old.tasks else ""
    if target.what in (ACTED, OPENED):
        found = old.roles.get(name)
        return found.title if found else ""
    if target.what == "时限":
        return "、".join(flow.clocks[each].title for each in name.split("、") if each in flow.clocks)
    return flow.states[name].title if name in flow.states else ""


def remedy(target: MissingTarget, way: VersionMapping) -> str:
    """Return what helps: a line of `migrates`, the definition itself, the directory, or the grievance."""
    new = way.new.id
    if target.what == "角色":
        return _unit_remedy(target.name, way)
    if target.what == "层级":
        return f"migrates 不改层级：在 {new} 的 levels 里留着这一级，另发一版"
    if target.what == "任务":
        return f"migrates 不改任务的种类：在 {new} 里留着这种任务，另发一版"
    if target.what == NO_START:
        return f"先在 {way.old.id} 里把它要的事项办好（如约定日期），再迁"
    if target.what in (ACTED, OPENED):
        where, becomes = "roles", "改称什么"
    else:
        where, becomes = {"时限": "clocks", "任务状态": "tasks"}.get(target.what, "states"), "到哪里去"
    return f"在 {new} 的 migrates: {way.old.id} 的 {where} 里写明它{becomes}，或在新版里留着它，换一个版本号另发一版"


def _unit_remedy(name: str, way: VersionMapping) -> str:
    """Say how a role that stands for nobody comes to stand for a unit: `migrates` cannot give it one."""
    role = way.new.workflow.roles[name]
    where = role.unit
    if where in ("lead", "assist") or isinstance(where, TaskUnit):
        return f"先在 {way.old.id} 里转办，定出承办单位，再迁"
    if isinstance(where, DutyUnit):
        lacks = f"单位目录里没有{Wording(way.new.workflow).unit(role)}"
    elif isinstance(where, EstateUnit):
        lacks = "单位目录里的小区没有写物业企业，或诉求不在小区里"
    else:
        lacks = f"单位目录里没有单位 {where}，或它已停用"
    return f"{lacks}：补进目录（wuye-loop directory load），或在新版里把这个角色指给已有的单位，另发一版"

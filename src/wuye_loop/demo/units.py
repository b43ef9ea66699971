"""The units' part: sign, do, forget; ask for help, for more time, or not to be asked; answer supervision orders."""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

from wuye_loop.demo.doors import together
from wuye_loop.demo.scene import Case, Character, Scene

_SENT_BACK, _HELPED, _CONTACTED, _EXTENDED, _SUSPENDED, _DECLINED = 0.06, 0.07, 0.12, 0.4, 0.12, 0.04
_DAYS_AT_MOST, _BEFORE_IT_IS_LATE = 4, 3  # working days: what takes longer is foreseen, and asked for, so early
_LONG_MATTERS = ("维修资金", "房屋质量", "房产证照", "公共收益")
# How many working days each character takes, at least and at most.
_SIGNING = {Character.PUNCTUAL: (0, 0), Character.SLOW: (0, 1), Character.FORGETFUL: (1, 3)}
_WORKING = {Character.PUNCTUAL: (1, 3), Character.SLOW: (2, 5), Character.FORGETFUL: (3, 8)}
# Some fall behind the desk: how often, and for how many working days.
_LOST = {Character.PUNCTUAL: 0.04, Character.SLOW: 0.12, Character.FORGETFUL: 0.3}
_FOUND_AGAIN = (7, 14)
_HARD_WORK = 9
_ANSWERING = {Character.PUNCTUAL: (0, 1), Character.SLOW: (1, 2), Character.FORGETFUL: (1, 4)}
_RESULTS = {"解决": 0.7, "部分解决": 0.93, "未解决": 1.0}  # up to which share of all
_REPLIES = (
    "经现场核实，您反映的情况属实。已责成物业企业整改完毕，并安排专人复查，感谢您的监督。",
    "工作人员已到现场查看并与您联系，相关问题已处理，后续将加强日常巡查。",
    "已约谈物业项目负责人，要求公示相关情况并限期整改，目前已整改到位。",
    "经与业主、物业三方协商，已达成一致意见并签字确认，后续由街道跟踪落实。",
)  # fmt: skip
_MEASURES = "已成立专班，明确责任人和完成时间，每天报送进度，三日内办结。"


async def work(scene: Scene, codes: Iterable[str], *, critical: bool = False) -> None:
    """Let units open their inboxes and do what each does today; helpers first, for the lead waits for them."""
    chosen = list(codes)
    boxes = await together(scene.doors.all(code, "/v1/inbox") for code in chosen)
    items = [
        (code, scene.cases[item["number"]], item)
        for code, box in zip(chosen, boxes, strict=True)
        for item in box
        if not critical or scene.cases[item["number"]].critical
    ]
    await together(_help(scene, unit, case, item) for unit, case, item in items if item["kind"] == "assist")
    await together(
        _answer(scene, unit, case, item) for unit, case, item in items if item["kind"] == "supervision_order"
    )
    await together(_lead(scene, unit, case, item["state"]) for unit, case, item in items if item["type"] == "grievance")


def _days(scene: Scene, case: Case, unit: str, table: Mapping[Character, tuple[int, int]], what: str) -> int:
    """Return how many working days this unit takes for it."""
    if scene.hurry or case.critical:
        return 0
    character = scene.character(unit)
    low, high = table[character]
    if table is _WORKING and case.cycle == 1:
        if scene.hard(case):
            return _HARD_WORK
        if scene.chance.happens(_LOST[character], "lost", case.key, unit):
            low, high = _FOUND_AGAIN
    return scene.chance.between(low, high, what, case.key, case.cycle, unit)


# --- 承办 -----------------------------------------------------------------------------------------------------------


async def _lead(scene: Scene, unit: str, case: Case, state: str) -> None:
    case.state = state
    if state == "assigned":
        await _sign(scene, unit, case)
        if case.state == "handling" and (case.critical or scene.hurry):
            await _handle(scene, unit, case)
    elif state in ("handling", "supervised"):
        await _handle(scene, unit, case)
    elif state == "suspended" and scene.hurry:
        case.learn(await scene.doors.act(unit, case.number, "resume"))


async def _sign(scene: Scene, unit: str, case: Case) -> None:
    waited = case.begun(f"sign {case.cycle} {unit}", scene.day)
    wrong = not scene.hurry and not case.critical and scene.chance.happens(_SENT_BACK, "send back", case.key)
    wrong = wrong or scene.hard(case)
    if wrong and waited <= 1 and not case.times.get("send_back"):
        case.count("send_back")
        case.count(f"returned by {unit}")
        reason = scene.chance.pick(("非本单位职责", "属地不符", "职责交叉", "材料不全"), "why back", case.key)
        form: dict[str, Any] = {"reason": reason, "legal_basis": "区物业管理职责清单：该事项由其他单位牵头"}
        street = f"office-{(case.area or '')[:9]}"
        if street in scene.units and street != unit:
            form["suggest"] = street
        case.learn(await scene.doors.act(unit, case.number, "send_back", form))
        return
    if waited >= _days(scene, case, unit, _SIGNING, "sign"):
        case.learn(await scene.doors.act(unit, case.number, "sign"))


async def _handle(scene: Scene, unit: str, case: Case) -> None:
    spent = case.begun(f"work {case.cycle} {unit} {case.times.get(f'reject {case.cycle}', 0)}", scene.day)
    takes = _days(scene, case, unit, _WORKING, "work")
    if case.times.get(f"reject {case.cycle}") or case.cycle > 1:
        takes = min(takes, 1)
    if case.state == "supervised" and case.times.get("order"):
        waits = _days(scene, case, unit, _ANSWERING, "wake up")
        takes = min(takes, spent + max(0, waits - case.begun("order", scene.day)))
    if case.state == "handling" and await _asks(scene, unit, case, spent, takes):
        return
    if spent < takes or case.assists:
        return
    if case.times.get("special") and "finish" not in await scene.doors.free(unit, f"/v1/grievances/{case.number}"):
        return  # it waits for what others opened
    if scene.chance.happens(_CONTACTED, "contact", case.key, case.cycle):
        note = {"contacted": True, "note": "已电话联系诉求人，约定上门时间。"}
        case.learn(await scene.doors.act(unit, case.number, "contact", note))
    case.learn(await scene.doors.act(unit, case.number, "finish", _report(scene, unit, case)))


def _report(scene: Scene, unit: str, case: Case) -> dict[str, Any]:
    contacted = scene.chance.happens(0.92, "did contact", case.key, case.cycle)
    lot = scene.chance.roll("result", case.key, case.cycle)
    form: dict[str, Any] = {
        "result": next(result for result, share in _RESULTS.items() if lot < share),
        "true_matter": scene.chance.pick(("属实", "属实", "属实", "部分属实", "不属实"), "true", case.key),
        "contacted": contacted,
        "internal": f"{scene.units[unit]['name']}派员到场核实，已形成处置记录，照片存档。",
        "public_reply": scene.chance.pick(_REPLIES, "reply", case.key, case.cycle),
    }
    if not contacted:
        form["why_not_contacted"] = "所留电话多次无人接听"
    return form


async def _asks(scene: Scene, unit: str, case: Case, spent: int, takes: int) -> bool:
    """Ask a company to help, for more time, or to be let wait; say whether the unit stops there for today."""
    if scene.hurry or case.critical or case.cycle > 1:
        return False
    chance = scene.chance
    if case.company and not case.assists and chance.happens(_HELPED, "help", case.key) and not case.count("help"):
        form = {"unit": case.company, "note": "请配合现场处置，提供有关资料"}
        task = await scene.doors.open(unit, case.number, "assist", form)
        if task is not None:
            case.assists.add(task["id"])
        return True
    if case.category in _LONG_MATTERS and chance.happens(_SUSPENDED, "suspend", case.key) and not case.count("suspend"):
        until = scene.today + timedelta(days=chance.between(6, 12, "until", case.key))
        form = {"until": until.isoformat(), "reason": "需走资金审批和招标程序，承诺期限内办结"}
        await scene.doors.open(unit, case.number, "suspension", form)
        return True
    foreseen = takes > _DAYS_AT_MOST and 1 <= spent <= _BEFORE_IT_IS_LATE
    wanted = scene.hard(case) or chance.happens(_EXTENDED, "extend", case.key)
    if foreseen and wanted and not case.count("extend"):
        days = 2 if scene.hard(case) else chance.between(2, 5, "days", case.key)
        extension: dict[str, object] = {
            "days": days,
            "reason": chance.pick(("配件订货未到", "需专业机构检测", "涉及多家单位协调"), "x", case.key),
        }
        await scene.doors.open(unit, case.number, "extension", extension)
        return True
    return False


# --- 协办、督办回复 -------------------------------------------------------------------------------------------------


async def _help(scene: Scene, unit: str, case: Case, item: Mapping[str, Any]) -> None:
    task = item["task_id"]
    spent = case.begun(f"assist {task}", scene.day)
    state = item["state"]
    if state == "asked" and spent >= _days(scene, case, unit, _SIGNING, "assist"):
        if not case.critical and scene.chance.happens(_DECLINED, "decline", case.key, unit):
            form = {"reason": "该部位不在我公司服务范围", "legal_basis": "物业服务合同约定的服务区域"}
            await scene.doors.act_on_task(unit, task, "decline", form)
            case.assists.discard(task)
            return
        answer = await scene.doors.act_on_task(unit, task, "sign")
        state = answer["state"] if answer else state
    if state == "working" and spent >= _days(scene, case, unit, _ANSWERING, "done"):
        result = scene.chance.pick(
            ("已更换配件并试运行正常", "已清理整改，现场照片附后", "已配合查阅资料"), "did", case.key
        )
        if await scene.doors.act_on_task(unit, task, "done", {"result": result}) is not None:
            case.assists.discard(task)


async def _answer(scene: Scene, unit: str, case: Case, item: Mapping[str, Any]) -> None:
    task, state = item["task_id"], item["state"]
    case.times["order"] = 1
    spent = case.begun(f"order {task}", scene.day)
    if state == "issued":
        if spent >= _days(scene, case, unit, _SIGNING, "receive"):
            await scene.doors.act_on_task(unit, task, "receive")
        if not (scene.hurry or case.critical):
            return
    if spent >= _days(scene, case, unit, _ANSWERING, "answer order"):
        await scene.doors.act_on_task(unit, task, "answer", {"measures": _MEASURES})

"""The supervisors' part, and the command office's: decides on more time, signs orders off, issues orders by hand."""

from collections.abc import Mapping
from typing import Any

from wuye_loop.demo.doors import together
from wuye_loop.demo.scene import COMMAND, SUPERVISOR, Case, Scene

_GRANTED, _DENIED, _SENT_AGAIN = 0.75, 0.9, 0.15
_HANDED_OVER = 0.12
_EVERY = 3  # working days between two orders issued by hand
_LATE = "2 workdays"


async def decide(scene: Scene) -> None:
    """延期、挂起: grant most, refuse some, forget a few: then silence refuses."""
    items = await scene.doors.all(COMMAND, "/v1/inbox")
    await together(
        _decide(scene, item) for item in items if item["kind"] in ("extension", "suspension") and item["task_id"]
    )


async def _decide(scene: Scene, item: Mapping[str, Any]) -> None:
    case = scene.cases[item["number"]]
    lot = scene.chance.roll("grant", case.key, item["kind"])
    if lot < _GRANTED or scene.hurry or scene.hard(case):
        await scene.doors.act_on_task(COMMAND, item["task_id"], "approve")
    elif lot < _DENIED:
        await scene.doors.act_on_task(COMMAND, item["task_id"], "refuse", {"reason": "理由不充分，请按期办结"})


async def supervise(scene: Scene) -> None:
    """督办: sign off what was answered well, send back what was not, press the worst by hand."""
    answered = await scene.doors.all(SUPERVISOR, "/v1/supervision/orders", state="answered")
    await together(_sign_off(scene, item) for item in answered)
    if scene.hurry or scene.day % _EVERY:
        return
    late = await scene.doors.all(SUPERVISOR, "/v1/supervision/overdue", clock="handle", older_than=_LATE)
    cases = [(scene.cases[item["number"]], item) for item in late if item["state"] == "supervised"]
    cases.sort(key=lambda pair: (pair[1]["due_at"], pair[0].key))
    for case, item in cases:
        if not case.count("pressed"):
            await _press(scene, case, item["unit_name"] or "")
            break
    for case, _ in cases:
        if scene.chance.happens(_HANDED_OVER, "hand over", case.key) and not case.count("handed over"):
            await _hand_over(scene, case)
            break


async def _sign_off(scene: Scene, item: Mapping[str, Any]) -> None:
    case = scene.cases[item["grievance"]]
    again = not scene.hurry and scene.chance.happens(_SENT_AGAIN, "again", case.key)
    if again and not case.count("sent again"):
        reason = {"reason": "措施不具体，没有完成时间，请重新回复"}
        await scene.doors.act_on_task(SUPERVISOR, item["id"], "send_again", reason)
        return
    await scene.doors.act_on_task(SUPERVISOR, item["id"], "sign_off", {"note": "已核实整改情况"})


async def _press(scene: Scene, case: Case, unit: str) -> None:
    form = {"document": scene.heaviest, "demand": f"请{unit}主要负责人包案，一个月内整改到位并书面报告。"}
    await scene.doors.open(SUPERVISOR, case.number, "supervision_order", form)


async def _hand_over(scene: Scene, case: Case) -> None:
    street = f"office-{(case.area or '')[:9]}"
    if street in scene.units and street != case.lead:
        form: dict[str, Any] = {"unit": street, "reason": "原承办单位久拖不决，改由属地街道牵头"}
        case.learn(await scene.doors.act(SUPERVISOR, case.number, "hand_over", form))

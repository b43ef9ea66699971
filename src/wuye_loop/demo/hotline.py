"""The hotline's part: pushes what came in, presses for what is late, asks people whether they are satisfied."""

from collections.abc import Sequence

from wuye_loop.demo.doors import PlayFailed, together
from wuye_loop.demo.invented.complaints import Complaint
from wuye_loop.demo.scene import HOTLINE, Case, Character, Scene

_BATCH = 40  # from here on a hotline sends a batch rather than one by one
_CREATED = (200, 201)
_URGED, _REOPENED, _SILENT, _REACHED = 0.25, 0.035, 0.1, 0.75
# How residents answer, by how the unit works: satisfied, nearly satisfied; the rest is not.
_ANSWERS = {Character.PUNCTUAL: (0.76, 0.94), Character.SLOW: (0.55, 0.86), Character.FORGETFUL: (0.4, 0.74)}
_REOPEN_AFTER = 2  # working days


async def push(scene: Scene, complaints: Sequence[Complaint]) -> None:
    """Push what came in since the last time; every complaint must be taken in."""
    forms = [dict(item.form) for item in complaints]
    if len(forms) < _BATCH:
        # One after the other, as calls come in: which of two is the older grievance decides who goes first later on.
        receipts = [await scene.doors.push_one(form) for form in forms]
    else:
        receipts = await scene.doors.push(forms)
    for complaint, receipt in zip(complaints, receipts, strict=True):
        if receipt["status"] not in _CREATED:
            raise PlayFailed(f"诉求 {complaint.external_id} 未被接收:{receipt}")
        scene.add(complaint, receipt)


async def press(scene: Scene) -> None:
    """催办: some of those whose matter is under supervision call again."""
    rows = await scene.doors.all(HOTLINE, "/v1/grievances", state="supervised")
    chosen = []
    for row in rows:
        case = scene.cases[row["number"]]
        if scene.chance.happens(_URGED, "urge", case.key, case.cycle) and not case.count(f"urge {case.cycle}"):
            chosen.append(case)
    await together(_press(scene, case) for case in chosen)


async def _press(scene: Scene, case: Case) -> None:
    case.learn(await scene.doors.act(HOTLINE, case.number, "urge", {"note": "来电催问办理进度"}))


async def ask(scene: Scene) -> None:
    """评价: ask those who wait to be asked; some cannot be reached today, some never answer."""
    rows = await scene.doors.all(HOTLINE, "/v1/grievances", state="rating")
    await together(_ask(scene, scene.cases[row["number"]]) for row in rows)


async def _ask(scene: Scene, case: Case) -> None:
    chance = scene.chance
    case.state = "rating"
    if not scene.hurry:
        if chance.happens(_SILENT, "silent", case.key, case.cycle) and not scene.hard(case):
            return
        if not chance.happens(_REACHED, "reached", case.key, case.cycle, scene.day):
            return
    case.learn(await scene.doors.act(HOTLINE, case.number, "rate", _answer(scene, case)))
    if case.state == "closed":
        case.since["closed"] = scene.day


def _answer(scene: Scene, case: Case) -> dict[str, object]:
    good, fair = _ANSWERS[scene.character(case.lead or "")]
    if scene.hurry or case.cycle > 1:
        good, fair = 0.6, 0.97 if not scene.hurry else 1.0
    lot = 1.0 if scene.hard(case) and case.cycle == 1 else scene.chance.roll("rate", case.key, case.cycle)
    contacted = scene.chance.happens(0.93, "contacted", case.key, case.cycle)
    if lot < good:
        return {"contacted": True, "solved": "解决", "satisfied": "满意"}
    if lot < fair:
        return {"contacted": contacted, "solved": "部分解决", "satisfied": "基本满意"}
    why = scene.chance.pick(("未解决", "未解决", "敷衍", "超时", "态度差"), "why", case.key, case.cycle)
    return {
        "contacted": contacted, "solved": "未解决", "satisfied": "不满意", "reason": why,
        "comment": "问题没有真正解决，希望再到现场看看。",
    }  # fmt: skip


async def reopen(scene: Scene) -> None:
    """重新办理: a few come back some days after closing, with something new."""
    if scene.hurry:
        return
    chosen = [
        case
        for case in scene.cases.values()
        if case.state == "closed"
        and scene.day - case.since.get("closed", scene.day) >= _REOPEN_AFTER
        and scene.chance.happens(_REOPENED, "reopen", case.key)
        and not case.count("reopen")
    ]
    await together(_reopen(scene, case) for case in chosen)


async def _reopen(scene: Scene, case: Case) -> None:
    reason = {"reason": "办结后没几天又出现同样的问题，请再派人看看。"}
    case.learn(await scene.doors.act(HOTLINE, case.number, "reopen", reason))

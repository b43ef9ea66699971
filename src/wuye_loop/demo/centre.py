"""The property centre's part: accepts, refuses, merges, routes by hand, reviews answers and calls people back."""

from collections.abc import Mapping, Sequence
from typing import Any

from wuye_loop.demo.doors import together
from wuye_loop.demo.scene import CENTRE, Case, Scene

_REFUSED, _REJECTED, _REACHED, _DECLINED = 0.035, 0.09, 0.84, 0.88
_SAME = 0.85  # so alike that a person calls it one matter
_ASKED_AFTER = 2  # working days, after which one merge turns out to have been wrong


async def dispatch(scene: Scene, *, critical: bool = False) -> None:
    """受理、转办: the whole desk, or only what cannot wait."""
    items = await scene.doors.all(CENTRE, "/v1/inbox")
    mine = [(scene.cases[item["number"]], item["state"]) for item in items if item["type"] == "grievance"]
    if critical:
        mine = [pair for pair in mine if pair[0].critical]
    arrived = [case for case, state in mine if state == "received"]
    views = await together(scene.doors.one(CENTRE, f"/v1/grievances/{case.number}") for case in arrived)
    for case, view in zip(arrived, views, strict=True):
        case.learn(view)
    merged = await _merge(scene, list(zip(arrived, views, strict=True)))
    await together(_receive(scene, case) for case in arrived if case.number not in merged)
    waiting = [case for case, state in mine if state == "routing"]
    waiting += [case for case in arrived if case.state == "routing"]
    await together(_route(scene, case) for case in waiting)
    await together(_follower(scene, case) for case, state in mine if state == "merged")


async def _merge(scene: Scene, arrived: Sequence[tuple[Case, Mapping[str, Any]]]) -> set[str]:
    """并案: one after the other, for two may name each other. Return the numbers that were merged."""
    merged: set[str] = set()
    leads: set[str] = set()
    for case, view in arrived:
        open_ones = [
            item["number"]
            for item in view["duplicate_candidates"]
            if item["similarity"] >= _SAME
            and item["state"] in ("received", "routing", "assigned", "handling")
            and item["number"] not in merged
        ]
        if not open_ones or case.number in leads or case.times.get("unmerge"):
            continue
        form = {"into": open_ones[0], "reason": "同一小区同一事项，并入先到的诉求一并办理"}
        answer = await scene.doors.act(CENTRE, case.number, "merge", form)
        case.learn(answer)
        if answer is not None:
            merged.add(case.number)
            leads.add(open_ones[0])
    return merged


async def _receive(scene: Scene, case: Case) -> None:
    if not case.critical and not scene.hurry and scene.chance.happens(_REFUSED, "refuse", case.key):
        form = {
            "reason": scene.chance.pick(("非本级职责", "已进入诉讼仲裁", "同一事项无新情况"), "refusal", case.key),
            "public_reply": "您反映的事项不属于物业直通车受理范围，已告知您可以找的部门和途径。",
        }
        case.learn(await scene.doors.act(CENTRE, case.number, "refuse", form))
        return
    answer = await scene.doors.act(CENTRE, case.number, "accept")
    case.learn(answer)
    if answer is not None and case.state == "routing":
        case.count("desk")


async def _route(scene: Scene, case: Case) -> None:
    """人工转办: to the street that the place lies in, else to whom the centre thinks fit."""
    note = "按退单意见调整承办单位" if case.times.get("send_back") else "各转办规则都定不下来，由中心指定"
    form = {"unit": _fit(scene, case), "note": note}
    case.learn(await scene.doors.act(CENTRE, case.number, "route", form))


def _fit(scene: Scene, case: Case) -> str:
    street = f"office-{(case.area or '')[:9]}"
    if street in scene.units and not case.times.get(f"returned by {street}"):
        return street
    return scene.chance.pick(("housing", "urban-management"), "fit", case.key, case.times.get("send_back", 0))


async def _follower(scene: Scene, case: Case) -> None:
    """Let a merged one wait for its lead; the first merge of a play turns out to have been wrong."""
    waited = case.begun("merged", scene.day)
    first = min(item.key for item in scene.cases.values() if "merged" in item.since)
    if waited >= _ASKED_AFTER and case.key == first and not case.count("unmerge"):
        form = {"reason": "回访核实是另一部位的问题，单独办理"}
        case.learn(await scene.doors.act(CENTRE, case.number, "unmerge", form))
        return
    if "close_merged" in await scene.doors.free(CENTRE, f"/v1/grievances/{case.number}"):
        case.learn(await scene.doors.act(CENTRE, case.number, "close_merged"))


async def review(scene: Scene) -> None:
    """审核、回访: read what units answered, send some back, call people."""
    items = await scene.doors.all(CENTRE, "/v1/inbox")
    mine = [(scene.cases[item["number"]], item["state"]) for item in items if item["type"] == "grievance"]
    await together(_review(scene, case) for case, state in mine if state == "reviewing")
    await together(_call_back(scene, case) for case, state in mine if state == "callback")


async def _review(scene: Scene, case: Case) -> None:
    poor = not scene.hurry and scene.chance.happens(_REJECTED, "reject", case.key, case.cycle)
    if poor and not case.count(f"reject {case.cycle}"):
        reason = scene.chance.pick(("答非所问", "避重就轻", "未联系诉求人", "办理不到位"), "poor", case.key)
        form = {"reason": reason, "note": "请补充现场情况和整改时间后重新报送"}
        case.learn(await scene.doors.act(CENTRE, case.number, "reject", form))
        return
    case.learn(await scene.doors.act(CENTRE, case.number, "approve"))


async def _call_back(scene: Scene, case: Case) -> None:
    lot = scene.chance.roll("call back", case.key, case.cycle, case.count(f"call {case.cycle}"))
    outcome = "接通" if scene.hurry or lot < _REACHED else "拒绝回访" if lot < _DECLINED else "无人接听"
    case.learn(await scene.doors.act(CENTRE, case.number, "call_back", {"outcome": outcome}))

"""A rung whose action brings something with it that is refused: it fires once, says so, and stands in nobody's way."""

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.site import MONDAY, build, seen, story

from wuye_loop.domain.directory.directory import Directory
from wuye_loop.domain.rulefile.definition import parse
from wuye_loop.domain.rulefile.extends import bundle
from wuye_loop.domain.rules.rules import Rules
from wuye_loop.domain.time.spans import Span
from wuye_loop.loop.escalate import Swept
from wuye_loop.queries.explain import explain
from wuye_loop.queries.verification import verify as audit
from wuye_loop.settings import shipped
from wuye_loop.store.database import Database
from wuye_loop.store.workflows.files import bases, whole_text
from wuye_loop.trial.sandbox.sandbox import Sandbox

ASKED = """
extends: standard@1
name: asked
version: 1
title: 逾期视为同意
actions:
  back: {title: 退回生效, from: assigned, to: routing, by: system, then: route}
documents:
  同意书: {series: "同〔{year}〕{n}号", by: [system, dispatcher], to: handler}
tasks:
  ask:
    title: 申请
    open: {title: 申请, by: [handler, system], from: [assigned, supervised]}
    holder: dispatcher
    states: {asked: {title: 待审, holder: holder}, yes: {title: 同意, final: true}}
    clocks:
      decide:
        title: 审核时限
        during: asked
        starts: at once
        limit: {is: 4 hours}
        ladder: [{at: due, do: remind, act: yes, to: holder}, {at: +1 hour, do: red_card, to: holder}]
    actions:
      yes: {title: 同意, from: asked, to: yes, by: [holder, system], effect: [{document: {kind: 同意书, to: handler}}, release, {act: back}]}
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "asked@1.yaml"
    path.write_text(ASKED, encoding="utf-8")
    return path


def changed(path: Path, *changes: tuple[str, str]) -> Sandbox:
    text = ASKED
    for was, now in changes:
        assert text.count(was) == 1, was
        text = text.replace(was, now)
    rules = Rules(
        parse(bundle(text, path.name, bases(path, [shipped("workflows")])), path.name)
    )  # the checker says what is tried here
    return Sandbox(rules, now=MONDAY)


def supervised(box: Sandbox) -> Sandbox:
    """Bring an urgent matter to where it is supervised, two hours after it came, with the request still open."""
    box.receive({"urgency": "特急"})
    box.act("dispatcher", "accept")
    box.open_task("handler", "ask")
    box.advance(Span.parse("2 hours"))
    assert box.case().state == "supervised"
    return box


def rows(box: Sandbox, action: str) -> list[Any]:
    return [entry for entry in box.case().entries if entry.action == action]


def test_what_the_grievance_refuses_is_kept_in_the_ledger_and_nothing_of_it_remains(file: Path) -> None:
    box = supervised(changed(file))
    before = len(box.case().entries)
    box.advance(Span.parse("2 hours"))
    (row,) = rows(box, "rung:decide")
    assert row.facts["act"] == "yes"
    assert row.facts["applies"] is False
    assert row.facts["refused"] == "随后的“退回生效”现在不能办：当前状态下没有这个动作"
    assert row.facts["do"] == ["remind"]
    assert len(box.case().entries) == before + 1
    assert box.case().situation.grievance.lead_unit is not None
    assert [task.state for task in box.case().tasks("ask")] == ["asked"]


def test_the_rungs_after_it_fire_and_it_does_not_fire_again(file: Path) -> None:
    box = supervised(changed(file))
    box.advance(Span.parse("3 days"))
    assert [row.facts["rung"] for row in rows(box, "rung:decide")] == [0, 1]
    assert any(row.facts["do"] == ["red_card"] for row in rows(box, "rung:handle"))


def test_a_refused_action_has_drawn_no_number_of_a_document(file: Path) -> None:
    box = supervised(changed(file))
    box.advance(Span.parse("2 hours"))
    box.receive({"urgency": "平急"})
    box.act("dispatcher", "accept")
    box.open_task("handler", "ask")
    box.advance(Span.parse("4 hours"))
    (row,) = rows(box, "yes")
    assert row.facts["document"] == "同〔2026〕1号"
    assert rows(box, "rung:decide")[0].facts["applies"] is True


HANDED_OVER = (
    ("open: {title: 申请, by: [handler, system], from: [assigned, supervised]}",
     "open: {title: 申请, by: handler, from: assigned, needs: {to_whom: unit}}"),
    ("release, {act: back}", "{assign: {to: to_whom}}"),
    ("from: assigned, to: routing, by: system, then: route", "from: assigned, to: routing, by: dispatcher"),
)  # fmt: skip


@pytest.mark.parametrize(
    ("unit", "gone", "words"),
    [
        ("property-centre", False, "职责分离：这个单位在本诉求上另有职责，不能承办"),
        ("command-office", True, "没有这个单位，或它已停用"),
    ],
)
def test_a_refusal_of_another_kind_does_not_stop_the_rung_either(
    file: Path, unit: str, words: str, *, gone: bool
) -> None:
    box = changed(file, *HANDED_OVER, ("actions:\n  back:", "separate: [[dispatcher, handler]]\nactions:\n  back:"))
    box.receive({"urgency": "平急"})
    box.act("dispatcher", "accept")
    lead = box.case().situation.grievance.lead_unit
    box.open_task("handler", "ask", {"to_whom": unit})
    if gone:
        units = {code: replace(one, active=code != unit) for code, one in box.town.directory.units.items()}
        box.town = replace(box.town, directory=Directory(box.town.directory.areas.values(), units.values()))
    box.advance(Span.parse("4 hours"))
    assert rows(box, "rung:decide")[0].facts["refused"] == words
    assert rows(box, "yes") == []
    assert box.case().situation.grievance.lead_unit == lead


def test_a_task_that_a_rung_opened_stays_where_what_its_opening_brings_is_refused(file: Path) -> None:
    box = supervised(changed(file, ("do: red_card, to: holder", "open: note, to: holder"), ("tasks:\n", NOTE)))
    box.advance(Span.parse("3 hours"))
    row = rows(box, "rung:decide")[1]
    assert row.facts["refused"] == "随后的“退回生效”现在不能办：当前状态下没有这个动作"
    assert [task.state for task in box.case().tasks("note")] == ["open"]
    assert box.case().state == "supervised"


NOTE = """tasks:
  note:
    title: 记录
    open: {title: 记录, by: system, from: [assigned, supervised], effect: {act: back}}
    holder: dispatcher
    states: {open: {title: 待办, holder: holder}, done: {title: 已办, final: true}}
    clocks: {note: {title: 记录时限, during: open, limit: {is: 1 day}, ladder: [{at: due, do: remind, to: holder}]}}
    actions: {done: {title: 办完, from: open, to: done, by: holder}}
"""


@pytest.mark.anyio
async def test_the_sweeper_fires_the_rung_once_and_the_others_of_the_grievance_too(
    database: Database, tmp_path: Path, file: Path
) -> None:
    text = whole_text(file, [shipped("workflows")])
    town = build(database, data=tmp_path / "data", workflow="asked@1", texts={"asked@1": text})
    async with story(town) as drive:
        number = await drive.push("a1", category="电梯", urgency="特急")
        await drive.act("property-centre", number, "accept")
        lead = (await seen(drive, number))["lead_unit"]
        await drive.open(lead, number, "ask")
        town.clock.advance(timedelta(hours=2))
        assert town.sweep() == Swept(2, 0)
        town.clock.advance(timedelta(hours=4))
        assert town.sweep() == Swept(2, 0)
        assert town.sweep() == Swept(0, 0)
        assert town.actions(number).count("rung:decide") == 2
        assert "yes" not in town.actions(number)
        assert town.scalar("SELECT count(*) FROM document WHERE kind = '同意书'") == 0
        assert town.scalar("SELECT coalesce(max(n), 0) FROM document_series WHERE starts_with(series, '同')") == 0
        assert audit.verify(town.site.loop, town.database).ok
        with town.database.read() as session:
            told = json.dumps(explain.explain(town.site.loop, session, number), ensure_ascii=False)
        assert "触发，要办的动作当时做不了：随后的“退回生效”现在不能办：当前状态下没有这个动作" in told

"""Who may not do both on one task, who is the estate's company, what a task counts, and who sees what it may act on."""

from datetime import UTC, datetime
from typing import Any

import pytest
from tests.authoring.checker.wall import BASES

from wuye_loop.authoring.checker.check import load
from wuye_loop.domain.directory.document import DirectoryDocument
from wuye_loop.domain.errors import Conflict, Forbidden, IllegalAction, WuyeError
from wuye_loop.domain.grievance.roles import involved_units
from wuye_loop.domain.rules.rules import Rules
from wuye_loop.domain.step.documents import Paper, PaperLine
from wuye_loop.trial.sandbox.sandbox import Sandbox
from wuye_loop.trial.town.town import town_of

NOW = datetime(2026, 3, 2, 1, tzinfo=UTC)  # Monday, 09:00 in Beijing
COMPANY, ACCEPTOR = "company-1", "community-office-community"
MATTER = {"matter": "清理楼道"}


def town(*changes: tuple[str, str], document: dict[str, Any] | None = None) -> Sandbox:
    """Return a sandbox of full.yaml with some changes."""
    text = BASES["full"]
    for was, now in changes:
        assert text.count(was) == 1, was
        text = text.replace(was, now)
    rules = Rules(load(text, "full.yaml"))
    read = DirectoryDocument.model_validate(document) if document is not None else None
    return Sandbox(rules, now=NOW, town=town_of(rules, read))


def handled(sandbox: Sandbox) -> str:
    """Bring a matter to the street's office, which is its lead."""
    number = sandbox.receive()
    sandbox.act("dispatcher", "dispatch")
    assert sandbox.case().state == "handling"
    return number


def seen(sandbox: Sandbox) -> tuple[str, ...]:
    return involved_units(sandbox.world(), sandbox.case().situation.grievance, sandbox.case().situation.tasks.values())


# --- the company of the estate ---


def test_the_company_of_the_estate_acts_and_sees_whoever_leads() -> None:
    sandbox = town()
    handled(sandbox)
    assert sandbox.units("company") == (COMPANY,)
    assert sandbox.case().situation.grievance.lead_unit != COMPANY
    assert COMPANY in seen(sandbox)
    sandbox.act(COMPANY, "explain", {"note": "已报价"})
    with pytest.raises(Forbidden):
        sandbox.act(ACCEPTOR, "explain", {"note": "x"})


def test_the_company_sees_nothing_where_it_may_not_act() -> None:
    sandbox = town()
    sandbox.receive()
    assert sandbox.case().state == "received"
    assert COMPANY not in seen(sandbox)


def test_an_estate_without_a_company_has_nobody_in_that_role() -> None:
    free = {"areas": [], "units": [], "estates": [{"code": "E1", "name": "无物业小区", "area": "community"}]}
    sandbox = town(document=free)
    handled(sandbox)
    assert sandbox.units("company") == ()
    assert COMPANY not in seen(sandbox)
    with pytest.raises(Forbidden):
        sandbox.act(COMPANY, "explain", {"note": "x"})


# --- bodies that differ on one task ---


def test_a_task_is_not_opened_to_the_unit_that_would_accept_it() -> None:
    sandbox = town()
    handled(sandbox)
    with pytest.raises(Conflict, match="职责分离：本单位是这件任务的“验单社区”"):
        sandbox.open_task("doer", "aid", {"unit": ACCEPTOR, **MATTER})
    assert sandbox.case().tasks("aid") == []
    sandbox.open_task("doer", "aid", {"unit": "bureau", **MATTER})
    assert sandbox.task("aid").holder_unit == "bureau"


def test_who_accepts_may_not_also_carry_out_a_task_that_the_system_gave_it() -> None:
    """What the system opens is not refused, for nobody is there to choose another: the actions are."""
    sandbox = town(
        ("open: {title: 请求支援, by: [doer, company], from: [handling, joint], needs: {unit: unit, matter: text}}",
         "open: {title: 请求支援, by: [doer, system], from: [handling, joint], needs: {unit: unit, matter: text}}"),
        ("uphold: {title: 成立, from: asked, to: upheld, by: holder, effect: [",
         "uphold: {title: 成立, from: asked, to: upheld, by: holder, effect: [{open: {task: aid, to: acceptor}}, "),
        ("from: [checking, rating], needs: {ground", "from: [handling], needs: {ground"),
    )  # fmt: skip
    handled(sandbox)
    sandbox.open_task("doer", "appeal", {"ground": "x", "proof": ["00000000-0000-0000-0000-000000000001"]})
    sandbox.on_task("holder", "appeal", "uphold")
    assert sandbox.task("aid").holder_unit == ACCEPTOR
    with pytest.raises(IllegalAction, match="职责分离：本单位是这件任务的“验单社区”"):
        sandbox.on_task("holder", "aid", "offer")


@pytest.mark.parametrize(("group", "refused"), [("[holder, opener]", True), ("[holder, acceptor]", False)])
def test_a_unit_may_ask_itself_unless_holder_and_opener_are_apart(group: str, refused: bool) -> None:  # noqa: FBT001
    kept = "[[holder, acceptor], [holder, opener]]" if refused else "[[holder, acceptor]]"
    assert group in kept
    sandbox = town(("separate: [[holder, acceptor], [bureau, inspectors]]", f"separate: {kept}"))
    handled(sandbox)
    form = {"unit": COMPANY, **MATTER}
    if refused:
        with pytest.raises(Conflict, match="本单位是这件任务的“发起方”"):
            sandbox.open_task(COMPANY, "aid", form)
    else:
        sandbox.open_task(COMPANY, "aid", form)
        assert sandbox.task("aid").holder_unit == COMPANY


def test_whoever_is_kept_apart_is_told_so_before_it_tries() -> None:
    sandbox = town(("separate: [[holder, acceptor], [bureau, inspectors]]", "separate: [[holder, acceptor], [opener, holder]]"))  # fmt: skip
    handled(sandbox)
    sandbox.open_task("doer", "aid", {"unit": "bureau", **MATTER})
    sandbox.on_task("bureau", "aid", "offer")
    with pytest.raises(WuyeError):
        sandbox.on_task("bureau", "aid", "agree")
    sandbox.on_task(ACCEPTOR, "aid", "agree")
    assert sandbox.task("aid", n=1).state == "agreed"


# --- what a task counts ---


def test_in_a_task_what_was_done_is_what_was_done_on_that_task() -> None:
    """The main flow has a `done`-counted action of the same name, taken before: the task starts from none all the same."""
    sandbox = town(("  explain: {title: 物业说明,", "  offer: {title: 表态, from: [handling, joint], by: company}\n  explain: {title: 物业说明,"))  # fmt: skip
    handled(sandbox)
    sandbox.act(COMPANY, "offer")
    for n in (1, 2):
        sandbox.open_task("doer", "aid", {"unit": "bureau", **MATTER})
        sandbox.on_task("holder", "aid", "offer", n=n)
    sandbox.on_task(ACCEPTOR, "aid", "agree", n=2)
    assert [task.state for task in sandbox.case().tasks("aid")] == ["offered", "agreed"]


def test_what_the_main_flow_did_does_not_count_on_a_task() -> None:
    sandbox = town(
        ("  explain: {title: 物业说明,", "  offer: {title: 表态, from: [handling, joint], by: company}\n  explain: {title: 物业说明,"),
        ("agree: {title: 认可, from: offered,", "agree: {title: 认可, from: [asked, offered],"),
    )  # fmt: skip
    handled(sandbox)
    sandbox.act(COMPANY, "offer")
    sandbox.open_task("doer", "aid", {"unit": "bureau", **MATTER})
    with pytest.raises(IllegalAction, match="需要"):
        sandbox.on_task(ACCEPTOR, "aid", "agree")


# --- issuers of documents ---


def test_who_may_issue_a_document_on_it_sees_a_grievance_while_its_task_may_be_opened() -> None:
    sandbox = town(
        ("open: {title: 交办, by: [], needs: {matter: text}}", "open: {title: 交办, by: [], from: [joint], needs: {matter: text}}"),
        ('会议纪要: {series: "全纪〔{year}〕{n}号", by: bureau, opens: duty, gathers: stuck, settles: settle}',
         '会议纪要: {series: "全纪〔{year}〕{n}号", by: mayor, opens: duty}'),
        ("  company: {title: 物业企业,", "  mayor: {title: 召集人, unit: {duty: convener, level: district}}\n  company: {title: 物业企业,"),
    )  # fmt: skip
    number = handled(sandbox)
    assert "convener-district" not in seen(sandbox)
    sandbox.open_task("acceptor", "whistle", {"unit": "bureau", "matter": "x"})
    assert sandbox.case().state == "joint"
    assert "convener-district" in seen(sandbox)
    sandbox.issue("convener-district", Paper("会议纪要", [PaperLine(number, "bureau", MATTER)]))
    assert sandbox.task("duty").holder_unit == "bureau"

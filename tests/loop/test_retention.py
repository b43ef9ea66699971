"""What is due is proposed by one person and destroyed when another approves; what the law holds is not."""

from datetime import timedelta
from pathlib import Path

import pytest
from tests.loop.test_forgery import forge, found, lived
from tests.site import FINISH, GOOD, KEYS, Town, at, build, driving

from wuye_loop.domain.errors import BadInput, Conflict, Forbidden, NotFound
from wuye_loop.domain.privacy import retention as rules
from wuye_loop.loop.custody import destruction, erasure
from wuye_loop.queries.explain.explain import explain
from wuye_loop.store import retention
from wuye_loop.store.database import Database

pytestmark = pytest.mark.anyio
FIVE_YEARS = "retention:\n  - {source: [other], years: 1}\n  - {years: 5, after: closed}\n"


@pytest.fixture
def town(database: Database, tmp_path: Path) -> Town:
    """Give a town where one key may see who complained."""
    return build(database, data=tmp_path, keys=KEYS | {"revealer": {"role": "hotline", "reveal": True}})


async def test_one_person_proposes_and_another_approves(town: Town) -> None:
    number = await lived(town)
    loop, read = town.site.loop, rules.read(FIVE_YEARS)
    town.clock.set(at("2031-03-01 09:00"))
    with town.database.begin() as session:
        assert destruction.overdue(loop, session, read) == []
        with pytest.raises(BadInput):
            destruction.propose(loop, session, [], "保管期满", "王敏")
    town.clock.set(at("2031-06-01 09:00"))
    with town.database.begin() as session:
        due = destruction.overdue(loop, session, read)
        assert [one for one, _ in due] == [number]
        made = destruction.propose(loop, session, [number], "保管期满", "王敏")
    with pytest.raises(Forbidden, match="不能自己批准"):
        destruction.approve(loop, town.database, made.id, "王敏")
    assert destruction.approve(loop, town.database, made.id, "李强") == ([number], [])
    with pytest.raises(Conflict, match="李强"):
        destruction.approve(loop, town.database, made.id, "赵亮")
    with town.database.begin() as session:
        assert destruction.overdue(loop, session, read) == []
        assert [one.approved_by for one in retention.lists(session)] == ["李强"]
    report = found(town)
    assert report.ok, report.problems


async def test_what_was_done_again_since_it_was_proposed_is_left_and_has_to_be_proposed_anew(town: Town) -> None:
    number = await lived(town)
    loop, late = town.site.loop, at("2031-06-01 09:00")
    with town.database.begin() as session:
        made = destruction.propose(loop, session, [number], "保管期满", "王敏")
    town.advance(town.now + timedelta(days=1))
    async with driving(town) as drive:
        await drive.act("hotline", number, "reopen", {"reason": "又坏了"})
        assert destruction.approve(loop, town.database, made.id, "李强") == (
            [],
            [f"{number} 还在办理，办结之后才能销毁"],
        )
        await drive.act("market", number, "finish", FINISH)
        await drive.walk(number, "approve", "call_back")
        await drive.act("hotline", number, "rate", GOOD)
    assert destruction.approve(loop, town.database, made.id, "李强") == (
        [], [f"{number} 在提出销毁以后又办过，期限要重新算，请重新提出"],
    )  # fmt: skip
    town.clock.set(late)
    with town.database.begin() as session:
        again = destruction.propose(loop, session, [number], "保管期满", "王敏")
    assert destruction.approve(loop, town.database, again.id, "李强") == ([number], [])


async def test_a_result_of_an_earlier_cycle_is_none_and_an_open_task_keeps_everything(town: Town) -> None:
    number = await lived(town)
    rule = rules.read("retention: [{result: [解决], days: 1}]")
    async with driving(town) as drive:
        await drive.act("hotline", number, "reopen", {"reason": "又坏了"})
    loop, ends = town.site.loop, "UPDATE grievance SET final = true, closed_at = received_at"
    town.clock.set(at("2031-06-01 09:00"))
    with town.database.begin() as session:
        session.connection().exec_driver_sql(f"{ends}, data = data - 'result'")  # and nobody said with what
        assert destruction.overdue(loop, session, rule) == []
        assert [one for one, _ in destruction.overdue(loop, session, rules.read(FIVE_YEARS))] == [number]
        session.connection().exec_driver_sql("UPDATE task SET final = false")
        assert destruction.overdue(loop, session, rules.read(FIVE_YEARS)) == []
        with pytest.raises(Conflict, match="任务没有了结"):
            erasure.erase(loop, session, number, "诉求人要求删除")


async def test_what_the_law_holds_is_not_destroyed_until_it_is_released(town: Town) -> None:
    number = await lived(town)
    loop = town.site.loop
    with town.database.begin() as session:
        destruction.hold(loop, session, number, "诉讼中", "王敏")
    with pytest.raises(Conflict, match="诉讼中"), town.database.begin() as session:
        erasure.erase(loop, session, number, "诉求人要求删除")
    with town.database.begin() as session:
        destruction.release(session, number, "结案", "王敏")
        with pytest.raises(NotFound):
            destruction.release(session, number, "结案", "王敏")
        erasure.erase(loop, session, number, "诉求人要求删除")
    assert found(town).ok


async def test_a_hold_or_a_list_that_was_forged_destroys_nothing_and_is_seen(town: Town) -> None:
    number, loop = await lived(town), town.site.loop
    with town.database.begin() as session:
        destruction.hold(loop, session, number, "诉讼中", "王敏")
        made = destruction.propose(loop, session, [number], "保管期满", "王敏")
    forge(town.database, "DELETE FROM legal_hold")
    assert any(f"{number} 的依法保留" in words for words in found(town).problems)
    with pytest.raises(Conflict, match="登记簿里是依法保留的"), town.database.begin() as session:
        erasure.erase(loop, session, number, "诉求人要求删除")
    for forged in (
        "UPDATE destruction_list SET proposed_by = '李强'",
        "UPDATE destruction_list SET proposed_by = '王敏', numbers = '{x}'",
    ):
        forge(town.database, forged)
        assert any("销毁清单" in words for words in found(town).problems)
        with pytest.raises(Conflict, match="与登记簿里提出的不一致"):
            destruction.approve(loop, town.database, made.id, "赵亮")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "retention: []",
        "retention: [{after: closed}]",
        "retention: [{years: -1}]",
        "a: [",
        "retention: [{yeers: 1}]",
        "retention: [{by_result: true, years: 1}]",
    ],
)
def test_a_bad_file_is_refused_in_words(text: str) -> None:
    with pytest.raises(BadInput, match="保管期限"):
        rules.read(text)


def test_a_leap_day_is_kept_until_the_last_of_february() -> None:
    kept = rules.Kept("n", "12345", None, {"closed": at("2028-02-29 08:00")})
    read = rules.read("retention: [{years: 1}]")
    assert rules.due(read, kept, at("2029-02-28 07:59")) is None
    assert rules.due(read, kept, at("2029-02-28 08:00")) == at("2029-02-28 08:00")


BY_RESULT = "retention:\n  - {result: [解决], months: 6}\n  - {by_result: true}\n  - {years: 30}\n"


async def test_a_rule_by_result_holds_of_what_a_shipped_file_ended_with(town: Town) -> None:
    number = await lived(town)  # its workflow names no terms; its last form said 解决
    loop = town.site.loop
    town.clock.set(at("2026-09-15 09:00"))
    with town.database.read() as session:
        assert "办理结果是“解决”。" in explain(loop, session, number)["standing"]["words"]
    with town.database.begin() as session:
        assert destruction.overdue(loop, session, rules.read("retention: [{result: [未解决], days: 1}]")) == []
        found = destruction.overdue(loop, session, rules.read(BY_RESULT))
        assert [one for one, _ in found] == [number]
        # What was closed before results were stored beside it is told by its ledger.
        session.connection().exec_driver_sql("UPDATE grievance SET data = data - 'result'")
        assert destruction.overdue(loop, session, rules.read(BY_RESULT)) == found
        assert destruction.overdue(loop, session, rules.BY_RESULT) == []
        with pytest.raises(BadInput, match=r"第 1 条的办理结果“已解决”没有一个流程里有.*解决"):
            destruction.overdue(loop, session, rules.read("retention: [{result: [已解决], days: 1}]"))


@pytest.mark.parametrize(
    ("said", "until"),
    [
        (rules.Term((120, 0), "closed"), "2036-03-02 08:00"),
        (rules.Term((18, 0), "last_rating"), "2027-09-09 08:00"),
        (rules.Term((0, 90), "end_of_supervision"), None),  # an order is still open
        (rules.Term(None, "closed"), None),
    ],
)
def test_a_result_is_kept_as_its_workflow_says(said: rules.Term, until: str | None) -> None:
    events = {"closed": at("2026-03-02 08:00"), "last_rating": at("2026-03-09 08:00"), "end_of_supervision": None}
    kept = rules.Kept("n", "12345", "解决", events, "kuiwen@2")
    file, late = rules.read(BY_RESULT)[1:], at("2080-01-01 08:00")
    assert rules.due(file, kept, late, {"kuiwen@2": {"解决": said}}) == (at(until) if until else None)
    assert rules.due(file, kept, late, {"kuiwen@1": {"解决": said}}) == at("2056-03-02 08:00")  # the next rule


async def test_supervision_ends_with_its_last_order(town: Town) -> None:
    number = await lived(town)
    with town.database.begin() as session:
        (kept,) = [one for one in retention.closed(session) if one.number == number]
        orders = (
            session.connection().exec_driver_sql("SELECT closed_at, final FROM task WHERE document IS NOT NULL").all()
        )
    assert orders
    assert all(done for _, done in orders)
    assert kept.events["end_of_supervision"] == max(kept.events["closed"], *(one for one, _ in orders))
    assert kept.events["last_rating"] is not None

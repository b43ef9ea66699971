"""Frozen is frozen: a late rating and a merge are told of and change nothing; many at once bring once; a recount agrees."""

import re
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest
from sqlalchemy import event
from sqlalchemy.exc import DBAPIError
from tests.assessing import close_due, handled, publish_scheme
from tests.site import GOOD, Driver, at, build, keys_for, story, unit
from tests.stories.test_kuiwen_assessment import UNITS

from wuye_loop.domain.grievance.situation import SYSTEM_ACTOR, Actor
from wuye_loop.domain.language.forms import NAME
from wuye_loop.domain.terms import ActorKind
from wuye_loop.loop.evaluate import closing, publication, schedule, scores
from wuye_loop.loop.evaluate.credit import add_credit, end_credit
from wuye_loop.loop.evaluate.exits import LEAVING
from wuye_loop.loop.evaluate.scores import Said
from wuye_loop.loop.figures import scoring
from wuye_loop.queries.assessment import bulletin, credit, drift
from wuye_loop.store.assessment import periods
from wuye_loop.store.assessment.periods import FigureRow
from wuye_loop.store.database import Database
from wuye_loop.store.directory import load as directory

pytestmark = pytest.mark.anyio

MINIMAL = """kind: assessment
name: small
version: 1
title: 小考核
workflow: kuiwen@2
subjects: {are: company, peers: {area: street}}
measures:
  satisfaction: {title: 满意率, rate: ratings, rating: resident, over: {contacted: true}}
  volume: {title: 诉求量, count: grievances}
periods:
  month:
    every: month
    figures: [volume]
    items: [{title: 满意, weight: 100, from: satisfaction, missing: zero}]
    lists: {low: {title: 后五位, last: 5, brings: [cut, rectify]}}
    publishes: at_close
consequences:
  cut: {credit: low}
  rectify: {open: {source: bottom_five, title: "{period}整改", extra: {month: period, rank: from_last}}}
credit: {base: 100, items: {low: {title: 后五位, points: -2}}}
"""


@pytest.fixture
async def drive(database: Database, tmp_path: Path) -> AsyncIterator[Driver]:
    """Monday 2 March 2026, nine in the morning, with a scheme of a month and nothing else."""
    town = build(database, data=tmp_path, workflow="kuiwen@2", units=UNITS, keys=keys_for(UNITS))
    publish_scheme(town, "small@1", MINIMAL)
    async with story(town) as driver:
        yield driver


def looked(drive: Driver) -> drift.Drift:
    with drive.town.database.read() as session:
        return drift.looked_over(drive.town.site.loop, session)


async def two_cases(drive: Driver) -> tuple[str, str]:
    numbers = []
    for n, company in enumerate(("1", "2")):
        number = await drive.push(f"a{n}", place={"estate": f"E1{company}"}, category="维修资金", body=f"第 {n} 件")
        numbers.append(number)
    await handled(drive, numbers[0], "housing")
    return numbers[0], numbers[1]


async def test_six_sweepers_close_a_period_once_and_bring_what_it_brings_once(drive: Driver) -> None:
    await two_cases(drive)
    town = drive.town
    town.advance(at("2026-04-01 00:00"))
    with ThreadPoolExecutor(6) as pool:
        done = list(pool.map(lambda _: close_due(town), range(6)))
    assert sum(done) == 1
    assert town.scalar("SELECT count(*) FROM assessment WHERE state = 'published'") == 1
    assert town.scalar("SELECT count(*) FROM consequence") == 4
    assert town.scalar("SELECT count(*) FROM credit") == 2
    assert town.scalar("SELECT count(*) FROM grievance WHERE channel = '月度考核'") == 2


async def test_a_kill_in_the_middle_leaves_nothing_and_the_next_does_all_of_it(
    drive: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    await two_cases(drive)
    town = drive.town
    town.advance(at("2026-04-01 00:00"))
    calls = []

    def dying(*args: object, **more: object) -> object:
        calls.append(args)
        if len(calls) == 2:
            raise ConnectionError
        return real(*args, **more)  # type: ignore[arg-type]

    real = publication._once
    monkeypatch.setattr(publication, "_once", dying)
    assert close_due(town) == 0
    assert town.scalar("SELECT count(*) FROM credit") == 0
    assert town.scalar("SELECT count(*) FROM consequence") == 0
    monkeypatch.setattr(publication, "_once", real)
    assert close_due(town) == 1
    assert town.scalar("SELECT count(*) FROM credit") == 2
    assert drive.log.getvalue().count("period_not_closed") == 1


NOBODY = MINIMAL.replace("source: bottom_five,", "source: inspection, by: branch,").replace(
    "extra: {month: period, rank: from_last}", "extra: {aspect: 杂物堆放}"
)


async def test_what_cannot_be_published_is_closed_told_of_and_tried_later_and_later(drive: Driver) -> None:
    town = drive.town
    publish_scheme(town, "other@1", NOBODY.replace("name: small", "name: other"))  # nobody here is a party branch
    await two_cases(drive)
    town.clock.set(at("2026-04-01 09:00"))

    def stands() -> tuple[str, int, float]:
        row = town.rows("SELECT state, tries, retry_at FROM assessment WHERE name = 'other' ORDER BY starts LIMIT 1")[0]
        return row.state, row.tries, (row.retry_at - town.now).total_seconds() / 60

    assert close_due(town) == 1  # the other scheme goes on
    assert stands() == ("closed", 1, 0)
    for tries, wait in ((2, 1), (3, 2), (4, 4)):
        assert close_due(town) == 0
        assert stands() == ("closed", tries, wait)
        assert close_due(town) == 0
        assert stands() == ("closed", tries, wait)  # not before its time
        town.clock.set(town.now + timedelta(minutes=wait))
    assert town.scalar("SELECT count(*) FROM consequence WHERE name = 'other'") == 0
    with town.database.read() as session:
        (told,) = periods.stuck(session)
    assert (told.period, told.tries, told.trouble) == ("2026-03", 4, "目录里没有“小区党支部”，不能立案整改")

    branches = [unit(code, code, "community", "370701001", None, "party-branch") for code in ("b1", "b2")]
    more = UNITS | {"units": [*UNITS["units"], *branches]}
    town.run(lambda session: directory.load_directory(session, more))
    assert close_due(town) == 1
    # Of two with this duty the same one opens it that the workflow's own role stands for, or the door would be shut.
    opened = town.rows(
        "SELECT actor->>'unit' AS unit FROM ledger WHERE action = 'receive' AND actor->>'unit' LIKE 'b_'"
    )
    assert [row.unit for row in opened] == ["b1", "b1"]
    with town.database.read() as session:
        assert periods.stuck(session) == []


async def test_a_merge_after_the_freeze_is_told_and_changes_nothing(drive: Driver) -> None:
    first, second = await two_cases(drive)
    drive.town.advance(at("2026-04-01 00:00"))
    close_due(drive.town)
    assert looked(drive) == drift.Drift(1, [], [])
    drive.town.run(
        lambda session: session.connection().exec_driver_sql(
            "UPDATE grievance SET merged_into = (SELECT id FROM grievance WHERE number = %(first)s)"
            " WHERE number = %(second)s",
            {"first": first, "second": second},
        )
    )
    told = looked(drive)
    assert told.broken == []
    assert [words.partition("：")[0] for words in told.drifted] == ["small@1 2026年3月（第 1 版） c2 诉求量"]
    assert "封账时 1，现在 没有" in told.drifted[0]
    table = await drive.get("admin", "/v1/assessments/small/2026-03")
    assert {row["subject"]: row["figures"]["volume"]["value"] for row in table["items"] if row["figures"]} == {
        "c1": "1", "c2": "1",
    }  # fmt: skip
    drive.town.run(lambda session: session.connection().exec_driver_sql("UPDATE grievance SET merged_into = NULL"))


async def test_a_late_rating_is_told_with_the_case_that_it_came_to(drive: Driver) -> None:
    await two_cases(drive)
    drive.town.advance(at("2026-04-01 00:00"))
    close_due(drive.town)
    drive.town.run(
        lambda session: session.connection().exec_driver_sql(
            "UPDATE rating SET satisfied = '不满意' WHERE satisfied = '满意'"
        )
    )
    told = looked(drive)
    (words,) = told.drifted
    assert "满意率：封账时 1/1，现在 0/1" in words
    table = await drive.get("admin", "/v1/assessments/small/2026-03")
    assert next(row for row in table["items"] if row["subject"] == "c1")["total"] == "100.00"
    drive.town.run(
        lambda session: session.connection().exec_driver_sql(
            "UPDATE rating SET satisfied = '满意' WHERE satisfied = '不满意'"
        )
    )


async def test_closing_looks_for_the_cases_of_each_measure_once_and_stores_what_a_draft_says(drive: Driver) -> None:
    publish_scheme(drive.town, "kuiwen@1")
    await two_cases(drive)
    await drive.push("a9", place={"estate": "E13"}, category="维修资金", body="第九件")
    drive.town.advance(at("2026-04-02 09:00"))
    await drive.push("b0", place={"estate": "E12"}, category="维修资金", body="四月", extra={"new_ground": "又坏了"})
    drive.town.advance(at("2026-04-30 09:00"))
    with drive.town.database.read() as session:
        place = schedule.place_of(session, "kuiwen", "2026-04")
        made = scoring.drafted(drive.town.site.loop, session, place.scheme, place.part, place.stretch)
    asked: list[str] = []
    engine = drive.town.database.engine

    def note(_: object, __: object, statement: str, *___: object) -> None:
        if "), facts AS (" in statement:
            asked.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    drive.town.clock.set(at("2026-05-08 09:00"))
    drive.town.run(lambda session: closing.close(drive.town.site.loop, session, "kuiwen", "2026-04", SYSTEM_ACTOR))
    event.remove(engine, "before_cursor_execute", note)
    # Nine measures, of which three count the same orders; the earlier month of the one that grows, and who had orders.
    assert (len(scoring.asked(place.scheme, place.spec)), len(asked)) == (9, 7 + 2)
    with drive.town.database.read() as session:
        one = periods.find(session, "kuiwen", "2026-04")
        assert one is not None
        stored = periods.figures(session, one.id)
    assert sorted(stored, key=keyed) == sorted(made.figures, key=keyed)
    grown = {row.subject: [row.numerator, row.denominator, row.count] for row in stored if row.measure == "grown"}
    # c1 and c3 had one in March and none in April; c2 one in each.
    assert grown == {"c1": [-1, 1, 0], "c2": [0, 1, 1], "c3": [-1, 1, 0]}


def keyed(row: FigureRow) -> tuple[str, str, str]:
    return row.subject, row.peer, row.measure


async def test_what_a_company_earns_its_managers_there_earn_too_and_lose_with_it(drive: Driver) -> None:
    town = drive.town
    managers = [
        unit("m-1", "张家楼项目部", "office", "370701", "c1"),
        unit("m-2", "西关项目部", "office", "370702", "c1"),
        unit("m-3", "别家项目部", "office", "370701", "c9"),
    ]
    companies = [*UNITS["units"], unit("c9", "别家", "company", "370701")]
    town.run(lambda session: directory.load_directory(session, UNITS | {"units": [*companies, *managers]}))
    publish_scheme(town, "carry@1", CARRYING)
    await two_cases(drive)
    town.clock.set(at("2026-04-01 09:00"))
    close_due(town)
    rows = town.rows("SELECT unit, points, cause FROM credit WHERE scheme = 'carry' ORDER BY unit")
    # c1 and c2 are the last five of 东关; c1 has a manager in that street, and one in another.
    assert [(row.unit, row.points, row.cause) for row in rows] == [
        ("c1", -2, "2026-03 后五位 370701"), ("c2", -2, "2026-03 后五位 370701"),
        ("m-1", -1, "2026-03 后五位 370701 随 c1"),
    ]  # fmt: skip
    with town.database.read() as session:
        told = credit.of_unit(town.site.loop, session, SYSTEM_ACTOR, "m-1")
    ledger = next(one for one in told["ledgers"] if one["scheme"] == "carry")
    assert (ledger["points"], ledger["rows"][0]["cause"]) == ("99", "2026-03 后五位 东关街道（随c1 物业）")
    one = town.scalar("SELECT id FROM credit WHERE unit = 'c1' AND scheme = 'carry'")
    town.run(lambda session: end_credit(town.site.loop, session, one, "记错了", SYSTEM_ACTOR))
    with town.database.read() as session:
        told = credit.of_unit(town.site.loop, session, SYSTEM_ACTOR, "m-1")
    assert next(one for one in told["ledgers"] if one["scheme"] == "carry")["points"] == "100"


CARRYING = (
    MINIMAL.replace("name: small", "name: carry")
    .replace("brings: [cut, rectify]", "brings: [cut]")
    .replace("credit: {base: 100,", "credit: {base: 100, carries: {to: manager, share: 0.5},")
)


async def test_a_changed_score_is_seen_by_the_hash(drive: Driver) -> None:
    await two_cases(drive)
    drive.town.advance(at("2026-04-01 00:00"))
    close_due(drive.town)
    drive.town.run(
        lambda session: session.connection().exec_driver_sql("UPDATE result SET total = 99 WHERE subject = 'c1'")
    )
    assert looked(drive).broken == ["small@1 2026年3月（第 1 版）：存下的得分和数字与封账时的哈希不符"]
    drive.town.run(
        lambda session: session.connection().exec_driver_sql("UPDATE result SET total = 100 WHERE subject = 'c1'")
    )


async def test_a_period_missed_while_nobody_worked_is_caught_up_in_order(drive: Driver) -> None:
    await two_cases(drive)
    drive.town.clock.set(at("2026-07-03 00:00"))
    drive.town.advance(timedelta())
    assert close_due(drive.town) == 4
    rows = drive.town.rows("SELECT period FROM assessment WHERE state = 'published' ORDER BY closed_at, closes_at")
    assert [row.period for row in rows] == ["2026-03", "2026-04", "2026-05", "2026-06"]
    await drive.post("supervisor", "/v1/assessments/small/2026-09/close", expect=409)
    empty = await drive.get("supervisor", "/v1/assessments/small/2026-05")
    assert {row["apart"] for row in empty["items"]} == {"本期无工单"}


async def test_the_sum_over_companies_is_the_whole_and_a_recount_from_the_ledger_agrees(drive: Driver) -> None:
    await two_cases(drive)
    drive.town.advance(at("2026-04-01 00:00"))
    close_due(drive.town)
    whole = drive.town.scalar("SELECT count(*) FROM ledger WHERE action = 'receive' AND at < '2026-03-31T16:00Z'")
    assert drive.town.scalar("SELECT sum(numerator) FROM figure WHERE measure = 'volume'") == whole == 2
    rated = drive.town.scalar("SELECT count(*) FROM ledger WHERE action = 'rate'")
    assert drive.town.scalar("SELECT sum(denominator) FROM figure WHERE measure = 'satisfaction'") == rated


async def test_the_cases_of_a_company_in_two_streets_are_those_of_the_group_asked_for(drive: Driver) -> None:
    first = await drive.push("a1", place={"estate": "E17"}, category="维修资金", body="东关的一件")
    second = await drive.push("a2", place={"estate": "E20"}, category="维修资金", body="西边的一件")
    drive.town.advance(at("2026-04-01 00:00"))
    close_due(drive.town)

    async def cases(more: str) -> set[str]:
        page = await drive.get("supervisor", f"/v1/assessments/small/2026-03/c7/cases?item=volume{more}")
        return {row["number"] for row in page["items"]}

    assert await cases("") == {first, second}
    assert await cases("&peer=370701") == {first}
    assert await cases("&peer=370702&revision=1") == {second}
    assert await cases("&peer=") == set()


async def test_voices_that_come_at_once_all_count_and_closing_waits_for_them(
    database: Database, tmp_path: Path
) -> None:
    town = build(database, data=tmp_path, workflow="kuiwen@2", units=UNITS, keys=keys_for(UNITS))
    publish_scheme(town, "kuiwen@1")
    loop, hotline = town.site.loop, Actor(ActorKind.HOTLINE)

    def said(score: int, flat: str) -> Said:
        return Said("owners", "c1", "370701", Decimal(score), {}, flat)

    def closing() -> None:
        with town.database.begin() as session:
            session.connection().exec_driver_sql("SET LOCAL lock_timeout = '200ms'")
            session.connection().exec_driver_sql("SELECT 1 FROM assessment WHERE period = '2026-03' FOR UPDATE")

    with town.database.begin() as first:
        assert scores.enter(loop, first, "kuiwen", "2026-03", said(90, "1-101"), hotline)

    def speaks(flat: str) -> bool:
        with town.database.begin() as session:
            return scores.enter(loop, session, "kuiwen", "2026-03", said(70, flat), hotline)

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(speaks, [f"1-{n}" for n in range(102, 118)]))
    with town.database.begin() as one:
        assert scores.enter(loop, one, "kuiwen", "2026-03", said(80, "1-201"), hotline)
        with ThreadPoolExecutor(1) as pool, pytest.raises(DBAPIError):
            pool.submit(closing).result()
    assert town.scalar("SELECT count(*) FROM voice") == 18


THREE = """measures:
  responded: {title: 响应率, rate: ratings, rating: resident, figure: response}
  solved: {title: 解决率, rate: ratings, rating: resident, figure: solved}
  three: {title: 三率, composite: {responded: 30, solved: 40, satisfaction: 30}}
"""
COMPOSED = (
    MINIMAL.replace("name: small", "name: three")
    .replace("measures:\n", THREE)
    .replace("from: satisfaction, missing: zero", "from: three")
    .replace(", over: {contacted: true}", "")
    .replace("figures: [volume]", "figures: [volume, three]")
    .replace("    publishes: at_close", "    bulletin: {title: 三率通报}\n    publishes: at_close")
)


async def test_a_composed_figure_is_one_in_the_summary_the_score_and_the_bulletin(drive: Driver) -> None:
    town = drive.town
    publish_scheme(town, "three@1", COMPOSED)
    numbers = []
    for n in "12":
        ground = {"new_ground": f"第 {n} 次"}
        numbers.append(
            await drive.push(f"a{n}", place={"estate": "E11"}, category="维修资金", body=f"第 {n} 件", extra=ground)
        )
    await handled(drive, numbers[0], "housing", GOOD | {"solved": "部分解决", "satisfied": "基本满意"})
    await handled(drive, numbers[1], "housing", GOOD)
    # All were contacted, one of two solved, 1.9 of 2 satisfied: 30 + 20 + 28.5.
    total = (await drive.get("admin", "/v1/supervision/summary"))["total"]
    assert total["composite"] == {
        "title": "三率综合", "weights": {"response": 30, "solved": 40, "satisfaction": 30}, "rate": 0.785,
    }  # fmt: skip
    town.advance(at("2026-04-02 00:00"))
    close_due(town)
    table = await drive.get("admin", "/v1/assessments/three/2026-03")
    row = next(row for row in table["items"] if row["subject"] == "c1")
    assert (row["total"], row["figures"]["three"]["value"]) == ("78.50", "78.5")
    found = await drive.get("admin", "/v1/assessments/three/2026-03/c1")
    (item,) = found["groups"][0]["items"]
    assert (item["points"], item["figure"]["title"]) == ("78.5", "三率")
    with town.database.read() as session:
        place = schedule.place_of(session, "three", "2026-03")
        one = periods.find(session, "three", "2026-03")
        assert one is not None
        told = bulletin.totals(place, periods.figures(session, one.id), whole=True)
        assert bulletin.totals(place, periods.sums(session, one.id), whole=True) == told
    assert (told["three"].value, told["solved"].value) == (Fraction(157, 2), Fraction(50))
    assert looked(drive).broken == []


async def test_a_bulletin_reads_the_cases_of_its_own_period_and_of_none_that_it_is_compared_with(drive: Driver) -> None:
    text = MINIMAL.replace("    publishes: at_close", "    bulletin: {title: 月报}\n    publishes: at_close")
    publish_scheme(drive.town, "told@1", text.replace("name: small", "name: told"))
    await two_cases(drive)
    drive.town.clock.set(at("2026-06-03 00:00"))
    close_due(drive.town)
    asked: list[str] = []
    engine = drive.town.database.engine

    def note(_: object, __: object, statement: str, *___: object) -> None:
        if "cardinality(figure.cases)" in statement:  # they lie in a place of their own: all of them are fetched
            asked.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    with drive.town.database.read() as session:
        made = bulletin.of_period(drive.town.site.loop, session, SYSTEM_ACTOR, "told", "2026-05")
    event.remove(engine, "before_cursor_execute", note)
    (trend,) = [sheet for sheet in made.sheets if sheet.title == "近几期"]
    assert [row[0] for row in trend.rows] == ["2026年3月", "2026年4月", "2026年5月"]
    assert [row[trend.columns.index("诉求量")] for row in trend.rows] == [2, 0, 0]
    assert len(asked) == 1


def test_what_a_fall_brought_is_noted_under_a_name_that_no_list_can_have() -> None:
    assert re.fullmatch(NAME, LEAVING) is None


OF_UNITS = (
    MINIMAL.replace("name: small", "name: offices")
    .replace("are: company, peers: {area: street}", "are: unit, kinds: [department]")
    .replace("consequences:\n", "consequences:\n  leave: {credit: left}\n")
    .replace(
        "points: -2}}",
        "points: -2}, left: {title: 退出, points: -1}}, exit: {title: 退出, when: {below: 99}, brings: [leave]}",
    )
)


async def test_a_unit_that_is_assessed_itself_leaves_as_a_company_does_and_stands_in_the_list_of_credit(
    drive: Driver,
) -> None:
    town = drive.town
    publish_scheme(town, "offices@1", OF_UNITS)
    with town.database.begin() as session:
        for code in ("tax", "company-1"):  # a department; and what this scheme does not assess
            add_credit(town.site.loop, session, "offices", code, "low", "查", SYSTEM_ACTOR)
    close_due(town)
    close_due(town)
    rows = town.rows("SELECT unit, item FROM credit WHERE scheme = 'offices' ORDER BY unit, item")
    assert [(row.unit, row.item) for row in rows] == [("company-1", "low"), ("tax", "left"), ("tax", "low")]
    with town.database.read() as session:
        told = credit.every(town.site.loop, session, SYSTEM_ACTOR)
    listed = {one["unit"] for one in told if one["scheme"] == "offices"}
    assert listed == {"company-1"} | {one["code"] for one in UNITS["units"] if one["kind"] == "department"}


BLACK = (
    MINIMAL.replace("name: small", "name: yellow")
    .replace("version: 1", "version: 3")
    .replace(
        "lists: {low: {title: 后五位, last: 5, brings: [cut, rectify]}}",
        "lists: {black: {title: 黑榜, when: {yellow: {running: 2}}, or: {yellow: {in_year: 3}}, brings: [cut]},"
        " yellow: {title: 黄牌, below: 60}}",
    )
    .replace("consequences:\n  cut: {credit: low}\n  rectify:", "consequences:\n  cut: {credit: low}\n  spare:")
)


async def test_two_months_running_go_over_the_years_end_and_three_of_a_year_do_not(
    database: Database, tmp_path: Path
) -> None:
    """c1 is yellow in December and January; c2 in November, January, March and May: May is the third of its year.

    A new version of the scheme in February counts on where the old one was.
    """
    town = build(
        database, data=tmp_path, workflow="kuiwen@2", units=UNITS, keys=keys_for(UNITS), start=at("2025-11-03 09:00")
    )
    publish_scheme(town, "yellow@3", BLACK)
    yellow = {
        "2025-11": "2",
        "2025-12": "1",
        "2026-01": "12",
        "2026-02": "",
        "2026-03": "2",
        "2026-04": "",
        "2026-05": "2",
    }
    async with story(town) as drive:
        for month, companies in yellow.items():
            town.clock.set(max(town.now, at(f"{month}-03 09:00")))
            for one in companies:
                await drive.push(
                    f"{month}-{one}", place={"estate": f"E1{one}"}, category="维修资金", body=f"{month} {one}"
                )
            town.clock.set(at(f"{month}-28 09:00") + timedelta(days=4))
            close_due(town)
            if month == "2026-02":
                publish_scheme(town, "yellow@4", BLACK.replace("version: 3", "version: 4"))
    rows = town.rows(
        "SELECT a.period, r.subject FROM result r JOIN assessment a ON a.id = r.assessment_id"
        " WHERE 'black' = ANY(r.lists) ORDER BY 1, 2"
    )
    assert [tuple(row) for row in rows] == [("2026-01", "c1"), ("2026-05", "c2")]

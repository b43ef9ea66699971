"""Running grievances go over to another version of the rules: nothing restarts, nothing fires twice, nothing is lost."""

import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.loop.versions import MIGRATES, publish, renamed, version
from tests.site import FINISH, GOOD, Driver, Town, at, build, driving, order, require_sound

from wuye_loop.domain.errors import Conflict, NotFound, WuyeError
from wuye_loop.domain.step.migration.carry import Moved
from wuye_loop.domain.step.migration.mapping import VersionMapping
from wuye_loop.domain.time import clock_moves
from wuye_loop.domain.time.clock_moves import Clock, ClockStatus
from wuye_loop.loop import handle, migrate
from wuye_loop.store.database import Database
from wuye_loop.store.workflows import versions

OLD = "kuiwen@1"
THREE = ("- {is: 5 workdays, source:", "- {is: 3 workdays, source:")
URGENT = {"title": "燃气泄漏", "body": "楼道里燃气泄漏，很急。"}


@pytest.fixture
def town(database: Database, tmp_path: Path) -> Iterator[Town]:
    """Give a town whose ledger must still be true when everybody has moved."""
    own = build(database, data=tmp_path)
    yield own
    require_sound(own)


def way(town: Town, new: str, **options: Any) -> VersionMapping:
    """Return the way from the shipped version."""
    return town.run(lambda session: migrate.mapping(town.site.loop, session, OLD, new, **options))


def go(town: Town, mapping: VersionMapping) -> list[Any]:
    """Take everybody over."""
    return list(migrate.migrate(town.site.loop, town.database, mapping))


def open_clock(town: Town, number: str, name: str) -> Clock:
    """Return the clock of a grievance that is not over."""
    return next(clock for clock in town.clocks(number, name) if clock.status is not ClockStatus.ENDED)


async def street(drive: Driver, external_id: str, *steps: str) -> str:
    """Bring a case about charges as far as the steps say."""
    number = await drive.push(external_id, category="违规收费")
    await drive.walk(number, *steps)
    return number


@pytest.mark.anyio
async def test_a_clock_goes_over_with_the_time_that_has_passed(town: Town) -> None:
    async with driving(town) as drive:
        number = await street(drive, "a1", "accept", "sign")
        done = await street(drive, "a2", "accept", "sign", "finish", "approve", "call_back", "rate")
        town.advance(at("2026-03-06 18:00"))  # the yellow card of -1 workday has been shown
        before = open_clock(town, number, "handle")
        assert [rung.index for rung in before.rungs if rung.fired_at] == [0]
        found = go(town, way(town, publish(town, renamed())))
        after = open_clock(town, number, "process")
        assert (after.id, after.started_at, after.due_at, after.limit, after.adjustments, after.rungs) == (
            before.id, before.started_at, before.due_at, before.limit, before.adjustments, before.rungs,
        )  # fmt: skip
        assert [(item.number, item.from_state, item.to_state) for item in found] == [(number, "handling", "working")]
        row = town.folder(number).entries[-1]
        assert (row.action, row.from_state, row.to_state) == ("migrate", "handling", "working")
        assert (row.facts["from"], row.facts["to"]) == (OLD, "kuiwen@2")
        assert row.facts["names"] == {"states": {"handling": "working"}, "clocks": {"handle": "process"}}
        record = town.grievance(number)
        assert (record.workflow, record.state, record.due_clock) == ("kuiwen@2", "working", "process")
        assert (town.grievance(done).workflow, town.grievance(done).state) == (OLD, "closed")
        town.advance(at("2026-03-10 18:00"))
        assert town.actions(number).count("rung:process") == 1  # red card at due; the yellow one is not shown again
        assert town.grievance(number).state == "supervised"
        await drive.act("market", number, "finish", FINISH)
        await drive.walk(number, "approve", "call_back")
        await drive.act("hotline", number, "rate", GOOD)
        assert town.grievance(number).state == "closed"


@pytest.mark.anyio
async def test_who_comes_late_finds_everything_still_readable(town: Town) -> None:
    async with driving(town) as drive:
        number = await street(drive, "a1", "accept", "sign")
        task = (await drive.open("market", number, "extension", {"days": 2, "reason": "等配件"}))["id"]
        await drive.on_task("command-office", task, "approve")
        second = (await drive.open("market", number, "extension", {"days": 3, "reason": "还在等"}))["id"]
        due = open_clock(town, number, "handle").due_at
        go(town, way(town, publish(town, renamed())))
        tasks = {
            item["id"]: item for item in (await drive.get("supervisor", f"/v1/grievances/{number}/tasks"))["items"]
        }
        assert tasks[second]["state"] == "applied"
        for path in ("", "/ledger", "/clocks", "/routing", "/actions"):
            await drive.get("supervisor", f"/v1/grievances/{number}{path}")
        assert open_clock(town, number, "process").due_at == due
        await drive.on_task("command-office", second, "approve")
        assert open_clock(town, number, "process").due_at > due
        again = await drive.post("hotline", "/v1/grievances", order("a1", category="违规收费"), expect=200)
        assert again["workflow"] == OLD  # the same answer for ever


@pytest.mark.anyio
async def test_a_limit_asked_for_anew_counts_from_the_same_start(town: Town) -> None:
    async with driving(town) as drive:
        number = await street(drive, "a1", "accept", "sign")
        kept = await street(drive, "a2", "accept", "sign", "finish")
        before = open_clock(town, number, "handle")
        assert before.due_at == at("2026-03-09 17:30")
        town.advance(at("2026-03-05 10:00"))
        (found,) = [item for item in go(town, way(town, publish(town, renamed(2, THREE)), new_limits=True))
                    if item.number == number]  # fmt: skip
        after = open_clock(town, number, "process")
        assert (after.started_at, after.due_at) == (before.started_at, at("2026-03-05 17:30"))
        # -1 workday would have been yesterday at closing: passed over and said so, not fired late.
        assert found.clocks[0].skipped == (0,)
        assert [rung.skipped for rung in after.rungs][:2] == [True, False]
        assert any("不再补发" in words for words in found.warnings)
        town.advance(at("2026-03-05 17:31"))
        fired = [row.facts["rung"] for row in town.folder(number).entries if row.action == "rung:process"]
        assert fired == [1]
        assert town.clocks(kept, "process")[-1].status is ClockStatus.ENDED
        # The calendar is looked at again: what was passed over stays passed over.
        calendar = town.run(
            lambda session: town.site.loop.reference.calendar(session, way(town, "kuiwen@2").new.workflow.calendar)
        )
        late = open_clock(town, number, "process")
        assert clock_moves.recompute(late, calendar).rungs == late.rungs


@pytest.mark.anyio
async def test_rungs_of_the_new_ladder_that_lie_behind_never_fire_together(town: Town) -> None:
    yellow = "      - {at: -1 workday, do: yellow_card, to: handler}\n"
    reminders = (
        "      - {at: -4 workdays, do: remind, to: handler}\n      - {at: -3 workdays, do: urge_notice, to: handler}\n"
    )
    ladder = (yellow, reminders + yellow)
    async with driving(town) as drive:
        number = await street(drive, "a1", "accept", "sign")
        town.advance(at("2026-03-06 18:00"))
        (found,) = go(town, way(town, publish(town, version(2, ladder))))
        assert found.clocks[0].skipped == (0, 1)
        assert town.sweep().fired == 0
        clock = open_clock(town, number, "handle")
        assert [rung.index for rung in clock.rungs if rung.fired_at] == [2]  # the yellow card stands third now
        assert town.rows("SELECT idx FROM rung WHERE clock_id = %(id)s AND fired_at IS NOT NULL", id=clock.id) == [(2,)]
        town.advance(at("2026-03-09 17:31"))
        assert town.grievance(number).state == "supervised"


@pytest.mark.anyio
async def test_a_rung_that_only_waits_for_the_sweep_is_not_lost(town: Town) -> None:
    async with driving(town) as drive:
        number = await street(drive, "a1", "accept", "sign")
        town.clock.set(at("2026-03-09 17:31"))  # due and nobody has swept
        go(town, way(town, publish(town, renamed())))
        assert town.sweep().fired >= 1
        assert town.grievance(number).state == "supervised"


@pytest.mark.anyio
async def test_a_state_without_a_place_stops_everything_before_it_begins(town: Town) -> None:
    async with driving(town) as drive:
        first = await street(drive, "a1", "accept", "sign")
        await street(drive, "a2", "accept", "sign")
        await street(drive, "a3", "accept")
        task = await drive.open("market", first, "extension", {"days": 2, "reason": "等配件"})
        mapping = way(town, publish(town, renamed(2, migrates="")))
        found = migrate.survey(town.site.loop, town.database, mapping)
        said = {(gap.what, gap.name): told for gap, told in found.missing.items()}
        assert said == {
            ("状态", "handling"): (2, first),
            ("任务状态", "extension/asked"): (1, first),
            ("时限", "handle"): (3, first),
        }
        assert task["state"] == "asked"
        assert town.scalar("SELECT count(*) FROM grievance WHERE workflow <> %(old)s", old=OLD) == 0


@pytest.mark.anyio
async def test_a_holder_that_nobody_is_and_a_final_place_are_no_places(town: Town) -> None:
    gone = ("unit: property-centre}", "unit: nobody-there}")
    closes = MIGRATES.replace("{handling: working}", "{handling: closed}")
    async with driving(town) as drive:
        await drive.push("a1")
        await street(drive, "a2", "accept", "sign")
        homeless = migrate.survey(town.site.loop, town.database, way(town, publish(town, version(2, gone))))
        assert {(gap.what, gap.name) for gap in homeless.missing} == {("角色", "dispatcher")}
        over = migrate.survey(town.site.loop, town.database, way(town, publish(town, renamed(3, migrates=closes))))
        assert {(gap.what, gap.name) for gap in over.missing} == {("状态", "handling")}


@pytest.mark.anyio
async def test_looking_changes_nothing_and_says_what_moving_then_does(town: Town) -> None:
    async with driving(town) as drive:
        for n in range(3):
            await street(drive, f"a{n}", "accept", "sign")
        mapping = way(town, publish(town, renamed()))
        before = [tuple(row) for row in town.rows("SELECT seq, state, workflow, head FROM grievance ORDER BY id")]
        found = migrate.survey(town.site.loop, town.database, mapping)
        assert [
            tuple(row) for row in town.rows("SELECT seq, state, workflow, head FROM grievance ORDER BY id")
        ] == before
        assert go(town, mapping) == found.moved


@pytest.mark.anyio
async def test_what_was_interrupted_goes_on_where_it_stopped(town: Town) -> None:
    async with driving(town) as drive:
        numbers = [await street(drive, f"a{n}", "accept") for n in range(4)]
        mapping = way(town, publish(town, renamed()))
        begun: list[Any] = []
        for item in migrate.migrate(town.site.loop, town.database, mapping, stopped=lambda: len(begun) == 2):
            begun.append(item)  # noqa: PERF402 it is counted while it grows
        assert town.scalar("SELECT count(*) FROM grievance WHERE workflow = 'kuiwen@2'") == 2
        rest = go(town, mapping)
        assert [item.number for item in (*begun, *rest)] == numbers
        assert all(town.actions(number).count("migrate") == 1 for number in numbers)
        assert go(town, mapping) == []


def test_a_version_that_is_not_published_and_the_same_one_are_refused(town: Town) -> None:
    with pytest.raises(NotFound, match="kuiwen@9"):
        way(town, "kuiwen@9")
    with pytest.raises(Conflict):
        way(town, OLD)


@pytest.mark.anyio
async def test_what_ended_in_a_place_without_a_way_meanwhile_stays_and_is_said(town: Town) -> None:
    no_way = MIGRATES.replace("{handling: working}", "{}")
    async with driving(town) as drive:
        number = await street(drive, "a1", "accept")
        mapping = way(town, publish(town, renamed(2, migrates=no_way)))
        assert not migrate.survey(town.site.loop, town.database, mapping).missing
        await drive.walk(number, "sign")
        ((stays, missing),) = go(town, mapping)
        assert (stays, [gap.name for gap in missing]) == (number, ["handling"])
        assert town.grievance(number).workflow == OLD


@pytest.mark.anyio
async def test_a_merged_one_comes_back_to_the_state_that_its_state_has_become(town: Town) -> None:
    async with driving(town) as drive:
        lead = await street(drive, "a1", "accept", "sign")
        number = await street(drive, "a2", "accept", "sign")
        await drive.act("property-centre", number, "merge", {"into": lead, "reason": "同一件"})
        town.advance(timedelta(days=1))
        go(town, way(town, publish(town, renamed())))
        assert open_clock(town, number, "process").status is ClockStatus.PAUSED
        await drive.act("property-centre", number, "unmerge", {"reason": "不是一件"})
        assert town.grievance(number).state == "working"
        assert open_clock(town, number, "process").status is ClockStatus.RUNNING


@pytest.mark.anyio
async def test_a_unit_that_acts_at_the_same_moment_acts_before_or_after(town: Town) -> None:
    async with driving(town) as drive:
        numbers = [await street(drive, f"a{n}", "accept") for n in range(12)]
        mapping = way(town, publish(town, renamed()))
        begin = threading.Barrier(2)
        refused: list[WuyeError] = []

        def sign() -> None:
            begin.wait()
            for number in numbers:
                try:
                    with town.database.begin() as session:
                        handle.act(town.site.loop, session, number, "sign", town.actors["market"], {})
                except WuyeError as error:
                    refused.append(error)

        acting = threading.Thread(target=sign)
        acting.start()
        begin.wait()
        found = go(town, mapping)
        acting.join()
        assert refused == []
        assert [type(item) for item in found] == [Moved] * 12
        orders = {tuple(town.actions(number)[-2:]) for number in numbers}
        assert orders <= {("sign", "migrate"), ("migrate", "sign")}
        assert {town.grievance(number).state for number in numbers} == {"working"}


@pytest.mark.anyio
async def test_new_clocks_of_the_new_version_start_with_the_move(town: Town) -> None:
    promise = "  promise:\n    title: 承诺时限\n"
    first = """  first_contact:
    title: 联系时限
    during: [handling]
    limit: [{is: 1 workday}]
    ladder: [{at: due, do: remind, to: handler}]
"""
    contact = (promise, first + promise)
    async with driving(town) as drive:
        number = await street(drive, "a1", "accept", "sign")
        town.advance(at("2026-03-04 10:00"))
        (found,) = go(town, way(town, publish(town, version(2, contact))))
        assert open_clock(town, number, "first_contact").started_at == town.now
        assert any("联系时限" in words for words in found.warnings)


@pytest.mark.anyio
async def test_what_is_over_is_read_by_the_rules_it_happened_under(town: Town) -> None:
    other = (("  extension:\n", "  prolonging:\n"), ("  finish:\n", "  report:\n"), ("  sign:\n    title: 签收时限", "  receipt:\n    title: 签收时限"))  # fmt: skip
    async with driving(town) as drive:
        number = await street(drive, "a1", "accept", "sign")
        task = (await drive.open("market", number, "extension", {"days": 2, "reason": "等配件"}))["id"]
        await drive.on_task("command-office", task, "approve")
        await drive.walk(number, "finish")
        await drive.act("property-centre", number, "reject", {"reason": "答非所问"})
        before = await drive.get("market", f"/v1/grievances/{number}/ledger")
        clocks_before = await drive.get("market", f"/v1/grievances/{number}/clocks")
        town.advance(timedelta(minutes=5))
        found = go(town, way(town, publish(town, version(2, *other))))
        assert [item.from_state for item in found] == ["handling"]
        after = await drive.get("market", f"/v1/grievances/{number}/ledger")
        assert after["items"][:-1] == before["items"]  # also: what was internal then is internal now
        assert "换了门机" not in str(after)
        assert after["items"][-1]["title"] == "改按新版流程办理"
        titles = [item["title"] for item in (await drive.get("market", f"/v1/grievances/{number}/clocks"))["items"]]
        assert titles == [item["title"] for item in clocks_before["items"]]
        shown = await drive.get("market", f"/v1/tasks/{task}")
        assert (shown["title"], shown["state_title"]) == ("延期申请", "已同意")


@pytest.mark.anyio
async def test_a_version_that_grievances_migrated_from_stays_to_read_them_by(town: Town) -> None:
    async with driving(town) as drive:
        number = await street(drive, "a1", "accept")
        go(town, way(town, publish(town, renamed())))
        with pytest.raises(Conflict, match=f"1 件诉求曾按 {OLD} 办理，后来迁到别的版本，如 {number}"):
            town.run(lambda session: versions.remove(session, OLD))
        assert OLD in town.run(versions.published)


@pytest.mark.anyio
async def test_a_grievance_is_read_though_its_first_version_is_gone(town: Town) -> None:
    async with driving(town) as drive:
        number = await street(drive, "a1", "accept", "sign")
        go(town, way(town, publish(town, renamed())))
        delete = "DELETE FROM workflow WHERE id = 'kuiwen@1' RETURNING to_jsonb(workflow)::text"
        gone = town.run(lambda session: session.connection().exec_driver_sql(delete).scalar_one())
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(town.site.loop.reference, "_rules", {})  # as a server that starts now knows nothing of it
            for part in ("", "/ledger", "/clocks"):
                await drive.get("admin", f"/v1/grievances/{number}{part}")
    back = "INSERT INTO workflow SELECT * FROM jsonb_populate_record(NULL::workflow, %(gone)s::jsonb)"
    town.run(lambda session: session.connection().exec_driver_sql(back, {"gone": gone}))


@pytest.mark.anyio
async def test_a_damaged_record_stays_and_is_named_and_the_others_go_over(town: Town) -> None:
    async with driving(town) as drive:
        bad, good = await street(drive, "a1", "accept"), await street(drive, "a2", "accept")
    kept = town.rows("SELECT id, packed FROM clock")
    broken = "UPDATE clock SET packed = NULL WHERE grievance_id = (SELECT id FROM grievance WHERE number = %(number)s)"
    town.run(lambda session: session.connection().exec_driver_sql(broken, {"number": bad}))
    mapping = way(town, publish(town, renamed()))
    assert [moved.number for moved in migrate.survey(town.site.loop, town.database, mapping).moved] == [good]
    found = go(town, mapping)
    assert [item.number if isinstance(item, Moved) else item for item in found] == [(bad, []), good]
    back = "UPDATE clock SET packed = %(packed)s WHERE id = %(id)s AND packed IS NULL"
    with town.database.begin() as session:
        for row in kept:
            session.connection().exec_driver_sql(back, {"id": row[0], "packed": row[1]})

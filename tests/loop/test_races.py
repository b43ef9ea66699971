"""Many at once on one database: each race has one winner, and what is left behind is as if they had come in turn."""

import asyncio
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, text
from tests.api.test_papers import found, line, notice, town_of, workflow_text
from tests.loop.six_sweepers import sweep_while_connections_die
from tests.site import SEND_BACK, Driver, Town, build, driving, order, require_sound, urged_freely

from wuye_loop.domain.errors import DailyLimit, WuyeError
from wuye_loop.domain.grievance.order import IntakeForm
from wuye_loop.domain.grievance.situation import SYSTEM_ACTOR
from wuye_loop.loop import collect, escalate, handle
from wuye_loop.queries.verification import verify as audit
from wuye_loop.store.database import Database
from wuye_loop.store.grievance import locking


@pytest.fixture
def town(database: Database, tmp_path: Path) -> Iterator[Town]:
    """Give a town whose ledger must still be true when the race is over."""
    own = urged_freely(build(database, data=tmp_path))
    yield own
    require_sound(own)


async def at_once(*requests: Any) -> list[Any]:
    """Await all of them together."""
    return list(await asyncio.gather(*requests))


async def patiently(drive: Driver, path: str, tries: int = 20) -> Any:
    """Act; where the lock was not to be had in time, which writes nothing, act again."""
    answer = await drive.send("hotline", path)
    return await patiently(drive, path, tries - 1) if answer.status_code == 503 and tries else answer


def statuses(answers: list[Any]) -> Counter[int]:
    """Count the answers by their status."""
    return Counter(answer.status_code for answer in answers)


@pytest.mark.anyio
async def test_of_two_who_act_at_once_one_wins_and_the_other_is_told(town: Town) -> None:
    async with driving(town) as drive:
        for n in range(10):
            number = await drive.push(f"a{n}")
            path = f"/v1/grievances/{number}/actions/accept"
            answers = await at_once(*(drive.send("property-centre", path) for _ in range(2)))
            assert statuses(answers) == {200: 1, 409: 1}
            path = f"/v1/grievances/{number}/actions/urge"
            seq = town.grievance(number).seq
            answers = await at_once(*(drive.send("hotline", path, seq=seq) for _ in range(2)))
            assert statuses(answers) == {200: 1, 412: 1}
            stale = next(answer.json() for answer in answers if answer.status_code == 412)
            assert stale["seq"] == seq + 1


@pytest.mark.anyio
async def test_the_same_intake_twenty_times_at_once_is_one_grievance(town: Town) -> None:
    async with driving(town) as drive:
        answers = await at_once(*(drive.send("hotline", "/v1/grievances", order()) for _ in range(20)))
        assert statuses(answers) == {201: 1, 200: 19}
        first = answers[0].json()
        assert all(answer.json() == first for answer in answers)
        assert town.scalar("SELECT count(*) FROM grievance") == 1
        assert town.scalar("SELECT count(*) FROM complainant") == 1
        other = await drive.send("hotline", "/v1/grievances", order(body="别的事"))
        assert other.status_code == 409


@pytest.mark.anyio
async def test_the_same_idempotency_key_at_once_is_one_action_with_equal_answers(town: Town) -> None:
    async with driving(town) as drive:
        number = await drive.push()
        path = f"/v1/grievances/{number}/actions/urge"
        answers = await at_once(*(drive.send("hotline", path, {"note": "快"}, key="k1") for _ in range(12)))
        assert statuses(answers) == {200: 12}
        assert len({answer.content for answer in answers}) == 1
        assert town.grievance(number).urged == 1
        assert sum(answer.headers.get("idempotent-replayed") == "true" for answer in answers) == 11
        assert (await drive.send("hotline", path, {"note": "慢"}, key="k1")).status_code == 409
        answers = await at_once(*(drive.send("hotline", "/v1/grievances", order("a2"), key="k2") for _ in range(12)))
        assert len({answer.content for answer in answers}) == 1
        assert statuses(answers) == {201: 12}


@pytest.mark.anyio
async def test_a_retry_gets_its_answer_even_where_the_step_took_the_grievance_out_of_sight(town: Town) -> None:
    async with driving(town) as drive:
        number = await drive.push()
        await drive.walk(number, "accept")
        assist = drive.tasks(number, "assist")[0].id
        reasons = {"reason": "无此设备", "legal_basis": "合同第二条"}
        for who, path, form in (
            ("company-1", f"/v1/tasks/{assist}/actions/decline", reasons),
            ("market", f"/v1/grievances/{number}/actions/send_back", SEND_BACK),
        ):
            first = await drive.send(who, path, form, key="k1")
            again = await drive.send(who, path, form, key="k1")
            assert (first.status_code, again.status_code) == (200, 200)
            assert again.content == first.content
            assert again.headers["idempotent-replayed"] == "true"
            assert (await drive.send(who, path, form, key="k2")).status_code == 404
            assert (await drive.send(who, path, {**form, "reason": "材料不全"}, key="k1")).status_code == 409


@pytest.mark.anyio
async def test_many_steps_at_once_on_one_grievance_make_one_unbroken_chain(town: Town) -> None:
    async with driving(town) as drive:
        number = await drive.push()
        path = f"/v1/grievances/{number}/actions/urge"
        answers = await at_once(*(patiently(drive, path) for _ in range(30)))
        assert statuses(answers) == {200: 30}
        assert sorted(answer.json()["seq"] for answer in answers) == list(range(2, 32))
        assert town.grievance(number).urged == 30


@pytest.mark.anyio
async def test_two_grievances_merged_into_each_other_at_once_do_not_make_a_ring(town: Town) -> None:
    async with driving(town) as drive:
        for n in range(8):
            pair = [await drive.push(f"a{n}"), await drive.push(f"b{n}")]
            answers = await at_once(*(merge(drive, one, other) for one, other in (pair, reversed(pair))))
            assert statuses(answers) == {200: 1, 409: 1}, [answer.text for answer in answers]
            merged = [town.grievance(number).merged_into is not None for number in pair]
            followers = [town.grievance(number).followers for number in pair]
            assert sorted(merged) == [False, True]
            assert followers == [int(not one) for one in merged]


async def merge(drive: Driver, one: str, other: str) -> Any:
    """Merge one grievance into another."""
    path = f"/v1/grievances/{one}/actions/merge"
    return await drive.send("property-centre", path, {"into": other, "reason": "同一件事"})


@pytest.mark.anyio
async def test_orders_numbered_at_once_leave_no_gap_and_no_number_twice(town: Town) -> None:
    async with driving(town) as drive:
        numbers = [await drive.push(f"a{n}") for n in range(10)]
        paths = [f"/v1/grievances/{number}/tasks/supervision_order" for number in numbers]
        answers = await at_once(*(drive.send("supervisor", path, {"document": "督办单"}) for path in paths))
        assert statuses(answers) == {201: 10}
        issued = {answer.json()["document_number"] for answer in answers}
        assert issued == {f"奎督〔2026〕{n}号" for n in range(1, 11)}


@pytest.fixture
def city(database: Database, tmp_path: Path) -> Iterator[Town]:
    """Give the sixth city, whose ledger must still be true when the race is over."""
    own = town_of(database, tmp_path)
    yield own
    require_sound(own)


@pytest.mark.anyio
async def test_a_notice_and_steps_on_what_it_names_go_in_turn(city: Town) -> None:
    async with driving(city) as drive:
        numbers = [await found(drive, f"n{n}") for n in range(8)]
        papers = [drive.send("inspection-team", "/v1/documents", notice(*map(line, numbers))) for _ in range(2)]
        signs = [drive.send("company-1", f"/v1/grievances/{number}/actions/sign") for number in numbers]
        answers = await at_once(papers[0], *signs, papers[1])
        assert statuses(answers) == {201: 2, 200: 8}, [answer.text for answer in answers]
        assert city.scalar("SELECT count(*) FROM task WHERE kind = 'problem'") == 16
        for number in numbers:
            chain = [entry.seq for entry in city.folder(number).entries]
            assert chain == list(range(1, len(chain) + 1))


@pytest.mark.anyio
async def test_a_notice_on_a_matter_and_its_follower_never_leaves_half_of_itself(city: Town) -> None:
    async with driving(city) as drive:
        for n in range(4):
            lead, other = await found(drive, f"l{n}"), await drive.push(f"f{n}")
            into = {"into": lead, "reason": "同一事项"}
            drawn = city.scalar("SELECT coalesce(max(n), 0) FROM document_series")
            requests = [
                drive.send("inspection-team", "/v1/documents", notice(line(lead), line(other))) for _ in range(3)
            ]
            path = f"/v1/grievances/{other}/actions"
            merges = [drive.send("desk-centre", f"{path}/{step}", into if step == "merge" else {"reason": "误并"})
                      for step in ("merge", "unmerge", "merge")]  # fmt: skip
            answers = await at_once(*requests, *merges)
            assert set(statuses(answers)) <= {200, 201, 409, 422, 503}, [answer.text for answer in answers]
            assert all("retry-after" in answer.headers for answer in answers if answer.status_code == 503)
            issued = sum(answer.status_code == 201 for answer in answers)
            assert city.scalar("SELECT coalesce(max(n), 0) FROM document_series") == drawn + issued


@pytest.mark.anyio
async def test_an_urge_that_is_refused_after_a_document_was_numbered_leaves_no_gap(
    database: Database, tmp_path: Path
) -> None:
    urge = """actions:
  urge:
    effect: [urged, {document: {kind: 督办单, to: dispatcher}}, {act: hasten}]
  hasten: {title: 加急, from: [received, routing, assigned, handling, supervised, reviewing], by: system, if: {urged: {min: 3}}}
"""
    text = workflow_text().replace("actions:\n", urge, 1)
    town = town_of(database, tmp_path, text)
    async with driving(town) as drive:
        await drive.push("a1")
        body = order("u1", channel="催办", extra={"parent": "a1", "new_ground": "x"})
        made = await drive.post("hotline", "/v1/grievances", body, expect=201)
        assert "unattached" in made["flags"]
    assert town.rows("SELECT * FROM document_series") == []
    assert audit.verify(town.site.loop, town.database).ok


def taken_in(town: Town, count: int) -> list[str]:
    """Take in so many grievances."""
    loop, actor = town.site.loop, town.actors["hotline"]
    forms = [IntakeForm.model_validate(order(f"s{n}")) for n in range(count)]
    with town.database.begin() as session:
        return [collect.collect(loop, session, form, actor).number for form in forms]


def test_four_sweepers_over_a_hundred_due_grievances_fire_each_rung_once(town: Town) -> None:
    numbers = taken_in(town, 100)
    town.clock.advance(timedelta(days=1, hours=2))
    start = threading.Barrier(4)

    def sweeper() -> escalate.Swept:
        start.wait()
        return town.sweep()

    with ThreadPoolExecutor(4) as pool:
        swept = [one.result() for one in [pool.submit(sweeper) for _ in range(4)]]
    left = town.sweep()  # what one sweeper found locked by another is left to it, or to the next round
    assert sum(one.fired for one in swept) + left.fired == 100
    assert sum(one.failed for one in swept) == 0
    fired = town.rows("SELECT grievance_id, count(*) FROM ledger WHERE action = 'rung:accept' GROUP BY 1")
    assert [row[1] for row in fired] == [1] * len(numbers)
    reminders = Counter(unit for instrument, unit in town.notices() if instrument == "remind")
    assert reminders == {"property-centre": 100, "command-office": 100}


def test_six_sweepers_whose_connections_die_fire_each_rung_once(town: Town) -> None:
    numbers = taken_in(town, 150)
    town.clock.advance(timedelta(days=1, hours=2))
    sweep_while_connections_die(town, 4)
    assert town.sweep().failed == 0
    assert town.sweep().fired == 0
    fired = town.rows("SELECT grievance_id, count(*) FROM ledger WHERE action = 'rung:accept' GROUP BY 1")
    assert [row[1] for row in fired] == [1] * len(numbers)
    reminders = Counter(unit for instrument, unit in town.notices() if instrument == "remind")
    assert reminders == {"property-centre": 150, "command-office": 150}


def test_fifty_grievances_with_due_rungs_are_read_in_one_statement_and_written_in_one(town: Town) -> None:
    taken_in(town, 50)
    town.clock.advance(timedelta(days=1, hours=2))
    seen: list[str] = []
    event.listen(town.database.engine, "before_cursor_execute", lambda *args: seen.append(args[2]))
    assert town.sweep().fired == 50
    assert sum("SKIP LOCKED" in one for one in seen) == 1
    assert sum(one.startswith("WITH ledgered") for one in seen) == 1
    assert len(seen) <= 5  # with where the sweep looks, before and after


def test_a_sweep_reads_no_table_whole_that_was_empty_when_the_server_looked_at_it(town: Town) -> None:
    whole = text(
        "SELECT relname, seq_scan FROM pg_stat_user_tables WHERE relname IN ('task', 'procrastinate_jobs', 'document')"
    )
    taken_in(town, 60)
    with town.database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("VACUUM ANALYZE task, document, procrastinate_jobs, procrastinate_events")
    town.database.dispose()  # what a connection counts it tells when it ends
    before = town.run(lambda session: {row.relname: row.seq_scan for row in session.execute(whole)})
    town.clock.advance(timedelta(days=40))
    assert town.sweep().fired > 60
    town.database.dispose()
    assert town.scalar("SELECT count(*) FROM task") >= 60
    assert town.run(lambda session: {row.relname: row.seq_scan for row in session.execute(whole)}) == before


def test_who_waited_for_the_lock_sees_the_clocks_and_tasks_as_they_are_now(town: Town) -> None:
    (number,) = taken_in(town, 1)
    locked, loop = threading.Event(), town.site.loop

    def waiting() -> Any:
        with town.database.begin() as session:
            session.execute(text("SELECT 1"))  # the connection is there before the other commits
            locked.wait()
            return locking.lock(session, number, SYSTEM_ACTOR)

    with ThreadPoolExecutor(1) as pool:
        with town.database.begin() as session:
            handle.act(loop, session, number, "accept", town.actors["property-centre"], {})
            waiter = pool.submit(waiting)
            locked.set()
            blocked_on(town)
        seen = waiter.result()
    assert seen.situation.grievance.state == "assigned"
    assert {clock.name: clock.status.value for clock in seen.situation.clocks.values()} == {
        "accept": "ended", "dispatch": "ended", "sign": "running", "handle": "running", "assist": "running",
    }  # fmt: skip
    assert [task.kind for task in seen.situation.tasks.values()] == ["assist"]


def blocked_on(town: Town) -> None:
    """Wait until some session waits for a lock."""
    pause = threading.Event()
    for _ in range(500):
        if town.scalar(
            "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
        ):
            return
        pause.wait(0.01)
    raise AssertionError("nobody waits")


def urged_at_once(town: Town, threads: int = 6) -> list[str]:
    """Urge one grievance from several threads at once; return the names of the errors."""
    (number,) = taken_in(town, 1)
    start = threading.Barrier(threads)

    def one() -> str | None:
        start.wait()
        try:
            town.run(lambda session: handle.act(town.site.loop, session, number, "urge", town.actors["hotline"], {}))
        except WuyeError:
            raise
        except Exception as error:  # noqa: BLE001 which one is what the test asks
            return type(error).__name__
        return None

    with ThreadPoolExecutor(threads) as pool:
        return [name for name in [task.result() for task in [pool.submit(one) for _ in range(threads)]] if name]


@pytest.fixture
def unlocked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Read the grievance without its lock: a mutant."""
    real: Callable[..., Any] = locking._read

    def read(*args: Any) -> Any:
        return real(*args[:-1], "")

    monkeypatch.setattr(locking, "_read", read)


def test_people_who_urge_at_once_never_get_an_error(town: Town) -> None:
    assert urged_at_once(town) == []


def test_without_the_lock_steps_collide_and_the_numbering_refuses_them(town: Town, unlocked: None) -> None:
    assert set(urged_at_once(town)) & {"IntegrityError", "LostUpdate"}


def test_of_two_who_urge_for_one_complainant_at_once_the_second_is_counted_after_the_first(
    database: Database, tmp_path: Path
) -> None:
    town = build(database, data=tmp_path)
    loop, actor = town.site.loop, town.actors["hotline"]
    person = {"name": "赵一", "phone": "13900000001"}
    forms = [IntakeForm.model_validate(order(f"s{n}", complainant=person)) for n in range(4)]
    with town.database.begin() as session:
        numbers = [collect.collect(loop, session, form, actor).number for form in forms]

    def urge(number: str) -> str:
        try:
            town.run(lambda session: handle.act(loop, session, number, "urge", actor, {}))
        except DailyLimit:
            return "refused"
        return "counted"

    assert [urge(number) for number in numbers[:2]] == ["counted", "counted"]
    with ThreadPoolExecutor(1) as pool:
        with town.database.begin() as session:
            handle.act(loop, session, numbers[2], "urge", actor, {})
            fourth = pool.submit(urge, numbers[3])
            blocked_on(town)
        assert fourth.result() == "refused"

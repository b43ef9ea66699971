"""What fails leaves nothing behind, says so in words, and stops nobody else."""

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, text
from sqlalchemy.orm import Session
from tests.site import Town, build, driving, logging_to_memory, order, require_sound

from wuye_loop.domain.grievance.order import IntakeForm
from wuye_loop.domain.grievance.situation import Command
from wuye_loop.loop import collect, engine
from wuye_loop.store.database import Database

TABLES = (
    "grievance", "complainant", "ledger", "clock", "rung", "task", "document", "document_series", "rating",
    "idempotency_key", "procrastinate_jobs",
)  # fmt: skip
# Only the commit fails: the constraint is looked at when everything has been written.
AT_COMMIT = [
    "\nCREATE FUNCTION planted() RETURNS trigger LANGUAGE plpgsql AS $$\nBEGIN RAISE EXCEPTION 'planted, with 13812345678 in its words'; END $$",
    "CREATE CONSTRAINT TRIGGER planted AFTER INSERT ON ledger DEFERRABLE INITIALLY DEFERRED\n    FOR EACH ROW EXECUTE FUNCTION planted()\n",
]


@pytest.fixture
def town(database: Database, tmp_path: Path) -> Iterator[Town]:
    """Give a town whose ledger must still be true when the failure is over."""
    own = build(database, data=tmp_path)
    with logging_to_memory():
        yield own
    require_sound(own)


def counts(town: Town) -> dict[str, int]:
    """Return how many rows each table has."""
    return {table: town.scalar(f"SELECT count(*) FROM {table}") for table in TABLES}  # noqa: S608 names of ours


def execute(town: Town, *statements: str) -> None:
    """Run statements of the test's own."""
    for statement in statements:
        with town.database.begin() as session:
            session.connection().exec_driver_sql(statement)


@pytest.mark.anyio
async def test_a_commit_that_fails_is_a_500_and_leaves_nothing(town: Town) -> None:
    async with driving(town) as drive:
        number = await drive.push("a1", body="着火了")  # a red line: there are notices to be left or not
        before = counts(town)
        execute(town, *AT_COMMIT)
        steps: list[tuple[str, str, dict[str, Any]]] = [
            ("hotline", "/v1/grievances", order("a2")),
            ("property-centre", f"/v1/grievances/{number}/actions/accept", {}),
            ("supervisor", f"/v1/grievances/{number}/tasks/supervision_order", {"document": "督办单"}),
        ]
        for who, path, body in steps:
            answer = await drive.send(who, path, body, key="k1")
            assert answer.status_code == 500
            assert answer.headers["content-type"] == "application/problem+json"
            assert "planted" not in answer.text
            assert "13812345678" not in answer.text
            assert counts(town) == before
        execute(town, "DROP TRIGGER planted ON ledger")
        for who, path, body in reversed(steps):  # nothing sticks: the same key, the same document number
            assert (await drive.send(who, path, body, key="k1")).status_code in (200, 201)
        assert town.scalar("SELECT string_agg(number, ',') FROM document") == "奎督〔2026〕1号"


@pytest.mark.anyio
@pytest.mark.parametrize("place", range(1, 5))
async def test_whichever_statement_of_a_step_fails_the_step_leaves_nothing(town: Town, place: int) -> None:
    async with driving(town) as drive:
        number = await drive.push("a1", body="着火了")
        before = counts(town)
        engine_ = town.database.async_engine.sync_engine
        seen = 0

        def fail(*_: Any) -> None:
            nonlocal seen
            seen += 1
            if seen == place:
                raise RuntimeError("planted")

        path = f"/v1/grievances/{number}/tasks/supervision_order"
        await drive.get("supervisor", f"/v1/grievances/{number}/actions")  # the key is known: no statement for it
        event.listen(engine_, "before_cursor_execute", fail)
        answer = await drive.send("supervisor", path, {"document": "督办单"}, key="k1")
        event.remove(engine_, "before_cursor_execute", fail)
        if seen < place:
            assert answer.status_code == 201  # it has no more statements than that
            return
        assert answer.status_code == 500
        assert counts(town) == before


@pytest.mark.anyio
async def test_a_database_that_goes_away_is_a_503_and_then_service_again_by_itself(town: Town) -> None:
    async with driving(town) as drive:
        number = await drive.push()
        before = counts(town)
        kill_all_others(town)
        answer = await drive.send("hotline", f"/v1/grievances/{number}/actions/urge")
        assert answer.status_code == 503
        assert int(answer.headers["retry-after"]) >= 1
        assert answer.json()["type"] == "/problems/unavailable"
        assert counts(town) == before
        row = await drive.act("hotline", number, "urge")
        assert row["urged"] == 1


@pytest.mark.anyio
async def test_a_connection_that_dies_in_the_middle_of_a_step_leaves_nothing(town: Town) -> None:
    async with driving(town) as drive:
        number = await drive.push()
        before = counts(town)
        # The step waits for the lock, half way; then its connection is cut.
        with town.database.begin() as session:
            session.execute(text("SELECT 1 FROM grievance FOR UPDATE"))
            request = asyncio.create_task(drive.send("hotline", f"/v1/grievances/{number}/actions/urge"))
            for _ in range(500):
                if waiting(session):
                    break
                await asyncio.sleep(0.01)
            session.execute(
                text(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
                )
            )
            answer = await request
        assert answer.status_code == 503
        assert "retry-after" in answer.headers
        assert counts(town) == before
        assert (await drive.act("hotline", number, "urge"))["urged"] == 1


@pytest.mark.anyio
async def test_who_waits_too_long_for_a_lock_is_told_to_try_again(database_url: str, tmp_path: Path) -> None:
    impatient = build(Database(database_url, pool_size=5, lock_timeout_ms=50), data=tmp_path)
    async with driving(impatient) as drive:
        number = await drive.push()
        with impatient.database.begin() as session:
            session.execute(text("SELECT 1 FROM grievance FOR UPDATE"))
            answer = await drive.send("hotline", f"/v1/grievances/{number}/actions/urge")
        assert answer.status_code == 503
        assert answer.headers["retry-after"] == "1"
    impatient.database.dispose()


def waiting(session: Session) -> bool:
    """Say whether some session of this database waits for a lock."""
    statement = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    return bool(session.execute(text(statement)).scalar_one())


def kill_all_others(town: Town) -> None:
    """Cut every connection to the town's database but the one that does it."""
    execute(
        town,
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()",
    )


def taken_in(town: Town, count: int) -> list[str]:
    """Take in so many grievances."""
    loop, actor = town.site.loop, town.actors["hotline"]
    forms = [IntakeForm.model_validate(order(f"s{n}")) for n in range(count)]
    with town.database.begin() as session:
        return [collect.collect(loop, session, form, actor).number for form in forms]


def test_a_grievance_that_cannot_be_worked_on_does_not_stop_the_sweep_of_the_others(town: Town) -> None:
    numbers = taken_in(town, 45)
    poisoned = numbers[7]
    town.run(
        lambda session: session.execute(
            text("UPDATE grievance SET workflow = 'lost@1' WHERE number = :number"), {"number": poisoned}
        )
    )
    town.clock.advance(timedelta(days=1, hours=2))
    swept = town.sweep()
    assert (swept.fired, swept.failed) == (44, 1)
    swept = town.sweep()
    assert (swept.fired, swept.failed) == (0, 1)  # still there, still counted, still in nobody's way
    town.run(lambda session: session.execute(text("UPDATE grievance SET workflow = 'kuiwen@1'")))
    assert town.sweep().fired == 1


def test_jobs_are_left_by_what_is_committed_and_by_nothing_else(town: Town) -> None:
    (number,) = taken_in(town, 1)
    assert town.notices() == []
    jobs, loop = town.site.jobs, town.site.loop

    def urge(session: Session) -> None:
        command = Command("urge", town.actors["hotline"])
        jobs.defer(session, engine.take(loop, session, number, command, engine.no_answer).jobs)

    def urge_and_fail(session: Session) -> None:
        urge(session)
        raise RuntimeError("planted")

    with pytest.raises(RuntimeError, match="planted"):
        town.run(urge_and_fail)
    assert town.notices() == []
    assert town.grievance(number).urged == 0
    town.run(urge)
    assert town.notices() == [("urge_notice", "command-office")]
    assert town.grievance(number).urged == 1

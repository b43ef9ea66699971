"""`/readyz` says no where a request could not be kept."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import event
from tests.site import Driver, build, order, story

from wuye_loop.edge import readiness
from wuye_loop.store.database import Database

pytestmark = pytest.mark.anyio


@pytest.fixture
async def drive(database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Driver]:
    """Give a driver whose readiness is tried anew at each question."""
    monkeypatch.setattr(readiness, "KEPT_SECONDS", 0)
    async with story(build(database, data=tmp_path)) as driver:
        yield driver


def run(drive: Driver, *statements: str) -> None:
    with drive.town.database.begin() as session:
        for statement in statements:
            session.connection().exec_driver_sql(statement)


async def test_a_database_that_takes_no_writes_is_not_ready(drive: Driver) -> None:
    assert (await drive.client.get("/readyz")).json() == {"status": "ready"}
    name = drive.town.scalar("SELECT current_database()")
    run(drive, f'ALTER DATABASE "{name}" SET default_transaction_read_only = on')
    await drive.town.database.dispose_async()
    answer = await drive.client.get("/readyz")
    assert (answer.status_code, answer.json()["detail"]) == (503, "数据库现在只读，写不进去")
    with drive.town.database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("SET default_transaction_read_only = off")
        connection.exec_driver_sql(f'ALTER DATABASE "{name}" RESET default_transaction_read_only')
    await drive.town.database.dispose_async()
    assert (await drive.client.get("/readyz")).status_code == 200


async def test_a_write_that_found_the_disk_full_is_not_ready_until_one_goes_well(drive: Driver) -> None:
    run(
        drive,
        "CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS"
        " $$BEGIN RAISE EXCEPTION 'could not extend file' USING ERRCODE = '53100'; END$$",
        "CREATE TRIGGER full_disk BEFORE INSERT ON complainant FOR EACH ROW EXECUTE FUNCTION full_disk()",
    )
    refused = await drive.send("hotline", "/v1/grievances", order("a1"))
    assert (refused.status_code, refused.headers["Retry-After"]) == (503, "2")
    answer = await drive.client.get("/readyz")
    assert answer.status_code == 503
    assert "磁盘满了" in answer.json()["detail"]
    run(drive, "DROP TRIGGER full_disk ON complainant")
    await drive.push("a1")
    assert (await drive.client.get("/readyz")).status_code == 200


async def test_who_asks_often_costs_the_database_nothing(drive: Driver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readiness, "KEPT_SECONDS", 60)
    assert (await drive.client.get("/readyz")).status_code == 200
    taken = []

    def take(*_: object) -> None:
        taken.append(1)

    pool = drive.town.database.async_engine.sync_engine.pool
    event.listen(pool, "checkout", take)
    for _ in range(20):
        assert (await drive.client.get("/readyz")).status_code == 200
    assert not taken
    monkeypatch.setattr(readiness, "KEPT_SECONDS", 0)
    assert (await drive.client.get("/readyz")).status_code == 200
    assert taken

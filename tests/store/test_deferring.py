from datetime import UTC, datetime
from typing import Any

from procrastinate import App, PsycopgConnector

from wuye_loop.store import deferring
from wuye_loop.store.database import Database
from wuye_loop.store.deferring import Deferred

_KEPT = "SELECT queue_name, task_name, priority, lock, queueing_lock, args, status, scheduled_at, attempts FROM procrastinate_jobs"


def test_a_job_stands_in_the_queue_as_the_library_puts_it_there(database: Database) -> None:
    later = datetime(2026, 3, 2, 1, tzinfo=UTC)
    every: list[tuple[dict[str, Any], datetime | None]] = [
        ({"number": "WY1", "title": '“引号”, {括号} \\ "'}, None), ({"number": "WY2", "urgent": True}, later),
    ]  # fmt: skip
    with database.begin() as session:
        deferring.defer(session, [Deferred("outbound", "notify", args, at) for args, at in every])
        connection = session.connection().connection.driver_connection
        library = App(connector=PsycopgConnector())
        for args, at in every:
            library.configure_task("notify", queue="outbound", schedule_at=at, connection=connection).defer(**args)
        rows = [tuple(row) for row in session.connection().exec_driver_sql(f"{_KEPT} ORDER BY id")]
    assert rows[:2] == rows[2:]
    assert [row[5] for row in rows[:2]] == [args for args, _ in every]

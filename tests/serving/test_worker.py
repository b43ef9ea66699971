"""The worker with its real job engine: notices go out, other systems are asked, dead workers' jobs come back."""

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from time import monotonic

import pytest
from procrastinate import App
from tests.site import MONDAY, Town, build, logging_to_memory, order, text_of, town_on

from wuye_loop import worker as worker_module
from wuye_loop.domain.grievance.order import IntakeForm
from wuye_loop.loop import handle
from wuye_loop.loop.collect import collect
from wuye_loop.store.database import Database
from wuye_loop.store.workflows import versions
from wuye_loop.worker import Worker

pytestmark = pytest.mark.anyio
PATIENCE = 15.0


@asynccontextmanager
async def working(town: Town) -> AsyncIterator[Worker]:
    """Run a worker as `wuye-loop work` does."""
    stop = asyncio.Event()
    worker = Worker(town.site)
    running = asyncio.create_task(worker.run(stop))
    try:
        yield worker
    finally:
        stop.set()
        await asyncio.wait_for(running, PATIENCE)


async def until(holds: Callable[[], bool]) -> None:
    """Wait until something holds."""
    end = monotonic() + PATIENCE
    while not holds():
        assert monotonic() < end, "it did not happen in time"
        await asyncio.sleep(0.05)


@contextmanager
def other_system(answer: dict[str, str]) -> Iterator[tuple[str, list[dict[str, object]]]]:
    """Run another city system that says which unit takes a grievance; give its address and what it was asked."""
    asked: list[dict[str, object]] = []

    class Answers(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            body = json.dumps(answer).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 the base class names it so
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Answers)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def push(town: Town, external_id: str = "a1") -> str:
    """Take in an order and accept it; the jobs go with the transactions, as at the edge."""
    site = town.site

    def received(session: object) -> str:
        outcome = collect(site.loop, session, IntakeForm.model_validate(order(external_id)), town.actors["hotline"])  # type: ignore[arg-type]
        site.jobs.defer(session, outcome.jobs)  # type: ignore[arg-type]
        return outcome.number

    number = town.run(received)

    def accepted(session: object) -> None:
        outcome = handle.act(site.loop, session, number, "accept", town.actors["property-centre"], {})  # type: ignore[arg-type]
        site.jobs.defer(session, outcome.jobs)  # type: ignore[arg-type]

    town.run(accepted)
    return number


def asking_town(database: Database, data: Path, host: str, *, allowed: str) -> Town:
    """Give a town whose first router asks another system; nobody else is in the chain but the desk."""
    text = text_of("kuiwen@1").replace("name: kuiwen", "name: asking", 1)
    head = text[: text.index("\nrouters:")]
    text = f"{head}\nrouters:\n  - {{kind: http, url: 'http://{host}/route', timeout: 2, send: [category, area]}}\n  - {{kind: desk}}\n"
    town = build(database, data=data, default_workflow="asking@1", router_hosts=allowed)
    town.run(lambda session: versions.publish(session, "asking@1", text, MONDAY))
    return town


async def test_a_rung_that_fires_sends_its_notice_through_the_notifiers(database: Database) -> None:
    with logging_to_memory() as log, town_on(database) as town:
        town.site.jobs._hold = False  # the town's clock is in the past; the job engine's is the machine's
        number = push(town)
        town.clock.set(MONDAY.replace(day=9))
        async with working(town):
            await until(lambda: "notice" in log.getvalue() and "market" in log.getvalue())
        assert number in log.getvalue()
        assert "张三丰" not in log.getvalue()
        assert town.scalar("SELECT count(*) FROM procrastinate_jobs WHERE status = 'failed'") == 0
        assert town.scalar("SELECT state FROM grievance WHERE number = %(n)s", n=number) in ("assigned", "supervised")


async def test_another_system_is_asked_with_no_transaction_open_and_its_answer_routes(
    database: Database, tmp_path: Path
) -> None:
    with other_system({"unit": "housing", "why": "归口住建"}) as (host, asked):
        town = asking_town(database, tmp_path, host, allowed=host)
        number = push(town)
        assert town.grievance(number).state == "routing"
        async with working(town):
            await until(lambda: town.grievance(number).state == "assigned")
        assert town.grievance(number).lead_unit == "housing"
        assert asked == [{"category": "电梯", "area": "370701001"}]
        trace = [entry.facts["routing"] for entry in town.folder(number).entries if "routing" in entry.facts]
        assert trace[1][-1]["outcome"] == "asked"
        assert trace[2][0]["outcome"] == "matched"
        assert "归口住建" in trace[2][0]["why"]


async def test_a_host_that_is_not_allowed_is_never_asked_and_a_person_decides(
    database: Database, tmp_path: Path
) -> None:
    with other_system({"unit": "housing"}) as (host, asked):
        town = asking_town(database, tmp_path, host, allowed="")
        number = push(town)
        async with working(town):
            await until(lambda: town.grievance(number).seq >= 4)
        assert asked == []
        assert town.grievance(number).state == "routing"
        assert town.actions(number)[-1] == "route"


async def test_a_person_who_was_quicker_than_the_other_system_stands(database: Database, tmp_path: Path) -> None:
    with other_system({"unit": "housing"}) as (host, asked):
        town = asking_town(database, tmp_path, host, allowed=host)
        number = push(town)
        town.run(
            lambda session: handle.act(
                town.site.loop, session, number, "route", town.actors["property-centre"], {"unit": "fire"}
            )
        )
        async with working(town):
            await until(lambda: town.scalar("SELECT count(*) FROM procrastinate_jobs WHERE status = 'todo'") == 0)
        assert len(asked) == 1
        assert town.grievance(number).lead_unit == "fire"


async def test_a_job_whose_worker_died_is_given_back_and_done(database: Database) -> None:
    with logging_to_memory() as log, town_on(database) as town:
        town.site.jobs._hold = False
        push(town)
        town.clock.set(MONDAY.replace(day=9))
        town.sweep()
        # A worker took the job and was killed: the job stays `doing`, its worker's heartbeat stops.
        with town.database.begin() as session:
            session.connection().exec_driver_sql(
                "WITH w AS (INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now() - interval '1 hour')"
                " RETURNING id) UPDATE procrastinate_jobs SET status = 'doing', worker_id = (SELECT id FROM w)"
            )
        async with working(town):
            await until(lambda: town.scalar("SELECT count(*) FROM procrastinate_jobs") == 0)
        assert "job_stalled" in log.getvalue()


#: What somebody wrote into a waiting job by hand.
DAMAGED_JOBS = {
    "arguments that are a list": "args = '[]'",
    "arguments that are a word": "args = '\"x\"'",
    "arguments that nobody takes": "args = '{\"colour\": 1}'",
    "a name that nobody has": "task_name = 'paint'",
    "an instant before all time": "scheduled_at = '-infinity'",
    "an instant before Christ": "scheduled_at = '0044-03-15 BC'",
    "an instant after all time": "scheduled_at = 'infinity'",
}


@pytest.mark.parametrize("damage", DAMAGED_JOBS.values(), ids=DAMAGED_JOBS.keys())
async def test_a_damaged_job_never_keeps_the_others_from_being_done(database: Database, damage: str) -> None:
    with logging_to_memory(), town_on(database) as town:
        town.site.jobs._hold = False
        push(town)
        town.clock.set(MONDAY.replace(day=9))
        town.sweep()
        with town.database.begin() as session:
            session.connection().exec_driver_sql(
                f"UPDATE procrastinate_jobs SET {damage} WHERE id = (SELECT min(id) FROM procrastinate_jobs)"  # noqa: S608 ours
            )
        first = town.scalar("SELECT min(id) FROM procrastinate_jobs")
        async with working(town):
            await until(lambda: town.scalar("SELECT count(*) FROM procrastinate_jobs WHERE id > %(n)s", n=first) == 0)


async def test_a_job_engine_that_falls_over_is_set_up_again_and_goes_on(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    with logging_to_memory() as log, town_on(database) as town:
        town.site.jobs._hold = False
        whole, falls = App.run_worker_async, [RuntimeError("fell over"), None]  # it raises, or it just ends

        async def falling(app: App, **options: object) -> None:
            if not falls:
                await whole(app, **options)  # type: ignore[arg-type]
            elif (error := falls.pop()) is not None:
                raise error

        monkeypatch.setattr(App, "run_worker_async", falling)
        monkeypatch.setattr(worker_module, "_FIRST_PAUSE", 0.01)
        push(town)
        town.clock.set(MONDAY.replace(day=9))
        async with working(town):
            await until(lambda: "notice" in log.getvalue() and "market" in log.getvalue())
        assert "jobs_interrupted" in log.getvalue()

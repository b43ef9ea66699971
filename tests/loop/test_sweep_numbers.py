"""A sweep numbers the documents of many grievances at once: in their order, without a gap, or not at all."""

import gc
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.exc import OperationalError
from tests.loop.six_sweepers import sweep_while_connections_die
from tests.site import Town, build, order, require_sound, story

from wuye_loop.domain.grievance.order import IntakeForm
from wuye_loop.loop import collect, escalate
from wuye_loop.loop.escalate import Swept
from wuye_loop.loop.uncollected import uncollected
from wuye_loop.queries.verification import verify as audit
from wuye_loop.store import straight
from wuye_loop.store.database import Database
from wuye_loop.store.grievance import document_numbers

pytestmark = pytest.mark.anyio


@contextmanager
def heard(town: Town, fail: str = "") -> Iterator[list[str]]:
    """Yield what the database was asked; with `fail`, what has it in it is not answered."""
    seen: list[str] = []

    def note(_: Any, __: Any, statement: str, *___: Any) -> None:
        seen.append(statement)
        if fail and fail in statement:
            raise OperationalError(statement, {}, Exception("lost"))

    engine = town.database.engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(engine, "before_cursor_execute", note)


def numbered(town: Town) -> list[tuple[str, int]]:
    return [(row.series, row.n) for row in town.rows("SELECT series, n FROM document ORDER BY series, n")]


async def test_the_documents_of_a_group_are_numbered_by_one_look_and_one_note(
    database: Database, tmp_path: Path
) -> None:
    town = build(database, data=tmp_path)
    async with story(town) as drive:
        await drive.post("hotline", "/v1/grievances:batch", {"items": [order(f"a{n}") for n in range(6)]}, expect=200)
        town.clock.advance(timedelta(days=40))
        with heard(town) as seen:
            swept = town.sweep()
        first = numbered(town)
        assert swept.failed == 0
        assert len(first) > 6
        # The first number of a year takes a statement more.
        assert sum("document_series" in statement for statement in seen) <= 2 + len({series for series, _ in first})
        for series in {series for series, _ in first}:
            assert [n for name, n in first if name == series] == list(
                range(1, 1 + sum(name == series for name, _ in first))
            )
        assert audit.verify(town.site.loop, town.database).ok

        await drive.post("hotline", "/v1/grievances:batch", {"items": [order(f"b{n}") for n in range(6)]}, expect=200)
        town.clock.advance(timedelta(days=40))
        with heard(town) as seen:
            town.sweep()
        assert len(numbered(town)) > len(first)
        assert sum("document_series" in statement for statement in seen) == 2
        assert audit.verify(town.site.loop, town.database).ok


async def test_what_is_not_written_gives_every_number_back(database: Database, tmp_path: Path) -> None:
    town = build(database, data=tmp_path)
    async with story(town) as drive:
        await drive.post("hotline", "/v1/grievances:batch", {"items": [order(f"a{n}") for n in range(3)]}, expect=200)
        town.clock.advance(timedelta(days=40))
        with heard(town, fail="documented AS"):
            assert town.sweep() == Swept(0, 3)
        assert numbered(town) == []
        assert town.rows("SELECT * FROM document_series") == []
        assert town.sweep().failed == 0
        assert {n for _, n in numbered(town)} >= {1, 2, 3}
        assert audit.verify(town.site.loop, town.database).ok


# --- batches that are decided while the one before is written ---


@pytest.fixture
def elsewhere() -> list[tuple[str, int]]:
    """Return the numbers that a test draws for no document."""
    return []


@pytest.fixture
def crowd(
    database: Database, tmp_path: Path, elsewhere: list[tuple[str, int]], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Town]:
    """Give a town with nine grievances whose ladders are due, swept by fours; each rung must have fired once at the end."""
    monkeypatch.setattr(escalate, "_BATCH", 4)
    own = build(database, data=tmp_path)
    _taken_in(own, "c", 9)
    yield own
    assert own.sweep() == Swept(0, 0)
    fired = own.rows(
        "SELECT grievance_id, facts->>'clock', facts->>'rung', count(*) FROM ledger"
        " WHERE starts_with(action, 'rung:') GROUP BY 1, 2, 3, task_id"
    )
    assert {row[3] for row in fired} == {1}
    assert len({row[0] for row in fired}) == own.scalar("SELECT count(*) FROM grievance")
    every = sorted(numbered(own) + elsewhere)
    counts = Counter(series for series, _ in every)
    assert counts
    assert every == sorted((series, n) for series, count in counts.items() for n in range(1, count + 1))
    assert {row.series: row.n for row in own.rows("SELECT series, n FROM document_series")} == counts
    if not elsewhere:
        require_sound(own)


def _taken_in(town: Town, name: str, count: int) -> None:
    loop, actor = town.site.loop, town.actors["hotline"]
    with town.database.begin() as session:
        for n in range(count):
            collect.collect(loop, session, IntakeForm.model_validate(order(f"{name}{n}")), actor)
    town.clock.advance(timedelta(days=40))


def test_batches_number_on_from_the_one_that_is_being_written_and_look_once(crowd: Town) -> None:
    with heard(crowd) as seen:
        assert crowd.sweep().failed == 0
    looks = [one for one in seen if one.lstrip().startswith("SELECT series, n FROM document_series")]
    assert len(looks) == 2  # the first batch, and the last, which nothing follows
    # In the order of the sweep: the first batch has the lowest numbers.
    order_of = [row[0] for row in crowd.rows("SELECT id FROM grievance ORDER BY id")]
    first = crowd.rows("SELECT grievance_id FROM document WHERE n = 1")
    assert {row[0] for row in first} <= set(order_of[:4])


def test_the_collector_rests_from_one_batch_to_the_next(crowd: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    awake: list[bool] = []
    fire = escalate._Batches.fire

    def noted(batches: Any, numbers: Any) -> None:
        fire(batches, numbers)
        awake.append(gc.isenabled())

    monkeypatch.setattr(escalate._Batches, "fire", noted)
    assert crowd.sweep().failed == 0
    assert awake == [False, False, False]
    assert gc.isenabled()


def test_where_the_database_is_slow_the_collector_looks_after_each_batch(
    crowd: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    rests: list[bool] = []

    @contextmanager
    def noted() -> Iterator[None]:
        rests.append(gc.isenabled())
        with uncollected():
            yield

    monkeypatch.setattr(escalate, "uncollected", noted)
    monkeypatch.setattr(escalate, "_UNLOOKED_SECONDS", 0.0)
    assert crowd.sweep().failed == 0
    assert rests == [True, True, True]


def test_a_batch_that_is_not_written_takes_what_was_decided_on_top_of_it_along(
    crowd: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended = escalate._end
    times: list[int] = []

    def lost(begun: Any, session: Any, statements: Any) -> None:
        times.append(len(statements))
        if len(times) == 1:
            with begun:
                raise OperationalError("COMMIT", {}, Exception("lost"))
        ended(begun, session, statements)

    monkeypatch.setattr(escalate, "_end", lost)
    assert crowd.sweep().failed == 0
    assert times


def test_a_batch_whose_numbers_somebody_else_has_drawn_meanwhile_is_decided_anew(
    crowd: Town, elsewhere: list[tuple[str, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    ended = escalate._end
    drawn: list[tuple[str, int]] = []

    def outrun(begun: Any, session: Any, statements: Any) -> None:
        if any("1 / (count(*) = cardinality" in statement for statement, _ in statements) and not drawn:
            series, year = crowd.rows("SELECT series, year FROM document_series ORDER BY series LIMIT 1")[0]
            with crowd.database.begin() as other:
                drawn.append((series, document_numbers.next_number(other, series, year)))
        ended(begun, session, statements)

    monkeypatch.setattr(escalate, "_end", outrun)
    assert crowd.sweep().failed == 0
    assert len(drawn) == 1
    assert drawn[0] not in numbered(crowd)
    elsewhere.append(drawn[0])


def test_a_sweep_with_a_single_connection_does_not_wait_for_itself(
    crowd: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    single = Database(crowd.database.url, pool_size=1, pool_timeout_seconds=0.05)
    ended = straight.end

    def slowly(*given: Any) -> None:
        time.sleep(0.15)
        ended(*given)

    monkeypatch.setattr(straight, "end", slowly)
    assert escalate.sweep(crowd.site.loop, single, limit=4).failed == 0
    single.dispose()


def test_six_sweepers_whose_connections_die_number_every_document_once_and_without_a_gap(crowd: Town) -> None:
    _taken_in(crowd, "more", 40)
    sweep_while_connections_die(crowd, 6)
    assert crowd.sweep().failed == 0

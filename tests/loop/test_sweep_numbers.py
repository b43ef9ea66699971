"""A sweep numbers the documents of many grievances at once: in their order, without a gap, or not at all."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.exc import OperationalError
from tests.site import Town, build, order, story

from wuye_loop.loop.escalate import Swept
from wuye_loop.queries.verification import verify as audit
from wuye_loop.store.database import Database

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

"""A town that is copied from one of this run is the town that founding would have made."""

from datetime import timedelta
from pathlib import Path

import pytest
from tests.database import clone
from tests.site import MONDAY, Town, build, story

from wuye_loop.queries.verification.verify import verify
from wuye_loop.store.database import Database
from wuye_loop.store.schema import metadata

START = MONDAY + timedelta(days=1)  # a start that no other test has
NUMBER = 900_000


def rows(town: Town) -> dict[str, list[str]]:
    """Return every row of every table as text."""
    return {
        table.name: sorted(row[0] for row in town.rows(f"SELECT t::text FROM {table.name} t"))  # noqa: S608
        for table in metadata.sorted_tables
    }


@pytest.mark.anyio
async def test_a_copied_town_has_the_rows_keys_and_rings_of_the_founded_one(
    database: Database, template_url: str, tmp_path: Path
) -> None:
    founded = build(database, data=tmp_path / "founded", start=START)
    with clone(template_url, NUMBER) as url:
        copy = Database(url, pool_size=2)
        copied = build(copy, data=tmp_path / "copied", start=START)
        assert rows(copied) == rows(founded)
        assert (copied.keys, copied.actors) == (founded.keys, founded.actors)
        ring = tmp_path / "copied" / "keys.json"
        assert (ring.stat().st_mode & 0o777, ring.read_bytes()) == (
            0o600,
            (tmp_path / "founded/keys.json").read_bytes(),
        )
        async with story(copied) as drive:
            await drive.push()  # its ledger is verified at the end
        copied.run(
            lambda session: session.connection().exec_driver_sql("UPDATE unit SET name = 'x' WHERE code = 'tax'")
        )
        assert not verify(copied.site.loop, copy).ok
        assert "grievance" not in {name for name, found in rows(founded).items() if found}
        copy.dispose()


def test_what_holds_something_already_is_not_overwritten(database: Database, template_url: str, tmp_path: Path) -> None:
    build(database, data=tmp_path / "first", start=START)
    (tmp_path / "second").mkdir()
    (tmp_path / "second" / "note").write_text("mine")
    with clone(template_url, NUMBER + 1) as url:
        copy = Database(url, pool_size=2)
        town = build(copy, data=tmp_path / "second", start=START)
        assert (tmp_path / "second/keys.json").read_bytes() != (tmp_path / "first/keys.json").read_bytes()
        assert verify(town.site.loop, copy).ok
        copy.dispose()

"""What a ledger says of clocks is short; what was written before it was, stays as it is, is read on and still verified."""

from datetime import timedelta
from pathlib import Path

import pytest
from tests.old_images import said_by_name
from tests.site import build, driving, require_sound

from wuye_loop.domain.time import clock_moves
from wuye_loop.queries.verification import verify as audit
from wuye_loop.store.database import Database


@pytest.mark.anyio
async def test_a_grievance_begun_before_images_were_short_goes_on_and_verifies(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    town = build(database, data=tmp_path)
    async with driving(town) as drive:
        with monkeypatch.context() as before:
            before.setattr(clock_moves, "as_row", said_by_name)
            begun, left = await drive.push("a1"), await drive.push("a2")
            for number in (begun, left):
                await drive.walk(number, "accept")
        await drive.walk(begun, "sign")
        assert town.advance(timedelta(days=12)) > 0
        assert (await drive.get("hotline", f"/v1/grievances/{left}"))["number"] == left
    images = [image for entry in town.folder(begun).entries for image in entry.changes.get("clocks", ())]
    assert {"adjustments" in image for image in images} == {True, False}
    require_sound(town)


@pytest.mark.anyio
async def test_of_the_rungs_to_come_the_next_of_each_clock_has_a_row(database: Database, tmp_path: Path) -> None:
    town = build(database, data=tmp_path)
    async with driving(town) as drive:
        await drive.walk(await drive.push("a1"), "accept", "sign")
        clocks = town.rows(
            "SELECT status, count(r.*) AS rungs FROM clock c LEFT JOIN rung r ON r.clock_id = c.id GROUP BY c.id"
        )
        assert {(row.status, row.rungs) for row in clocks} == {("running", 1), ("ended", 0)}
        town.clock.set(town.now + timedelta(days=20))
        assert town.sweep().fired > 1, "all of one clock that are due by then"
        require_sound(town)
    with town.database.read() as session:
        waiting = "SELECT count(*) FROM rung WHERE fired_at IS NULL AND at <= %(now)s"
        assert session.connection().exec_driver_sql(waiting, {"now": town.now}).scalar_one() == 0
    async with driving(town) as drive:
        await drive.walk(await drive.push("a2"), "accept")
        with town.database.begin() as session:  # where one that is to fire is missed
            session.connection().exec_driver_sql("DELETE FROM rung WHERE fired_at IS NULL")
        report = audit.verify(town.site.loop, town.database)
    assert any("督办级" in problem for problem in report.problems)

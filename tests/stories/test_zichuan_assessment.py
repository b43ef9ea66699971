"""淄川's red and black lists over HTTP: two yellow months running are black; seven months, over the summer."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.assessing import close_due, publish_scheme
from tests.site import Driver, at, build, keys_for, story
from tests.stories.zichuan_town import UNITS

from wuye_loop.store.database import Database

pytestmark = pytest.mark.anyio

CLOSING = ("2026-04-06", "2026-05-08", "2026-06-05", "2026-07-06", "2026-08-05", "2026-09-04", "2026-10-12")


@pytest.fixture
async def drive(database: Database, tmp_path: Path) -> AsyncIterator[Driver]:
    """Monday 2 March 2026, nine in the morning."""
    town = build(database, data=tmp_path, workflow="zichuan@1", units=UNITS, keys=keys_for(UNITS))
    publish_scheme(town, "zichuan@1")
    async with story(town) as driver:
        yield driver


async def test_two_months_running_are_black_and_come_back_as_a_grievance(drive: Driver) -> None:
    listed: list[list[str]] = []
    # Of company-1: what its street says; 55 is yellow. March and April running; then never two running, three in the year.
    for n, (score, day) in enumerate(zip((55, 50, 90, 58, 70, 59, 95), CLOSING, strict=True)):
        month = f"2026-{n + 3:02}"
        path = f"/v1/assessments/zichuan/{month}"
        for company, estate, mark, street in (("company-1", "E1", score, 1), ("company-2", "E2", 90, 2)):
            await drive.push(f"{month}-{company}", place={"estate": estate}, body=f"{month} 的事情")
            said = {"input": "review", "subject": company, "score": mark}
            await drive.post(f"street-{street}", f"{path}/inputs", said)
            await drive.post(f"street-{3 - street}", f"{path}/inputs", said, expect=403)
        drive.town.advance(at(f"{day} 09:00"))
        close_due(drive.town)
        shown = await drive.post("supervisor", f"{path}/publish")
        rows = {row["subject"]: row for row in shown["items"]}
        assert rows["company-2"]["lists"] == ["red"]
        listed.append(rows["company-1"]["lists"])
    assert listed == [
        ["yellow"], ["yellow", "black"], ["red"], ["yellow", "black"], [], ["yellow", "black"], ["red"],
    ]  # fmt: skip
    opened = drive.town.rows("SELECT lead_unit, extra FROM grievance WHERE channel = '红黑榜' ORDER BY received_at")
    assert [row.lead_unit for row in opened] == ["company-1"] * 3
    assert opened[0].extra["period"] == "2026年4月"
    (ledger,) = (await drive.get("company-1", "/v1/credit/company-1"))["ledgers"]
    # 80 - 3 x 10 + 2 x 2, six of the rows still count
    assert (ledger["points"], ledger["grade"]) == ("54", "C")
    (good,) = (await drive.get("supervisor", "/v1/credit/company-2"))["ledgers"]
    assert (good["points"], good["grade"]) == ("90", "AAA")  # seven months red: no more than 10

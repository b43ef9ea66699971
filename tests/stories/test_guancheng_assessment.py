"""管城's stars over HTTP: a quarter is the street's sheet and the residents' stars, a year the mean of its quarters."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.assessing import close_due, publish_scheme
from tests.site import Driver, at, build, keys_for, story
from tests.stories.test_guancheng import UNITS

from wuye_loop.store.database import Database

pytestmark = pytest.mark.anyio

FULL = {"环境保洁": 25, "秩序安保": 25, "设施维修": 25, "停车管理": 15, "收费公示": 10}


@pytest.fixture
async def drive(database: Database, tmp_path: Path) -> AsyncIterator[Driver]:
    """Monday 2 March 2026, nine in the morning."""
    town = build(database, data=tmp_path, workflow="guancheng@1", units=UNITS, keys=keys_for(UNITS))
    publish_scheme(town, "guancheng@1")
    async with story(town) as driver:
        yield driver


async def quarter(drive: Driver, code: str, off: dict[str, int], stars: list[float], closing: str) -> None:
    path = f"/v1/assessments/guancheng/{code}"
    for estate, minus in (("E1", {}), ("E2", off)):
        sheet = {name: points - minus.get(name, 0) for name, points in FULL.items()}
        await drive.post("street-office", f"{path}/inputs", {"input": "street", "subject": estate, "checklist": sheet})
        for flat, given in enumerate(stars):
            said = {"input": "residents", "subject": estate, "score": given, "flat": f"{estate}-{flat}"}
            await drive.post("hotline", f"{path}/inputs", said)
    drive.town.advance(at(f"{closing} 09:00"))
    close_due(drive.town)
    await drive.post("property-committee", f"{path}/publish")


async def test_a_year_of_stars(drive: Driver) -> None:
    await quarter(drive, "2026-Q1", {"环境保洁": 25, "秩序安保": 25}, [4.5, 4, 5], "2026-04-10")
    first = await drive.get("supervisor", "/v1/assessments/guancheng/2026-Q1")
    rows = {row["subject"]: row for row in first["items"]}
    # No orders: the two rates' 20 move. E1: (50 + 30 x 0.9) x 100/80 = 96.25; E2: (25 + 27) x 100/80 = 65
    assert (rows["E1"]["total"], rows["E2"]["total"]) == ("96.25", "65.00")
    assert rows["E2"]["lists"] == ["weak"]
    (opened,) = drive.town.rows("SELECT extra, estate_code, data->>'origin' AS origin FROM grievance")
    assert (opened.estate_code, opened.origin, opened.extra) == ("E2", "stars", {"stars": 2, "item": "其他"})
    for code, closing in (("2026-Q2", "2026-07-10"), ("2026-Q3", "2026-10-16"), ("2026-Q4", "2027-01-15")):
        await quarter(drive, code, {"环境保洁": 5}, [5, 5, 5], closing)
    drive.town.advance(at("2027-02-20 09:00"))
    close_due(drive.town)
    year = await drive.post("supervisor", "/v1/assessments/guancheng/2026/publish")
    rows = {row["subject"]: row for row in year["items"]}
    # E1: (96.25 + 3 x 100) / 4 = 99.0625. E2: 47.5 + 30 of 80 is 96.875; nobody has touched what the first quarter
    # opened, so two orders hurried it in the second: (65 + 94.88 + 2 x 96.88) / 4 = 88.41
    assert (rows["E1"]["total"], rows["E1"]["lists"]) == ("99.06", ["five"])
    assert (rows["E2"]["total"], rows["E2"]["lists"]) == ("88.41", ["three"])
    own = await drive.get("company", "/v1/assessments/guancheng/2026")
    assert [row["subject"] for row in own["items"]] == ["E1"]
    assert {one["name"] for one in own["lists"] if one["members"]} == {"five", "three"}

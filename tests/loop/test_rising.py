"""未诉先办: what rises comes in as an inspection, once each time it rises, where the file says so and nowhere else."""

from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from tests.site import Driver, build, keys_for, story, text_of
from tests.stories.test_kuiwen_assessment import UNITS

from wuye_loop.loop import rising
from wuye_loop.store.database import Database

pytestmark = pytest.mark.anyio
_PLACE = "  attach:\n    - {when: {channel: 催办}, to: extra.parent, act: urge, source: 文章未给出"
_RISING = (
    '  rising: {origin: inspection, by: street, title: "{estate}{category}七天 {count} 件",'
    " extra: {aspect: 其他, other: 诉求上升}, source: 测试}\n"
)


@pytest.fixture
async def drive(database: Database, tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Driver]:
    """Two estates, each with a matter long ago; then one of them rises. Whether the file opens it, the test says."""
    text = text_of("kuiwen@2")
    assert _PLACE in text
    texts = {"kuiwen@2": text.replace(_PLACE, (_RISING if request.param else "") + _PLACE, 1)}
    town = build(database, data=tmp_path, workflow="kuiwen@2", units=UNITS, keys=keys_for(UNITS), texts=texts)
    async with story(town) as driver:
        await driver.push("a0", place={"estate": "E12"}, category="停车管理")
        town.advance(timedelta(days=60))
        for n in range(6):
            await driver.push(f"b{n}", place={"estate": "E11"}, category="噪音扰民", title=f"半夜施工 {n}")
        yield driver


def opened(drive: Driver) -> int:
    return rising.open_due(drive.town.site.loop, drive.town.database, jobs=drive.town.site.jobs)


def told(drive: Driver) -> list[tuple[str, str, str]]:
    rows = drive.town.rows("SELECT estate_code, category, title FROM grievance WHERE channel = '联合检查'")
    return [tuple(row) for row in rows]


@pytest.mark.parametrize("drive", [True], indirect=True)
async def test_what_rises_comes_in_once_however_many_look_and_again_when_it_rises_again(drive: Driver) -> None:
    with ThreadPoolExecutor(3) as pool:
        assert sum(pool.map(lambda _: opened(drive), range(3))) == 1
    ((estate, category, title),) = told(drive)
    assert (estate, category) == ("E11", "噪音扰民")
    assert title.endswith("噪音扰民七天 6 件")
    (number,) = drive.town.rows("SELECT number FROM grievance WHERE channel = '联合检查'")[0]
    shown = await drive.get("supervisor", f"/v1/grievances/{number}")
    assert shown["state"] != "received", "it is handed to whoever puts it right, as what an inspection found is"
    drive.town.advance(timedelta(days=3))
    assert opened(drive) == 0
    drive.town.advance(timedelta(days=60))
    assert opened(drive) == 0
    for n in range(9):
        await drive.push(f"c{n}", place={"estate": "E11"}, category="噪音扰民", title=f"又是半夜施工 {n}")
    assert opened(drive) == 1
    assert len(told(drive)) == 2


@pytest.mark.parametrize("drive", [True], indirect=True)
async def test_what_a_rise_has_opened_is_no_arrival_itself(drive: Driver) -> None:
    before = await drive.get("supervisor", "/v1/supervision/rising")
    assert opened(drive) == 1
    assert await drive.get("supervisor", "/v1/supervision/rising") == before


@pytest.mark.parametrize("drive", [False], indirect=True)
async def test_where_the_file_says_nothing_it_is_only_shown(drive: Driver) -> None:
    assert opened(drive) == 0
    assert told(drive) == []
    assert len((await drive.get("supervisor", "/v1/supervision/rising"))["items"]) == 1

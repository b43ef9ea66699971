"""What is looked through first and then by what is rare is the list that reading everything in order gives, behind the fence too."""

import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy.orm import Session
from tests.bench import city
from tests.database import CARELESS, memory
from tests.site import WAY, Town, build, driving

from wuye_loop import postgres
from wuye_loop.loop import handle
from wuye_loop.loop.figures import tallying
from wuye_loop.store import tallying as store_tallying
from wuye_loop.store.database import Database
from wuye_loop.store.reach import reach_of
from wuye_loop.store.reads import grievances, newest
from wuye_loop.store.reads.grievances import Filters, asked_grams

pytestmark = pytest.mark.anyio
MANY, WINDOW = 400, 30
ASKED: tuple[dict[str, Any], ...] = (
    {"words": "停车"}, {"words": "停车纠纷反复"}, {"words": "龘龘"}, {"words": "水"}, {"words": "龘"}, {"words": "%"},
    {"words": "WY0000001"}, {"words": "wy000000012"}, {"words": "gd00000000"}, {"words": "第7"}, {"words": "7小区"},
    {"words": "7号"}, {"words": "' | '"}, {"words": "\\"}, {"words": "Ω电"}, {"words": "刚来的"},
    {"words": "停车", "category": "停车管理"}, {"words": "漏水", "final": True},
    {"category": "电梯"}, {"category": "没有"}, {"category": "消防", "state": "assigned"}, {"state": "refused"},
    {"state": "reviewing"}, {"stage": "assign"}, {"unit": "market"}, {"unit": "unit-7"}, {"unit": "fire"},
    {"estate": "E7"}, {"estate": "E7", "category": "没有"}, {"final": False, "late_at": city.START},
    {"external_id": "GD0000000012"}, {"source": "没有"}, {"area_path": "3707/370701/", "category": "供热"},
    {"stage": "handle", "late_at": city.START}, {"late_at": city.START, "words": "号楼"}, {"due_from": city.START},
    {"due_by": city.START, "category": "电梯"}, {"final": True, "category": "噪音"}, {"final": False, "stage": "assign"},
    {"since": city.START - timedelta(days=200), "until": city.START - timedelta(days=20)},
    {"area_path": "3707/370701/", "words": "楼"}, {"category": "供热", "unit": "market"},
)  # fmt: skip


@pytest.fixture(scope="module")
def town() -> Iterator[Town]:
    with postgres.temporary(options=CARELESS, under=memory()) as own, tempfile.TemporaryDirectory() as data:
        database = Database(own.app_url, owner_url=own.url, pool_size=5)
        database.migrate()
        database.protect()
        assert database.fenced
        made = build(database, data=Path(data), units=city.DIRECTORY, keys=city.CITY_KEYS, start=city.START)
        city.found(made)
        owner = Database(own.url, pool_size=1, statement_timeout_ms=0)
        city.grow(owner, MANY, city.START)
        owner.dispose()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(store_tallying, "_FEW", WINDOW)
            tallying.fold(made.site.loop, database)
        with database.begin() as session:  # changed since, long after they came in
            for number, step, who in _since(session):
                handle.act(made.site.loop, session, number, step, made.actors[who], dict(WAY[step][1]))
        yield made
        database.dispose()


def _since(session: Session) -> list[tuple[str, str, str]]:
    rows = session.connection().exec_driver_sql(
        "SELECT number, external_id FROM grievance WHERE external_id IN ('first-0', 'first-1')"
    )
    steps = {"first-0": "accept", "first-1": "sign"}
    return [(row.number, steps[row.external_id], WAY[steps[row.external_id]][0]) for row in rows]


def listed(town: Town, who: str, asked: dict[str, Any]) -> list[list[Any]]:
    """Return the pages of a list, to its end."""
    pages: list[list[Any]] = []
    after = None
    while True:
        with town.database.read_within(reach_of(town.actors[who])) as session:
            page = grievances.listed(session, town.actors[who], Filters(**asked), after, 7)
        pages.append([tuple(row) for row in page.items])
        if page.next is None or len(pages) == 6:
            return pages
        after = (page.next[0], page.next[1])


@pytest.mark.parametrize("who", city.CITY_KEYS)
async def test_a_list_is_what_reading_all_in_order_gives(town: Town, who: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with driving(town) as driver:  # not folded in yet, unless another of these came before
        await driver.push(f"fresh-{who}", title="刚来的停车龘", place={"estate": "E7"})
    monkeypatch.setattr(newest, "_FARTHEST", 4)
    some = 0
    for asked in ASKED:
        found = listed(town, who, asked)
        with monkeypatch.context() as plain:
            plain.setattr(grievances, "_mark", lambda _: None)
            assert found == listed(town, who, asked), (who, asked)
        some += len(found[0])
    assert some > 10


@pytest.mark.parametrize("who", city.CITY_KEYS)
def test_a_page_after_the_beginning_of_time_is_empty(town: Town, who: str) -> None:
    first = datetime.min.replace(tzinfo=UTC)
    for asked in (*ASKED, {}):
        with town.database.read_within(reach_of(town.actors[who])) as session:
            page = grievances.listed(session, town.actors[who], Filters(**asked), (first, UUID(int=0)), 7)
        assert (page.items, page.next) == ([], None), asked


async def test_a_list_of_a_unit_is_whole_where_who_has_a_part_is_not_kept(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    with town.database.begin() as session:
        session.connection().exec_driver_sql("UPDATE tallied SET units = NULL")
    monkeypatch.setattr(grievances, "_mark", lambda _: None)
    read = [listed(town, "market", asked) for asked in ASKED]
    monkeypatch.undo()
    assert [listed(town, "market", asked) for asked in ASKED] == read


def test_a_query_for_pieces_is_put_together_of_harmless_characters_only() -> None:
    assert asked_grams("停车位") == "'停车' & '车位'"
    assert asked_grams("WY12") == "'12' & 'wy' & 'y1'"
    assert asked_grams("WY001234") == "'01' & '12' & '23' & '34'"
    assert asked_grams("水") == "'水':*"
    assert asked_grams("三 号") == "'三':*"
    assert asked_grams("' | !") is None
    assert asked_grams("Ω") is None

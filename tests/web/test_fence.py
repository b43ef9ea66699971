"""Pages are read behind the fence of readers: where it lets nothing through, they show nothing, whatever their queries ask."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.database import CARELESS, fresh, memory
from tests.site import Town, build
from tests.web.browsing import Browser, account, browsing

from wuye_loop import postgres
from wuye_loop.store import reach
from wuye_loop.store.database import Database
from wuye_loop.web.codes import query_code

pytestmark = pytest.mark.anyio
_TITLE = "三号楼电梯停运"


@pytest.fixture
def fenced() -> Iterator[tuple[Town, Database]]:
    """Give a town on a database with the fence up, whose program owns nothing, and its owner."""
    with (
        postgres.temporary(options=CARELESS, under=memory()) as server,
        fresh(server.url, "wuye_pages") as url,
        tempfile.TemporaryDirectory() as data,
    ):
        own = Database(url.replace("//wuye@", "//wuye_app@"), owner_url=url, pool_size=5)
        own.migrate()
        own.protect()
        owner = Database(url, pool_size=1)
        town = build(own, data=Path(data))
        account(town, "market", "unit", unit="market")
        account(town, "seat", "hotline")
        account(town, "chief", "supervisor", area="3707")
        yield town, owner
        owner.dispose()
        own.dispose()


def shut(owner: Database) -> None:
    """Let the fence let nothing through."""
    with owner.engine.begin() as connection:
        for kind in ("unit", "area", "source"):
            name = reach.account("wuye_app", kind)
            for table in (*reach.FENCED, "tally", "tally_day", "tally_again"):
                connection.exec_driver_sql(f'ALTER POLICY "{name}" ON "{table}" USING (false)')


async def shown(browser: Browser, *paths: str) -> list[str]:
    """Return the addresses whose page tells of the grievance."""
    found = []
    for path in paths:
        answer = await browser.client.get(path, follow_redirects=True)
        if _TITLE in answer.text:
            found.append(path)
    return found


async def test_what_a_page_forgets_to_ask_the_database_does_not_give(fenced: tuple[Town, Database]) -> None:
    town, owner = fenced
    async with browsing(town) as visitors:
        number = await visitors.api.push()
        await visitors.api.walk(number, "accept")
        market, seat, chief = [await visitors.person(who) for who in ("market", "seat", "chief")]
        code = query_code(town.site.loop.keyring, number)
        own = (f"/g/{number}", f"/g/{number}/file", "/search", "/search.csv")
        pages = (
            (market, (*own, "/inbox", "/inbox?tab=to_sign", "/inbox.csv")), (seat, own),
            (chief, (*own, f"/supervision?pick={number}")), (visitors.browser(), (f"/p/{number}/{code}",)),
        )  # fmt: skip
        for browser, paths in pages:
            assert await shown(browser, *paths) == list(paths)
        shut(owner)
        for browser, paths in pages:
            assert await shown(browser, *paths) == []
        await market.go("/inbox")


async def test_what_may_be_done_with_a_merged_one_is_decided_by_a_lead_beyond_the_fence(
    fenced: tuple[Town, Database],
) -> None:
    town, _ = fenced
    async with browsing(town) as visitors:
        lead = await visitors.api.push("b1", who="other-hotline")
        number = await visitors.api.push("a1")
        for one in (lead, number):
            await visitors.api.act("property-centre", one, "accept")
        await visitors.api.act("property-centre", number, "merge", {"into": lead, "reason": "同一件"})
        seat = await visitors.person("seat")
        page = await seat.go(f"/g/{number}")
        assert _TITLE in page.text

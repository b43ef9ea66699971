"""No page, file of a page or link on one names what the one who is signed in may not get by itself.

The pages come from the program; the proofs ask each every question with every choice, and follow every link that they find.
"""

from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from fastapi.routing import APIRoute
from pydantic import TypeAdapter
from tests.api.test_reach import SCENES, Walk, lived_in
from tests.site import Driver
from tests.web.browsing import Browser, Page, account, browsing

from wuye_loop.domain.grievance.situation import Actor
from wuye_loop.domain.terms import ActorKind
from wuye_loop.store.database import Database
from wuye_loop.web.pages import PAGES
from wuye_loop.web.staff import search

pytestmark = pytest.mark.anyio
#: login -> whose key may get the same by itself
FEW = {"foreign-seat": "other-hotline", "firm": "company-1"}
_MOST = 2000


@pytest.fixture(params=SCENES)
async def drive(database: Database, tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Driver]:
    """Give a driver in a town that has been lived in."""
    async with lived_in(database, tmp_path, request.param) as driver:
        yield driver


def sign_up(drive: Driver, login: str, who: str) -> None:
    """Make an account that may do what a key of the town may."""
    actor = drive.town.actors[who]
    area = actor.area_path.rstrip("/").rpartition("/")[2] if actor.kind is ActorKind.SUPERVISOR else None
    wish: dict[str, Any] = {"unit": actor.unit, "area": area, "source": actor.source}
    account(drive.town, login, actor.kind.value, **{name: value for name, value in wish.items() if value})


class Pages(Walk):
    """What one person may get by itself, and what every page shows."""

    more: Mapping[str, list[str]] = {
        "how": ["csv", "xlsx"], "form": ["html", "docx", "xlsx"], "token": ["x"], "code": ["E1", "x"], "stem": ["x"],
        "digest": ["x"], "kind": ["css"], "what": ["areas", "units", "estates", "people"],
    }  # fmt: skip

    def doors(self, *, asking: bool) -> Iterator[str]:
        """Yield every address that the program has a page for; asking all that it can be asked, or nothing."""
        for route in (one for router in PAGES for one in router.routes if isinstance(one, APIRoute)):
            if "GET" in (route.methods or ()):
                path = route.path.replace("papers/{number:path}", "papers/{document}")
                yield from (
                    address for _, address in self.addresses(path, {"parameters": asked_of(route) if asking else ()})
                )

    async def through(self, browser: Browser, *, all_of_it: bool) -> list[str]:
        """Open every page, and follow every link where all of it is looked at; return what was shown too much."""
        waiting, seen, gone = deque(self.doors(asking=all_of_it)), set[str](), list[str]()
        while waiting:
            address = waiting.popleft().partition("#")[0]
            if address in seen or not address.startswith("/") or address.startswith(("/v1/", "/static/")):
                continue
            if "lang=" in address:  # the same page in English
                continue
            seen.add(address)
            assert len(seen) <= _MOST, "pages without end"
            answer = await browser.client.get(address, follow_redirects=True)
            assert answer.status_code < 500, (address, answer.text[:600])
            gone += [f"{self.who} at {address}: {one}" for one in self.foreign(answer, unquote(address))]
            if all_of_it and answer.headers.get("content-type", "").startswith("text/html"):
                waiting.extend(Page(answer.text).links)
        return gone


def asked_of(route: APIRoute) -> Iterator[dict[str, Any]]:
    """Yield the questions of a page as a contract names them."""
    for param in route.dependant.query_params:
        shape: Any = param.field_info.annotation
        schema = TypeAdapter[Any](shape).json_schema()
        for name, one in schema.get("properties", {param.alias: schema}).items():
            yield {"in": "query", "name": name, "schema": one}


def one_of_each(drive: Driver) -> dict[str, str]:
    """Return a login for the first key of each kind."""
    kinds = {drive.town.actors[who].kind.value: who for who in reversed([*drive.town.keys])}
    return {f"a-{kind}": who for kind, who in kinds.items()}


async def walked(drive: Driver, people: Mapping[str, str], *, all_of_it: bool = True) -> list[str]:
    """Let these people look; each sees some grievances and not all of them, or the walk proves nothing."""
    gone: list[str] = []
    async with browsing(drive.town) as visitors:
        for login, who in people.items():
            sign_up(drive, login, who)
            walk = Pages(drive, who)
            await walk.singly()
            assert login not in FEW or len(walk.may["grievance"]) < len(walk.all["grievance"])
            gone += await walk.through(await visitors.person(login), all_of_it=all_of_it)
    return gone


async def test_no_page_shows_some_people_what_they_may_not_get_singly(drive: Driver) -> None:
    gone = await walked(drive, FEW, all_of_it=False)
    assert not gone, f"{len(gone)}\n" + "\n".join(gone[:60])


@pytest.mark.proof
async def test_no_page_or_link_shows_anybody_what_they_may_not_get_singly(drive: Driver) -> None:
    gone = await walked(drive, FEW | one_of_each(drive))
    assert not gone, f"{len(gone)}\n" + "\n".join(gone[:60])


def forgetting(real: Callable[..., Any], everybody: Actor) -> Callable[..., Any]:
    """Return a reader that reads for somebody else than who asks."""
    return lambda loop, session, _, *rest: real(loop, session, everybody, *rest)


@pytest.mark.proof
async def test_the_walk_finds_a_page_that_forgets_whose_it_is(drive: Driver, monkeypatch: pytest.MonkeyPatch) -> None:
    everybody = drive.town.actors["supervisor"]
    for name in ("grievances", "around"):
        monkeypatch.setattr(search, name, forgetting(getattr(search, name), everybody))
    assert await walked(drive, {"firm": FEW["firm"]}, all_of_it=False)

"""Where a play is given: a database of its own, emptied each time, with the made-up district and a key for everybody."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from sqlalchemy import make_url

from wuye_loop import metrics, postgres
from wuye_loop.app import make_site
from wuye_loop.demo.clock import PlayedClock
from wuye_loop.demo.scene import HOTLINE, SUPERVISOR
from wuye_loop.edge.site import Site
from wuye_loop.ports import SystemIds
from wuye_loop.prepare import prepare
from wuye_loop.settings import Settings
from wuye_loop.store import maintenance
from wuye_loop.store.database import open_database
from wuye_loop.store.directory.load import load_directory
from wuye_loop.store.keys import api_keys

DATABASE: Final = "wuye_demo"


class NoStage(Exception):
    """There is no place for a play; the message says why, in words."""


@contextmanager
def opened(settings: Settings, clock: PlayedClock) -> Iterator[Site]:
    """Give an installation on an empty database of its own, which is that of WUYE_DATABASE_URL when one is set.

    Raises NoStage when that one holds anything, or another play is on.
    """
    if settings.database_url:
        if not maintenance.is_empty(settings.database_url):
            raise NoStage(
                "WUYE_DATABASE_URL 指向的数据库不是空的。演示只在空库里进行，请另建一个空库，或不设这个变量。"
            )
        with _site(settings, clock) as site:
            yield site
        return
    counted = metrics.embedded_restarts_total.inc
    with postgres.running(settings.data, pg_bin=settings.pg_bin, watched=counted) as server:
        if not maintenance.begin_anew(server.url, DATABASE):
            raise NoStage("另一场演示正在使用这个数据目录；请先结束它，或用 --data 另指一个目录。")
        urls = {"database_url": server.app_url, "owner_url": server.url}
        there = {
            name: make_url(url).set(database=DATABASE).render_as_string(hide_password=False)
            for name, url in urls.items()
        }
        with _site(settings.model_copy(update=there), clock) as site:
            yield site


@contextmanager
def _site(settings: Settings, clock: PlayedClock) -> Iterator[Site]:
    with open_database(settings) as database:
        site = make_site(settings, database, clock=clock)
        site.played = True
        prepare(site)
        yield site


def cast(site: Site, document: Mapping[str, Any], units: Iterable[str]) -> dict[str, str]:
    """Load the district and return a key for each of the players: units by their code, hotline and supervisor."""
    with site.database.begin() as session:
        load_directory(session, document)
    now, ids = site.loop.clock.now(), SystemIds()
    with site.database.begin() as session:
        keys = {
            unit: api_keys.create(session, role="unit", unit=unit, holder=f"演示员 {unit}", now=now, ids=ids)
            for unit in units
        }
        keys[HOTLINE] = api_keys.create(session, role="hotline", holder="话务员 001", now=now, ids=ids)
        keys[SUPERVISOR] = api_keys.create(session, role="supervisor", holder="督办员 002", now=now, ids=ids)
    return keys

"""The small town that is measured, and the orders that are sent to it."""

import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from tests.site import WAY
from wuye_loop import postgres
from wuye_loop.app import make_site
from wuye_loop.domain.grievance.order import IntakeForm
from wuye_loop.domain.grievance.situation import Actor
from wuye_loop.domain.terms import ActorKind
from wuye_loop.edge.site import Site
from wuye_loop.loop import escalate, handle
from wuye_loop.loop.collect import collect
from wuye_loop.ports import SettableClock
from wuye_loop.prepare import prepare
from wuye_loop.settings import Settings
from wuye_loop.store.database import Database
from wuye_loop.store.directory import load
from wuye_loop.store.keys import api_keys

DIRECTORY: dict[str, Any] = {
    "areas": [
        {"code": "370705", "name": "区", "level": "district"},
        {"code": "370705001", "name": "一街道", "level": "street", "parent": "370705"},
    ],
    "units": [
        {"code": "property-centre", "name": "物业中心", "kind": "centre", "area": "370705"},
        {"code": "command-office", "name": "指挥部", "kind": "office", "area": "370705"},
        {"code": "market", "name": "市场监管局", "kind": "department", "area": "370705", "parent": "command-office"},
    ],
    "estates": [{"code": "E1", "name": "测试小区", "area": "370705001"}],
}
HOTLINE = Actor(ActorKind.HOTLINE, source="12345")
CENTRE = Actor(ActorKind.UNIT, "property-centre")
MARKET = Actor(ActorKind.UNIT, "market")
_WHO: Final = {"hotline": HOTLINE, "property-centre": CENTRE, "market": MARKET}


@contextmanager
def installation(pool_size: int = 4) -> Iterator[tuple[Site, SettableClock]]:
    """Give an installation with a database and a data folder of its own, and its clock."""
    with tempfile.TemporaryDirectory() as folder, postgres.temporary() as own:
        Path(folder).chmod(0o711)
        database = Database(own.url, pool_size=pool_size)
        database.migrate()
        clock = SettableClock()
        yield make_site(Settings(data=Path(folder)), database, clock=clock), clock
        database.dispose()


def found(site: Site) -> dict[str, str]:
    """Make the directory and the keys; return the keys by who holds them."""
    prepare(site)
    now = datetime.now(UTC)  # noqa: TID251 keys must be valid for the server process, which has the machine's clock
    with site.database.begin() as session:
        load.load_directory(session, DIRECTORY)
    with site.database.begin() as session:
        return {
            name: api_keys.create(session, role=role, unit=unit, now=now, ids=site.loop.ids)
            for name, role, unit in (
                ("hotline", "hotline", None),
                ("market", "unit", "market"),
                ("property-centre", "unit", "property-centre"),
            )
        }


def order(n: int) -> dict[str, Any]:
    """Return one order as a hotline sends it, each from another phone."""
    return {
        "external_id": f"bench-{n}",
        "channel": "电话",
        "kind": "投诉",
        "category": "电梯",
        "title": "三号楼电梯停运",
        "body": "三号楼电梯自周四起停运,家中有老人无法下楼,多次联系物业没有结果,希望尽快维修。",
        "place": {"estate": "E1", "address": "3 号楼 2 单元 501"},
        "complainant": {"name": "张三丰", "phone": f"138{n:08d}"},
    }


def assigned(site: Site, first: int, count: int) -> list[str]:
    """Take in orders and bring them to the unit that is to sign; return their numbers."""
    numbers = []
    for start in range(first, first + count, 50):
        with site.database.begin() as session:
            for n in range(start, min(start + 50, first + count)):
                outcome = collect(site.loop, session, IntakeForm.model_validate(order(n)), HOTLINE)
                handle.act(site.loop, session, outcome.number, "accept", CENTRE, {})
                numbers.append(outcome.number)
    return numbers


def rated(site: Site, clock: SettableClock, first: int, count: int) -> None:
    """Take in orders and bring them to the end of their way, each step an hour after the one before."""
    numbers = assigned(site, first, count)
    for step, (who, form) in list(WAY.items())[1:]:
        clock.advance(timedelta(hours=1))
        for start in range(0, count, 50):
            with site.database.begin() as session:
                for number in numbers[start : start + 50]:
                    handle.act(site.loop, session, number, step, _WHO[who], dict(form))


def swept(site: Site) -> tuple[int, float, float]:
    """Fire every rung that is due; return how many, and how many seconds they took, by the wall and of our processor."""
    began, cpu = time.perf_counter(), time.process_time()
    done = escalate.sweep(site.loop, site.database)
    if done.failed:
        raise RuntimeError(f"{done.failed} grievances could not be swept")
    return done.fired, time.perf_counter() - began, time.process_time() - cpu

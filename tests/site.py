"""A small district on a test's own database: streets, units, keys, the calendar, kuiwen@1, and a clock set by hand."""  # noqa: A005

import io
import logging
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any, TypeVar
from uuid import UUID

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy.orm import Session

from tests.founding import Founding, founded_on
from wuye_loop import logs
from wuye_loop.app import create_app, make_site
from wuye_loop.authoring.checker.check import load
from wuye_loop.domain.grievance.situation import Actor
from wuye_loop.domain.privacy.access import api_keys as api_key_text
from wuye_loop.domain.privacy.words import Opener
from wuye_loop.domain.rules.rules import Rules
from wuye_loop.domain.time.clock_moves import Clock
from wuye_loop.edge.site import Site
from wuye_loop.loop import escalate
from wuye_loop.loop.escalate import Swept
from wuye_loop.ports import Ids, SettableClock, SystemIds
from wuye_loop.queries.verification import verify as audit
from wuye_loop.settings import Settings, shipped
from wuye_loop.store import registry
from wuye_loop.store.calendar import working_days
from wuye_loop.store.calendar.seed import seed_days
from wuye_loop.store.database import Database
from wuye_loop.store.directory import load as directory
from wuye_loop.store.grievance import due_rungs
from wuye_loop.store.keys import api_keys
from wuye_loop.store.reads.audit import Folder, folders
from wuye_loop.store.workflows import versions
from wuye_loop.store.workflows.files import whole_text

T = TypeVar("T")

MONDAY = datetime(2026, 3, 2, 1, tzinfo=UTC)  # 09:00 in Beijing; no holiday before 4 April
WORKFLOW = "kuiwen@1"

DEPARTMENTS = (
    "fire", "market", "housing", "development", "urban-management", "natural-resources", "tax", "police",
)  # fmt: skip


def area(code: str, name: str, level: str, parent: str | None = None) -> dict[str, Any]:
    return {"code": code, "name": name, "level": level, "parent": parent}


def unit(code: str, name: str, kind: str, area: str, parent: str | None = None, *duties: str) -> dict[str, Any]:
    return {"code": code, "name": name, "kind": kind, "area": area, "parent": parent, "duties": list(duties)}


def made_up(code: str, kind: str, area: str, parent: str | None = None, *duties: str) -> dict[str, Any]:
    """Return a unit that nobody needs to know by name."""
    return unit(code, f"单位 {code}", kind, area, parent, *duties)


DIRECTORY: dict[str, Any] = {
    "areas": [
        area("3707", "示范区", "district"),
        area("370701", "东关街道", "street", "3707"),
        area("370702", "西关街道", "street", "3707"),
        area("370701001", "东一社区", "community", "370701"),
        area("370702001", "西一社区", "community", "370702"),
    ],
    "units": [
        unit("property-centre", "区物业中心", "centre", "3707", "command-office", "property-centre"),
        unit("command-office", "指挥部办公室", "office", "3707"),
        *(unit(code, f"区{code}部门", "department", "3707", "command-office", code) for code in DEPARTMENTS),
        unit("office-1", "东关物业办", "office", "370701", "command-office", "property-office"),
        unit("office-2", "西关物业办", "office", "370702", "command-office", "property-office"),
        unit("company-1", "安居物业", "company", "370701", "office-1"),
        unit("company-2", "乐业物业", "company", "370702", "office-2"),
    ],
    "estates": [
        {"code": "E1", "name": "幸福苑", "area": "370701001", "company": "company-1", "kind": "商品房"},
        {"code": "E2", "name": "和平里", "area": "370702001", "company": "company-2", "kind": "老旧小区"},
    ],
}

#: name -> what kind of key, of which unit, over which area, from which source
KEYS: dict[str, dict[str, Any]] = {
    "hotline": {"role": "hotline"},
    "other-hotline": {"role": "hotline", "source": "other"},
    "supervisor": {"role": "supervisor", "area": "3707"},
    "supervisor-1": {"role": "supervisor", "area": "370701"},
    "supervisor-2": {"role": "supervisor", "area": "370702"},
    "admin": {"role": "admin"},
    "security": {"role": "security", "holder": "安全员 9001"},
    "auditor": {"role": "auditor"},
    **{unit["code"]: {"role": "unit", "unit": unit["code"]} for unit in DIRECTORY["units"]},
}


_days = cache(seed_days)


@cache
def text_of(workflow: str) -> str:
    """Return the text of a shipped workflow file."""
    return whole_text(shipped("workflows") / f"{workflow}.yaml")


@cache
def rules_of(workflow: str) -> Rules:
    """Return a shipped workflow, compiled once per run: the checker takes a quarter of a second."""
    return Rules(load(text_of(workflow), f"{workflow}.yaml"))


@dataclass
class Town:
    """One installation, with who may act in it and hands to turn its clock."""

    site: Site
    clock: SettableClock
    keys: Mapping[str, str]
    actors: Mapping[str, Actor] = field(default_factory=dict)
    workflow: str = WORKFLOW

    @property
    def database(self) -> Database:
        """The town's database."""
        return self.site.database

    @property
    def now(self) -> datetime:
        """What the town's clock shows."""
        return self.clock.now()

    def rows(self, statement: str, **params: object) -> list[Any]:
        """Return what a query answers."""
        with self.database.read() as session:
            return list(session.connection().exec_driver_sql(statement, params))

    def scalar(self, statement: str, **params: object) -> Any:
        """Return the first column of the first row that a query answers."""
        return self.rows(statement, **params)[0][0]

    def run(self, work: Callable[[Session], T]) -> T:
        """Run work in a transaction of its own."""
        with self.database.begin() as session:
            return work(session)

    def sweep(self) -> Swept:
        """Fire what is due now."""
        return escalate.sweep(self.site.loop, self.database, jobs=self.site.jobs)

    def advance(self, to: datetime | timedelta) -> int:
        """Move to an instant or by a span, stopping at every rung that falls due on the way; return how many fired."""
        target = to if isinstance(to, datetime) else self.now + to
        fired = 0
        while True:
            with self.database.read() as session:
                due = due_rungs.next_due(session)
            if due is None or due > target:
                self.clock.set(target)
                return fired
            self.clock.set(max(due, self.now))
            swept = self.sweep()
            assert swept.failed == 0
            assert swept.fired > 0, "a due rung did not fire"
            fired += swept.fired

    def folder(self, number: str) -> Folder:
        """Return all rows of a grievance as the tables hold them."""
        with self.database.read() as session:
            found = next(item for item in folders(session) if item.number == number)
        words = Opener(self.site.loop.keyring, found.id, found.sealed)
        return replace(found, entries=[replace(entry, facts=words(entry.facts)) for entry in found.entries])

    def words(self, number: str, value: Any) -> Any:
        """Return what of a grievance is sealed, in words."""
        found = self.folder(number)
        return Opener(self.site.loop.keyring, found.id, found.sealed)(value)

    def grievance(self, number: str) -> Any:
        """Return the grievance's row."""
        return self.rows("SELECT * FROM grievance WHERE number = %(number)s", number=number)[0]

    def clocks(self, number: str, name: str) -> list[Clock]:
        """Return the instances of a clock, the oldest first."""
        from wuye_loop.domain.time import clock_moves as clocks  # noqa: PLC0415 the method has the module's name

        images = self.folder(number).clocks.values()
        found = [clocks.from_row(image) for image in images if image["name"] == name]
        return sorted(found, key=lambda clock: (clock.started_at, clock.cycle, clock.run))

    def actions(self, number: str) -> list[str]:
        """Return the ledger's actions in order."""
        return [entry.action for entry in self.folder(number).entries]

    def notices(self) -> list[tuple[str, str]]:
        """Return (instrument, unit) of every notice that waits to be sent."""
        rows = self.rows(
            "SELECT args->>'instrument', args->>'unit' FROM procrastinate_jobs WHERE task_name = 'notify' ORDER BY id"
        )
        return [(row[0], row[1]) for row in rows]


def build(
    database: Database,
    *,
    data: Path,
    start: datetime = MONDAY,
    ids: Ids | None = None,
    workflow: str = WORKFLOW,
    units: Mapping[str, Any] = DIRECTORY,
    keys: Mapping[str, Mapping[str, Any]] | None = None,
    texts: Mapping[str, str] | None = None,
    **settings: Any,
) -> Town:
    """Make a town on an empty, migrated database: kuiwen's district unless another workflow and directory are given.

    `texts` are files that are not shipped, by name@version.
    """
    clock = SettableClock(start)
    own = Settings(**({"default_workflow": workflow} | settings | {"data": data}))
    keys = keys or KEYS
    wanted = founded_on(own, database, start, workflow, units, keys, texts) if ids is None else None
    if wanted in _foundings:
        return _copied(_foundings[wanted], own, database, clock, workflow)
    site = make_site(own, database, clock=clock, ids=ids or SystemIds())
    with pytest.MonkeyPatch.context() as patch, database.begin() as session:
        patch.setattr(working_days, "seed_days", _days)  # a third of a second for each town otherwise
        with _entered_together(session):
            working_days.seed(session, start)
            directory.load_directory(session, dict(units))
            for name in {workflow, *(texts or ())}:
                versions.publish(session, name, (texts or {}).get(name) or text_of(name), start)
            made = {name: api_keys.create(session, now=start, ids=site.loop.ids, **key) for name, key in keys.items()}
    town = _town(site, clock, made, workflow)
    if wanted is not None:
        _foundings[wanted] = Founding.of(database, data, town.keys, town.actors)
    return town


#: What towns of this run were founded on, and what that left.
_foundings: dict[str | None, Founding] = {}


def _copied(founding: Founding, settings: Settings, database: Database, clock: SettableClock, workflow: str) -> Town:
    """Return a town as one that was founded alike: a third of the time of founding it."""
    founding.lay_files(settings.data)
    founding.lay_rows(database)
    site = make_site(settings, database, clock=clock)
    return _opened(site, clock, founding.keys, founding.actors, workflow)


@contextmanager
def _entered_together(session: Session) -> Iterator[None]:
    """Enter in the register at the end what is settled one by one: half of the time of founding a town."""
    settled: dict[str, list[str]] = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(registry, "settle", lambda _, kind, *keys: settled.setdefault(kind, []).extend(keys))
        yield
    for kind, keys in settled.items():
        registry.settle(session, kind, *dict.fromkeys(keys))


def keys_for(units: Mapping[str, Any], **more: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Return a hotline key, a supervisor's over the first area, an admin's, and one for each unit of a directory."""
    own = {unit["code"]: {"role": "unit", "unit": unit["code"]} for unit in units["units"]}
    top = {"role": "supervisor", "area": units["areas"][0]["code"]}
    return {"hotline": {"role": "hotline"}, "supervisor": top, "admin": {"role": "admin"}, **own, **more}


def again(town: Town, ids: Ids | None = None) -> Town:
    """Return the same installation as after a restart: nothing is kept in memory but the clock and the compiled rules."""
    site = make_site(town.site.settings, town.database, clock=town.clock, ids=ids or SystemIds())
    new = _town(site, town.clock, town.keys, town.workflow)
    new.site.loop.reference._rules.update(town.site.loop.reference._rules)
    return new


def _town(site: Site, clock: SettableClock, made: Mapping[str, str], workflow: str = WORKFLOW) -> Town:
    actors = {}
    with site.database.read() as session:
        for name, key in made.items():
            row = api_keys.find(session, api_key_text.digest(key), clock.now())
            assert row is not None
            actors[name] = api_keys.actor_of(row)
    return _opened(site, clock, made, actors, workflow)


def _opened(
    site: Site, clock: SettableClock, keys: Mapping[str, str], actors: Mapping[str, Actor], workflow: str
) -> Town:
    if workflow == WORKFLOW:
        site.loop.reference._rules[WORKFLOW] = rules_of(WORKFLOW)
    with site.database.read() as session:
        site.loop.reference.refresh(session)
    return Town(site, clock, dict(keys), dict(actors), workflow)


@cache
def _rules_without_limit() -> Rules:
    text = text_of(WORKFLOW).replace("effect: [urged,", "effect: [{urged: {per_day: 1000}},")
    assert text != text_of(WORKFLOW)
    return Rules(load(text, f"{WORKFLOW}.yaml"))


def urged_freely(town: Town) -> Town:
    """Let complainants of a town under kuiwen@1 urge as often as a test needs."""
    town.site.loop.reference._rules[WORKFLOW] = _rules_without_limit()
    return town


@contextmanager
def town_on(database: Database, **options: Any) -> Iterator[Town]:
    """Give a town with a data folder of its own, removed at the end."""
    with tempfile.TemporaryDirectory() as data:
        yield build(database, data=Path(data), **options)


def order(external_id: str = "a1", **fields: Any) -> dict[str, Any]:
    """Return a 12345 order about a broken lift; fields replace its own."""
    return {
        "external_id": external_id,
        "channel": "电话",
        "kind": "投诉",
        "title": "三号楼电梯停运",
        "body": "电梯停运两天了，家里有老人。",
        "place": {"estate": "E1"},
        "complainant": {"name": "张三丰", "phone": "13812345678"},
    } | fields


FINISH = {"result": "解决", "contacted": True, "internal": "换了门机", "public_reply": "电梯已修好"}
SEND_BACK = {"reason": "非本单位职责", "legal_basis": "职责清单第三条"}
GOOD = {"contacted": True, "solved": "解决", "satisfied": "满意"}
BAD = {"contacted": True, "solved": "未解决", "satisfied": "不满意", "reason": "敷衍"}


@contextmanager
def logging_to_memory() -> Iterator[io.StringIO]:
    """Log as the program does, and give what is logged."""
    root = logging.getLogger()
    before = (root.handlers[:], root.level)
    lines = io.StringIO()
    logs.configure("INFO", lines)
    try:
        yield lines
    finally:
        root.handlers[:], root.level = before


@dataclass
class Driver:
    """Speaks HTTP to a town in this process, in the name of any of its keys."""

    town: Town
    app: FastAPI
    client: httpx.AsyncClient
    log: io.StringIO

    def headers(self, who: str | None, **more: str | None) -> dict[str, str]:
        """Return the headers of a request in somebody's name."""
        own = {"Authorization": f"Bearer {self.town.keys[who]}"} if who else {}
        return own | {name.replace("_", "-"): value for name, value in more.items() if value is not None}

    async def get(self, who: str | None, path: str, *, expect: int = 200) -> Any:
        """Read."""
        answer = await self.client.get(path, headers=self.headers(who))
        assert answer.status_code == expect, (path, answer.status_code, answer.text)
        return answer.json()

    async def send(
        self, who: str | None, path: str, body: Any = None, *, seq: int | None = None, key: str | None = None
    ) -> httpx.Response:
        """Post and return whatever comes back."""
        match = f'"{seq}"' if seq is not None else None
        return await self.client.post(
            path, json=body or {}, headers=self.headers(who, If_Match=match, Idempotency_Key=key)
        )

    async def post(self, who: str | None, path: str, body: Any = None, *, expect: int = 200, **more: Any) -> Any:
        """Post and return the answer's JSON, which must come with this status."""
        answer = await self.send(who, path, body, **more)
        assert answer.status_code == expect, (who, path, answer.status_code, answer.text)
        return answer.json()

    async def push(self, external_id: str = "a1", *, who: str = "hotline", expect: int = 201, **fields: Any) -> str:
        """Send in an order; return the grievance's number."""
        made = await self.post(who, "/v1/grievances", order(external_id, **fields), expect=expect)
        return str(made["number"])

    async def act(self, who: str, number: str, action: str, form: Any = None, **more: Any) -> Any:
        """Take an action on a grievance."""
        return await self.post(who, f"/v1/grievances/{number}/actions/{action}", form, **more)

    async def open(self, who: str, number: str, kind: str, form: Any = None, *, expect: int = 201, **more: Any) -> Any:
        """Open a task."""
        return await self.post(who, f"/v1/grievances/{number}/tasks/{kind}", form, expect=expect, **more)

    async def on_task(self, who: str, task: str | UUID, action: str, form: Any = None, **more: Any) -> Any:
        """Take an action on a task."""
        return await self.post(who, f"/v1/tasks/{task}/actions/{action}", form, **more)

    async def walk(self, number: str, *steps: str) -> None:
        """Take the plain way of a lift case as far as the steps say."""
        for step in steps:
            who, form = WAY[step]
            await self.act(who, number, step, form)

    def tasks(self, number: str, kind: str) -> list[Any]:
        """Return the grievance's tasks of a kind, the oldest first."""
        rows = self.town.rows(
            "SELECT t.* FROM task t JOIN grievance g ON g.id = t.grievance_id"
            " WHERE g.number = %(number)s AND t.kind = %(kind)s ORDER BY t.n",
            number=number,
            kind=kind,
        )
        return [SimpleNamespace(**{**row._mapping, "data": self.town.words(number, row.data)}) for row in rows]


#: The plain way of a lift case: who takes which action with what.
WAY: dict[str, tuple[str, Mapping[str, Any]]] = {
    "accept": ("property-centre", {}),
    "sign": ("market", {}),
    "finish": ("market", FINISH),
    "approve": ("property-centre", {}),
    "call_back": ("property-centre", {"outcome": "接通"}),
    "rate": ("hotline", GOOD),
}


#: The contract that applications with and without the clock's door make of themselves: half a second for each otherwise.
_contracts: dict[bool, list[dict[str, Any] | None]] = {}


@asynccontextmanager
async def driving(town: Town, **client: Any) -> AsyncIterator[Driver]:
    """Give a driver whose requests reach the town's own application in this process."""
    app = create_app(town.site)
    kept = _contracts.setdefault(town.site.settings.rehearsal, [None])
    app.openapi_schema = kept[0]
    # What the application raises, a server would answer: so does this one.
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    with logging_to_memory() as log:
        async with httpx.AsyncClient(transport=transport, base_url="http://town", **client) as http:
            try:
                yield Driver(town, app, http, log)
            finally:
                kept[0] = app.openapi_schema
                await town.database.dispose_async()


def wall(drive: Driver, number: str, clock: str) -> str:
    """Return when the newest instance of a clock is due, as a Beijing wall clock shows it."""
    return (drive.town.clocks(number, clock)[-1].due_at + timedelta(hours=8)).strftime("%m-%d %H:%M")


async def seen(drive: Driver, number: str, who: str = "admin") -> Any:
    """Return the grievance as somebody reads it."""
    return await drive.get(who, f"/v1/grievances/{number}")


@asynccontextmanager
async def story(town: Town) -> AsyncIterator[Driver]:
    """Drive a town; when the story has been told its ledger must still be true."""
    async with driving(town) as driver:
        yield driver
        require_sound(town)


def refuse(town: Town, table: str, when: str, *, deferred: bool = False) -> None:
    """Let the database refuse new rows of a table, at once or not before the commit."""
    kind = "CONSTRAINT TRIGGER refuse AFTER INSERT ON {} DEFERRABLE INITIALLY DEFERRED" if deferred else (
        "TRIGGER refuse BEFORE INSERT ON {}"
    )  # fmt: skip
    with town.database.begin() as session:
        connection = session.connection()
        connection.exec_driver_sql(
            "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS"
            f" $$ BEGIN IF {when} THEN RAISE EXCEPTION 'refused'; END IF; RETURN NEW; END $$"
        )
        connection.exec_driver_sql(f"CREATE {kind.format(table)} FOR EACH ROW EXECUTE FUNCTION refuse()")


def require_sound(town: Town) -> None:
    """Hold that a town's ledger and tables are true."""
    report = audit.verify(town.site.loop, town.database)
    assert report.ok, report.problems


def at(text: str) -> datetime:
    """Read a Beijing wall clock, as 2026-03-02 09:00."""
    return datetime.fromisoformat(f"{text}+08:00").astimezone(UTC)

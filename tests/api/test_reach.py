"""Secondary paths: no list, search, agenda, summary, document, export or link names what the same key may not get by itself.

The doors come from the contract, with every choice of every question: a door that is new is walked too, or this test says so.
"""

import io
import re
import zipfile
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterator, Mapping
from contextlib import asynccontextmanager
from itertools import product
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from tests.api.test_papers import found, line, notice, send
from tests.api.test_papers import town_of as papers_town
from tests.assessing import close_due
from tests.loop.test_striking import family
from tests.site import Driver, Town, at, build, order, story
from tests.stories.test_sixth_city import neighbour

from wuye_loop.authoring.assessment.check import load_scheme
from wuye_loop.domain.language.workflow import Workflow
from wuye_loop.store.assessment import schemes
from wuye_loop.store.database import Database

pytestmark = pytest.mark.anyio
FEW = ("other-hotline", "company-1")
#: Counts of grievances: none may be more than the key can get one by one.
_COUNTS = frozenset(
    {"count", "total", "family", "received", "open", "overdue", "closed", "proposed", "held", "returned"}
)
#: What is asked of questions that have no closed choices.
_ASKED = {
    "q": ["电梯", "停"], "area": ["{areas}"], "estate": ["E1", "E2"], "unit": ["{units}"], "category": ["电梯", "停车管理"],
    "state": ["handling", "assigned"], "external_id": ["a1", "o1", "f2"], "source": ["hotline", "other"],
    "from": ["2026-03-01"], "to": ["2026-12-31"], "since": ["2026-03-01T00:00:00Z"], "limit": ["200"], "after": ["0"],
}  # fmt: skip
_SCHEME = """kind: assessment
name: walk
version: 1
title: 走查
workflow: {workflow}
subjects: {{are: company, peers: {{area: street}}}}
measures:
  volume: {{title: 诉求量, count: grievances}}
  satisfaction: {{title: 满意率, rate: ratings, rating: resident, over: {{contacted: true}}}}
periods:
  month:
    every: month
    figures: [volume]
    items: [{{title: 量, weight: 100, from: satisfaction, missing: zero}}]
    publishes: at_close
"""


async def papers(drive: Driver) -> None:
    """Matters of two streets and two hotlines, one document over both streets, a family over both hotlines."""
    for external_id, estate in (("a1", "E1"), ("a2", "E2"), ("a3", "E1")):
        await drive.push(external_id, place={"estate": estate}, complainant=neighbour(external_id))
    other = order("o1", place={"estate": "E1"}, complainant=neighbour("o1"))
    await drive.post("other-hotline", "/v1/grievances", other, expect=201)
    first, second = await found(drive, "f1"), await found(drive, "f2", "E2")
    made = await send(drive, notice(line(first), line(second, "company-2")))
    assert made.status_code == 201, made.text
    lead, follower = numbers(drive.town, "o1", "a3")
    for number in (lead, follower):
        await drive.act("desk-centre", number, "accept")
    await drive.act("desk-centre", follower, "merge", {"into": lead, "reason": "同一件"})


async def merged(drive: Driver) -> None:
    """Lead a family with an order, a task and an answer, beside a matter of the other street and one of the other hotline."""
    await family(drive)
    await drive.push("z2", place={"estate": "E2"})
    await drive.post("other-hotline", "/v1/grievances", order("o1"), expect=201)


def numbers(town: Town, *external_ids: str) -> list[str]:
    rows = dict(map(tuple, town.rows("SELECT external_id, number FROM grievance")))
    return [rows[one] for one in external_ids]


def publish(town: Town, text: str) -> None:
    """Publish a scheme over whatever workflow the town has."""

    def workflow_of(name: str) -> Workflow:
        return town.run(lambda session: town.site.loop.reference.rules(session, name)).workflow

    scheme = load_scheme(text, "walk@1.yaml", workflows=workflow_of)
    town.run(lambda session: schemes.publish(session, scheme, text, town.now))


Scene = Callable[[Driver], Awaitable[None]]
SCENES: dict[str, tuple[Callable[[Database, Path], Town], Scene, str]] = {
    "papers": (papers_town, papers, "qinghe@1"),
    "family": (lambda database, data: build(database, data=data), merged, "kuiwen@1"),
}


@asynccontextmanager
async def lived_in(database: Database, data: Path, which: str) -> AsyncIterator[Driver]:
    """Give a driver in a town that has been lived in, with a month that was assessed."""
    make, scene, workflow = SCENES[which]
    town = make(database, data)
    publish(town, _SCHEME.format(workflow=workflow))
    async with story(town) as driver:
        await scene(driver)
        town.advance(at("2026-04-03 10:00"))
        close_due(town)
        yield driver


@pytest.fixture(params=SCENES)
async def drive(database: Database, tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Driver]:
    """Give a driver in each of the towns."""
    async with lived_in(database, tmp_path, request.param) as driver:
        yield driver


class Walk:
    """What one key may get by itself, and what every other door shows it."""

    #: What else can stand in an address.
    more: Mapping[str, list[str]] = {}

    def __init__(self, drive: Driver, who: str) -> None:
        self.drive, self.who = drive, who
        town = drive.town
        self.all = {
            "grievance": [row[0] for row in town.rows("SELECT number FROM grievance")],
            "task": [str(row[0]) for row in town.rows("SELECT id FROM task")],
            "document": [row[0] for row in town.rows("SELECT DISTINCT number FROM document")],
        }
        self.may: dict[str, set[str]] = {}

    async def get(self, address: str) -> Any:
        return await self.drive.client.get(address, headers=self.drive.headers(self.who))

    async def singly(self) -> None:
        """Ask for each thing by itself."""
        doors = {"grievance": "/v1/grievances/", "task": "/v1/tasks/", "document": "/v1/documents/"}
        for what, door in doors.items():
            answers = {one: await self.get(door + quote(one, safe="")) for one in self.all[what]}
            self.may[what] = {one for one, answer in answers.items() if answer.status_code == 200}

    def foreign(self, answer: Any, asked: str) -> Iterator[str]:
        """Yield what an answer names that the key may not get; what the key itself has `asked` for it knows."""
        text = said_in(answer)
        for what in self.all:
            yield from (one for one in self.all[what] if one in text and one not in self.may[what] and one not in asked)
        if answer.headers.get("content-type", "").startswith("application/json"):
            for key, count in counts(answer.json()):
                if count > len(self.may["grievance"]):
                    yield f"{key}={count} of {len(self.may['grievance'])}"

    async def over(self, path: str, door: dict[str, Any]) -> list[str]:
        """Ask one door everything it can be asked; return what it showed too much, and count what it answered."""
        gone = []
        for asked, address in self.addresses(path, door):
            answer = await self.get(address)
            assert answer.status_code < 500, (address, self.who, answer.text)
            gone += [f"{self.who} at {address}: {one}" for one in self.foreign(answer, asked)]
        return gone

    def addresses(self, path: str, door: dict[str, Any]) -> Iterator[tuple[str, str]]:
        """Yield (the thing asked for, address) for all that can stand in a path, without a question and with each."""
        names = re.findall(r"{(\w+)}", path)
        values = [self.values(name, path) for name in names]
        questions = [""] + [f"?{urlencode({name: value})}" for name, value in self.questions(door)]
        for place, chosen in enumerate(product(*values)):
            address = path
            for name, value in zip(names, chosen, strict=True):
                address = address.replace(f"{{{name}}}", quote(value, safe=""))
            for question in questions[: None if place == 0 else 1]:  # what is asked does not change whose it is
                yield (chosen[0] if chosen else ""), address + question

    def values(self, name: str, path: str) -> list[str]:
        rows = self.drive.town.rows
        known: dict[str, list[str]] = {
            "document": self.all["document"],
            "number": self.all["document" if path.startswith("/v1/documents") else "grievance"],
            "task_id": self.all["task"],
            "workflow_id": [self.drive.town.workflow],
            "action": ["urge"],
            "kind": [row[0] for row in rows("SELECT DISTINCT kind FROM task")],
            "file_id": [str(row[0]) for row in rows("SELECT id FROM attachment")],
            "scheme": ["walk"],
            "period": ["2026-03"],
            "unit": [row[0] for row in rows("SELECT code FROM unit WHERE kind = 'company'")],
            "subject": [row[0] for row in rows("SELECT code FROM unit WHERE kind = 'company'")],
            "measure": ["volume", "satisfaction"],
            "bulletin_id": [str(row[0]) for row in rows("SELECT id FROM assessment WHERE state = 'published'")],
            "form": ["html", "docx", "xlsx", "csv", "pdf"],
            "watermark": ["0" * 12],
            **self.more,
        }
        assert name in known, f"teach this walk what stands for {{{name}}} in {path}"
        return known[name]

    def questions(self, door: dict[str, Any]) -> Iterator[tuple[str, str]]:
        rows = self.drive.town.rows
        more = {"{areas}": "SELECT code FROM area", "{units}": "SELECT code FROM unit"}
        for one in door.get("parameters", []):
            if one["in"] != "query":
                continue
            shapes = [one["schema"], *one["schema"].get("anyOf", ())]
            choices = [value for shape in shapes for value in shape.get("enum", ())]
            for value in choices or _ASKED.get(one["name"], []):
                every = [row[0] for row in rows(more[value])] if value in more else [value]
                yield from ((one["name"], str(each)) for each in every)


def said_in(answer: Any) -> str:
    """Return what an answer says, also where it is packed."""
    if not answer.content.startswith(b"PK"):
        return str(answer.text)
    with zipfile.ZipFile(io.BytesIO(answer.content)) as packed:
        return "".join(packed.read(name).decode("utf-8", "replace") for name in packed.namelist())


def counts(said: Any) -> Iterator[tuple[str, int]]:
    """Yield every count of grievances in an answer."""
    if isinstance(said, list):
        for one in said:
            yield from counts(one)
    if isinstance(said, dict):
        for key, value in said.items():
            if key in _COUNTS and isinstance(value, int) and not isinstance(value, bool):
                yield key, value
            yield from counts(value)


async def walked(drive: Driver, keys: Collection[str]) -> tuple[list[str], int]:
    """Go through every door with these keys; return what was shown too much, and how many keys see some and not all."""
    doors = {path: one["get"] for path, one in drive.app.openapi()["paths"].items() if "get" in one}
    gone: list[str] = []
    partly = 0
    for who in keys:
        walk = Walk(drive, who)
        await walk.singly()
        partly += 0 < len(walk.may["grievance"]) < len(walk.all["grievance"])
        for path, door in doors.items():
            if path.startswith("/v1/"):
                gone += await walk.over(path, door)
    return gone, partly


async def test_some_keys_find_nothing_on_any_path_that_they_may_not_get_singly(drive: Driver) -> None:
    gone, partly = await walked(drive, FEW)
    assert not gone, f"{len(gone)}\n" + "\n".join(gone[:60])
    assert partly >= 1, "a key that sees all or nothing proves nothing"


@pytest.mark.proof
async def test_no_key_finds_anything_on_any_path_that_it_may_not_get_singly(drive: Driver) -> None:
    gone, _ = await walked(drive, drive.town.keys)
    assert not gone, f"{len(gone)}\n" + "\n".join(gone[:60])


@pytest.mark.proof
async def test_the_walk_finds_a_list_that_forgets_whose_it_is(drive: Driver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wuye_loop.store.reads.grievances.visible", lambda *_: ("TRUE", {}))
    gone, _ = await walked(drive, FEW[:1])
    assert gone

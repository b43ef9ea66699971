"""Orders taken in together: each comes to what it would have come to alone, once, and none costs another."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event
from tests.api.test_papers import town_of
from tests.site import Driver, build, driving, order, refuse, require_sound, story
from tests.stories.test_sixth_city import handling, neighbour

from wuye_loop.edge import transact
from wuye_loop.loop import collect as collecting
from wuye_loop.loop import routing as asking
from wuye_loop.loop.collect import collect_together
from wuye_loop.store.database import Database
from wuye_loop.store.grievance import writer

pytestmark = pytest.mark.anyio
BATCH = "/v1/grievances:batch"


@pytest.fixture
async def drive(database: Database, tmp_path: Path) -> AsyncIterator[Driver]:
    """Give a driver of a town whose ledger must still be true at the end."""
    town = build(database, data=tmp_path)
    async with driving(town) as driver:
        yield driver
    require_sound(town)


def various(run: str, phone: str) -> list[dict[str, Any]]:
    """Return orders of every kind that intake treats differently; two runs differ in ids and phones alone."""

    def one(name: str, **fields: Any) -> dict[str, Any]:
        fields.setdefault("complainant", {"name": "张三丰", "phone": f"{phone}0"})
        return order(f"{run}-{name}", **fields)

    return [
        one("first"),
        one("second"),  # the same person and estate again
        one("elsewhere", place={"estate": "和平里"}),
        one("red", title="小区燃气泄漏", body="楼道里正在起火，请马上来人。"),
        one("unknown-area", place={"area_code": "999999"}),
        one("unknown-estate", place={"estate": "云上小区"}, kind="点赞", urgency="十万火急"),
        one("third"),
        one("second"),  # sent twice in the same batch
        one("first", body="别的事"),
        one("nobody", complainant={}),
        one(
            "later",
            occurred_at="去年某天",
            category="物业服务",
            complainant={"phone": f"{phone}1", "confidential": True},
        ),
    ]


def shown(town: Any, answers: list[dict[str, Any]], run: str) -> list[Any]:
    """Return what orders came to, without what no two grievances share."""
    kept = {}
    for row in town.rows("SELECT * FROM grievance WHERE starts_with(external_id, %(run)s)", run=f"{run}-"):
        fields = row._asdict()
        for name in ("id", "number", "external_id", "head", "intake_digest"):
            del fields[name]
        kept[row.number] = (
            town.words(row.number, fields),
            town.actions(row.number),
            len(town.clocks(row.number, "accept")),
        )
    mine = {number: f"no. {n}" for n, number in enumerate(dict.fromkeys(one.get("number") for one in answers))}
    told = []
    for one in answers:
        plain = dict(one)
        plain.pop("external_id", None)
        number = plain.pop("number", None)
        told.append((mine.get(number), plain, kept.get(number)))
    return told


async def test_a_batch_comes_to_what_the_same_orders_come_to_one_by_one(drive: Driver) -> None:
    alone = []
    for sent in various("a", "1381234567"):
        answer = await drive.send("hotline", "/v1/grievances", sent)
        told = {name: value for name, value in answer.json().items() if name not in ("title", "instance")}
        alone.append({"status": answer.status_code, **told})
    before = len(drive.town.notices())
    together = (await drive.post("hotline", BATCH, {"items": various("b", "1391234567")}))["items"]
    assert [one["status"] for one in together] == [201, 201, 201, 201, 422, 201, 201, 200, 409, 201, 201]
    assert [one.get("type") for one in together] == [one.get("type") for one in alone]
    fine = [n for n, one in enumerate(together) if one["status"] < 400]
    assert shown(drive.town, [together[n] for n in fine], "b") == shown(drive.town, [alone[n] for n in fine], "a")
    assert [row[0] for row in drive.town.rows(
        "SELECT data->>'repeat' FROM grievance WHERE starts_with(external_id, 'b-') ORDER BY id"
    )] == [None, "1", None, "2", None, "3", None, None]  # fmt: skip
    assert before > 0  # the red line
    assert drive.town.notices()[before:] == drive.town.notices()[:before]


@contextmanager
def counted(database: Database) -> Iterator[list[str]]:
    """Note every statement of requests, and every commit."""
    seen: list[str] = []
    engine = database.async_engine.sync_engine

    def note(_c: Any, _cursor: Any, statement: str, *_: Any) -> None:
        seen.append(statement)

    def committed(_: Any) -> None:
        seen.append("COMMIT")

    event.listen(engine, "before_cursor_execute", note)
    event.listen(engine, "commit", committed)
    yield seen
    event.remove(engine, "before_cursor_execute", note)
    event.remove(engine, "commit", committed)


async def test_fifty_orders_are_one_look_one_write_and_one_commit(drive: Driver) -> None:
    await drive.push("warm")
    with counted(drive.town.database) as seen:
        answer = await drive.post("hotline", BATCH, {"items": [order(f"m{n}") for n in range(120)]})
    assert [item["status"] for item in answer["items"]] == [201] * 120
    assert sum("jsonb_to_recordset" in one for one in seen) == 3
    assert sum(one.startswith("WITH ledgered") for one in seen) == 3
    assert seen.count("COMMIT") <= 3 + 1  # and what counts the requests of a key


async def test_what_belongs_to_an_earlier_order_of_the_same_batch_goes_there(
    database: Database, tmp_path: Path
) -> None:
    async with story(town_of(database, tmp_path)) as drive:
        before = await handling(drive, "old", complainant=neighbour("old"))
        urge = order("u1", channel="催办", extra={"parent": "old"})
        items = [
            order("n1", complainant=neighbour("n1")), urge, order("n2", complainant=neighbour("n2")),
            order("u2", channel="催办", extra={"parent": "n2"}), urge, order("u3", channel="催办", extra={"parent": "none"}),
        ]  # fmt: skip
        first = (await drive.post("hotline", BATCH, {"items": items}))["items"]
        again = (await drive.post("hotline", BATCH, {"items": items}))["items"]
        for answers in (first, again):  # the whole batch again changes nothing
            assert [answer.get("attached_to") for answer in answers][:2] == [None, before]
        assert drive.town.grievance(before).urged == 1
        assert [answer["status"] for answer in first] == [201, 200, 201, 200, 200, 201]
        assert [answer["status"] for answer in again] == [200] * 6
        flags = drive.town.scalar("SELECT flags FROM grievance WHERE external_id = 'u3'")
        assert "unattached" in flags


async def test_an_order_that_the_database_refuses_costs_no_other(drive: Driver) -> None:
    refuse(drive.town, "grievance", "NEW.external_id IN ('m7', 'm33')")
    items = [order(f"m{n}", complainant={"phone": f"138123456{n:02}"}) for n in range(60)]
    answers = (await drive.post("hotline", BATCH, {"items": items}))["items"]
    assert [n for n, answer in enumerate(answers) if answer["status"] != 201] == [7, 33]
    assert drive.town.scalar("SELECT count(*) FROM grievance") == 58
    assert drive.town.scalar("SELECT count(*) FROM complainant") == 58
    assert drive.town.scalar("SELECT count(DISTINCT number) FROM grievance") == 58


async def test_a_group_that_drew_a_number_for_a_refused_order_is_taken_in_one_by_one(
    drive: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    def drawn(loop: Any, session: Any, orders: Any, *_: Any) -> Any:
        collect_together(loop, session, orders, drive.town.actors["hotline"])
        raise collecting.Entangled

    monkeypatch.setattr(transact, "collect_together", drawn)
    answers = (await drive.post("hotline", BATCH, {"items": [order(f"m{n}") for n in range(5)]}))["items"]
    assert [answer["status"] for answer in answers] == [201] * 5
    assert drive.town.scalar("SELECT count(*) FROM grievance") == 5


async def test_the_same_batch_four_times_at_once_is_taken_in_once(drive: Driver) -> None:
    items = [order(f"m{n}", complainant={"phone": f"138123456{n:02}"}) for n in range(70)]
    answers = await asyncio.gather(*(drive.post("hotline", BATCH, {"items": items}) for _ in range(4)))
    for n in range(70):
        mine = [answer["items"][n] for answer in answers]
        assert sorted(item["status"] for item in mine) == [200, 200, 200, 201]
        assert len({item["number"] for item in mine}) == 1
    assert drive.town.scalar("SELECT count(*) FROM grievance") == 70


async def test_who_called_before_is_known_by_where_the_grievance_lies_now(drive: Driver) -> None:
    number = await drive.push("a1")
    await drive.client.patch(
        f"/v1/grievances/{number}",
        json={"place": {"estate": "E2"}, "reason": "小区写错"},
        headers=drive.headers("hotline"),
    )
    assert drive.town.grievance(number).estate_code == "E2"
    await drive.push("a2")
    await drive.push("a3", place={"estate": "E2"})
    found = drive.town.rows("SELECT external_id, data->'repeat' FROM grievance ORDER BY id")
    assert [tuple(row) for row in found] == [("a1", None), ("a2", None), ("a3", 1)]


async def test_routers_count_what_the_same_batch_has_given_to_a_unit(drive: Driver) -> None:
    await drive.walk(await drive.push("x1"), "accept")

    def loads(session: Any) -> Any:
        return asking._loads(session, {"market": 2, "fire": 1}, ["market", "fire", "tax"])

    assert drive.town.run(loads) == {"market": 3, "fire": 1}


async def pushed(drive: Driver, *orders: dict[str, Any], who: str = "hotline") -> list[Any]:
    """Send orders at the same moment, each by itself."""
    return await asyncio.gather(*(drive.send(who, "/v1/grievances", one) for one in orders))


async def test_orders_that_come_at_the_same_moment_are_one_look_one_write_and_one_commit(drive: Driver) -> None:
    await drive.push("warm")
    with counted(drive.town.database) as seen:
        answers = await pushed(drive, *(order(f"m{n}") for n in range(20)))
    assert [one.status_code for one in answers] == [201] * 20
    assert len({one.json()["number"] for one in answers}) == 20
    assert [one.json()["external_id"] for one in answers] == [f"m{n}" for n in range(20)]
    assert sum("jsonb_to_recordset" in one for one in seen) == 1
    assert sum(one.startswith("WITH ledgered") for one in seen) == 1
    repeats = [row[0] for row in drive.town.rows("SELECT data->'repeat' FROM grievance ORDER BY external_id")]
    assert sorted(repeats, key=lambda one: one or 0) == [None, *range(1, 21)]  # each of the same phone was counted


async def test_of_orders_that_come_at_the_same_moment_each_comes_to_its_own(drive: Driver) -> None:
    await drive.push("warm")
    sent = various("a", "1381234567")
    answers = await pushed(drive, *sent)
    by_id: dict[str, list[int]] = {}
    for one, answer in zip(sent, answers, strict=True):
        by_id.setdefault(one["external_id"], []).append(answer.status_code)
    assert {name: sorted(found) for name, found in by_id.items() if len(found) > 1} == {
        "a-second": [200, 201], "a-first": [201, 409],
    }  # fmt: skip
    assert by_id["a-unknown-area"] == [422]
    assert all(found == [201] for name, found in by_id.items() if len(found) == 1 and name != "a-unknown-area")
    both = await asyncio.gather(pushed(drive, order("o1")), pushed(drive, order("o1"), who="other-hotline"))
    assert [one.status_code for (one,) in both] == [201, 201]
    assert len({one.json()["number"] for (one,) in both}) == 2


async def test_of_orders_that_come_at_the_same_moment_one_that_is_refused_costs_no_other(drive: Driver) -> None:
    await drive.push("warm")
    refuse(drive.town, "grievance", "NEW.external_id = 'm7'")
    answers = await pushed(drive, *(order(f"m{n}") for n in range(12)))
    assert [one.status_code for one in answers] == [201] * 7 + [500] + [201] * 4
    assert drive.town.scalar("SELECT count(*) FROM grievance") == 12


async def test_of_orders_that_come_at_the_same_moment_one_that_cannot_be_decided_costs_no_other(
    drive: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    await drive.push("warm")
    real = collecting._arrival

    def broken(loop: Any, session: Any, world: Any, sent: Any, *more: Any, **terms: Any) -> Any:
        if sent.form.external_id == "m7":
            raise KeyError("m7")
        return real(loop, session, world, sent, *more, **terms)

    monkeypatch.setattr(collecting, "_arrival", broken)
    answers = await pushed(drive, *(order(f"m{n}") for n in range(12)))
    assert [one.status_code for one in answers] == [201] * 7 + [500] + [201] * 4


async def test_of_orders_that_come_at_the_same_moment_a_broken_connection_costs_one_sender_only(
    drive: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    await drive.push("warm")
    await drive.push("warm", who="other-hotline")
    real = writer.insert

    def broken(session: Any, made: Any, **more: Any) -> Any:
        if made[0].step.situation.grievance.source == "other":
            session.connection().exec_driver_sql("SELECT pg_terminate_backend(pg_backend_pid())")
        return real(session, made, **more)

    monkeypatch.setattr(writer, "insert", broken)
    both = await asyncio.gather(
        pushed(drive, *(order(f"m{n}") for n in range(3))),
        pushed(drive, *(order(f"m{n}") for n in range(3)), who="other-hotline"),
    )
    assert [[one.status_code for one in answers] for answers in both] == [[201] * 3, [503] * 3]


@pytest.mark.parametrize("loses", [False, True])
async def test_what_was_answered_201_is_there_and_an_order_that_is_dropped_is_seen(
    drive: Driver,
    monkeypatch: pytest.MonkeyPatch,
    loses: bool,  # noqa: FBT001 pytest's
) -> None:
    await drive.push("warm")
    real = writer.insert
    if loses:
        monkeypatch.setattr(writer, "insert", lambda session, made, **more: real(session, made[:-1] or made, **more))
    answers = await pushed(drive, *(order(f"m{n}") for n in range(12)))
    told = {one.json()["number"] for one in answers if one.status_code == 201}
    written = {row[0] for row in drive.town.rows("SELECT number FROM grievance WHERE external_id <> 'warm'")}
    assert (told == written) is not loses

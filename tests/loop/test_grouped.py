"""Actions on different grievances in one transaction: each comes to what it would have come to alone, or to nothing."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session
from tests.site import SEND_BACK, Driver, Town, build, driving, refuse, require_sound, urged_freely

from wuye_loop.jobs import Jobs
from wuye_loop.loop import grouped
from wuye_loop.loop.engine import Loop, StepResult
from wuye_loop.loop.grouped import Act, Alone, act_together
from wuye_loop.store import straight, visibility
from wuye_loop.store.database import Database
from wuye_loop.store.grievance import writer

pytestmark = pytest.mark.anyio
HOW_MANY = 8
CONTACT = {"contacted": True, "note": "已电话联系"}


@pytest.fixture
def town(database: Database, tmp_path: Path) -> Iterator[Town]:
    """Give a town whose ledger must still be true at the end."""
    own = urged_freely(build(database, data=tmp_path))
    yield own
    require_sound(own)


@pytest.fixture
def groups(monkeypatch: pytest.MonkeyPatch) -> list[list[StepResult | Alone]]:
    """Note what each group came to."""
    seen: list[list[StepResult | Alone]] = []

    def noted(loop: Loop, session: Session, acts: Sequence[Act], jobs: Jobs) -> list[StepResult | Alone]:
        outcomes = act_together(loop, session, acts, jobs)
        seen.append(outcomes)
        return outcomes

    monkeypatch.setattr(grouped, "act_together", noted)
    return seen


async def assigned(drive: Driver, count: int = HOW_MANY) -> list[str]:
    """Take in so many grievances, and bring them to the unit that is to sign."""
    numbers = [await drive.push(f"a{n}", complainant={"phone": f"138123456{n:02}"}) for n in range(count)]
    for number in numbers:
        await drive.walk(number, "accept")
    return numbers


async def at_once(drive: Driver, *requests: tuple[Any, ...], **more: Any) -> list[Any]:
    """Act on grievances at the same moment: who, number, action, form."""
    return await asyncio.gather(
        *(drive.send(who, f"/v1/grievances/{number}/actions/{action}", form[0] if form else None, **more)
          for who, number, action, *form in requests)
    )  # fmt: skip


def statuses(answers: Sequence[Any]) -> list[int]:
    return [answer.status_code for answer in answers]


def shown(town: Town, number: str) -> Any:
    """Return what an action left, without what no two grievances share."""
    row = town.grievance(number)._asdict()
    for name in ("id", "number", "external_id", "head", "intake_digest"):
        del row[name]
    entries = [(entry.action, entry.from_state, entry.to_state, entry.actor) for entry in town.folder(number).entries]
    clocks = sorted((image["name"], image["status"], image["due_at"]) for image in town.folder(number).clocks.values())
    return row, entries, clocks


async def test_actions_taken_together_come_to_what_they_come_to_one_by_one(
    town: Town, groups: list[list[StepResult | Alone]], monkeypatch: pytest.MonkeyPatch
) -> None:
    async with driving(town) as drive:
        together, alone = (await assigned(drive, 2 * HOW_MANY))[::2], []
        alone = [row[0] for row in town.rows("SELECT number FROM grievance ORDER BY id") if row[0] not in together]
        await drive.get("market", f"/v1/grievances/{together[0]}/actions")  # the key is known
        answers = await at_once(drive, *(("market", number, "sign") for number in together), key="k1")
        assert len(groups[-1]) == HOW_MANY
        with monkeypatch.context() as patch:
            patch.setattr(grouped, "_MOST", 1)
            one_by_one = [
                await drive.send("market", f"/v1/grievances/{number}/actions/sign", key="k1") for number in alone
            ]
        assert statuses(answers) == statuses(one_by_one) == [200] * HOW_MANY
        for number, other, answer, another in zip(together, alone, answers, one_by_one, strict=True):
            assert shown(town, number) == shown(town, other)
            apart = {"number": "", "open_tasks": []}
            assert (answer.json() | apart) == (another.json() | apart)
            assert answer.headers["etag"] == another.headers["etag"]
        again = await at_once(drive, *(("market", number, "sign") for number in together), key="k1")
        assert [one.content for one in again] == [one.content for one in answers]
        assert all(one.headers["idempotent-replayed"] == "true" for one in again)


async def test_a_group_is_one_look_one_write_and_one_end(town: Town, groups: list[list[StepResult | Alone]]) -> None:
    async with driving(town) as drive:
        numbers = await assigned(drive)
        await drive.get("market", f"/v1/grievances/{numbers[0]}/actions")  # the key is known: no statement for it
        seen: list[str] = []
        engine = town.database.async_engine.sync_engine
        event.listen(engine, "before_cursor_execute", lambda *args: seen.append(args[2]))
        event.listen(engine, "commit", lambda _: seen.append("COMMIT"))
        assert statuses(await at_once(drive, *(("market", number, "sign") for number in numbers))) == [200] * HOW_MANY
    assert [one.split()[0] for one in seen] == ["SELECT", "WITH", "COMMIT"]


async def test_each_sees_and_may_do_what_it_could_alone(town: Town, groups: list[list[StepResult | Alone]]) -> None:
    async with driving(town) as drive:
        a, b, c, d, e, f, g, h = await assigned(drive)
        seq = town.grievance(a).seq
        requests = [
            ("market", a, "sign"), ("company-2", b, "sign"), ("hotline", c, "urge"), ("other-hotline", d, "urge"),
            ("market", e, "approve"), ("market", f, "send_back", {}), ("market", g, "send_back", SEND_BACK),
            ("market", h, "no_such_action"), ("market", "WY260302-AAAAAAAA", "sign"),
        ]  # fmt: skip
        answers = await at_once(drive, *requests, seq=seq)
        assert statuses(answers) == [200, 404, 200, 404, 409, 422, 200, 409, 404]
        assert answers[2].json()["external_id"] == "a2"
        assert "external_id" not in answers[0].json()
        assert any(len(group) > 1 for group in groups)
        stale = await at_once(drive, ("market", h, "sign"), ("market", f, "sign"), seq=seq - 1)
        assert statuses(stale) == [412, 412]
        with pytest.raises(AssertionError):
            await drive.act("market", b, "sign", expect=404)


async def test_the_same_grievance_is_never_twice_in_a_group(town: Town, groups: list[list[StepResult | Alone]]) -> None:
    async with driving(town) as drive:
        numbers = await assigned(drive, 3)
        for number in numbers:
            await drive.walk(number, "sign")
        before = [town.grievance(number).seq for number in numbers]
        contact = [("market", number, "contact", CONTACT) for number in numbers * 4]
        assert statuses(await at_once(drive, *contact)) == [200] * 12
        assert [town.grievance(number).seq for number in numbers] == [seq + 4 for seq in before]
        assert max(map(len, groups)) == 3
        fresh = [await drive.push(f"b{n}") for n in range(3)]
        twice = await at_once(drive, *(("property-centre", number, "accept") for number in fresh * 2))
        assert Counter(statuses(twice)) == {200: 3, 409: 3}


async def test_who_is_locked_elsewhere_is_waited_for_by_itself_alone(
    town: Town, groups: list[list[StepResult | Alone]]
) -> None:
    async with driving(town) as drive:
        numbers = await assigned(drive, 3)
        with town.database.begin() as session:
            session.execute(text("SELECT 1 FROM grievance WHERE number = :one FOR UPDATE"), {"one": numbers[0]})
            late = asyncio.create_task(drive.send("market", f"/v1/grievances/{numbers[0]}/actions/sign"))
            answers = await at_once(drive, *(("market", number, "sign") for number in numbers[1:]))
            assert statuses(answers) == [200, 200]
            assert not late.done()
        assert (await late).status_code == 200


@pytest.mark.parametrize("deferred", [False, True])
async def test_what_the_database_refuses_costs_no_other(
    town: Town,
    groups: list[list[StepResult | Alone]],
    deferred: bool,  # noqa: FBT001 pytest's
) -> None:
    async with driving(town) as drive:
        numbers = await assigned(drive)
        bad = town.grievance(numbers[3]).id
        refuse(town, "ledger", f"NEW.grievance_id = '{bad}'", deferred=deferred)
        before = town.scalar("SELECT count(*) FROM ledger")
        answers = await at_once(drive, *(("market", number, "sign") for number in numbers), key="k1")
        assert statuses(answers) == [200] * 3 + [500] + [200] * 4
        assert town.scalar("SELECT count(*) FROM ledger") == before + HOW_MANY - 1
        assert town.grievance(numbers[3]).state == "assigned"
        assert town.scalar("SELECT count(*) FROM idempotency_key") == HOW_MANY - 1


async def test_a_member_that_is_not_to_be_had_any_more_takes_the_whole_group_back(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    def moved(session: Session, statements: Sequence[Any]) -> None:
        session.execute(text("UPDATE grievance SET seq = seq + 1 WHERE number = :number"), {"number": acts[1].number})
        end(session, statements)

    acts: list[Act] = []
    end = straight.end
    async with driving(town) as drive:
        numbers = await assigned(drive, 3)
        before = town.scalar("SELECT sum(seq) FROM grievance")
        acts += [Act(number, "sign", town.actors["market"]) for number in numbers]
        monkeypatch.setattr(straight, "end", moved)
        with pytest.raises(SQLAlchemyError, match="division by zero"), town.database.begin() as session:
            act_together(town.site.loop, session, acts, town.site.jobs)
        assert town.scalar("SELECT sum(seq) FROM grievance") == before


async def test_what_asks_for_more_than_was_locked_is_taken_alone(
    town: Town, groups: list[list[StepResult | Alone]]
) -> None:
    async with driving(town) as drive:
        numbers = await assigned(drive, 4)
        groups.clear()
        urges = [
            ("hotline", number, "urge") for number in numbers
        ]  # it counts how often the same phone has urged today
        assert statuses(await at_once(drive, *urges)) == [200] * 4
        assert groups == [[Alone.ASKS] * 4]
        assert statuses(await at_once(drive, *urges)) == [200] * 4
        assert len(groups) == 1  # and its like are not decided twice
        into = {"into": numbers[0], "reason": "同一件事"}
        merges = [("property-centre", number, "merge", into) for number in numbers[1:]]
        assert statuses(await at_once(drive, *merges)) == [200] * 3
        assert len(groups) == 1  # a form that names others is never taken together
        assert town.grievance(numbers[0]).followers == 3
        assert [town.grievance(number).urged for number in numbers] == [2] * 4


def test_each_sees_in_a_group_what_it_sees_alone(town: Town) -> None:
    actors = town.actors
    paths = sorted({one.area_path for one in actors.values()})
    paths += [path + more for path in paths for more in ("0", "/", "~", "\u4e00", "\U0010ffff")] + [
        path[:-1] for path in paths
    ]
    with town.database.begin() as session:
        connection = session.connection()
        for name, actor in actors.items():
            predicate, params = visibility.visible(actor)
            asked = visibility.asking(actor)
            each = connection.exec_driver_sql(
                f"SELECT p.n, ({predicate}) AS alone, ({visibility.VISIBLE_TO_EACH}) AS grouped FROM ("  # noqa: S608 constants
                " SELECT row_number() OVER () AS n, s AS source, u AS units, a AS area_path"
                " FROM unnest(ARRAY['12345', 'other', 'unit:market']) s,"
                " (VALUES ('{}'::text[]), ('{market}'), ('{market,fire}'), ('{company-1}')) AS us(u),"
                " unnest(%(paths)s::text[]) a) AS p(n, source, units, area_path)"
                " CROSS JOIN LATERAL (SELECT p.*) g CROSS JOIN (SELECT %(a_kind)s::text AS kind, %(a_source)s::text AS source,"
                " %(a_unit)s::text AS unit, %(a_area)s::text AS area, %(a_area_end)s::text AS area_end) m",
                params | {f"a_{key}": value for key, value in asked.items()} | {"paths": paths},
            ).all()
            assert len(each) == 3 * 4 * len(paths)
            assert [row.alone for row in each] == [bool(row.grouped) for row in each], name
            if name in ("hotline", "other-hotline", "market", "company-1", "supervisor", "supervisor-1"):
                assert len({row.alone for row in each}) == 2, name


# --- a history under faults, and its checker ------------------------------------------------------------------------


@dataclass
class History:
    """What callers were told, by grievance; `unknown` counts the answers that leave it open."""

    told: list[tuple[str, str, int]] = field(default_factory=list)  # number, action, seq
    unknown: Counter[str] = field(default_factory=Counter)
    refused: Counter[int] = field(default_factory=Counter)

    def wrong(self, town: Town) -> list[str]:
        """Return in words where what was told and what is written differ."""
        rows = town.rows("SELECT g.number, l.action, l.seq FROM ledger l JOIN grievance g ON g.id = l.grievance_id")
        written = {(row[0], row[2]): row[1] for row in rows}
        found = [f"{one} told twice" for one, n in Counter((x[0], x[2]) for x in self.told).items() if n > 1]
        found += [f"{one} told, not written" for one in self.told if written.get((one[0], one[2])) != one[1]]
        told = {(number, seq) for number, _, seq in self.told}
        untold = Counter(
            number for (number, seq), action in written.items() if action == "contact" and (number, seq) not in told
        )
        found += [f"{number}: written {n}, not told" for number, n in untold.items() if n > self.unknown[number]]
        return found


async def lived(
    town: Town, *, kills: int, rounds: int = 5, callers: int = 10, begun: Callable[[], None] = lambda: None
) -> History:
    """Let callers act at the same time, some of them who may not or with an old seq, while connections are killed."""
    history = History()
    over = asyncio.Event()
    async with driving(town) as drive:
        numbers = await assigned(drive, callers)
        for number in numbers:
            await drive.walk(number, "sign")
        begun()

        async def one(n: int) -> None:
            for k in range(rounds):
                number = numbers[(n * 7 + k * 3) % callers]
                who = "company-2" if (n + k) % 7 == 0 else "market"
                stale = 1000 if (n + k) % 11 == 0 else None
                answer = await drive.send(who, f"/v1/grievances/{number}/actions/contact", CONTACT, seq=stale)
                if answer.status_code == 200:
                    history.told.append((number, "contact", answer.json()["seq"]))
                elif answer.status_code == 503:
                    history.unknown[number] += 1
                else:
                    history.refused[answer.status_code] += 1

        async def killing() -> None:
            for n in range(1, kills + 1):
                while len(history.told) < 2 * n:  # however slow the machine is, some get through in between
                    if over.is_set():
                        return
                    await asyncio.sleep(0.005)
                with suppress(SQLAlchemyError):
                    await asyncio.to_thread(kill_the_busy, town)

        killer = asyncio.create_task(killing())
        await asyncio.gather(*(one(n) for n in range(callers)))
        over.set()
        await killer
    return history


def kill_the_busy(town: Town) -> None:
    """Kill every connection that is in the middle of a transaction."""
    with town.database.begin() as session:
        session.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
                " AND pid <> pg_backend_pid() AND state <> 'idle'"
            )
        )


async def test_what_was_told_is_written_once_though_connections_die(
    town: Town, groups: list[list[StepResult | Alone]]
) -> None:
    history = await lived(town, kills=6)
    assert history.wrong(town) == []
    assert len(history.told) > 5
    assert history.unknown
    assert set(history.refused) <= {404, 412, 500}
    assert history.refused[404] > 0
    assert any(sum(isinstance(one, StepResult) for one in group) > 1 for group in groups)


def told_before_it_is_written(patch: pytest.MonkeyPatch) -> None:
    """Answer, and lose every second group on the way to the disk."""
    end, calls = straight.end, iter(range(1, 10**6))

    def later(session: Session, statements: Sequence[Any]) -> None:
        if next(calls) % 2:
            end(session, statements)

    patch.setattr(straight, "end", later)


def one_forgotten(patch: pytest.MonkeyPatch) -> None:
    """Write all of a group but its last."""
    real = writer.statements
    patch.setattr(writer, "statements", lambda steps, jobs: real(steps[:-1] or steps, jobs))


@pytest.mark.parametrize("mutant", [told_before_it_is_written, one_forgotten])
async def test_the_checker_sees_every_mutant(
    town: Town, monkeypatch: pytest.MonkeyPatch, mutant: Callable[[pytest.MonkeyPatch], None]
) -> None:
    history = await lived(town, kills=0, rounds=3, begun=lambda: mutant(monkeypatch))
    assert history.wrong(town) != []

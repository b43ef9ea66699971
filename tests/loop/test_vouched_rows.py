# ruff: noqa: S608 the statements are the forger's
"""Models, schemes, frozen scores and what they brought, credit, voices and appeals stand in the keyed register: forged by SQL, each is seen."""

import re
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy.orm import Session
from tests.assessing import close_due, publish_scheme
from tests.loop.test_evaluate import MINIMAL, two_cases
from tests.loop.test_forgery import forge
from tests.site import Driver, Town, at, build, keys_for, story
from tests.stories.test_kuiwen_assessment import UNITS

from wuye_loop.app import make_site
from wuye_loop.domain.errors import Conflict
from wuye_loop.domain.suggesting import model as learned
from wuye_loop.loop.custody.adoption import adopt
from wuye_loop.loop.evaluate import schedule
from wuye_loop.ports import SettableClock
from wuye_loop.queries.verification import verify
from wuye_loop.queries.verification.report import Report
from wuye_loop.settings import Settings
from wuye_loop.store import registry, vouched
from wuye_loop.store.assessment import periods, voices
from wuye_loop.store.calendar import working_days
from wuye_loop.store.database import Database
from wuye_loop.store.directory.load import load_directory
from wuye_loop.store.keys import api_keys
from wuye_loop.store.schema import metadata
from wuye_loop.store.workflows import models

pytestmark = pytest.mark.anyio

_SHIPPED = Path(learned.__file__).with_name("shipped.json")
_REHASHED = "UPDATE assessment SET digest = sha256('x')"
FORGERIES = {
    "the model in use": ("UPDATE learned_model SET chosen_at = NULL", "模型"),
    "a model's file, with its hash": ("UPDATE learned_model SET file = '{}', sha256 = 'x'", "模型"),
    "a model put in": (
        "INSERT INTO learned_model SELECT 'other@1', file, sha256, published_at, now() FROM learned_model",
        "模型 other@1",
    ),
    "a scheme": ("UPDATE scheme SET text = text || ' ', sha256 = encode(sha256((text || ' ')::bytea), 'hex')", "考核办法"),
    "a score, with the hash over all": (f"UPDATE result SET total = 99; {_REHASHED}", "封账"),
    "when a period closed": ("UPDATE assessment SET closes_at = now()", "封账"),
    "when a period is to close": ("UPDATE assessment SET closes_at = closes_at + interval '9 years' WHERE state = 'due'", "考核期"),
    "a period that will not be": ("DELETE FROM assessment WHERE state = 'due'", "考核期"),
    "the place of a bulletin": ("UPDATE assessment SET bulletin_n = 9", "封账"),
    "a period removed": (
        "DELETE FROM result; DELETE FROM figure; DELETE FROM assessment WHERE state = 'published'",
        "封账",
    ),
    "credit": ("UPDATE credit SET points = 0 WHERE unit = 'c1'", "信用"),
    "credit removed": ("DELETE FROM credit WHERE unit = 'c1'", "信用"),
    "credit put in": (
        """INSERT INTO credit SELECT gen_random_uuid(), scheme, unit, item, 5, since, until, ends, 'x', reason, actor, at
           FROM credit WHERE unit = 'c1'""",
        "信用",
    ),
    "a voice": ("UPDATE voice SET score = 5", "评分"),
    "a voice removed": ("DELETE FROM voice", "评分"),
    "a voice put in": (
        "INSERT INTO voice SELECT name, period, input, subject, peer, '\\x00', 5, detail, at FROM voice",
        "评分",
    ),
    "what a list brought, removed": ("DELETE FROM consequence WHERE credit_id IS NULL", "处置"),
    "another grievance that a list brought": ("UPDATE consequence SET grievance = 'x' WHERE grievance <> ''", "处置"),
    "the list that brought it": ("UPDATE consequence SET list = 'x'", "处置"),
    "what no list brought": (
        ("INSERT INTO consequence SELECT name, period, 'c9', peer, consequence, list, at, grievance, credit_id"
        " FROM consequence LIMIT 1"),
        "处置",
    ),
    "an appeal": ("UPDATE appeal SET upheld = NOT upheld", "申诉"),
    "an appeal's term": ("UPDATE appeal SET due_at = due_at + interval '1 day' WHERE due_at IS NOT NULL", "申诉"),
    "an appeal without its term": ("UPDATE appeal SET due_at = NULL, raised_at = NULL", "申诉"),
    "an appeal that went up without a term": ("UPDATE appeal SET raised_at = now() WHERE due_at IS NULL", "申诉"),
    "an appeal brought down": ("UPDATE appeal SET raised_at = NULL", "申诉"),
}  # fmt: skip


@pytest.fixture
async def drive(database: Database, tmp_path: Path) -> AsyncIterator[Driver]:
    """Give a month that was closed and published, with credit, a voice, an appeal and a model in use."""
    town = build(database, data=tmp_path, workflow="kuiwen@2", units=UNITS, keys=keys_for(UNITS))
    publish_scheme(town, "small@1", MINIMAL)
    async with story(town) as driver:
        await month_told(driver)
        yield driver


async def month_told(drive: Driver) -> None:
    """Let a month pass with two cases, close and publish it, and say something about it."""
    await two_cases(drive)
    drive.town.advance(at("2026-04-01 00:00"))
    close_due(drive.town)
    told(drive.town)


def told(town: Town) -> None:
    """Let somebody score, a company appeal and be heard, and a model be chosen, all by the program."""
    with town.database.begin() as session:
        for hours in (1, 2):
            say(session, town.now + timedelta(hours=hours))
        one = voices.Appealed(UUID(int=7), "small", "2026-03", 1, "c1", "3702", None, "x", "不是我们的", "c1", town.now)
        voices.file_appeal(session, one)
        voices.decide_appeal(session, one.id, upheld=False, note=None, now=town.now)
        late = replace(one, id=UUID(int=8), due_at=town.now + timedelta(days=9))
        voices.file_appeal(session, late)
        voices.raise_appeal(session, late.id, town.now + timedelta(days=9), town.now + timedelta(days=19))
        models.publish(session, "town@1", _SHIPPED.read_bytes(), town.now)
        models.choose(session, "town@1", town.now)


def say(session: Session, now: datetime) -> None:
    """Let one flat score."""
    key = {"name": "small", "period": "2026-03", "input": "visit", "subject": "c1", "peer": "3702"}
    voices.enter(session, key, [b"flat-1"], Decimal(now.hour % 3), {}, now)


def found(town: Town) -> list[str]:
    return verify.verify(town.site.loop, town.database).problems


async def test_each_forgery_is_seen(drive: Driver) -> None:
    town = drive.town
    assert found(town) == []
    for what, (statements, words) in FORGERIES.items():
        with town.database.begin() as session:
            before = session.connection().begin_nested()
            for statement in statements.split(";"):
                session.connection().exec_driver_sql(statement)
            forged = Report()
            verify._register(session, town.site.loop.chain, forged)
            before.rollback()
        assert any(words in problem for problem in forged.problems), (what, forged.problems)
    assert found(town) == []


async def test_a_model_that_is_stopped_and_put_back_is_vouched_for(drive: Driver) -> None:
    town = drive.town
    with town.database.begin() as session:
        models.stop(session)
    assert found(town) == []
    with town.database.begin() as session:
        models.choose(session, "town@1", town.now)
    assert found(town) == []


#: Columns of vouched tables that a forger gains nothing by: when a try failed, and why; a day at most is waited for another.
_OF_TRIES = {"tries", "retry_at", "trouble"}
UNVOUCHED = {
    "assessment": _OF_TRIES,
    "appeal": {"retry_at"},
    "document": {"grievance_id"},  # null, or it stands with its grievance
    "account_session": {"seen_at"},  # to the minute: each request would write to the register
    "epoch": {"directory", "calendar", "workflows", "register"},  # how often; the head is what a verification compares
    "api_key": {"area_path"},  # compared with the area's own
    "account": {"area_path"},
}
#: What `registry` hashes itself of rows whose other columns stand in `vouched`.
_BY_HAND = {
    "api_key": {"digest", *registry._KEY_COLUMNS},
    "account": {"password", "totp", "subject", *registry.ACCOUNT_COLUMNS},
}


@pytest.mark.parametrize("table", sorted({rows.table for rows in vouched.KINDS.values()}))
def test_every_column_of_a_vouched_row_is_hashed_unless_it_is_named_here(table: str) -> None:
    kinds = [rows for rows in vouched.KINDS.values() if rows.table == table]
    named = _BY_HAND.get(table, set()).union(
        *(re.findall(r"(?<!:)\b[a-z_0-9]+\b(?!\()", f"{rows.key}, {rows.columns}") for rows in kinds)
    )
    assert set(metadata.tables[table].columns.keys()) - named == UNVOUCHED.get(table, set())


async def test_a_lawful_change_does_not_hide_what_was_forged_before(drive: Driver) -> None:
    """Of each kind one; every column of every kind is walked in test_every_column (a proof)."""
    town = drive.town
    adopt(town.site.loop, town.database)
    for statement, words, change in _lawful(town):
        with town.database.begin() as session:
            before = session.connection().begin_nested()
            session.connection().exec_driver_sql(statement)
            with suppress(Conflict):
                change(session)
            forged = Report()
            verify._register(session, town.site.loop.chain, forged)
            before.rollback()
        assert any(words in problem for problem in forged.problems), (statement, forged.problems)
    assert found(town) == []


def _lawful(town: Town) -> list[tuple[str, str, Callable[[Session], object]]]:
    now = town.now
    with town.database.read() as session:
        key = api_keys.listed(session)[-1]
    forged = f"UPDATE api_key SET scopes = scopes || '{{identity:reveal}}' WHERE id = '{key.id}'"
    return [
        ("UPDATE voice SET score = 5", "评分", lambda s: say(s, now)),
        ("DELETE FROM voice", "评分", lambda s: say(s, now)),
        (forged, "密钥", lambda s: rotated(s, key, town)),
        (forged, "密钥", lambda s: api_keys.end(s, key.id, now)),
        ("UPDATE learned_model SET file = '{}'", "模型", models.stop),
        ("UPDATE unit SET parent_code = NULL", "组织目录", lambda s: load_directory(s, {})),
        ("UPDATE assessment SET bulletin_n = 9", "封账", lambda s: publish_again(town, s)),
    ]


def rotated(session: Session, key: api_keys.KeyRow, town: Town) -> None:
    api_keys.rotate(session, key, overlap=timedelta(1), now=town.now, ids=town.site.loop.ids, by={})


def publish_again(town: Town, session: Session) -> None:
    one = periods.every(session, published=True)[0]
    with suppress(Conflict):
        schedule.require_frozen(session, one)
        periods.mark_published(session, one.id, town.now, None)


async def test_what_an_older_register_did_not_know_is_taken_over_once(drive: Driver) -> None:
    town = drive.town
    forge(
        town.database,
        "ALTER TABLE register DISABLE TRIGGER USER; DELETE FROM register; UPDATE epoch SET register = NULL",
    )
    with town.database.begin() as session:
        registry.enter(session, registry.BEGUN, "", {})
        for kind, stands in registry.AS_THEY_STAND.items():
            if kind not in vouched.KINDS:
                registry.enter_all(session, kind, stands(session))
    assert any("信用" in words for words in found(town))
    adopt(town.site.loop, town.database)
    assert found(town) == []
    forge(town.database, "UPDATE credit SET points = 7")
    adopt(town.site.loop, town.database)
    assert any("信用" in words for words in found(town))
    forge(town.database, "UPDATE credit SET points = -2")


def test_what_was_entered_before_the_register_began_keeps_nothing_else_out_of_it(
    database: Database, tmp_path: Path
) -> None:
    site = make_site(Settings(data=tmp_path), database, clock=SettableClock(at("2026-03-02 09:00")))
    with database.begin() as session:
        working_days.seed(session, site.loop.clock.now())
    adopt(site.loop, database)
    assert verify.verify(site.loop, database).problems == []


async def test_a_period_that_was_closed_when_less_of_it_was_hashed_is_taken_over_as_it_was_hashed_then(
    drive: Driver,
) -> None:
    town = drive.town
    once = vouched.KINDS[vouched.SCORES].before[0]
    with town.database.begin() as session:
        registry.begin(session)
        old = vouched.KINDS[vouched.SCORES].images(session, columns=once)
        registry.enter_all(session, vouched.SCORES, old)
    forge(
        town.database,
        "ALTER TABLE register DISABLE TRIGGER USER; DELETE FROM register WHERE kind = 'begun' AND key = 'scores 2'",
    )
    chained(town)
    assert any("封账" in words for words in found(town))
    adopt(town.site.loop, town.database)
    assert found(town) == []
    forge(town.database, "UPDATE assessment SET closes_at = closes_at + interval '1 day' WHERE state = 'published'")
    assert any("封账" in words for words in found(town))
    forge(town.database, "UPDATE assessment SET closes_at = closes_at - interval '1 day' WHERE state = 'published'")


def chained(town: Town) -> None:
    """Enter the rows of the register anew, each after the one before."""
    with town.database.begin() as session:
        rows = list(registry.notes(session))
        session.connection().exec_driver_sql("DELETE FROM register")
        session.connection().exec_driver_sql("UPDATE epoch SET register = NULL")
        for row in rows:
            registry.enter(session, row.kind, row.key, row.image)


async def test_rungs_that_bring_credit_are_looked_for_once_for_each_that_fires(drive: Driver) -> None:
    town = drive.town

    def look() -> tuple[int, int] | None:
        return town.run(lambda session: voices.to_look(session, "small@1"))

    first = look()
    assert first is not None
    assert first[0] == 0
    town.run(lambda session: voices.looked(session, "small@1", first[1]))
    assert look() is None
    await drive.push("late")
    assert look() is None  # no rung
    town.advance(timedelta(days=30))
    again = look()
    assert again is not None
    assert first[1] == again[0] < again[1]
    town.run(lambda session: voices.looked(session, "small@1", again[1] + 10**9))  # another server, counting anew
    anew = look()
    assert anew is not None
    assert anew[0] == 0

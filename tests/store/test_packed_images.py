# ruff: noqa: S608 the statements are the forger's
"""Images are kept as bytes; what was kept in the clear is read on, and what is forged on either side of a row shows."""

from collections.abc import Mapping
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.orm import Session
from tests.loop.test_every_column import looked_in
from tests.old_images import in_the_clear
from tests.site import Town, build, driving, require_sound

from wuye_loop.store.database import Database
from wuye_loop.store.grievance import packing
from wuye_loop.store.grievance.dictionaries import DICTIONARIES

# Written down when a version was released: every row that was packed by one is read by it.
RELEASED = {
    1: "c9ef56a88b9fd76f83eab989f1fd9b4b875687744e9e2b5007f66ce3638b44dd",
    2: "1667af74a3d6b1011c8bb276bdf5be88044fc0475b929daff603fef0aa39bbb6",
    3: "733f2f637d6342fe995acc36acca2df85c5d37b26efab14b2db1f74737540dd7",
}


async def _lived(town: Town, *, before: pytest.MonkeyPatch | None = None) -> str:
    async with driving(town) as drive:
        if before is not None:
            in_the_clear(before)
        number = await drive.push("a1")
        await drive.walk(number, "accept")
        if before is not None:
            before.undo()
        await drive.walk(number, "sign")
        town.advance(timedelta(days=9))
    return number


@pytest.fixture
def town(database: Database, tmp_path: Path) -> Town:
    return build(database, data=tmp_path)


@pytest.mark.anyio
async def test_a_row_keeps_in_the_clear_what_statements_look_into(town: Town) -> None:
    number = await _lived(town)
    entries = town.folder(number).entries
    rows = town.rows("SELECT seq, facts, changes, packed FROM ledger ORDER BY seq")
    assert [packing.whole(row.seq, row.facts, row.changes, row.packed) for row in rows] == [
        (entry.facts, entry.changes) for entry in entries
    ]
    kept = {entry.action: row for entry, row in zip(entries, rows, strict=True)}
    assert kept["receive"].facts["routing"] == [{"kind": "table", "unit": "market"}]
    assert kept["route"].facts["routing"] == [{"title": "职责清单"}]
    assert kept["route"].changes == {"grievance": {"lead_unit": "market"}}
    assert "why" in next(entry for entry in entries if entry.action == "route").facts["routing"][0]
    assert kept["accept"].changes == {}
    assert town.scalar("SELECT count(*) FROM clock WHERE image <> '{}' OR packed IS NULL") == 0
    require_sound(town)


@pytest.mark.anyio
async def test_what_was_kept_in_the_clear_goes_on_and_verifies(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    number = await _lived(town, before=monkeypatch)
    rows = town.rows("SELECT packed IS NULL AS clear FROM ledger ORDER BY seq")
    assert {row.clear for row in rows} == {True, False}
    assert town.scalar("SELECT max(n) FROM (SELECT count(*) AS n FROM rung GROUP BY clock_id) r") > 1
    assert town.folder(number).entries[0].changes["order"]["number"] == number
    require_sound(town)


def _bytes(dictionary: int, image: object) -> str:
    return f"'{packing.packed(dictionary, image)}'::bytea"


_NOTHING: dict[str, Any] = {"facts": {}, "changes": {}}
_NO_REST: dict[str, Any] = {"data": {}, "counts": {}, "did": {}}
_APART = "ALTER TABLE ledger DISABLE TRIGGER USER; UPDATE ledger SET"
_OF_ROUTE = "WHERE action = 'route'"
FORGERIES = {
    "who was the lead, as it is counted": (f"""{_APART} changes = '{{"grievance": {{"lead_unit": "x"}}}}' {_OF_ROUTE}""", "被改动"),
    "who was the lead, taken out": (f"{_APART} changes = '{{}}' {_OF_ROUTE}", "被改动"),
    "which router answered": (f"{_APART} facts = jsonb_set(facts, '{{routing,0,title}}', '\"x\"') {_OF_ROUTE}", "被改动"),
    "what was suggested, in the clear too": (f"""{_APART} facts = facts || '{{"suggestion": 1}}' WHERE seq = 1""", "被改动"),
    "what is packed": (f"{_APART} packed = packed || '\\x00' {_OF_ROUTE}", "被改动"),
    "what is packed, cut": (f"{_APART} packed = substr(packed, 1, 40) {_OF_ROUTE}", "被改动"),
    "what is packed, by no dictionary": (f"{_APART} packed = '\\xff' || substr(packed, 2) {_OF_ROUTE}", "被改动"),
    "what is packed, empty": (f"{_APART} packed = '' {_OF_ROUTE}", "被改动"),
    "what is packed, another row's": (
        f"{_APART} packed = (SELECT o.packed FROM ledger o WHERE o.seq = 1 LIMIT 1) WHERE action = 'sign'",
        "被改动",
    ),
    "nothing packed": (f"{_APART} packed = NULL {_OF_ROUTE}", "被改动"),
    "bytes where a row has none": (f"{_APART} packed = '\\x00' WHERE action = 'reveal'", "被改动"),
    "nothing of a row, as bytes": (f"{_APART} packed = {_bytes(packing.LEDGER, _NOTHING)} WHERE action = 'reveal'", "被改动"),
    "something beside a row's facts and changes": (
        f"{_APART} packed = {_bytes(packing.LEDGER, {**_NOTHING, 'x': 1})} WHERE action = 'reveal'", "被改动"
    ),
    "a grievance's rest, where it has none": ("UPDATE grievance SET packed = '\\x00' WHERE data = '{}'", "data"),
    "something beside a grievance's rest": (
        f"UPDATE grievance SET packed = {_bytes(packing.GRIEVANCE, {**_NO_REST, 'x': {}})} WHERE data = '{{}}'", "data"
    ),
    "a clock's rest": ("UPDATE clock SET packed = packed || '\\x00'", "clock"),
    "a clock's rest, another's": ("UPDATE clock SET packed = (SELECT o.packed FROM clock o WHERE o.name = 'handle' LIMIT 1)", "clock"),
    "a clock's rest, beside it": ("""UPDATE clock SET image = '{"limit": "9 workdays"}'""", "clock"),
    "a clock without its rest": ("UPDATE clock SET packed = NULL", "clock"),
}  # fmt: skip


def _each_is_found(town: Town, forgeries: Mapping[str, tuple[str, str]]) -> None:
    for what, (statement, said) in forgeries.items():
        with Session(town.database.engine) as session:
            for one in statement.split(";"):
                session.connection().exec_driver_sql(one)
            found = looked_in(town, session)
        assert any(said in problem for problem in found), (what, found)


@pytest.mark.anyio
async def test_what_is_forged_beside_the_bytes_or_in_them_shows(town: Town) -> None:
    number = await _lived(town)
    async with driving(town) as drive:
        await drive.post("hotline", f"/v1/grievances/{number}/identity", {"reason": "回访"})
        await drive.push("a2", title="咨询", body="问一件事", place={"area_code": "370701"})
    require_sound(town)
    assert town.scalar("SELECT count(*) FROM grievance WHERE data = '{}'") == 1
    assert town.scalar("SELECT count(*) FROM ledger WHERE action = 'reveal' AND packed IS NULL") == 1
    _each_is_found(town, FORGERIES)


@pytest.mark.anyio
async def test_what_statements_look_into_is_not_hidden_from_them_among_the_bytes(town: Town) -> None:
    number = await _lived(town)
    async with driving(town) as drive:
        await drive.post("hotline", f"/v1/grievances/{number}/identity", {"reason": "回访"})
    revealed = next(entry for entry in town.folder(number).entries if entry.action == "reveal").facts
    kept = town.rows("SELECT data, packed FROM grievance")[0]
    assert kept.data
    rest = packing.grievance_rest(kept.packed)
    told = _bytes(packing.LEDGER, {"facts": revealed, "changes": {}})
    more = _bytes(packing.GRIEVANCE, {**rest, "data": {**kept.data, **rest["data"]}})
    hidden = {
        "whose watermark": (f"{_APART} facts = '{{}}', packed = {told} WHERE action = 'reveal'", "被改动"),
        "what is counted of a grievance": (f"UPDATE grievance SET data = '{{}}', packed = {more}", "data"),
    }
    _each_is_found(town, hidden)


def test_what_a_form_says_stays_in_the_clear_whatever_its_fields_are_called() -> None:
    said = {"category": "电梯", "suggestion": "换梯", "routing": "走南门", "kind": "x"}
    facts, changes, kept = packing.apart(2, said, {"grievance": {"state": "handling"}})
    assert (facts, changes) == (said, {})
    assert packing.whole(2, facts, changes, kept) == (said, {"grievance": {"state": "handling"}})
    assert packing.apart(2, said, {}) == (said, {}, None)


def test_bytes_that_are_none_of_ours_are_told_apart() -> None:
    kept = packing.packed(packing.LEDGER, {"a": ["电梯", 1.5, None]})
    assert packing.unpacked(kept) == packing.unpacked(bytes.fromhex(kept[2:])) == {"a": ["电梯", 1.5, None]}
    bad: tuple[Any, ...] = ("", "\\x", "\\x01", "\\x09ab", kept[:-2], kept + "00", "\\xzz", b"", b"\x01\x00", None, 7)
    for one in bad:
        with pytest.raises(packing.Unreadable):
            packing.unpacked(one)
    bomb = packing.packed(packing.CLOCK, "0" * (1 << 24))
    with pytest.raises(packing.Unreadable):
        packing.unpacked(bomb)


def test_a_row_that_is_no_row_on_either_side_is_as_it_lies_there() -> None:
    odd: tuple[tuple[Any, Any], ...] = (
        ([7], [7]),
        ([], {}),
        ("x", {"x": 1}),
        (None, None),
        ({}, []),
        ({}, {"routing": [1]}),
        ({}, {"routing": [{"outcome": []}]}),
    )
    for facts, told in odd:
        kept = packing.packed(packing.LEDGER, {"facts": told, "changes": {}})
        assert packing.whole(1, facts, {}, kept)[1] in ({}, {"packed": None})
        assert packing.facts_of(facts, kept) is not None or facts is None


def test_a_released_dictionary_is_as_it_was_released() -> None:
    assert {name: sha256(words).hexdigest() for name, words in DICTIONARIES.items()} == RELEASED

"""`wuye-loop audit`: on a terminal, who saw whom between two times, which keys there are, whose mark this is."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.cli.conftest import MONDAY, Run

from wuye_loop import settings
from wuye_loop.app import make_site
from wuye_loop.cli.database import opened
from wuye_loop.domain.privacy.access import api_keys as api_key_text
from wuye_loop.loop.identity import reveal
from wuye_loop.ports import SettableClock
from wuye_loop.store.keys import api_keys


@pytest.fixture
def seen(healthy: Run) -> tuple[Run, list[str], list[str]]:
    """Give the commands after one person opened three identities, a day each; the numbers and the marks."""
    key = healthy("key", "create", "--role", "hotline", "--source", "import", "--holder", "张三 1001").stdout.strip()
    with opened(None) as database:
        clock = SettableClock(MONDAY)
        loop = make_site(settings.load(), database, clock=clock).loop
        with database.read() as session:
            row = api_keys.find(session, api_key_text.digest(key), clock.now())
            found = session.connection().exec_driver_sql("SELECT number, source FROM grievance ORDER BY number").all()
        assert row is not None
        actor = api_keys.actor_of(row)
        marks = []
        for one in found:
            actor = type(actor)(actor.kind, None, "", actor.key_id, one.source, actor.scopes)
            with database.begin() as session:
                body = reveal(loop, session, one.number, actor, "回访", "10.20.30.40").body
            assert isinstance(body, bytes)
            marks.append(json.loads(body)["watermark"])
            clock.set(clock.now() + timedelta(days=1))
    return healthy, [one.number for one in found], marks


def told(run: Run, *args: str) -> list[dict[str, Any]]:
    result = run("audit", "reveals", *args, "--json")
    assert result.exit_code == 0, result.stderr
    rows: list[dict[str, Any]] = json.loads(result.stdout)
    return rows


def test_who_saw_whom_between_two_times(seen: tuple[Run, list[str], list[str]]) -> None:
    run, numbers, marks = seen
    assert [row["number"] for row in told(run)] == numbers[::-1]
    for args, expected in {
        ("--from", "2026-03-02", "--to", "2026-03-03"): [1, 0],
        ("--from", "2026-03-03T09:00"): [2, 1],
        ("--to", "2026-03-03T09:00"): [0],
        ("--from", "2026-03-03T01:00:00Z", "--to", "2026-03-03T02:00:00Z"): [1],
        ("--unit", "fire"): [],
    }.items():
        assert [row["number"] for row in told(run, *args)] == [numbers[at] for at in expected], args
    row = told(run)[0]
    assert (row["key"]["holder"], row["from"], row["reason"]) == ("张三 1001", "10.20.30.40", "回访")
    assert told(run, "--key", row["key"]["prefix"]) == told(run)
    table = run("audit", "reveals").stdout
    assert all(mark in table for mark in marks)


def test_a_question_that_is_none_is_refused(seen: tuple[Run, list[str], list[str]]) -> None:
    run, *_ = seen
    assert run("audit", "reveals", "--from", "yesterday").exit_code == 2
    for args, words in ((("--unit", "nobody"), "没有这个单位"), (("--key", "wyl_live_none"), "没有这把密钥")):
        refused = run("audit", "reveals", *args)
        assert refused.exit_code == 1
        assert words in refused.stderr


def test_a_mark_leads_to_who_looked(seen: tuple[Run, list[str], list[str]]) -> None:
    run, numbers, marks = seen
    row = json.loads(run("audit", "watermark", marks[1].lower(), "--json").stdout)
    assert (row["number"], row["key"]["holder"]) == (numbers[1], "张三 1001")
    assert run("audit", "watermark", marks[1]).exit_code == 0
    assert run("audit", "watermark", "7KQ2-M9XD-4H6T-1A5Y").exit_code == 1
    assert run("audit", "watermark", "7KQ2").exit_code == 1


def test_the_register_of_keys_is_narrowed_by_holder_and_unit(healthy: Run, tmp_path: Path) -> None:
    healthy("key", "create", "--role", "unit", "--unit", "fire", "--holder", "李四 2002")
    everybody = json.loads(healthy("audit", "keys", "--json").stdout)
    assert [row["holder"] for row in everybody] == ["李四 2002", "未具名"]
    for args in (("--holder", "李四２００２"), ("--unit", "fire")):
        (row,) = json.loads(healthy("audit", "keys", *args, "--json").stdout)
        assert (row["unit"], row["live"], row["made_by"].keys()) == ("fire", True, {"terminal"})
    (row,) = json.loads(healthy("audit", "keys", "--holder", "未具名", "--json").stdout)
    assert row["role"] == "admin"
    assert "李四 2002" in healthy("audit", "keys").stdout

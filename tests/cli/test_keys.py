import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.cli.conftest import MONDAY, Run

from wuye_loop.cli.clock import going_by
from wuye_loop.cli.database import opened
from wuye_loop.domain.privacy.access import api_keys
from wuye_loop.ports import SettableClock
from wuye_loop.store.keys import api_keys as stored


def listed(run: Run) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(run("key", "list", "--json").stdout)
    return found


def works(key: str, later: timedelta = timedelta()) -> bool:
    """Say whether a key opens the door some time after that Monday."""
    with opened(None) as database, database.read() as session:
        return stored.find(session, api_keys.digest(key.strip()), MONDAY + later) is not None


def test_a_new_key_stands_alone_on_stdout(run: Run) -> None:
    made = run("key", "create", "--role", "admin", "--days", "3")
    assert made.exit_code == 0
    assert made.stdout.endswith("\n")
    assert api_keys.well_formed(made.stdout[:-1])
    assert made.stderr == ""


def test_a_key_is_listed_by_its_beginning_and_revoked_by_it_once(run: Run) -> None:
    key = run("key", "create", "--role", "hotline", "--source", "wx").stdout.strip()
    (one,) = listed(run)
    assert (one["prefix"], one["source"], one["revoked_at"]) == (api_keys.prefix(key), "wx", None)
    assert api_keys.prefix(key) in run("key", "list").stdout
    assert key not in run("key", "list").stdout
    assert run("key", "revoke", api_keys.prefix(key)).exit_code == 0
    again = run("key", "revoke", key)
    assert again.exit_code == 1
    assert "没有这样的有效密钥" in again.stderr


def test_a_unit_key_needs_a_unit_that_exists(look: Run) -> None:
    refused = look("key", "create", "--role", "unit", "--unit", "nobody")
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert "没有这个单位" in refused.stderr


def test_a_company_never_reveals_identities_but_a_department_may(healthy: Run) -> None:
    assert "物业企业" in healthy("key", "create", "--role", "unit", "--unit", "company-01", "--reveal").stderr
    healthy("key", "create", "--role", "unit", "--unit", "fire", "--reveal")
    first, _ = listed(healthy)
    assert first["scopes"] == ["act", "identity:reveal"]


def test_a_role_that_is_not_given_is_a_mistake_in_usage(look: Run) -> None:
    assert look("key", "create").exit_code == 2


def test_a_key_names_its_holder_and_who_made_it(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUDO_USER", "wang")
    run("key", "create", "--role", "security", "--holder", "  甲某　０００１ ")
    run("key", "create", "--role", "admin")
    unnamed, named = listed(run)
    assert (named["holder"], named["made_by"], named["last_used_at"]) == ("甲某 0001", {"terminal": "wang"}, None)
    assert unnamed["holder"] == "未具名"
    table = run("key", "list").stdout
    assert "未具名" in table
    assert "甲某" in table


def test_a_key_that_names_nobody_is_named_once(run: Run) -> None:
    key = run("key", "create", "--role", "hotline").stdout.strip()
    assert run("key", "name", key, "--holder", "张三 1001").exit_code == 0
    assert listed(run)[0]["holder"] == "张三 1001"
    again = run("key", "name", key, "--holder", "李四 1002")
    assert (again.exit_code, listed(run)[0]["holder"]) == (1, "张三 1001")
    assert "换人请另发一把" in again.stderr
    assert run("key", "create", "--role", "hotline", "--holder", "未具名").exit_code == 1


@pytest.mark.parametrize(
    ("wish", "words"),
    [
        (("--role", "supervisor", "--unit", "company-01"), "物业企业"),
        (("--role", "hotline", "--unit", "company-01"), "物业企业"),
        (("--role", "auditor", "--unit", "company-01"), "物业企业"),
        (("--role", "unit", "--unit", "fire", "--area", "370705"), "不写属地"),
        (("--role", "admin", "--unit", "fire"), "不要写单位"),
        (("--role", "security", "--area", "370705"), "不写属地"),
        (("--role", "supervisor", "--reveal"), "不能查看诉求人身份"),
        (("--role", "admin", "--source", "wx"), "没有来源"),
        (("--role", "hotline", "--source", "unit:fire"), "unit:"),
    ],
)
def test_what_makes_no_sense_is_refused_in_words_and_makes_no_key(look: Run, wish: tuple[str, ...], words: str) -> None:
    before = listed(look)
    refused = look("key", "create", "--holder", "张三 1001", *wish)
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert words in refused.stderr
    assert listed(look) == before


def test_two_keys_live_for_a_while_after_rotation(run: Run) -> None:
    old = run("key", "create", "--role", "admin", "--holder", "丁某 0004", "--days", "100").stdout.strip()
    rotated = run("key", "rotate", api_keys.prefix(old), "--overlap", "2d")
    new = rotated.stdout.strip()
    assert api_keys.well_formed(new)
    assert "2026-03-04 09:00" in rotated.stderr
    assert [works(key) for key in (old, new)] == [True, True]
    assert [works(key, timedelta(days=2)) for key in (old, new)] == [False, True]
    assert [works(key, timedelta(days=100)) for key in (old, new)] == [False, False]
    assert {(one["holder"], one["role"], one["family"]) for one in listed(run)} == {
        ("丁某 0004", "admin", listed(run)[0]["family"])
    }
    twice = run("key", "rotate", old)
    assert twice.exit_code == 1
    assert "已经轮换过" in twice.stderr


def test_an_overlap_of_nothing_ends_the_old_key_at_once(run: Run) -> None:
    old = run("key", "create", "--role", "hotline").stdout.strip()
    new = run("key", "rotate", old, "--overlap", "0d", "--days", "10").stdout.strip()
    assert [works(key) for key in (old, new)] == [False, True]
    assert not works(new, timedelta(days=10))
    assert run("key", "rotate", old).exit_code == 1
    assert run("key", "rotate", new, "--overlap", "31d").exit_code == 1
    assert run("key", "rotate", new, "--overlap", "soon").exit_code == 2


def test_keys_of_who_left_end_with_them_rotated_ones_too(run: Run) -> None:
    old = run("key", "create", "--role", "hotline", "--holder", "张三 1001").stdout.strip()
    new = run("key", "rotate", old).stdout.strip()
    other = run("key", "create", "--role", "hotline", "--holder", "张三 1002").stdout.strip()
    ended = run("key", "revoke", "--holder", "张三１００１")
    assert "2 把" in ended.stderr
    assert [works(key) for key in (old, new, other)] == [False, False, True]
    assert run("key", "revoke", "--holder", "张三 1001").exit_code == 1
    assert run("key", "revoke").exit_code == 2
    assert run("key", "revoke", other, "--holder", "张三 1002").exit_code == 2


def test_the_command_line_makes_the_first_of_each_power_and_says_when_one_person_gets_two(run: Run) -> None:
    for role, holder in (("admin", "丁某 0004"), ("security", "甲某 0001"), ("auditor", "丙某 0003")):
        made = run("key", "create", "--role", role, "--holder", holder)
        assert (made.exit_code, made.stderr) == (0, "")
    two = run("key", "create", "--role", "auditor", "--holder", "甲某0001")
    assert two.exit_code == 0
    assert "三个人" in two.stderr


def later(run: Run, after: timedelta) -> Callable[..., Any]:
    """Return the commands as they are given some time after that Monday."""

    def command(*args: str | Path) -> Any:
        with going_by(SettableClock(MONDAY + after)):
            return run(*args)

    return command


def test_at_a_terminal_too_more_reveals_take_a_second_persons_key(run: Run, tmp_path: Path) -> None:
    files = {}
    for name, role, holder in (
        ("own", "hotline", "张三 1001"),
        ("twin", "security", "张三 1001"),
        ("second", "security", "甲某 0001"),
    ):
        files[name] = tmp_path / name
        files[name].write_text(run("key", "create", "--role", role, "--holder", holder).stdout)
    ask = ("approval", "ask", "--extra", "20", "--reason", "三栋楼停水，逐户回访三十户", "--key-file", files["own"])
    asked = run(*ask).stdout.strip()
    assert run(*ask).exit_code == 1  # one waits
    assert run("approval", "ask", "--extra", "20", "--reason", "要", "--key-file", files["own"]).exit_code == 1
    for name in ("own", "twin"):
        assert run("approval", "approve", asked, "--key-file", files[name]).exit_code == 1
    assert [one["state"] for one in json.loads(run("approval", "list", "--json").stdout)] == ["open"]
    assert run("approval", "approve", asked, "--key-file", files["second"], "--note", "已核实").exit_code == 0
    (one,) = json.loads(run("approval", "list", "--state", "approved", "--json").stdout)
    assert (one["decided_by"]["holder"], one["note"]) == ("甲某 0001", "已核实")
    assert "多看 20 件" in run("approval", "list").stdout
    again = later(run, timedelta(minutes=1))(*ask).stdout.strip()
    assert run("approval", "refuse", again, "--key-file", files["second"]).exit_code == 0
    wrong = tmp_path / "wrong"
    wrong.write_text("wyl_live_nothing")
    assert run("approval", "approve", again, "--key-file", wrong).exit_code == 1
    assert run("approval", "list", "--state", "maybe").exit_code == 2

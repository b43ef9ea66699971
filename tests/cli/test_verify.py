"""`verify --resume`: what was stopped is taken up, what cannot be is told in words, and a program that is killed loses little."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from time import monotonic, sleep

import psycopg
import pytest
from tests.cli.conftest import MONDAY, Run, copied

from wuye_loop import settings
from wuye_loop.ports import SettableClock
from wuye_loop.queries.assessment import drift
from wuye_loop.queries.verification import verify
from wuye_loop.queries.verification.mark import NAME

PROGRAM = Path(sys.executable).with_name("wuye-loop")
KEPT = Path("var") / NAME


def stopped(run: Run, monkeypatch: pytest.MonkeyPatch, *options: str, until: str = "2026-03-03 05:00") -> None:
    """Verify, a piece for each grievance, and press Ctrl-C when all are done and the end is near."""

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(verify, "_beside", stop)
        done = run("verify", *options)
    assert done.exit_code == 130
    assert done.stdout == ""
    said = f"已核对 3 件，{until} 以前可以接着做：wuye-loop verify --resume{''.join(f' {one}' for one in options)}"
    assert said.replace("2026-03-01", "'2026-03-01 00:00'") in done.stderr


def test_what_was_stopped_is_taken_up_and_says_so(
    healthy: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = json.loads(healthy("verify", "--json").stdout)
    assert plain["resumed"] is None
    stopped(healthy, monkeypatch)
    assert (tmp_path / KEPT).exists()
    done = healthy("verify", "--resume", "--json")
    assert done.exit_code == 0
    assert "接着做：从 2026-03-02 09:00 开始的核对，已核对 3 件、台账 3 行，其中发现 0 处" in done.stderr
    told = json.loads(done.stdout)
    assert told.pop("resumed") == {
        "begun": "2026-03-02T01:00:00.000000Z", "grievances": 3, "rows": 3, "findings": 0, "again": 0,
    }  # fmt: skip
    assert told == {key: value for key, value in plain.items() if key != "resumed"}
    assert not (tmp_path / KEPT).exists()
    none = healthy("verify", "--resume")
    assert (none.exit_code, "没有中断的核对，从头做" in none.stderr) == (0, True)
    assert "分几次" not in none.stdout


def test_what_was_found_before_it_stopped_ends_it_with_1(healthy: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    url = str(settings.load().database_url)
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        connection.execute("UPDATE grievance SET title = '别的事' WHERE external_id = '2'")
        connection.commit()
        stopped(healthy, monkeypatch)
        connection.execute("UPDATE grievance SET title = '乙' WHERE external_id = '2'")
    done = healthy("verify", "--resume")
    assert done.exit_code == 1
    assert "其中发现 1 处" in done.stderr
    assert "分几次做完：从 2026-03-02 09:00 开始的核对" in done.stdout
    assert "标题、内容" in done.stdout
    assert healthy("verify").exit_code == 0


def test_other_options_are_refused_and_without_it_all_is_done(
    healthy: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stopped(healthy, monkeypatch, "--since", "2026-03-01")
    for options, was in (
        ((), "--since 2026-03-01 00:00 的"),
        (("--since", "2026-02-01"), "--since 2026-03-01 00:00 的"),
    ):
        refused = healthy("verify", "--resume", *options)
        assert (refused.exit_code, refused.stdout) == (1, "")
        assert f"中断的那次核对是{was}" in refused.stderr
    assert (tmp_path / KEPT).exists()
    assert "接着做" in healthy("verify", "--resume", "--since", "2026-03-01").stderr
    stopped(healthy, monkeypatch)
    assert "是全部的" in healthy("verify", "--resume", "--since", "2026-03-01").stderr
    whole = healthy("verify")
    assert (whole.exit_code, "要接着做用 --resume" in whole.stderr) == (0, True)
    assert not (tmp_path / KEPT).exists()


def test_a_mark_that_is_damaged_or_old_is_told_and_all_is_done(
    lived_in: tuple[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = SettableClock(MONDAY)
    with copied(lived_in, tmp_path, clock) as run:
        stopped(run, monkeypatch)
        clock.set(MONDAY + timedelta(hours=21))
        old = run("verify", "--resume")
        assert (old.exit_code, "20 小时之内开始的，不能接着做；从头做" in old.stderr) == (0, True)
        stopped(run, monkeypatch, until="2026-03-04 02:00")
        file = tmp_path / KEPT
        file.write_bytes(file.read_bytes().replace(b'"drift":0', b'"drift":1'))
        forged = run("verify", "--resume", "--json")
        assert (forged.exit_code, "被改动或已损坏：一件也不跳过，从头做" in forged.stderr) == (0, True)
        told = json.loads(forged.stdout)
        assert (told["grievances"], told["drift"], told["resumed"]) == (3, 0, None)


def test_a_mark_that_cannot_be_read_is_told_and_all_is_done(healthy: Run, tmp_path: Path) -> None:
    (tmp_path / KEPT).mkdir(parents=True)
    done = healthy("verify", "--resume", "--json")
    assert (done.exit_code, json.loads(done.stdout)["grievances"]) == (0, 3)
    assert "用不了（Is a directory）：从头做" in done.stderr
    assert "没有中断的核对" not in done.stderr


@pytest.mark.proof
def test_a_second_one_meanwhile_keeps_no_mark(healthy: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = drift.looked_over
    program = [str(PROGRAM), "verify"]
    said: list[str] = []

    def meanwhile(*of: object) -> object:
        environment = {**os.environ, "WUYE_DATABASE_URL": str(settings.load().database_url)}
        for options in ((), ("--resume",)):
            other = subprocess.run([*program, *options], env=environment, capture_output=True, text=True, check=False)
            said.append(f"{other.returncode} {other.stderr}")
        return plain(*of)  # type: ignore[arg-type]

    monkeypatch.setattr(drift, "looked_over", meanwhile)
    assert healthy("verify").exit_code == 0
    assert said[0].startswith("0 另一个 verify 正在做：这一次不记进度")
    assert said[1].startswith("1 另一个 verify 正在做，它的进度别人接不了")


@pytest.mark.proof
@pytest.mark.parametrize(
    ("processes", "many", "number"), [(1, 3, signal.SIGKILL), (2, 1100, signal.SIGKILL), (2, 1100, signal.SIGINT)]
)
def test_a_program_that_is_killed_between_pieces_is_taken_up(
    lived_in: tuple[str, Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    processes: int,
    many: int,
    number: signal.Signals,
) -> None:
    """A table that only the end of a verification reads is locked: it waits there, all grievances done, and is killed."""
    with copied(lived_in, tmp_path) as run:
        monkeypatch.setenv("WUYE_LOCK_TIMEOUT_MS", "60000")  # on a slow machine it waits there longer than two seconds
        rows = "".join(f"n{n},甲,停水\n" for n in range(many - 3))
        (tmp_path / "rows.csv").write_text(f"编号,标题,内容\n{rows}", encoding="utf-8")
        assert run("import", tmp_path / "rows.csv").exit_code == 0
        command = [str(PROGRAM), "verify", "--json", "--processes", str(processes)]
        with psycopg.connect(str(settings.load().database_url).replace("+psycopg", "")) as connection:
            connection.execute("UPDATE grievance SET title = '别的事' WHERE external_id = '2'")
            connection.commit()
            connection.execute("LOCK TABLE document_series IN ACCESS EXCLUSIVE MODE")
            killed = subprocess.Popen(
                command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
            )
            _until(lambda: (tmp_path / KEPT).exists() and b'"piece":0' in (tmp_path / KEPT).read_bytes())
            children = Path(f"/proc/{killed.pid}/task/{killed.pid}/children").read_text(encoding="ascii").split()
            assert killed.poll() is None
            if number is signal.SIGINT:
                os.killpg(killed.pid, number)  # as a terminal sends it, to all of them
            else:
                killed.send_signal(number)
            assert killed.wait() == (130 if number is signal.SIGINT else -number)
            connection.rollback()
        assert len(children) == (processes if processes > 1 else 0)
        _until(lambda: not any(Path(f"/proc/{child}").exists() for child in children))  # they go with their parent
        done = subprocess.run([*command, "--resume"], capture_output=True, text=True, check=False)
        told = json.loads(done.stdout)
        assert (done.returncode, told["drift"], told["grievances"]) == (1, 1, many)
        assert 0 < told["resumed"]["grievances"] <= many
        assert told["resumed"]["findings"] == 1
        assert "接着做" in done.stderr
        assert not (tmp_path / KEPT).exists()


def _until(true: Callable[[], bool]) -> None:
    before = monotonic()
    while not true():
        assert monotonic() - before < 60
        sleep(0.005)

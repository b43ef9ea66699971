import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import text
from tests.cli.conftest import MONDAY, Run

from wuye_loop import postgres
from wuye_loop.cli.database import opened


@pytest.fixture
def notice(tmp_path: Path) -> Path:
    """Write a notice that makes the first 28 days of every month of that Monday's and the next year a day off."""
    file = tmp_path / "notice.csv"
    years = (MONDAY.year, MONDAY.year + 1)
    days = [f"{year}-{month:02d}-{day:02d},0" for year in years for month in range(1, 13) for day in range(1, 29)]
    file.write_text("date,works\n" + "\n".join(days))
    return file


def test_a_dry_run_shows_what_moves_and_moves_nothing(look: Run, notice: Path) -> None:
    for _ in range(2):
        shown = look("calendar", "import", notice, "--dry-run")
        assert shown.exit_code == 0
        assert "到期时间变动的时限 3 个" in shown.stdout
        assert shown.stdout.count("│ WY") == 3


def test_nothing_is_loaded_without_a_yes(healthy: Run, notice: Path) -> None:
    refused = healthy("calendar", "import", notice, answer="n\n")
    assert refused.exit_code == 1
    assert "没有装入" in refused.stderr
    assert json.loads(healthy("calendar", "import", notice, "--dry-run", "--json").stdout)["moves"]


def test_a_yes_moves_the_deadlines_and_the_ledger_says_so(healthy: Run, notice: Path) -> None:
    done = healthy("calendar", "import", notice, answer="y\n")
    assert done.exit_code == 0
    assert "调整了 3 件诉求的时限" in done.stdout
    verified = json.loads(healthy("verify", "--json").stdout)
    assert (verified["drift"], verified["chain_ok"], verified["rows"]) == (0, True, 6)
    again = json.loads(healthy("calendar", "import", notice, "--yes", "--json").stdout)
    assert (again["applied"], again["moves"]) == (True, [])


def test_a_damaged_workflow_is_named_and_the_others_are_moved(healthy: Run, notice: Path) -> None:
    with opened(None) as database, database.begin() as session:
        lost = '{"id": "lost@1", "text": "{"}'
        session.execute(
            text(
                "INSERT INTO workflow SELECT (jsonb_populate_record(w, CAST(:lost AS jsonb))).* FROM workflow w LIMIT 1"
            ),
            {"lost": lost},
        )
    done = healthy("calendar", "import", notice, "--yes")
    assert "流程 lost@1 损坏" in done.stderr
    assert "调整了 3 件诉求的时限" in done.stdout


def test_a_damaged_clock_does_not_keep_the_others_from_moving(healthy: Run, notice: Path) -> None:
    with opened(None) as database, database.begin() as session:
        session.execute(
            text(
                "UPDATE clock SET image = '{}', packed = NULL WHERE grievance_id = (SELECT id FROM grievance ORDER BY id LIMIT 1)"
            )
        )
    done = json.loads(healthy("calendar", "import", notice, "--yes", "--json").stdout)
    assert done["applied"]
    assert len({move["number"] for move in done["moves"]}) == 2


def test_a_year_is_shown_with_the_mark_of_a_guess(look: Run) -> None:
    known, guessed = look("calendar", "show", "2026"), look("calendar", "show", "2027")
    assert "2026-10-10" in known.stdout
    assert known.stderr == ""
    assert "推定" in guessed.stderr
    shown = json.loads(look("calendar", "show", "2026", "--json").stdout)
    assert shown["published"]
    assert {"date": "2026-10-10", "works": True} in shown["days"]
    assert look("calendar", "show", "1066").exit_code == 2


def test_a_file_that_is_no_notice_is_refused_in_words(look: Run, tmp_path: Path) -> None:
    file = tmp_path / "n.csv"
    file.write_text("date,works\n2027-02-30,0\n")
    refused = look("calendar", "import", file, "--yes")
    assert refused.exit_code == 1
    assert "第 2 行：日期应写成" in refused.stderr
    assert look("calendar", "import", file, "--json").exit_code == 2


def test_a_command_that_is_told_to_stop_takes_its_own_database_server_along(tmp_path: Path, notice: Path) -> None:
    data = tmp_path / "data"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("WUYE_")}
    command = [sys.executable, "-c", "from wuye_loop.cli import main; main()", "calendar", "import", str(notice)]
    with subprocess.Popen(
        [*command, "--data", str(data)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment,
    ) as process:
        assert process.stderr is not None
        said = b""
        while not said.endswith("时限？".encode()):  # the server runs, and the command waits for an answer
            said += process.stderr.read(1) or pytest.fail(f"ended early: {said.decode()}")
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=60) == 128 + signal.SIGTERM
    places = [data, *postgres.outside(data)]
    assert any((place / "postgres" / "PG_VERSION").exists() for place in places)
    assert not any((place / "postgres" / "postmaster.pid").exists() for place in places)
    assert postgres.remove(data) == [*places[1:], data]

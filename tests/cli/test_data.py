import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from wuye_loop import postgres, settings
from wuye_loop.cli import app
from wuye_loop.postgres import place


@pytest.fixture
def room(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Give a folder that any account may pass through, which is also where a database goes that must lie elsewhere."""
    for name in [name for name in os.environ if name.startswith("WUYE_")]:
        monkeypatch.delenv(name)
    settings.load.cache_clear()
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        monkeypatch.setattr(place, "ELSEWHERE", (Path(folder).resolve(),))
        yield Path(folder).resolve()
    settings.load.cache_clear()


def run(*args: str | Path, answer: str | None = None) -> Result:
    return CliRunner().invoke(app, [str(arg) for arg in args], input=answer, catch_exceptions=False)


def test_data_kept_elsewhere_is_named_and_removed_with_the_folder(room: Path) -> None:
    data = room / "closed" / "var"
    data.parent.mkdir(mode=0o700)
    assert run("key", "list", "--data", data).exit_code == 0
    places = run("data", "where", "--data", data).stdout.splitlines()
    assert places[0] == str(data)
    assert all(place.exists() for place in map(Path, places))
    told = [line for line in run("doctor", "--data", data).stdout.splitlines() if "数据位置" in line]
    assert [place for place in places[1:] if place not in "".join(told)] == []
    refused = run("data", "remove", "--data", data, answer="n\n")
    assert (refused.exit_code, data.exists()) == (1, True)
    done = run("data", "remove", "--yes", "--data", data)
    assert done.exit_code == 0
    assert [place for place in places if f"已删除 {place}" not in done.stderr] == []
    assert list(room.iterdir()) == [data.parent]


def test_nothing_but_our_own_data_is_removed(room: Path) -> None:
    (room / "letters").mkdir()
    (room / "letters" / "mine.txt").write_text("keep")
    for folder in (room / "letters", room / "nothing"):
        assert "没有本程序的数据" in run("data", "remove", "--yes", "--data", folder).stderr
    assert (room / "letters" / "mine.txt").read_text() == "keep"
    assert "还没有建立" in run("data", "where", "--data", room / "nothing").stderr


def test_data_in_use_and_data_of_another_server_are_left_alone(room: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = room / "var"
    with postgres.running(data):
        refused = run("data", "remove", "--yes", "--data", data)
        assert "正在使用" in refused.stderr
        assert data.exists()
    monkeypatch.setenv("WUYE_DATABASE_URL", "postgresql://elsewhere/x")
    settings.load.cache_clear()
    assert "WUYE_DATABASE_URL" in run("data", "remove", "--yes", "--data", data).stderr
    assert data.exists()

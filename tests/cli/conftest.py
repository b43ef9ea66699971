import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import pytest
from tests.database import clone, memory, template
from typer.testing import CliRunner, Result

from wuye_loop import postgres, settings
from wuye_loop.cli import app
from wuye_loop.cli.clock import going_by
from wuye_loop.ports import Clock, SettableClock

Run = Callable[..., Result]
MONDAY = datetime(2026, 3, 2, 1, tzinfo=UTC)  # 09:00 in Beijing; no holiday before 4 April
_numbers = count(100_000)


@pytest.fixture(scope="session")
def durable_template_url() -> Iterator[str]:
    """Give a migrated template on a server that keeps its promises: commands refuse the careless one of the other tests."""
    with postgres.temporary(under=memory()) as server, template(server.url) as url:
        yield url


@pytest.fixture
def run(durable_template_url: str, tmp_path: Path) -> Iterator[Run]:
    """Run a command on an empty installation of this test's own: `run("key", "list")`."""
    with clone(durable_template_url, next(_numbers)) as url, installation(url, tmp_path / "var") as command:
        yield command


@pytest.fixture(scope="session")
def lived_in(durable_template_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """Give the URL and the data folder of an installation with the demo district, a key and three grievances, on a Monday."""
    with inhabited(durable_template_url, tmp_path_factory.mktemp("lived-in"), SettableClock(MONDAY)) as made:
        yield made


@pytest.fixture
def look(lived_in: tuple[str, Path]) -> Iterator[Run]:
    """Run a command that changes nothing, on the installation that is lived in itself: no copy, no wait."""
    with installation(*lived_in) as command:
        yield command


@pytest.fixture
def healthy(lived_in: tuple[str, Path], tmp_path: Path) -> Iterator[Run]:
    """Run a command on this test's own copy of the installation that is lived in; its data folder is `var`."""
    with copied(lived_in, tmp_path) as command:
        yield command


@contextmanager
def inhabited(template_url: str, folder: Path, clock: Clock) -> Iterator[tuple[str, Path]]:
    """Make an installation with the demo district, a key and three grievances that came in now; give URL and data folder."""
    rows = folder / "rows.csv"
    rows.write_text("编号,标题,内容\n1,甲,停水\n2,乙,停电\n3,丙,停暖\n", encoding="utf-8")
    with clone(template_url, next(_numbers)) as url:
        with installation(url, folder / "var", clock) as command:
            for args in (("directory", "load", "--demo"), ("key", "create", "--role", "admin"), ("import", rows)):
                assert command(*args).exit_code == 0
        yield url, folder / "var"


@contextmanager
def copied(made: tuple[str, Path], folder: Path, clock: Clock | None = None) -> Iterator[Run]:
    """Copy an installation; give its commands."""
    url, data = made
    shutil.copytree(data, folder / "var")
    with clone(url, next(_numbers)) as own, installation(own, folder / "var", clock) as command:
        yield command


@contextmanager
def installation(url: str, data: Path, clock: Clock | None = None) -> Iterator[Run]:
    """Give the commands of an installation; they go by a clock that stands still on that Monday unless another is given."""
    with pytest.MonkeyPatch.context() as environment, going_by(clock or SettableClock(MONDAY)):
        environment.setenv("WUYE_DATABASE_URL", url)
        environment.setenv("WUYE_DATA", str(data))
        environment.setenv("WUYE_DEFAULT_WORKFLOW", "kuiwen@1")  # whose rules these tests know by heart
        settings.load.cache_clear()

        def command(*args: str | Path, answer: str | None = None) -> Result:
            return CliRunner().invoke(app, [str(arg) for arg in args], input=answer, catch_exceptions=False)

        yield command
    settings.load.cache_clear()

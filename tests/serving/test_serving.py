"""`up` as an operator runs it: one command, a free port, rehearsal kept apart from real grievances, a clean stop."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep

import pytest
from tests.site import MONDAY, order, town_on

from wuye_loop import postgres
from wuye_loop.app import make_site
from wuye_loop.domain.errors import KeyRingBroken
from wuye_loop.domain.grievance.order import IntakeForm
from wuye_loop.loop.collect import collect
from wuye_loop.settings import LIBPQ, Settings
from wuye_loop.store import rehearsals
from wuye_loop.store.database import Database

PROGRAM = Path(sys.executable).with_name("wuye-loop")


@pytest.fixture(scope="module")
def data() -> Iterator[Path]:
    """Give a data folder that the embedded server's own account can reach; the tests start on it one after another."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o711)
        yield Path(folder)
        for elsewhere in postgres.outside(Path(folder)):
            shutil.rmtree(elsewhere)


@contextmanager
def up(data: Path, *options: str, **variables: str) -> Iterator[tuple[str, "subprocess.Popen[str]"]]:
    """Run `wuye-loop up` on a free port with its embedded database; give its address."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("WUYE_")} | variables
    command = [str(PROGRAM), "up", "--port", "0", "--data", str(data), *options]
    process = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
    try:
        yield _address(process), process
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)


def _address(process: "subprocess.Popen[str]") -> str:
    assert process.stderr is not None
    for line in process.stderr:
        found = re.search(r"http://[\d.]+:\d+", line)
        if found:
            return found[0]
    return ""


def answer(address: str, path: str) -> tuple[int, bytes]:
    """Ask, patiently while the server starts."""
    end = monotonic() + 20
    while True:
        try:
            with urllib.request.urlopen(address + path, timeout=5) as got:  # noqa: S310 our own address
                return got.status, got.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()
        except OSError:
            assert monotonic() < end, "the server did not start"
            sleep(0.1)


def test_variables_of_the_client_library_move_nothing(data: Path) -> None:
    """And a first start makes its database among them; the two starts below find it."""
    nonsense = dict.fromkeys(LIBPQ, "nonsense")
    with up(data, **nonsense) as (address, _):
        assert answer(address, "/readyz")[0] == 200


def test_up_says_where_it_listens_and_stops_cleanly_when_told(data: Path) -> None:
    with up(data) as (address, process):
        assert answer(address, "/readyz") == (200, b'{"status":"ready"}')
        paths = json.loads(answer(address, "/v1/openapi.json")[1])["paths"]
        assert "/v1/rehearsal/clock" not in paths
        assert answer(address, "/v1/rehearsal/clock")[0] == 404
    assert process.returncode in (0, -signal.SIGTERM, 128 + signal.SIGTERM)
    assert not list(data.glob("**/postmaster.pid")), "the embedded server was left running"


def test_a_rehearsal_has_its_clock_door(data: Path) -> None:
    with up(data, "--rehearsal") as (address, _):
        assert "/v1/rehearsal/clock" in json.loads(answer(address, "/v1/openapi.json")[1])["paths"]


def test_a_database_is_marked_as_rehearsed_and_real_grievances_are_never_rehearsed_on(database: Database) -> None:
    with database.begin() as session:
        assert not rehearsals.is_rehearsed(session)
    with town_on(database) as town:
        form = IntakeForm.model_validate(order())
        town.run(lambda session: collect(town.site.loop, session, form, town.actors["hotline"]))
    with database.begin() as session:
        assert not rehearsals.begin(session)
        assert rehearsals.latest(session) == MONDAY
        session.connection().exec_driver_sql("UPDATE epoch SET rehearsed = TRUE")
        assert rehearsals.begin(session), "a rehearsal may be gone on with"


def test_a_lost_key_ring_is_refused_in_words_and_not_replaced(database: Database, tmp_path: Path) -> None:
    with town_on(database, start=MONDAY) as town:
        form = IntakeForm.model_validate(order())
        town.run(lambda session: collect(town.site.loop, session, form, town.actors["hotline"]))
    with pytest.raises(KeyRingBroken, match="不见了"):
        make_site(Settings(data=tmp_path), database)
    assert not (tmp_path / "keys.json").exists()


def test_a_key_ring_that_opens_nothing_here_is_refused_in_words(database: Database, tmp_path: Path) -> None:
    with town_on(database) as town:
        form = IntakeForm.model_validate(order())
        town.run(lambda session: collect(town.site.loop, session, form, town.actors["hotline"]))
    master = "A" * 43
    with pytest.raises(KeyRingBroken, match="打不开"):
        make_site(Settings(data=tmp_path, master_key=master), database)

"""PG* of the environment never reach a connection of ours: the embedded server's, or that of a URL which means what it says."""

import os

import psycopg
import pytest
from sqlalchemy import text
from tests.database import memory

from wuye_loop import postgres
from wuye_loop.settings import LIBPQ, load, unheed_libpq
from wuye_loop.store import maintenance
from wuye_loop.store.database import Database, database_of


@pytest.fixture(autouse=True)
def nonsense(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Set every variable of libpq to something that would break, or silently change, a connection."""
    for name in LIBPQ:
        monkeypatch.setenv(name, "nonsense")
    monkeypatch.setenv("PGHOST", "nowhere.invalid")
    monkeypatch.setenv("PGPORT", "1")
    monkeypatch.setenv("PGOPTIONS", "-c default_transaction_read_only=on")


def test_every_variable_that_the_installed_library_reads_is_known() -> None:
    read = {one.envvar.decode() for one in psycopg.pq.Conninfo.get_defaults() if one.envvar}
    assert read <= LIBPQ


def test_the_embedded_server_is_reached_whatever_the_environment_says() -> None:
    with postgres.temporary(options={"fsync": "off"}, under=memory()) as server:
        database = Database(server.url)
        with database.begin() as session:
            session.execute(text("CREATE TABLE written AS SELECT 1 AS one"))
        database.dispose()


def test_a_given_url_means_what_it_says(database_url: str) -> None:
    database = Database(database_url)
    with database.begin() as session:
        session.execute(text("CREATE TABLE written AS SELECT 1 AS one"))
        zone, encoding = session.execute(
            text("SELECT current_setting('TimeZone'), current_setting('client_encoding')")
        ).one()
        assert (zone, encoding) == ("UTC", "UTF8")
    with psycopg.connect(database.conninfo) as connection:  # as the job engine connects
        connection.execute("INSERT INTO written VALUES (2)")
    database.dispose()


@pytest.mark.parametrize("ask", [maintenance.is_empty, lambda url: database_of(url, "postgres")])
def test_neighbouring_databases_are_reached_too(database_url: str, ask: object) -> None:
    assert callable(ask)
    ask(database_url)


def test_what_was_taken_away_is_told() -> None:
    load.cache_clear()
    load()
    assert not LIBPQ & os.environ.keys()
    assert unheed_libpq() == sorted(LIBPQ)
    load.cache_clear()

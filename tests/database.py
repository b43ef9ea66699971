"""A real PostgreSQL for the tests: one server and one migrated template per run, one clone per test."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg import sql
from sqlalchemy import make_url

from wuye_loop import postgres
from wuye_loop.store.database import Database

ROOM = 1024 * 1024 * 1024

# What the tests write need not outlive a power cut.
CARELESS = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off", "autovacuum": "off"}


@contextmanager
def server() -> Iterator[str]:
    """Give the URL of the server to test on: that of WUYE_DATABASE_URL, or one of our own for this run."""
    if given := os.environ.get("WUYE_DATABASE_URL"):
        yield make_url(given).set(drivername="postgresql+psycopg").render_as_string(hide_password=False)
        return
    with postgres.temporary(options=CARELESS, under=memory()) as own:
        yield own.url


def memory() -> Path | None:
    """Return a folder kept in memory when there is room in it: copying a database takes 15 ms there, 180 on a busy disk."""
    shared = Path("/dev/shm")  # noqa: S108 only tests put anything there, in folders of their own
    return shared if shared.is_dir() and shutil.disk_usage(shared).free > ROOM else None


@contextmanager
def template(server_url: str) -> Iterator[str]:
    """Make a database with all migrations, to be cloned; give its URL."""
    with fresh(server_url, f"wuye_template_{os.getpid()}") as url:
        database = Database(url)
        database.migrate()
        database.dispose()
        with _standing(url):
            yield url


@contextmanager
def clone(template_url: str, number: int) -> Iterator[str]:
    """Copy the template under a number; give the copy's URL. The copy is dropped at the end."""
    with fresh(template_url, f"wuye_test_{os.getpid()}_{number}", str(make_url(template_url).database)) as url:
        yield url


@contextmanager
def fresh(url: str, name: str, source: str = "template0") -> Iterator[str]:
    """Make a database on the server of `url` as a copy of `source`; give its URL. It is dropped at the end."""
    made = make_url(url).set(database=name)
    # Copying files takes half the time of copying through the log.
    copy = sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY")
    _run(url, copy.format(sql.Identifier(name), sql.Identifier(source)))
    try:
        yield made.render_as_string(hide_password=False)
    finally:
        _run(url, sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


#: Connections that stand as long as a template does, by their URL: a third of the price of a copy was connecting.
_stood: dict[str, psycopg.Connection] = {}


@contextmanager
def _standing(url: str) -> Iterator[None]:
    maintenance = _beside(url)
    with psycopg.connect(maintenance, autocommit=True) as connection:
        _stood[maintenance] = connection
        try:
            yield
        finally:
            del _stood[maintenance]


def _run(url: str, statement: sql.Composed) -> None:
    maintenance = _beside(url)
    if (standing := _stood.get(maintenance)) is not None:
        standing.execute(statement)
        return
    with psycopg.connect(maintenance, autocommit=True) as connection:
        connection.execute(statement)


def _beside(url: str) -> str:
    # A neighbouring database: one can be neither copied nor dropped from within.
    return make_url(url).set(drivername="postgresql", database="postgres").render_as_string(hide_password=False)

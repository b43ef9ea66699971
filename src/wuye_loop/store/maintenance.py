"""Whole databases on a server, from beside them: is one empty, is it used, make it anew."""

from typing import Final

import psycopg
from psycopg import sql
from sqlalchemy import make_url

from wuye_loop.settings import unheed_libpq

_ANYTHING: Final = """
SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'S') AND n.nspname NOT IN ('pg_catalog', 'information_schema')
  AND n.nspname NOT LIKE 'pg\\_%'
"""


def is_empty(url: str) -> bool:
    """Say whether a database holds no table, view or sequence of anybody's."""
    with psycopg.connect(_plain(url)) as connection:
        found = connection.execute(_ANYTHING).fetchone()
    return not (found and found[0])


def begin_anew(url: str, name: str) -> bool:
    """Make the database of this name on the server of `url` anew; False, and nothing is done, while it is used."""
    with psycopg.connect(_plain(url, "postgres"), autocommit=True) as connection:
        others = connection.execute("SELECT count(*) FROM pg_stat_activity WHERE datname = %s", [name]).fetchone()
        if others and others[0]:
            return False
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(name)))
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    return True


def _plain(url: str, database: str | None = None) -> str:
    unheed_libpq()
    made = make_url(url).set(drivername="postgresql")
    return (made.set(database=database) if database else made).render_as_string(hide_password=False)

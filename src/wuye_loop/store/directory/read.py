"""The directory as a snapshot for decisions, read back from its tables."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from wuye_loop.domain.directory.directory import Area, Directory, Unit, posts_in
from wuye_loop.domain.directory.document import AreaEntry, DirectoryDocument, EstateEntry, PersonEntry, UnitEntry
from wuye_loop.domain.terms import Level
from wuye_loop.store.schema import tables


class EstateLine(NamedTuple):
    """An estate: where it lies and which company runs it."""

    code: str
    name: str
    area_code: str
    company_code: str | None


def read_directory(session: Session) -> Directory:
    """Read every area and unit; `version` is the directory epoch, read first, so that it never claims too much."""
    version = session.execute(select(tables.epoch.c.directory)).scalar_one()
    area, unit = tables.area.c, tables.unit.c
    estates = session.execute(select(tables.estate.c.name)).scalars().all()
    areas = session.execute(select(area.code, area.name, area.level, area.parent_code, area.path, area.lon, area.lat))
    units = session.execute(
        select(
            unit.code, unit.name, unit.kind, unit.area_code, unit.parent_code, unit.duties, unit.active,
            unit.phones,
        ).order_by(unit.code)
    )  # fmt: skip
    return Directory(
        (Area(*row) for row in areas),
        (
            Unit(
                row.code,
                row.name,
                row.kind,
                row.area_code,
                row.parent_code,
                tuple(row.duties),
                row.active,
                tuple(row.phones),
            )
            for row in units
        ),
        version,
        estates,
        _posts(session),
    )


def _posts(session: Session) -> dict[str, frozenset[str]]:
    """Return the posts that the people of each unit have."""
    person = tables.person.c
    found: dict[str, frozenset[str]] = {}
    for unit, duty in session.execute(select(person.unit_code, person.duty).where(person.duty.is_not(None))):
        found[unit] = found.get(unit, frozenset()).union(posts_in(duty))
    return found


def read_estates(session: Session) -> list[EstateLine]:
    """Read every estate with where it lies and its company, in the order of their codes."""
    estate = tables.estate.c
    rows = session.execute(
        select(estate.code, estate.name, estate.area_code, estate.company_code).order_by(estate.code)
    )
    return [EstateLine(*row) for row in rows]


def read_entries(session: Session) -> tuple[int, DirectoryDocument]:
    """Read all of the directory as the document that would load it, with the epoch that it stood at; in code order."""
    version = session.execute(select(tables.epoch.c.directory)).scalar_one()
    area, unit, estate, person = tables.area.c, tables.unit.c, tables.estate.c, tables.person.c
    areas = session.execute(
        select(area.code, area.name, area.level, area.parent_code.label("parent"), area.lon, area.lat).order_by(
            area.code
        )
    )
    units = session.execute(
        select(
            unit.code, unit.name, unit.kind, unit.area_code.label("area"), unit.parent_code.label("parent"), unit.duties,
            unit.active, unit.phones,
        ).order_by(unit.code)
    )  # fmt: skip
    estates = session.execute(
        select(
            estate.code, estate.name, estate.area_code.label("area"), estate.company_code.label("company"), estate.kind,
            estate.households,
        ).order_by(estate.code)
    )  # fmt: skip
    people = session.execute(
        select(person.unit_code.label("unit"), person.name, person.duty).order_by(person.unit_code, person.name)
    )
    return version, DirectoryDocument.model_construct(  # what is stored was checked when it was loaded
        areas=tuple(AreaEntry.model_construct(**(row._asdict() | {"level": Level(row.level)})) for row in areas),
        units=tuple(
            UnitEntry.model_construct(**(row._asdict() | {"duties": tuple(row.duties), "phones": tuple(row.phones)}))
            for row in units
        ),
        estates=tuple(EstateEntry.model_construct(**row._asdict()) for row in estates),
        people=tuple(PersonEntry.model_construct(**row._asdict()) for row in people),
    )


def open_work(session: Session, units: Sequence[str], estates: Sequence[str]) -> dict[tuple[str, str], int]:
    """Count the open grievances that these units have a part in and that lie in these estates, by section and code."""
    asked = {"units": list(units), "estates": list(estates)}
    rows = session.connection().exec_driver_sql(_OPEN_WORK, asked) if units or estates else ()
    return {(row.section, row.code): row.n for row in rows}


_OPEN_WORK: Final = """
SELECT 'units' AS section, u.code, count(*) AS n
FROM unnest(%(units)s::text[]) u (code) JOIN grievance g ON g.units @> ARRAY[u.code] AND NOT g.final GROUP BY u.code
UNION ALL
SELECT 'estates', g.estate_code, count(*) FROM grievance g
WHERE g.estate_code = ANY(%(estates)s::text[]) AND NOT g.final GROUP BY g.estate_code
"""

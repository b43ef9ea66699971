"""The directory as a snapshot for decisions, read back from its tables."""

from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from wuye_loop.domain.directory.directory import Area, Directory, Unit, posts_in
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

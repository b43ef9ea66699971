"""Which running grievances are pinned to a version of the rules, and what must go before they are taken to another."""

from collections.abc import Collection, Iterator
from uuid import UUID

from sqlalchemy.orm import Session

_PAGE = 500
_RUNNING = """
SELECT id, number FROM grievance WHERE workflow = %(workflow)s AND NOT final AND id > %(after)s
ORDER BY id LIMIT %(limit)s
"""
_COUNT = "SELECT count(*) FROM grievance WHERE workflow = %(workflow)s AND NOT final"
# A rung keeps what fired by its place in the ladder, and the places change; a name or run may be another's a row later.
_RUNGS = "DELETE FROM rung WHERE clock_id = ANY(%(ids)s)"
_ASIDE = "UPDATE clock SET run = -run WHERE id = ANY(%(ids)s) AND run > 0"


def running(session: Session, workflow: str, after: UUID) -> list[tuple[UUID, str]]:
    """Return a page of running grievances of a version, (id, number) in the order of ids."""
    params = {"workflow": workflow, "after": after, "limit": _PAGE}
    return [(row[0], row[1]) for row in session.connection().exec_driver_sql(_RUNNING, params)]


def count(session: Session, workflow: str) -> int:
    """Count the running grievances of a version."""
    found: int = session.connection().exec_driver_sql(_COUNT, {"workflow": workflow}).scalar_one()
    return found


def numbers(session: Session, workflow: str) -> Iterator[str]:
    """Yield the numbers of the running grievances of a version, read by pages."""
    after = UUID(int=0)
    while page := running(session, workflow, after):
        after = page[-1][0]
        yield from (number for _, number in page)


def clear(session: Session, clocks: Collection[UUID]) -> None:
    """Make room for clocks that are about to be written with another ladder, name or run."""
    ids = {"ids": list(clocks)}
    session.connection().exec_driver_sql(_RUNGS, ids)
    session.connection().exec_driver_sql(_ASIDE, ids)

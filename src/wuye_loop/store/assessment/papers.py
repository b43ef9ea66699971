"""Documents that an assessment issues without a grievance: kept beside the others, vouched for by the register."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import insert
from sqlalchemy.orm import Session

from wuye_loop.store import registry, vouched
from wuye_loop.store.schema.document_tables import document


@dataclass(frozen=True, slots=True)
class AlonePaper:
    """A numbered document of a scheme's period: to whom, with copies to whom, from which unit (none: the system)."""

    number: str
    kind: str
    series: str
    year: int
    n: int
    addressee: str | None
    copies: tuple[str, ...]
    title: str
    text: str
    area_path: str
    scheme: str
    period: str
    issuer: str | None
    issued_at: datetime


def keep(session: Session, paper: AlonePaper) -> None:
    """Keep a document; who keeps it has the register vouch for it."""
    session.execute(insert(document).values(**asdict(paper) | {"copies": list(paper.copies)}))


def vouch_for(session: Session, numbers: Sequence[str]) -> None:
    """Have the register vouch for documents that were kept."""
    if numbers:
        registry.settle(session, vouched.PAPER, *numbers)


_UNIT = """
SELECT e.company_code FROM estate e WHERE e.code = %(subject)s UNION ALL
SELECT u.code FROM unit u WHERE u.active AND (u.code = %(subject)s
  OR (u.area_code = %(subject)s AND u.kind IN ('community', 'office')))
ORDER BY 1
"""


def unit_of(session: Session, subject: str) -> str | None:
    """Return the unit that a document to a subject goes to: itself, who runs the estate, the area's own; None: nobody."""
    found = session.connection().exec_driver_sql(_UNIT, {"subject": subject}).scalars()
    return next((code for code in found if code is not None), None)

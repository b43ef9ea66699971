"""Where a grievance's estate lies: found by its code or by its name as people write it."""

from dataclasses import dataclass
from typing import Final

from sqlalchemy.orm import Session


@dataclass(frozen=True, slots=True)
class Estate:
    """小区, with the path of its area and the unit code of its property company."""

    code: str
    name: str
    area_code: str
    area_path: str
    company_code: str | None
    kind: str | None


_FIND: Final = """
SELECT e.code, e.name, e.area_code, a.path, e.company_code, e.kind FROM estate e JOIN area a ON a.code = e.area_code
WHERE (e.code = %(wanted)s OR e.name = %(wanted)s)
  AND (%(area)s::text IS NULL OR %(area)s::text = ANY(string_to_array(a.path, '/')))
ORDER BY e.code <> %(wanted)s LIMIT 2
"""


def find_estate(session: Session, wanted: str, area_code: str | None = None) -> Estate | None:
    """Return the estate with this code, else the only one with exactly this name, within an area when one is given.

    None when there is none, or when the name alone cannot tell two apart.
    """
    rows = session.connection().exec_driver_sql(_FIND, {"wanted": wanted, "area": area_code}).all()
    if not rows or (len(rows) > 1 and rows[0].code != wanted):
        return None
    return Estate(*rows[0])

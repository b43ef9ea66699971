"""How routers did: of what each proposed on arrival, how much held, was returned, was changed at the desk."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy.orm import Session

from wuye_loop.domain.grievance.situation import Actor
from wuye_loop.store.visibility import subtree, visible

if TYPE_CHECKING:
    from collections.abc import Sequence

# What the first row keeps is what was proposed before anybody looked at it; the rows after it say what became of that.
# Of the traces either all are in the clear, or the one that answered is, without its outcome.
_FIGURES: Final = """
WITH proposed AS (
  SELECT g.id, t.kind, t.unit
  FROM grievance g
  JOIN ledger l ON l.grievance_id = g.id AND l.seq = 1
  JOIN LATERAL (
    SELECT one ->> 'kind' AS kind, one ->> 'unit' AS unit
    FROM jsonb_array_elements(COALESCE(l.facts -> 'routing', '[]'::jsonb)) WITH ORDINALITY AS traces (one, place)
    WHERE COALESCE(one ->> 'outcome', 'matched') IN ('matched', 'fallback') ORDER BY place LIMIT 1
  ) t ON TRUE
  WHERE {conditions}
), came AS (
  SELECT p.kind, p.unit, f.seq, f.unit AS given,
         EXISTS (SELECT 1 FROM ledger n WHERE n.grievance_id = p.id AND n.seq > f.seq
                 AND jsonb_exists(n.changes -> 'grievance', 'lead_unit')
                 AND n.changes -> 'grievance' ->> 'lead_unit' IS DISTINCT FROM p.unit) AS lost
  FROM proposed p
  LEFT JOIN LATERAL (
    SELECT l.seq, l.changes -> 'grievance' ->> 'lead_unit' AS unit FROM ledger l
    WHERE l.grievance_id = p.id AND l.changes -> 'grievance' ->> 'lead_unit' IS NOT NULL ORDER BY l.seq LIMIT 1
  ) f ON TRUE
)
SELECT kind, count(*), count(*) FILTER (WHERE given IS NULL), count(*) FILTER (WHERE given <> unit),
       count(*) FILTER (WHERE given = unit AND lost), count(*) FILTER (WHERE given = unit AND NOT lost)
FROM came GROUP BY kind ORDER BY count(*) DESC, kind
"""


@dataclass(frozen=True, slots=True)
class Proposed:
    """One kind of router: how many units it proposed, and what became of them."""

    kind: str
    proposed: int
    waiting: int  # nobody has it yet
    changed: int  # the desk gave it to another
    returned: int  # the unit had it and has it no more
    held: int


def proposals(session: Session, actor: Actor, area_path: str) -> list[Proposed]:
    """Return the figures of every kind of router in a subtree ("" is all that the actor may see)."""
    predicate, params = visible(actor)
    inside, bounds = subtree(area_path, "g", "f")
    statement = _FIGURES.format(conditions=f"{predicate} AND {inside}")
    rows: Sequence[Any] = session.connection().exec_driver_sql(statement, params | bounds).all()
    return [Proposed(*row) for row in rows]

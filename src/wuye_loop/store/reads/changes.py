"""What changed since a cursor, so that nothing is missed: rows of transactions that may still come stay behind the horizon."""

from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from sqlalchemy.orm import Session

from wuye_loop.domain.grievance.situation import Actor
from wuye_loop.store.visibility import visible

Mark = tuple[int, UUID, int]
BEGINNING: Final[Mark] = (-1, UUID(int=0), 0)
_LAST: Final = UUID(int=2**128 - 1)
_CHANGES = """
SELECT c.tx, c.grievance_id, c.seq, g.number, g.source, g.external_id, g.workflow, g.state, g.stage, g.final, g.closed_at,
       g.merged_into, g.seq AS now_seq, l.at
FROM change c JOIN grievance g ON g.id = c.grievance_id
LEFT JOIN ledger l ON l.grievance_id = c.grievance_id AND l.seq = c.seq
WHERE (c.tx, c.grievance_id, c.seq) > (%(tx)s, %(id)s, %(seq)s) AND c.tx < %(horizon)s AND {predicate}
ORDER BY c.tx, c.grievance_id, c.seq LIMIT %(limit)s
"""


@dataclass(frozen=True, slots=True)
class Changes:
    """Changes in order, where to go on, and whether more are there already."""

    rows: list[Any]
    next: Mark
    more: bool


def since(session: Session, actor: Actor, after: Mark, limit: int) -> Changes:
    """Return the changes of visible grievances after a mark.

    Every transaction below the horizon has ended, and no later one writes below it: so what is passed over is passed over
    for good. A transaction that is still open holds back what comes after it.
    """
    connection = session.connection()
    horizon = connection.exec_driver_sql("SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint").scalar_one()
    predicate, params = visible(actor)
    params |= {"tx": after[0], "id": after[1], "seq": after[2], "horizon": horizon, "limit": limit + 1}
    rows = list(connection.exec_driver_sql(_CHANGES.format(predicate=predicate), params))
    if len(rows) > limit:
        last = rows[limit - 1]
        return Changes(rows[:limit], (last[0], last[1], last[2]), more=True)
    passed: Mark = (horizon - 1, _LAST, 0)
    return Changes(rows, max(passed, after, key=lambda mark: mark[0]), more=False)

"""What changed since a cursor: for whoever follows grievances and cannot be called."""

from typing import Any

from sqlalchemy.orm import Session

from wuye_loop.domain.grievance.situation import Actor
from wuye_loop.domain.time.timestamps import as_text
from wuye_loop.loop.engine import Loop
from wuye_loop.store.reads import changes
from wuye_loop.store.reads.changes import Mark


def since(
    loop: Loop, session: Session, actor: Actor, after: Mark, limit: int
) -> tuple[list[dict[str, Any]], Mark, bool]:
    """Return the changes of visible grievances after a mark, where to go on, and whether more are there already.

    Each says that a grievance came to a seq, and how it stands by now.
    """
    loop.reference.refresh(session)
    found = changes.since(session, actor, after, limit)
    return [_item(loop, session, row, actor) for row in found.rows], found.next, found.more


def _item(loop: Loop, session: Session, row: Any, actor: Actor) -> dict[str, Any]:
    state = loop.reference.rules(session, row.workflow).workflow.states.get(row.state)
    shown: dict[str, Any] = {
        "number": row.number,
        "seq": row.seq,
        "at": as_text(row.at) if row.at is not None else None,
        "state": row.state,
        "state_title": state.title if state is not None else row.state,
        "stage": row.stage,
        "final": row.final,
        "merged": row.merged_into is not None,
        "closed_at": as_text(row.closed_at) if row.closed_at is not None else None,
        "now_seq": row.now_seq,
    }
    return shown if row.source != actor.sender else {**shown, "external_id": row.external_id}

"""What takes a second person: asked for by one key, decided by another's, used once. One row each."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import insert, select, tuple_, update
from sqlalchemy.orm import Session

from wuye_loop.store import registry, vouched
from wuye_loop.store.pages import Page, cut
from wuye_loop.store.schema.tables import approval

ApprovalKind = Literal["reveals", "key"]
ApprovalState = Literal["open", "approved", "refused", "used"]


@dataclass(frozen=True, slots=True)
class Approval:
    """What was asked for (`wanted`), by which key and why, and what became of it; `key_id` is the key made of it."""

    id: UUID
    kind: str
    asked_by: UUID
    asked_at: datetime
    wanted: Mapping[str, Any]
    reason: str
    state: str
    decided_by: UUID | None
    decided_at: datetime | None
    note: str | None
    key_id: UUID | None


_SELECT = select(*(approval.c[name] for name in Approval.__slots__))


def ask(session: Session, asked: Approval) -> None:
    """Keep a request."""
    session.execute(insert(approval).values({name: getattr(asked, name) for name in Approval.__slots__}))
    registry.settle(session, vouched.APPROVAL, str(asked.id))


def locked(session: Session, approval_id: UUID) -> Approval | None:
    """Lock and return a request: of two who decide at once the second sees what the first did.

    Raises Conflict for one that is not as the register has it: whatever came of it would vouch for a forgery.
    """
    row = session.execute(_SELECT.where(approval.c.id == approval_id).with_for_update()).first()
    if row is not None:
        registry.confirm(session, vouched.APPROVAL, str(approval_id))
    return Approval(*row) if row is not None else None


def decide(session: Session, decided: Approval) -> None:
    """Write what was decided on a locked request."""
    values = {name: getattr(decided, name) for name in ("state", "decided_by", "decided_at", "note")}
    session.execute(update(approval).where(approval.c.id == decided.id).values(values))
    registry.settle(session, vouched.APPROVAL, str(decided.id))


def use(session: Session, approval_id: UUID, key_id: UUID) -> None:
    """Write that a locked request became this key."""
    session.execute(update(approval).where(approval.c.id == approval_id).values(state="used", key_id=key_id))
    registry.settle(session, vouched.APPROVAL, str(approval_id))


def allowed(session: Session, keys: Collection[UUID], since: datetime) -> int:
    """Return how many openings more than the bound these keys were allowed since an instant."""
    rows = session.execute(
        select(approval.c.wanted).where(
            approval.c.kind == "reveals",
            approval.c.state == "approved",
            approval.c.asked_by.in_(keys),
            approval.c.decided_at >= since,
        )
    ).scalars()
    return sum(int(wanted["extra"]) for wanted in rows)


def open_of(session: Session, keys: Collection[UUID], kind: ApprovalKind) -> int:
    """Count the open requests of these keys."""
    wanted = select(approval.c.id).where(
        approval.c.kind == kind, approval.c.state == "open", approval.c.asked_by.in_(keys)
    )
    return len(session.execute(wanted).all())


def listed(
    session: Session,
    asked_by: UUID | None,
    state: ApprovalState | None,
    after: tuple[datetime, UUID] | None,
    limit: int,
) -> Page[Approval]:
    """Return a page of requests, the newest first: of one key, or everybody's."""
    wanted = _SELECT
    if asked_by is not None:
        wanted = wanted.where(approval.c.asked_by == asked_by)
    if state is not None:
        wanted = wanted.where(approval.c.state == state)
    if after is not None:
        wanted = wanted.where(tuple_(approval.c.asked_at, approval.c.id) < after)
    newest = wanted.order_by(approval.c.asked_at.desc(), approval.c.id.desc()).limit(limit + 1)
    rows = [Approval(*row) for row in session.execute(newest)]
    return cut(rows, limit, lambda row: (row.asked_at, row.id))

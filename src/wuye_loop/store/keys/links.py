"""One-time links: by the digest of a token that only the link has, for one task, until an instant, once."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from wuye_loop.store import registry, vouched
from wuye_loop.store.schema.account_tables import account, task_link


@dataclass(frozen=True, slots=True)
class LinkRow:
    """A link as it is stored, without its token: for which task, in which unit's name, given to whom, until when."""

    id: UUID
    task_id: UUID
    unit_code: str
    by_account: UUID
    given_to: str
    created_at: datetime
    expires_at: datetime
    ended_at: datetime | None
    used: bool


_COLUMNS = [task_link.c[name] for name in LinkRow.__slots__]


def make(session: Session, row: LinkRow, digest: bytes) -> None:
    """Keep a new link."""
    session.execute(insert(task_link).values(digest=digest, **{name: getattr(row, name) for name in LinkRow.__slots__}))
    registry.settle(session, vouched.LINK, str(row.id))


def find(session: Session, digest: bytes) -> LinkRow | None:
    """Return the link of a token."""
    row = session.execute(select(*_COLUMNS).where(task_link.c.digest == digest)).first()
    return None if row is None else LinkRow(*row)


def of_tasks(session: Session, unit: str, tasks: Sequence[UUID]) -> list[LinkRow]:
    """Return the links of these tasks in a unit's name, the newest first."""
    rows = select(*_COLUMNS).where(task_link.c.unit_code == unit, task_link.c.task_id.in_(list(tasks)))
    return [LinkRow(*row) for row in session.execute(rows.order_by(task_link.c.created_at.desc(), task_link.c.id))]


def spend(session: Session, one: UUID, now: datetime) -> bool:
    """Use up a link that is open now; False for one that is not, also where another does it at this moment.

    Raises Conflict for one that is not as the register has it.
    """
    registry.confirm(session, vouched.LINK, str(one))
    still = (task_link.c.id == one, task_link.c.ended_at.is_(None), task_link.c.expires_at > now)
    done = update(task_link).where(*still).values(ended_at=now, used=True).returning(task_link.c.id)
    if session.execute(done).scalar() is None:
        return False
    registry.settle(session, vouched.LINK, str(one))
    return True


def withdraw(session: Session, one: UUID, unit: str, now: datetime) -> None:
    """Take back a link of a unit's that nobody has used."""
    still = (task_link.c.id == one, task_link.c.unit_code == unit, task_link.c.ended_at.is_(None))
    registry.remark(session, vouched.LINK, str(one))
    if session.execute(update(task_link).where(*still).values(ended_at=now).returning(task_link.c.id)).first():
        registry.settle(session, vouched.LINK, str(one))


def names(session: Session, ids: Sequence[UUID]) -> dict[str, str]:
    """Return in words who acted by these links: to whom they were given, and by whom."""
    rows = select(task_link.c.id, task_link.c.given_to, account.c.name).join(
        account, account.c.id == task_link.c.by_account
    )
    found = session.execute(rows.where(task_link.c.id.in_(list(ids)))) if ids else ()
    return {str(row[0]): f"{row[1]}（凭{row[2]}给的一次性链接）" for row in found}

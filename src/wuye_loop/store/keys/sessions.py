"""Sessions of people who signed in: found by the digest of a token that only the browser has, ended by either side."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from wuye_loop.ports import Ids
from wuye_loop.store import registry, vouched
from wuye_loop.store.keys.accounts import AccountRow
from wuye_loop.store.schema.account_tables import account, account_session


@dataclass(frozen=True, slots=True)
class SessionRow:
    """A session as it is stored, without its token."""

    id: UUID
    account_id: UUID
    address: str
    created_at: datetime
    seen_at: datetime
    expires_at: datetime
    ended_at: datetime | None


_COLUMNS = [account_session.c[name] for name in SessionRow.__slots__]
_OF_ACCOUNT = [account.c[name] for name in AccountRow.__slots__]


def begin(
    session: Session, account_id: UUID, digest: bytes, now: datetime, expires_at: datetime, address: str, ids: Ids
) -> UUID:
    """Begin a session and return its id."""
    session_id = ids.new()
    session.execute(
        insert(account_session).values(
            id=session_id, digest=digest, account_id=account_id, address=address,
            created_at=now, seen_at=now, expires_at=expires_at,
        )
    )  # fmt: skip
    registry.settle(session, vouched.SESSION, str(session_id))
    return session_id


def find(session: Session, digest: bytes, now: datetime, idle_since: datetime) -> tuple[SessionRow, AccountRow] | None:
    """Return a live session and whose it is: not ended, not expired, seen since `idle_since`, of an account in use."""
    found = session.execute(
        select(*_COLUMNS, *_OF_ACCOUNT)
        .join(account, account.c.id == account_session.c.account_id)
        .where(
            account_session.c.digest == digest, account_session.c.ended_at.is_(None), account.c.disabled_at.is_(None)
        )
        .where(account_session.c.expires_at > now, account_session.c.seen_at > idle_since)
    ).first()
    if found is None:
        return None
    return SessionRow(*found[: len(_COLUMNS)]), AccountRow(*found[len(_COLUMNS) :])


def touch(session: Session, session_id: UUID, now: datetime) -> None:
    """Note that a session is in use: once a minute at most, and in no register."""
    session.execute(update(account_session).where(account_session.c.id == session_id).values(seen_at=now))


def end(session: Session, account_id: UUID, now: datetime, *, only: UUID | None = None, but: UUID | None = None) -> int:
    """End the live sessions of an account, or one of them, or all but one; return how many."""
    live = select(account_session.c.id).where(
        account_session.c.account_id == account_id, account_session.c.ended_at.is_(None)
    )
    if only is not None:
        live = live.where(account_session.c.id == only)
    if but is not None:
        live = live.where(account_session.c.id != but)
    found = list(session.execute(live.order_by(account_session.c.id).with_for_update()).scalars())
    keys = [str(one) for one in found]
    registry.remark(session, vouched.SESSION, *keys)
    session.execute(update(account_session).where(account_session.c.id.in_(found)).values(ended_at=now))
    registry.settle(session, vouched.SESSION, *keys)
    return len(found)


def listed(session: Session, account_id: UUID, now: datetime) -> list[SessionRow]:
    """Return an account's sessions that have not ended or expired, the newest first."""
    wanted = select(*_COLUMNS).where(account_session.c.account_id == account_id, account_session.c.ended_at.is_(None))
    newest = wanted.where(account_session.c.expires_at > now).order_by(account_session.c.created_at.desc())
    return [SessionRow(*row) for row in session.execute(newest)]

"""Published workflows: the text of every version that a grievance may be pinned to, never changed again."""

from datetime import datetime
from hashlib import sha256
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from wuye_loop.domain.errors import Conflict
from wuye_loop.store.tables import workflow

_BUMP: Final = "UPDATE epoch SET workflows = workflows + 1"


def digest_of(text: str) -> str:
    """Return the hash by which a published text is known: SHA-256 of its UTF-8 bytes, in hex."""
    return sha256(text.encode()).hexdigest()


def publish(session: Session, workflow_id: str, text: str, now: datetime) -> bool:
    """Store a checked workflow's text under name@version and bump the workflow epoch; False when it is there already.

    Raises Conflict, with both hashes, when another text was published under this name and version.
    """
    digest = digest_of(text)
    fresh = insert(workflow).values(id=workflow_id, text=text, sha256=digest, published_at=now)
    if session.execute(fresh.on_conflict_do_nothing().returning(workflow.c.id)).scalar() is not None:
        session.connection().exec_driver_sql(_BUMP)
        return True
    stored = session.execute(select(workflow.c.sha256).where(workflow.c.id == workflow_id)).scalar_one()
    if stored != digest:
        raise Conflict(
            f"流程 {workflow_id} 已经发布，不能再改：已发布的 sha256 是 {stored}，现在的文件是 {digest}。请改版本号，另发一版。"
        )
    return False


def published(session: Session) -> dict[str, str]:
    """Return the text of every published workflow by name@version."""
    return {row.id: row.text for row in session.execute(select(workflow.c.id, workflow.c.text).order_by(workflow.c.id))}


def register(session: Session) -> list[Any]:
    """Return every published workflow: id, text, sha256, published_at."""
    columns = (workflow.c.id, workflow.c.text, workflow.c.sha256, workflow.c.published_at)
    return list(session.execute(select(*columns).order_by(workflow.c.id)))

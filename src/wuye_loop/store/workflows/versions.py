"""Published workflows: the text of every version that a grievance may be pinned to, never changed again."""

from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any, Final

from sqlalchemy import delete, select
from sqlalchemy import text as sql
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from wuye_loop.domain.errors import Conflict, NotFound
from wuye_loop.domain.rulefile.extends import sources
from wuye_loop.store import registry
from wuye_loop.store.schema.tables import workflow

_IN_USE: Final = sql("""
SELECT workflow, count(*) FILTER (WHERE NOT final) AS open, min(number) FILTER (WHERE NOT final) AS example,
       count(*) FILTER (WHERE final) AS closed
FROM grievance GROUP BY workflow
""")
_BUMP: Final = "UPDATE epoch SET workflows = workflows + 1"


def digest_of(text: str) -> str:
    """Return the hash by which a published text is known: SHA-256 of its UTF-8 bytes, in hex."""
    return sha256(text.encode()).hexdigest()


def publish(session: Session, workflow_id: str, text: str, now: datetime) -> bool:
    """Store a checked workflow's text under name@version and bump the workflow epoch; False when it is there already.

    The text is whole: a file that extends another has its base behind it (`extending.bundle`).
    Raises Conflict, with both hashes of each file that differs, when another text was published under this name and version.
    """
    digest = digest_of(text)
    fresh = insert(workflow).values(id=workflow_id, text=text, sha256=digest, published_at=now)
    if session.execute(fresh.on_conflict_do_nothing().returning(workflow.c.id)).scalar() is not None:
        session.connection().exec_driver_sql(_BUMP)
        registry.remark(session, registry.WORKFLOW, workflow_id, gone=True)
        registry.settle(session, registry.WORKFLOW, workflow_id)
        return True
    stored = session.execute(select(workflow.c.text).where(workflow.c.id == workflow_id)).scalar_one()
    if stored != text:
        raise Conflict(
            f"流程 {workflow_id} 已经发布，不能再改：{_changes(workflow_id, stored, text)}。请恢复文件，或改版本号另发一版。"
        )
    return False


def _changes(workflow_id: str, stored: str, present: str) -> str:
    """Name each file that differs from what was published, with its hash then and now."""
    file = f"{workflow_id}.yaml"
    was, now = sources(stored, file), sources(present, file)
    return "；".join(
        f"{name} 已发布的 sha256 是 {was.get(name, '无')}，现在的文件是 {now.get(name, '无')}"
        for name in dict.fromkeys((*was, *now))
        if was.get(name) != now.get(name)
    )


def names(session: Session) -> list[str]:
    """Return every published name@version, in order."""
    return list(session.execute(select(workflow.c.id).order_by(workflow.c.id)).scalars())


def published(session: Session) -> dict[str, str]:
    """Return the text of every published workflow by name@version."""
    return {row.id: row.text for row in session.execute(select(workflow.c.id, workflow.c.text).order_by(workflow.c.id))}


def register(session: Session) -> list[Any]:
    """Return every published workflow: id, text, sha256, published_at."""
    columns = (workflow.c.id, workflow.c.text, workflow.c.sha256, workflow.c.published_at)
    return list(session.execute(select(*columns).order_by(workflow.c.id)))


@dataclass(frozen=True, slots=True)
class Use:
    """Who goes by a version: how many open grievances and one of them, how many closed."""

    open: int = 0
    example: str | None = None
    closed: int = 0


_LEFT = """
SELECT count(DISTINCT l.grievance_id), min(g.number) FROM ledger l JOIN grievance g ON g.id = l.grievance_id
WHERE l.action = 'migrate' AND l.facts->>'from' = %(id)s
"""


def in_use(session: Session) -> dict[str, Use]:
    """Return by whom each version is used, by its name@version; those that nobody uses are left out."""
    return {row.workflow: Use(row.open, row.example, row.closed) for row in session.execute(_IN_USE)}


def remove(session: Session, workflow_id: str) -> None:
    """Take back a published version that nothing goes by, and bump the workflow epoch.

    Raises NotFound; and Conflict, with the count and an example, while open grievances use it, or closed ones and those
    that migrated from it need it to be read.
    """
    # New grievances wait until this is decided, so that none is pinned to what is gone.
    session.connection().exec_driver_sql("LOCK TABLE grievance IN SHARE MODE")
    use = in_use(session).get(workflow_id, Use())
    if use.open:
        raise Conflict(
            f"{use.open} 件在办诉求按 {workflow_id} 办理，如 {use.example}：不能删除，可先用 migrate 迁到别的版本"
        )
    if use.closed:
        raise Conflict(f"{use.closed} 件已归档的诉求按 {workflow_id} 办过，查阅和重办都要用到它：不能删除")
    left, example = session.connection().exec_driver_sql(_LEFT, {"id": workflow_id}).one()
    if left:
        raise Conflict(
            f"{left} 件诉求曾按 {workflow_id} 办理，后来迁到别的版本，如 {example}：查阅它们的经过要用到它，不能删除"
        )
    registry.remark(session, registry.WORKFLOW, workflow_id)
    if session.execute(delete(workflow).where(workflow.c.id == workflow_id).returning(workflow.c.id)).first() is None:
        raise NotFound(f"没有发布过 {workflow_id}")
    session.connection().exec_driver_sql(_BUMP)
    registry.settle(session, registry.WORKFLOW, workflow_id)

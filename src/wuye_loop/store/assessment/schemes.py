"""Published schemes: the text of every version, never changed again."""

from datetime import datetime
from hashlib import sha256

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import distinct_on, insert
from sqlalchemy.orm import Session

from wuye_loop.domain.assessment.opening import parse_scheme
from wuye_loop.domain.assessment.scheme import Scheme
from wuye_loop.domain.errors import Conflict, NotFound
from wuye_loop.store import registry, vouched
from wuye_loop.store.schema.assessment_tables import scheme


def publish(session: Session, checked: Scheme, text: str, now: datetime) -> bool:
    """Store a checked scheme's whole text under name@version; False when it is there already.

    Raises Conflict when another text was published under this name and version.
    """
    row = {"id": checked.id, "name": checked.name, "version": checked.version, "text": text}
    digest = sha256(text.encode()).hexdigest()
    fresh = insert(scheme).values(**row, sha256=digest, published_at=now).on_conflict_do_nothing()
    if session.execute(fresh.returning(scheme.c.id)).scalar() is not None:
        registry.remark(session, vouched.SCHEME, checked.id, gone=True)
        registry.settle(session, vouched.SCHEME, checked.id)
        return True
    if session.execute(select(scheme.c.text).where(scheme.c.id == checked.id)).scalar_one() != text:
        raise Conflict(f"考核办法 {checked.id} 已经发布，不能再改：请恢复文件，或改版本号另发一版")
    return False


def texts(session: Session) -> dict[str, str]:
    """Return the text of every published scheme by name@version."""
    rows = session.execute(select(scheme.c.id, scheme.c.text).order_by(scheme.c.name, scheme.c.version))
    return {row.id: row.text for row in rows}


def named(session: Session, which: str) -> Scheme:
    """Return a published scheme by name@version, or the newest of a name. Raises NotFound."""
    chosen = select(scheme.c.id, scheme.c.text).order_by(scheme.c.version.desc()).limit(1)
    column = scheme.c.id if "@" in which else scheme.c.name
    row = session.execute(chosen.where(column == which)).first()
    if row is None:
        raise NotFound("没有发布过这个考核办法")
    return parse_scheme(row.text, f"{row.id}.yaml")


def newest(session: Session) -> list[tuple[Scheme, datetime]]:
    """Return the newest version of every scheme, and when the first version of its name was published."""
    first = func.min(scheme.c.published_at).over(partition_by=scheme.c.name).label("first")
    rows = select(scheme.c.id, scheme.c.text, first).ext(distinct_on(scheme.c.name))
    found = session.execute(rows.order_by(scheme.c.name, scheme.c.version.desc()))
    return [(parse_scheme(row.text, f"{row.id}.yaml"), row.first) for row in found]

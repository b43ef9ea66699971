"""Learned models: every one that was published, and which of them suggests now. None is ever changed or lost."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from wuye_loop.domain.errors import Conflict, NotFound
from wuye_loop.domain.suggesting.model import Model
from wuye_loop.store import registry, vouched
from wuye_loop.store.schema.tables import learned_model

_BUMP: Final = "UPDATE epoch SET workflows = workflows + 1"
_LATEST: Final = text("SELECT file FROM learned_model WHERE chosen_at IS NOT NULL ORDER BY chosen_at DESC, id LIMIT 1")
_DECIDED: Final = text("""
SELECT g.number, g.title, g.body, g.category, g.received_at, g.estate_code, g.area_path,
  CASE WHEN g.lead_unit = e.company_code THEN 'company' ELSE g.lead_unit END AS unit
FROM grievance g LEFT JOIN estate e ON e.code = g.estate_code
WHERE g.category IS NOT NULL AND g.lead_unit IS NOT NULL AND g.received_at >= :since ORDER BY g.received_at, g.number
""")


@dataclass(frozen=True, slots=True)
class Decided:
    """A grievance whose category the desk let stand or set, and the unit that it came to rest with after all returns.

    Its texts are struck of identities; `unit` is `company` where it is whoever runs the estate.
    """

    number: str
    title: str
    body: str
    category: str
    received_at: datetime
    unit: str
    estate: str | None
    area_path: str


def publish(session: Session, model_id: str, file: bytes, now: datetime) -> bool:
    """Store a model under name@version; False when the same is there already. It is not in use before it is chosen.

    Raises Conflict when another was published under this name and version, ModelProblem for what is no model.
    """
    digest = Model.read(file).digest
    fresh = insert(learned_model).values(id=model_id, file=file, sha256=digest, published_at=now)
    if session.execute(fresh.on_conflict_do_nothing().returning(learned_model.c.id)).scalar() is not None:
        registry.remark(session, vouched.MODEL, model_id, gone=True)
        registry.settle(session, vouched.MODEL, model_id)
        return True
    stored = session.execute(select(learned_model.c.sha256).where(learned_model.c.id == model_id)).scalar_one()
    if stored != digest:
        raise Conflict(f"模型 {model_id} 已经发布过，内容不同（sha256 {stored[:12]}）：请换一个版本号")
    return False


def choose(session: Session, model_id: str, now: datetime) -> None:
    """Let a published model suggest from now on. Raises NotFound, and Conflict for one that is not as it was published."""
    registry.confirm(session, vouched.MODEL, model_id)
    chosen = update(learned_model).where(learned_model.c.id == model_id).values(chosen_at=now)
    if session.execute(chosen.returning(learned_model.c.id)).scalar() is None:
        raise NotFound(f"没有发布过模型 {model_id}")
    registry.settle(session, vouched.MODEL, model_id)
    session.connection().exec_driver_sql(_BUMP)


def stop(session: Session) -> None:
    """Let no model suggest: the words of the workflow alone do."""
    chosen = learned_model.c.chosen_at.is_not(None)
    found = list(session.execute(select(learned_model.c.id).where(chosen).with_for_update()).scalars())
    registry.remark(session, vouched.MODEL, *found)
    session.execute(update(learned_model).where(learned_model.c.id.in_(found)).values(chosen_at=None))
    registry.settle(session, vouched.MODEL, *found)
    session.connection().exec_driver_sql(_BUMP)


def in_use(session: Session) -> Model | None:
    """Return the model that suggests now, if any does."""
    file = session.execute(_LATEST).scalar()
    return Model.read(bytes(file)) if file is not None else None


def register(session: Session) -> list[Any]:
    """Return every published model: id, sha256, published_at, chosen_at; the one in use first."""
    columns = (learned_model.c.id, learned_model.c.sha256, learned_model.c.published_at, learned_model.c.chosen_at)
    order = (learned_model.c.chosen_at.desc().nulls_last(), learned_model.c.id)
    return list(session.execute(select(*columns).order_by(*order)))


def decided(session: Session, since: datetime) -> Iterator[Decided]:
    """Yield what was decided about every grievance since then that has reached a unit, the earliest first."""
    for row in session.execute(_DECIDED, {"since": since}):
        yield Decided(
            row.number, row.title, row.body, row.category, row.received_at, row.unit, row.estate_code, row.area_path
        )

"""Changes of keys: `write` is the only function that changes a row of api_key, and it enters it in the register."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import insert, update
from sqlalchemy.orm import Session

from wuye_loop.store import registry, vouched
from wuye_loop.store.schema.tables import api_key

What = Literal["made", "rotated", "ended", "named"]


@dataclass(frozen=True, slots=True)
class KeyChange:
    """One change of one key: what happened, by whom (`{key}`, `{key, approval}`, `{terminal}`), the columns that it sets."""

    what: What
    key_id: UUID
    at: datetime
    by: Mapping[str, Any]
    values: Mapping[str, Any]


def write(session: Session, change: KeyChange) -> None:
    """Make or change one key; whoever changes one has locked its row before.

    Raises Conflict for one that is not as the register has it; it can be ended all the same, and the register says so.
    """
    key = str(change.key_id)
    if change.what == "ended":
        registry.remark(session, registry.KEY, key)
    elif change.what != "made":
        registry.confirm(session, registry.KEY, key)
    if change.what != "made":
        registry.remark(session, vouched.ORIGIN, key)
    if change.what == "made":
        session.execute(insert(api_key).values(id=change.key_id, made_by=dict(change.by), **change.values))
    else:
        session.execute(update(api_key).where(api_key.c.id == change.key_id).values(**change.values))
    registry.settle(session, registry.KEY, key)
    registry.settle(session, vouched.ORIGIN, key)

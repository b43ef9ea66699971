"""Who looked at whom: the ledger's `reveal` rows, by time, key and mark. The rows themselves are the register."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from wuye_loop.domain.grievance.situation import Actor
from wuye_loop.store.pages import Page, cut
from wuye_loop.store.visibility import visible

_COUNT = """
SELECT count(*) FILTER (WHERE at >= %(day)s) AS today, count(*) FILTER (WHERE at > %(window)s) AS recent,
       count(*) FILTER (WHERE at > %(window)s AND facts ->> 'alarm' IS NOT NULL) AS alarms
FROM ledger WHERE action = 'reveal' AND at >= least(%(day)s, %(window)s) AND actor ->> 'key' = ANY(%(keys)s)
"""
_REVEALS = """
SELECT l.at, l.grievance_id, l.seq, l.facts, l.actor, g.number, k.id AS key_id, k.prefix, k.holder, k.role, k.unit_code
FROM ledger l JOIN grievance g ON g.id = l.grievance_id LEFT JOIN api_key k ON k.id::text = l.actor ->> 'key'
WHERE l.action = 'reveal' AND {conditions}
ORDER BY l.at DESC, l.grievance_id DESC, l.seq DESC LIMIT %(limit)s
"""
_CONDITIONS = {
    "since": "l.at >= %(since)s",
    "until": "l.at < %(until)s",
    "keys": "l.actor ->> 'key' = ANY(%(keys)s)",
    "unit": "l.actor ->> 'unit' = %(unit)s",
    "watermark": "l.facts ->> 'watermark' = %(watermark)s",
}

After = tuple[datetime, UUID, int]


@dataclass(frozen=True, slots=True)
class RevealFilters:
    """What the list is narrowed by; None narrows nothing. `since` is in, `until` out; `keys` are ids as text."""

    since: datetime | None = None
    until: datetime | None = None
    keys: Collection[str] | None = None
    unit: str | None = None
    watermark: str | None = None


@dataclass(frozen=True, slots=True)
class RevealCount:
    """How often some keys opened an identity: today, within the window, and how often that raised the alarm."""

    today: int
    recent: int
    alarms: int


def count(session: Session, keys: Collection[UUID], day: datetime, window: datetime) -> RevealCount:
    """Count what these keys opened since the day began and since the window did; exact for who holds their locks."""
    params = {"keys": [str(key) for key in keys], "day": day, "window": window}
    row = session.connection().exec_driver_sql(_COUNT, params).one()
    return RevealCount(row.today, row.recent, row.alarms)


def listed(session: Session, actor: Actor, filters: RevealFilters, after: After | None, limit: int) -> Page[Any]:
    """Return a page of the openings within the reader's jurisdiction, the newest first."""
    predicate, params = visible(actor)
    conditions = [predicate]
    for name, condition in _CONDITIONS.items():
        value = getattr(filters, name)
        if value is not None:
            conditions.append(condition)
            params[name] = list(value) if name == "keys" else value
    if after is not None:
        conditions.append("(l.at, l.grievance_id, l.seq) < (%(at)s, %(grievance)s, %(seq)s)")
        params |= {"at": after[0], "grievance": after[1], "seq": after[2]}
    statement = _REVEALS.format(conditions=" AND ".join(conditions))
    rows = session.connection().exec_driver_sql(statement, params | {"limit": limit + 1}).all()
    return cut(rows, limit, lambda row: (row.at, row.grievance_id, row.seq))

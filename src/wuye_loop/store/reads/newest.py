"""The newest grievances of a list, found in order by an index over what is kept of each: a step writes none of it.

What is kept is right for all that has not changed since it was folded (store/tallying); what has is looked at as it is.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from math import ceil
from typing import Any, Final, NamedTuple
from uuid import UUID

from sqlalchemy.orm import Session

from wuye_loop.domain.grievance.situation import Actor
from wuye_loop.domain.terms import ActorKind
from wuye_loop.store.reach import beyond
from wuye_loop.store.reads import labels
from wuye_loop.store.visibility import subtree, visible

#: What may be asked of what is kept, by its name among the filters of a list; and what many have, so that a walk meets it.
_KEPT: Final = {
    "state": "split_part(t.state, E'\\t', 2) = %(state)s",
    "stage": "split_part(t.state, E'\\t', 1) = %(stage)s",
    "category": "t.category = %(category)s",
    "final": "((t.counts & 1) = 0) = %(final)s",
    "late_at": "t.due_at < %(late_at)s",
    "due_from": "t.due_at >= %(due_from)s",
    "due_by": "t.due_at <= %(due_by)s",
    "since": "t.received_at >= %(since)s",
    "until": "t.received_at < %(until)s",
}
_BY_DUE: Final = {"late_at", "due_from", "due_by"}
_CHANGED: Final = "changed AS MATERIALIZED (SELECT DISTINCT c.grievance_id AS id FROM change c WHERE c.tx >= %(upto)s)"
_WALKED: Final = f"""
WITH {_CHANGED}
(SELECT t.grievance_id AS id, t.received_at FROM {{kept}}
 ORDER BY t.received_at DESC, t.grievance_id DESC LIMIT %(limit)s)
UNION ALL
(SELECT g.id, g.received_at FROM changed c CROSS JOIN LATERAL (SELECT * FROM grievance o WHERE o.id = c.id OFFSET 0) g
 WHERE {{conditions}} ORDER BY g.received_at DESC, g.id DESC LIMIT %(limit)s)
"""
_UNCHANGED: Final = "t.grievance_id NOT IN (SELECT id FROM changed)"
_IN_ORDER: Final = f"tallied t WHERE {{kept}} AND t.received_at >= %(floor)s AND {_UNCHANGED}"
# Not in the order of the list, but by area among those that are open. OFFSET 0: sorted afterwards.
_OPEN: Final = f"""
(SELECT t.grievance_id, t.received_at FROM tallied t WHERE {{kept}} AND t.due_at IS NOT NULL AND {_UNCHANGED} OFFSET 0) t
"""
_MARKS: Final = "marks(t.units, t.category, t.state, t.due_at)"
# What a unit has that is rare: by it and what else is asked, each rare or not.
_MARKED: Final = f"""
(SELECT t.grievance_id, t.received_at FROM tallied t
 WHERE ({_MARKS} @> %(marks)s::text[] OR {_MARKS} @> %(untold)s::text[]) AND {{kept}} AND {_UNCHANGED} OFFSET 0) t
"""
_FARTHEST: Final = 20  # times the span that is walked first
_TILL_DUE: Final = 4  # where none of the newest is late yet
_BEGINNING: Final = datetime.min.replace(tzinfo=UTC)
_SPARE: Final = 1.5  # how much farther than expected: what comes seldom does not come evenly


class Stretch(NamedTuple):
    """The newest of a list, so many at most, and whether they are a page: as many as were asked for, or all that there are."""

    ids: list[UUID]
    is_page: bool


class Walk:
    """One list, walked from the newest on.

    `conditions` are those of the list over `grievance AS g`, with their parameters, among them the key `at`, `after` after
    which a page begins; `asked` the filters that are set, by name.
    """

    def __init__(self, actor: Actor, asked: Mapping[str, Any], conditions: str, params: Mapping[str, Any]) -> None:
        """Say what is asked of what is kept."""
        kept = [_seen(actor), subtree(asked.get("area_path", ""), "t", "f")[0]]
        kept = [one for one in kept if one != "TRUE"]
        self._of_area = bool(kept) and actor.kind is not ActorKind.UNIT
        kept += [_KEPT[name] for name in asked if name in _KEPT]
        #: Is it narrowed, by what is kept alone, and is that what this reader sees?
        self.serves = (
            bool(kept)
            and set(asked) <= {*_KEPT, "area_path"}
            and actor.kind not in (ActorKind.HOTLINE, ActorKind.SECURITY)
        )
        self._by_due = not _BY_DUE.isdisjoint(asked)
        self._among_open = self._by_due and actor.kind is not ActorKind.UNIT
        self._marks = _marks(asked, by_due=self._by_due) if actor.kind is ActorKind.UNIT else []
        self._unit = actor.unit or ""
        if "at" in params:
            kept.append("(t.received_at, t.grievance_id) < (%(at)s, %(after)s)")
        self._conditions, self._params = conditions, params
        self._kept = " AND ".join(kept)

    def found(self, session: Session, limit: int, upto: int, newest: datetime, recent: datetime) -> Stretch:
        """Return the newest of the list, a page of so many where they can be found at little cost.

        First over the span in which the newest few thousand came in; then as far as it will take, going by what was found.
        """
        # The fence would look up the grievance of each that is passed by. What is found passes it afterwards.
        with beyond(session):
            return self._found(session, limit, upto, newest, recent)

    def _found(self, session: Session, limit: int, upto: int, newest: datetime, recent: datetime) -> Stretch:
        span = newest - recent
        start = self._params.get("at", newest)
        more = {"upto": upto, "limit": limit, "floor": back(start, span)}
        rows = self._walked(session, more)
        if len(rows) >= limit:
            return _first(rows, limit)
        times = ceil(_SPARE * limit / len(rows)) if rows else _FARTHEST + 1
        if times > _FARTHEST and self._by_due and not self._of_area:
            times = _TILL_DUE
        if times <= _FARTHEST:
            rows = self._walked(session, more | {"floor": back(start, span * times)})
            if len(rows) >= limit:
                return _first(rows, limit)
        if self._among_open:
            return _first(self._read(session, _OPEN, self._conditions, more), limit)
        if self._marks:
            more |= {"marks": [self._unit, *self._marks], "untold": [labels.UNTOLD, *self._marks]}
            return _first(self._read(session, _MARKED, self._conditions, more), limit)
        return Stretch([], is_page=False)

    def _walked(self, session: Session, more: Mapping[str, Any]) -> list[Any]:
        return self._read(session, _IN_ORDER, f"{self._conditions} AND g.received_at >= %(floor)s", more)

    def _read(self, session: Session, kept: str, conditions: str, more: Mapping[str, Any]) -> list[Any]:
        statement = _WALKED.format(kept=kept.format(kept=self._kept), conditions=conditions)
        return list(session.connection().exec_driver_sql(statement, {**self._params, **more}).all())


def back(start: datetime, span: timedelta) -> datetime:
    """Return the instant so long before; the first there is where there is none: a page's key is what a client sends."""
    try:
        return start - span
    except OverflowError:
        return _BEGINNING


def _first(rows: list[Any], limit: int) -> Stretch:
    newest = sorted(rows, key=lambda row: (row.received_at, row.id), reverse=True)[:limit]
    return Stretch([row.id for row in newest], is_page=True)


def _marks(asked: Mapping[str, Any], *, by_due: bool) -> list[str]:
    """Return what is asked besides the unit that a mark stands for."""
    signs = {"category": labels.CATEGORY, "stage": labels.STAGE}
    return [sign + asked[name] for name, sign in signs.items() if name in asked] + [labels.DUE] * by_due


def _seen(actor: Actor) -> str:
    """Return the predicate of what the actor sees, over what is kept. Units that are too many are not kept."""
    predicate, _ = visible(actor, "t")
    return f"(t.units IS NULL OR {predicate})" if actor.kind is ActorKind.UNIT else predicate

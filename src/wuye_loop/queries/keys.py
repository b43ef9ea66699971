"""Keys and what was asked of a second person, as those read them who keep the keys or audit: names, never secrets."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from wuye_loop.domain.directory.directory import Directory
from wuye_loop.domain.grievance.situation import Actor
from wuye_loop.domain.privacy.access.holders import UNNAMED
from wuye_loop.domain.time.timestamps import as_text
from wuye_loop.store.keys import api_keys, approvals
from wuye_loop.store.keys.api_keys import KeyFilters, KeyRow
from wuye_loop.store.keys.approvals import Approval, ApprovalState
from wuye_loop.store.pages import Page
from wuye_loop.store.reference_cache import Reference

Who = Mapping[UUID, KeyRow]


def listed(
    reference: Reference,
    session: Session,
    actor: Actor,
    filters: KeyFilters,
    after: tuple[datetime, UUID] | None,
    limit: int,
    now: datetime,
) -> Page[dict[str, Any]]:
    """Return a page of the keys within the reader's jurisdiction, the newest first."""
    reference.refresh(session)
    page = api_keys.page(session, actor.area_path, filters, after, limit)
    who = _who(session, [by for row in page.items for by in (row.made_by, row.ended_by)])
    return page.map(lambda row: key_view(reference.directory, row, who, now))


def one(reference: Reference, session: Session, key_id: UUID, now: datetime) -> dict[str, Any]:
    """Return one key as the list shows it. Raises KeyError for an unknown one."""
    reference.refresh(session)
    row = api_keys.by_id(session, key_id)
    if row is None:
        raise KeyError(key_id)
    who = _who(session, [row.made_by, row.ended_by])
    return key_view(reference.directory, row, who, now)


def key_view(directory: Directory, row: KeyRow, who: Who, now: datetime) -> dict[str, Any]:
    """Return a key: what it may, who holds it, who made and ended it, when it was last used."""
    return {
        "id": str(row.id),
        "prefix": row.prefix,
        "role": row.role,
        "unit": row.unit_code,
        "unit_name": directory.name_of(row.unit_code),
        "area": row.area_code,
        "source": row.source,
        "scopes": list(row.scopes),
        "holder": row.holder or UNNAMED,
        "live": row.live(now),
        "made_at": as_text(row.created_at),
        "made_by": _by(row.made_by, who),
        "last_used_at": _maybe(row.last_used_at),
        "expires_at": _maybe(row.expires_at),
        "revoked_at": _maybe(row.revoked_at),
        "ended_by": _by(row.ended_by, who),
        "family": str(row.family),
    }


def holder_view(row: KeyRow | None) -> dict[str, Any] | None:
    """Return how a key is named where it did something."""
    if row is None:
        return None
    return {
        "id": str(row.id),
        "prefix": row.prefix,
        "holder": row.holder or UNNAMED,
        "role": row.role,
        "unit": row.unit_code,
    }


def requests(
    session: Session,
    asked_by: UUID | None,
    state: ApprovalState | None,
    after: tuple[datetime, UUID] | None,
    limit: int,
) -> Page[dict[str, Any]]:
    """Return a page of what was asked of a second person, the newest first; of one key, or everybody's."""
    page = approvals.listed(session, asked_by, state, after, limit)
    who = _rows(session, {key for row in page.items for key in (row.asked_by, row.decided_by) if key})
    return page.map(lambda row: _request_view(row, who))


def request_view(session: Session, row: Approval) -> dict[str, Any]:
    """Return one request as the list shows it."""
    return _request_view(row, _rows(session, {key for key in (row.asked_by, row.decided_by) if key}))


def _request_view(row: Approval, who: Who) -> dict[str, Any]:
    return {
        "id": str(row.id),
        "kind": row.kind,
        "state": row.state,
        "wanted": dict(row.wanted),
        "reason": row.reason,
        "asked_by": holder_view(who.get(row.asked_by)),
        "asked_at": as_text(row.asked_at),
        "decided_by": holder_view(who.get(row.decided_by)) if row.decided_by else None,
        "decided_at": _maybe(row.decided_at),
        "note": row.note,
        "key": str(row.key_id) if row.key_id else None,
    }


def _who(session: Session, marks: list[Mapping[str, Any]]) -> Who:
    return _rows(session, {UUID(mark["key"]) for mark in marks if mark.get("key")})


def _rows(session: Session, ids: set[UUID]) -> Who:
    return {row.id: row for row in api_keys.by_ids(session, ids)}


def _by(mark: Mapping[str, Any], who: Who) -> dict[str, Any] | None:
    """Return who did it: a key's holder, or whoever sat at a terminal; None where nobody wrote it down."""
    if not mark:
        return None
    if "key" not in mark:
        return dict(mark)
    row = who.get(UUID(mark["key"]))
    return {**mark, "holder": (row.holder if row else None) or UNNAMED}


def _maybe(at: datetime | None) -> str | None:
    return as_text(at) if at is not None else None

"""API keys in the database: made, found by digest, revoked. The key itself is shown once and never stored."""

import base64
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import DateTime, LargeBinary, bindparam, insert, or_, select, update
from sqlalchemy.orm import Session

from wuye_loop.domain.errors import BadInput
from wuye_loop.domain.grievance.situation import Actor
from wuye_loop.domain.privacy import api_keys
from wuye_loop.domain.terms import ActorKind
from wuye_loop.ports import Ids
from wuye_loop.store import registry
from wuye_loop.store.schema import tables
from wuye_loop.store.schema.tables import api_key

REVEAL: Final = "identity:reveal"
ROLES: Final = tuple(kind for kind in ActorKind if kind is not ActorKind.SYSTEM)
SCOPES: Final = {
    ActorKind.HOTLINE: ("intake", "act", REVEAL),
    ActorKind.UNIT: ("act",),
    ActorKind.SUPERVISOR: ("act", "supervise"),
    ActorKind.ADMIN: ("admin", "act"),
    ActorKind.AUDITOR: ("read",),
}
_EVERY_SCOPE: Final = frozenset(scope for scopes in SCOPES.values() for scope in scopes)
_DEFAULT_SOURCE: Final = "12345"
_SECRET_BYTES: Final = 32
_MOST_DAYS: Final = 3660


@dataclass(frozen=True, slots=True)
class KeyRow:
    """What is known of a key; `prefix` is its beginning, by which people tell keys apart."""

    id: UUID
    prefix: str
    role: str
    unit_code: str | None
    area_code: str | None
    area_path: str | None
    source: str | None
    scopes: Sequence[str]
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None


def create(
    session: Session,
    *,
    role: str,
    now: datetime,
    ids: Ids,
    unit: str | None = None,
    area: str | None = None,
    days: int | None = None,
    scopes: Iterable[str] | None = None,
    reveal: bool = False,
    source: str | None = None,
) -> str:
    """Make a key and return its text, which nobody can read again; without `days` it does not expire.

    Scopes are the role's own (SCOPES) unless given; `reveal` adds the right to see a complainant's identity with a
    reason. A hotline's source, whose external ids it uses, is the given one, else its unit, else 12345.
    Raises BadInput for an unknown role, unit, area or scope, a unit key without its unit, a company that would see identities.
    """
    kind = _role(role)
    if days is not None and not 1 <= days <= _MOST_DAYS:
        raise BadInput(f"有效期应为 1 至 {_MOST_DAYS} 天")
    of_company = _unit_kind(session, unit, required=kind is ActorKind.UNIT) == "company"
    granted = set(SCOPES[kind] if scopes is None else scopes) | ({REVEAL} if reveal else set())
    if not granted <= _EVERY_SCOPE:
        raise BadInput(f"没有这种权限，可用：{'、'.join(sorted(_EVERY_SCOPE))}")
    if of_company and REVEAL in granted:
        raise BadInput("物业企业的密钥不能查看诉求人身份")
    token = ids.token(_SECRET_BYTES)
    key = api_keys.mint(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
    key_id = ids.new()
    session.execute(
        insert(api_key).values(
            id=key_id,
            digest=api_keys.digest(key),
            prefix=api_keys.prefix(key),
            role=kind.value,
            unit_code=unit,
            area_code=area,
            area_path=_area_path(session, area),
            source=(source or unit or _DEFAULT_SOURCE) if kind is ActorKind.HOTLINE else None,
            scopes=sorted(granted),
            created_at=now,
            expires_at=None if days is None else now + timedelta(days=days),
        )
    )
    registry.settle(session, registry.KEY, str(key_id))
    return key


def revoke(session: Session, prefix_or_key: str, now: datetime) -> int:
    """Revoke the key, or the keys with exactly this prefix, and return how many; those revoked before do not count."""
    if api_keys.well_formed(prefix_or_key):
        wanted = api_key.c.digest == api_keys.digest(prefix_or_key)
    else:
        wanted = api_key.c.prefix == prefix_or_key
    live = update(api_key).where(wanted, api_key.c.revoked_at.is_(None)).values(revoked_at=now).returning(api_key.c.id)
    revoked = [str(row.id) for row in session.execute(live)]
    registry.settle(session, registry.KEY, *revoked)
    return len(revoked)


def find(session: Session, digest: bytes, now: datetime) -> KeyRow | None:
    """Return the key with this digest unless it is expired, revoked, or of a unit that is no longer active: one query."""
    row = session.execute(_FIND, {"digest": digest, "now": now}).first()
    return _key(row) if row is not None else None


def listed(session: Session) -> list[KeyRow]:
    """Return every key, the newest first."""
    return [_key(row) for row in session.execute(_SELECT.order_by(api_key.c.created_at.desc(), api_key.c.id.desc()))]


def actor_of(row: KeyRow) -> Actor:
    """Return who acts when this key does; no area is every area."""
    return Actor(ActorKind(row.role), row.unit_code, row.area_path or "", row.id, row.source, frozenset(row.scopes))


_SELECT = select(
    api_key.c.id, api_key.c.prefix, api_key.c.role, api_key.c.unit_code, api_key.c.area_code, api_key.c.area_path,
    api_key.c.source, api_key.c.scopes, api_key.c.created_at, api_key.c.expires_at, api_key.c.revoked_at,
)  # fmt: skip
_FIND = (
    _SELECT.outerjoin_from(api_key, tables.unit, tables.unit.c.code == api_key.c.unit_code)
    .where(api_key.c.digest == bindparam("digest", type_=LargeBinary))
    .where(api_key.c.revoked_at.is_(None))
    .where(or_(api_key.c.expires_at.is_(None), api_key.c.expires_at > bindparam("now", type_=DateTime(timezone=True))))
    .where(or_(api_key.c.unit_code.is_(None), tables.unit.c.active))
)


def _key(row: Sequence[Any]) -> KeyRow:
    return KeyRow(*row)


def _role(role: str) -> ActorKind:
    if role not in {kind.value for kind in ROLES}:
        raise BadInput(f"没有这种角色，可用：{'、'.join(kind.value for kind in ROLES)}")
    return ActorKind(role)


def _unit_kind(session: Session, code: str | None, *, required: bool) -> str | None:
    """Return the kind of an active unit; None when none is named."""
    if code is None:
        if required:
            raise BadInput("单位密钥要写明是哪个单位")
        return None
    unit = tables.unit.c
    kind: str | None = session.execute(select(unit.kind).where(unit.code == code, unit.active)).scalar()
    if kind is None:
        raise BadInput("没有这个单位，或它已停用")
    return kind


def _area_path(session: Session, code: str | None) -> str | None:
    if code is None:
        return None
    path: str | None = session.execute(select(tables.area.c.path).where(tables.area.c.code == code)).scalar()
    if path is None:
        raise BadInput("没有这个属地")
    return path

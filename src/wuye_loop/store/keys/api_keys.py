"""API keys in the database: made, rotated, found by digest, ended. The key itself is shown once and never stored."""

import base64
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, DateTime, LargeBinary, Uuid, bindparam, false, or_, select, tuple_
from sqlalchemy.orm import Session

from wuye_loop.domain.errors import BadInput, BadValue, Conflict
from wuye_loop.domain.grievance.situation import Actor
from wuye_loop.domain.privacy.access import api_keys, holders, key_rules
from wuye_loop.domain.privacy.access.key_rules import REVEAL, SCOPES
from wuye_loop.domain.terms import ActorKind
from wuye_loop.ports import Ids
from wuye_loop.store.keys import register
from wuye_loop.store.keys.register import KeyChange
from wuye_loop.store.pages import Page, cut
from wuye_loop.store.schema import tables
from wuye_loop.store.schema.tables import api_key, key_use

ROLES: Final = tuple(SCOPES)
UNKNOWN: Final[Mapping[str, Any]] = MappingProxyType({})  # who made a key before it was written down
LONGEST_OVERLAP: Final = timedelta(days=30)
_EVERY_SCOPE: Final = frozenset(scope for scopes in SCOPES.values() for scope in scopes)
DEFAULT_SOURCE: Final = "12345"
_SECRET_BYTES: Final = 32
_MOST_DAYS: Final = 3660


@dataclass(frozen=True, slots=True)
class KeyRow:
    """What is known of a key; `prefix` is its beginning, by which people tell keys apart; no holder is 未具名."""

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
    holder: str | None
    family: UUID
    made_by: Mapping[str, Any]
    ended_by: Mapping[str, Any]
    last_used_at: datetime | None

    def live(self, now: datetime) -> bool:
        """Say whether the key is neither revoked nor expired."""
        return self.revoked_at is None and (self.expires_at is None or self.expires_at > now)


@dataclass(frozen=True, slots=True)
class MadeKey:
    """A key that was made: its text, which nobody can read again, and its id."""

    text: str
    id: UUID


@dataclass(frozen=True, slots=True)
class KeyFilters:
    """What a list of keys is narrowed by; None narrows nothing."""

    holder: str | None = None
    unit: str | None = None
    role: str | None = None


@dataclass(frozen=True, slots=True)
class KeyWish:
    """What key is wanted; `reveal` None is what the role comes with."""

    role: str
    unit: str | None = None
    area: str | None = None
    source: str | None = None
    days: int | None = None
    reveal: bool | None = None
    holder: str | None = None


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
    reveal: bool | None = None,
    source: str | None = None,
    holder: str | None = None,
    by: Mapping[str, Any] = UNKNOWN,
) -> str:
    """Make a key and return its text, which nobody can read again; see `make`. `scopes` replaces the role's own."""
    return make(session, KeyWish(role, unit, area, source, days, reveal, holder), now, ids, by, scopes=scopes).text


def make(
    session: Session,
    wish: KeyWish,
    now: datetime,
    ids: Ids,
    by: Mapping[str, Any] = UNKNOWN,
    *,
    scopes: Iterable[str] | None = None,
) -> MadeKey:
    """Make a key; without `days` it does not expire.

    Scopes are the role's own (SCOPES), with or without the right to see a complainant's identity as `reveal` says. A
    hotline's source, whose external ids it uses, is the given one, else its unit, else 12345.
    Raises BadInput, in words, for whatever does not fit together: see domain/privacy/key_rules.
    """
    kind, granted = checked(session, wish, scopes)
    return _insert(
        session,
        {
            "role": kind.value,
            "unit_code": wish.unit,
            "area_code": wish.area,
            "area_path": area_path(session, wish.area),
            "source": (wish.source or wish.unit or DEFAULT_SOURCE) if kind is ActorKind.HOTLINE else None,
            "scopes": sorted(granted),
            "holder": _holder(session, wish.holder),
            "expires_at": None if wish.days is None else now + timedelta(days=wish.days),
        },
        None,
        now,
        ids,
        by,
    )


def checked(session: Session, wish: KeyWish, scopes: Iterable[str] | None = None) -> tuple[ActorKind, frozenset[str]]:
    """Return the role and the scopes of the key that is wanted.

    Raises BadInput, in words, for an unknown role, unit, area or scope, and for whatever does not fit together.
    """
    kind = _role(wish.role)
    if wish.days is not None and not 1 <= wish.days <= _MOST_DAYS:
        raise BadInput(f"有效期应为 1 至 {_MOST_DAYS} 天")
    granted = _granted(kind, scopes, reveal=wish.reveal)
    wrong = key_rules.misfit(
        kind,
        unit=wish.unit is not None,
        unit_kind=_unit_kind(session, wish.unit),
        area=wish.area is not None,
        source=wish.source,
        reveal=REVEAL in granted,
    )
    if wrong is not None:
        raise BadInput(wrong)
    if granted - {REVEAL} - set(SCOPES[kind]):
        raise BadInput(f"这个角色没有这种权限，可用：{'、'.join(SCOPES[kind])}")
    area_path(session, wish.area)
    if wish.holder is not None:
        _cleaned(wish.holder)
    return kind, granted


def rotate(
    session: Session,
    row: KeyRow,
    *,
    overlap: timedelta,
    now: datetime,
    ids: Ids,
    by: Mapping[str, Any],
    days: int | None = None,
) -> MadeKey:
    """Make the next key of a family: the same holder and rights, a new secret; the old one lives on for `overlap`.

    The next lives for `days`, else as long as the old one was made for. Raises Conflict for a key that is ended or was
    rotated before, BadInput for an overlap beyond 30 days and for a key that would not be made today.
    """
    if not timedelta() <= overlap <= LONGEST_OVERLAP:
        raise BadInput(f"新旧并用最多 {LONGEST_OVERLAP.days} 天")
    family = _locked(session, api_key.c.family == row.family)
    old = next((one for one in family if one.id == row.id), None)
    if old is None or not old.live(now):
        raise Conflict("这把密钥已经失效，请另外发放")
    if any(one.live(now) and one.id != old.id and not one.ended_by for one in family):
        raise Conflict("这把密钥已经轮换过，要换就换新的那把")
    source = old.source if old.role == ActorKind.HOTLINE else None
    checked(session, KeyWish(old.role, old.unit_code, old.area_code, source, days, None, old.holder), old.scopes)
    life = timedelta(days=days) if days is not None else old.expires_at - old.created_at if old.expires_at else None
    values = {name: getattr(old, name) for name in _KEPT} | {"expires_at": None if life is None else now + life}
    made = _insert(session, values, old.family, now, ids, by)
    ends = now + overlap if old.expires_at is None else min(old.expires_at, now + overlap)
    register.write(session, KeyChange("rotated", old.id, now, by, {"expires_at": ends, "ended_by": dict(by)}))
    return made


def revoke(session: Session, prefix_or_key: str, now: datetime, by: Mapping[str, Any] = UNKNOWN) -> int:
    """Revoke the key, or the keys with exactly this prefix, and return how many; those revoked before do not count."""
    return len(_end(session, _named(prefix_or_key), now, by))


def end(session: Session, key_id: UUID, now: datetime, by: Mapping[str, Any] = UNKNOWN) -> bool:
    """Revoke a key by its id; False where it is unknown or was revoked before."""
    return bool(_end(session, api_key.c.id == key_id, now, by))


def end_holder(session: Session, holder: str, now: datetime, by: Mapping[str, Any] = UNKNOWN) -> list[UUID]:
    """Revoke every key of a holder, however the name is spelt, and return which they were."""
    wanted = _cleaned(holder)
    spellings = [known for known in _holders(session) if holders.same(known, wanted)]
    return _end(session, api_key.c.holder.in_(spellings), now, by) if spellings else []


def name(session: Session, row: KeyRow, holder: str, now: datetime, by: Mapping[str, Any] = UNKNOWN) -> None:
    """Say who holds a key that names nobody.

    Raises Conflict for one that has a holder: what was done with it would be another's.
    """
    (old,) = _locked(session, api_key.c.id == row.id)
    if old.holder is not None:
        raise Conflict("这把密钥已有持有人，不能改名：换人请另发一把，把这把吊销")
    register.write(session, KeyChange("named", old.id, now, by, {"holder": _holder(session, holder)}))


def find(session: Session, digest: bytes, now: datetime) -> KeyRow | None:
    """Return the key with this digest unless it is expired, revoked, or of a unit that is no longer active: one query."""
    row = session.execute(_FIND, {"digest": digest, "now": now}).first()
    return _key(row) if row is not None else None


def find_by_id(session: Session, key_id: UUID, now: datetime) -> KeyRow | None:
    """Return the key with this id under the conditions of `find`: whoever acts by a key without its text is held to them."""
    row = session.execute(_FIND_BY_ID, {"key_id": key_id, "now": now}).first()
    return _key(row) if row is not None else None


def by_id(session: Session, key_id: UUID) -> KeyRow | None:
    """Return a key by its id, live or not."""
    row = session.execute(_SELECT.where(api_key.c.id == key_id)).first()
    return _key(row) if row is not None else None


def by_ids(session: Session, ids: Iterable[UUID]) -> list[KeyRow]:
    """Return the keys with these ids, live or not."""
    return [_key(row) for row in session.execute(_SELECT.where(api_key.c.id.in_(list(ids))))]


def named(session: Session, key: str) -> list[KeyRow]:
    """Return the keys, live or not, that an id or a beginning names."""
    try:
        wanted = api_key.c.id == UUID(key)
    except ValueError:
        wanted = api_key.c.prefix == key
    return [_key(row) for row in session.execute(_SELECT.where(wanted))]


def page(
    session: Session, area_path: str, filters: KeyFilters, after: tuple[datetime, UUID] | None, limit: int
) -> Page[KeyRow]:
    """Return a page of the keys, the newest first; of those over a subtree of areas, or of units in it, where one is given."""
    wanted = _SELECT
    if area_path:
        theirs = (
            select(tables.unit.c.code)
            .join(tables.area, tables.area.c.code == tables.unit.c.area_code)
            .where(tables.area.c.path.startswith(area_path, autoescape=True))
        )
        wanted = wanted.where(
            or_(api_key.c.area_path.startswith(area_path, autoescape=True), api_key.c.unit_code.in_(theirs))
        )
    if filters.holder is not None:
        known = [one for one in _holders(session) if holders.same(one, filters.holder)]
        wanted = wanted.where(
            api_key.c.holder.is_(None) if filters.holder == holders.UNNAMED else api_key.c.holder.in_(known)
        )
    if filters.unit is not None:
        wanted = wanted.where(api_key.c.unit_code == filters.unit)
    if filters.role is not None:
        wanted = wanted.where(api_key.c.role == filters.role)
    if after is not None:
        wanted = wanted.where(tuple_(api_key.c.created_at, api_key.c.id) < after)
    newest = wanted.order_by(api_key.c.created_at.desc(), api_key.c.id.desc()).limit(limit + 1)
    rows = [_key(row) for row in session.execute(newest)]
    return cut(rows, limit, lambda row: (row.created_at, row.id))


def the_one(session: Session, prefix_or_key: str, now: datetime) -> KeyRow:
    """Return the live key that a prefix or the key itself names.

    Raises BadInput, in words, where there is none or more than one.
    """
    found = [_key(row) for row in session.execute(_SELECT.where(_named(prefix_or_key)))]
    live = [row for row in found if row.live(now)]
    if not live:
        raise BadInput("没有这样的有效密钥；用 key list 查看")
    if len(live) > 1:
        raise BadInput("有几把密钥是这个开头，请写整个密钥")
    return live[0]


def listed(session: Session) -> list[KeyRow]:
    """Return every key, the newest first."""
    return [_key(row) for row in session.execute(_SELECT.order_by(api_key.c.created_at.desc(), api_key.c.id.desc()))]


def persons_keys(session: Session, key_id: UUID) -> list[KeyRow]:
    """Lock and return every key of the person who holds this one, ended ones too; of an unnamed one its family.

    Who holds the locks counts alone what was done with them.
    """
    own = select(api_key.c.holder, api_key.c.family).where(api_key.c.id == key_id).subquery()
    return _locked(
        session,
        or_(
            api_key.c.family == select(own.c.family).scalar_subquery(),
            api_key.c.holder == select(own.c.holder).scalar_subquery(),
        ),
    )


def held_by(session: Session, holder: str) -> list[KeyRow]:
    """Lock and return every key of a holder, ended ones too."""
    return _locked(session, api_key.c.holder == holder)


def auditing_units(session: Session, area_path: str, now: datetime) -> list[str]:
    """Return the units that live auditors' keys name and whose jurisdiction covers an area."""
    found = session.execute(
        select(api_key.c.unit_code, api_key.c.area_path)
        .where(api_key.c.role == ActorKind.AUDITOR.value, api_key.c.unit_code.is_not(None))
        .where(api_key.c.revoked_at.is_(None), or_(api_key.c.expires_at.is_(None), api_key.c.expires_at > now))
    )
    return sorted({unit for unit, path in found if area_path.startswith(path or "")})


def actor_of(row: KeyRow) -> Actor:
    """Return who acts when this key does; no area is every area."""
    return Actor(ActorKind(row.role), row.unit_code, row.area_path or "", row.id, row.source, frozenset(row.scopes))


_KEPT: Final = ("role", "unit_code", "area_code", "area_path", "source", "scopes", "holder")
_SELECT = select(
    api_key.c.id, api_key.c.prefix, api_key.c.role, api_key.c.unit_code, api_key.c.area_code, api_key.c.area_path,
    api_key.c.source, api_key.c.scopes, api_key.c.created_at, api_key.c.expires_at, api_key.c.revoked_at,
    api_key.c.holder, api_key.c.family, api_key.c.made_by, api_key.c.ended_by, key_use.c.at,
).outerjoin_from(api_key, key_use, key_use.c.key_id == api_key.c.id)  # fmt: skip
_LIVE = (
    _SELECT.outerjoin(tables.unit, tables.unit.c.code == api_key.c.unit_code)
    .where(api_key.c.revoked_at.is_(None))
    .where(or_(api_key.c.expires_at.is_(None), api_key.c.expires_at > bindparam("now", type_=DateTime(timezone=True))))
    .where(or_(api_key.c.unit_code.is_(None), tables.unit.c.active))
)
_FIND = _LIVE.where(api_key.c.digest == bindparam("digest", type_=LargeBinary))
_FIND_BY_ID = _LIVE.where(api_key.c.id == bindparam("key_id", type_=Uuid))


def _key(row: Sequence[Any]) -> KeyRow:
    return KeyRow(*row)


def _insert(
    session: Session, values: dict[str, Any], family: UUID | None, now: datetime, ids: Ids, by: Mapping[str, Any]
) -> MadeKey:
    """Make a key of these columns with a secret of its own; without a family it begins one."""
    token = ids.token(_SECRET_BYTES)
    key = api_keys.mint(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
    key_id = ids.new()
    own = {
        "digest": api_keys.digest(key),
        "prefix": api_keys.prefix(key),
        "family": family or key_id,
        "created_at": now,
    }
    register.write(session, KeyChange("made", key_id, now, by, values | own))
    return MadeKey(key, key_id)


def _end(session: Session, wanted: ColumnElement[bool], now: datetime, by: Mapping[str, Any]) -> list[UUID]:
    ended = [row.id for row in _locked(session, wanted) if row.revoked_at is None]
    for key_id in ended:
        register.write(session, KeyChange("ended", key_id, now, by, {"revoked_at": now, "ended_by": dict(by)}))
    return ended


def _locked(session: Session, wanted: ColumnElement[bool]) -> list[KeyRow]:
    """Lock keys in the order of their ids and read them as they are then."""
    ids = (
        session.execute(select(api_key.c.id).where(wanted).order_by(api_key.c.id).with_for_update(key_share=True))
        .scalars()
        .all()
    )
    if not ids:
        return []
    return [_key(row) for row in session.execute(_SELECT.where(api_key.c.id.in_(ids)).order_by(api_key.c.id))]


def _named(prefix_or_key: str) -> ColumnElement[bool]:
    if api_keys.well_formed(prefix_or_key):
        return api_key.c.digest == api_keys.digest(prefix_or_key)
    return api_key.c.prefix == prefix_or_key if prefix_or_key else false()


def _role(role: str) -> ActorKind:
    if role not in {kind.value for kind in ROLES}:
        raise BadInput(f"没有这种角色，可用：{'、'.join(kind.value for kind in ROLES)}")
    return ActorKind(role)


def _granted(kind: ActorKind, scopes: Iterable[str] | None, *, reveal: bool | None) -> frozenset[str]:
    granted = frozenset(SCOPES[kind] if scopes is None else scopes)
    if not granted <= _EVERY_SCOPE:
        raise BadInput(f"没有这种权限，可用：{'、'.join(sorted(_EVERY_SCOPE))}")
    if reveal is None:
        return granted
    return granted | {REVEAL} if reveal else granted - {REVEAL}


def _unit_kind(session: Session, code: str | None) -> str | None:
    """Return the kind of an active unit; None where none is named or there is none."""
    if code is None:
        return None
    unit = tables.unit.c
    kind: str | None = session.execute(select(unit.kind).where(unit.code == code, unit.active)).scalar()
    return kind


def area_path(session: Session, code: str | None) -> str | None:
    """Return the path of an area; None for none. Raises BadInput for an unknown one."""
    if code is None:
        return None
    path: str | None = session.execute(select(tables.area.c.path).where(tables.area.c.code == code)).scalar()
    if path is None:
        raise BadInput("没有这个属地")
    return path


def _holder(session: Session, holder: str | None) -> str | None:
    """Return a holder in the spelling that is known already: one person has one spelling here."""
    if holder is None:
        return None
    wanted = _cleaned(holder)
    return next((known for known in _holders(session) if holders.same(known, wanted)), wanted)


def _holders(session: Session) -> list[str]:
    return list(session.execute(select(api_key.c.holder).distinct().where(api_key.c.holder.is_not(None))).scalars())


def _cleaned(holder: str) -> str:
    try:
        return holders.cleaned(holder)
    except BadValue as error:
        raise BadInput(f"持有人{error}", fields=[{"path": "holder", "problem": str(error)}]) from None

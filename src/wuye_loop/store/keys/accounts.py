"""Accounts of people: made, found by login, closed for a while or for good. A session acts as the account's actor."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from wuye_loop.domain.errors import BadInput, Conflict, NotFound
from wuye_loop.domain.grievance.situation import Actor
from wuye_loop.domain.privacy.access.key_rules import POWERS, REVEAL, SCOPES, misfit
from wuye_loop.domain.terms import ActorKind
from wuye_loop.ports import Ids
from wuye_loop.store import registry, vouched
from wuye_loop.store.keys.api_keys import DEFAULT_SOURCE, ROLES, area_path
from wuye_loop.store.schema import tables
from wuye_loop.store.schema.account_tables import account, account_event

_LONGEST_LOGIN: Final = 40
_VOUCHED: Final = frozenset({*registry.ACCOUNT_COLUMNS, "password", "totp", "subject"})
_TRIED: Final = frozenset({"must_change", "totp_used", "failures", "locked_until"})


@dataclass(frozen=True, slots=True)
class AccountRow:
    """An account as it is stored; `password` is its hash."""

    id: UUID
    login: str
    name: str
    role: str
    unit_code: str | None
    area_code: str | None
    area_path: str | None
    source: str | None
    scopes: Sequence[str]
    password: str
    must_change: bool
    totp: bytes | None
    totp_used: int
    failures: int
    locked_until: datetime | None
    created_at: datetime
    disabled_at: datetime | None
    subject: str | None


@dataclass(frozen=True, slots=True)
class AccountWish:
    """What account is wanted."""

    login: str
    name: str
    role: str
    unit: str | None = None
    area: str | None = None
    source: str | None = None
    reveal: bool = False


_SELECT = select(*(account.c[name] for name in AccountRow.__slots__))


def create(session: Session, wish: AccountWish, password: str, now: datetime, ids: Ids, by: str) -> UUID:
    """Make an account with the hash of its first password, which has to be changed at the first sign-in.

    Raises BadInput for what does not fit together, Conflict for a login that is taken and for a second of the three
    powers in one hand.
    """
    values = values_of(session, wish)
    if session.execute(select(account.c.id).where(account.c.login == wish.login)).first():
        raise Conflict("这个用户名已经有了")
    one_power(session, wish)
    account_id = ids.new()
    session.execute(insert(account).values(id=account_id, password=password, created_at=now, **values))
    registry.settle(session, registry.ACCOUNT, str(account_id))
    registry.settle(session, vouched.OPENING, str(account_id))
    note(session, account_id, "created", by, now, ids)
    return account_id


def values_of(session: Session, wish: AccountWish) -> dict[str, Any]:
    """Return the columns of an account that is as wanted. Raises BadInput for what does not fit together."""
    kind = _checked(session, wish)
    scopes = set(SCOPES[kind]) | ({REVEAL} if wish.reveal else set())
    return {
        "login": wish.login,
        "name": wish.name,
        "role": kind.value,
        "unit_code": wish.unit,
        "area_code": wish.area,
        "area_path": area_path(session, wish.area),
        "source": (wish.source or wish.unit or DEFAULT_SOURCE) if kind is ActorKind.HOTLINE else None,
        "scopes": sorted(scopes),
    }


def _checked(session: Session, wish: AccountWish) -> ActorKind:
    if wish.role not in {kind.value for kind in ROLES}:
        raise BadInput(f"没有这种角色，可用：{'、'.join(kind.value for kind in ROLES)}")
    kind = ActorKind(wish.role)
    if not wish.login or len(wish.login) > _LONGEST_LOGIN or not wish.login.isprintable() or " " in wish.login:
        raise BadInput(f"用户名要 1 至 {_LONGEST_LOGIN} 个字符，不含空格")
    if not wish.name.strip() or len(wish.name) > _LONGEST_LOGIN:
        raise BadInput("请写明姓名")
    if (kind is ActorKind.UNIT) != (wish.unit is not None) and kind is not ActorKind.HOTLINE:
        raise BadInput("unit 账号要写明是哪个单位，别的角色不写单位")
    unit = tables.unit.c
    of = session.execute(select(unit.kind).where(unit.code == wish.unit, unit.active)).scalar() if wish.unit else None
    if wish.unit is not None and of is None:
        raise BadInput("没有这个单位，或它已停用")
    wrong = misfit(
        kind, unit=wish.unit is not None, unit_kind=of, area=wish.area is not None, source=wish.source,
        reveal=wish.reveal, what="账号",
    )  # fmt: skip
    if wrong is not None:
        raise BadInput(wrong)
    return kind


def one_power(session: Session, wish: AccountWish, own: UUID | None = None) -> None:
    """Raise Conflict where the person has another of the three powers by an account that is not `own`."""
    held = select(account.c.role).where(account.c.name == wish.name, account.c.disabled_at.is_(None))
    if own is not None:
        held = held.where(account.c.id != own)
    others = set(session.execute(held).scalars()) & set(POWERS) - {wish.role}
    if wish.role in POWERS and others:
        raise Conflict("系统管理、安全管理、审计三权分立：这个人已有其中另一种账号")


def find(session: Session, login: str) -> AccountRow | None:
    """Return the account of a login, locked so that failures are counted one by one; disabled ones too."""
    row = session.execute(_SELECT.where(account.c.login == login).with_for_update()).first()
    return AccountRow(*row) if row is not None else None


def named(session: Session, login: str) -> AccountRow | None:
    """Return the account of a login without locking it; disabled ones too."""
    row = session.execute(_SELECT.where(account.c.login == login)).first()
    return AccountRow(*row) if row is not None else None


def locked(session: Session, account_id: UUID) -> AccountRow | None:
    """Return an account under its lock; disabled ones too."""
    row = session.execute(_SELECT.where(account.c.id == account_id).with_for_update()).first()
    return AccountRow(*row) if row is not None else None


def of_person(session: Session, name: str | None) -> list[UUID]:
    """Lock and return the accounts of a person by name; none where nobody is named."""
    if name is None:
        return []
    return list(session.execute(select(account.c.id).where(account.c.name == name).with_for_update()).scalars())


def by_id(session: Session, account_id: UUID) -> AccountRow:
    """Return an account.

    Raises NotFound.
    """
    row = session.execute(_SELECT.where(account.c.id == account_id)).first()
    if row is None:
        raise NotFound
    return AccountRow(*row)


def listed(session: Session) -> list[AccountRow]:
    """Return every account by its login."""
    return [AccountRow(*row) for row in session.execute(_SELECT.order_by(account.c.login))]


def names(session: Session, ids: Sequence[UUID]) -> dict[str, str]:
    """Return the names of the people behind these ids, by the id's text; ids of API keys are left out."""
    rows = session.execute(select(account.c.id, account.c.name).where(account.c.id.in_(ids))) if ids else ()
    return {str(row.id): row.name for row in rows}


def change(session: Session, account_id: UUID, **values: Any) -> None:
    """Set columns of an account; what it may do, what opens it and how it was tried is entered in the register.

    Raises Conflict for one that is not as the register has it; it can be disabled all the same, and the register says so.
    """
    key, own, tried = str(account_id), _VOUCHED & set(values), _TRIED & set(values)
    if own and values.get("disabled_at") is None:
        registry.confirm(session, registry.ACCOUNT, key)
    elif own:
        registry.remark(session, registry.ACCOUNT, key)
    if tried:
        registry.remark(session, vouched.OPENING, key)
    session.execute(update(account).where(account.c.id == account_id).values(**values))
    if own:
        registry.settle(session, registry.ACCOUNT, key)
    if tried:
        registry.settle(session, vouched.OPENING, key)


def note(session: Session, account_id: UUID, what: str, by: str, at: datetime, ids: Ids, address: str = "") -> None:
    """Write a row of the register: what was done with an account, by whom, from which address."""
    event = ids.new()
    session.execute(
        insert(account_event).values(id=event, account_id=account_id, what=what, by=by, address=address, at=at)
    )
    registry.settle(session, vouched.EVENT, str(event))


def events(session: Session, limit: int) -> list[Any]:
    """Return the newest rows of the register: at, login, name, what, by, address."""
    event = account_event.c
    newest = (
        select(event.at, account.c.login, account.c.name, event.what, event.by, event.address)
        .join(account, account.c.id == event.account_id)
        .order_by(event.at.desc(), event.id.desc())
        .limit(limit)
    )
    return list(session.execute(newest))


def actor_of(row: AccountRow) -> Actor:
    """Return who acts when this person does: the same as a key of the same role; the account's id stands for the key's."""
    return Actor(ActorKind(row.role), row.unit_code, row.area_path or "", row.id, row.source, frozenset(row.scopes))

"""Accounts of people whom a city's identity system vouches for: found by whom it says they are, made and changed by what it says."""

from datetime import datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from wuye_loop.domain.errors import Conflict, Forbidden
from wuye_loop.domain.privacy.access.claims import Mapped
from wuye_loop.domain.privacy.access.key_rules import POWERS
from wuye_loop.ports import Ids
from wuye_loop.store.keys import accounts, sessions
from wuye_loop.store.keys.accounts import AccountRow, AccountWish
from wuye_loop.store.schema.account_tables import account

_BY: Final = "统一身份认证"
NOBODYS: Final = "!"  # the hash of no password
_IN_TURN: Final = "SELECT pg_advisory_xact_lock(hashtextextended('subject ' || %(subject)s::text, 0))"


def admitted(session: Session, subject: str, mapped: Mapped, now: datetime, ids: Ids) -> AccountRow:
    """Return the account of somebody, made where there is none yet, changed where it is to be another; locked.

    `subject` is the issuer and whom it means; who comes in twice at once is asked for in turn. No password opens such an
    account. Raises Forbidden for a closed account, Conflict for a login that somebody else has and for a second of the
    three powers, BadInput for a unit or an area that is not there.
    """
    wish = AccountWish(
        mapped.login, mapped.name, mapped.role, mapped.unit, mapped.area, mapped.source, reveal=mapped.reveal
    )
    session.connection().exec_driver_sql(_IN_TURN, {"subject": subject})
    found = session.execute(select(account.c.id).where(account.c.subject == subject).with_for_update()).scalar()
    if found is None:
        _free(session, wish.login)
        made = accounts.create(session, wish, NOBODYS, now, ids, _BY)
        accounts.change(session, made, subject=subject, must_change=False)
        return accounts.by_id(session, made)
    row = accounts.by_id(session, found)
    if row.disabled_at is not None:
        raise Forbidden("您的账号在这里已经停用，请找系统管理员")
    values = accounts.values_of(session, wish)
    changed = {name: value for name, value in values.items() if getattr(row, name) != value}
    if not changed:
        return row
    if "login" in changed:
        _free(session, wish.login)
    if row.role in POWERS and wish.role in POWERS and row.role != wish.role:
        raise Conflict(
            "系统管理、安全管理、审计三权分立：您的账号已是其中一种，不能换成另一种。请系统管理员停用它，另开一个用口令登录的账号"
        )
    accounts.one_power(session, wish, row.id)
    accounts.change(session, row.id, **values)
    if set(changed) - {"name"}:
        sessions.end(session, row.id, now)
    accounts.note(session, row.id, "remapped", _BY, now, ids)
    return accounts.by_id(session, row.id)


def _free(session: Session, login: str) -> None:
    if accounts.named(session, login) is not None:
        raise Conflict("您的用户名在这里已是另一个账号，请系统管理员在对照文件里换一个声明作用户名")

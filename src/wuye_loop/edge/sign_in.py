"""People at the doors: signing in with a password, and the session that then stands for the person."""

import base64
import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cache, partial
from time import monotonic
from typing import Final

import anyio.to_thread
from sqlalchemy.orm import Session

from wuye_loop.domain.errors import TooMany, WuyeError
from wuye_loop.domain.grievance.situation import Actor
from wuye_loop.domain.privacy.access import passwords, second_factor
from wuye_loop.domain.privacy.access.api_keys import digest
from wuye_loop.edge.site import Site
from wuye_loop.edge.transact import read
from wuye_loop.ports import Ids, unmoved
from wuye_loop.store.keys import accounts, sessions
from wuye_loop.store.keys.accounts import AccountRow
from wuye_loop.store.keys.posts import posts_of

TOKEN_BYTES: Final = 32
_SALT_BYTES: Final = 16
_NOTED: Final = timedelta(minutes=1)  # how exactly it is known when a session was last used
_WINDOW_SECONDS, _MOST_FAILURES, _MOST_KEPT = 600.0, 30, 4096
_DIGEST_BYTES: Final = 24
WRONG: Final = "用户名、口令或动态口令不对"


class BadSignIn(WuyeError, status=401, slug="unauthenticated", title="没有登录"):
    """The words say why somebody was not let in; the same for an unknown login and a wrong password."""


@dataclass(frozen=True, slots=True)
class Person:
    """Who signed in: the account, the session and its token; `actor` is whom the loop knows."""

    account: AccountRow
    session: sessions.SessionRow
    token: str
    actor: Actor

    @property
    def csrf(self) -> str:
        """What every form of this session carries, and no other page can know."""
        made = hmac.new(self.token.encode(), b"form", hashlib.sha256).digest()
        return base64.urlsafe_b64encode(made[:_DIGEST_BYTES]).decode()


class Tries:
    """What went wrong in the last ten minutes, by where it came from or what it was tried on: bounded guessing."""

    def __init__(self) -> None:
        self._kept: dict[str, list[float]] = {}

    def check(self, name: str, words: str = "这个地址登录失败的次数太多，请十分钟后再试") -> None:
        """Raise TooMany, in these words, for a name with thirty failures in ten minutes."""
        since = monotonic() - _WINDOW_SECONDS
        recent = [at for at in self._kept.get(name, ()) if at > since]
        if recent:
            self._kept[name] = recent
        if len(recent) >= _MOST_FAILURES:
            raise TooMany(words, retry_after=int(_WINDOW_SECONDS))

    def failed(self, name: str) -> None:
        """Count a failure."""
        if len(self._kept) >= _MOST_KEPT:
            self._kept.clear()
        self._kept.setdefault(name, []).append(monotonic())


def salt(ids: Ids) -> bytes:
    """Return the salt of a new password."""
    return base64.urlsafe_b64decode(ids.token(_SALT_BYTES) + "==")


async def sign_in(site: Site, tries: Tries | None, login: str, password: str, code: str, address: str) -> str:
    """Begin a session and return its token, which is always a new one.

    `tries` counts what fails from one address; None where the connection's address is a proxy's, which is everybody's.
    Raises BadSignIn in words, TooMany.
    """
    if tries is not None:
        tries.check(address)
    found = await read(site, partial(_known, login))
    # An unknown login costs the same time as a known one.
    nobody = await anyio.to_thread.run_sync(_nobody)  # for every login: the first unknown one must not take longer
    kept = found.password if found is not None else nobody
    good = await anyio.to_thread.run_sync(passwords.fits, kept, password)
    token = site.loop.ids.token(TOKEN_BYTES)
    refused: str | None = WRONG
    if found is not None:
        refused = await site.database.write_async(
            partial(_decided, site, found.login, token=token, good=good, code=code, address=address)
        )
    if refused is not None:
        if tries is not None:
            tries.failed(address)
        raise BadSignIn(refused)
    return token


async def enter(site: Site, login: str, address: str) -> str:
    """Begin a session without a password, for the visitors of a demonstration. Raises BadSignIn."""
    token = site.loop.ids.token(TOKEN_BYTES)

    def begun(session: Session) -> str | None:
        row = accounts.find(session, login)
        if row is None or row.disabled_at is not None:
            return WRONG
        _begin(site, session, row, token, address)
        return None

    if await site.database.write_async(begun) is not None:
        raise BadSignIn(WRONG)
    return token


async def enter_as(site: Site, known: Callable[[Session], AccountRow], address: str) -> str:
    """Begin a session for whom somebody else vouches for: `known` finds or makes the account, and raises to refuse it."""
    token = site.loop.ids.token(TOKEN_BYTES)

    def begun(session: Session) -> None:
        _begin(site, session, known(session), token, address)

    await site.database.write_async(begun)
    return token


def _known(login: str, session: Session) -> AccountRow | None:
    return accounts.named(session, login)


def _decided(
    site: Site, login: str, session: Session, *, token: str, good: bool, code: str, address: str
) -> str | None:
    """Return why somebody is not let in, having counted it, or begin the session."""
    now, ids = site.loop.clock.now(), site.loop.ids
    row = accounts.find(session, login)
    if row is None or row.disabled_at is not None or row.subject is not None:
        return WRONG  # whom the identity system vouches for signs in there
    if row.locked_until is not None and row.locked_until > now:
        seconds = int((row.locked_until - now).total_seconds()) + 1
        return f"这个账号连续输错，暂时关闭，请在 {seconds} 秒后再试"
    step = _step(site, row, code) if good and row.totp is not None else None
    if not good or (row.totp is not None and step is None):
        failures = row.failures + 1
        wait = passwords.wait_after(failures)
        accounts.change(session, row.id, failures=failures, locked_until=now + wait if wait else None)
        accounts.note(session, row.id, "refused", row.login, now, ids, address)
        if wait:
            accounts.note(session, row.id, "locked", row.login, now, ids, address)
        return WRONG
    tried = row.failures or row.locked_until is not None
    values = ({"failures": 0, "locked_until": None} if tried else {}) | ({"totp_used": step} if step else {})
    if values:
        accounts.change(session, row.id, **values)
    _begin(site, session, row, token, address)
    return None


def _step(site: Site, row: AccountRow, code: str) -> int | None:
    secret = second_factor.opened(site.loop.keyring, row.id, row.totp or b"")
    return second_factor.taken_step(secret, code, unmoved(site.loop.clock), row.totp_used)


def _begin(site: Site, session: Session, row: AccountRow, token: str, address: str) -> None:
    now, ids = site.loop.clock.now(), site.loop.ids
    expires = now + timedelta(hours=site.settings.session_hours)
    sessions.begin(session, row.id, digest(token), now, expires, address, ids)
    accounts.note(session, row.id, "signed in", row.login, now, ids, address)


async def person_of(site: Site, token: str) -> Person | None:
    """Return who a session's token stands for; None when the session is unknown, ended, expired or was idle too long."""
    now = site.loop.clock.now()
    idle_since = now - timedelta(minutes=site.settings.session_idle_minutes)

    def look(session: Session) -> tuple[sessions.SessionRow, AccountRow, frozenset[str]] | None:
        known = sessions.find(session, digest(token), now, idle_since)
        return (*known, posts_of(session, known[1].unit_code, known[1].name)) if known is not None else None

    found = await read(site, look)
    if found is None:
        return None
    row, account, posts = found
    if now - row.seen_at > _NOTED:
        await site.database.write_async(partial(sessions.touch, session_id=row.id, now=now))
    return Person(account, row, token, replace(accounts.actor_of(account), posts=posts))


async def sign_out(site: Site, person: Person, address: str) -> None:
    """End the session."""
    now, ids = site.loop.clock.now(), site.loop.ids

    def ended(session: Session) -> None:
        sessions.end(session, person.account.id, now, only=person.session.id)
        accounts.note(session, person.account.id, "signed out", person.account.login, now, ids, address)

    await site.database.write_async(ended)


async def change_password(site: Site, person: Person, old: str, new: str, address: str) -> str:
    """Take a new password, end every session of the account, and return the token of a new one. Raises BadSignIn."""
    account = person.account
    if not await anyio.to_thread.run_sync(passwords.fits, account.password, old):
        raise BadSignIn("原口令不对")
    weak = passwords.weakness(new, account.login, account.name)
    if weak is None and new == old:
        weak = "新口令要与原口令不同"
    if weak is not None:
        raise BadSignIn(weak)
    kept = await anyio.to_thread.run_sync(passwords.hashed, new, salt(site.loop.ids))
    token, now = site.loop.ids.token(TOKEN_BYTES), site.loop.clock.now()

    def changed(session: Session) -> None:
        accounts.change(session, account.id, password=kept, must_change=False)
        accounts.note(session, account.id, "password changed", account.login, now, site.loop.ids, address)
        sessions.end(session, account.id, now)
        _begin(site, session, account, token, address)

    await site.database.write_async(changed)
    return token


async def take_second_factor(site: Site, person: Person, secret: str, code: str, address: str) -> None:
    """Keep a second factor's secret, once a code of it shows that the person has it. Raises BadSignIn."""
    account, now, ids = person.account, site.loop.clock.now(), site.loop.ids
    step = second_factor.taken_step(secret, code, unmoved(site.loop.clock), account.totp_used)
    if step is None:
        raise BadSignIn("动态口令不对，请核对手机的时间，再输一次")
    sealed = second_factor.seal(site.loop.keyring, account.id, secret)

    def kept(session: Session) -> None:
        accounts.change(session, account.id, totp=sealed, totp_used=step)
        accounts.note(session, account.id, "second factor", account.login, now, ids, address)
        sessions.end(session, account.id, now, but=person.session.id)

    await site.database.write_async(kept)


@cache
def _nobody() -> str:
    """Return what an unknown login is compared with; made at the first sign-in, no start waits for it."""
    return passwords.hashed("nobody has this password", bytes(_SALT_BYTES))

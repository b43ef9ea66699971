"""Who calls, and whether that is too often: asked before a byte of the body is read or a door is looked for.

A key has a bucket for each kind of request. An address has one for requests without a valid key, and a small one for keys
that are wrong; nobody else behind it is held up by either who shows a valid key.
"""

import asyncio
import re
from collections.abc import Callable, Sequence
from ipaddress import ip_address, ip_network
from time import monotonic

import structlog
from fastapi import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from wuye_loop import metrics
from wuye_loop.domain.errors import TooMany, Unauthenticated
from wuye_loop.domain.grievance.situation import Actor
from wuye_loop.edge.actors import Callers, bearer
from wuye_loop.edge.buckets import Buckets, Rate
from wuye_loop.edge.client_address import Network, client_address
from wuye_loop.edge.problems import send_problem
from wuye_loop.edge.site import Site
from wuye_loop.settings import Settings

_log = structlog.get_logger("wuye_loop.rates")
INTAKE, READS, WRITES, FILES = "intake", "reads", "writes", "files"
ADDRESS, WRONG_KEYS = "address", "wrong_keys"
_KEY_SECONDS, _ADDRESS_SECONDS, _WRONG_SECONDS = 2, 5, 10  # how many seconds' worth may come at once
_INTAKE = re.compile(r"/v1/grievances(?::batch)?")
_FILES = re.compile(r"/v1/grievances/[^/]+/files")
_SUSPECTS_AT_ONCE, _MOST_SUSPECTS = 1, 256
# Who asks again at once gets its refusal late: a flood on few connections is then a trickle. A few hundred may be held.
_HELD_SECONDS, _MOST_HELD = 0.25, 200
_EVERY_TEN_SECONDS = Rate(0.1, 1)


def kind_of(method: str, path: str) -> str:
    """Return which of a key's buckets a request takes from."""
    if method in ("GET", "HEAD", "OPTIONS"):
        return READS
    if _INTAKE.fullmatch(path):
        return INTAKE
    return FILES if _FILES.fullmatch(path) else WRITES


def network_of(address: str) -> str:
    """Return what counts as one address: an IPv6 household has 2^64 of them."""
    try:
        found = ip_address(address)
    except ValueError:
        return address
    return str(ip_network((found, 64), strict=False)) if found.version == 6 else address  # noqa: PLR2004 IPv6


def network(scope: Scope, trusted: Sequence[Network]) -> str:
    """Return what counts as the address that a request comes from; it is worked out once for each."""
    state = scope.setdefault("state", {})
    found: str | None = state.get("network")
    if found is None:
        found = state["network"] = network_of(client_address(scope, trusted))
    return found


class Allowances:
    """All the buckets of one process."""

    def __init__(self, settings: Settings, now: Callable[[], float] = monotonic) -> None:
        rates = {
            INTAKE: (settings.rate_intake, _KEY_SECONDS),
            READS: (settings.rate_reads, _KEY_SECONDS),
            WRITES: (settings.rate_writes, _KEY_SECONDS),
            FILES: (settings.rate_files, _KEY_SECONDS),
            ADDRESS: (settings.rate_address, _ADDRESS_SECONDS),
            WRONG_KEYS: (settings.rate_wrong_keys, _WRONG_SECONDS),
        }
        self.buckets = {name: Buckets(Rate(most, max(1, most * worth)), now) for name, (most, worth) in rates.items()}
        self._logged = Buckets(_EVERY_TEN_SECONDS, now)

    def take(self, kind: str, who: str) -> int:
        """Take one; return 0, or after how many seconds to try again. What is refused is counted and seldom logged."""
        wait = self.buckets[kind].take(who)
        if wait:
            metrics.rate_limited_total.labels(kind).inc()
            if not self._logged.take((kind, who)):
                _log.warning(
                    "rate_limited", kind=kind, **{"address" if kind in (ADDRESS, WRONG_KEYS) else "key_id": who}
                )
        return wait

    def owe(self, kind: str, who: str, cost: int) -> None:
        """Take more of what was let in, when it turns out to be many."""
        self.buckets[kind].owe(who, cost)

    def let_through(self) -> dict[str, float]:
        """Return what was let through since this was last asked, by bucket as `kind:who`."""
        return {
            f"{kind}:{who}": used
            for kind, buckets in self.buckets.items()
            for who, used in buckets.let_through().items()
        }

    def let_through_elsewhere(self, bucket: str, used: float) -> None:
        """Take from a bucket what another process let through."""
        kind, _, who = bucket.partition(":")
        if kind in self.buckets:
            self.buckets[kind].elsewhere(who, used)


class Rates:
    """ASGI middleware: says in the request's state who calls, or answers 429.

    `state.actor` is there for a valid key, `state.caller_error` when the look-up failed; `edge.actors.caller` reads both.
    """

    def __init__(self, app: ASGIApp, site: Site, callers: Callers, allowances: Allowances) -> None:
        self._app = app
        self._site = site
        self._callers = callers
        self._allowances = allowances
        self._suspects = self._held = 0
        self._slowly: asyncio.Semaphore | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, with its caller, unless it is one too many."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        wait = await self._wait(scope)
        if wait:
            if self._held < _MOST_HELD:
                self._held += 1
                try:
                    await asyncio.sleep(_HELD_SECONDS)
                finally:
                    self._held -= 1
            await send_problem(scope, send, TooMany("请求过于频繁，请稍后重试", retry_after=wait))
        else:
            await self._app(scope, receive, send)

    async def _wait(self, scope: Scope) -> int:
        """Return 0 for a request that may pass, else the seconds to wait."""
        key = bearer(scope["headers"])
        state = scope.setdefault("state", {})
        if key is not None:
            actor = self._callers.kept(key)
            if actor is None:
                address = self._address(scope)
                found = await self._look_up(key, address, state)
                if isinstance(found, int):
                    return found
                actor = found
            if actor is not None:
                state["actor"], state["key_id"] = actor, str(actor.key_id)
                return self._allowances.take(kind_of(scope["method"], scope["path"]), str(actor.key_id))
            if "caller_error" in state:
                return 0
        return self._allowances.take(ADDRESS, self._address(scope))

    def _address(self, scope: Scope) -> str:
        return network(scope, self._site.settings.trusted_proxies)

    async def _look_up(self, key: str, address: str, state: dict[str, object]) -> Actor | int | None:
        """Return whose key this is, None for nobody's, or the seconds to wait where too many wrong ones came.

        An address that has used up its wrong keys is looked up for one at a time: it costs the database no more than
        that, and a valid key behind it still gets through.
        """
        suspect = self._allowances.buckets[WRONG_KEYS].level(address) < 1 and not self._callers.known(key)
        if suspect and self._suspects >= _MOST_SUSPECTS:
            return self._allowances.take(WRONG_KEYS, address) or 1
        try:
            return await (self._one_at_a_time(key) if suspect else self._callers.find(self._site, key))
        except Unauthenticated:
            wait = self._allowances.take(WRONG_KEYS, address)
            if not wait:
                _log.warning("wrong_key", address=address)
            return wait or None
        except Exception as error:  # noqa: BLE001 raised again where errors are answered, by whoever asks for the caller
            state["caller_error"] = error
            return None

    async def _one_at_a_time(self, key: str) -> Actor:
        if self._slowly is None:
            self._slowly = asyncio.Semaphore(_SUSPECTS_AT_ONCE)
        self._suspects += 1
        try:
            async with self._slowly:
                return await self._callers.find(self._site, key)
        finally:
            self._suspects -= 1


def owe(request: Request, actor: Actor, kind: str, cost: int) -> None:
    """Take more from a caller's bucket for a request that holds many."""
    allowances: Allowances = request.app.state.allowances
    if actor.key_id is not None:
        allowances.owe(kind, str(actor.key_id), cost)

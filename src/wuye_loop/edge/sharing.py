"""Where several processes serve, each is told what the others let through, so that together they keep to one rate.

No request waits for it: a process lets through what its own buckets hold and learns of the others within a second. So a key
may have, once, what the buckets of all processes hold; after that the rate is the rate.
"""

import asyncio
from functools import partial
from uuid import UUID

import structlog
from sqlalchemy.orm import Session

from wuye_loop.edge.rates import Allowances
from wuye_loop.edge.site import Site
from wuye_loop.store import rate_uses

_log = structlog.get_logger("wuye_loop.rates")
_SECONDS, _ALONE_SECONDS = 1.0, 5.0
_ALIVE = ""  # a bucket that nobody takes from: it says that the process is there
_MOST = 1000


class Sharing:
    """Tells and hears; one per process."""

    def __init__(self, site: Site, allowances: Allowances) -> None:
        self._site = site
        self._allowances = allowances
        self._process: UUID = site.loop.ids.new()
        self._told: dict[str, float] = {}
        self._heard: dict[tuple[UUID, str], float] | None = None

    async def run(self) -> None:
        """Share until cancelled; what fails is logged and tried again."""
        while True:
            others = 0
            try:
                others = await self.once()
            except Exception as error:  # noqa: BLE001 the rates of this process hold without the others'
                _log.warning("rates_not_shared", error=type(error).__name__)
            await asyncio.sleep(_SECONDS if others else _ALONE_SECONDS)

    async def once(self) -> int:
        """Tell and hear once; return how many other processes there are."""
        fresh = self._allowances.let_through()
        busiest = sorted(fresh, key=lambda bucket: -fresh[bucket])[:_MOST]
        self._told = {bucket: self._told.get(bucket, 0.0) + fresh[bucket] for bucket in busiest}
        said = {**self._told, _ALIVE: 0.0} if self._heard else {_ALIVE: 0.0}
        heard = await self._site.database.write_async(partial(self._share, said))
        before = self._heard if self._heard is not None else heard
        for (process, bucket), used in heard.items():
            if bucket == _ALIVE:
                continue
            already = before.get((process, bucket), 0.0)
            more = used - already if used >= already else used
            if more:
                self._allowances.let_through_elsewhere(bucket, more)
        self._heard = heard
        return len({process for process, _ in heard})

    def _share(self, said: dict[str, float], session: Session) -> dict[tuple[UUID, str], float]:
        return rate_uses.share(session, self._process, said)

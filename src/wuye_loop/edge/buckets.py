"""Token buckets: how much of something each of many may do. Pure but for the clock that is passed in."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from math import ceil

_MOST = 20_000


@dataclass(frozen=True, slots=True)
class Rate:
    """So many a second in the long run, and so many at once after a rest; a rate of 0 is no bound."""

    a_second: float
    at_once: float


class Buckets:
    """One bucket for each of those who take; the longest unused are forgotten, for they are full again or nearly so."""

    def __init__(self, rate: Rate, now: Callable[[], float], most: int = _MOST) -> None:
        self.rate = rate
        self._now = now
        self._most = most
        self._let_through: dict[Hashable, float] = {}
        self._held: OrderedDict[Hashable, tuple[float, float]] = OrderedDict()

    def level(self, who: Hashable) -> float:
        """Return how many one may take now; negative where it owes."""
        tokens, at = self._held.get(who, (self.rate.at_once, 0.0))
        return min(self.rate.at_once, tokens + (self._now() - at) * self.rate.a_second) if at else tokens

    def take(self, who: Hashable, cost: float = 1) -> int:
        """Take, and return 0; or take nothing, and return after how many whole seconds it is worth trying again."""
        if not self.rate.a_second:
            return 0
        level = self.level(who)
        if level < 1:
            return max(1, ceil((1 - level) / self.rate.a_second))
        self._count(who, cost)
        self._put(who, level - cost)
        return 0

    def let_through(self) -> dict[Hashable, float]:
        """Return what was taken since this was last asked."""
        found, self._let_through = self._let_through, {}
        return found

    def elsewhere(self, who: Hashable, cost: float) -> None:
        """Take what another process let through; it is not told again."""
        if self.rate.a_second:
            self._put(who, self.level(who) - cost)

    def owe(self, who: Hashable, cost: float) -> None:
        """Take what was already done, also where there is not so much: it is paid back before the next time."""
        if self.rate.a_second:
            self._count(who, cost)
            self._put(who, self.level(who) - cost)

    def _count(self, who: Hashable, cost: float) -> None:
        if who in self._let_through or len(self._let_through) < self._most:
            self._let_through[who] = self._let_through.get(who, 0.0) + cost

    def _put(self, who: Hashable, tokens: float) -> None:
        self._held[who] = (tokens, self._now())
        self._held.move_to_end(who)
        if len(self._held) > self._most:
            self._held.popitem(last=False)

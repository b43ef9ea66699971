"""Chance of a simulation: every grievance has lots of its own, so that a what-if differs by the rules and not by luck."""

from array import array
from collections.abc import Mapping
from hashlib import shake_256
from itertools import accumulate
from math import exp, log, sqrt
from statistics import NormalDist
from typing import Final, TypeVar

T = TypeVar("T")
_CASES: Final = 1 << 12  # grievances whose lots are drawn at once
LOTS: Final = 16  # lots of one grievance before it takes another's
_MASK: Final = _CASES * LOTS - 1
_STEPS: Final = 4096  # how finely shares and lengths are cut
TOP: Final = 52  # a lot has 64 bits; its highest 12 are a step
WHOLE: Final = 1 << 64
_JUMP: Final = 40_009  # to another's lots, when a grievance has used up its own
_NORMAL: Final = 30  # from this mean on, a day's number is drawn from the normal curve


def lots(*question: object, number: int) -> "array[int]":
    """Return so many 64-bit numbers for a question; the same for the same question, on every machine."""
    found = array("Q")
    found.frombytes(shake_256("\x1f".join(map(str, question)).encode()).digest(8 * number))
    return found


class Lots:
    """The lots of all grievances of one seed: `of(n)` gives the row that grievance n draws from."""

    __slots__ = ("_block", "_n", "_seed")

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._n = -1
        self._block = array("Q")

    def of(self, n: int) -> "tuple[array[int], int]":
        """Return the block that grievance n draws from, and its place there."""
        block, place = divmod(n, _CASES)
        if block != self._n:
            self._n, self._block = block, lots(self._seed, "grievances", block, number=_CASES * LOTS)
        return self._block, place * LOTS


def others(at: int, stop: int) -> int:
    """Return where a grievance goes on drawing that has used up its own lots, the last of them before `stop`."""
    drawn = at - stop + LOTS
    return (at + drawn // LOTS * _JUMP) & _MASK


def lengths(mean: float, spread: float) -> list[int]:
    """Return 4,096 equally likely lengths in whole minutes, of this mean: log-normal, `spread` is deviation by mean.

    What rounding takes from one is given to the next, so that the mean stays also for work of a few minutes.
    """
    exact = [mean] * _STEPS
    if mean > 0 and spread > 0:
        sigma = sqrt(log(1 + spread * spread))
        curve = NormalDist(log(mean) - sigma * sigma / 2, sigma)
        exact = [exp(curve.inv_cdf((n + 0.5) / _STEPS)) for n in range(_STEPS)]
    scale = mean * _STEPS / sum(exact) if mean > 0 else 0.0  # the tail cut off by the steps is given back
    ends = [round(total * scale) for total in accumulate(exact)]
    return [end - begin for begin, end in zip([0, *ends], ends, strict=False)]


def shared(shares: Mapping[T, float]) -> list[T]:
    """Return 4,096 answers in which each stands as often as its share says."""
    total = sum(shares.values())
    names = list(shares)
    ends = [round(part / total * _STEPS) for part in accumulate(shares.values())]
    found = [name for name, begin, end in zip(names, [0, *ends], ends, strict=False) for _ in range(end - begin)]
    return found[:_STEPS]


def below(share: float) -> int:
    """Return how many of the 2**64 lots are below a share: a lot is compared with it without a division."""
    low, high = 0, WHOLE
    while low < high:
        middle = (low + high) // 2
        if middle / WHOLE < share:
            low = middle + 1
        else:
            high = middle
    return low


def many(mean: float, drawn: int) -> int:
    """Return a Poisson number of this mean for a 64-bit lot."""
    at = (drawn + 0.5) / WHOLE
    if mean >= _NORMAL:
        return max(0, round(mean + sqrt(mean) * NormalDist().inv_cdf(min(max(at, 1e-12), 1 - 1e-12))))
    n, chance = 0, exp(-mean)
    passed = chance
    while passed < at and n < 10 * _NORMAL:
        n += 1
        chance *= mean / n
        passed += chance
    return n

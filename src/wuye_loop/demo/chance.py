"""Chance that depends on what is decided and not on who asks first: many clients at once leave the play the same."""

from collections.abc import Sequence
from hashlib import blake2b
from typing import Final, TypeVar

T = TypeVar("T")
_WHOLE: Final = 2**64


class Chance:
    """A seeded die: the same seed and the same question always fall the same way."""

    def __init__(self, seed: int) -> None:
        self._key = seed.to_bytes(8, "big", signed=True)

    def roll(self, *question: object) -> float:
        """Return a number from 0 up to 1 for this question."""
        digest = blake2b("\x1f".join(map(str, question)).encode(), key=self._key, digest_size=8).digest()
        return int.from_bytes(digest, "big") / _WHOLE

    def happens(self, share: float, *question: object) -> bool:
        """Say yes in this share of all questions."""
        return self.roll(*question) < share

    def pick(self, among: Sequence[T], *question: object) -> T:
        """Return one of several, each as likely as the others."""
        return among[int(self.roll(*question) * len(among))]

    def between(self, low: int, high: int, *question: object) -> int:
        """Return a whole number from low to high, both included."""
        return low + int(self.roll(*question) * (high - low + 1))

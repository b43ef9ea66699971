"""Time and chance, the two things a program must be handed: everything else in the house receives them from here."""

import random
import secrets
import uuid
from datetime import UTC, datetime, timedelta
from typing import Protocol

import uuid_utils.compat

_MAX_RANDOM_BITS = 62
_SPOKEN = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


class Clock(Protocol):
    """Tells the time."""

    def now(self) -> datetime:
        """Return the present instant, aware, in UTC."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        """Return the machine's present instant in UTC."""
        return datetime.now(UTC)


class SettableClock:
    """A clock that can be moved: it stands still at `instant`, or runs with the machine when none is given.

    Tests use the first form; a rehearsal (演练), where people try out next week's deadlines today, uses the second.
    """

    def __init__(self, instant: datetime | None = None) -> None:
        self._system = SystemClock()
        self._instant = None if instant is None else _aware(instant)
        self._offset = timedelta()

    @property
    def offset(self) -> timedelta:
        """How far a running clock has been moved from the machine's; zero for one that stands still."""
        return self._offset

    def now(self) -> datetime:
        """Return the instant this clock was moved to, plus the time since when it runs."""
        return self._system.now() + self._offset if self._instant is None else self._instant

    def set(self, instant: datetime) -> None:
        """Move to an aware instant, forwards or backwards; ValueError for a naive one."""
        if self._instant is None:
            self._offset = _aware(instant) - self._system.now()
        else:
            self._instant = _aware(instant)

    def advance(self, by: timedelta) -> datetime:
        """Move by a span, which may be negative, and return the new time."""
        if self._instant is None:
            self._offset += by
        else:
            self._instant += by
        return self.now()


def unmoved(clock: Clock) -> datetime:
    """Return what a clock shows that nobody has moved: others, an identity system or a telephone, know of no rehearsal."""
    return clock.now() - clock.offset if isinstance(clock, SettableClock) else clock.now()


class Ids(Protocol):
    """Makes identifiers and secrets."""

    def new(self) -> uuid.UUID:
        """Return a fresh UUID version 7: unique, and sorted by the time of its making."""
        ...

    def token(self, nbytes: int) -> str:
        """Return `nbytes` of randomness as URL-safe text without padding."""
        ...

    def code(self, length: int) -> str:
        """Return `length` characters that a person can read out: digits and capitals without I, L, O, U."""
        ...


class SystemIds:
    """Identifiers from the machine's own randomness; the only kind that may guard anything."""

    def new(self) -> uuid.UUID:
        """Return a fresh UUID version 7 (RFC 9562)."""
        return uuid_utils.compat.uuid7()

    def token(self, nbytes: int) -> str:
        """Return `nbytes` bytes of unguessable randomness as URL-safe text."""
        return secrets.token_urlsafe(nbytes)

    def code(self, length: int) -> str:
        """Return `length` unguessable characters that a person can read out; five bits each."""
        return "".join(_SPOKEN[byte & 31] for byte in secrets.token_bytes(length))


class SeededIds:
    """The same identifiers in the same order for the same seed; for tests and simulations, never for secrets."""

    def __init__(self, seed: int, start: datetime = datetime(2026, 1, 1, tzinfo=UTC)) -> None:
        self._random = random.Random(seed)  # noqa: S311 a seeded sequence is the point
        self._millisecond = int(start.timestamp() * 1000)

    def new(self) -> uuid.UUID:
        """Return the next UUID version 7 of the sequence, each one a millisecond after the last."""
        self._millisecond += 1
        high = (self._millisecond << 16) | (0x7 << 12) | self._random.getrandbits(12)
        low = (0b10 << _MAX_RANDOM_BITS) | self._random.getrandbits(_MAX_RANDOM_BITS)
        return uuid.UUID(int=(high << 64) | low)

    def token(self, nbytes: int) -> str:
        """Return the next `nbytes` bytes of the sequence as URL-safe text."""
        alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
        return "".join(self._random.choice(alphabet) for _ in range((nbytes * 8 + 5) // 6))

    def code(self, length: int) -> str:
        """Return the next `length` characters of the sequence that a person can read out."""
        return "".join(self._random.choice(_SPOKEN) for _ in range(length))


def _aware(instant: datetime) -> datetime:
    if instant.tzinfo is None:
        raise ValueError(f"a clock needs an instant with its offset from UTC, not the naive {instant.isoformat()}")
    return instant.astimezone(UTC)

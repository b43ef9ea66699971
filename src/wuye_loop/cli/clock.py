"""The time that commands go by: the machine's own, unless whoever runs them hands in another (tests do)."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

from wuye_loop.ports import Clock, SystemClock

_handed: Final[ContextVar[Clock | None]] = ContextVar("clock", default=None)


def clock() -> Clock:
    """Return the clock that commands go by now."""
    return _handed.get() or SystemClock()


@contextmanager
def going_by(handed: Clock) -> Iterator[None]:
    """Let commands inside the block go by this clock."""
    token = _handed.set(handed)
    try:
        yield
    finally:
        _handed.reset(token)

import contextlib
import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from enum import Enum, auto
from time import monotonic
from typing import Final

_log = logging.getLogger(__name__)

LOOK_SECONDS: Final = 0.5  # between two looks; each is one connection to a socket
WINDOW: Final = 600.0  # seconds for which a start is remembered
LONGEST: Final = 30.0  # seconds between two starts, however many there were


class State(Enum):
    """What a look at the server came to: it runs, it had died and was started, or somebody stopped it on purpose."""

    RUNS = auto()
    STARTED = auto()
    STOPPED = auto()


def pause(starts: Sequence[float], now: float) -> float:
    """Return how many seconds to wait before the next start, given when the earlier ones were tried, the oldest first.

    At once, then 1, 2, 4, 8, 16, at last 30 seconds after the one before: what dies again and again is not started in a
    circle, and ten quiet minutes forget it all.
    """
    recent = [at for at in starts if at > now - WINDOW]
    return max(0.0, recent[-1] + min(LONGEST, 2.0 ** (len(recent) - 1)) - now) if recent else 0.0


class Watch:
    """Looks after a server in a thread of its own, as long as the block of `told` lasts.

    `look` says how the server is and starts it again where it has died; it raises PostgresError where it cannot.
    """

    def __init__(self, look: Callable[[], State], *, every: float = LOOK_SECONDS) -> None:
        self._look, self._every = look, every
        self._starts: list[float] = []
        self._over = threading.Event()
        self._left_alone = False

    @contextlib.contextmanager
    def told(self, started: Callable[[], None]) -> Iterator[None]:
        """Watch while the block runs; `started` is called after each start."""
        thread = threading.Thread(target=self._watch, args=(started,), name="postgres-watch", daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._over.set()
            thread.join()

    def _watch(self, started: Callable[[], None]) -> None:
        wait = self._every
        while not self._over.wait(wait):
            wait = self._every
            began = monotonic()
            try:
                state = self._look()
            except Exception as error:  # noqa: BLE001 whatever it is, it is logged, and there is a next try
                _log.error("内嵌数据库没有启动起来 / the embedded server did not start: %s", error)
                state = None
            if state in (State.STARTED, None):
                self._starts = [*(at for at in self._starts if at > began - WINDOW), began]
                wait = max(self._every, pause(self._starts, monotonic()))
            if state is State.STARTED:
                started()
                _log.error("内嵌数据库不在了，已重新启动 / the embedded server had died and was started again")
            if state is State.STOPPED and not self._left_alone:
                _log.warning(
                    "内嵌数据库被人停下，不再自动启动 / the embedded server was stopped on purpose; it is left alone"
                )
            self._left_alone = state is State.STOPPED

"""Files written anew, a few at a time, each by a process of its own."""

import subprocess
import sys
from dataclasses import dataclass
from functools import partial

import anyio
import anyio.to_thread

from wuye_loop.domain.errors import BadInput, Unavailable
from wuye_loop.uploads.bounds import REASONS, Bounds
from wuye_loop.uploads.decoding import REFUSED

_COMMAND = (sys.executable, "-P", "-s", "-E", "-m", "wuye_loop.uploads.decoding")
_ENVIRONMENT = {"LANG": "C.UTF-8", "OMP_NUM_THREADS": "1"}  # and none of ours: it may hold a key
_GRACE_SECONDS = 5  # beyond its own bound on processor time, when the machine is busy
_MOST_WAITING = 200


@dataclass(frozen=True, slots=True)
class Rewritten:
    """What is kept of a file."""

    media_type: str
    content: bytes


class Rewriting:
    """Decodes and encodes anew, at most `at_once` files at the same time; one per application."""

    def __init__(self, bounds: Bounds, at_once: int = 2) -> None:
        self._bounds = bounds
        self._room = anyio.CapacityLimiter(at_once)

    async def rewrite(self, content: bytes, kind: str) -> Rewritten:
        """Return what is kept of a file of one of kinds.TAKEN.

        Raises BadInput, in words, for one that is not taken; Unavailable when too many wait.
        """
        if self._room.statistics().tasks_waiting >= _MOST_WAITING:
            raise Unavailable("正在处理的文件太多，请稍后再传", retry_after=5)
        return await anyio.to_thread.run_sync(partial(rewrite, content, kind, self._bounds), limiter=self._room)


def rewrite(content: bytes, kind: str, bounds: Bounds) -> Rewritten:
    """Do the same in this thread. Raises BadInput."""
    try:
        done = subprocess.run(  # noqa: S603 our own module
            [*_COMMAND, kind, bounds.as_text()],
            input=content,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=_ENVIRONMENT,
            timeout=2 * bounds.seconds + _GRACE_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise BadInput(REASONS["costly"]) from None
    if done.returncode == 0:
        media_type, _, written = done.stdout.partition(b"\n")
        return Rewritten(media_type.decode(), written)
    reason = done.stdout.decode("ascii", "replace") if done.returncode == REFUSED else "costly"
    raise BadInput(REASONS.get(reason, REASONS["broken"]))

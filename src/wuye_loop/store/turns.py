"""Turns at something of which there are few: those who wait are served name by name, so that nobody's many hold up another's one."""

import asyncio
from collections import OrderedDict, deque
from dataclasses import dataclass, field


@dataclass(slots=True)
class Turns:
    """So many at once; of one event loop. A name that waits with many gets one turn, then the next name gets one."""

    free: int
    _waiting: OrderedDict[str, deque[asyncio.Future[None]]] = field(default_factory=OrderedDict)

    async def take(self, name: str) -> None:
        """Wait for a turn; who is cancelled while waiting has none."""
        if self.free:  # then nobody waits
            self.free -= 1
            return
        mine: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(name, deque()).append(mine)
        try:
            await mine
        except asyncio.CancelledError:
            if mine.done() and not mine.cancelled():
                self.give()
            raise

    def give(self) -> None:
        """End a turn: the next name's first has it."""
        while self._waiting:
            name, queue = self._waiting.popitem(last=False)
            first = queue.popleft()
            if queue:
                self._waiting[name] = queue
            if not first.done():
                first.set_result(None)
                return
        self.free += 1

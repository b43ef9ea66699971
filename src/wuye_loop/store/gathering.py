"""Gathers what comes while others are at work, to be done together; who comes alone is not kept waiting."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Hashable, Sequence
from contextvars import Context
from dataclasses import dataclass, field
from typing import Generic, TypeVar

M = TypeVar("M")
R = TypeVar("R")


@dataclass(slots=True)
class Gathering(Generic[M, R]):
    """Does what is given to it in groups, of one event loop.

    A group is at most `most`, no two of one `name`. While fewer than `at_once` groups are at work, the next begins as soon
    as somebody comes; else when one of them ends, and after `longest` seconds without. No more than `most_at_once` ever.
    `work` answers in its order; what it raises, each of the group gets. Nothing of a member's context (its request's id,
    its language) is there.
    """

    work: Callable[[Sequence[M]], Awaitable[Sequence[R]]]
    name: Callable[[M], Hashable]
    most: int
    at_once: int
    most_at_once: int
    longest: float
    _waiting: deque[tuple[M, asyncio.Future[R]]] = field(default_factory=deque)
    _groups: set[asyncio.Task[None]] = field(default_factory=set)
    _soon: bool = False
    _late: asyncio.TimerHandle | None = None

    async def add(self, member: M) -> R:
        """Return what it came to. Who is cancelled while waiting is left out; who is at work already is not."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[R] = loop.create_future()
        self._waiting.append((member, answer))
        self._look()
        return await answer

    def _look(self) -> None:
        """Begin a group in this turn of the loop where one may begin: whoever comes in the same turn belongs to it."""
        if not self._waiting:
            return
        loop = asyncio.get_running_loop()
        if len(self._groups) < self.at_once:
            if not self._soon:
                self._soon = True
                loop.call_soon(self._begin)
        elif self._late is None and len(self._groups) < self.most_at_once:
            self._late = loop.call_later(self.longest, self._begin_late)

    def _begin_late(self) -> None:
        self._late = None
        self._begin()

    def _begin(self) -> None:
        self._soon = False
        if self._late is not None:
            self._late.cancel()
            self._late = None
        group = self._next()
        if group:
            # In a context of its own: it is no more the one's who began it than another's of the group.
            task = asyncio.get_running_loop().create_task(self._run(group), context=Context())
            self._groups.add(task)
            task.add_done_callback(self._ended)
        self._look()

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._groups.discard(task)
        self._look()

    def _next(self) -> list[tuple[M, asyncio.Future[R]]]:
        """Take the next group out of those who wait; of one name the first, the others keep their places."""
        group: dict[Hashable, tuple[M, asyncio.Future[R]]] = {}
        left: deque[tuple[M, asyncio.Future[R]]] = deque()
        while self._waiting and len(group) < self.most:
            member, answer = self._waiting.popleft()
            name = self.name(member)
            if answer.done():
                continue
            if name in group:
                left.append((member, answer))
            else:
                group[name] = member, answer
        self._waiting.extendleft(reversed(left))
        return list(group.values())

    async def _run(self, group: Sequence[tuple[M, asyncio.Future[R]]]) -> None:
        try:
            outcomes = await self.work([member for member, _ in group])
        except BaseException as error:
            for _, answer in group:
                if not answer.done():
                    answer.set_exception(error)
            if not isinstance(error, Exception):
                raise
        else:
            for (_, answer), outcome in zip(group, outcomes, strict=True):
                if not answer.done():
                    answer.set_result(outcome)

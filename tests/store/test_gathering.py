"""What comes while others are at work is done together; who comes alone is not kept waiting."""

import asyncio
from collections.abc import Sequence
from contextvars import ContextVar
from typing import Any

import pytest

from wuye_loop.store.gathering import Gathering

pytestmark = pytest.mark.anyio


class Work:
    """Work that ends when it is told to, with the groups that it was given."""

    def __init__(self) -> None:
        self.groups: list[list[str]] = []
        self.gate = asyncio.Event()
        self.fault: Exception | None = None

    async def __call__(self, members: Sequence[str]) -> list[str]:
        self.groups.append(list(members))
        await self.gate.wait()
        if self.fault is not None:
            raise self.fault
        return [member.upper() for member in members]


def gathering(work: Work, **more: Any) -> Gathering[str, str]:
    """Gather texts whose first letter is their name."""
    bounds = {"most": 3, "at_once": 1, "most_at_once": 2, "longest": 60.0} | more
    return Gathering(work, lambda text: text[0], **bounds)


async def turns(n: int = 5) -> None:
    """Let everything that can go on go on."""
    for _ in range(n):
        await asyncio.sleep(0)


async def test_who_comes_alone_begins_at_once_and_the_others_go_together_when_it_ends() -> None:
    work = Work()
    group = gathering(work)
    first = asyncio.create_task(group.add("a"))
    await turns()
    assert work.groups == [["a"]]
    rest = [asyncio.create_task(group.add(name)) for name in ("b", "c")]
    await turns()
    assert work.groups == [["a"]]
    work.gate.set()
    assert [await one for one in (first, *rest)] == ["A", "B", "C"]
    assert work.groups == [["a"], ["b", "c"]]


async def test_no_two_of_one_name_are_in_a_group_and_they_keep_their_order() -> None:
    work = Work()
    work.gate.set()
    group = gathering(work)
    assert await asyncio.gather(*(group.add(one) for one in ("a1", "a2", "b1", "a3", "b2"))) == [
        "A1", "A2", "B1", "A3", "B2",
    ]  # fmt: skip
    assert work.groups == [["a1", "b1"], ["a2", "b2"], ["a3"]]


async def test_a_group_has_its_bound() -> None:
    work = Work()
    work.gate.set()
    group = gathering(work)
    await asyncio.gather(*map(group.add, "abcde"))
    assert work.groups == [["a", "b", "c"], ["d", "e"]]


async def test_nobody_waits_longer_than_the_bound_for_others_to_end() -> None:
    work = Work()
    group = gathering(work, longest=0.001)
    first = asyncio.create_task(group.add("a"))
    await turns()
    late = [asyncio.create_task(group.add(name)) for name in ("b", "c")]
    await asyncio.sleep(0.05)
    assert work.groups == [["a"], ["b", "c"]]
    last = asyncio.create_task(group.add("d"))  # and yet there are never more than two
    await asyncio.sleep(0.01)
    assert len(work.groups) == 2
    work.gate.set()
    assert [await one for one in (first, *late, last)] == ["A", "B", "C", "D"]


async def test_what_fails_is_told_to_each_of_the_group_and_to_nobody_else() -> None:
    work = Work()
    group = gathering(work)
    first = asyncio.create_task(group.add("a"))
    await turns()
    rest = [asyncio.create_task(group.add(name)) for name in ("b", "c")]
    work.fault = OSError("planted")
    work.gate.set()
    answers = await asyncio.gather(first, *rest, return_exceptions=True)
    assert [str(one) for one in answers] == ["planted"] * 3
    work.fault = None
    assert await group.add("d") == "D"


async def test_who_goes_away_while_waiting_is_left_out_and_the_work_of_others_goes_on() -> None:
    work = Work()
    group = gathering(work)
    first = asyncio.create_task(group.add("a"))
    await turns()
    gone, stays = (asyncio.create_task(group.add(name)) for name in ("b", "c"))
    await turns()
    gone.cancel()
    first.cancel()  # its group is at work: it ends all the same
    await turns()
    work.gate.set()
    assert await stays == "C"
    assert work.groups == [["a"], ["c"]]


async def test_nothing_of_who_began_a_group_is_known_in_it() -> None:
    mine = ContextVar("mine", default="nobody's")

    async def work(members: Sequence[str]) -> list[str]:
        return [mine.get() for _ in members]

    group = Gathering(work, lambda text: text, 3, 1, 1, 60.0)

    async def asking(name: str) -> str:
        mine.set(name)
        return await group.add(name)

    assert await asyncio.gather(*map(asking, ("a", "b"))) == ["nobody's", "nobody's"]
    assert await asking("c") == "nobody's"

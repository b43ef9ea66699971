"""Turns name by name: as many at once as there are, nobody forgotten, none lost with who gives up waiting."""

import asyncio
from contextlib import suppress

import pytest

from wuye_loop.store.turns import Turns

pytestmark = pytest.mark.anyio


async def test_names_are_served_in_turn_and_no_more_at_once_than_there_are() -> None:
    turns, order, at_work, most = Turns(2), list[str](), 0, 0

    async def work(name: str) -> None:
        nonlocal at_work, most
        await turns.take(name)
        at_work += 1
        most = max(most, at_work)
        await asyncio.sleep(0)
        order.append(name)
        at_work -= 1
        turns.give()

    await asyncio.gather(*(work(name) for name in "aaaaaabbc"))
    assert (most, turns.free) == (2, 2)
    assert order == ["a", "a", "a", "b", "c", "a", "b", "a", "a"]


async def test_who_gives_up_waiting_leaves_the_turn_to_the_next() -> None:
    turns = Turns(1)
    await turns.take("a")
    first, second, third = (asyncio.ensure_future(turns.take("b")) for _ in range(3))
    await asyncio.sleep(0)
    first.cancel()  # while waiting
    await asyncio.sleep(0)
    turns.give()
    second.cancel()  # in the moment in which it had its turn
    with suppress(asyncio.CancelledError):
        await second
    await asyncio.wait_for(third, 1)
    turns.give()
    assert turns.free == 1

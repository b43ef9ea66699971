"""A crowd takes turns at half of the connections; whoever is none of it never waits for them."""

import asyncio
from dataclasses import replace

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from wuye_loop.store.database import Database, of_the_crowd

pytestmark = pytest.mark.anyio


async def test_none_of_a_crowd_is_refused_and_nobody_else_waits_for_it(database: Database) -> None:
    small = replace(database, pool_size=2, pool_timeout_seconds=0.05)
    done: list[str] = []

    def slow(session: Session) -> None:
        session.execute(text("SELECT pg_sleep(0.1)"))

    def quick(session: Session) -> None:
        session.execute(text("SELECT 1"))

    async def one_of_many() -> None:
        of_the_crowd.set("192.0.2.1")
        await small.read_async(slow)
        done.append("crowd")

    async def hotline() -> None:
        await asyncio.sleep(0.15)
        for _ in range(3):
            await small.write_async(quick)
        done.append("hotline")

    await asyncio.gather(*(one_of_many() for _ in range(6)), hotline())
    await small.dispose_async()
    assert len(done) == 7
    assert done.index("hotline") < 6


async def test_one_address_with_many_does_not_hold_up_another_with_one(database: Database) -> None:
    small = replace(database, pool_size=2)
    done: list[str] = []

    async def one_from(address: str) -> None:
        of_the_crowd.set(address)
        await small.read_async(lambda session: session.execute(text("SELECT pg_sleep(0.02)")))
        done.append(address)

    await asyncio.gather(*(one_from("192.0.2.1") for _ in range(8)), one_from("192.0.2.2"))
    await small.dispose_async()
    assert done.index("192.0.2.2") <= 2

from collections.abc import AsyncIterator

import pytest
from tests.site import Driver, driving, town_on

from wuye_loop.store.database import Database


@pytest.fixture
async def driver(database: Database) -> AsyncIterator[Driver]:
    """Give hands for a fresh town."""
    with town_on(database) as town:
        async with driving(town) as hands:
            yield hands

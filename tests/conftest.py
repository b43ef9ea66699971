import gc
from collections.abc import Iterator
from importlib.util import find_spec
from itertools import count

import pytest

from tests.database import clone, server, template
from wuye_loop.domain.grievance.ledger import Chain
from wuye_loop.domain.privacy.macs import MacKeys
from wuye_loop.store.database import Database

#: What looks at pages in a browser has its own command, and what it needs installed (`make browser`).
collect_ignore = [] if find_spec("playwright") else ["browser"]
CHAIN = Chain(MacKeys.of(b"t" * 32))  # until an installation brings its own
_numbers = count(1)


def pytest_sessionstart() -> None:
    """Look for no circles while tests are collected: what that makes all stays."""
    gc.disable()


def pytest_collection_finish() -> None:
    """Leave out what stays, and look seldom: circles were looked for in an eighth of the time of the tests."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
    gc.enable()


@pytest.fixture(scope="session")
def server_url() -> Iterator[str]:
    """URL of the server all tests share."""
    with server() as url:
        yield url


@pytest.fixture(scope="session")
def template_url(server_url: str) -> Iterator[str]:
    """URL of the migrated database that each test's own is copied from; nobody else may be connected to it."""
    with template(server_url) as url:
        yield url


@pytest.fixture
def database_url(template_url: str) -> Iterator[str]:
    """URL of a migrated database of this test's own."""
    with clone(template_url, next(_numbers)) as url:
        yield url


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """Give a migrated, empty database of this test's own; who uses `async_engine` awaits `dispose_async` itself."""
    own = Database(database_url, pool_size=5, chain=lambda: CHAIN)
    yield own
    own.dispose()


@pytest.fixture
def anyio_backend() -> str:
    """Async tests (`@pytest.mark.anyio`) run on asyncio, as the program does."""
    return "asyncio"

import gc
from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec
from itertools import count
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.database import clone, server, template
from wuye_loop.authoring.checker import check
from wuye_loop.domain.grievance.ledger import Chain
from wuye_loop.domain.privacy.macs import MacKeys
from wuye_loop.domain.rulefile.definition import parse
from wuye_loop.store import reference_cache
from wuye_loop.store.calendar import working_days
from wuye_loop.store.calendar.seed import seed_days
from wuye_loop.store.calendar.working_days import read_calendar
from wuye_loop.store.database import Database

#: What looks at pages in a browser has its own command, and what it needs installed (`make browser`).
collect_ignore = [] if find_spec("playwright") else ["browser"]
# How long a draw takes on a busy machine says nothing of what is drawn.
settings.register_profile("suite", suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("suite")
TESTS = Path(__file__).parent
LONG = {"stories", "serving", "demo", "postgres", "house", "cli", "web", "loop", "api", "store"}
CHAIN = Chain(MacKeys.of(b"t" * 32))  # until an installation brings its own
_numbers = count(1)


def pytest_sessionstart() -> None:
    """Look for no circles while tests are collected: what that makes all stays."""
    gc.disable()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the rooms whose files take long: at the end small ones fill what time the workers have left."""
    items.sort(key=lambda item: item.path.relative_to(TESTS).parts[0] not in LONG)


def pytest_collection_finish() -> None:
    """Leave out what stays, and look seldom: circles were looked for in an eighth of the time of the tests."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
    gc.enable()


@pytest.fixture(scope="session", autouse=True)
def _what_never_changes_is_read_once() -> Iterator[None]:
    """Keep for the run what every town would work out for itself from the same rows: its workflow, its calendar."""
    kept: dict[object, object] = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reference_cache, "parse", cache(parse))
        patch.setattr(check, "load", cache(check.load))  # by which an empty installation publishes its files
        patch.setattr(working_days, "seed_days", cache(seed_days))
        patch.setattr(reference_cache, "read_calendar", lambda *of: kept.setdefault(found := read_calendar(*of), found))
        yield


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

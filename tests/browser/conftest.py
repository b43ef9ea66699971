import os
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser
from tests.browser.stage import chromium, played


@pytest.fixture(scope="session")
def address() -> Iterator[str]:
    """Address of a demonstration that was played for thirty days, or of one that is on already (`LOOK_AT=http://…`)."""
    if os.environ.get("LOOK_AT"):
        yield os.environ["LOOK_AT"]
        return
    with played() as found:
        yield found


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Give the browser that all looks share."""
    with chromium() as found:
        yield found

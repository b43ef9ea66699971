from collections.abc import Iterator

import pytest
from tests.site import Town, town_on
from tests.web.browsing import account

from wuye_loop.store.database import Database


@pytest.fixture
def town(database: Database) -> Iterator[Town]:
    """Give the small district with one account for each of those who sign in."""
    with town_on(database) as made:
        for unit in ("property-centre", "market", "company-1", "command-office"):
            account(made, unit, "unit", unit=unit)
        account(made, "seat", "hotline", reveal=True)
        account(made, "chief", "supervisor", area="3707")
        account(made, "root", "admin")
        account(made, "auditor", "auditor")
        yield made

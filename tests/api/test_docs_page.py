"""The page of the contract: complete, and loading nothing from anywhere."""

import re

import pytest
from tests.site import driving, town_on

from wuye_loop.store.database import Database

pytestmark = pytest.mark.anyio


async def test_the_page_shows_every_door_and_loads_nothing(database: Database) -> None:
    with town_on(database) as town:
        async with driving(town) as driver:
            page = (await driver.client.get("/docs")).text
            contract = (await driver.client.get("/v1/openapi.json")).json()
    for path in contract["paths"]:
        assert f"<code>{path}</code>" in page, path
    assert not re.search(r"<script|src=|https?://", page)
    assert "三号楼电梯停运两天" in page


async def test_every_door_of_the_contract_has_an_example_or_no_body(database: Database) -> None:
    with town_on(database) as town:
        async with driving(town) as driver:
            contract = (await driver.client.get("/v1/openapi.json")).json()
    bare = []
    for path, verbs in contract["paths"].items():
        for verb, door in verbs.items():
            good = [answer for status, answer in door["responses"].items() if status.startswith("2")]
            text = str(good)
            if path.startswith("/v1/") and "example" not in text and "$ref" not in text:
                bare.append(f"{verb} {path}")
    assert bare == []

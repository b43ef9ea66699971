"""The register of numbered documents: by series, by unit, by number, within jurisdiction."""

from typing import Any
from urllib.parse import quote

import pytest
from tests.site import Driver

pytestmark = pytest.mark.anyio


async def issue(driver: Driver, external_id: str, document: str = "督办单", estate: str = "E1") -> str:
    number = await driver.push(external_id, place={"estate": estate})
    await driver.walk(number, "accept", "sign")
    order = {"grievance": number, "document": document}
    return str((await driver.post("supervisor", "/v1/supervision/orders", order, expect=201))["document_number"])


async def test_anonymous_is_refused(driver: Driver) -> None:
    for path in ["/v1/documents", "/v1/documents/x"]:
        await driver.get(None, path, expect=401)


async def test_a_document_says_to_whom_it_went_and_which_task_it_opened(driver: Driver) -> None:
    number = await issue(driver, "a1")
    assert number == "奎督〔2026〕1号"
    shown = await driver.get("market", f"/v1/documents/{quote(number)}")
    assert (shown["kind"], shown["n"], shown["addressee_name"]) == ("督办单", 1, "区market部门")
    assert [copy["unit"] for copy in shown["copies"]] == ["property-centre"]
    assert (shown["task"]["kind"], shown["task"]["state_title"]) == ("supervision_order", "已签发")
    assert shown["grievance"].startswith("WY260302-")


async def test_jurisdiction_and_audience_decide_who_reads_a_document(driver: Driver) -> None:
    number = await issue(driver, "a1")
    for who, status in [
        ("supervisor-1", 200),
        ("supervisor-2", 404),
        ("market", 200),
        ("housing", 404),
        ("company-2", 404),
        ("property-centre", 200),
        ("auditor", 200),
        ("hotline", 404),
        ("other-hotline", 404),
    ]:
        await driver.get(who, f"/v1/documents/{quote(number)}", expect=status)
        listed = (await driver.get(who, "/v1/documents"))["items"]
        assert [item["number"] for item in listed] == ([number] if status == 200 else [])


async def test_the_register_is_narrowed_by_series_kind_and_unit_and_paged_newest_first(driver: Driver) -> None:
    first = await issue(driver, "a1")
    second = await issue(driver, "a2", "挂牌督办")
    third = await issue(driver, "a3", estate="E2")

    async def numbers(query: str) -> list[str]:
        return [item["number"] for item in (await driver.get("supervisor", f"/v1/documents?{query}"))["items"]]

    assert set(await numbers("")) == {first, second, third}
    assert set(await numbers("series=督办单")) == {first, third}
    assert await numbers(f"series={quote('奎挂督〔{year}〕{n}号')}") == [second]
    assert set(await numbers("unit=market")) == {first, second, third}
    assert set(await numbers("unit=property-centre")) == {first, second, third}
    assert await numbers("unit=housing") == []
    seen: list[Any] = []
    path = "/v1/documents?limit=1"
    while path:
        answer = await driver.client.get(path, headers=driver.headers("supervisor"))
        seen.extend(item["number"] for item in answer.json()["items"])
        path = answer.links["next"]["url"] if "next" in answer.links else ""
    assert sorted(seen) == sorted({first, second, third})


async def test_of_one_moment_the_higher_number_is_first_and_no_page_leaves_one_out(driver: Driver) -> None:
    numbers = [await issue(driver, f"n{n}") for n in range(11)]
    at_once = "UPDATE document SET issued_at = (SELECT min(issued_at) FROM document)"
    driver.town.database.write(lambda session: session.connection().exec_driver_sql(at_once))
    seen: list[str] = []
    path = "/v1/documents?limit=2"
    while path:
        answer = await driver.client.get(path, headers=driver.headers("supervisor"))
        seen += [item["number"] for item in answer.json()["items"]]
        path = answer.links["next"]["url"] if "next" in answer.links else ""
    assert seen == numbers[::-1]


async def test_a_bad_question_is_refused(driver: Driver) -> None:
    for path in ["/v1/documents?cursor=x", "/v1/documents?kind=x", "/v1/documents?limit=0"]:
        await driver.get("supervisor", path, expect=422)


async def test_a_number_that_was_never_given_is_not_there(driver: Driver) -> None:
    await driver.get("supervisor", f"/v1/documents/{quote('奎督〔2026〕99号')}", expect=404)
    await driver.get("supervisor", f"/v1/documents/{quote('奎督 %_')}", expect=422)

"""Published workflows over HTTP: listed, read, drawn."""

from datetime import timedelta

import pytest
from tests.site import Driver, text_of

pytestmark = pytest.mark.anyio


async def test_anonymous_is_refused(driver: Driver) -> None:
    for path in ["", "/kuiwen@1", "/kuiwen@1/diagram"]:
        await driver.get(None, f"/v1/workflows{path}", expect=401)
        await driver.get("hotline", f"/v1/workflows{path}", expect=403)


async def test_a_published_version_is_listed_and_read_as_it_was_written(driver: Driver) -> None:
    (head,) = (await driver.get("market", "/v1/workflows"))["items"]
    assert (head["id"], head["default"]) == ("kuiwen@1", True)
    one = await driver.get("auditor", "/v1/workflows/kuiwen@1")
    assert one["text"] == text_of("kuiwen@1")
    assert one["sha256"] == head["sha256"]
    said = one["summary"]
    assert [stage["title"] for stage in said["stages"]] == [
        "统一收集", "问题转办", "单位承办", "升级督办", "意见反馈", "评价考核",
    ]  # fmt: skip
    assert said["clocks"]["handle"]["ladder"][1] == {"at": "due", "does": "红牌警示、升级督办"}
    assert "5 个工作日" in said["clocks"]["handle"]["limits"]
    assert said["tasks"]["supervision_order"]["title"] == "督办单"


async def test_a_workflow_is_drawn_as_mermaid_or_svg(driver: Driver) -> None:
    path = "/v1/workflows/kuiwen@1/diagram"
    text = await driver.client.get(path, headers=driver.headers("market"))
    assert text.headers["content-type"] == "text/plain; charset=utf-8"
    assert "stateDiagram" in text.text
    picture = await driver.client.get(f"{path}?format=svg", headers=driver.headers("market"))
    assert picture.headers["content-type"].startswith("image/svg+xml")
    assert picture.text.lstrip().startswith("<svg")


async def test_a_live_drawing_counts_what_its_reader_may_see(driver: Driver) -> None:
    first = await driver.push("a1")
    await driver.push("a2", place={"estate": "E2"})
    await driver.walk(first, "accept")
    driver.town.clock.advance(timedelta(days=20))
    path = "/v1/workflows/kuiwen@1/diagram?live=true"
    for who, received, assigned in [
        ("supervisor", "待受理（1 件，逾期 1）", "待签收（1 件，逾期 1）"),
        ("supervisor-1", "待受理（0 件）", "待签收（1 件，逾期 1）"),
        ("supervisor-2", "待受理（1 件，逾期 1）", "待签收（0 件）"),
        ("market", "待受理（0 件）", "待签收（1 件，逾期 1）"),
    ]:
        answer = await driver.client.get(path, headers=driver.headers(who))
        assert f'state "{received}" as s_received' in answer.text
        assert f'state "{assigned}" as s_assigned' in answer.text
    picture = await driver.client.get(f"{path}&format=svg", headers=driver.headers("supervisor"))
    assert "2026 年 3 月 22 日 09:00 在办 2 件，其中逾期 2 件" in picture.text
    await driver.get("hotline", "/v1/workflows/kuiwen@1/diagram?live=true", expect=403)


async def test_what_was_never_published_or_is_no_name_is_refused(driver: Driver) -> None:
    for path, status in [
        ("/kuiwen@2", 404),
        ("/kuiwen@2/diagram", 404),
        ("/kuiwen", 422),
        ("/KUIWEN@1", 422),
        ("/kuiwen@1?x=1", 422),
        ("/kuiwen@1/diagram?format=png", 422),
        ("/kuiwen@1/diagram?live=perhaps", 422),
        ("?x=1", 422),
    ]:
        await driver.get("admin", f"/v1/workflows{path}", expect=status)

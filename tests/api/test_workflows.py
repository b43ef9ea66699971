"""Published workflows over HTTP: listed, read, drawn."""

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


async def test_what_was_never_published_or_is_no_name_is_refused(driver: Driver) -> None:
    for path, status in [
        ("/kuiwen@2", 404),
        ("/kuiwen@2/diagram", 404),
        ("/kuiwen", 422),
        ("/KUIWEN@1", 422),
        ("/kuiwen@1?x=1", 422),
        ("/kuiwen@1/diagram?format=png", 422),
        ("?x=1", 422),
    ]:
        await driver.get("admin", f"/v1/workflows{path}", expect=status)

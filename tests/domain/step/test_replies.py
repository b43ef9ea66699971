"""Texts offered for an answer to the public: by state and category, beside the form, never a word of what was sent."""

from pathlib import Path

import pytest
from tests.site import FINISH, build, story, text_of

from wuye_loop.authoring.checker.check import check, load
from wuye_loop.authoring.diff.compare import differences
from wuye_loop.store.database import Database

pytestmark = pytest.mark.anyio


def changed(was: str, now: str) -> str:
    own, seam, base = text_of("standard@1").partition("\n--- #")
    assert own.count(was) == 1
    return own.replace(was, now) + seam + base


async def test_they_come_with_the_form_and_what_is_sent_is_kept_as_it_was_sent(
    database: Database, tmp_path: Path
) -> None:
    async with story(build(database, data=tmp_path, workflow="standard@1")) as driver:
        number = await driver.push(category="电梯")
        path = f"/v1/grievances/{number}/actions"
        refuse = next(
            one for one in (await driver.get("property-centre", path))["actions"] if one["action"] == "refuse"
        )
        assert [one["title"] for one in refuse["replies"]] == ["不属于受理范围"]
        await driver.act("property-centre", number, "accept", {})
        await driver.act("office-1", number, "sign")
        offers = {one["action"]: one for one in (await driver.get("office-1", path))["actions"]}
        assert [one["title"] for one in offers["finish"]["replies"]] == ["已修复", "需要时间"]
        assert offers["finish"]["replies"][0]["fields"] == ["public_reply"]
        assert "replies" not in offers["contact"]
        sent = offers["finish"]["replies"][0]["text"].replace("试用正常", "试用三次都正常")
        await driver.act("office-1", number, "finish", FINISH | {"public_reply": sent})
        rows = (await driver.get("property-centre", f"/v1/grievances/{number}/ledger"))["items"]
        assert next(row for row in rows if row["action"] == "finish")["facts"]["public_reply"] == sent


@pytest.mark.parametrize(
    ("was", "now", "says"),
    [
        ("{title: 已修复, when", "{title: 已修复, in: [rating], when", "没有一个动作填写给公众的答复"),
        ("{title: 已修复, when", "{title: 已修复, in: [handlng], when", "没有状态“handlng”"),
        ("stage: [handle, escalate], category: [电梯", "stage: [handle, escalate], categry: [电梯", "categry"),
        ("when: {stage: collect}, text: 您", f"in: [received], text: {'很长' * 510}您", "比表单里能填的长"),
    ],
)
def test_the_checker_refuses_what_can_never_be_used(was: str, now: str, says: str) -> None:
    workflow, findings = check(changed(was, now), "standard@1.yaml")
    assert workflow is None
    assert any(says in one.message for one in findings), [str(one) for one in findings]


def test_the_difference_says_how_a_text_reads_now() -> None:
    old = load(text_of("standard@1"), "standard@1.yaml")
    new = load(changed("我们当场试用正常；", ""), "standard@1.yaml")
    assert any("答复参考“已修复”由" in change.words for change in differences(old, new))

"""One-time links: somebody without an account answers one task, in the unit's name, once and not for long."""

from datetime import timedelta

import pytest
from tests.site import Town
from tests.web.browsing import Browser, Visitors, browsing

pytestmark = pytest.mark.anyio


async def assisted(visitors: Visitors) -> tuple[str, str]:
    """Bring a grievance to where the company is to help; return its number and the task's id."""
    number = await visitors.api.push(complainant={"name": "王小明", "phone": "13812345678"})
    await visitors.api.walk(number, "accept", "sign")
    task = visitors.api.tasks(number, "assist")[0].id
    return number, str(task)


async def given(company: Browser, task: str, to: str = "供水公司抢修班") -> str:
    """Make a link on the page; return where it leads."""
    await company.go(f"/t/{task}/link")
    page = await company.send(f"/t/{task}/link", to=to)
    return "/k/" + page.text.partition("/k/")[2].split()[0]


async def test_a_link_answers_one_task_once_and_the_ledger_says_by_whose(town: Town) -> None:
    async with browsing(town) as visitors:
        number, task = await assisted(visitors)
        company = await visitors.person("company-1")
        page = await company.go(f"/g/{number}")
        assert f"/t/{task}/link" in page.links
        link = await given(company, task)
        outside = visitors.browser()
        page = await outside.go(link)
        assert "三号楼电梯停运" in page.text
        assert "供水公司抢修班" in page.text
        assert "王小明" not in outside.raw
        assert "13812345678" not in outside.raw
        await outside.send(f"{link}/sign")
        assert outside.path.endswith(link)
        page = await outside.send(f"{link}/done", expect=422)  # what is refused uses nothing up
        page = await outside.send(f"{link}/done", result="水压已恢复，电话 13812345678")
        assert "已办好" in page.text
        await outside.go(link, expect=404)
        assert next(one for one in visitors.api.tasks(number, "assist") if str(one.id) == task).final
        market = await visitors.person("market")
        page = await market.go(f"/g/{number}")
        assert "供水公司抢修班（凭某人company-1给的一次性链接）" in page.text
        assert "13812345678" not in market.raw
        assert [row.used for row in town.rows("SELECT used FROM task_link")] == [True]


async def test_a_link_ends_by_time_and_by_hand_and_opens_nothing_else(town: Town) -> None:
    async with browsing(town) as visitors:
        _, task = await assisted(visitors)
        company = await visitors.person("company-1")
        first, second = await given(company, task), await given(company, task)
        assert first != second
        assert first.removeprefix("/k/") not in str(town.rows("SELECT * FROM task_link"))
        page = await company.go(f"/t/{task}/link")
        (end, *_) = [form.action for form in page.forms if form.action.endswith("/end")]
        await company.send(end)
        outside = visitors.browser()
        gone = [link for link in (first, second) if (await outside.client.get(link)).status_code == 404]
        assert len(gone) == 1
        town.clock.advance(timedelta(days=4))
        for link in (first, second, "/k/nothing"):
            await outside.go(link, expect=404)


async def test_only_whom_a_task_lies_with_gives_a_link_for_it(town: Town) -> None:
    async with browsing(town) as visitors:
        number, task = await assisted(visitors)
        market = await visitors.person("market")  # it opened the task, and does not hold it
        page = await market.go(f"/g/{number}")
        assert f"/t/{task}/link" not in page.links
        await market.go(f"/t/{task}/link")
        await market.send(f"/t/{task}/link", to="自己人", expect=403)
        other = await visitors.person("property-centre")
        await other.go("/inbox")
        seat = await visitors.person("seat")
        await seat.go(f"/t/{task}/link", expect=403)
        company = await visitors.person("company-1")
        await company.go(f"/t/{task}/link")
        await company.send(f"/t/{task}/link", to="  ", expect=422)
        assert town.scalar("SELECT count(*) FROM task_link") == 0

"""Desks of people: who of a unit does what, who stands in, and the views that somebody keeps of a list."""

import pytest
from tests.site import Town
from tests.web.browsing import ORIGIN, Browser, account, browsing

pytestmark = pytest.mark.anyio


def listed(browser: Browser) -> set[str]:
    return {link.removeprefix("/g/").partition("#")[0] for link in browser.page.links if link.startswith("/g/")}


async def assigned(browser: Browser, to: str, *items: str) -> None:
    """Tick these and give them to somebody."""
    form = browser.page.form("/inbox/sign")
    data = {**form.values, "item": list(items), "to": to}
    await browser.client.post("/inbox/assign", data=data, headers={"Origin": ORIGIN}, follow_redirects=True)


async def test_items_are_given_taken_over_and_done_by_who_stands_in(town: Town) -> None:
    account(town, "wang", "unit", unit="market", name="王工")
    account(town, "zhao", "unit", unit="market", name="赵工")
    ids = {row.login: str(row.id) for row in town.rows("SELECT login, id FROM account")}
    async with browsing(town) as visitors:
        numbers = [await visitors.api.push(f"a{n}") for n in range(3)]
        for number in numbers:
            await visitors.api.walk(number, "accept")
        chief = await visitors.person("market")
        page = await chief.go("/inbox")
        assert "经办 王工" not in page.text
        await assigned(chief, ids["wang"], *numbers[:2])
        await assigned(chief, ids["property-centre"], numbers[2])  # nobody of this unit: nothing is done
        wang, zhao = await visitors.person("wang"), await visitors.person("zhao")
        page = await wang.go("/inbox?tab=mine")
        assert listed(wang) == set(numbers[:2])
        assert "经办 王工" in page.text
        await zhao.go("/inbox?tab=mine")
        assert listed(zhao) == set()
        await zhao.go("/inbox?tab=all")
        await assigned(zhao, ids["zhao"], numbers[1])  # taken over
        await wang.go("/team")
        await wang.send("/team/away", by=ids["wang"], until="2026-03-06", expect=422)
        await wang.send("/team/away", by=ids["zhao"], until="2026-01-01", expect=422)
        page = await wang.send("/team/away", by=ids["zhao"], until="2026-03-06")
        assert "赵工" in page.text
        page = await zhao.go("/inbox?tab=mine")
        assert listed(zhao) == set(numbers[:2])
        page = await wang.send("/team/back")
        await zhao.go("/inbox?tab=mine")
        assert listed(zhao) == {numbers[1]}


async def test_a_unit_gives_nothing_that_lies_with_another(town: Town) -> None:
    async with browsing(town) as visitors:
        number, own = await visitors.api.push("a1"), await visitors.api.push("a2")
        await visitors.api.walk(own, "accept")
        market = await visitors.person("market")
        await market.go("/inbox")
        me = str(town.scalar("SELECT id FROM account WHERE login = 'market'"))
        await assigned(market, me, number, own, "00000000-0000-7000-8000-000000000000", "'; --")
        rows = town.rows("SELECT g.number FROM assignee s JOIN grievance g ON g.id = s.item_id")
        assert [row.number for row in rows] == [own]


async def test_a_view_keeps_filters_and_counts_what_it_lists(town: Town) -> None:
    async with browsing(town) as visitors:
        for n in range(3):
            await visitors.api.push(f"a{n}")
        chief, root = await visitors.person("chief"), await visitors.person("root")
        await chief.go("/search?stage=collect&final=0")
        page = await chief.send("/search/views", title="<b>我盯的</b>")
        assert "<b>我盯的</b> 3" in page.text
        assert "/search?stage=collect&final=0" in page.links
        await visitors.api.push("a9")
        page = await chief.go("/search")
        assert "<b>我盯的</b> 4" in page.text
        await chief.send("/search/views", title=" ", expect=422)
        await chief.go("/search")
        await chief.send("/search/views", title="坏的", query="final=9", expect=422)
        await chief.go("/search?until=9999-12-31", expect=422)
        page = await root.go("/search")  # nobody else's
        assert "我盯的" not in page.text
        view = town.scalar("SELECT id FROM saved_view")
        await root.go("/search")
        token = root.page.form("/search/views").values["csrf"]
        await root.client.post(f"/search/views/{view}/drop", data={"csrf": token}, headers={"Origin": ORIGIN})
        assert town.scalar("SELECT count(*) FROM saved_view") == 1
        await chief.go("/search")
        page = await chief.send(f"/search/views/{view}/drop")
        assert "我盯的" not in page.text


async def test_a_draft_is_checked_compared_and_played_against_the_record_and_nothing_is_kept(town: Town) -> None:
    async with browsing(town) as visitors:
        for n in range(2):
            number = await visitors.api.push(f"a{n}")
            await visitors.api.walk(number, "accept", "sign")
        root, market = await visitors.person("root"), await visitors.person("market")
        await market.go("/rules/try", expect=403)
        before = town.scalar("SELECT count(*) FROM workflow")
        await root.go("/rules/try")
        draft = root.page.form("/rules/try").values["draft"]
        assert "name: kuiwen" in draft
        page = await root.send("/rules/try", against="kuiwen@1", days="30")
        assert "诉求 2 件，没有不同 2 件" in page.text
        assert "文字上没有不同" in page.text
        longer = draft.replace("5 workdays", "9 workdays")
        assert longer != draft
        page = await root.send("/rules/try", draft=longer, against="kuiwen@1", days="30")
        assert "有不同 2 件" in page.text
        assert "9 个工作日" in page.text
        page = await root.send("/rules/try", draft="name: [", against="kuiwen@1", days="30", expect=422)
        assert "错误" in page.text
        assert root.page.form("/rules/try").values["draft"].strip() == "name: ["
        root.client.cookies.set("lang", "en")
        wrong = draft.replace("to: handling", "to: handlng", 1)
        page = await root.send("/rules/try", draft=wrong, against="kuiwen@1", days="30", expect=422)
        assert "There is no" in page.text
        assert "did you mean handling?" in page.text
        await root.go("/rules/simulate")
        page = await root.send(
            "/rules/simulate", draft="name: [", against="kuiwen@1", per_day="4", span="90", expect=422
        )
        assert "Draft.yaml:1:" in page.text
        assert town.scalar("SELECT count(*) FROM workflow") == before

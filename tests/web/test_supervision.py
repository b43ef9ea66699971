import csv
import io
import re
from datetime import timedelta
from html import unescape

import pytest
from openpyxl import load_workbook
from tests import ROOT
from tests.site import Town
from tests.web.browsing import Browser, Visitors, account, browsing

from wuye_loop.store.directory.load import load_directory
from wuye_loop.web.staff.admin import _WHATS

pytestmark = pytest.mark.anyio


async def late(visitors: Visitors, town: Town) -> list[str]:
    """Let three lift cases of one street and one of another run late; return their numbers."""
    numbers = []
    for n, estate in enumerate(("E1", "E1", "E1", "E2")):
        number = await visitors.api.push(f"late-{n}", title=f"电梯第 {n} 次停运", place={"estate": estate})
        await visitors.api.walk(number, "accept", "sign")
        numbers.append(number)
    town.advance(timedelta(days=11))
    return numbers


def grievances_on(browser: Browser) -> set[str]:
    return {one.removeprefix("/g/") for one in browser.page.links if one.startswith("/g/")}


async def test_every_figure_of_the_board_opens_a_list_of_as_many(town: Town) -> None:
    async with browsing(town) as visitors:
        numbers = await late(visitors, town)
        await visitors.api.push("fresh")
        chief = await visitors.person("chief")
        page = await chief.go("/board")
        assert chief.path.endswith("/board")
        assert "超期未办 4 件" in page.text
        assert "重复反映" in page.text
        assert "3 件" in page.text
        await chief.go("/search?late=1")
        assert grievances_on(chief) == set(numbers)
        await chief.go("/search?late=1&area=370701")
        assert grievances_on(chief) == set(numbers[:3])
        await chief.go("/search?stage=collect&final=0")
        assert len(grievances_on(chief)) == 1
        page = await chief.go("/board?area=370702")
        assert "超期未办 1 件" in page.text
        await chief.go("/board?area=nowhere", expect=422)


PLACED = [
    {"code": "370701001", "name": "东一社区", "level": "community", "parent": "370701", "lon": 119.2, "lat": 36.7},
    {"code": "370702001", "name": "西一社区", "level": "community", "parent": "370702", "lon": 119.1, "lat": 36.7},
]


def tiles(browser: Browser) -> list[tuple[str, str]]:
    """Return the tiles of the page as they stand: where each leads, what it says."""
    shown = unescape(browser.raw.partition('id="tiles"')[2])
    return re.findall(r'<a href="([^"]+)" aria-label="([^"]+)"><rect', shown)


async def test_each_community_is_a_tile_with_the_chosen_figure_that_opens_as_many(town: Town) -> None:
    async with browsing(town) as visitors:
        numbers = await late(visitors, town)
        await visitors.api.push("fresh", place={"estate": "E2"})
        chief = await visitors.person("chief")
        page = await chief.go("/board")
        assert "2 个社区" in page.text
        assert "名录里没有写全经纬度" in page.text
        assert [words for _, words in tiles(chief)] == ["东关街道 东一社区 在办 3 件", "西关街道 西一社区 在办 2 件"]
        await chief.go("/board?tiles=overdue")
        seen = tiles(chief)
        assert [words for _, words in seen] == ["东关街道 东一社区 超期未办 3 件", "西关街道 西一社区 超期未办 1 件"]
        await chief.go(seen[0][0])
        assert grievances_on(chief) == set(numbers[:3])
        await chief.go("/board?tiles=repeat")
        assert [words.rpartition("重复反映 ")[2] for _, words in tiles(chief)] == ["1 组", "0 组"]
        page = await chief.go(tiles(chief)[0][0])
        assert "幸福苑" in page.text
        await chief.go("/board?tiles=heat", expect=422)


async def test_tiles_stand_as_the_communities_lie_and_show_no_more_than_the_reader_may_see(town: Town) -> None:
    town.run(lambda session: load_directory(session, {"areas": PLACED}))
    account(town, "west", "supervisor", area="370702")
    async with browsing(town) as visitors:
        await late(visitors, town)
        chief = await visitors.person("chief")
        page = await chief.go("/board")
        assert "位置是大致方位" in page.text
        assert [words.split()[1] for _, words in tiles(chief)] == ["东一社区", "西一社区"]
        xs = [
            float(x) for x in re.findall(r'aria-label="[^"]+"><rect x="([\d.]+)"', chief.raw.partition('id="tiles"')[2])
        ]
        assert xs[1] < xs[0]
        west = await visitors.person("west")
        await west.go("/board")
        assert [words for _, words in tiles(west)] == ["西关街道 西一社区 在办 1 件"]


async def test_the_board_opens_only_lists_that_are_there(town: Town) -> None:
    async with browsing(town) as visitors:
        await late(visitors, town)
        chief = await visitors.person("chief")
        page = await chief.go("/board")
        for link in sorted({one for one in page.links if one.startswith(("/search", "/board"))}):
            await chief.go(link)


async def test_an_order_is_seen_first_then_issued_once_with_the_next_number(town: Town) -> None:
    async with browsing(town) as visitors:
        numbers = await late(visitors, town)
        chief = await visitors.person("chief")
        page = await chief.go(f"/supervision?pick={numbers[0]}")
        assert "签发时取号" in page.text
        form = page.form(f"/supervision/{numbers[0]}")
        before = town.scalar("SELECT count(*) FROM document")
        for _ in range(2):
            chief.page.forms = [form]
            page = await chief.send(f"/supervision/{numbers[0]}", document="挂牌督办", demand="三日内到场")
            assert "三日内到场" in page.text
        assert town.scalar("SELECT count(*) FROM document") == before + 1
        (paper,) = re.findall(r"奎挂督〔2026〕\d+号", page.text)[:1]
        assert "抄送" in page.text
        page = await chief.go("/supervision/orders")
        assert paper in page.text
        page = await chief.go("/papers?kind=挂牌督办")
        assert paper in page.text
        market = await visitors.person("market")
        await market.go("/inbox")
        page = await market.go(f"/g/{numbers[0]}")
        assert paper in page.text
        assert "到级：红牌警示、升级督办" in page.text


async def test_a_supervisor_sees_the_own_street_and_no_other(town: Town) -> None:
    from tests.web.browsing import account  # noqa: PLC0415 one account more than the town has

    account(town, "street", "supervisor", area="370702")
    async with browsing(town) as visitors:
        numbers = await late(visitors, town)
        street = await visitors.person("street")
        for path in ("/board", "/supervision", "/search", "/papers"):
            await street.go(path)
            assert grievances_on(street) <= {numbers[3]}
        await street.go(f"/supervision?pick={numbers[0]}")
        assert "要签发的督办单" not in street.page.text
        await street.go("/board?area=370701", expect=422)


async def test_a_list_is_a_spreadsheet_without_formulas(town: Town) -> None:
    async with browsing(town) as visitors:
        await visitors.api.push(title="=HYPERLINK(1)")
        chief = await visitors.person("chief")
        answer = await chief.client.get("/search.csv")
        assert "'=HYPERLINK(1)" in answer.text
        assert ",=" not in answer.text
        answer = await chief.client.get("/search.xlsx")
        (page,) = load_workbook(io.BytesIO(answer.content)).worksheets
        (cell,) = [cell for row in page.iter_rows() for cell in row if cell.value == "=HYPERLINK(1)"]
        assert cell.data_type == "s"


async def test_every_list_is_a_file_of_as_many_rows_as_it_shows(town: Town) -> None:
    async with browsing(town) as visitors:
        numbers = await late(visitors, town)
        chief, market = await visitors.person("chief"), await visitors.person("market")
        for who, path in (
            (chief, "/search?late=1&area=370702"),
            (chief, "/supervision?area=370701"),
            (chief, "/supervision/orders"),
            (chief, "/papers"),
            (market, "/inbox?tab=overdue"),
        ):
            page = await who.go(path)
            shown = who.raw.count("<tr") - 1
            links = [one for one in page.links if ".csv" in one or ".xlsx" in one]
            assert len(links) == 2, path
            for link in links:
                answer = await who.client.get(link)
                if link.partition("?")[0].endswith(".csv"):
                    rows = list(csv.reader(io.StringIO(answer.text)))
                else:
                    rows = list(load_workbook(io.BytesIO(answer.content)).worksheets[0].values)
                assert len(rows) - 1 == shown > 0, link
                assert not grievances_on(who) or {number for row in rows for number in row} & set(numbers), link
        assert (await market.client.get("/supervision.csv")).status_code == 403


async def test_rules_are_drawn_listed_and_compared(town: Town) -> None:
    async with browsing(town) as visitors:
        await visitors.api.push()
        market = await visitors.person("market")
        page = await market.go("/rules")
        assert "kuiwen@1" in page.text
        page = await market.go("/rules/kuiwen@1")
        for words in ("办理时限", "5 个工作日", "办结报送", "name: kuiwen"):
            assert words in page.text
        picture = await market.client.get("/rules/kuiwen@1/picture.svg?live=1")
        assert picture.headers["content-type"] == "image/svg+xml"
        await market.go("/rules/diff?a=kuiwen%401&b=kuiwen%401")
        assert "没有不同" in market.page.text
        await market.go("/rules/nothing@9", expect=404)


async def test_who_keeps_accounts_and_keys_begins_with_them_and_sees_nothing_of_grievances(town: Town) -> None:
    account(town, "keeper", "security")
    async with browsing(town) as visitors:
        await visitors.person("market")
        keeper = await visitors.person("keeper")
        assert keeper.path.endswith("/admin/users")
        assert "某人market" in keeper.page.text
        assert "/search" not in keeper.raw
        await keeper.send("/admin/users/market/end")
        assert "结束会话" in (await keeper.go("/admin/audit")).text
        for link in {one for one in keeper.page.links if one.startswith("/")} | {"/admin/keys", "/me"}:
            await keeper.go(link)
        for path in (
            "/admin",
            "/admin/directory",
            "/search",
            "/board",
            "/supervision",
            "/papers",
            "/rules",
            "/g/WY260302-00000000",
        ):
            await keeper.go(path, expect=403)


async def test_administrators_see_accounts_keys_directory_and_the_register(town: Town) -> None:
    async with browsing(town) as visitors:
        await visitors.person("market")
        root, auditor = await visitors.person("root"), await visitors.person("auditor")
        for path, words in (
            ("/admin", "督办扫描"),
            ("/admin/users", "某人market"),
            ("/admin/keys", "wyl_live_"),
            ("/admin/directory", "幸福苑"),
            ("/admin/calendar", "国庆节"),
            ("/admin/audit", "登录"),
            ("/admin/poster/E1", "扫码反映"),
        ):
            assert words in (await root.go(path)).text, path
            await auditor.go(path)
        await root.go("/admin/users")
        await root.send("/admin/users/market/end")
        assert town.scalar("SELECT count(*) FROM account_session s JOIN account a ON a.id = s.account_id"
                           " WHERE a.login = 'market' AND s.ended_at IS NULL") == 0  # fmt: skip
        token = auditor.page.form("/logout").values["csrf"]
        answer = await auditor.client.post(
            "/admin/users/root/end", data={"csrf": token}, headers={"Origin": "http://127.0.0.1"}
        )
        assert answer.status_code == 403


def test_every_deed_with_an_account_has_its_word_on_the_page() -> None:
    source = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "src").rglob("*.py"))
    noted = set(re.findall(r"\bnote\(session, [\w.]+, \"([a-z ]+)\"", source))
    assert {"created", "remapped"} <= noted
    assert noted == set(_WHATS)

"""装入名录 over HTTP: what is wrong is told row by row, what changes is seen first, and it is the command's own function."""

import io
from typing import Any

import pytest
from openpyxl import Workbook, load_workbook
from sqlalchemy import select
from tests.site import Town
from tests.web.browsing import ORIGIN, Browser, Page, Visitors, account, browsing

from wuye_loop.store.directory.read import read_entries
from wuye_loop.store.schema import tables

pytestmark = pytest.mark.anyio
UNITS = "编码,名称,种类,属地,上级,职责,在用,服务电话\n"


def csv(text: str, name: str = "单位.csv") -> dict[str, Any]:
    return {"file": (name, text.encode("gb18030"), "text/csv")}


def units(town: Town) -> dict[str, Any]:
    rows = town.run(lambda session: session.execute(select(tables.unit)).all())
    return {row.code: row for row in rows}


async def sent(browser: Browser, text: str, what: str = "units", *, expect: int = 200, **more: Any) -> Page:
    await browser.go(f"/admin/directory/import?what={what}")
    return await browser.send("/admin/directory/import", files=csv(text, **more), what=what, expect=expect)


async def test_every_row_with_a_fault_is_told_with_its_line_and_nothing_is_loaded(town: Town) -> None:
    before = units(town)
    async with browsing(town) as visitors:
        root = await visitors.person("root")
        text = (
            UNITS
            + "water,区水务局,部门,3707,,water,是,\n"
            + "lift,电梯处,科室,3707,,,是,\n"  # no such kind
            + ",没有编码的,部门,3707,,,是,\n"
            + "gas,燃气公司,部门,3707,,,也许,\n"  # neither yes nor no
        )
        page = await sent(root, text, expect=422)
        assert "3 处要改，没有装入" in page.text
        assert "3 lift 电梯处 “种类”只能写 部门、办公室、中心、社区、物业企业" in page.text
        assert "5 gas 燃气公司 “在用”只能写 是 或 否" in page.text
        page = await sent(root, UNITS + "water,区水务局,部门,999,nobody,,是,\n,没有编码的,部门,,,,,\n", expect=422)
        assert "3 — 没有编码的 “编码” 没有写" in page.text
        page = await sent(root, UNITS + "water,区水务局,部门,999,nobody,,是,\n", expect=422)
        assert "2 water 区水务局 上级单位 nobody 不存在" in page.text
        assert "2 water 区水务局 属地 999 不存在" in page.text
    assert units(town) == before


async def test_what_would_change_is_seen_first_then_loaded_once_and_the_register_names_who(town: Town) -> None:
    async with browsing(town) as visitors:
        number = await visitors.api.push("one")
        await visitors.api.walk(number, "accept")
        root = await visitors.person("root")
        old = units(town)["market"]
        row = f"market,市场监管局电梯科,部门,{old.area_code or ''},{old.parent_code or ''},{'、'.join(old.duties)},是,0536-8012345\n"
        page = await sent(root, UNITS + row + "water,区水务局,部门,3707,,water,是,\n")
        assert "新增 1 条，改动 1 条" in page.text
        assert f"名称：{old.name} → 市场监管局电梯科" in page.text
        assert "服务电话：空 → 0536-8012345" in page.text
        assert "1 件" in page.text.partition("market")[2].partition("water")[0]
        assert "water" not in units(town)
        form = root.page.form("/admin/directory/import/load")
        page = await root.send("/admin/directory/import/load")
        assert "单位已经装入：新增 1 条，改动 1 条" in page.text
        assert units(town)["market"].name == "市场监管局电梯科"
        assert units(town)["water"].duties == ["water"]
        again = await root.client.post(form.action, data=form.values, headers={"Origin": ORIGIN})
        assert again.status_code == 412
        assert "名录刚刚有了变化" in again.text
        page = await root.go("/admin/audit")
        assert "装入名录 root" in page.text
        page = await sent(root, UNITS + row)
        assert "没有改动" in page.text


async def test_a_unit_with_open_work_is_not_ended(town: Town) -> None:
    async with browsing(town) as visitors:
        number = await visitors.api.push("one")
        await visitors.api.walk(number, "accept")
        root = await visitors.person("root")
        page = await sent(root, UNITS + "market,市场监管局,部门,3707,,,否,\n", expect=422)
        assert "1 件在办诉求还用到它" in page.text
        assert number in page.text


async def test_what_is_stored_is_had_as_a_table_that_loads_back_without_a_change(town: Town) -> None:
    async with browsing(town) as visitors:
        root = await visitors.person("root")
        for what in ("areas", "units", "estates"):
            book = await root.client.get(f"/admin/directory/{what}.xlsx")
            assert load_workbook(io.BytesIO(book.content)).active.max_row > 1
            await root.go(f"/admin/directory/import?what={what}")
            files = {"file": (f"{what}.xlsx", book.content, "application/octet-stream")}
            page = await root.send("/admin/directory/import", files=files, what=what)
            assert "没有改动" in page.text, what
        text = (await root.client.get("/admin/directory/estates.csv")).content.decode("utf-8-sig")
        page = await sent(root, text, "estates")
        assert "没有改动" in page.text


async def test_a_table_that_was_had_in_english_loads_back_without_a_change(town: Town) -> None:
    account(town, "root-en", "admin")
    async with browsing(town) as visitors:
        root = await visitors.person("root-en")
        await root.go("/admin/directory/import?lang=en")
        for what in ("areas", "units", "estates"):
            book = await root.client.get(f"/admin/directory/{what}.xlsx")
            await root.go(f"/admin/directory/import?what={what}")
            files = {"file": (f"{what}.xlsx", book.content, "application/octet-stream")}
            page = await root.send("/admin/directory/import", files=files, what=what)
            assert "No changes" in page.text, (what, page.text)
        assert "code*, name*, kind*, area, parent" in page.text


async def test_people_are_of_a_unit_and_a_workbook_may_bring_them(town: Town) -> None:
    book = Workbook()
    assert book.active is not None
    for row in (("某区物业人员名单", None, None), ("单位编码", "姓名", "岗位"), ("market", "=1+1", "电梯科科长")):
        book.active.append(row)
    book.active["B3"].data_type = "s"
    whole = io.BytesIO()
    book.save(whole)
    async with browsing(town) as visitors:
        root = await visitors.person("root")
        await root.go("/admin/directory/import?what=people")
        page = await root.send(
            "/admin/directory/import", files={"file": ("人员.xlsx", whole.getvalue())}, what="people"
        )
        assert "列名在第 2 行" in page.text
        assert "新增 1 条" in page.text
        await root.send("/admin/directory/import/load")
    _, stored = town.run(read_entries)
    assert ("market", "=1+1", "电梯科科长") in [(one.unit, one.name, one.duty) for one in stored.people]


async def test_only_the_system_administrator_loads_a_directory(town: Town) -> None:
    account(town, "keeper", "security")
    before = units(town)
    async with browsing(town) as visitors:
        root = await visitors.person("root")
        await sent(root, UNITS + "water,区水务局,部门,3707,,water,是,\n")
        form = root.page.form("/admin/directory/import/load")
        for login in ("keeper", "auditor", "chief", "property-centre", "seat"):
            other = await visitors.person(login)
            await other.go("/admin/directory/import", expect=403)
            await other.go("/admin/directory/units.csv", expect=403)
            await refused(visitors, other, form.values)
        await refused(visitors, root, {**form.values, "csrf": "0" * 32})
        foreign = await root.client.post(form.action, data=form.values, headers={"Origin": "http://elsewhere"})
        assert foreign.status_code == 403
    assert units(town) == before


async def test_an_administrator_of_one_area_loads_nothing(town: Town) -> None:
    account(town, "whole", "admin", area="3707")
    account(town, "street", "admin", area="370701")
    before = units(town)
    async with browsing(town) as visitors:
        whole = await visitors.person("whole")  # of the area that has no other beside it
        await sent(whole, UNITS + "water,区水务局,部门,3707,,water,是,\n")
        form = whole.page.form("/admin/directory/import/load")
        street = await visitors.person("street")
        for address in ("/admin/directory", "/admin/calendar"):
            page = await street.go(address)
            assert f"{address}/import" not in page.links
            await street.go(f"{address}/import", expect=403)
        await street.go("/admin/directory/people.csv", expect=403)
        await refused(visitors, street, form.values)
    assert units(town) == before


async def refused(visitors: Visitors, browser: Browser, values: dict[str, str]) -> None:
    csrf = next((form.values["csrf"] for form in browser.page.forms if "csrf" in form.values), values["csrf"])
    for action in ("/admin/directory/import/load", "/admin/directory/import"):
        data = {**values, "csrf": values["csrf"] if values["csrf"].startswith("000") else csrf}
        answer = await browser.client.post(action, data=data, headers={"Origin": ORIGIN})
        assert answer.status_code == 403, action


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "文件是空的"),
        (b"\xd0\xcf\x11\xe0", "另存为 xlsx"),
        ("名称,种类\n甲,部门\n".encode(), "没有“编码”栏"),
        ("编码,名称,种类\n".encode(), "一行也没有"),
        ("编码,名称,种类\n" .encode() + "甲,乙,部门\n".encode() * 20_200, "行，请分成几个文件"),
    ],
)  # fmt: skip
async def test_a_file_that_is_no_such_table_is_refused_in_words(town: Town, content: bytes, words: str) -> None:
    async with browsing(town) as visitors:
        root = await visitors.person("root")
        await root.go("/admin/directory/import")
        page = await root.send("/admin/directory/import", files={"file": ("x.csv", content)}, what="units", expect=422)
        assert words in page.text


async def test_a_file_over_the_bound_is_refused_and_what_no_page_made_is_not_loaded(town: Town) -> None:
    async with browsing(town) as visitors:
        root = await visitors.person("root")
        await root.go("/admin/directory/import")
        form = root.page.form("/admin/directory/import")
        large = await root.client.post(
            form.action, data={**form.values, "what": "units"}, files={"file": ("x.csv", b"x" * (5 << 20))}, headers={"Origin": ORIGIN}
        )  # fmt: skip
        assert large.status_code == 413
        for packed in ("", "%%%", "eJw=", "AAAA"):
            data = {**form.values, "what": "units", "version": "1", "packed": packed}
            answer = await root.client.post("/admin/directory/import/load", data=data, headers={"Origin": ORIGIN})
            assert answer.status_code == 422, packed


async def test_a_fault_names_the_line_of_what_it_repeats_is_told_once_and_says_what_a_telephone_is(town: Town) -> None:
    async with browsing(town) as visitors:
        root = await visitors.person("root")
        page = await sent(root, UNITS + "\nwater,水务,部门,,,,,\nwater,水务二,部门,,,,,\n", expect=422)
        assert "4 water 水务二 编码重复，第 3 行已经写过" in page.text
        page = await sent(root, UNITS + "water,水务,部门,,,水务 管网,,\n", expect=422)
        assert "1 处要改" in page.text
        page = await sent(root, UNITS + "water,水务,部门,,,,,见门口\n", expect=422)
        assert "“服务电话” 只能写电话号码，如 0536-8012345" in page.text
        people = "单位,姓名,职务\nmarket,张三,科长\nmarket,张三,局长\n"
        page = await sent(root, people, what="people", expect=422)
        assert "3 market 张三 同一单位里重复写了这个人，第 2 行已经写过" in page.text

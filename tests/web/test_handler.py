from datetime import timedelta

import pytest
from tests.pictures import png
from tests.site import FINISH, Town
from tests.web.browsing import ORIGIN, browsing

from wuye_loop import metrics

pytestmark = pytest.mark.anyio


async def test_a_unit_signs_works_and_reports_and_the_ledger_names_the_person(town: Town) -> None:
    async with browsing(town) as visitors:
        number = await visitors.api.push()
        await visitors.api.act("property-centre", number, "accept")
        market = await visitors.person("market")
        page = await market.go("/inbox?tab=to_sign")
        assert "三号楼电梯停运" in page.text
        page = await market.send("/inbox/sign", item=number)
        assert "签收了 1 件" in page.text
        page = await market.go(f"/g/{number}")
        assert "签收 · 区market部门 某人market" in page.text
        for words in ("5 个工作日", "3 月 9 日（周一）17:30 前", "第 5 天", "起算"):
            assert words in page.text, words
        await town_assist_done(visitors, number)
        await market.go(f"/g/{number}")
        form = {**FINISH, "contacted": "true"}
        once = market.page.form(f"/g/{number}/do/finish").values["once"]
        page = await market.send(f"/g/{number}/do/finish", **form)
        assert "已办：办结报送" in page.text
        assert market.path.endswith(f"?done=finish&once={once}")  # by this the browser knows which draft has arrived
        assert town.grievance(number).state == "reviewing"
        ledger = town.folder(number).entries[-1]
        assert ledger.actor["key"] == str(town.scalar("SELECT id FROM account WHERE login = 'market'"))


async def town_assist_done(visitors: object, number: str) -> None:
    """Let the company do what it was asked to help with: a lift case asks the estate's company."""
    api = visitors.api  # type: ignore[attr-defined]
    for task in api.tasks(number, "assist"):
        await api.on_task("company-1", task.id, "sign")
        await api.on_task("company-1", task.id, "done", {"result": "到场"})


async def test_what_is_blocked_says_why_and_what_is_refused_keeps_what_was_typed(town: Town) -> None:
    async with browsing(town) as visitors:
        number = await visitors.api.push()
        await visitors.api.walk(number, "accept", "sign")
        market = await visitors.person("market")
        page = await market.go(f"/g/{number}")
        assert "做不了" in page.text  # 办结报送 waits for the assist
        await town_assist_done(visitors, number)
        page = await market.go(f"/g/{number}")
        form = {**FINISH, "contacted": "false", "internal": "写了很久的内部情况"}
        page = await market.send(f"/g/{number}/do/finish", expect=422, **form)
        assert "没有办成" in page.text
        assert "必填" in page.text
        assert "once=" not in market.path
        assert page.form(f"/g/{number}/do/finish").values["internal"] == "写了很久的内部情况"
        assert town.grievance(number).state == "handling"


async def test_sending_a_form_twice_does_the_thing_once(town: Town) -> None:
    async with browsing(town) as visitors:
        number = await visitors.api.push()
        await visitors.api.walk(number, "accept", "sign")
        market = await visitors.person("market")
        await market.go(f"/g/{number}")
        path = f"/g/{number}/do/contact"
        form = {**market.page.form(path).values, "contacted": "true", "note": "约了明天上门"}
        for _ in range(2):
            answer = await market.client.post(path, data=form, headers={"Origin": ORIGIN})
            assert answer.status_code == 303
        assert town.actions(number).count("contact") == 1


async def test_who_looked_too_early_is_told_and_keeps_the_words(town: Town) -> None:
    async with browsing(town) as visitors:
        number = await visitors.api.push()
        await visitors.api.walk(number, "accept", "sign")
        market = await visitors.person("market")
        await market.go(f"/g/{number}")
        await visitors.api.act("market", number, "contact", {"contacted": True, "note": "先打了电话"})
        page = await market.send(f"/g/{number}/do/contact", expect=412, contacted="true", note="我的话还在")
        assert "有了新的变化" in page.text
        assert page.form(f"/g/{number}/do/contact").values["note"] == "我的话还在"


async def test_an_extension_is_asked_for_and_decided_one_level_up(town: Town) -> None:
    async with browsing(town) as visitors:
        number = await visitors.api.push()
        await visitors.api.walk(number, "accept", "sign")
        market, command = await visitors.person("market"), await visitors.person("command-office")
        await market.go(f"/g/{number}")
        await market.send(f"/g/{number}/open/extension", days="3", reason="等配件")
        page = await command.go("/inbox")
        (link,) = [one for one in page.links if one.startswith(f"/g/{number}#task-")]
        task = link.partition("#task-")[2]
        await command.go(f"/g/{number}")
        await command.send(f"/t/{task}/do/approve")
        page = await market.go(f"/g/{number}")
        assert "3 月 12 日（周四）17:30 前" in page.text
        assert "同意延期 · 指挥部办公室 某人command-office" in page.text


async def test_a_file_is_kept_shown_and_refused_when_it_is_no_picture(town: Town) -> None:
    async with browsing(town) as visitors:
        number = await visitors.api.push()
        await visitors.api.walk(number, "accept", "sign")
        market = await visitors.person("market")
        await market.go(f"/g/{number}")
        page = await market.send(f"/g/{number}/files", files={"file": ("a.png", png(), "image/png")})
        (image,) = [one for one in page.assets if one.startswith("/files/")]
        answer = await market.client.get(image)
        assert (answer.content[:4], answer.headers["content-security-policy"]) == (b"\x89PNG", "sandbox")
        await market.send(f"/g/{number}/files", expect=415, files={"file": ("a.exe", b"MZ", "image/png")})


async def test_a_grievance_of_others_reads_as_one_that_is_not_there(town: Town) -> None:
    async with browsing(town) as visitors:
        number = await visitors.api.push(place={"estate": "E2"}, category="违规收费")
        company = await visitors.person("company-1")
        for path in (f"/g/{number}", "/g/WY260302-NOTTHERE", f"/g/{number}/file"):
            page = await company.go(path, expect=404)
            assert "没有这一件，或它不在您的管辖范围内" in page.text
        await company.go("/board", expect=403)
        await company.go("/supervision", expect=403)
        await company.go("/admin", expect=403)
        await company.go("/desk", expect=403)


async def test_identity_is_shown_once_with_a_reason_to_who_may(town: Town) -> None:
    async with browsing(town) as visitors:
        number = await visitors.api.push()
        seat, market = await visitors.person("seat"), await visitors.person("market")
        await seat.go(f"/g/{number}")
        page = await seat.send(f"/g/{number}/identity", reason="需上门核实")
        assert "13812345678" in page.text
        facts = town.scalar("SELECT facts FROM ledger WHERE action = 'reveal'")
        assert facts["from"] == "127.0.0.1"
        assert facts["watermark"] in page.text
        assert "13812345678" not in (await seat.go(f"/g/{number}")).text
        await visitors.api.act("property-centre", number, "accept")
        page = await market.go(f"/g/{number}")
        assert all(form.action != f"/g/{number}/identity" for form in page.forms)
        assert "张三丰" not in page.text


async def test_an_opening_from_a_page_counts_as_one_over_http_and_takes_a_reason_that_can_be_read(town: Town) -> None:
    async with browsing(town) as visitors:
        number = await visitors.api.push()
        seat = await visitors.person("seat")
        before = shown_so_far()
        await seat.go(f"/g/{number}")
        await seat.send(f"/g/{number}/identity", reason="核实" + "\u200b" * 8, expect=422)
        assert shown_so_far() == before
        await seat.go(f"/g/{number}")
        await seat.send(f"/g/{number}/identity", reason="需上门核实，联系诉求人")
        assert shown_so_far() == before + 1


def shown_so_far() -> float:
    return metrics.REGISTRY.get_sample_value("wuye_reveals_total", {"result": "shown"}) or 0


async def test_the_inbox_counts_what_it_lists_and_puts_the_late_first(town: Town) -> None:
    async with browsing(town) as visitors:
        numbers = [await visitors.api.push(f"a{n}", title=f"第 {n} 件电梯停运") for n in range(3)]
        for number in numbers:
            await visitors.api.walk(number, "accept")
        await visitors.api.walk(numbers[0], "sign")
        town.advance(timedelta(days=10))
        late = await visitors.api.push("late", title="新来的电梯停运")
        await visitors.api.walk(late, "accept")
        market = await visitors.person("market")
        page = await market.go("/inbox")
        assert "● 3 件超期" in page.text
        rows = [one for one in page.links if one.startswith("/g/") and "#" not in one]
        assert rows[-1] == f"/g/{late}"
        page = await market.go("/inbox?tab=overdue")
        assert len([one for one in page.links if one.startswith("/g/") and "#" not in one]) == 3


async def test_what_waits_for_a_unit_is_counted_beside_the_menu(town: Town) -> None:
    async with browsing(town) as visitors:
        number = await visitors.api.push("one")
        await visitors.api.walk(number, "accept")
        person = await visitors.person("market")
        assert 'data-badge="/inbox/badge"' in person.raw
        answer = await person.client.get("/inbox/badge")
        assert answer.json() == {"n": 1, "words": "1 件待签收，0 件超期"}
        answer = await person.client.get("/inbox/badge", headers={"Accept-Language": "en"})
        assert answer.json()["words"] == "1 to sign for, 0 overdue"
        chief = await visitors.person("chief")
        assert "data-badge" not in chief.raw
        assert (await chief.client.get("/inbox/badge")).status_code == 403


async def test_what_leaves_ones_own_sight_is_said_to_be_done(town: Town) -> None:
    """A unit that sends a matter back is no longer a party to it."""
    async with browsing(town) as visitors:
        number = await visitors.api.push()
        await visitors.api.walk(number, "accept")
        market = await visitors.person("market")
        await market.go(f"/g/{number}")
        page = await market.send(f"/g/{number}/do/send_back", reason="非本单位职责", legal_basis="职责清单第三条")
        assert "已办好" in page.text
        await market.go(f"/g/{number}", expect=404)

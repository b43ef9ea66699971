from datetime import timedelta
from typing import Any

import pytest
from tests.pictures import png
from tests.site import FINISH, GOOD, Town, town_on
from tests.web.browsing import Browser, Page, browsing

from wuye_loop.store.database import Database

pytestmark = pytest.mark.anyio

BODY = "电梯停了两天，没人来修。"


async def file(browser: Browser, **fields: Any) -> tuple[str, str]:
    """File at the code on the wall; return the number and the query code."""
    await browser.go("/r/E1")
    form: dict[str, Any] = {"category": "电梯", "body": BODY, "phone": "13900006620"} | fields
    await browser.send("/r/E1", **form)
    number, code = browser.path.partition("?")[0].split("/")[-2:]
    return number, code


async def test_a_resident_files_and_follows_without_an_account(town: Town) -> None:
    async with browsing(town) as visitors:
        resident = visitors.browser()
        number, code = await file(resident)
        for words in (number, code, "幸福苑", "已经收到", "3 月 3 日（周二）09:00 前受理"):
            assert words in resident.page.text, words
        assert "data-received" in resident.raw  # by this the phone knows that what was written has arrived
        await visitors.api.walk(number, "accept", "sign")
        page = await resident.go(f"/p/{number}/{code}")
        assert "data-received" not in resident.raw
        assert "区market部门正在办理。" in page.text
        assert "3 月 9 日（周一）17:30 前办理" in page.text
        assert "13900006620" not in page.text
        other = visitors.browser()
        await other.go("/p")
        await other.send("/p", number=number.lower(), code=code.lower())
        assert other.path.endswith(f"/p/{number}/{code}")
        await other.go("/p")
        page = await other.send("/p", expect=404, number=number, code="AAAAAA")
        assert "编号或查询码不对" in page.text
        await other.go(f"/p/{number}/AAAAAA", expect=404)


async def test_staff_read_that_the_resident_filed_it_by_scanning(town: Town) -> None:
    async with browsing(town) as visitors:
        resident, chief = visitors.browser(), visitors.browser()
        number, code = await file(resident)
        await resident.send(f"/p/{number}/{code}/urge", note="还没有人来")
        await chief.sign_in("chief")
        page = await chief.go(f"/g/{number}")
        assert "收到诉求 · 居民（扫码）" in page.text
        assert "催办 · 诉求人" in page.text, page.text[page.text.index("流转台账") :][:300]
        assert "热线" not in page.text
        page = await chief.go(f"/g/{number}/file")
        assert "居民（扫码）" in page.text
        answer = await chief.client.get(f"/g/{number}", headers={"Accept-Language": "en"})
        assert "Resident (QR code)" in Page(answer.text).text
        phoned = await visitors.api.push()
        page = await chief.go(f"/g/{phoned}")
        assert "收到诉求 · 热线" in page.text


async def test_filing_twice_with_one_form_is_one_grievance(town: Town) -> None:
    async with browsing(town) as visitors:
        resident = visitors.browser()
        await resident.go("/r/E1")
        form = resident.page
        numbers = set()
        for _ in range(3):
            resident.page = form
            await resident.send("/r/E1", body=BODY)
            numbers.add(resident.path.split("/")[-2])
        assert len(numbers) == 1


async def test_urging_is_counted_and_bounded_by_the_day(town: Town) -> None:
    async with browsing(town) as visitors:
        resident = visitors.browser()
        number, code = await file(resident)
        for _ in range(2):
            await resident.send(f"/p/{number}/{code}/urge", note="还没有人来")
        assert town.grievance(number).urged == 2
        assert "今天已经催过 2 次" in resident.page.text
        answer = await resident.client.post(f"/p/{number}/{code}/urge", data={})
        assert answer.status_code == 409
        town.clock.advance(timedelta(days=1))
        await resident.go(f"/p/{number}/{code}")
        await resident.send(f"/p/{number}/{code}/urge")
        assert town.grievance(number).urged == 3


async def test_rating_presets_nothing_and_a_bad_one_opens_the_matter_again(town: Town) -> None:
    async with browsing(town) as visitors:
        resident = visitors.browser()
        number, code = await file(resident)
        await visitors.api.walk(number, "accept", "sign")
        for task in visitors.api.tasks(number, "assist"):
            await visitors.api.on_task("company-1", task.id, "withdraw", {"reason": "不用"}, expect=403)
            await visitors.api.on_task("market", task.id, "withdraw", {"reason": "不用"})
        await visitors.api.act("market", number, "finish", FINISH)
        await visitors.api.walk(number, "approve", "call_back")
        page = await resident.go(f"/p/{number}/{code}")
        assert "办完了，请您评价" in page.text
        assert "答复意见：电梯已修好" in page.text
        assert "换了门机" not in page.text  # 内部办理情况
        form = page.form(f"/p/{number}/{code}/rate")
        assert form.values == {"seq": form.values["seq"]}
        assert all("/call_back" not in one.action for one in page.forms)
        page = await resident.send(
            f"/p/{number}/{code}/rate", expect=422, contacted="true", solved="未解决", satisfied="不满意"
        )
        assert "必填" in page.text
        bad = {"contacted": "true", "solved": "未解决", "satisfied": "不满意", "reason": "敷衍"}
        await resident.send(f"/p/{number}/{code}/rate", **bad)
        assert (town.grievance(number).cycle, town.grievance(number).state) == (2, "handling")


async def test_what_the_hotline_took_down_opens_with_its_code_and_can_be_rated(town: Town) -> None:
    async with browsing(town) as visitors:
        seat = await visitors.person("seat")
        await seat.go("/desk")
        page = await seat.send("/desk", phone="13812345678", estate="幸福苑", body="电梯停运两天了，家里有老人。")
        assert "已收" in page.text
        number = seat.path.partition("done=")[2].partition("&")[0]
        code = page.text.partition("查询码 ")[2][:6]
        resident = visitors.browser()
        page = await resident.go(f"/p/{number}/{code}")
        assert "已经收到" in page.text
        await visitors.api.walk(number, "accept", "sign")
        for task in visitors.api.tasks(number, "assist"):
            await visitors.api.on_task("market", task.id, "withdraw", {"reason": "不用"})
        await visitors.api.act("market", number, "finish", FINISH)
        await visitors.api.walk(number, "approve", "call_back")
        await resident.go(f"/p/{number}/{code}")
        await resident.send(f"/p/{number}/{code}/rate", **GOOD | {"contacted": "true"})
        assert town.grievance(number).state == "closed"
        page = await resident.go(f"/p/{number}/{code}")
        await resident.send(f"/p/{number}/{code}/reopen", reason="又停了")
        assert town.grievance(number).cycle == 2


async def test_photos_are_kept_and_a_wrong_one_loses_nobody_the_grievance(town: Town) -> None:
    async with browsing(town) as visitors:
        resident = visitors.browser()
        await resident.go("/r/E1")
        picture = ("a.png", png(), "image/png")
        wrong = ("b.heic", b"ftypheic", "image/heic")
        page = await resident.send("/r/E1", body=BODY, files=[("photo", picture), ("photo", wrong)])
        assert "有 1 张照片没有收下" in page.text
        assert "已收照片 1 张" in page.text


async def test_large_letters_are_kept_and_lead_nowhere_else(town: Town) -> None:
    async with browsing(town) as visitors:
        resident = visitors.browser()
        await resident.go("/big?to=/r/E1")
        assert 'class="big"' in resident.raw
        await resident.go("/big?to=https://evil.example")
        assert resident.path.endswith("/r")
        assert 'class="big"' not in resident.raw


async def test_an_unknown_code_on_a_wall_says_what_to_do(town: Town) -> None:
    async with browsing(town) as visitors:
        resident = visitors.browser()
        page = await resident.go("/r/nowhere", expect=404)
        assert "重新扫码" in page.text
        assert "12345" in page.text


async def test_codes_are_not_guessed_on_one_number_and_nobody_else_is_turned_away(town: Town) -> None:
    async with browsing(town) as visitors:
        resident, other = visitors.browser(), visitors.browser()
        number, code = await file(resident)
        theirs, own = await file(other)
        for _ in range(30):
            answer = await resident.client.get(f"/p/{number}/AAAAAA")
            assert answer.status_code == 404
        await resident.go(f"/p/{number}/{code}", expect=429)
        assert "十分钟后再查" in resident.page.text
        await other.go(f"/p/{theirs}/{own}")


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("zh-CN", ("请稍后再试", "请求过于频繁", "秒再试", "您填的还在")),
        ("en-GB", ("Please try again later", "seconds")),
    ],
)
async def test_too_many_requests_are_told_on_a_page_with_the_telephone(
    database: Database, language: str, words: tuple[str, ...]
) -> None:
    with town_on(database, rate_address=0.01) as town:
        async with browsing(town) as visitors:
            browser = visitors.browser()
            asks = {"Accept": "text/html,application/xhtml+xml", "Accept-Language": language}
            for path, more in (("/r/E1", "12345"), ("/login", "12345")):
                answer = await browser.client.get(path, headers=asks)
                while answer.status_code != 429:
                    answer = await browser.client.get(path, headers=asks)
                assert answer.headers["content-type"].startswith("text/html")
                assert int(answer.headers["retry-after"]) >= 1
                said = Page(answer.text)
                assert said.inline == []
                for one in (*(words if path == "/r/E1" else words[:1]), more):
                    assert one in said.text, (one, said.text)
            answer = await browser.client.get("/v1/grievances", headers=asks)
            assert answer.headers["content-type"] == "application/problem+json"
            answer = await browser.client.get("/r/E1", headers={"Accept": "*/*"})
            assert answer.headers["content-type"] == "application/problem+json"


async def test_a_refusal_that_was_drawn_before_names_its_own_request_and_address(town: Town) -> None:
    async with browsing(town) as visitors:
        browser = visitors.browser()
        ids = set()
        for path in ("/r/nowhere", "/r/elsewhere", "/r/nowhere?a=1&b=%22%3E", "/r/nowhere"):
            answer = await browser.client.get(path, headers={"Accept": "text/html"})
            assert answer.status_code == 404
            ids.add(answer.headers["x-request-id"])
            assert answer.headers["x-request-id"] in answer.text
            link = f"{path}{'&' if '?' in path else '?'}lang=en"
            assert link in Page(answer.text).links
            assert not any("\ue000" <= sign <= "\uf8ff" for sign in answer.text)
        assert len(ids) == 4


async def test_what_is_too_large_or_not_understood_is_told_on_a_page(town: Town) -> None:
    async with browsing(town) as visitors:
        client = visitors.browser().client
        asks = {"Accept": "text/html"}
        large = await client.post("/r", content=b"x" * (40 * 2**20), headers=asks)
        long = await client.get("/r?x=" + "y" * 20_000, headers=asks)
        heavy = await client.get("/lists", headers=asks | {f"X-{n}": "1" for n in range(200)})
        lost = await client.get("/r", headers=asks | {"Host": "[x"})
        wrong = await client.put("/r", headers=asks)
        for answer, status, words in (
            (large, 413, "照片太大了"),
            (long, 414, "网址太长"),
            (heavy, 431, "浏览器带来的内容太多"),
            (lost, 400, "请从首页重新打开"),
            (wrong, 405, "没有这个页面"),
        ):
            assert answer.status_code == status
            said = Page(answer.text)
            assert words in said.text
            assert "12345" in said.text
            assert "yyyy" not in answer.text
        assert wrong.headers["allow"] == "GET, POST"

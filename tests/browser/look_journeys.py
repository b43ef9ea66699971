"""A complaint's whole life in a real browser, with script and without: filed, signed for, urged, answered, rated."""

import csv
from itertools import count
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page
from tests.browser.stage import DESK, PHONE, Looker, looking

_CALLERS = count(20)
HOSTILE = "<img src=x onerror=document.title='hit'><script>document.title='hit'</script>\"'>{{7*7}}"


#: A complaint that goes to a department, by a word of the department's name: its tile, its words.
MATTERS = {
    "消防": ("消防安全", "安全出口堵了，灭火器过期。"),
    "市场监管": ("违规收费", "物业费涨价没有公示，多收了两个月。"),
    "住房城建": ("维修资金", "维修资金用了没有公示。"),
    "发展改革": ("供电燃气", "电费单价高于公示价。"),
    "城市管理": ("违法建设", "一楼私搭违建，占了绿地。"),
}


def press(page: Page, words: str) -> None:
    """Open what is folded under these words and press its button; or press the button that stands alone."""
    folded = page.locator(".acts summary", has=page.locator(f"b:text-is('{words}')"))
    if folded.count():
        if folded.first.evaluate("node => !node.parentNode.open"):
            folded.first.click()
        page.locator(f".acts details[open] button.main:text-is('{words}')").first.click()
    else:
        page.locator(f".acts button.main:text-is('{words}')").first.click()
    page.wait_for_load_state("load")
    assert "没有办成" not in page.inner_text("main"), page.inner_text(".say.bad")


def choose(page: Page, name: str, value: str) -> None:
    """Tap a choice: the radio itself lies under its words."""
    page.locator(f"input[name={name}][value='{value}']").first.check(force=True)


def file(looker: Looker, body: str, tile: str = "违规收费") -> tuple[str, str]:
    """File as a resident does; return the number and the query code."""
    page = looker.go("/r/E0101")
    page.locator(".tiles label", has_text=tile).click()
    page.fill("#body", body)
    page.fill(
        "#phone", f"139000066{next(_CALLERS):02d}"
    )  # another person each time: who says the same again is refused
    page.locator("button", has_text="提交").click()
    page.wait_for_url("**/p/**")
    number, code = page.url.partition("?")[0].split("/")[-2:]
    return number, code


@pytest.mark.parametrize("script", [True, False], ids=["script", "no script"])
def test_from_the_code_on_the_wall_to_the_rating(browser: Browser, address: str, script: bool) -> None:  # noqa: FBT001 a parameter of the test
    with (
        looking(browser, address, PHONE, script=script) as resident,
        looking(browser, address, DESK, script=script) as staff,
    ):
        unit = called(staff, "department")
        tile, words = next(matter for word, matter in MATTERS.items() if word in unit)
        number, code = file(resident, words, tile)
        one = f"/g/{number}"
        page = staff.enter("centre")
        staff.go(one)
        press(page, "受理")
        resident.go(f"/p/{number}/{code}")
        assert "等它签收" in resident.page.inner_text("main")
        staff.enter("department")
        staff.go(one)
        press(page, "签收")
        resident.go(f"/p/{number}/{code}")
        resident.page.locator("summary", has_text="催一催").click()
        resident.page.locator("button:text-is('催办')").click()
        resident.page.wait_for_load_state("load")
        if page.locator(".acts .no", has_text="办结报送").count():  # who helps has to be done first
            staff.go(one)
            withdraw(page)
        staff.go(one)
        report_done(page)
        staff.enter("centre")
        staff.go(one)
        press(page, "审核通过")
        choose_in(page, "回访", "outcome", "接通")
        press(page, "回访")
        resident.go(f"/p/{number}/{code}")
        assert "多收的两个月已退还" in resident.page.inner_text("main")
        assert "已约谈物业" not in resident.page.inner_text("main")
        assert resident.page.locator("input:checked").count() == 0  # nothing preset, nothing suggested
        for name, value in (("contacted", "true"), ("solved", "解决"), ("satisfied", "满意")):
            choose(resident.page, name, value)
        resident.page.locator("button:text-is('提交评价')").click()
        resident.page.wait_for_load_state("load")
        assert "已归档" in resident.page.inner_text("main")
        assert (resident.trouble, staff.trouble) == ([], [])


def withdraw(page: Page) -> None:
    """Take back a request for help, with a reason."""
    page.locator("summary", has_text="撤回协办").first.click()
    page.locator("details[open] textarea[name=reason]").first.fill("本单位自行处理")
    press(page, "撤回协办")


def report_done(page: Page) -> None:
    """Report the open grievance as done, with what the resident is told."""
    page.locator("summary", has=page.locator("b:text-is('办结报送')")).first.click()
    choose(page, "result", "解决")
    page.locator("details[open] input[name=contacted][value=true]").first.check(force=True)
    page.locator("details[open] textarea[name=internal]").fill("已约谈物业，退还多收的费用。")
    page.locator("details[open] textarea[name=public_reply]").fill("多收的两个月已退还，收费标准已公示。")
    press(page, "办结报送")


def choose_in(page: Page, words: str, name: str, value: str) -> None:
    """Open what is folded under these words and tap a choice in it."""
    page.locator("summary", has=page.locator(f"b:text-is('{words}')")).first.click()
    page.locator(f"details[open] input[name={name}][value='{value}']").first.check(force=True)


def called(looker: Looker, login: str) -> str:
    """Return what the demonstration's door says of an account."""
    looker.go("/login")
    return str(looker.page.locator(f"form:has(input[value={login}])").inner_text())


def test_a_complaint_is_filed_followed_and_taken_up_in_english(browser: Browser, address: str) -> None:
    with (
        looking(browser, address, PHONE, language="en-GB", script=False) as resident,
        looking(browser, address, DESK) as staff,
    ):
        page = resident.go("/r/E0101")
        page.locator(".tiles label").first.click()
        page.fill("#body", "三号楼电梯停了两天。")
        page.fill("#phone", f"139000066{next(_CALLERS):02d}")
        page.locator("button", has_text="Send").click()
        page.wait_for_url("**/p/**")
        number, code = page.url.partition("?")[0].split("/")[-2:]
        assert "It was received; whether it is taken up is being decided." in page.inner_text("main")
        page.locator("a", has_text="中文").click()
        assert "已经收到，正在决定是否受理。" in page.inner_text("main")
        staff.enter("centre")
        staff.page.locator("a", has_text="English").click()
        staff.go(f"/g/{number}")
        press(staff.page, "Take up")
        page = resident.go(f"/p/{number}/{code}?lang=en")
        assert "It was taken up" in page.inner_text("main")
        assert page.locator(".box [lang=zh-CN]").count() > 0  # the resident's own words
        assert resident.trouble + staff.trouble == []


def test_hostile_text_runs_nowhere(browser: Browser, address: str) -> None:
    with looking(browser, address, DESK) as looker:
        number, code = file(looker, HOSTILE)
        for who, paths in (
            (None, (f"/p/{number}/{code}",)),
            ("centre", ("/inbox", f"/g/{number}", f"/g/{number}/file")),
            ("chief", ("/search", f"/g/{number}", "/board")),
        ):
            if who is not None:
                looker.enter(who)
            for path in paths:
                page = looker.go(path)
                assert page.title() != "hit"
                assert page.locator("img[src=x]").count() == 0
        assert looker.trouble == []


def test_the_desk_is_worked_with_keys_alone(browser: Browser, address: str) -> None:
    with looking(browser, address, DESK) as looker:
        page = looker.enter("seat")
        page.focus("#phone")
        keys = page.keyboard
        keys.type("13811110000")
        for _ in range(4):
            keys.press("Tab")
        assert page.evaluate("document.activeElement.id") == "estate"
        keys.type("和泰花园")
        keys.press("Tab")
        keys.press("Tab")
        assert page.evaluate("document.activeElement.id") == "body"
        keys.type("地下车库积水，排水泵不工作。")
        page.wait_for_selector("#look >> text=会怎么办")
        keys.press("Control+Enter")
        page.wait_for_url("**/desk?done=*")
        assert "查询码" in page.inner_text("main")
        assert looker.trouble == []


def test_keys_move_through_a_list_and_open_what_is_chosen(browser: Browser, address: str) -> None:
    with looking(browser, address, DESK) as looker:
        page = looker.enter("centre")
        page.keyboard.press("j")
        page.keyboard.press("j")
        page.keyboard.press("k")
        page.keyboard.press("Enter")
        page.wait_for_url("**/g/**")
        page.keyboard.press("/")
        assert page.evaluate("document.activeElement.id") == "find"


def test_a_draft_is_there_again_and_a_page_with_one_is_not_left_unasked(browser: Browser, address: str) -> None:
    with looking(browser, address, DESK) as looker:
        page = looker.enter("seat")
        page.fill("#body", "说到一半，电话断了")
        page.fill("#name", "李某")
        asked: list[str] = []

        def answer(dialog: object) -> None:
            asked.append(dialog.type)  # type: ignore[attr-defined]
            dialog.accept()  # type: ignore[attr-defined]

        page.on("dialog", answer)
        page.click("#body")
        looker.go("/search")
        assert asked == ["beforeunload"]
        looker.go("/desk")
        assert page.input_value("#body") == "说到一半，电话断了"
        assert page.input_value("#name") == ""  # who complained is not kept in the browser
        page.click("text=退出")
        looker.enter("seat")
        looker.go("/desk")
        assert page.input_value("#body") == ""


def test_what_the_staff_wrote_stays_until_it_is_taken_and_not_a_moment_longer(browser: Browser, address: str) -> None:
    with looking(browser, address, DESK) as looker:
        page = looker.enter("seat")
        looker.go("/desk")
        page.fill("#body", "网断了，这些字还要在")
        page.route("**/desk", lambda route: route.abort() if route.request.method == "POST" else route.continue_())
        page.keyboard.press("Control+Enter")
        page.wait_for_timeout(300)
        looker.go("/desk?done=WY1&once=of-another")  # the answer to another form says nothing of this one
        assert page.input_value("#body") == "网断了，这些字还要在"
        page.unroute("**/desk")
        page.keyboard.press("Control+Enter")  # refused: the estate is not filled in
        page.wait_for_load_state("load")
        looker.go("/desk")
        assert page.input_value("#body") == "网断了，这些字还要在"
        page.fill("#estate", "E0101")
        page.click("#body")
        page.keyboard.press("Control+Enter")
        page.wait_for_url("**/desk?done=*once=*")
        assert page.input_value("#body") == ""
        looker.go("/desk")
        assert page.input_value("#body") == ""
        assert page.evaluate("Object.keys(localStorage).concat(Object.keys(sessionStorage))") == []


def test_what_a_resident_wrote_stays_on_the_phone_until_it_has_arrived(browser: Browser, address: str) -> None:
    with looking(browser, address, PHONE) as looker:
        page = looker.go("/r/E0101")
        page.fill("#body", "网断了，这些字还要在")
        page.route("**/r/E0101", lambda route: route.abort() if route.request.method == "POST" else route.continue_())
        page.locator("button", has_text="提交").click()
        page.wait_for_timeout(300)
        looker.go("/r/E0101")
        assert page.input_value("#body") == "网断了，这些字还要在"
        page.unroute("**/r/E0101")
        page.locator("button", has_text="提交").click()
        page.wait_for_url("**/p/**")
        looker.go("/r/E0101")
        assert page.input_value("#body") == ""
        page.fill("#body", "又想起一件")
        page.goto(f"{address}/p")
        looker.go("/r/E0101")
        assert page.input_value("#body") == "又想起一件"


def test_a_list_is_taken_with_how_far_it_is(browser: Browser, address: str) -> None:
    with looking(browser, address, DESK) as looker:
        looker.enter("chief")
        page = looker.go("/search")
        rows = -1
        for kind, head in (("CSV", b"\xef\xbb\xbf"), ("XLSX", b"PK")):
            with page.expect_download() as taken:
                page.click(f"text=导出 {kind}")
            assert taken.value.suggested_filename == f"list.{kind.lower()}"
            content = Path(taken.value.path()).read_bytes()
            assert content.startswith(head)
            page.wait_for_selector("text=取完了")
            rows = len(list(csv.reader(content.decode("utf-8-sig").splitlines()))) - 1 if kind == "CSV" else rows
            assert page.inner_text("[data-files] [role=status]") == f"取完了，共 {rows} 行"
        page.route("**/search.csv*", lambda _: None)  # never answered
        page.click("text=导出 CSV")
        page.click("text=停下")
        page.wait_for_selector("text=停下了")
        assert looker.trouble == []
    with looking(browser, address, DESK, script=False) as looker:
        looker.enter("chief")
        page = looker.go("/search")
        assert not page.is_visible("text=停下")
        with page.expect_download() as taken:
            page.click("text=导出 CSV")
        assert Path(taken.value.path()).read_bytes().startswith(b"\xef\xbb\xbf")


def test_large_letters_stay(browser: Browser, address: str) -> None:
    with looking(browser, address, PHONE) as looker:
        page = looker.go("/r/E0101")
        page.click("text=大字")
        page.wait_for_selector("text=小字")
        size = "getComputedStyle(document.body).fontSize"
        assert page.evaluate(size) == "24px"
        looker.go("/p")
        assert page.evaluate(size) == "24px"
        assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") == 0

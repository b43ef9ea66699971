"""A newcomer's walk through a demonstration: filed, handled late, supervised, rated, in the bulletin; by what the pages show alone.

With `WALK=folder` every step leaves a picture there, for somebody who looks.
"""

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser
from tests.browser.look_journeys import choose, choose_in, press, report_done, withdraw
from tests.browser.stage import DESK, PHONE, Looker, looking, played

_TITLE = re.compile(r"为什么由(.+)主办")


@pytest.fixture
def fresh() -> Iterator[str]:
    """Give a demonstration of its own: time passes in it."""
    given = os.environ.get("WALK_AT")
    if given:
        yield given
        return
    with played(days=3) as address:
        yield address


class Pictures:
    """Takes a picture of each step where somebody wants them."""

    def __init__(self) -> None:
        self._folder = Path(os.environ["WALK"]) if os.environ.get("WALK") else None
        self._n = 0

    def __call__(self, looker: Looker, name: str) -> None:
        """Take one."""
        self._n += 1
        if self._folder is not None:
            self._folder.mkdir(parents=True, exist_ok=True)
            looker.page.screenshot(path=str(self._folder / f"{self._n:02d}-{name}.png"), full_page=True)


def go_in(looker: Looker, unit: str) -> None:
    """Enter from a unit, chosen by its name at the door."""
    looker.context.clear_cookies()
    page = looker.go("/login")
    page.select_option("#unit", label=unit)
    page.locator("button:text-is('进去')").click()
    page.wait_for_load_state("load")


def open_one(looker: Looker, number: str) -> None:
    """Find a grievance by the search in the bar, and open it."""
    page = looker.page
    page.fill("#find", number)
    page.press("#find", "Enter")
    page.wait_for_load_state("load")
    if f"/g/{number}" not in page.url:
        page.locator(f"a[href^='/g/{number}']").first.click()
        page.wait_for_load_state("load")


def wait(looker: Looker, words: str) -> None:
    """Let time pass at the door."""
    looker.go("/login")
    looker.page.locator(f"button:text-is('{words}')").click()
    looker.page.wait_for_load_state("load", timeout=120_000)


def filed(resident: Looker, seen: Pictures) -> tuple[str, str]:
    """File as a resident; return the number and the query code."""
    phone = resident.go("/")
    seen(resident, "door")
    phone.locator("a", has_text="居民").first.click()
    phone.wait_for_load_state("load")
    phone.locator(".tiles label", has_text="违规收费").click()
    phone.fill("#body", "物业费涨价没有公示，多收了我家两个月，要求退还。")
    phone.fill("#phone", "13900007002")
    phone.locator("button", has_text="提交").click()
    phone.wait_for_url("**/p/**")
    seen(resident, "receipt")
    number, code = phone.url.partition("?")[0].split("/")[-2:]
    return number, code


def accepted(staff: Looker, number: str, seen: Pictures) -> str:
    """Accept it as the centre; return the unit that it is given to."""
    page = staff.enter("centre")
    open_one(staff, number)
    press(page, "受理")
    seen(staff, "accepted")
    lead = _TITLE.search(page.inner_text("main"))
    assert lead is not None
    return lead[1]


def signed(staff: Looker, unit: str, number: str, seen: Pictures) -> None:
    """Sign for it as the unit, from its inbox."""
    go_in(staff, unit)
    seen(staff, "unit-inbox")
    page = staff.page
    open_one(staff, number)
    press(page, "签收")
    seen(staff, "signed")


def supervised(staff: Looker, number: str, seen: Pictures) -> None:
    """See it among what is late, and issue an order."""
    staff.enter("chief")
    seen(staff, "board")
    staff.go("/supervision")
    seen(staff, "supervision")
    open_one(staff, number)
    seen(staff, "late-case")
    press(staff.page, "签发督办单")
    seen(staff, "issued")


def answered(staff: Looker, unit: str, number: str, seen: Pictures) -> None:
    """Answer it as the unit, have it checked, and call back."""
    page = staff.page
    go_in(staff, unit)
    open_one(staff, number)
    seen(staff, "unit-late")
    while page.locator("summary", has_text="撤回协办").count():
        withdraw(page)
    report_done(page)
    seen(staff, "answered")
    staff.enter("centre")
    open_one(staff, number)
    press(page, "审核通过")
    choose_in(page, "回访", "outcome", "接通")
    press(page, "回访")
    seen(staff, "called-back")


def rated(resident: Looker, seen: Pictures) -> None:
    """Rate it as the resident."""
    phone = resident.page
    seen(resident, "to-rate")
    for name, value in (("contacted", "true"), ("solved", "解决"), ("satisfied", "满意")):
        choose(phone, name, value)
    phone.locator("button:text-is('提交评价')").click()
    phone.wait_for_load_state("load")
    assert "已归档" in phone.inner_text("main")
    seen(resident, "rated")


def read_in_the_bulletin(staff: Looker, seen: Pictures) -> None:
    """Find the daily bulletin by the menu."""
    page = staff.enter("chief")
    page.locator("nav a", has_text="考核").click()
    page.wait_for_load_state("load")
    seen(staff, "assess")
    page.locator("a", has_text="通报").first.click()
    page.wait_for_load_state("load")
    seen(staff, "bulletins")
    page.locator("tbody a[href^='/bulletins/']", has_text="每日一分析").first.click()
    page.wait_for_load_state("load")
    seen(staff, "bulletin")
    assert "每日一分析" in page.inner_text("main")


def test_a_newcomer_takes_a_complaint_from_filing_to_the_bulletin(browser: Browser, fresh: str) -> None:
    seen = Pictures()
    with looking(browser, fresh, PHONE) as resident, looking(browser, fresh, DESK) as staff:
        number, code = filed(resident, seen)
        unit = accepted(staff, number, seen)
        signed(staff, unit, number, seen)
        for _ in range(2):
            wait(staff, "过五个工作日")
        resident.go(f"/p/{number}/{code}")
        seen(resident, "late")
        assert "没有按期办完" in resident.page.inner_text("main")
        supervised(staff, number, seen)
        answered(staff, unit, number, seen)
        resident.go(f"/p/{number}/{code}")
        rated(resident, seen)
        wait(staff, "过一个工作日")
        read_in_the_bulletin(staff, seen)
        assert (resident.trouble, staff.trouble) == ([], [])

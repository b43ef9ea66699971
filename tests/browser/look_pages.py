"""Every page as a browser shows it: nothing foreign, nothing refused, nothing wider than the screen, axe content, small."""

from collections.abc import Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser
from tests.browser.stage import DESK, PHONE, Looker, looking

#: who (None: nobody), where; `{one}` is the first grievance that the person's list shows.
PAGES = (
    (None, "/login"),
    (None, "/r"),
    (None, "/r/E0101"),
    (None, "/p"),
    ("department", "/inbox"),
    ("department", "/inbox?tab=to_sign"),
    ("department", "{one}"),
    ("department", "{one}/file"),
    ("department", "/me"),
    ("department", "/rules"),
    ("department", "/rules/kuiwen@1"),
    ("department", "/meetings"),
    ("centre", "/inbox"),
    ("centre", "{one}"),
    ("chief", "/board"),
    ("chief", "/board?wall=1"),
    ("chief", "/supervision"),
    ("chief", "/supervision/orders"),
    ("chief", "/search"),
    ("chief", "/papers"),
    ("chief", "/assess"),
    ("chief", "/assess/kuiwen/2026-09"),
    ("chief", "/bulletins"),
    ("chief", "/credit"),
    ("street", "/assess/enter"),
    ("department", "/team"),
    (None, "/lists"),
    (None, "/v/E0101"),
    ("seat", "/desk"),
    ("seat", "/callbacks"),
    ("admin", "/rules/try"),
    ("admin", "/rules/simulate"),
    ("admin", "/admin"),
    ("admin", "/admin/users"),
    ("admin", "/admin/directory"),
    ("admin", "/admin/directory/import"),
    ("admin", "/admin/calendar"),
    ("admin", "/admin/calendar/import"),
    ("admin", "/admin/audit"),
    ("admin", "/admin/poster/E0101"),
)
SIZES = {"desk": DESK, "phone": PHONE}
_WIDE = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
_SMALL = """least => [...document.querySelectorAll('main a, main button, main input:not([type=hidden]), main select, main summary')]
  .filter(node => { const box = node.getBoundingClientRect(); return box.width && box.height && !node.closest('p, li, td, dd, .tabs, .crumbs, h1, h2, header')
                    && !(node.type === 'radio' || node.type === 'checkbox') && box.height < least; })
  .map(node => node.outerHTML.slice(0, 80))"""


@pytest.fixture(params=SIZES)
def size(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def looker(browser: Browser, address: str, size: str) -> Iterator[Looker]:
    with looking(browser, address, SIZES[size]) as found:
        yield found


def opened(looker: Looker, who: str | None, path: str) -> Any:
    if who is not None:
        looker.enter(who)
    if path.startswith("{one}"):
        looker.go("/inbox")
        href = looker.page.locator("td.title a[href^='/g/']").first.get_attribute("href") or ""
        path = href.partition("#")[0] + path.removeprefix("{one}")
    return looker.go(path)


@pytest.mark.parametrize(("who", "path"), PAGES, ids=[f"{who or 'nobody'} {path}" for who, path in PAGES])
def test_a_page_is_sound(looker: Looker, size: str, who: str | None, path: str) -> None:
    page = opened(looker, who, path)
    assert page.evaluate(_WIDE) == 0, "the page is wider than the screen"
    assert page.locator("h1").count() == 1
    if path.startswith(("/r", "/p", "/v/", "/lists")) and who is None:
        assert page.evaluate(_SMALL, 60) == []
    found = Axe().run(page).response
    wrong = [(one["id"], [node["html"][:120] for node in one["nodes"]][:3]) for one in found["violations"]]
    same = [
        (one["id"], node["html"][:120])
        for one in found["incomplete"]
        if one["id"] == "color-contrast"
        for node in one["nodes"]
        for check in node["any"]
        if (check.get("data") or {}).get("messageKey") == "equalRatio"
    ]
    assert wrong == []
    assert same == []
    assert looker.trouble == []


@pytest.mark.parametrize(("who", "path", "kib", "most"), [
    (None, "/r/E0101", 20, 4),
    ("department", "/inbox", 60, 5),
    ("department", "{one}", 60, 5),
    ("chief", "/board", 60, 5),
])  # fmt: skip
def test_a_page_weighs_little(browser: Browser, address: str, who: str | None, path: str, kib: int, most: int) -> None:
    with looking(browser, address, DESK) as looker:
        opened(looker, who, path)
        session = looker.context.new_cdp_session(looker.page)
        session.send("Network.enable")
        session.send("Network.setCacheDisabled", {"cacheDisabled": True})
        sizes: list[float] = []
        session.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))
        looker.page.reload(wait_until="load")
        looker.page.wait_for_timeout(200)
        assert len(sizes) <= most + 1  # the mark beside the tab
        assert sum(sizes) <= kib * 1024
        assert looker.page.evaluate("document.querySelectorAll('*').length") <= 1500


_SHIFTS = """() => new Promise(done => { let sum = 0; new PerformanceObserver(list => { for (const one of list.getEntries()) sum += one.value; })
  .observe({type: 'layout-shift', buffered: true}); setTimeout(() => done(sum), 300); })"""


@pytest.mark.parametrize(
    ("who", "path"), [(None, "/r/E0101"), ("department", "/inbox"), ("department", "{one}"), ("chief", "/board")]
)
def test_nothing_moves_once_it_is_shown(browser: Browser, address: str, who: str | None, path: str) -> None:
    for size in SIZES.values():
        with looking(browser, address, size) as looker:
            opened(looker, who, path)
            assert looker.page.evaluate(_SHIFTS) == 0


def test_in_english_no_page_is_wider_than_a_phone(browser: Browser, address: str) -> None:
    wrong = []
    with looking(browser, address, PHONE, language="en-GB") as looker:
        for who, path in PAGES:
            page = opened(looker, who, path)
            assert page.evaluate("document.documentElement.lang") == "en", path
            if page.evaluate(_WIDE) != 0:
                wrong.append((who, path))
        assert looker.trouble == []
    assert wrong == []


@pytest.mark.parametrize("wide", [200])
def test_at_double_size_nothing_is_lost_at_the_side(browser: Browser, address: str, wide: int) -> None:
    """200 % of 1280 px is a window of 640 px."""
    with looking(browser, address, {"width": DESK["width"] * 100 // wide, "height": 450}) as looker:
        for who, path in (("department", "/inbox"), ("department", "{one}"), ("chief", "/board"), ("seat", "/desk")):
            assert opened(looker, who, path).evaluate(_WIDE) == 0, path


def test_forced_colours_keep_every_word(browser: Browser, address: str) -> None:
    with looking(browser, address, DESK, forced_colors="active") as looker:
        page = opened(looker, "chief", "/board")
        assert "超期未办" in page.inner_text("main")
        assert looker.trouble == []

"""`make shots`: every screen with the demonstration's data, and one sheet of them all, to be looked at by a person."""

import sys
from pathlib import Path

from playwright.sync_api import Browser, Page
from tests import ROOT
from tests.browser.stage import DESK, PHONE, Looker, chromium, looking, played

FOLDER = ROOT / "var" / "shots"

#: who (None: nobody), name, address; `{one}` is a grievance of that person's list, `{estate}` an estate.
STAFF = (
    (None, "login", "/login"),
    ("department", "inbox", "/inbox"),
    ("centre", "inbox-sign", "/inbox?tab=to_sign"),
    ("department", "inbox-late", "/inbox?tab=overdue"),
    ("department", "grievance", "{one}"),
    ("centre", "grievance-centre", "{one}"),
    ("company", "inbox-company", "/inbox"),
    ("chief", "board", "/board"),
    ("chief", "wall", "/board?wall=1"),
    ("chief", "supervision", "/supervision"),
    ("chief", "supervision-pick", "{pick}"),
    ("chief", "orders", "/supervision/orders"),
    ("chief", "search", "/search?late=1"),
    ("chief", "search-empty", "/search?q=没有这样的"),
    ("chief", "papers", "/papers"),
    ("chief", "paper", "{paper}"),
    ("chief", "meetings", "/meetings"),
    ("chief", "assess", "/assess"),
    ("chief", "score", "/assess/kuiwen/2026-09"),
    ("chief", "score-why", "{score}"),
    ("chief", "score-cases", "{cases}"),
    ("chief", "bulletins", "/bulletins"),
    ("chief", "bulletin", "{bulletin}"),
    ("chief", "credit", "/credit"),
    ("street", "enter", "/assess/enter"),
    ("department", "team", "/team"),
    (None, "lists", "/lists"),
    (None, "voice", "/v/E0101"),
    ("seat", "desk", "/desk"),
    ("seat", "callbacks", "/callbacks"),
    ("department", "forbidden", "/board"),
    ("department", "rules", "/rules"),
    ("department", "rule", "/rules/kuiwen@2"),
    ("department", "not-there", "/papers/没有〔2026〕1号"),
    ("chief", "dossier", "{one}/file"),
    ("department", "diff", "/rules/diff?a=kuiwen%401&b=kuiwen%402"),
    ("admin", "trying", "/rules/try"),
    ("admin", "simulating", "/rules/simulate"),
    ("admin", "admin", "/admin"),
    ("admin", "users", "/admin/users"),
    ("admin", "directory", "/admin/directory"),
    ("admin", "loading", "/admin/directory/import"),
    ("admin", "loading-faults", "/admin/directory/import"),
    ("admin", "calendar", "/admin/calendar"),
    ("admin", "notice", "/admin/calendar/import"),
    ("admin", "audit", "/admin/audit"),
    ("admin", "poster", "/admin/poster/E0101"),
    ("department", "me", "/me"),
)
#: What is sent from a form before its picture is taken: name and text of a file.
SENT = {
    "loading": (
        "单位.csv",
        (
            "编码,名称,种类,属地,上级,职责,在用,服务电话\nmarket,区市场监管局,部门,370705,command-office,market、price,是,0536-8012345\n"
            "water,区水务局,部门,370705,command-office,water,是,0536-8010000\ncompany-25,停办的物业服务公司,物业企业,,,,是,\n"
        ),
    ),
    "loading-faults": (
        "单位.csv",
        "编码,名称,种类,属地,上级\nwater,区水务局,科室,370705,\n,没有编码的单位,部门,,\nheat,热力公司,物业企业,3707,nobody\n",
    ),
    "notice": ("2026年补充通知.csv", "日期,上班,名称\n2026-10-21,否,临时放假\n2026-10-24,是,调休\n"),
}
#: Pictures for the README, in the size of a screen: copied to docs/pictures by hand once they were looked at.
IN_README = ("inbox", "grievance", "board")
#: Screens as they leave a printer.
PRINTED = ("grievance", "paper", "bulletin", "dossier", "poster", "score")
#: Screens that staff also open on a telephone.
ALSO_NARROW = (
    "login",
    "inbox",
    "grievance",
    "board",
    "supervision",
    "desk",
    "search",
    "score",
    "voice",
    "lists",
    "team",
    "loading",
    "loading-faults",
)
#: Of these, in English.
ENGLISH_NARROW = ("inbox", "grievance", "board")


def main() -> None:
    """Take the pictures and write the sheet."""
    folder = Path(sys.argv[2]) if len(sys.argv) > 2 else FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    if len(sys.argv) > 1 and sys.argv[1]:
        _all(sys.argv[1], folder)
        return
    with played() as address:
        _all(address, folder)


def _all(address: str, folder: Path) -> None:
    taken: list[str] = []
    with chromium() as browser:
        for size, names in ((DESK, None), (PHONE, ALSO_NARROW)):
            with looking(browser, address, size) as looker:
                for who, name, path in STAFF:
                    if names is not None and name not in names:
                        continue
                    _enter(looker, who)
                    looker.go(_found(looker, path))
                    _fill(looker.page, name)
                    taken.append(_shoot(looker, folder, name if names is None else f"{name}-phone"))
                print(*looker.trouble, sep="\n")  # noqa: T201 what the person at the terminal is to see
        taken += _in_english(browser, address, folder)
        with looking(browser, address, PHONE, device_scale_factor=2, has_touch=True) as looker:
            taken += _resident(looker, folder)
            print(*looker.trouble, sep="\n")  # noqa: T201
        _sheet(browser.new_page(viewport={"width": 2200, "height": 1000}), folder, taken)
    print(folder / "sheet.jpg")  # noqa: T201


def _in_english(browser: Browser, address: str, folder: Path) -> list[str]:
    """Take the same screens for a reader of English, and on the way, in Chinese, those that are printed."""
    taken: list[str] = []
    _who.clear()
    for size, ending, names in ((DESK, "-en", None), (PHONE, "-phone-en", ENGLISH_NARROW)):
        with looking(browser, address, size, language="en-GB") as looker:
            for who, name, path in STAFF:
                if names is None or name in names:
                    _enter(looker, who)
                    looker.go(_found(looker, path))
                    _fill(looker.page, name)
                    taken.append(_shoot(looker, folder, f"{name}{ending}"))
            print(*looker.trouble, sep="\n")  # noqa: T201
        _who.clear()
    with looking(browser, address, DESK) as looker:
        for who, name, path in STAFF:
            if name in PRINTED:
                _enter(looker, who)
                looker.go(_found(looker, path))
                looker.page.emulate_media(media="print")
                taken.append(_shoot(looker, folder, f"{name}-print"))
                looker.page.emulate_media(media="screen")
    _who.clear()
    with looking(browser, address, PHONE, language="en-GB", device_scale_factor=2, has_touch=True) as looker:
        taken += _resident(looker, folder, "-en")
    return taken


_who: dict[str, str] = {}


def _enter(looker: Looker, who: str | None) -> None:
    if _who.get("now") != who or who is None:
        looker.context.clear_cookies()
        if who is not None:
            looker.enter(who)
    _who["now"] = who or ""


#: Where an address is found: on which page, by which link.
_FIRST = {
    "{paper}": ("/papers", "tbody a[href^='/papers/']"),
    "{score}": ("/assess/kuiwen/2026-09", "tbody a[href^='/assess/']"),
    "{cases}": ("{score}", "a[href*='/cases?']"),
    "{bulletin}": ("/bulletins?kind=每月一打分", "tbody a[href^='/bulletins/']"),
}


def _found(looker: Looker, path: str) -> str:
    """Return an address: where it names a grievance, the first of the list that the person sees."""
    if path == "{one}":
        looker.go("/search" if _who["now"] == "chief" else "/inbox")
        rows = looker.page.locator("tbody a[href^='/g/']")
        href = rows.nth(min(4, rows.count() - 1)).get_attribute("href")
        return (href or "/inbox").split("#", maxsplit=1)[0]
    if path == "{pick}":
        looker.go("/supervision")
        return looker.page.locator("a[href*='pick=']").first.get_attribute("href") or "/supervision"
    if path.startswith("{one}/"):
        return _found(looker, "{one}") + path.removeprefix("{one}")
    if path in _FIRST:
        start, link = _FIRST[path]
        looker.go(_found(looker, start))
        return looker.page.locator(link).first.get_attribute("href") or start
    return path


def _fill(page: Page, name: str) -> None:
    if name == "desk":
        page.fill("#phone", "13900006620")
        page.fill("#estate", page.locator("#estates option").first.get_attribute("value") or "")
        page.fill("#body", "3 号楼 2 单元的电梯从周五晚上起停运，到今天没有修好。楼上有八十多岁的老人，两天没能下楼。")
        page.wait_for_timeout(1500)
    if name in SENT:
        page.set_input_files("#file", {"name": SENT[name][0], "mimeType": "text/csv", "buffer": SENT[name][1].encode()})
        page.locator("form[enctype] button").click()
        page.wait_for_load_state("load")
    if name == "grievance":
        first = page.locator(".acts details").first
        if first.count():
            first.evaluate("node => { node.open = true; }")


def _shoot(looker: Looker, folder: Path, name: str) -> str:
    looker.page.screenshot(path=str(folder / f"{name}.png"), full_page=True)
    if name in IN_README:
        looker.page.screenshot(path=str(folder / f"{name}.jpg"), type="jpeg", quality=60)
    return name


def _resident(looker: Looker, folder: Path, ending: str = "") -> list[str]:
    """File, look, urge: as a resident does on a telephone."""
    page = looker.go("/r/E0102" if ending else "/r/E0101")  # two households: the same is not told twice
    taken = [_shoot(looker, folder, f"resident-new{ending}")]
    page.locator(".tiles label").first.click()
    page.fill("#body", "电梯停了两天，没人来修。家里老人要去医院换药，背下去的。请尽快修好。")
    page.fill("#phone", "13900006621" if ending else "13900006620")
    page.locator("button").first.click()
    page.wait_for_url("**/p/**")
    taken.append(_shoot(looker, folder, f"resident-receipt{ending}"))
    where = page.url.partition("?")[0].removeprefix(looker.address)
    looker.go(where)
    page.locator("details summary").first.click()
    taken.append(_shoot(looker, folder, f"resident-progress{ending}"))
    looker.go("/big?to=" + where)
    taken.append(_shoot(looker, folder, f"resident-big{ending}"))
    looker.go("/big?to=" + where)
    looker.go("/p")
    taken.append(_shoot(looker, folder, f"resident-find{ending}"))
    looker.go("/p/WY1/AAAAAA")
    taken.append(_shoot(looker, folder, f"resident-none{ending}"))
    return taken


def _sheet(page: Page, folder: Path, names: list[str]) -> None:
    figures = "".join(
        f"<figure><div><img src='{name}.png'></div><figcaption>{name}</figcaption></figure>" for name in names
    )  # fmt: skip
    style = (
        "body{font:14px sans-serif;margin:12px;display:grid;grid-template-columns:repeat(6,1fr);gap:12px}figure{margin:0}"
        "div{max-height:420px;overflow:hidden;border:1px solid #999}img{width:100%;display:block}"  # of long ones their beginning
    )
    (folder / "sheet.html").write_text(f"<meta charset=utf-8><style>{style}</style>{figures}", encoding="utf-8")
    page.goto(f"file://{folder / 'sheet.html'}")
    page.screenshot(path=str(folder / "sheet.jpg"), full_page=True, type="jpeg", quality=70)


if __name__ == "__main__":
    main()

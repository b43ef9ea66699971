"""The pages in English: which language is chosen, and that nothing of ours is left in Chinese on any of them."""

import csv
import io
import re
from collections import deque
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import pytest
from tests.api.test_reach import _SCHEME, lived_in
from tests.authoring.checker.wall import WALL, Broken
from tests.house.words import ROOT
from tests.site import Driver, Town
from tests.web.browsing import Browser, Page, browsing
from tests.web.test_reach import Pages, one_of_each, sign_up

from wuye_loop.authoring.checker.check import check
from wuye_loop.settings import shipped
from wuye_loop.store.database import Database
from wuye_loop.web.codes import query_code
from wuye_loop.web.english.catalogue import catalogue

pytestmark = pytest.mark.anyio
_CHINESE = re.compile(r"[\u3000-\u303f\u4e00-\u9fff\uff00-\uffef]+")
_WORDS = re.compile(r"[\u4e00-\u9fff]+")
_ALOUD = frozenset({"title", "aria-label", "placeholder", "alt", "data-th", "label", "data-say-kept", "data-say-saved"})
_ALONE = frozenset({"meta", "link", "img", "input", "br", "hr", "rect", "line", "path", "circle", "polyline"})
#: Texts that somebody typed, rule files among them.
_TYPED = frozenset({"textarea", "pre"})
#: What a document in Chinese is: it stays as its office writes it.
_DOCUMENT = re.compile(r"\b(?:paper|poster)\b")
_MOST = 3000
#: A router's reasons as they are kept: they are the program's words.
_REASONS = re.compile(r'"(?:why|near)": (?:"(?:[^"\\]|\\.)*"|\[[^\]]*\])')
#: Where rule files are kept: their words have an English of their own.
_RULES = frozenset({"workflow", "scheme"})


class Heard(HTMLParser):
    """What is Chinese on a page: outside of what is marked as such, and inside of it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.language = ""
        self.loose: list[str] = []
        self.marked: list[str] = []
        self._open: list[tuple[str, bool, bool]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        if tag == "html":
            self.language = found["lang"]
        _, chinese, document = self._open[-1] if self._open else ("", False, False)
        chinese = found["lang"].startswith("zh") if "lang" in found else chinese
        document = document or bool(_DOCUMENT.search(found.get("class", "")) and chinese)
        for name in _ALOUD & set(found):
            if _WORDS.search(found[name]) and not document:
                self.marked += _WORDS.findall(found[name])
        if tag not in _ALONE:
            self._open.append((tag, chinese, document))

    def handle_endtag(self, tag: str) -> None:
        if any(one[0] == tag for one in self._open):
            while self._open.pop()[0] != tag:
                pass

    def handle_data(self, data: str) -> None:
        tag, chinese, document = self._open[-1] if self._open else ("", False, False)
        if document or not _CHINESE.search(data) or data.strip() in ("中文", "English"):
            return
        if any(one[0] in _TYPED for one in self._open):
            return
        if tag == "title" or chinese:  # where nothing can be marked
            self.marked.append(data.strip())
        else:
            self.loose.append(data.strip())


def corpus(town: Town) -> str:
    """Return every text of the database: what may be Chinese on an English page."""
    tables = [row[0] for row in town.rows("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")]
    tables = [name for name in tables if name not in _RULES]
    rows = (str(row[0]) for table in tables for row in town.rows(f'SELECT to_jsonb(t)::text FROM "{table}" t'))  # noqa: S608
    return "\n".join(_REASONS.sub("", row) for row in rows)


class InEnglish(Pages):
    """Every page in English."""

    async def read(self, browser: Browser, first: list[str], known: str) -> list[str]:
        """Open every page, follow every link, and return what of ours is Chinese."""
        waiting, seen, gone = deque([*first, *self.doors(asking=False)]), set[str](), dict[str, str]()
        while waiting:
            address = re.sub(r"[?&]lang=zh", "", waiting.popleft().partition("#")[0])
            if (
                address in seen
                or not address.startswith("/")
                or address.startswith(("/v1/", "/static/", "/docs", "/big"))
            ):
                continue
            seen.add(address)
            assert len(seen) <= _MOST, "pages without end"
            answer = await browser.client.get(address, follow_redirects=True)
            assert answer.status_code < 500, (address, answer.text[:600])
            if answer.headers.get("content-type", "").startswith("text/csv"):
                cells = [cell for row in csv.reader(io.StringIO(answer.text)) for cell in row if _WORDS.search(cell)]
                for cell in cells:
                    if not own(cell, known):
                        gone.setdefault(cell, unquote(address))
            if not answer.headers.get("content-type", "").startswith("text/html"):
                continue
            heard = Heard(answer.text)
            wrong = [*heard.loose, *(one for one in heard.marked if not own(one, known))]
            for one in wrong:
                gone.setdefault(one, unquote(address))
            waiting.extend(Page(answer.text).links)
        return [f"{one} at {address}" for one, address in gone.items()]


def sources() -> Iterator[str]:
    """Yield what rule files name as their sources: they are quoted."""
    for path in (ROOT / "workflows").glob("*.yaml"):
        yield from re.findall(r"(?:source|item): *([^}\n]*)", path.read_text("utf-8"))


def own(said: str, known: str) -> bool:
    """Say whether a text is somebody's own, or a rule file's: each of its parts stands in the database."""
    masked = "***" in said  # the struck words of a complainant
    return masked or said in known or all(part in known for part in _WORDS.findall(said))


@pytest.fixture
async def drive(database: Database, tmp_path: Path) -> AsyncIterator[Driver]:
    """Give a driver in a town that has been lived in."""
    async with lived_in(database, tmp_path, "family") as driver:
        yield driver


async def walked(drive: Driver, people: Mapping[str, str]) -> list[str]:
    """Let these people, and a resident, look at everything in English."""
    gone = list[str]()
    number = drive.town.rows("SELECT number FROM grievance")[0][0]
    code = query_code(drive.town.site.loop.keyring, number)
    async with browsing(drive.town) as visitors:
        for login, who in people.items():
            if login:
                sign_up(drive, login, who)
        known = "\n".join((corpus(drive.town), _SCHEME, *sources()))
        for login, who in people.items():
            walk = InEnglish(drive, who)
            browser = await visitors.person(login) if login else visitors.browser()
            browser.client.cookies.set("lang", "en")
            gone += [f"{login or 'resident'} {one}" for one in await walk.read(browser, [f"/p/{number}/{code}"], known)]
    return gone


async def test_the_language_is_chosen_by_a_press_kept_and_given_back(town: Town) -> None:
    async with browsing(town) as visitors:
        someone = visitors.browser()
        page = await someone.go("/p?x=1")
        assert "查办理进度" in page.text
        assert "/p?x=1&lang=en" in page.links
        page = await someone.go("/p?x=1&lang=en")
        assert "See how it stands" in page.text
        assert someone.path.endswith("/p?x=1")
        assert '<html lang="en">' in someone.raw
        assert (await someone.go("/lists")).heads[0] == "Published lists"
        page = await someone.go("/lists?lang=zh")
        assert page.heads[0] == "公布的榜单"


@pytest.mark.parametrize(
    ("wishes", "english"),
    [
        ("", False),
        ("en-US,en;q=0.9", True),
        ("zh-CN,zh;q=0.9,en;q=0.8", False),
        ("en;q=0.8,zh;q=0.9", False),
        ("en,zh;q=0.5", True),
        ("fr,de", False),
        ("fr,en;q=0.4", True),
        ("*", False),
        ("en;q=much,zh", False),
        ("en;q=0", False),
    ],
)
async def test_a_browser_gets_english_where_it_wants_it_more_than_chinese(
    town: Town,
    wishes: str,
    english: bool,  # noqa: FBT001 a parameter of the test
) -> None:
    async with browsing(town) as visitors:
        someone = visitors.browser()
        answer = await someone.client.get("/p", headers={"Accept-Language": wishes} if wishes else {})
        assert ('<html lang="en">' in answer.text) is english
        assert answer.headers["Vary"] == "Accept-Language, Cookie"
        someone.client.cookies.set("lang", "zh" if english else "en")
        answer = await someone.client.get("/p", headers={"Accept-Language": wishes})
        assert ('<html lang="en">' in answer.text) is not english


async def test_the_other_language_never_leads_elsewhere(town: Town) -> None:
    async with browsing(town) as visitors:
        someone = visitors.browser()
        for path in ("//evil.example/p", "/%5Cevil.example/p"):
            answer = await someone.client.get(f"http://127.0.0.1{path}?lang=en")
            assert not answer.headers.get("location", "/").startswith(("//", "/\\", "http"))
        answer = await someone.client.get('/p?x="><script>&lang=en')
        assert answer.headers["location"] == "/p?x=%22%3E%3Cscript%3E"
        page = await someone.client.get(answer.headers["location"])
        assert "<script>" not in page.text.replace("<script src", "")


async def test_refusals_and_pages_that_are_not_there_are_told_in_english(town: Town) -> None:
    async with browsing(town) as visitors:
        someone = visitors.browser()
        await someone.go("/p?lang=en")
        page = await someone.send("/p", number="WY1", code="AAAAAA", expect=404)
        assert "The number or the query code is wrong; check them and try again." in page.text
        assert "/?lang=zh" in page.links
        answer = await someone.client.get("/nowhere", headers={"Accept": "text/html"})
        assert "There is no such page; start again from the first page." in answer.text
        staff = await visitors.person("property-centre")
        staff.client.cookies.set("lang", "en")
        page = await staff.go("/inbox")
        assert "Sign out" in page.text
        page = await staff.go("/board", expect=403)
        assert "This page is only for supervisors, administrators and auditors" in page.text


async def test_what_is_not_there_is_told_in_its_own_words(town: Town) -> None:
    none = "00000000-0000-0000-0000-000000000000"
    told = {
        "property-centre": (
            ("/g/WY260302-NOTTHERE", "没有这一件", "There is no such grievance"),
            (f"/t/{none}", "没有这项任务", "There is no such task"),
            (f"/files/{none}", "没有这个文件", "There is no such file"),
            ("/papers/没有〔2026〕1号", "没有这份文书", "There is no such document"),
            (f"/bulletins/{none}", "没有这份通报", "There is no such bulletin"),
            ("/credit/nobody", "没有这个单位，或它不在您", "There is no such unit, or it is not within your area"),
            ("/rules/nowhere@1", "没有发布过这一版规则", "This version of the rules was never published"),
        ),
        None: (
            ("/v/NOWHERE", "没有这个小区", "There is no such estate"),
            ("/r/NOWHERE", "没有这个小区", "There is no such estate"),
            ("/p/WY1/AAAAAA", "请核对编号和查询码", "Check the number and the query code"),
            ("/nowhere", "没有这个页面", "There is no such page"),
        ),
    }
    async with browsing(town) as visitors:
        for who, cases in told.items():
            someone = await visitors.person(who) if who else visitors.browser()
            for path, *words in cases:
                for language, said in zip(("zh", "en"), words, strict=True):
                    someone.client.cookies.set("lang", language)
                    answer = await someone.client.get(path, headers={"Accept": "text/html"})
                    assert (answer.status_code, said in answer.text) == (404, True), (path, answer.text)


async def test_what_an_english_form_sends_is_what_the_chinese_one_sends(town: Town) -> None:
    async with browsing(town) as visitors:
        chinese, english = await visitors.person("seat"), await visitors.person("seat")
        english.client.cookies.set("lang", "en")
        forms = [(await one.go("/desk")).form("/desk") for one in (chinese, english)]
        assert forms[0].names == forms[1].names
        values = [{name: [value for value, _ in every] for name, every in one.choices.items()} for one in forms]
        words = [{name: [word for _, word in every] for name, every in one.choices.items()} for one in forms]
        assert [*filter(None, values[1]["category"])] == [*filter(None, words[0]["category"][1:])]
        assert "Lifts" in words[1]["category"]
        page = await english.send("/desk", body="三号楼电梯停运", estate="E1", kind="投诉", category="电梯")
        assert "Received:" in page.text
        row = town.rows("SELECT category, kind FROM grievance")[0]
        assert tuple(row) == ("电梯", "投诉")


def left_in_chinese(stones: Sequence[Broken]) -> list[str]:
    """Return what is still Chinese of the findings of broken files in English, but for the files' own words."""
    english = catalogue((shipped("workflows"),)).of_files
    found = []
    for broken in stones:
        for finding in check(broken.text, "city.yaml")[1]:
            said = english.said(finding.message) or finding.message
            found += [said] if any(word not in broken.text for word in _WORDS.findall(said)) else []
    return found


def test_findings_of_rule_files_are_told_in_english() -> None:
    assert left_in_chinese(WALL[::20]) == []


@pytest.mark.proof
def test_every_finding_of_the_wall_is_told_in_english() -> None:
    assert left_in_chinese(WALL) == []


@pytest.mark.proof
async def test_nothing_of_ours_is_chinese_on_an_english_page(drive: Driver) -> None:
    gone = await walked(drive, one_of_each(drive) | {"": "supervisor"})
    assert not gone, f"{len(gone)}\n" + "\n".join(gone[:200])

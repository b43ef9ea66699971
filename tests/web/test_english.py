"""The pages in English: which language is chosen, and that nothing of ours is left in Chinese on any of them."""

import re
from collections import deque
from collections.abc import AsyncIterator, Iterator, Mapping
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import pytest
from tests.api.test_reach import _SCHEME, lived_in
from tests.house.words import ROOT
from tests.site import Driver, Town
from tests.web.browsing import Browser, Page, browsing
from tests.web.test_reach import Pages, one_of_each, sign_up

from wuye_loop.store.database import Database
from wuye_loop.web.codes import query_code

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
    return "\n".join(str(row[0]) for table in tables for row in town.rows(f'SELECT t::text FROM "{table}" t'))  # noqa: S608


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
        yield from re.findall(r"source: *([^}\n]*)", path.read_text("utf-8"))


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


@pytest.mark.proof
async def test_nothing_of_ours_is_chinese_on_an_english_page(drive: Driver) -> None:
    gone = await walked(drive, one_of_each(drive) | {"": "supervisor"})
    assert not gone, f"{len(gone)}\n" + "\n".join(gone[:200])

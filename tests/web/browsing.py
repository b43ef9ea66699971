"""A browser without a screen: it follows links, fills in the forms it is shown, keeps cookies, and runs no script."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

import httpx
from tests.site import Driver, Town

from wuye_loop.app import create_app
from wuye_loop.domain.privacy.access import passwords
from wuye_loop.store.keys import accounts
from wuye_loop.store.keys.accounts import AccountWish

PASSWORD = "correct horse battery"
ORIGIN = "http://127.0.0.1"
#: Hashing takes 50 ms; every account of the tests has the same.
HASHED = passwords.hashed(PASSWORD, bytes(16))


@dataclass
class SeenForm:
    """A form as it stands on a page: where it goes, what it holds, what may be chosen."""

    action: str
    method: str
    values: dict[str, str] = field(default_factory=dict)
    names: set[str] = field(default_factory=set)
    id: str = ""
    choices: dict[str, list[tuple[str, str]]] = field(default_factory=dict)  # of a list: value and what is read


class Page(HTMLParser):
    """A page as it was read: its texts, links and forms; what runs or styles inline is noted."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.links: list[str] = []
        self.forms: list[SeenForm] = []
        self.inline: list[str] = []
        self.heads: list[str] = []
        self.assets: list[str] = []
        self._open: list[str] = []
        self._area: tuple[SeenForm, str] | None = None
        self._list: list[tuple[str, str]] | None = None
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        self._open.append(tag)
        self.inline += [f"{tag} {name}" for name in found if name.startswith("on") or name == "style"]
        if tag == "script" and "src" not in found:
            self.inline.append("script")
        if tag in ("script", "link", "img"):
            self.assets.append(found.get("src") or found.get("href") or "")
        if tag == "a" and "href" in found:
            self.links.append(found["href"])
        if tag == "form":
            self.forms.append(
                SeenForm(found.get("action", ""), found.get("method", "get").lower(), id=found.get("id", ""))
            )
        if self.forms and tag in ("input", "textarea", "select", "button") and found.get("name"):
            self._control(tag, found)
        if tag == "option" and self._list is not None:
            self._list.append((found.get("value", ""), ""))

    def _control(self, tag: str, found: dict[str, str]) -> None:
        form = next((one for one in self.forms if one.id and one.id == found.get("form")), self.forms[-1])
        form.names.add(found["name"])
        if tag == "select":
            self._list = form.choices.setdefault(found["name"], [])
        if tag == "textarea":
            self._area = (form, found["name"])
        kind = found.get("type", "text")
        if tag == "input" and kind not in ("radio", "checkbox", "file", "submit"):
            form.values[found["name"]] = found.get("value", "")
        elif tag == "input" and kind in ("radio", "checkbox") and "checked" in found:
            form.values[found["name"]] = found.get("value", "on")

    def handle_endtag(self, tag: str) -> None:
        if tag == "select":
            self._list = None
        if tag == "textarea":
            self._area = None
        if tag in self._open:
            while self._open.pop() != tag:
                pass

    def handle_data(self, data: str) -> None:
        if self._area is not None:
            form, name = self._area
            form.values[name] = form.values.get(name, "") + data
        if self._list and self._open and self._open[-1] == "option":
            self._list[-1] = (self._list[-1][0], data.strip())
        if self._open and self._open[-1] in ("h1", "h2"):
            self.heads.append(data.strip())
        self.words.append(data)

    @property
    def text(self) -> str:
        """Everything that is read."""
        return " ".join(" ".join(self.words).split())

    def form(self, action: str) -> SeenForm:
        """Return the form that goes there."""
        found = [one for one in self.forms if one.action == action]
        assert found, (action, [one.action for one in self.forms], self.text[:2000])
        return found[0]


@dataclass
class Browser:
    """Somebody at a screen."""

    client: httpx.AsyncClient
    page: Page = field(default_factory=lambda: Page(""))
    status: int = 0
    path: str = ""
    raw: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)

    async def go(self, path: str, *, expect: int = 200) -> Page:
        """Open an address and follow where it leads."""
        return self._read(await self.client.get(path, follow_redirects=True), expect)

    async def send(self, action: str, *, expect: int = 200, files: Any = None, **fields: Any) -> Page:
        """Fill in the form of the present page that goes there, send it, and follow where it leads."""
        form = self.page.form(action)
        unknown = set(fields) - form.names
        assert not unknown, (unknown, form.names)
        data = {**form.values, **fields}
        if form.method == "get":
            return self._read(await self.client.get(action, params=data, follow_redirects=True), expect)
        headers = {"Origin": ORIGIN}
        answer = await self.client.post(action, data=data, files=files, headers=headers, follow_redirects=True)
        return self._read(answer, expect)

    async def sign_in(self, login: str, password: str = PASSWORD, **more: Any) -> Page:
        """Sign in at the door."""
        await self.go("/login")
        return await self.send("/login", login=login, password=password, **more)

    def _read(self, answer: httpx.Response, expect: int) -> Page:
        assert answer.status_code == expect, (answer.url, answer.status_code, Page(answer.text).text[:600])
        self.status, self.path, self.raw, self.headers = (
            answer.status_code,
            str(answer.url),
            answer.text,
            answer.headers,
        )
        self.page = Page(answer.text)
        assert self.page.inline == []
        return self.page


def account(town: Town, login: str, role: str, *, changed: bool = True, **wish: Any) -> None:
    """Make an account whose password is chosen already."""
    name = wish.pop("name", f"某人{login}")

    def made(session: Any) -> None:
        ids = town.site.loop.ids
        made = accounts.create(session, AccountWish(login, name, role, **wish), HASHED, town.now, ids, "test")
        accounts.change(session, made, must_change=not changed)

    town.run(made)


@asynccontextmanager
async def browsing(town: Town) -> AsyncIterator[Any]:
    """Give a maker of browsers on a town, each with cookies of its own, and a driver of the API beside them."""
    app = create_app(town.site)
    transport = httpx.ASGITransport(app, raise_app_exceptions=True)
    clients: list[httpx.AsyncClient] = []

    def browser() -> Browser:
        clients.append(httpx.AsyncClient(transport=transport, base_url=ORIGIN))
        return Browser(clients[-1])

    api = httpx.AsyncClient(transport=transport, base_url="http://town")
    clients.append(api)
    try:
        yield Visitors(app, browser, Driver(town, app, api, None))  # type: ignore[arg-type]
    finally:
        for client in clients:
            await client.aclose()
        await town.database.dispose_async()


@dataclass
class Visitors:
    """Makes browsers; `api` speaks to the JSON doors of the same town."""

    app: Any
    _browser: Any
    api: Driver

    def browser(self) -> Browser:
        """Return a browser that nobody has used."""
        made: Browser = self._browser()
        return made

    async def person(self, login: str) -> Browser:
        """Return a browser at which somebody has signed in."""
        made = self.browser()
        await made.sign_in(login)
        return made

"""The language of a page: the visitor's choice, which is kept, else what the browser asks for; Chinese first."""

from collections.abc import Iterable
from contextvars import ContextVar
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode, urlsplit

from fastapi import Request, Response
from fastapi.responses import RedirectResponse
from markupsafe import Markup

from wuye_loop.settings import shipped
from wuye_loop.web.addresses import inside, path_of
from wuye_loop.web.english.catalogue import Catalogue, catalogue

ASKED: Final = "lang"  # in an address, and the name of the cookie
CHINESE, ENGLISH = "zh", "en"
VARIES: Final = "Accept-Language, Cookie"
_YEAR: Final = 365 * 86_400
_LONGEST: Final = 400  # characters of a browser's wishes that are read


@dataclass(frozen=True, slots=True)
class Tongue:
    """In which language one page is drawn, and its address, where the other language is one press away."""

    english: bool = False
    address: str = "/"
    folders: tuple[Path, ...] = ()

    @property
    def catalogue(self) -> Catalogue:
        """What is said in English here."""
        return catalogue(self.folders)


_present: ContextVar[Tongue] = ContextVar("tongue", default=Tongue())  # noqa: B039 it cannot be changed


def present() -> Tongue:
    """Return the language of the page that is being drawn."""
    return _present.get()


def speak(tongue: Tongue) -> None:
    """Go on in the language of another page."""
    _present.set(tongue)


def settle(request: Request) -> None:
    """Find out in which language the answer to a request is."""
    _present.set(Tongue(wants_english(request), _address(request), folders_of(request.app)))


def folders_of(app: Any) -> tuple[Path, ...]:
    """Return the folders in which the words of an installation's rule files may stand in English."""
    return (*app.state.site.settings.workflows, shipped("workflows"))


def changed(request: Request) -> Response | None:
    """Return the answer to a press on the other language: the same address, and the choice kept; None for no such press."""
    wish = request.query_params.get(ASKED)
    if request.method != "GET" or wish not in (CHINESE, ENGLISH):
        return None
    response = RedirectResponse(_address(request), 303)
    response.set_cookie(ASKED, wish, max_age=_YEAR, samesite="lax", httponly=True)
    return response


def other() -> Markup:
    """Return the link to the present page in the other language."""
    here = present()
    wish, code, name = (CHINESE, "zh-CN", "中文") if here.english else (ENGLISH, "en", "English")
    joined = f"{here.address}{'&' if '?' in here.address else '?'}{ASKED}={wish}"
    return Markup(f'<a href="{escape(joined)}" lang="{code}" hreflang="{code}">{name}</a>')  # noqa: S704 escaped above


def say(chinese: str, **values: Any) -> str:
    """Return a text of ours with its values (`{name}`) in the language of the page."""
    here = present()
    if not here.english:
        return chinese.format(**values)
    return here.catalogue.fill(chinese, {name: str(value) for name, value in values.items()})


def worded(value: Any) -> Any:
    """Return what the program or a rule file said in the language of the page; anything else as it is, names and own words."""
    here = present()
    if not here.english or not isinstance(value, str):
        return value
    return here.catalogue.said(value) or value


def listed(words: Iterable[str]) -> str:
    """Return words as a list in the language of the page."""
    return (", " if present().english else "、").join(words)


def _address(request: Request) -> str:
    """Return the address of the page without a wish for a language; of a form's answer, that of the page with the form."""
    if request.method == "GET" and not request.scope["query_string"]:
        return inside(path_of(request))
    path, query = request.url.path, request.url.query
    if request.method != "GET":
        came = urlsplit(request.headers.get("referer", ""))
        path, query = (came.path or "/", came.query) if came.netloc == request.url.netloc else ("/", "")
    kept = [(name, value) for name, value in parse_qsl(query, keep_blank_values=True) if name != ASKED]
    return inside(path) + (f"?{urlencode(kept)}" if kept else "")


def wants_english(request: Request) -> bool:
    """Say whether a visitor has chosen English, or, having chosen nothing, asks for it more than for Chinese."""
    chosen = request.cookies.get(ASKED)
    if chosen in (CHINESE, ENGLISH):
        return chosen == ENGLISH
    wanted = wishes(request.headers.get("accept-language", ""))
    return wanted.get(ENGLISH, 0.0) > max(wanted.get(CHINESE, 0.0), wanted.get("*", 0.0))


def wishes(text: str) -> dict[str, float]:
    """Return how much each language, or kind of answer, is wanted, from 0 to 1; what is not understood is not wanted."""
    found: dict[str, float] = {}
    for one in text[:_LONGEST].split(","):
        name, _, weight = one.partition(";")
        language = name.strip().lower().partition("-")[0]
        try:
            wanted = float(weight.partition("=")[2]) if weight.strip() else 1.0
        except ValueError:
            continue
        found[language] = max(found.get(language, 0.0), wanted)
    return found

"""Templates, and the headers under which a page is shown: nothing runs or loads that is not our own file."""

import gzip
import hashlib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any, Final

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined

from wuye_loop.domain.errors import NotFound
from wuye_loop.web import language
from wuye_loop.web.english.catalogue import Catalogue
from wuye_loop.web.english.drawing import filters
from wuye_loop.web.english.templates import InEnglish

POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
#: A form's POST carries its origin only where the referrer policy lets it.
HEADERS: Final = {
    "Content-Security-Policy": POLICY,
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
    "Vary": language.VARIES,
    "Cross-Origin-Opener-Policy": "same-origin",
}
_TYPES: Final = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}
_BRIEF: Final = 8  # signs of a title beside a chart
_SHOWN: Final = 12  # of a file's digest, in its address
_FOR_EVER: Final = "public, max-age=31536000, immutable"

router = APIRouter(include_in_schema=False)


@cache
def _asset(name: str) -> tuple[bytes, str]:
    """Return one of our own files, and the beginning of its digest, which stands in its address."""
    content = files("wuye_loop.web").joinpath("static", name).read_bytes()
    return content, hashlib.sha256(content).hexdigest()[:_SHOWN]


def asset(name: str) -> str:
    """Return the address of one of our own files; a changed file has another."""
    stem, _, kind = name.rpartition(".")
    return f"/static/{stem}.{_asset(name)[1]}.{kind}"


@cache
def _assets() -> frozenset[str]:
    return frozenset(path.name for path in files("wuye_loop.web").joinpath("static").iterdir())


@cache
def _packed(name: str) -> bytes:
    """Return one of our own files packed: they hold no secret. Pages are never packed: what they hold could be guessed by size."""
    return gzip.compress(_asset(name)[0], mtime=0)


@router.get("/static/{stem}.{digest}.{kind}")
async def static(request: Request, stem: str, digest: str, kind: str) -> Response:
    """Give one of our own files, packed where that is taken."""
    name = f"{stem}.{kind}"
    if name not in _assets() or kind not in _TYPES or _asset(name)[1] != digest:
        raise NotFound
    headers = {"Cache-Control": _FOR_EVER, "Vary": "Accept-Encoding"}
    taken = [one.strip().lower() for one in request.headers.get("accept-encoding", "").split(",")]
    if "gzip" not in taken:  # whoever weighs it (`;q=`) has it as it is
        return Response(_asset(name)[0], media_type=_TYPES[kind], headers=headers)
    return Response(_packed(name), media_type=_TYPES[kind], headers=headers | {"Content-Encoding": "gzip"})


@router.get("/favicon.ico")
async def favicon() -> Response:
    """Give the mark, for browsers that ask without being told."""
    return Response(_asset("mark.svg")[0], media_type=_TYPES["svg"], headers={"Cache-Control": _FOR_EVER})


@cache
def environment(english: Catalogue | None = None) -> Environment:
    """Return the templates: everything is escaped, and a name that is not there is an error. English ones have a catalogue."""
    made = Environment(
        loader=PackageLoader("wuye_loop.web"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    made.globals["asset"] = asset
    made.globals["other_language"] = language.other
    made.filters["percent"] = percent
    made.filters |= dict.fromkeys(("own", "told", "word", "ruled", "reasoned"), _as_it_is)
    made.filters["brief"] = lambda title: title[:_BRIEF]
    if english is not None:
        made.filters |= filters(english)
        made.add_extension(InEnglish)
        made.translate = english.text  # type: ignore[attr-defined]
    return made


def _as_it_is(value: Any) -> Any:
    """Return what an English page treats in a way of its own."""
    return value


def percent(rate: float | None) -> str:
    """Return `96.3`; a dash where a rate has no base."""
    return "—" if rate is None else f"{100 * rate:.1f}"


def page(template: str, context: Mapping[str, Any], status: int = 200) -> HTMLResponse:
    """Render a page in the language of its visitor."""
    tongue = language.present()
    text = environment(tongue.catalogue if tongue.english else None).get_template(template).render(context)
    return HTMLResponse(text, status, headers=dict(HEADERS))

"""The form of each code on a wall: read once for all who ask at the same moment, drawn once for as long as it shows the same.

What is kept is found again by all that it was drawn from, so it is never out of date; only the token of the form differs
from one visitor to the next, and it is put in afterwards.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache, partial
from typing import Any, Final

from fastapi import Request, Response
from sqlalchemy.orm import Session

from wuye_loop.domain.errors import NotFound
from wuye_loop.edge.site import Site, kept_of, site_of
from wuye_loop.edge.transact import read
from wuye_loop.queries.surroundings import estates
from wuye_loop.store.database import of_the_crowd
from wuye_loop.store.gathering import Gathering
from wuye_loop.store.reads import surroundings as stored
from wuye_loop.web import language
from wuye_loop.web.language import Tongue
from wuye_loop.web.lists import categories
from wuye_loop.web.rendering import HEADERS, page
from wuye_loop.web.resident.looks import Frame, frame

FIELDS: Final = ("once", "estate", "address", "category", "body", "phone", "name")
MOST_PHOTOS: Final = 6
TEMPLATE: Final = "resident/new.html"
_TILES: Final = 9
_RECENT: Final = timedelta(days=30)
_TOKEN_BYTES: Final = 12
_TOGETHER: Final = 256  # visitors who are served by one reading
_KEPT: Final = 256  # drawn forms, of some 8 KB each
_LONGEST: Final = 0.005  # seconds that anybody waits for a reading to end, before the next begins without it
_HERE: Final = "\ue000"  # where the token goes, and the text around it, which no value can hold: it would be escaped
_AROUND: Final = f'name="once" value="{_HERE}"'
_NAME: Final = "forms"  # by which these readings take their turn among the crowd's addresses


@dataclass(frozen=True, slots=True)
class Shown:
    """What a form shows: its place, none without a code; the categories; what is open there already, by category."""

    place: tuple[tuple[str, str | None], ...] | None
    categories: tuple[str, ...]
    known: tuple[tuple[str, int], ...]

    @property
    def context(self) -> dict[str, Any]:
        """The same as the template names it."""
        return {
            "place": dict(self.place) if self.place is not None else None,
            "tiles": self.categories[:_TILES],
            "others": self.categories[_TILES:],
            "known": self.known,
        }


@dataclass(frozen=True, slots=True, eq=False)
class _Visitor:
    """One visitor's asking; two who ask for the same code are two."""

    code: str | None


class Forms:
    """What forms show, read in groups; of one event loop."""

    def __init__(self, site: Site) -> None:
        self._site = site
        most = max(1, site.database.pool_size // 4)
        self._gathering: Gathering[_Visitor, Shown | None] = Gathering(
            self._read, lambda one: one, _TOGETHER, 1, most, _LONGEST
        )

    async def shown(self, code: str | None) -> Shown:
        """Return what the form of a code shows, as it is at some time after this was asked. Raises NotFound."""
        if code is not None and "\0" in code:  # which no database is asked: all who ask with it would be refused
            raise NotFound
        found = await self._gathering.add(_Visitor(code))
        if found is None:
            raise NotFound
        return found

    async def _read(self, every: Sequence[_Visitor]) -> Sequence[Shown | None]:
        of_the_crowd.set(_NAME)  # a group is nobody's
        codes = sorted({one.code for one in every if one.code is not None})
        found = await read(self._site, partial(_gather, self._site, codes))
        return [found.get(one.code) for one in every]


def _gather(site: Site, codes: Sequence[str], session: Session) -> dict[str | None, Shown]:
    loop = site.loop
    loop.reference.refresh(session)
    every = tuple(categories(loop, session))
    places = estates(loop, session, codes) if codes else {}
    known = stored.open_in_estates(session, list(places), loop.clock.now() - _RECENT) if places else {}
    found: dict[str | None, Shown] = {None: Shown(None, every, ())}
    for code, place in places.items():
        found[code] = Shown(tuple(place.items()), every, tuple(known.get(code, ())))
    return found


def forms_of(request: Request) -> Forms:
    """Return this process's forms."""
    return kept_of(request, "forms", partial(Forms, site_of(request)))


async def form(request: Request, code: str | None) -> Response:
    """Return the empty form of a code, with a token of its own. Raises NotFound."""
    shown = await forms_of(request).shown(code)
    draw = (
        _drawn.__wrapped__ if request.scope["query_string"] else _drawn
    )  # an address of somebody's making is not kept
    before, after = draw(language.present(), code, shown, frame(request))
    once = site_of(request).loop.ids.token(_TOKEN_BYTES).encode()
    return Response(before + once + after, media_type="text/html", headers=HEADERS)


@lru_cache(maxsize=_KEPT)
def _drawn(tongue: Tongue, code: str | None, shown: Shown, around: Frame) -> tuple[bytes, bytes]:
    """Return what stands before and behind the token; `tongue` is the language that is present."""
    _ = tongue
    values = dict.fromkeys(FIELDS, "") | {"once": _HERE}
    drawn = bytes(page(TEMPLATE, context(code, shown, values) | around._asdict()).body)
    before, found, after = drawn.partition(_AROUND.encode())
    opening, _, closing = found.partition(_HERE.encode())
    return before + opening, closing + after


def context(code: str | None, shown: Shown, values: dict[str, str]) -> dict[str, Any]:
    """Return what the template of the form is given."""
    return {
        "values": values,
        "words": None,
        "problems": {},
        "most_photos": MOST_PHOTOS,
        "action": f"/r/{code}" if code else "/r",
        **shown.context,
    }

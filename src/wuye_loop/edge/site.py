"""One running installation, as the doors see it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from time import monotonic
from typing import Final, TypeVar

from fastapi import Request
from sqlalchemy.exc import DBAPIError

from wuye_loop.jobs import Jobs
from wuye_loop.loop.engine import Loop
from wuye_loop.loop.grouped import Arrivals, Company, Filings
from wuye_loop.settings import Settings
from wuye_loop.store.database import Database

T = TypeVar("T")
_NO_ROOM: Final = {"53100", "58030"}  # PostgreSQL's codes: disk full, the disk does not write


def wants_room(error: DBAPIError) -> bool:
    """Say whether the database could not write to its disk."""
    return getattr(error.orig, "sqlstate", None) in _NO_ROOM


@dataclass(slots=True)
class Writes:
    """Whether what requests wrote went to disk of late."""

    _failed: float | None = None

    def done(self) -> None:
        """Note a write that was committed."""
        self._failed = None

    def failed(self, error: DBAPIError) -> None:
        """Note a write that failed, if it was for want of room on the database's disk."""
        if wants_room(error):
            self._failed = monotonic()

    def failing(self, within: float) -> bool:
        """Say whether a write failed for want of room in the last so many seconds, and none has gone well since."""
        return self._failed is not None and monotonic() - self._failed < within


@dataclass(slots=True)
class Site:
    """The database, the loop and the settings; one per process, made by create_app."""

    settings: Settings
    database: Database
    loop: Loop
    jobs: Jobs = field(default_factory=Jobs)
    played: bool = False
    writes: Writes = field(default_factory=Writes)
    _company: Company | None = None
    _arrivals: Arrivals | None = None
    _filings: Filings | None = None

    @property
    def company(self) -> Company:
        """Actions that come at the same moment, taken together."""
        if self._company is None:
            self._company = Company(lambda: self.loop, self.database, self.jobs)
        return self._company

    @property
    def arrivals(self) -> Arrivals:
        """Orders that come at the same moment, taken in together."""
        if self._arrivals is None:
            self._arrivals = Arrivals(lambda: self.loop, self.database, self.jobs)
        return self._arrivals

    @property
    def filings(self) -> Filings:
        """What residents file at the same moment, taken in together."""
        if self._filings is None:
            self._filings = Filings(lambda: self.loop, self.database, self.jobs)
        return self._filings

    @property
    def make_believe(self) -> bool:
        """Whether nobody's real matters are here: a rehearsal, or the demonstration."""
        return self.played or self.settings.rehearsal


def site_of(request: Request) -> Site:
    """Return the installation that a request came to."""
    site: Site = request.app.state.site
    return site


def kept_of(request: Request, name: str, make: Callable[[], T]) -> T:
    """Return what this process keeps by a name for all requests; it is made when it is first asked for."""
    state = request.app.state
    if not hasattr(state, name):
        setattr(state, name, make())
    kept: T = getattr(state, name)
    return kept

"""One running installation, as the doors see it."""

from dataclasses import dataclass, field

from fastapi import Request

from wuye_loop.jobs import Jobs
from wuye_loop.loop.engine import Loop
from wuye_loop.settings import Settings
from wuye_loop.store.database import Database


@dataclass(slots=True)
class Site:
    """The database, the loop and the settings; one per process, made by create_app."""

    settings: Settings
    database: Database
    loop: Loop
    jobs: Jobs = field(default_factory=Jobs)
    played: bool = False

    @property
    def make_believe(self) -> bool:
        """Whether nobody's real matters are here: a rehearsal, or the demonstration."""
        return self.played or self.settings.rehearsal


def site_of(request: Request) -> Site:
    """Return the installation that a request came to."""
    site: Site = request.app.state.site
    return site

"""The names of the jobs, and putting them in the caller's own transaction: a rollback leaves none."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from procrastinate import App, PsycopgConnector
from procrastinate.jobs import JobDeferrer
from psycopg import AsyncConnection
from sqlalchemy.orm import Session
from sqlalchemy.util import await_only

NOTIFY = "notify"  # send a notice to a unit
ASK_ROUTER = "ask_router"  # ask another system where a grievance belongs, then route it
CLOSE_FOLLOWERS = "close_followers"  # the lead grievance has moved or is final: its followers follow
QUEUES = {NOTIFY: "outbound", ASK_ROUTER: "outbound", CLOSE_FOLLOWERS: "loop"}

Kind = tuple[str, datetime | None]


@dataclass(frozen=True, slots=True)
class Job:
    """A job as a value: what to do after the commit. Its arguments never hold an identity."""

    name: str
    args: Mapping[str, Any]
    not_before: datetime | None = None  # quiet hours: a notice that is not urgent waits for the office to open


class Jobs:
    """Defers jobs on a connection that somebody else commits.

    `hold` False sends at once what would wait: in a rehearsal the machine's clock never reaches the rehearsed hour.
    """

    def __init__(self, app: App | None = None, *, hold: bool = True) -> None:
        self._app = app or App(connector=PsycopgConnector())
        self._hold = hold

    def _deferrer(self, kind: Kind, connection: Any) -> JobDeferrer:
        name, at = kind
        at = at if self._hold else None
        return self._app.configure_task(name, queue=QUEUES[name], schedule_at=at, connection=connection)

    def defer(self, session: Session, jobs: Sequence[Job]) -> None:
        """Put jobs in the session's transaction, whichever colour its connection has."""
        connection = session.connection().connection.driver_connection
        for kind, items in _by_kind(jobs):
            deferrer = self._deferrer(kind, connection)
            if isinstance(connection, AsyncConnection):
                await_only(deferrer.batch_defer_async(*items))
            else:
                deferrer.batch_defer(*items)


def _by_kind(jobs: Sequence[Job]) -> list[tuple[Kind, list[dict[str, Any]]]]:
    found: dict[Kind, list[dict[str, Any]]] = defaultdict(list)
    for job in jobs:
        found[job.name, job.not_before].append(dict(job.args))
    return list(found.items())

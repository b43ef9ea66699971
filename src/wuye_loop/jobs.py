"""The names of the jobs, and putting them in the caller's own transaction: a rollback leaves none."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from procrastinate import App, PsycopgConnector
from procrastinate.jobs import JobDeferrer
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session

NOTIFY = "notify"  # send a notice to a unit
ASK_ROUTER = "ask_router"  # ask another system where a grievance belongs, then route it
CLOSE_FOLLOWERS = "close_followers"  # the lead grievance is final: its followers go to their own callback
QUEUES = {NOTIFY: "outbound", ASK_ROUTER: "outbound", CLOSE_FOLLOWERS: "loop"}


@dataclass(frozen=True, slots=True)
class Job:
    """A job as a value: what to do after the commit. Its arguments never hold an identity."""

    name: str
    args: Mapping[str, Any]


class Jobs:
    """Defers jobs on a connection that somebody else commits."""

    def __init__(self, app: App | None = None) -> None:
        self._app = app or App(connector=PsycopgConnector())

    def _deferrer(self, name: str, connection: Any) -> JobDeferrer:  # noqa: ANN401: a driver connection
        return self._app.configure_task(name, queue=QUEUES[name], connection=connection)

    def defer(self, session: Session, jobs: Sequence[Job]) -> None:
        """Put jobs in the session's transaction."""
        connection = session.connection().connection.driver_connection
        for name, items in _by_name(jobs):
            self._deferrer(name, connection).batch_defer(*items)

    async def defer_async(self, session: AsyncSession, jobs: Sequence[Job]) -> None:
        """Put jobs in the session's transaction, from async code."""
        raw = await (await session.connection()).get_raw_connection()
        for name, items in _by_name(jobs):
            await self._deferrer(name, raw.driver_connection).batch_defer_async(*items)


def _by_name(jobs: Sequence[Job]) -> list[tuple[str, list[dict[str, Any]]]]:
    ordered = sorted(jobs, key=lambda job: job.name)
    return [(name, [dict(job.args) for job in items]) for name, items in groupby(ordered, key=lambda job: job.name)]

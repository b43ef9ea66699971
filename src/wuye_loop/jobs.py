"""The names of the jobs, and putting them in the caller's own transaction: a rollback leaves none."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from wuye_loop.store import deferring
from wuye_loop.store.deferring import Deferred

NOTIFY = "notify"  # send a notice to a unit
ASK_ROUTER = "ask_router"  # ask another system where a grievance belongs, then route it
CLOSE_FOLLOWERS = "close_followers"  # the lead grievance has moved or is final: its followers follow
QUEUES = {NOTIFY: "outbound", ASK_ROUTER: "outbound", CLOSE_FOLLOWERS: "loop"}


@dataclass(frozen=True, slots=True)
class Job:
    """A job as a value: what to do after the commit. Its arguments never hold an identity."""

    name: str
    args: Mapping[str, Any]
    not_before: datetime | None = None  # quiet hours: a notice that is not urgent waits for the office to open


class Jobs:
    """Defers jobs in a transaction that somebody else commits.

    `hold` False sends at once what would wait: in a rehearsal the machine's clock never reaches the rehearsed hour.
    """

    def __init__(self, *, hold: bool = True) -> None:
        self._hold = hold

    def defer(self, session: Session, jobs: Sequence[Job]) -> None:
        """Put jobs, where there are any, in the session's transaction."""
        if rows := self.rows(jobs):
            deferring.defer(session, rows)

    def rows(self, jobs: Sequence[Job]) -> list[Deferred]:
        """Return jobs as the queue keeps them."""
        return [
            Deferred(QUEUES[job.name], job.name, dict(job.args), job.not_before if self._hold else None) for job in jobs
        ]

"""Putting jobs into the queue in the caller's own transaction: one statement, however many they are."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import orjson
from sqlalchemy.orm import Session

from wuye_loop.store import straight

# The library's own way in, its rows read from one JSON array: written as an array of composite values, one job cost as much
# of the processor as deciding a rung.
_DEFER: Final = """
SELECT procrastinate_defer_jobs_v1(ARRAY(
  SELECT jsonb_populate_record(NULL::procrastinate_job_to_defer_v1, j.row)
  FROM jsonb_array_elements(%(jobs)s::jsonb) WITH ORDINALITY AS j(row, n) ORDER BY j.n))
"""


@dataclass(frozen=True, slots=True)
class Deferred:
    """A job as the queue keeps it; `scheduled_at` is when it may begin, None for at once."""

    queue_name: str
    task_name: str
    args: dict[str, Any]
    scheduled_at: datetime | None
    priority: int = 0


def defer(session: Session, jobs: Sequence[Deferred]) -> None:
    """Put jobs into the queue, in this order."""
    straight.execute(session, *statement(jobs))


def statement(jobs: Sequence[Deferred]) -> tuple[str, dict[str, Any]]:
    """Return the statement that puts jobs into the queue, in this order, with its parameters."""
    return _DEFER, {"jobs": orjson.dumps(list(jobs)).decode()}

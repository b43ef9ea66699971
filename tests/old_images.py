"""Images of clocks as ledgers held them before they were short."""

from itertools import chain
from typing import Any

from wuye_loop.domain.time import clock as clocks
from wuye_loop.domain.time.clock import Clock

_short = clocks.as_row


def said_by_name(clock: Clock) -> dict[str, Any]:
    """Return an image that says everything by name, also what is not there."""
    row = _short(clock)
    nothing: tuple[Any, ...] = (None, None, None, False)
    absent: dict[str, Any] = {
        "task_id": None, "unit": None, "limit": None, "until": None, "ended_at": None, "adjustments": [],
    }  # fmt: skip
    plans = [{"index": index, "offset": offset[0] if offset else None} for index, *offset in row["plans"]]
    names = ("index", "at", "fired_at", "skipped")
    rungs = [dict(zip(names, chain(rung, nothing[len(rung) :]), strict=True)) for rung in row["rungs"]]
    return absent | row | {"plans": plans, "rungs": rungs}

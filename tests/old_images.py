"""Images as they were kept before: of clocks before they were short, of ledgers and clocks before they were packed."""

from collections.abc import Mapping
from itertools import chain
from typing import Any

import pytest

from wuye_loop.domain.time import clock as clocks
from wuye_loop.domain.time.clock import Clock
from wuye_loop.store.grievance import packing, writer

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


def in_the_clear(before: pytest.MonkeyPatch) -> None:
    """Keep what is written from here on as it was kept before anything was packed, and a row of every rung to come."""
    before.setattr(packing, "apart", lambda _, facts, changes: (facts, changes, None))
    before.setattr(packing, "clock_row", _clock_row)
    before.setattr(writer, "with_row", lambda clock: {rung.index for rung in clock.rungs if rung.at or rung.fired_at})


def _clock_row(image: Mapping[str, Any]) -> dict[str, Any]:
    return {"task_id": None, "unit": None, "ended_at": None, **image, "image": image, "packed": None}

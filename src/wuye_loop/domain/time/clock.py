"""A clock (时限) as a value, and its image in the ledger and the store. What moves it is in clocks.py."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from functools import lru_cache
from typing import Any, Self
from uuid import UUID

from wuye_loop.domain.time.calendar import Starts
from wuye_loop.domain.time.spans import Span
from wuye_loop.domain.time.timestamps import as_text, id_text


class ClockStatus(StrEnum):
    """A clock runs, is held with what is left (挂起), or is over; an ended one runs on when its states are re-entered."""

    RUNNING = "running"
    PAUSED = "paused"
    ENDED = "ended"


# A member by a name of its own: looking it up on its class takes ten times as long, and every step looks up dozens.
RUNNING, PAUSED, ENDED = ClockStatus.RUNNING, ClockStatus.PAUSED, ClockStatus.ENDED


class AdjustKind(StrEnum):
    """What may happen to a clock after its start; nothing else moves it."""

    PAUSE = "pause"
    RESUME = "resume"
    EXTEND = "extend"
    END = "end"
    CARRY = "carry"  # taken over by another version of the rules: moves nothing, but what stood before it is past


PAUSE, RESUME, EXTEND, END = AdjustKind.PAUSE, AdjustKind.RESUME, AdjustKind.EXTEND, AdjustKind.END


@dataclass(slots=True)  # a value like Clock below
class Adjustment:
    """One thing that happened to a clock at a UTC instant; an extension carries its span or the new due instant."""

    kind: AdjustKind
    at: datetime
    span: Span | None = None
    until: datetime | None = None

    def as_json(self) -> dict[str, str]:
        """Give the compact image: kind, at, and span or until where there is one."""
        image = {"kind": str(self.kind), "at": as_text(self.at)}
        if self.span is not None:
            image["span"] = str(self.span)
        if self.until is not None:
            image["until"] = as_text(self.until)
        return image

    @classmethod
    def from_json(cls, image: Mapping[str, Any]) -> Self:
        """Read what as_json wrote; ValueError or KeyError for anything else."""
        kind, at = AdjustKind(image["kind"]), _instant(image["at"])
        return cls(kind, at, _span(image.get("span")), _maybe_instant(image.get("until")))


@dataclass(frozen=True, slots=True)
class RungPlan:
    """Where a rung of the ladder stands: so long before (negative) or after the due instant, or at it (None)."""

    index: int
    offset: Span | None
    image: list[int | str] = field(init=False, compare=False, repr=False)  # in every image of every clock
    _hash: int = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        image = [self.index] if self.offset is None else [self.index, str(self.offset)]
        object.__setattr__(self, "image", image)
        object.__setattr__(self, "_hash", hash((self.index, self.offset)))

    def __hash__(self) -> int:
        """Return what was found once: ladders are looked up on every step."""
        return self._hash


@dataclass(slots=True)  # a value like Clock below, and as often made
class Rung:
    """One rung of a clock: when it will fire (None while held, over or skipped) or, once fired, when it was to."""

    index: int
    at: datetime | None
    fired_at: datetime | None
    skipped: bool


@dataclass(slots=True)  # not frozen: a frozen one takes eight times as long to make, and every step makes some
class Clock:
    """A deadline (时限) of a grievance or of one of its tasks; a value: nobody sets a field, a change gives a new one.

    `limit` (a span) or `until` (a fixed instant) is set, never both. `run` counts the clocks of this name in one
    cycle, from 1. `due_at` and the rungs are a fold of the start and the adjustments: see due_of.
    """

    id: UUID
    name: str
    task_id: UUID | None
    cycle: int
    run: int
    unit: str | None
    limit: Span | None
    until: datetime | None
    starts: Starts
    started_at: datetime
    status: ClockStatus
    due_at: datetime
    provisional: bool
    ended_at: datetime | None
    adjustments: tuple[Adjustment, ...]
    rungs: tuple[Rung, ...]
    plans: tuple[RungPlan, ...]


def as_row(clock: Clock) -> dict[str, Any]:
    """Give the JSON image of a clock: its fields by name, instants as RFC 3339 UTC with microseconds, spans as text.

    It is in every ledger row that moves the clock, so it is short: of what may be missing only what is there, a rung as
    [index, at, fired_at, skipped] without what is empty at its end, its plan as [index, offset].
    """
    row = {
        "id": id_text(clock.id),
        "name": clock.name,
        "cycle": clock.cycle,
        "run": clock.run,
        "starts": str(clock.starts),
        "started_at": as_text(clock.started_at),
        "status": str(clock.status),
        "due_at": as_text(clock.due_at),
        "provisional": clock.provisional,
        "rungs": [_rung_image(rung) for rung in clock.rungs],
        "plans": [plan.image for plan in clock.plans],
    }
    if clock.task_id is not None:
        row["task_id"] = id_text(clock.task_id)
    if clock.unit is not None:
        row["unit"] = clock.unit
    if clock.limit is not None:
        row["limit"] = str(clock.limit)
    if clock.until is not None:
        row["until"] = as_text(clock.until)
    if clock.ended_at is not None:
        row["ended_at"] = as_text(clock.ended_at)
    if clock.adjustments:
        row["adjustments"] = [adjustment.as_json() for adjustment in clock.adjustments]
    return row


def _rung_image(rung: Rung) -> list[Any]:
    image: list[Any] = [rung.index]
    if rung.at is not None or rung.fired_at is not None or rung.skipped:
        image.append(_maybe_text(rung.at))
    if rung.fired_at is not None or rung.skipped:
        image.append(_maybe_text(rung.fired_at))
    if rung.skipped:
        image.append(True)
    return image


def from_row(row: Mapping[str, Any]) -> Clock:
    """Read what as_row wrote, or the same fields with UUIDs and aware datetimes as a database gives them.

    Images of before 2026-12 say everything by name, also what is not there.
    """
    task_id = row.get("task_id")
    return Clock(
        id=_uuid(row["id"]),
        name=row["name"],
        task_id=_uuid(task_id) if task_id else None,
        cycle=row["cycle"],
        run=row["run"],
        unit=row.get("unit"),
        limit=_span(row.get("limit")),
        until=_maybe_instant(row.get("until")),
        starts=Starts(row["starts"]),
        started_at=_instant(row["started_at"]),
        status=ClockStatus(row["status"]),
        due_at=_instant(row["due_at"]),
        provisional=row["provisional"],
        ended_at=_maybe_instant(row.get("ended_at")),
        adjustments=tuple(Adjustment.from_json(image) for image in row.get("adjustments", ())),
        rungs=tuple(map(_rung, row["rungs"])),
        plans=_plans(tuple(map(_plan, row["plans"]))),
    )


def _rung(image: Sequence[Any] | dict[str, Any]) -> Rung:
    if isinstance(image, dict):  # asked a thousand times: a Mapping takes longer to tell
        return Rung(image["index"], _maybe_instant(image["at"]), _maybe_instant(image["fired_at"]), image["skipped"])
    if len(image) == _TO_COME:  # as most of a running clock are
        return Rung(image[0], _maybe_instant(image[1]), None, skipped=False)
    index, at, fired_at, skipped = [*image, *_NOTHING[len(image) :]]
    return Rung(index, _maybe_instant(at), _maybe_instant(fired_at), skipped)


_TO_COME = 2
_NOTHING: list[Any] = [0, None, None, False]


def _plan(image: Sequence[Any] | dict[str, Any]) -> tuple[int, str | None]:
    if isinstance(image, dict):
        return image["index"], image["offset"]
    return image[0], image[1] if len(image) > 1 else None


def _maybe_text(at: datetime | None) -> str | None:
    return None if at is None else as_text(at)


def _uuid(image: str | UUID) -> UUID:
    return image if isinstance(image, UUID) else UUID(image)


def _instant(image: str | datetime) -> datetime:
    at = datetime.fromisoformat(image) if isinstance(image, str) else image
    if at.tzinfo is None:
        raise ValueError(f"an instant needs its zone: {image}")
    return at if at.tzinfo is UTC else at.astimezone(UTC)


def _maybe_instant(image: str | datetime | None) -> datetime | None:
    return None if image is None else _instant(image)


@lru_cache(maxsize=1024)
def _span(text: str | None) -> Span | None:
    return None if text is None else Span.parse(text)


@lru_cache(maxsize=1024)  # the clocks of one rule have one ladder
def _plans(ladder: tuple[tuple[int, str | None], ...]) -> tuple[RungPlan, ...]:
    return tuple(RungPlan(index, _span(offset)) for index, offset in ladder)

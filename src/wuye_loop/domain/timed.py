"""A clock of a flow as every step looks it up: its ladder, its states, and its limit where nothing has to be asked."""

from dataclasses import dataclass
from datetime import datetime
from typing import Self

from wuye_loop.domain.calendar import Starts
from wuye_loop.domain.clock import RungPlan
from wuye_loop.domain.spans import Span
from wuye_loop.domain.workflow import ClockSpec


@dataclass(slots=True)
class Resolved:
    """The limit that was chosen: a span or a fixed instant, and the rule for its start."""

    span: Span | None
    until: datetime | None
    starts: Starts


@dataclass(frozen=True, slots=True)
class Timed:
    """One clock of a flow. `sole` is its limit when no condition and no date has a say in it."""

    name: str
    spec: ClockSpec
    plans: tuple[RungPlan, ...]
    per: str
    paused: frozenset[str]
    sole: Resolved | None
    over: str  # the count of how many of its runs in this cycle are over for good

    @classmethod
    def of(cls, name: str, spec: ClockSpec) -> Self:
        """Make a clock ready to be looked up."""
        plans = tuple(RungPlan(index, rung.offset) for index, rung in enumerate(spec.ladder))
        first = spec.limit[0] if spec.limit else None
        sole = None
        if first is not None and first.when.always and first.until is None:
            sole = Resolved(first.is_, None, first.starts or spec.starts)
        return cls(name, spec, plans, spec.per, frozenset(spec.paused), sole, f"cycle_over.{name}")

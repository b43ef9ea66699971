"""A clock of a flow as every step looks it up: its ladder, its states, and its limit where nothing has to be asked."""

from dataclasses import dataclass
from datetime import datetime
from typing import Self

from wuye_loop.domain.language.conditions import Condition
from wuye_loop.domain.language.workflow import ClockSpec, Limit
from wuye_loop.domain.time.calendar import Starts
from wuye_loop.domain.time.clock import RungPlan
from wuye_loop.domain.time.spans import Span


@dataclass(slots=True)
class Resolved:
    """The limit that was chosen: a span or a fixed instant, and the rule for its start."""

    span: Span | None
    until: datetime | None
    starts: Starts


@dataclass(frozen=True, slots=True)
class Option:
    """One of a clock's limits: when it is the one (None: always), and what it is, or the date that it runs to."""

    when: Condition | None
    limit: Resolved | None
    until: str
    starts: Starts
    spec: Limit


@dataclass(frozen=True, slots=True)
class CompiledClock:
    """One clock of a flow; of its limits the first whose condition holds is the one."""

    name: str
    spec: ClockSpec
    plans: tuple[RungPlan, ...]
    per: str
    paused: frozenset[str]
    limits: tuple[Option, ...]
    when: Condition | None  # what must hold for it to start; None: nothing
    over: str  # the count of how many of its runs in this cycle are over for good

    @classmethod
    def of(cls, name: str, spec: ClockSpec) -> Self:
        """Make a clock ready to be looked up."""
        plans = tuple(RungPlan(index, rung.offset) for index, rung in enumerate(spec.ladder))
        when = None if spec.when.always else spec.when
        limits = tuple(_option(limit, limit.starts or spec.starts) for limit in spec.limit)
        return cls(name, spec, plans, spec.per, frozenset(spec.paused), limits, when, f"cycle_over.{name}")


def _option(limit: Limit, starts: Starts) -> Option:
    when = None if limit.when.always else limit.when
    if limit.until is not None:
        return Option(when, None, limit.until, starts, limit)
    known = None if limit.of is not None else Resolved(limit.is_, None, starts)
    return Option(when, known, limit.of or "", starts, limit)

import re
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Final, Self


class TimeUnit(StrEnum):
    """A unit in which rules state a limit: elapsed (minute, hour), natural (day, month) or office time."""

    MINUTE = "minute"
    HOUR = "hour"
    DAY = "day"
    WORKHOUR = "workhour"
    WORKDAY = "workday"
    MONTH = "month"


# Members by names of their own: looking one up on its class takes ten times as long.
_MINUTE, _HOUR, _WORKHOUR, _WORKDAY = TimeUnit.MINUTE, TimeUnit.HOUR, TimeUnit.WORKHOUR, TimeUnit.WORKDAY
CHINESE: Final = {
    TimeUnit.MINUTE: "分钟",
    TimeUnit.HOUR: "小时",
    TimeUnit.DAY: "日",
    TimeUnit.WORKHOUR: "个工作小时",
    TimeUnit.WORKDAY: "个工作日",
    TimeUnit.MONTH: "个月",
}
LARGEST: Final = 10_000
#: Fifty years: a limit, its ladder and an extension together stay within the years that a calendar knows.
_MOST_MONTHS: Final = 600
_WRITTEN: Final = re.compile(r"([+-]?[0-9]{1,5}) +([a-z]+)")
_UNITS: Final = {name: unit for unit in TimeUnit for name in (unit.value, f"{unit.value}s")}
_ALLOWED: Final = "、".join(f"{unit.value}s" for unit in TimeUnit)
#: How a span is written, for whoever wrote something else.
WRITTEN_AS: Final = f"要写一段时间：写数字和单位，如 5 workdays、24 hours；单位只有 {_ALLOWED}，与数字空一格；数字是整数，半天可写成 4 workhours"


_SHORT: Final = {"d": TimeUnit.DAY, "h": TimeUnit.HOUR, "m": TimeUnit.MINUTE}
_SHORTLY: Final = re.compile(r"([0-9]{1,5}) *([dhm])")


@dataclass(frozen=True, slots=True)
class Span:
    """A signed number of one time unit, at most 10,000 of it (600 months): the limit of a clock, the offset of a rung."""

    n: int
    unit: TimeUnit
    #: The time that minutes and hours take day and night; None for what is counted in days or office time.
    elapsed: timedelta | None = field(init=False, compare=False, repr=False)
    working: bool = field(init=False, compare=False, repr=False)  # whether it passes in office time only

    def __post_init__(self) -> None:
        one = {_MINUTE: timedelta(minutes=1), _HOUR: timedelta(hours=1)}.get(self.unit)
        object.__setattr__(self, "elapsed", None if one is None else self.n * one)
        object.__setattr__(self, "working", self.unit in (_WORKHOUR, _WORKDAY))
        most = _MOST_MONTHS if self.unit is TimeUnit.MONTH else LARGEST
        if not -most <= self.n <= most:
            raise ValueError(f"一段时间的数字最多 {most}（{self.unit.value}），不能是 {self.n}")

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read "5 workdays", "-1 workday" or "+30 minutes"; ValueError says what may be written instead."""
        written = _WRITTEN.fullmatch(text.strip())
        unit = _UNITS.get(written[2]) if written else None
        if written is None or unit is None:
            raise ValueError(WRITTEN_AS)
        return cls(int(written[1]), unit)

    def __str__(self) -> str:
        return f"{self.n} {self.unit}{'' if self.n in (1, -1) else 's'}"

    @property
    def chinese(self) -> str:
        """The span as a user reads it: 5 个工作日."""
        return f"{self.n} {CHINESE[self.unit]}"


def elapsed(text: str) -> timedelta:
    """Read a time that passes day and night: `7d`, `24h`, `30m`, or in full, as `7 days`; ValueError says what may be written."""
    short = _SHORTLY.fullmatch(text.strip())
    span = Span(int(short[1]), _SHORT[short[2]]) if short else Span.parse(text)
    if span.unit is TimeUnit.DAY:
        return timedelta(days=span.n)
    if span.elapsed is None:
        raise ValueError("只能写天、小时、分钟，如 7d、24h、30m")
    return span.elapsed

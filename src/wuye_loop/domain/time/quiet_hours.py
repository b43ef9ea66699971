"""Quiet hours (免打扰时段): notices that are not urgent wait until they are over."""

from dataclasses import dataclass
from datetime import datetime, time, timedelta

from wuye_loop.domain.time.calendar import WorkCalendar
from wuye_loop.domain.time.shifts import shift_of


@dataclass(frozen=True, slots=True)
class QuietHours:
    """Ranges of local wall clock; one whose end is not after its beginning runs over midnight."""

    ranges: tuple[tuple[time, time], ...] = ()

    @classmethod
    def parse(cls, written: tuple[str, ...]) -> "QuietHours":
        """Read ranges such as "21:00-08:00"; ValueError for what is no wall clock."""
        return cls(tuple(map(shift_of, written)))

    def over(self, now: datetime, calendar: WorkCalendar) -> datetime:
        """Return the instant itself when it is not quiet, else when the quiet hours that it lies in are over."""
        for _ in self.ranges:  # one range may end inside another
            local = calendar.local(now)
            end = next((end for range_ in self.ranges if (end := _end(local, *range_)) is not None), None)
            if end is None:
                return now
            now = end.astimezone(now.tzinfo)
        return now


def _end(local: datetime, begins: time, ends: time) -> datetime | None:
    """Return when the range ends that this wall clock lies in, or None."""
    at = local.timetz().replace(tzinfo=None)
    night = ends <= begins
    inside = at >= begins or at < ends if night else begins <= at < ends
    if not inside:
        return None
    day = local.date() + timedelta(days=1 if night and at >= begins else 0)
    return datetime.combine(day, ends, tzinfo=local.tzinfo)

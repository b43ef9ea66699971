"""How late something is, as a person says it: in office days, hours and minutes."""

from wuye_loop.domain.language.workflow import OfficeHours
from wuye_loop.domain.time.shifts import seconds_of, shift_of

_MINUTE, _HOUR, _DAY = 60, 3600, 86_400


def office_day_seconds(hours: OfficeHours) -> int:
    """Return how long an office day is; an office without hours works around the clock."""
    return sum(seconds_of(shift_of(shift)) for shift in hours.hours) or _DAY


def spoken(seconds: int, day: int, days: str = "个工作日", *, whole: bool = False) -> str:
    """Return a time in words, for a day this long: `3 个工作日 2 小时`; `whole`: not only its two largest parts."""
    count, rest = divmod(max(seconds, 0), day)
    hours, rest = divmod(rest, _HOUR)
    parts = [(count, days), (hours, "小时"), (rest // _MINUTE, "分钟")]
    said = [f"{many} {name}" for many, name in parts if many]
    return " ".join(said if whole else said[:2]) or "不到 1 分钟"

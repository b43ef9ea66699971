"""How late something is, as a person says it: in office days, hours and minutes."""

from wuye_loop.domain.language.workflow import OfficeHours

_MINUTE, _HOUR, _DAY = 60, 3600, 86_400


def office_day_seconds(hours: OfficeHours) -> int:
    """Return how long an office day is; an office without hours works around the clock."""
    total = 0
    for shift in hours.hours:
        opens, closes = (int(part[:2]) * _HOUR + int(part[3:]) * _MINUTE for part in shift.split("-"))
        total += (closes or _DAY) - opens
    return total or _DAY


def spoken(seconds: int, office_day: int) -> str:
    """Return office time in words, in its two largest parts: `3 个工作日 2 小时`."""
    days, rest = divmod(max(seconds, 0), office_day)
    hours, rest = divmod(rest, _HOUR)
    minutes = rest // _MINUTE
    parts = [(days, "个工作日"), (hours, "小时"), (minutes, "分钟")]
    said = [f"{count} {name}" for count, name in parts if count][:2]
    return " ".join(said) or "不到 1 分钟"

"""Spans, days, times and assessment periods that a Chinese sentence holds, as English has them."""

import re
from typing import Final

MONTHS: Final = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip
_WEEKDAYS: Final = dict(zip("一二三四五六日", ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"), strict=True))
_UNITS: Final = {
    "个工作日": "working day", "工作日": "working day", "个工作小时": "working hour", "个月": "month", "小时": "hour",
    "分钟": "minute", "天": "day", "日": "day", "年": "year",
}  # fmt: skip
_UNIT: Final = "|".join(_UNITS)
_SPAN: Final = re.compile(rf"(?:[-+]?\d[\d.]* ?(?:{_UNIT})(?:; | |$))+")
_ONE: Final = re.compile(rf"(\d[\d.]*) ?({_UNIT})")
_STAMP: Final = re.compile(r"(\d{4})-(\d\d)-(\d\d)(?:（周(.)）)?(?: ?(\d\d:\d\d))?")
_DAY: Final = re.compile(r"(?:(\d{4}) ?年 ?)?(\d{1,2}) ?月 ?(\d{1,2}) ?日(?:（周(.)）)?")
_PERIOD: Final = re.compile(r"(\d{4})年(?:(\d{1,2})月|第(\d{1,2})(周|季度)|([上下])半年)?")


def value(text: str) -> str | None:
    """Return in English what a sentence holds of time; None for anything else."""
    if _SPAN.fullmatch(text):
        return _ONE.sub(lambda found: f"{found[1]} {_UNITS[found[2]]}{'' if found[1] == '1' else 's'}", text)
    if found := _STAMP.fullmatch(text):
        return _day(found[1], found[2], found[3], found[4]) + (f" {found[5]}" if found[5] else "")
    if found := _DAY.fullmatch(text):
        return _day(found[1], found[2], found[3], found[4])
    if found := _PERIOD.fullmatch(text):
        return _period(found)
    return None


def _day(year: str | None, month: str, day: str, weekday: str | None) -> str:
    said = f"{int(day)} {MONTHS[(int(month) - 1) % 12]}" + (f" {year}" if year else "")
    return said + (f" ({_WEEKDAYS[weekday]})" if weekday in _WEEKDAYS else "")


def _period(found: re.Match[str]) -> str:
    year, month, number, kind, half = found.groups()
    if month:
        return f"{MONTHS[(int(month) - 1) % 12]} {year}"
    if number:
        return f"week {number} of {year}" if kind == "周" else f"quarter {number} of {year}"
    if half:
        return f"{'first' if half == '上' else 'second'} half of {year}"
    return str(year)

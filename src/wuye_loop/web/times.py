"""Instants and time left in few words, as a list has room for: `11-27 09:20`, `剩 3天8时`, `超期 2天`."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from sqlalchemy.orm import Session

from wuye_loop.domain.time.calendar import WorkCalendar
from wuye_loop.domain.time.timestamps import from_text, wall
from wuye_loop.domain.wording.time import office_day_seconds
from wuye_loop.loop.engine import Loop
from wuye_loop.queries.inbox import SOON
from wuye_loop.web import language
from wuye_loop.web.english.values import MONTHS

_WEEKDAYS: Final = "一二三四五六日"
_DAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MINUTE, _HOUR = 60, 3600


@dataclass(frozen=True, slots=True)
class Badge:
    """How urgent a deadline looks: `kind` is late, soon, calm, held or done; one rule decides for every clock."""

    kind: str
    words: str
    at: str


@dataclass(frozen=True, slots=True)
class Times:
    """The present, and the office's way of counting time."""

    now: datetime
    soon: datetime  # what is due by then is due soon: one working day from now
    calendar: WorkCalendar
    office_day: int  # seconds

    @property
    def chinese(self) -> "Times":
        """The same in Chinese, for a document that stands on an English page."""
        return self

    @property
    def today(self) -> date:
        """The day it is in the office."""
        return self.now.astimezone(self.calendar.zone).date()

    @property
    def works_today(self) -> bool:
        """Whether office time runs at all today."""
        return self.calendar.is_workday(self.today)

    @property
    def office_hours(self) -> str:
        """How long a working day is: `7.5`."""
        return f"{self.office_day / _HOUR:g}"

    def clock(self) -> str:
        """Return `11-29 周日 16:40`."""
        day, at = wall(self.now, self.calendar.zone, due=False)
        return f"{day:%m-%d} 周{_WEEKDAYS[day.weekday()]} {at}"

    def moment(self, text: str | datetime | None, *, due: bool = False) -> str:
        """Return `今天 09:20`, `11-27 09:20`, in another year `2025-12-18 09:20`; a dash for none."""
        if text is None:
            return "—"
        day, at = wall(from_text(text) if isinstance(text, str) else text, self.calendar.zone, due=due)
        if day == self.today:
            return f"今天 {at}"
        return f"{day:%m-%d} {at}" if day.year == self.today.year else f"{day.isoformat()} {at}"

    def is_today(self, text: str) -> bool:
        """Say whether an instant is of today."""
        return wall(from_text(text), self.calendar.zone, due=False)[0] == self.today

    def due(self, text: str | datetime) -> str:
        """Return a deadline as `moment` does; at midnight it is the 24:00 of the day that ends."""
        return self.moment(text, due=True)

    def promise(self, text: str | datetime) -> str:
        """Return `12 月 4 日（周五）17:30`, as one says it to a person."""
        day, at = wall(from_text(text) if isinstance(text, str) else text, self.calendar.zone, due=True)
        year = "" if day.year == self.today.year else f"{day.year} 年 "
        return f"{year}{day.month} 月 {day.day} 日（周{_WEEKDAYS[day.weekday()]}）{at}"

    def day(self, text: str | datetime | date) -> str:
        """Return `11-27`, with the year where it is another."""
        if isinstance(text, str):
            text = from_text(text)
        on = text.astimezone(self.calendar.zone).date() if isinstance(text, datetime) else text
        return f"{on:%m-%d}" if on.year == self.today.year else on.isoformat()

    def long_day(self, text: str | datetime) -> str:
        """Return `2026 年 11 月 29 日`, as a document is dated."""
        on = (from_text(text) if isinstance(text, str) else text).astimezone(self.calendar.zone).date()
        return f"{on.year} 年 {on.month} 月 {on.day} 日"

    def short(self, seconds: int, *, working: bool = True) -> str:
        """Return `3天8时`, `6时`, `50分`: a working day is as long as the office is open."""
        day = self.office_day if working else 24 * _HOUR
        days, rest = divmod(abs(seconds), day)
        hours, rest = divmod(rest, _HOUR)
        minutes = rest // _MINUTE
        if days:
            return f"{days}天{hours}时" if hours else f"{days}天"
        if hours:
            return f"{hours}时{minutes}分" if minutes else f"{hours}时"
        return f"{minutes}分" if minutes else "不到 1 分"

    def badge(
        self, due_at: str | datetime | None, *, seconds: int | None = None, working: bool = True, held: bool = False
    ) -> Badge | None:
        """Return how a deadline looks; `seconds` left, where they are known, else counted in office time."""
        if due_at is None:
            return None
        at = from_text(due_at) if isinstance(due_at, str) else due_at
        if seconds is None:
            seconds = self.calendar.working_seconds(self.now, at) if at >= self.now else -self._late(at)
        said = self.short(seconds, working=working)
        if held:
            return Badge("held", self.held(), self.due(at))
        if at < self.now:
            return Badge("late", self.late(said), self.due(at))
        return Badge("soon" if at <= self.soon else "calm", self.left(said), self.due(at))

    def held(self) -> str:
        """Return what is said of a clock that stands still."""
        return "暂停"

    def late(self, span: str) -> str:
        """Return what is said of a deadline that is so long past."""
        return f"超期 {span}"

    def left(self, span: str) -> str:
        """Return what is said of a deadline that is so far off."""
        return f"剩 {span}"

    def named(self, day: date, *, month: bool) -> str:
        """Return what a strip of days calls one."""
        return (
            f"{day.month}-{day.day} 周{_WEEKDAYS[day.weekday()]}"
            if month
            else f"{day.day} 周{_WEEKDAYS[day.weekday()]}"
        )

    def _late(self, at: datetime) -> int:
        return self.calendar.working_seconds(at, self.now)

    def strip(self, first: date, last: date, counted: list[date], due_day: date) -> list[dict[str, object]]:
        """Return the days of a limit one by one: which are counted, which passed over, which is today, which the last."""
        made: list[dict[str, object]] = []
        for n in range((last - first).days + 1):
            day = first + timedelta(days=n)
            place = counted.index(day) + 1 if day in counted else None
            made.append(
                {
                    "label": self.named(day, month=not n or day.day == 1),
                    "place": place,
                    "today": day == self.today,
                    "due": day == due_day,
                    "works": self.calendar.is_workday(day),
                    "first": n == 0,
                }
            )
        return made


class EnglishTimes(Times):
    """The same in English: `today 09:20`, `27 Nov 09:20`, `3d 8h left`."""

    __slots__ = ()

    @property
    def chinese(self) -> Times:
        """The same in Chinese."""
        return Times(self.now, self.soon, self.calendar, self.office_day)

    def clock(self) -> str:
        """Return `Sun 29 Nov 16:40`."""
        day, at = wall(self.now, self.calendar.zone, due=False)
        return f"{_DAYS[day.weekday()][:3]} {day.day} {MONTHS[day.month - 1][:3]} {at}"

    def moment(self, text: str | datetime | None, *, due: bool = False) -> str:
        """Return `today 09:20`, `27 Nov 09:20`, in another year `18 Dec 2025 09:20`; a dash for none."""
        if text is None:
            return "—"
        day, at = wall(from_text(text) if isinstance(text, str) else text, self.calendar.zone, due=due)
        return f"today {at}" if day == self.today else f"{self.day(day)} {at}"

    def promise(self, text: str | datetime) -> str:
        """Return `Friday 4 December, 17:30`."""
        day, at = wall(from_text(text) if isinstance(text, str) else text, self.calendar.zone, due=True)
        year = "" if day.year == self.today.year else f" {day.year}"
        return f"{_DAYS[day.weekday()]} {day.day} {MONTHS[day.month - 1]}{year}, {at}"

    def day(self, text: str | datetime | date) -> str:
        """Return `27 Nov`, with the year where it is another."""
        if isinstance(text, str):
            text = from_text(text)
        on = text.astimezone(self.calendar.zone).date() if isinstance(text, datetime) else text
        return f"{on.day} {MONTHS[on.month - 1][:3]}" + ("" if on.year == self.today.year else f" {on.year}")

    def long_day(self, text: str | datetime) -> str:
        """Return `29 November 2026`."""
        on = (from_text(text) if isinstance(text, str) else text).astimezone(self.calendar.zone).date()
        return f"{on.day} {MONTHS[on.month - 1]} {on.year}"

    def short(self, seconds: int, *, working: bool = True) -> str:
        """Return `3d 8h`, `6h`, `50m`."""
        days, rest = divmod(abs(seconds), self.office_day if working else 24 * _HOUR)
        hours, rest = divmod(rest, _HOUR)
        minutes = rest // _MINUTE
        parts = [(days, "d"), (hours, "h"), (0 if days else minutes, "m")]
        return " ".join(f"{n}{unit}" for n, unit in parts if n) or "under 1m"

    def held(self) -> str:
        """Return what is said of a clock that stands still."""
        return "paused"

    def late(self, span: str) -> str:
        """Return what is said of a deadline that is so long past."""
        return f"{span} late"

    def left(self, span: str) -> str:
        """Return what is said of a deadline that is so far off."""
        return f"{span} left"

    def named(self, day: date, *, month: bool) -> str:
        """Return what a strip of days calls one."""
        called = f"{_DAYS[day.weekday()][:3]} {day.day}"
        return f"{called} {MONTHS[day.month - 1][:3]}" if month else called


def times(loop: Loop, session: Session) -> Times:
    """Return the present by the default workflow's calendar."""
    loop.reference.refresh(session)
    calendar = loop.calendar(session)
    now = loop.clock.now()
    rules = loop.reference.rules(session, loop.default_workflow)
    spoken = EnglishTimes if language.present().english else Times
    return spoken(now, calendar.shift(now, SOON), calendar, office_day_seconds(rules.workflow.calendar))

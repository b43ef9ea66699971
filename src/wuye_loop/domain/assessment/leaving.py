"""清退: since which day a unit is to leave, told by the calendar from its rows of credit."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from wuye_loop.domain.assessment import periods as calendar
from wuye_loop.domain.assessment.credit import Balance, CreditRow, balance
from wuye_loop.domain.assessment.scheme import CreditSpec, Fallen, Scheme

#: The last days of a scheme's periods by the period's name, the latest first, none after the day that is asked about.
LastDays = Mapping[str, Sequence[date]]


def fallen_since(spec: CreditSpec, rows: Sequence[CreditRow], today: date, ends: LastDays) -> date | None:
    """Return the first day from which on a unit has met a way out without a break until today; None: it does not.

    The day is the same whenever it is asked while the unit stays fallen: what was brought for it is known by it.
    """
    if spec.exit is None:
        return None
    told: dict[date, Balance] = {}

    def stood(on: date) -> Balance:
        if on not in told:
            told[on] = balance(spec, rows, on)
        return told[on]

    def met(on: date) -> bool:
        return any(_met(way, stood, on, ends) for way in spec.exit.when) if spec.exit is not None else False

    if not met(today):
        return None
    changes = {row.since for row in rows} | {row.until for row in rows if row.until is not None}
    for days in ends.values():
        changes.update(days)
    first = today
    for day in sorted((one for one in changes if one <= today), reverse=True):
        if not met(day):
            break
        first = day
    return first


def last_days(scheme: Scheme, first: date, today: date) -> LastDays:
    """Return the last days of the periods that credit.exit counts, between the first row of credit and today, the latest first."""
    spec, zone = scheme.exit, scheme.calendar.zone
    found: dict[str, list[date]] = {}
    for name in {way.of for way in spec.when if way.of is not None} if spec is not None else ():
        part = scheme.periods[name]
        at = calendar.containing(part, datetime.combine(today, datetime.min.time(), ZoneInfo(zone)), zone)
        days: list[date] = []
        while not days or days[-1] >= first:
            at = calendar.before(part, at, zone)
            days.append(scheme.day_of(at.ends - timedelta(seconds=1)))
        found[name] = days
    return found


def _met(way: Fallen, stood: Callable[[date], Balance], on: date, ends: LastDays) -> bool:
    if way.of is None:
        return _fits(way, stood(on))
    days = [day for day in ends.get(way.of, ()) if day <= on][: way.running]
    return len(days) == way.running and all(_fits(way, stood(day)) for day in days)


def _fits(way: Fallen, stands: Balance) -> bool:
    return (
        (way.grade is None or stands.grade == way.grade)
        and (way.below is None or stands.points < way.below)
        and (way.veto is not True or stands.vetoed)
    )


def lost_more_than(spec: CreditSpec) -> Decimal | None:
    """Return how many points nobody can lose without being looked at; None: whoever has lost any is.

    Good rows and limits only raise a balance over its base and losses: it is no lower than they say.
    """
    limits: list[Decimal | None] = []
    for way in spec.exit.when if spec.exit is not None else ():
        if way.below is not None:
            limits.append(way.below)
        elif way.grade is not None:
            tops = [one.below for one in spec.grades.get(way.grade, ())]
            limits += tops or [None]
    if None in limits:
        return None
    known = [one for one in limits if one is not None]
    return spec.base - max(known) if known else spec.base

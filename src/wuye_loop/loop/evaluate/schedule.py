"""A period of a scheme: found by its code, entered into the schedule when it has begun, locked for whoever works on it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from wuye_loop.domain.assessment import periods as calendar
from wuye_loop.domain.assessment.periods import BadPeriod, Stretch
from wuye_loop.domain.assessment.scheme import Period, Scheme
from wuye_loop.domain.errors import BadInput, Conflict, NotFound
from wuye_loop.loop.engine import Loop
from wuye_loop.store.assessment import periods, schemes
from wuye_loop.store.assessment.periods import Assessment

#: A scheme that was published long ago is caught up with from here on, not from the beginning of the record.
_MOST_BEHIND = 400


@dataclass(frozen=True, slots=True)
class Place:
    """A period of a scheme, found by its code: the scheme, the part, the window."""

    scheme: Scheme
    part: str
    stretch: Stretch

    @property
    def spec(self) -> Period:
        """What the scheme says of it."""
        return self.scheme.periods[self.part]


def place_of(session: Session, which: str, code: str) -> Place:
    """Return the period of a scheme that a code names; a closed one by the version that it was closed by.

    Raises NotFound for an unknown scheme, BadInput for a code that names none of its periods.
    """
    scheme = schemes.named(session, which)
    try:
        every = calendar.kind_of(code)
        part = next((name for name, one in scheme.periods.items() if one.every == every), None)
        if part is None:
            raise BadInput(f"{scheme.title}没有这种考核期")
        stretch = calendar.window(scheme.periods[part], code, scheme.calendar.zone)
    except BadPeriod as error:
        raise BadInput(str(error)) from None
    found = periods.find(session, scheme.name, code)
    if found is not None and found.state != "due" and found.scheme != scheme.id:
        scheme = schemes.named(session, found.scheme)
    return Place(scheme, part, stretch)


def closes_at(loop: Loop, session: Session, scheme: Scheme, spec: Period, stretch: Stretch) -> datetime:
    """Return when a period closes: at its end, or so long after."""
    if spec.closes is None:
        return stretch.ends
    return loop.reference.calendar(session, scheme.calendar).shift(stretch.ends, spec.closes)


def extend(loop: Loop, session: Session, every: Sequence[tuple[Scheme, datetime]]) -> int:
    """Add the periods of schemes that have begun by now and are not in the schedule; return how many."""
    loop.reference.refresh(session)
    now, begun = loop.clock.now(), []
    for scheme, since in every:
        if not is_ours(loop, scheme):
            continue
        zone = scheme.calendar.zone
        for part, spec in scheme.periods.items():
            last = periods.latest_scheduled(session, scheme.name, part)
            if last is None:
                at = calendar.containing(spec, since, zone)
            else:
                at = calendar.after(spec, calendar.window(spec, last.period, zone), zone)
            for _ in range(_MOST_BEHIND):
                if at.starts > now:
                    break
                begun.append(_row(loop, session, Place(scheme, part, at)))
                at = calendar.after(spec, at, zone)
    return periods.schedule(session, begun)


def is_ours(loop: Loop, scheme: Scheme) -> bool:
    """Say whether a scheme is of the city that this installation works for: of its workflow, whatever the version."""
    return scheme.workflow.partition("@")[0] == loop.default_workflow.partition("@")[0]


def _row(loop: Loop, session: Session, place: Place) -> Assessment:
    at, scheme = place.stretch, place.scheme
    due = closes_at(loop, session, scheme, place.spec, at)
    return Assessment(
        loop.ids.new(), scheme.name, scheme.id, place.part, at.code, 1, "due", at.starts, at.ends, due
    )  # fmt: skip


def locked(loop: Loop, session: Session, place: Place, *, shared: bool = False) -> Assessment:
    """Return the newest revision of a period under its lock; one that nobody has scheduled yet is added.

    `shared` keeps it open for others that share: voices of many come in at once, and closing waits for them.
    """
    if place.stretch.starts > loop.clock.now():
        raise Conflict("这一期还没有开始")
    found = periods.find(session, place.scheme.name, place.stretch.code)
    if found is None:
        periods.schedule(session, [_row(loop, session, place)])
        found = newest(session, place)
    row = periods.locked(session, found.id, shared=shared)
    assert row is not None  # noqa: S101 assessments are never removed
    return row


def require_frozen(session: Session, row: Assessment) -> None:
    """Raise Conflict where a closed period is not what was frozen: what is made of it would vouch for a forgery."""
    if not periods.as_frozen(session, row):
        raise Conflict("这一期与封账时的登记不一致：请先用 verify 查清")


def newest(session: Session, place: Place) -> Assessment:
    """Return the newest revision of a period. Raises NotFound where nobody has scheduled it."""
    found = periods.find(session, place.scheme.name, place.stretch.code)
    if found is None:
        raise NotFound("这一期还没有考核")
    return found

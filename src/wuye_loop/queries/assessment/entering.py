"""评分: what may still be scored, by whom and for whom. Who said how much is in no answer."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy.orm import Session

from wuye_loop.domain.assessment import periods as calendar
from wuye_loop.domain.assessment.scheme import OWNERS, InputSpec, Scheme
from wuye_loop.domain.grievance.situation import Actor
from wuye_loop.loop.engine import Loop
from wuye_loop.loop.evaluate import schedule, scores
from wuye_loop.loop.evaluate.schedule import Place
from wuye_loop.loop.figures import scoring
from wuye_loop.loop.figures.scoring import Rostered
from wuye_loop.store.assessment import periods, schemes, voices


@dataclass(frozen=True, slots=True)
class Subject:
    """Whom a score is for: its code and group, its name and its group's, and whether the asking unit has scored it."""

    code: str
    peer: str
    name: str
    peer_name: str | None
    scored: bool


@dataclass(frozen=True, slots=True)
class Asked:
    """One input that takes scores now: of which period, between which numbers or item by item, until when, for whom."""

    scheme: str
    scheme_title: str
    period: str
    period_title: str
    input: str
    title: str
    low: Decimal
    high: Decimal
    checklist: dict[str, Decimal]
    by_flat: bool
    until: datetime
    subjects: tuple[Subject, ...]
    parts: Mapping[str, str]  # of a checklist: of which item each part is

    @property
    def id(self) -> str:
        """What names it among those that are open: scheme, period and input."""
        return f"{self.scheme}/{self.period}/{self.input}"


def open_to(loop: Loop, session: Session, actor: Actor) -> list[Asked]:
    """Return what somebody may score now, what ends first in front."""
    found = [one for scheme in _ours(loop, session) for one in _open(loop, session, scheme, actor)]
    return sorted(found, key=lambda one: (one.until, one.id))


def open_to_owners(loop: Loop, session: Session, actor: Actor, estate: Any) -> list[Asked]:
    """Return what an owner of an estate may score now; `estate` has its code, area_code and company_code."""
    loop.reference.refresh(session)
    area = loop.reference.directory.areas.get(estate.area_code)
    if area is None:
        return []
    codes = {estate.code, estate.company_code, *(one for one in area.path.split("/") if one)}
    found = []
    for scheme in _ours(loop, session):
        keys = {
            (one.code, one.peer)
            for one in scoring.roster_of(loop, session, scheme)
            if one.code in codes and area.path.startswith(one.path)
        }
        found += [one for one in _open(loop, session, scheme, actor, only=keys) if one.subjects]
    return sorted(found, key=lambda one: (one.until, one.id))


def _ours(loop: Loop, session: Session) -> Iterator[Scheme]:
    loop.reference.refresh(session)
    return (scheme for scheme, _ in schemes.newest(session) if schedule.is_ours(loop, scheme))


def _open(
    loop: Loop, session: Session, scheme: Scheme, actor: Actor, *, only: set[tuple[str, str]] | None = None
) -> Iterator[Asked]:
    """Yield what of a scheme takes scores now; `only` of these subjects, and then what owners say of them."""
    roster = scoring.roster_of(loop, session, scheme) if scheme.inputs else []
    for part, spec in scheme.periods.items():
        for name in dict.fromkeys(item.from_ for item in spec.items if item.from_ in scheme.inputs):
            asked = scheme.inputs[name or ""]
            if only is not None and OWNERS not in asked.by:
                continue
            keys = _keys(loop, session, scheme, asked, roster, actor)
            wanted = keys if only is None else [key for key in keys if key in only]
            for place, until in _running(loop, session, scheme, part, asked) if wanted else ():
                yield _asked(loop, session, place, name or "", until, wanted, actor)


def _keys(
    loop: Loop, session: Session, scheme: Scheme, spec: InputSpec, roster: Sequence[Rostered], actor: Actor
) -> list[tuple[str, str]]:
    """Return the subjects for which somebody may enter an input: asked once for each place."""
    may = {at: scores.may_enter(loop, session, scheme, spec, at, actor) for at in {one.scored_at for one in roster}}
    return sorted({(one.code, one.peer) for one in roster if may[one.scored_at] and one.code != actor.unit})


def _running(
    loop: Loop, session: Session, scheme: Scheme, part: str, spec: InputSpec
) -> Iterator[tuple[Place, datetime]]:
    """Return the periods that take scores now: the one that runs, and the one before as long as it is not closed."""
    now, zone = loop.clock.now(), scheme.calendar.zone
    this = calendar.containing(scheme.periods[part], now, zone)
    for stretch in (calendar.before(scheme.periods[part], this, zone), this):
        place = Place(scheme, part, stretch)
        row = periods.find(session, scheme.name, stretch.code)
        if (row is None and stretch is not this) or (row is not None and row.state != "due"):
            continue
        closes = row.closes_at if row else schedule.closes_at(loop, session, scheme, place.spec, stretch)
        until = scores.scored_until(loop, session, place, spec, closes)
        if now < until:
            yield place, until


def _asked(
    loop: Loop, session: Session, place: Place, name: str, until: datetime, keys: list[tuple[str, str]], actor: Actor
) -> Asked:
    scheme, spec, period = place.scheme, place.scheme.inputs[name], place.stretch.code
    by_flat = spec.voices is not None and spec.voices.one_per == "flat"
    names = voices.names_of(session, sorted({code for key in keys for code in key}))
    own: set[tuple[str, str]] = set()
    if not by_flat and actor.unit is not None:
        digests = scores.names_of_voice(loop, scheme, name, actor.unit)
        own = voices.said(session, {"name": scheme.name, "period": period, "input": name}, digests)
    return Asked(
        scheme.name, scheme.title, period, calendar.spoken(period), name, spec.title, spec.scale.min, spec.scale.max,
        spec.sheet, by_flat, until,
        tuple(Subject(*key, names.get(key[0], key[0]), names.get(key[1]), key in own) for key in keys), spec.parts_of,
    )  # fmt: skip

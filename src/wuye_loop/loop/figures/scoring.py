"""What a period comes to: figures by SQL, then points, places and lists. Nothing is written here."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final
from uuid import UUID

import orjson
from sqlalchemy.orm import Session

from wuye_loop.domain.assessment import periods as calendar
from wuye_loop.domain.assessment.periods import Stretch
from wuye_loop.domain.assessment.points import Earned, Figure, Score, combined, score, score_of_parts, with_composites
from wuye_loop.domain.assessment.ranks import Key, Placed, on_lists, ranked
from wuye_loop.domain.assessment.scheme import BREAKDOWNS, Period, Scheme
from wuye_loop.domain.directory.directory import Directory
from wuye_loop.domain.figures.exact import half_up
from wuye_loop.domain.language.documents import AskedFigure, RatingSpec
from wuye_loop.domain.rules.rules import Rules
from wuye_loop.domain.terms import Stage
from wuye_loop.loop.engine import Loop
from wuye_loop.store.assessment import measures, periods, voices
from wuye_loop.store.assessment.measures import Facts, Ground
from wuye_loop.store.assessment.periods import FigureRow, ResultRow
from wuye_loop.store.workflows import versions

COMPLAINANT = "complainant"


@dataclass(frozen=True, slots=True)
class Drafted:
    """A period as it would be frozen now."""

    figures: Sequence[FigureRow]
    results: Sequence[ResultRow]


_DAYS_OF_A_YEAR: Final = 366  # the most periods that a list may ask about: days since January


def drafted(
    loop: Loop, session: Session, scheme: Scheme, part: str, stretch: Stretch, into: UUID | None = None
) -> Drafted:
    """Return the figures and results of a period from what is stored now; the figures are kept `into` an assessment."""
    spec = scheme.periods[part]
    ground = grounded(loop, session, scheme, stretch)
    figures = counted(session, scheme, part, ground, stretch, into)
    bare = _inputs(session, scheme, spec, stretch)
    orders = measures.orders(session, ground)
    members = _members(session, scheme, spec, ground, [*figures, *bare], orders)
    bare += [*_funnel(session, stretch), *_breakdowns(session, scheme, part, stretch)]
    if spec.from_ is not None:
        bare += _combined(session, scheme, spec, stretch)
    if into is not None:
        periods.keep(session, into, bare)
    figures += bare
    return Drafted(figures, judged(session, scheme, part, stretch, members, orders, figures))


def counted(
    session: Session, scheme: Scheme, part: str, ground: Ground, stretch: Stretch, into: UUID | None = None
) -> list[FigureRow]:
    """Return what a period's measures come to now; `into` an assessment, they are stored with their cases."""
    rows: list[FigureRow] = []
    looked: list[tuple[Facts, str]] = []
    homes = measures.households(session, ground.are, ground.places)
    for name in asked(scheme, scheme.periods[part]):
        measure = scheme.measures[name]
        if measure.composite:
            continue  # made of the others' figures wherever it is read: an appeal that mends one of them mends it
        counts = scheme.measures[measure.growth] if measure.growth is not None else measure
        base: Mapping[Key, Decimal] | None = None
        if measure.growth is not None:
            base = _earlier_count(session, scheme, part, name, ground, stretch)
            if base is None:
                continue
        elif measure.per is not None:
            base = {key: Decimal(one) / measure.per.households for key, one in homes.items()}
        facts = measures.facts_of(name, counts, ground)
        twin = next((other for known, other in looked if known == facts), None)
        grown = measure.growth is not None
        rows += measures.figures(session, name, counts, facts, base=base, grown=grown, into=into, twin=twin)
        looked.append((facts, name))
    return rows


def judged(
    session: Session,
    scheme: Scheme,
    part: str,
    stretch: Stretch,
    members: Iterable[Key],
    orders: Mapping[Key, int],
    figures: Sequence[FigureRow],
) -> list[ResultRow]:
    """Return the results of every subject from frozen figures: points, places, lists."""
    spec = scheme.periods[part]
    by_key = by_subject(scheme, figures)
    missing = {name: one.missing for name, one in scheme.inputs.items()}
    scores: dict[Key, Score] = {}
    least = scheme.subjects.at_least.grievances
    for key in members:
        known = by_key.get(key, {})
        if spec.from_ is not None:
            scores[key] = score_of_parts(spec, known.get(f"of:{spec.from_}"))
        elif spec.items and orders.get(key, 0) >= least:
            scores[key] = score(spec, known, missing)
    placed = [
        Placed(*key, one.total, _tie(spec, by_key.get(key, {}))) for key, one in scores.items() if one.total is not None
    ]
    places = ranked(placed, spec.rank.within)
    past, in_year = _earlier(session, scheme, part, stretch)
    lists = on_lists(spec.lists, placed, past, in_year)
    return [
        ResultRow(
            *key,
            orders.get(key, 0),
            one.total if (one := scores.get(key)) is not None else None,
            places.get(key),
            [_item(item) for item in one.items] if one is not None else [],
            tuple(lists.get(key, ())),
            one.vetoed if one is not None else False,
        )
        for key in sorted(members)
    ]


def by_subject(scheme: Scheme, rows: Iterable[FigureRow]) -> dict[Key, dict[str, Figure]]:
    """Return the figures of every subject in each of its groups, with those that are composed of them."""
    found: dict[Key, dict[str, Figure]] = defaultdict(dict)
    for row in rows:
        found[row.subject, row.peer][row.measure] = figure_of(scheme, row)
    return {key: with_composites(scheme.measures, own) for key, own in found.items()}


def composite_rows(scheme: Scheme, rows: Sequence[FigureRow]) -> list[FigureRow]:
    """Return the composed figures of every subject as rows to be read: the weighed sum over the weights."""
    names = [name for name, measure in scheme.measures.items() if measure.composite]
    return [
        FigureRow(*key, name, half_up(own[name].numerator, 4), half_up(own[name].denominator or Fraction(0), 4))
        for key, own in (by_subject(scheme, rows).items() if names else ())
        for name in names
        if name in own
    ]


def figure_of(scheme: Scheme, row: FigureRow) -> Figure:
    """Return a frozen figure as the arithmetic takes it."""
    measure = scheme.measures.get(row.measure)
    counts = row.measure.startswith("of:") or (measure is not None and measure.per is not None)
    base = None if row.denominator is None else Fraction(row.denominator)
    return Figure(Fraction(row.numerator), base, row.excluded, percent=not counts)


def _item(one: Earned) -> dict[str, Any]:
    points = None if one.points is None else f"{half_up(one.points, 4).normalize():f}"
    weight = None if one.weight is None else f"{half_up(one.weight, 4).normalize():f}"
    return {"title": one.title, "points": points, "weight": weight, "of": one.of, "formula": one.formula}


def _tie(spec: Period, figures: Mapping[str, Figure]) -> Fraction | None:
    if spec.rank.ties == "equal":
        return None
    one = figures.get(spec.rank.ties)
    return one.value if one is not None else None


# --- figures --------------------------------------------------------------------------------------------------------


def asked(scheme: Scheme, spec: Period) -> list[str]:
    """Return the measures that a period needs, each once, in the order of the file."""
    names = {*spec.figures, spec.rank.ties}
    for item in spec.items:
        names |= {item.from_ or "", item.each or ""}
    names |= {part for name in names if name in scheme.measures for part in scheme.measures[name].composite}
    return [name for name in scheme.measures if name in names]


def _earlier_count(
    session: Session, scheme: Scheme, part: str, name: str, ground: Ground, stretch: Stretch
) -> dict[Key, Decimal] | None:
    """Return the counts that a measure of growth is held against; None where there is no such period."""
    measure, spec = scheme.measures[name], scheme.periods[part]
    zone = scheme.calendar.zone
    if measure.against == "previous":
        then: Stretch | None = calendar.before(spec, stretch, zone)
    else:
        then = calendar.year_before(spec, stretch, zone)
    if then is None:
        return None
    of = scheme.measures[measure.growth or ""]
    old = measures.tallied(session, name, of, replace(ground, starts=then.starts, ends=then.ends))
    return {(one.subject, one.peer): one.numerator for one in old}


def _inputs(session: Session, scheme: Scheme, spec: Period, stretch: Stretch) -> list[FigureRow]:
    used = {item.from_ for item in spec.items} & set(scheme.inputs)
    rows = []
    for (name, subject, peer), heard in voices.heard(session, scheme.name, stretch.code).items():
        if name not in used:
            continue
        one = scheme.inputs[name]
        width = one.scale.max - one.scale.min
        enough = one.voices is None or heard.voices >= one.voices.least
        base = heard.voices * width if enough else Decimal(0)
        top = heard.total - heard.voices * one.scale.min if enough else Decimal(0)
        rows.append(FigureRow(subject, peer, name, top, base))
    return rows


def _funnel(session: Session, stretch: Stretch) -> list[FigureRow]:
    """Return in which stage the period's grievances stand now."""
    counts = measures.stages(session, stretch.starts, stretch.ends)
    return [FigureRow("", "", f"stage:{stage.value}", Decimal(counts.get(stage.value, 0)), None) for stage in Stage]


def _breakdowns(session: Session, scheme: Scheme, part: str, stretch: Stretch) -> list[FigureRow]:
    """Return how the period's grievances part by what its bulletin shows: each value's count, over all of them."""
    rows = []
    for section in scheme.template_of(part).sections:
        if section in BREAKDOWNS:
            counts = measures.parted(session, BREAKDOWNS[section], stretch.starts, stretch.ends)
            whole = Decimal(sum(counts.values()))
            rows += [FigureRow("", "", f"{section}:{value}", Decimal(n), whole) for value, n in counts.items()]
    return rows


def _combined(session: Session, scheme: Scheme, spec: Period, stretch: Stretch) -> list[FigureRow]:
    """Return what the closed periods inside this one come to for each subject."""
    inner = spec.from_ or ""
    totals: dict[Key, list[Decimal]] = defaultdict(list)
    for one in calendar.inside(stretch, scheme.periods[inner], scheme.calendar.zone):
        found = periods.find(session, scheme.name, one.code)
        if found is None or found.state == "due":
            continue
        for row in periods.results(session, found.id):
            if row.total is not None:
                totals[row.subject, row.peer].append(row.total)
    return [FigureRow(*key, f"of:{inner}", *combined(spec, each)) for key, each in totals.items()]


# --- who, where, and by which answers -------------------------------------------------------------------------------


def grounded(loop: Loop, session: Session, scheme: Scheme, stretch: Stretch) -> Ground:
    """Return over what a period's measures are counted."""
    rules = compiled(loop, session)
    answers, raters = _answers(rules)
    ratings = [rating for one in rules for rating in one.workflow.ratings.values()]
    return Ground(
        stretch.starts,
        stretch.ends,
        scheme.subjects.are,
        _places(loop.reference.directory, scheme),
        [(one.workflow.id, name) for one in rules for name, clock in one.workflow.clocks.items() if clock.assessed],
        answers,
        raters,
        {"response": good_answers(ratings, "response"), "solved": good_answers(ratings, "solved")},
        _left_out(session, scheme, stretch),
    )


def compiled(loop: Loop, session: Session) -> list[Rules]:
    """Return every published definition. Raises WuyeError for one that cannot be read."""
    loop.reference.refresh(session)
    return [loop.reference.rules(session, name) for name in versions.names(session)]


def _answers(rules: Sequence[Rules]) -> tuple[list[tuple[str, str, str, Decimal]], dict[str, str]]:
    found: list[tuple[str, str, str, Decimal]] = []
    raters: dict[str, str] = {}
    for one in rules:
        for place, (name, rating) in enumerate(one.workflow.ratings.items()):
            rater = raters.setdefault(name, name if place else COMPLAINANT)
            found += [
                (one.workflow.id, rater, answer, Decimal(str(weight))) for answer, weight in rating.weights.items()
            ]
    return found, raters


def good_answers(ratings: Iterable[RatingSpec], figure: AskedFigure) -> tuple[list[str], list[str]]:
    """Return by which questions a figure goes, and the answers that count, as JSON objects."""
    pairs = [pair for one in ratings for pair in one.figures.get(figure, {}).items()]
    good = {orjson.dumps({question: answer}).decode() for question, answers in pairs for answer in answers}
    return sorted({question for question, _ in pairs}), sorted(good)


def _places(directory: Directory, scheme: Scheme) -> list[tuple[str, str, str]]:
    """Return, for each area's path, which subject it belongs to (where areas are assessed) and to which peer group."""
    level = scheme.subjects.peers.area.value if scheme.subjects.peers is not None else None
    own = scheme.subjects.are if scheme.subjects.are in ("street", "community") else None
    return [
        (area.path, _at(directory, area.path, own), _at(directory, area.path, level))
        for area in directory.areas.values()
    ]


def _at(directory: Directory, path: str, level: str | None) -> str:
    area = directory.area_at(path, level) if level is not None else None
    return area.code if area is not None else ""


def _members(
    session: Session, scheme: Scheme, spec: Period, ground: Ground, figures: Iterable[FigureRow], orders: Iterable[Key]
) -> list[Key]:
    """Return every subject in each of its groups: those of the directory, and where else one of them has a case."""
    peer_of = {path: peer for path, _, peer in ground.places}
    kinds = spec.kinds or scheme.subjects.kinds
    found = {(code, peer_of.get(path, "")) for code, path in measures.roster(session, ground.are, kinds, spec.but)}
    known = {code for code, _ in found}
    more = {(row.subject, row.peer) for row in figures} | set(orders)
    if kinds or spec.but or ground.are == "unit":
        return sorted(found)
    return sorted(found | {key for key in more if key[0] in known})


@dataclass(frozen=True, slots=True)
class Rostered:
    """A subject in a group, with the path of an area it is in; `scored_at` says by which place units may score it."""

    code: str
    peer: str
    path: str
    scored_at: str


def roster_of(loop: Loop, session: Session, scheme: Scheme) -> list[Rostered]:
    """Return every subject of a scheme with its group, for each area it is in."""
    loop.reference.refresh(session)
    directory, own = loop.reference.directory, scheme.subjects.are == "estate"
    peer_of = {path: peer for path, _, peer in _places(directory, scheme)}
    found = []
    for code, path in measures.roster(session, scheme.subjects.are, scheme.subjects.kinds):
        peer = peer_of.get(path, "")
        area = directory.areas.get(peer or code)
        found.append(Rostered(code, peer, path, path if own else area.path if area is not None else ""))
    return found


def groups(roster: Iterable[Rostered]) -> dict[str, list[str]]:
    """Return in which groups each subject is assessed."""
    found: dict[str, set[str]] = defaultdict(set)
    for one in roster:
        found[one.code].add(one.peer)
    return {code: sorted(peers) for code, peers in found.items()}


def _left_out(session: Session, scheme: Scheme, stretch: Stretch) -> dict[str, list[UUID]]:
    """Return the cases that upheld appeals took out before the period was frozen."""
    upheld = [
        one for one in voices.appeals(session, scheme.name, stretch.code) if one.upheld and one.grievance is not None
    ]
    numbers = sorted({one.grievance for one in upheld if one.grievance})
    ids = voices.ids_of(session, numbers)
    found: dict[str, list[UUID]] = defaultdict(list)
    for one in upheld:
        names = [one.measure] if one.measure else list(scheme.measures)
        for name in names:
            if one.grievance in ids:
                found[name].append(ids[one.grievance])
    return found


def _earlier(
    session: Session, scheme: Scheme, part: str, stretch: Stretch
) -> tuple[dict[str, dict[Key, list[bool]]], dict[str, dict[Key, int]]]:
    """Return who was on each list in the periods right before, the latest first, and how often in this calendar year."""
    if not scheme.periods[part].lists:
        return {}, {}
    past = periods.earlier(session, scheme.name, part, stretch.starts, _DAYS_OF_A_YEAR)
    members = periods.on_lists(session, [one.id for one in past])
    keys = {key for rows in members.values() for key in rows}
    year = calendar.year_of(stretch.code)
    running: dict[str, dict[Key, list[bool]]] = {}
    in_year: dict[str, dict[Key, int]] = {}
    unbroken, at = [], stretch.starts
    for one in past:
        if one.ends != at:
            break
        unbroken.append(one)
        at = one.starts
    for name in scheme.periods[part].lists:
        running[name] = {key: [name in members[one.id].get(key, ()) for one in unbroken] for key in keys}
        in_year[name] = {
            key: sum(name in members[one.id].get(key, ()) for one in past if calendar.year_of(one.period) == year)
            for key in keys
        }
    return running, in_year

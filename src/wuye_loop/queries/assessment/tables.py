"""Assessments as their readers see them: the whole table for who runs it, a unit's own score, the published lists."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from sqlalchemy.orm import Session

from wuye_loop.domain.assessment import periods as calendar
from wuye_loop.domain.assessment.scheme import Scheme
from wuye_loop.domain.errors import NotFound
from wuye_loop.domain.figures.exact import half_up
from wuye_loop.domain.grievance.situation import Actor
from wuye_loop.domain.terms import ActorKind
from wuye_loop.domain.time.timestamps import as_text
from wuye_loop.loop.engine import Loop
from wuye_loop.loop.evaluate import schedule
from wuye_loop.loop.evaluate.schedule import Place
from wuye_loop.loop.figures import scoring
from wuye_loop.store.assessment import cases as case_rows
from wuye_loop.store.assessment import periods, schemes, voices
from wuye_loop.store.assessment.cases import Counted
from wuye_loop.store.assessment.periods import Assessment, FigureRow, ResultRow
from wuye_loop.store.pages import Page

_LAST: Final = 1_000_000  # behind every place


def every(loop: Loop, session: Session, actor: Actor) -> list[dict[str, Any]]:
    """Return the closed periods (for units and hotlines: the published ones), the newest first, and the schemes."""
    loop.reference.refresh(session)
    known = periods.every(session, published=not _runs(actor))
    titles = {name: schemes.named(session, name) for name in {one.scheme for one in known}}
    return [_head(titles[one.scheme], one) for one in known]


def table(
    loop: Loop, session: Session, actor: Actor, which: str, code: str, revision: int | None = None
) -> dict[str, Any]:
    """Return a period: its results, as far as the reader may see them, and its lists.

    Raises NotFound where nothing of it is closed, or published for who only reads what is.
    """
    place, one = found(session, actor, which, code, revision)
    return tabled(loop, session, actor, place, one, periods.results(session, one.id))


def tabled(
    loop: Loop, session: Session, actor: Actor, place: Place, one: Assessment, results: Sequence[ResultRow]
) -> dict[str, Any]:
    """Return the table of a period that was found, from its results."""
    names = names_in(session, results)
    seen = _seen(loop, session, actor, place.scheme, results)
    figures = _by_key(place.scheme, periods.figures(session, one.id)) if seen else {}
    return {
        **_head(place.scheme, one),
        "items": [_row(place, row, names, figures.get((row.subject, row.peer), ())) for row in seen],
        "lists": _lists(place, results, names),
        "revisions": [_revision(each) for each in revisions(session, one)],
        "changes": [_change(was, now, names) for was, now in differing(session, one, seen)],
        "measures": {name: place.scheme.measures[name].title for name in scoring.asked(place.scheme, place.spec)},
    }


def draft(loop: Loop, session: Session, which: str, code: str) -> dict[str, Any]:
    """Return how a period would come out now, for who runs it; nothing is stored. Raises NotFound, BadInput."""
    place = schedule.place_of(session, which, code)
    results = scoring.drafted(loop, session, place.scheme, place.part, place.stretch).results
    names = names_in(session, results)
    items = [
        {
            **asdict(row), "total": _plain(row.total), "subject_name": names.get(row.subject, row.subject),
            "peer_name": names.get(row.peer), "apart": apart(place, row),
        }
        for row in sorted(results, key=lambda row: (row.peer, row.rank or _LAST, row.subject))
    ]  # fmt: skip
    lists = [
        {"name": name, "title": one.title, "members": [row for row in items if name in row["lists"]]}
        for name, one in place.spec.lists.items()
    ]
    return {
        "scheme": place.scheme.id, "title": place.scheme.title, "period": code,
        "period_title": calendar.spoken(code), "state": "draft", "items": items, "lists": lists,
    }  # fmt: skip


def found(
    session: Session, actor: Actor, which: str, code: str, revision: int | None = None
) -> tuple[Place, Assessment]:
    """Return a period that the reader may read. Raises NotFound."""
    place = schedule.place_of(session, which, code)
    one = periods.find(session, place.scheme.name, code, revision)
    if one is None or one.state == "due" or (one.state != "published" and not _runs(actor)):
        raise NotFound("这一期还没有封账" if _runs(actor) else "这一期还没有公布")
    return place, one


def revisions(session: Session, one: Assessment) -> list[Assessment]:
    """Return all revisions of a period up to one, the first of them first."""
    return periods.revisions(session, one.name, one.period, one.revision)


def differing(session: Session, one: Assessment, results: Sequence[ResultRow]) -> list[tuple[ResultRow, ResultRow]]:
    """Return the results of a revision that are not those of the one before, each after what it was; none of the first."""
    before = periods.find(session, one.name, one.period, one.revision - 1) if one.revision > 1 else None
    if before is None:
        return []
    old = {(row.subject, row.peer): row for row in periods.results(session, before.id)}
    pairs = [(old[row.subject, row.peer], row) for row in results if (row.subject, row.peer) in old]
    return [(was, now) for was, now in pairs if _stands(was) != _stands(now)]


def _stands(row: ResultRow) -> tuple[Decimal | None, int | None, tuple[str, ...]]:
    return row.total, row.rank, row.lists


def _change(was: ResultRow, now: ResultRow, names: Mapping[str, str]) -> dict[str, Any]:
    return {
        "subject": now.subject, "subject_name": names.get(now.subject, now.subject), "peer": now.peer or None,
        "was": {"total": _plain(was.total), "rank": was.rank, "lists": list(was.lists)},
        "now": {"total": _plain(now.total), "rank": now.rank, "lists": list(now.lists)},
    }  # fmt: skip


def names_in(session: Session, rows: Iterable[ResultRow]) -> dict[str, str]:
    """Return the names of those in a period's results, and of their groups."""
    return voices.names_of(session, sorted({code for row in rows for code in (row.subject, row.peer)}))


def explained(
    loop: Loop, session: Session, actor: Actor, which: str, code: str, subject: str, revision: int | None = None
) -> dict[str, Any]:
    """Return why a subject has its score: every item with its counts and its formula, in each of its groups.

    Raises NotFound, also for a subject that the reader may not see.
    """
    place, one = found(session, actor, which, code, revision)
    rows = _seen(loop, session, actor, place.scheme, periods.results(session, one.id, subject))
    if not rows:
        raise NotFound("没有这个考核对象，或它不在您的管辖范围内")
    names = names_in(session, rows)
    figures = _by_key(place.scheme, periods.figures(session, one.id, subject))
    came = [row for row in voices.consequences(session, one.name, code) if row.subject == subject]
    return {
        **_head(place.scheme, one),
        "subject": subject,
        "subject_name": names.get(subject, subject),
        "groups": [
            {
                **_explained(place, row, names, figures.get((row.subject, row.peer), ())),
                "brought": [_brought(place, each) for each in came if each.peer == row.peer],
            }
            for row in rows
        ],
        "appeals": [_appeal(each) for each in voices.appeals(session, one.name, code, subject)],
    }


def cases(
    loop: Loop,
    session: Session,
    actor: Actor,
    which: str,
    code: str,
    of: Counted,
    after: UUID | None,
    limit: int,
    revision: int | None = None,
) -> Page[dict[str, Any]]:
    """Return a page of the cases behind a figure, those that the reader may see as a grievance; each with its weight.

    Raises NotFound for a figure that the period does not have.
    """
    place, one = found(session, actor, which, code, revision)
    rows = _seen(loop, session, actor, place.scheme, periods.results(session, one.id, of.subject))
    if not rows or of.measure not in place.scheme.measures:
        raise NotFound("没有这个考核对象或指标，或它不在您的管辖范围内")
    page = case_rows.of_figure(session, actor, one.id, of, after, limit)
    return page.map(
        lambda row: {
            "number": row.number, "title": row.title, "state": row.state, "received_at": as_text(row.received_at),
            "weight": _bare(row.weight), "excluded": row.excluded,
        }
    )  # fmt: skip


def _seen(loop: Loop, session: Session, actor: Actor, scheme: Scheme, rows: Iterable[ResultRow]) -> list[ResultRow]:
    own = _own(session, actor, scheme)
    return [row for row in rows if _may_see(loop, actor, scheme, row, own)]


def _own(session: Session, actor: Actor, scheme: Scheme) -> set[str]:
    """Return the subjects whose scores are a unit's own; asked once for all the rows of a table."""
    if actor.kind is not ActorKind.UNIT or actor.unit is None:
        return set()
    return {actor.unit} if scheme.subjects.are == "company" else voices.own(session, actor.unit)


def _may_see(loop: Loop, actor: Actor, scheme: Scheme, row: ResultRow, own: set[str]) -> bool:
    """Say whether somebody may see a subject's score: a unit its own, a supervisor those of the own area, who runs it all."""
    if actor.kind in (ActorKind.SYSTEM, ActorKind.ADMIN, ActorKind.AUDITOR) and not actor.area_path:
        return True
    if actor.kind is ActorKind.UNIT:
        return row.subject in own
    if actor.kind is ActorKind.HOTLINE:
        return False
    if actor.area_path.count("/") <= 1:
        return True
    code = row.subject if scheme.subjects.are in ("street", "community") else row.peer
    area = loop.reference.directory.areas.get(code)
    return area is not None and area.path.startswith(actor.area_path)


def _runs(actor: Actor) -> bool:
    return actor.kind not in (ActorKind.UNIT, ActorKind.HOTLINE)


def _head(scheme: Scheme, one: Assessment) -> dict[str, Any]:
    spec = scheme.periods[one.part]
    title = spec.bulletin.title if spec.bulletin is not None else spec.title
    return {
        "scheme": one.scheme, "title": scheme.title, "part": one.part, "part_title": title, "period": one.period,
        "period_title": calendar.spoken(one.period), "revision": one.revision, "state": one.state,
        "starts": as_text(one.starts), "ends": as_text(one.ends),
        "closed_at": None if one.closed_at is None else as_text(one.closed_at),
        "published_at": None if one.published_at is None else as_text(one.published_at),
        "hash": None if one.digest is None else one.digest.hex(), "reason": one.reason,
        "bulletin": None if spec.bulletin is None else {"id": str(one.id), "number": one.bulletin, "title": title},
    }  # fmt: skip


def _revision(one: Assessment) -> dict[str, Any]:
    at = one.closed_at
    return {"revision": one.revision, "closed_at": None if at is None else as_text(at), "reason": one.reason}


def _row(place: Place, row: ResultRow, names: Mapping[str, str], figures: Iterable[FigureRow]) -> dict[str, Any]:
    return {
        "subject": row.subject, "subject_name": names.get(row.subject, row.subject), "peer": row.peer or None,
        "peer_name": names.get(row.peer), "orders": row.orders, "total": _plain(row.total), "rank": row.rank,
        "apart": apart(place, row), "lists": list(row.lists), "vetoed": row.vetoed,
        "figures": {one.measure: shown(place.scheme, one) for one in figures},
    }  # fmt: skip


def apart(place: Place, row: ResultRow) -> str | None:
    """Return why a subject is listed apart; None for one with a score."""
    if row.total is not None or not (place.spec.items or place.spec.from_):
        return None
    if place.spec.items and row.orders < place.scheme.subjects.at_least.grievances:
        return "本期无工单" if row.orders == 0 else "工单太少"
    return "缺评分"


def shown(scheme: Scheme, one: FigureRow) -> dict[str, Any]:
    """Return a figure with what it is made of; the rate is half-up at four decimals, and blank where there is no base."""
    value = scoring.figure_of(scheme, one).value
    measure = scheme.measures.get(one.measure)
    return {
        "title": measure.title if measure is not None else _input_title(scheme, one.measure),
        "numerator": _bare(one.numerator), "denominator": _bare(one.denominator), "excluded": one.excluded,
        "cases": one.count, "value": None if value is None else _bare(half_up(value, 4)),
    }  # fmt: skip


def _input_title(scheme: Scheme, name: str) -> str:
    if name in scheme.inputs:
        return scheme.inputs[name].title
    part = scheme.periods.get(name.removeprefix("of:"))
    return (part.title or part.every) if part is not None else name


def _explained(place: Place, row: ResultRow, names: Mapping[str, str], figures: Sequence[FigureRow]) -> dict[str, Any]:
    by_name = {one.measure: one for one in figures}
    items = []
    for item in row.items:
        one = by_name.get(str(item["of"]))
        items.append({**item, "figure": None if one is None else shown(place.scheme, one)})
    return {**_row(place, row, names, figures), "items": items}


def _brought(place: Place, one: Any) -> dict[str, Any]:
    """Return what a list brought to somebody: the grievance, the document, or a row of credit."""
    spec, listed = place.scheme.consequences.get(one.consequence), place.spec.lists.get(one.list)
    return {
        "list": one.list, "list_title": listed.title if listed is not None else one.list,
        "consequence": one.consequence, "title": (spec.title if spec is not None else None) or one.consequence,
        "grievance": one.grievance, "document": one.document, "at": as_text(one.at),
    }  # fmt: skip


def _lists(place: Place, results: Sequence[ResultRow], names: Mapping[str, str]) -> list[dict[str, Any]]:
    found = []
    for name, spec in place.spec.lists.items():
        on = [row for row in results if name in row.lists]
        members = [
            {
                "subject": row.subject, "subject_name": names.get(row.subject, row.subject), "peer": row.peer or None,
                "peer_name": names.get(row.peer), "total": _plain(row.total), "rank": row.rank,
            }
            for row in on
        ]  # fmt: skip
        found.append({"name": name, "title": spec.title, "members": members})
    return found


def _appeal(one: Any) -> dict[str, Any]:
    return {
        "id": str(one.id), "measure": one.measure, "grievance": one.grievance, "at": as_text(one.at),
        "upheld": one.upheld, "note": one.note,
        "decided_at": None if one.decided_at is None else as_text(one.decided_at),
        "due_at": None if one.due_at is None else as_text(one.due_at),
        "raised_at": None if one.raised_at is None else as_text(one.raised_at),
    }  # fmt: skip


def _by_key(scheme: Scheme, figures: Sequence[FigureRow]) -> dict[tuple[str, str], list[FigureRow]]:
    found: dict[tuple[str, str], list[FigureRow]] = {}
    for one in (*figures, *scoring.composite_rows(scheme, figures)):
        found.setdefault((one.subject, one.peer), []).append(one)
    return found


def _plain(value: Decimal | None) -> str | None:
    """Return a number as text with all its digits: no reader's float rounds it again."""
    return None if value is None else f"{value:f}"


def _bare(value: Decimal | None) -> str | None:
    """Return a count or an exact figure without zeros that say nothing."""
    return None if value is None else f"{value.normalize():f}"

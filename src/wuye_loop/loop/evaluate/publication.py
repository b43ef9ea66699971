"""公布: the number of the bulletin, and what the lists bring: noted before it is done, in the same transaction, so that it happens once."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import itemgetter
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from wuye_loop.domain.assessment import periods as calendar
from wuye_loop.domain.assessment.scheme import Consequence, IssueSpec, Opening
from wuye_loop.domain.errors import Conflict
from wuye_loop.domain.grievance.situation import SYSTEM_ACTOR, Actor
from wuye_loop.domain.language.documents import number_in
from wuye_loop.jobs import Job
from wuye_loop.loop.engine import Loop
from wuye_loop.loop.evaluate import authority, credit, issuing, opening, schedule
from wuye_loop.loop.evaluate.issuing import Whom
from wuye_loop.loop.evaluate.schedule import Place
from wuye_loop.store.assessment import papers, periods, voices
from wuye_loop.store.assessment.periods import Assessment, Numbered, ResultRow
from wuye_loop.store.grievance import document_numbers


def publish(loop: Loop, session: Session, which: str, code: str, actor: Actor) -> list[Job]:
    """公布: number the bulletin and bring what the lists bring. Raises Forbidden, Conflict before it is closed, or twice."""
    place = schedule.place_of(session, which, code)
    authority.admit(loop, session, place.scheme, actor)
    row = schedule.locked(loop, session, place)
    if row.state == "due":
        raise Conflict("这一期还没有封账，不能公布")
    if row.state == "published":
        raise Conflict("这一期已经公布")
    schedule.require_frozen(session, row)
    now = loop.clock.now()
    periods.mark_published(session, row.id, now, _bulletin(session, place, now))
    return bring(loop, session, place, row)


def _bulletin(session: Session, place: Place, now: datetime) -> Numbered | None:
    """Draw the bulletin's number from its series, in the year of publication."""
    spec = place.spec.bulletin
    if spec is None or spec.series is None:
        return None
    year = now.astimezone(ZoneInfo(place.scheme.calendar.zone)).year
    n = document_numbers.next_number(session, spec.series, year)
    number = number_in(spec.series, year, n)
    return Numbered(number, spec.series, year, n)


def bring(loop: Loop, session: Session, place: Place, row: Assessment) -> list[Job]:
    """Bring what the lists of a period bring, each thing unless that was done for it before; return the jobs."""
    results = periods.results(session, row.id)
    jobs: list[Job] = []
    fresh: list[str] = []
    numbers: list[str] = []
    notices: dict[tuple[str, str], list[tuple[int, str]]] = defaultdict(list)
    for one in results:
        from_last = _from_last(results, one) if one.lists else 0
        for listed in one.lists:
            for name in place.spec.lists[listed].brings:
                made = _once(loop, session, place, one, listed, name, from_last)
                if made is None:
                    continue
                fresh.append(made.key)
                jobs += made.jobs
                numbers += [made.paper] if made.paper is not None else []
                if made.opened is not None:
                    unit, number = made.opened
                    notices[name, unit].append((from_last, number))
    for (name, unit), opened in notices.items():
        jobs += opening.notice(
            loop, session, place.scheme, name, unit, [number for _, number in sorted(opened, key=itemgetter(0))]
        )
    papers.vouch_for(session, numbers)
    voices.vouch_for_brought(session, fresh)
    return jobs


@dataclass(frozen=True, slots=True)
class _Brought:
    """What a consequence brought to one subject: its row's key, jobs, which unit opened a grievance of which number, the document."""

    key: str
    jobs: Sequence[Job] = ()
    opened: tuple[str, str] | None = None
    paper: str | None = None


def _once(
    loop: Loop, session: Session, place: Place, one: ResultRow, listed: str, name: str, from_last: int
) -> _Brought | None:
    """Bring one consequence to one subject; None where that was done for this period before."""
    key = {
        "name": place.scheme.name, "period": place.stretch.code, "subject": one.subject, "peer": one.peer,
        "consequence": name,
    }  # fmt: skip
    fresh = voices.brought(session, {**key, "list": listed, "at": loop.clock.now()})
    if fresh is None:
        return None
    spec = place.scheme.consequences[name]
    if spec.open is not None:
        jobs, opened = _open(loop, session, place, one, spec.open, key, from_last)
        return _Brought(fresh, jobs, opened)
    if spec.issue is not None:
        number = _issue(loop, session, place, one, spec.issue, place.spec.lists[listed].title, from_last)
        voices.tie(session, key, document=number)
        return _Brought(fresh, paper=number)
    row = _credit(loop, session, place, one, spec, listed)
    if row is not None:
        voices.tie(session, key, credit_id=row)
    return _Brought(fresh)


def _open(
    loop: Loop, session: Session, place: Place, one: ResultRow, spec: Opening, key: Mapping[str, str], from_last: int
) -> tuple[Sequence[Job], tuple[str, str]]:
    words = _words(session, place, one, from_last)
    estate = voices.estate_of(session, one.subject, one.peer, place.stretch.starts, place.stretch.ends)
    said = f"{words['subject']}，得分 {words['total']}，名次 {words['rank']}。"
    return opening.opened(loop, session, place.scheme, spec, key, words, said, (estate, _area(place, one)))


def _area(place: Place, one: ResultRow) -> str:
    return one.subject if place.scheme.subjects.are in ("street", "community") else one.peer


def _issue(
    loop: Loop, session: Session, place: Place, one: ResultRow, spec: IssueSpec, listed: str, from_last: int
) -> str:
    words = _words(session, place, one, from_last)
    standing = [f"得分 {words['total']}", *([f"名次 {one.rank}"] if one.rank is not None else [])]
    said = f"{words['subject']}：{words['period']}{place.scheme.title}{'，'.join(standing)}，列入“{listed}”。"
    estate = one.subject if place.scheme.subjects.are == "estate" else None
    area = _area(place, one) or opening.area_of(loop, one.subject)
    return issuing.issued(
        loop, session, place.scheme, spec, place.stretch.code, words, Whom(one.subject, estate, area, said)
    )


def _words(session: Session, place: Place, one: ResultRow, from_last: int) -> dict[str, Any]:
    names = voices.names_of(session, [one.subject, one.peer])
    return {
        "period": calendar.spoken(place.stretch.code), "code": place.stretch.code, "rank": one.rank,
        "from_last": from_last, "total": "" if one.total is None else f"{one.total:f}",
        "subject": names.get(one.subject, one.subject), "peer": names.get(one.peer, one.peer),
    }  # fmt: skip


def _from_last(results: Sequence[ResultRow], one: ResultRow) -> int:
    worse = [row for row in results if row.peer == one.peer and row.total is not None and row.total < (one.total or 0)]
    return len(worse) + 1


def _credit(loop: Loop, session: Session, place: Place, one: ResultRow, spec: Consequence, listed: str) -> UUID | None:
    cause = f"{place.stretch.code} {place.spec.lists[listed].title} {one.peer}".strip()
    return credit.add(
        loop, session, place.scheme, credit.Deed(one.subject, spec.credit or "", cause, one.peer), SYSTEM_ACTOR
    )

"""清退: who has fallen so far that he is to leave gets what credit.exit says, once for each fall."""

from datetime import date, timedelta

import structlog
from sqlalchemy.orm import Session

from wuye_loop.domain.assessment import periods as calendar
from wuye_loop.domain.assessment.credit import balance
from wuye_loop.domain.assessment.leaving import fallen_since, last_days, lost_more_than
from wuye_loop.domain.assessment.scheme import Scheme
from wuye_loop.domain.errors import WuyeError
from wuye_loop.domain.grievance.situation import SYSTEM_ACTOR
from wuye_loop.jobs import Job, Jobs
from wuye_loop.loop.engine import Loop
from wuye_loop.loop.evaluate import credit, issuing, opening, schedule
from wuye_loop.loop.evaluate.issuing import Whom
from wuye_loop.store.assessment import credit_rows, papers, voices
from wuye_loop.store.database import Database

_log = structlog.get_logger("wuye_loop.assessment")
#: Under which name what a fall brought is noted among the consequences of lists: no list can be so called.
LEAVING = "清退"
_TOLD = 5  # units that could not be sent away, of whom it is kept why


def send_away(loop: Loop, database: Database, scheme: Scheme, jobs: Jobs) -> int:
    """Bring what credit.exit says to each unit that has fallen so far, once for each fall; return to how many.

    Looked at on a new day and after a new row of credit. What cannot be brought is logged, and tried at the next look.
    """
    if scheme.exit is None or not schedule.is_ours(loop, scheme):
        return 0
    now = loop.clock.now()
    today = scheme.day_of(now)
    with database.begin() as session:
        loop.reference.refresh(session)
        needed, last = credit_rows.to_look(session, scheme.id, scheme.name, today, now)
        if not needed:
            return 0
        fallen = _fallen(loop, session, scheme, today)
    told = [_sent_away(loop, database, scheme, jobs, unit, day) for unit, day in fallen]
    troubles = [one for one in told if isinstance(one, str)]
    with database.begin() as session:
        credit_rows.looked(session, scheme.id, today, last, "；".join(troubles[:_TOLD]) or None)
    return sum(one is True for one in told)


def _fallen(loop: Loop, session: Session, scheme: Scheme, today: date) -> list[tuple[str, date]]:
    """Return the units that are to leave, since when, and for which not everything was brought yet."""
    assert scheme.credit is not None  # noqa: S101 asked by who calls
    first = credit_rows.first_day(session, scheme.name)
    if first is None:
        return []
    ends = last_days(scheme, first, today)
    ways = scheme.exit.when if scheme.exit is not None else ()
    back = min((ends[way.of][: way.running][-1] for way in ways if way.of and ends.get(way.of)), default=today)
    veto = [one.item for one in scheme.credit.veto]
    units = loop.reference.directory.units
    found = []
    for code in credit_rows.low(session, scheme.name, lost_more_than(scheme.credit), veto, back, today):
        unit = units.get(code)
        if unit is None or not unit.active or not scheme.subjects.are_units_of(unit.kind):
            continue  # a manager's rows are his company's
        rows = [one.row for one in credit_rows.rows_of(session, scheme.name, code)]
        day = fallen_since(scheme.credit, rows, today, ends)
        if day is not None and not _was_sent(session, scheme, code, day):
            found.append((code, day))
    return found


def _was_sent(session: Session, scheme: Scheme, unit: str, day: date) -> bool:
    """Say whether what this fall brings was brought: since its first day, whatever the version then was."""
    brings = scheme.exit.brings if scheme.exit is not None else ()
    had = {row.consequence for row in voices.left(session, scheme.name, unit, LEAVING) if row.period >= day.isoformat()}
    return set(brings) <= had


def _sent_away(loop: Loop, database: Database, scheme: Scheme, jobs: Jobs, unit: str, day: date) -> bool | str:
    """Bring it, each unit in a transaction of its own; whether anything was, or in words why it could not be."""
    try:
        with database.begin() as session:
            made, brought = _leave(loop, session, scheme, unit, day)
            jobs.defer(session, made)
    except Exception as error:  # noqa: BLE001 whatever it is, it is logged, and the others go on
        _log.exception("exit_not_opened", scheme=scheme.id, unit=unit)
        why = error.detail if isinstance(error, WuyeError) else f"系统内部错误（{type(error).__name__}）"
        return f"{loop.reference.directory.name_of(unit) or unit}：{why}"
    return brought


def _leave(loop: Loop, session: Session, scheme: Scheme, unit: str, day: date) -> tuple[list[Job], bool]:
    """Bring to one unit what its fall brings, each thing unless that was done; the jobs, and whether anything was."""
    assert scheme.credit is not None and scheme.exit is not None  # noqa: S101, PT018 asked by who calls
    spec, now = scheme.exit, loop.clock.now()
    rows = [one.row for one in credit_rows.rows_of(session, scheme.name, unit)]
    stands = balance(scheme.credit, rows, scheme.day_of(now))
    code, called = day.isoformat(), loop.reference.directory.name_of(unit) or unit
    words = {
        "period": calendar.spoken(code), "code": code, "rank": "", "from_last": "", "peer": "", "subject": called,
        "total": f"{stands.points.normalize():f}", "grade": stands.grade or "",
    }  # fmt: skip
    grade = f"，等级 {stands.grade}" if stands.grade else ""
    said = f"{called}，信用分 {words['total']} 分{grade}，自{words['period']}起达到“{spec.title}”的条件。"
    jobs: list[Job] = []
    fresh: list[str] = []
    numbers: list[str] = []
    for name in spec.brings:
        key = {"name": scheme.name, "period": code, "subject": unit, "peer": "", "consequence": name}
        entry = voices.brought(session, {**key, "list": LEAVING, "at": now})
        if entry is None:
            continue
        fresh.append(entry)
        one = scheme.consequences[name]
        if one.open is not None:
            estate = voices.estate_of(session, unit, "", now - timedelta(days=365), now)
            area = opening.area_of(loop, unit)
            more, (by, number) = opening.opened(loop, session, scheme, one.open, key, words, said, (estate, area))
            jobs += [*more, *opening.notice(loop, session, scheme, name, by, [number])]
        elif one.issue is not None:
            whom = Whom(unit, None, opening.area_of(loop, unit), said)
            number = issuing.issued(loop, session, scheme, one.issue, code, words, whom)
            numbers.append(number)
            voices.tie(session, key, document=number)
        else:
            row = credit.add(
                loop, session, scheme, credit.Deed(unit, one.credit or "", f"{code} {spec.title}"), SYSTEM_ACTOR
            )
            if row is not None:
                voices.tie(session, key, credit_id=row)
    papers.vouch_for(session, numbers)
    voices.vouch_for_brought(session, fresh)
    return jobs, bool(fresh)

"""封账: a period is frozen when its time has come; what the worker looks for at every sweep."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from uuid import UUID

import structlog
from sqlalchemy.orm import Session

from wuye_loop.domain.errors import Conflict, WuyeError
from wuye_loop.domain.grievance.situation import SYSTEM_ACTOR, Actor
from wuye_loop.jobs import Job, Jobs
from wuye_loop.loop.engine import Loop
from wuye_loop.loop.evaluate import appeals, authority, credit, exits, publication, schedule
from wuye_loop.loop.evaluate.schedule import Place
from wuye_loop.loop.figures import scoring
from wuye_loop.store.assessment import periods, schemes
from wuye_loop.store.assessment.periods import Assessment
from wuye_loop.store.database import Database

_log = structlog.get_logger("wuye_loop.assessment")


def close_due(loop: Loop, database: Database, *, jobs: Jobs | None = None) -> int:
    """Close every period whose time has come, the oldest first, each in a transaction of its own; return how many.

    Any number may do it at once. One that cannot be closed or published is logged and passed over; why is kept, and it is
    tried again later and later. What is closed stays so where its publication fails.
    """
    jobs = jobs or Jobs()
    with database.begin() as session:
        every = schemes.newest(session)
        schedule.extend(loop, session, every)
        waiting = periods.due(session, loop.clock.now())
    done = sum(_done(loop, database, jobs, one) for one in waiting)
    looks: list[Callable[[], object]] = [
        lambda: database.write(lambda session: credit.by_rungs(loop, session, every)),
        lambda: appeals.end_silences(loop, database, jobs),
        *(partial(exits.send_away, loop, database, scheme, jobs) for scheme, _ in every),
    ]
    for look in looks:
        try:
            look()
        except Exception:  # noqa: BLE001 whatever it is, it is logged, and the others go on
            _log.exception("look_failed")
    return done


def _done(loop: Loop, database: Database, jobs: Jobs, one: UUID) -> bool:
    """Close a period, and publish it where it does that by itself; say whether it was done, and done here."""
    try:
        with database.begin() as session:
            found = _close_one(loop, session, one)
        if found is None or found.spec.publishes != "at_close":
            return found is not None
        with database.begin() as session:
            made = _publish_one(loop, session, one, found)
            jobs.defer(session, made or ())
    except Exception as error:  # noqa: BLE001 whatever it is, it is logged, and the others go on
        _log.exception("period_not_closed", assessment=str(one))
        words = error.detail if isinstance(error, WuyeError) else f"系统内部错误（{type(error).__name__}）"
        with database.begin() as session:
            periods.not_done(session, one, words, loop.clock.now())
        return False
    return made is not None


def _close_one(loop: Loop, session: Session, one: UUID) -> Place | None:
    """Freeze a period; return its place, also of one that is closed and still to be published. None: others have it."""
    row = periods.locked(session, one, wait=False)
    if row is None or row.state == "published" or row.closes_at > loop.clock.now():
        return None
    place = schedule.place_of(session, row.name, row.period)
    if row.state == "due":
        _freeze(loop, session, row, place)
    elif place.spec.publishes != "at_close":
        return None  # somebody else has closed it meanwhile
    return place


def _publish_one(loop: Loop, session: Session, one: UUID, place: Place) -> Sequence[Job] | None:
    row = periods.locked(session, one, wait=False)
    if row is None or row.state != "closed":
        return None
    return publication.publish(loop, session, place.scheme.name, row.period, SYSTEM_ACTOR)


def close(loop: Loop, session: Session, which: str, code: str, actor: Actor) -> Assessment:
    """封账: freeze a period's figures now. Raises Forbidden, Conflict before its end or when it is closed already."""
    place = schedule.place_of(session, which, code)
    authority.admit(loop, session, place.scheme, actor)
    if loop.clock.now() < place.stretch.ends:
        raise Conflict("考核期还没有结束，不能封账")
    row = schedule.locked(loop, session, place)
    if row.state != "due":
        raise Conflict("这一期已经封账；更正请通过申诉另出一版")
    _freeze(loop, session, row, place)
    return schedule.newest(session, place)


def _freeze(loop: Loop, session: Session, row: Assessment, place: Place) -> None:
    if not periods.as_scheduled(session, row.id):
        raise Conflict("这一期的日程与登记簿不一致，没有封账：请先用 verify 查清")
    made = scoring.drafted(loop, session, place.scheme, place.part, place.stretch, into=row.id)
    by_itself = place.spec.publishes == "at_close"
    periods.freeze(session, replace(row, scheme=place.scheme.id), made.results, loop.clock.now(), publishes=by_itself)

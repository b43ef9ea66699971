"""申诉: made within its time, decided or ended by silence; upheld after the freeze, it makes another revision."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

import structlog
from sqlalchemy.orm import Session

from wuye_loop.domain.errors import BadInput, Conflict, Forbidden, NotFound
from wuye_loop.domain.grievance.situation import SYSTEM_ACTOR, Actor
from wuye_loop.jobs import Job, Jobs
from wuye_loop.loop.engine import Loop
from wuye_loop.loop.evaluate import authority, credit, publication, schedule, scores
from wuye_loop.loop.evaluate.schedule import Place
from wuye_loop.loop.figures import scoring
from wuye_loop.store.assessment import credit_rows, periods, voices
from wuye_loop.store.assessment.periods import Assessment, LeftOut, ResultRow
from wuye_loop.store.database import Database

_log = structlog.get_logger("wuye_loop.assessment")


def appeal(
    loop: Loop,
    session: Session,
    which: str,
    code: str,
    actor: Actor,
    reason: str,
    measure: str | None,
    grievance: str | None,
    peer: str | None = None,
    subject: str | None = None,
) -> UUID:
    """申诉: the subject itself asks that a case be taken out, or a measure's points restored.

    Raises Forbidden, Conflict when the time is over, BadInput for a measure that is none.
    """
    place = schedule.place_of(session, which, code)
    rule = place.scheme.appeals
    if rule is None:
        raise Conflict("这个考核办法没有规定申诉")
    if actor.unit is None:
        raise Forbidden("由考核对象自己申诉")
    whose = subject or actor.unit
    if whose not in voices.own(session, actor.unit):
        raise Forbidden("由考核对象自己申诉")
    group = scores.peer_of(scoring.groups(scoring.roster_of(loop, session, place.scheme)), whose, peer)
    if measure is not None and measure not in place.scheme.measures:
        raise BadInput("没有这个指标", fields=[{"path": "measure", "problem": "没有这个指标"}])
    if measure is None and grievance is None:
        raise BadInput("请写明哪一件（grievance）或哪个指标（measure）")
    row = schedule.locked(loop, session, place)
    if row.published_at is not None:
        limit = loop.reference.calendar(session, place.scheme.calendar).shift(row.published_at, rule.within)
        if loop.clock.now() > limit:
            raise Conflict("申诉期限已过")
    now = loop.clock.now()
    due = None
    if rule.decides is not None:
        due = loop.reference.calendar(session, place.scheme.calendar).shift(now, rule.decides)
    made = voices.Appealed(
        loop.ids.new(), place.scheme.name, code, row.revision, whose, group, measure, grievance, reason, actor.unit,
        now, due_at=due,
    )  # fmt: skip
    voices.file_appeal(session, made)
    return made.id


def decide(
    loop: Loop, session: Session, which: str, code: str, one: UUID, actor: Actor, *, upheld: bool, note: str | None
) -> list[Job]:
    """Decide an appeal. Upheld before the freeze, the case is left out; after it, another revision is made.

    Raises Forbidden (also for the appellant), NotFound, Conflict when it was decided.
    """
    place = schedule.place_of(session, which, code)
    found = voices.appeal_for_update(session, one)
    if found is None or (found.name, found.period) != (place.scheme.name, code):
        authority.admit(loop, session, place.scheme, actor)
        raise NotFound("没有这件申诉")
    if not authority.may_decide(loop, session, place.scheme, found, actor):
        raise Forbidden("逾期未裁定，已交上一级" if found.raised_at is not None else "考核由主管部门办理")
    if found.decided_at is not None:
        raise Conflict("这件申诉已经裁定")
    if found.unit == actor.unit:
        raise Forbidden("不能裁定自己的申诉")
    return _ruled(loop, session, place, found, upheld=upheld, note=note)


def _ruled(
    loop: Loop, session: Session, place: Place, found: voices.Appealed, *, upheld: bool, note: str | None
) -> list[Job]:
    row = schedule.locked(loop, session, place)
    voices.decide_appeal(session, found.id, upheld=upheld, note=note, now=loop.clock.now())
    if not upheld or row.state == "due":
        return []
    return _revise(loop, session, place, row, found)


def end_silences(loop: Loop, database: Database, jobs: Jobs) -> int:
    """Let each appeal that nobody decided in time become what its scheme says; return how many.

    Each in a transaction of its own, once however many do it. What cannot be carried out is logged and tried an hour later.
    """
    now = loop.clock.now()
    with database.read() as session:
        late = voices.appeals_due(session, now)
    done = 0
    for one in late:
        try:
            with database.begin() as session:
                loop.reference.refresh(session)
                made = _silent(loop, session, one)
                jobs.defer(session, made or ())
        except Exception:  # noqa: BLE001 whatever it is, it is logged, and the others go on
            _log.exception("appeal_not_ended", appeal=str(one))
            with database.begin() as session:
                voices.appeal_later(session, one, now)
        else:
            done += made is not None
    return done


def _silent(loop: Loop, session: Session, one: UUID) -> list[Job] | None:
    """Do what silence means for an appeal; None where others have done it, or it was decided meanwhile."""
    found, now = voices.appeal_for_update(session, one, wait=False), loop.clock.now()
    if found is None or found.decided_at is not None or found.due_at is None or now < found.due_at:
        return None
    place = schedule.place_of(session, found.name, found.period)
    rule = place.scheme.appeals
    if rule is None:
        raise Conflict("这个考核办法没有规定申诉")
    if found.raised_at is None and rule.silence == "above" and rule.above is not None:
        due = loop.reference.calendar(session, place.scheme.calendar).shift(now, rule.above.decides)
        voices.raise_appeal(session, one, now, due)
        return []
    upheld = (rule.above.silence if rule.above is not None else rule.silence) == "upheld"
    words = f"逾期未裁定，按办法{'视为成立' if upheld else '维持原分'}"
    return _ruled(loop, session, place, found, upheld=upheld, note=words)


def _revise(loop: Loop, session: Session, place: Place, row: Assessment, upheld: voices.Appealed) -> list[Job]:
    """Make the next revision from the frozen figures: nothing but what the appeal takes out is different."""
    schedule.require_frozen(session, row)
    before = periods.results(session, row.id)
    ids = voices.ids_of(session, [upheld.grievance] if upheld.grievance else [])
    case = ids.get(upheld.grievance or "")
    if upheld.grievance is not None and case is None:
        return []  # nothing of this name was counted
    now = loop.clock.now()
    made = replace(
        row, id=loop.ids.new(), revision=row.revision + 1, closed_at=now, reason=f"申诉成立：{upheld.id}",
        published_at=now if row.state == "published" else None, digest=None,
    )  # fmt: skip
    mended = place.scheme.measures[upheld.measure].composite if upheld.measure else {}
    names = [*mended] or ([upheld.measure] if upheld.measure else list(place.scheme.measures))
    rates = [name for name in names if place.scheme.measures[name].rate is not None]
    periods.copied(session, row, made, LeftOut(upheld.subject, upheld.peer, names, rates, case))
    orders = {(one.subject, one.peer): one.orders for one in before}
    figures = periods.figures(session, made.id)
    results = scoring.judged(session, place.scheme, place.part, place.stretch, list(orders), orders, figures)
    periods.revised(session, made, results)
    if made.state != "published":
        return []
    _restore(loop, session, place, before, results)
    return publication.bring(loop, session, place, made)


def _restore(
    loop: Loop, session: Session, place: Place, before: Sequence[ResultRow], after: Sequence[ResultRow]
) -> None:
    """End the credit that lists brought to whom they do not hold any more."""
    now_on: dict[tuple[str, str], set[str]] = {(one.subject, one.peer): set(one.lists) for one in after}
    gone: dict[tuple[str, str], set[str]] = defaultdict(set)
    for one in before:
        key = (one.subject, one.peer)
        gone[key] = set(one.lists) - now_on.get(key, set())
    for row in voices.consequences(session, place.scheme.name, place.stretch.code):
        if row.credit_id is not None and row.list in gone.get((row.subject, row.peer), ()):
            found = credit_rows.find(session, row.credit_id)
            if found is not None:
                credit.end(loop, session, place.scheme, found[1], "申诉成立，名次更正", SYSTEM_ACTOR)

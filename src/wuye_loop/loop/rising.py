"""未诉先办: a rising matter comes in as a grievance of its own, of the source that the workflow names, once each time it rises."""

from collections import defaultdict
from datetime import date, timedelta
from hashlib import blake2b
from typing import Final

import structlog
from sqlalchemy.orm import Session

from wuye_loop.domain.grievance.situation import SYSTEM_ACTOR, Actor
from wuye_loop.domain.language.intake import Rising
from wuye_loop.domain.rules.rules import Rules
from wuye_loop.domain.suggesting.rising import MARK, PAST, QUIET, WEEK, Rise, rises
from wuye_loop.jobs import Job, Jobs
from wuye_loop.loop.engine import Loop
from wuye_loop.loop.evaluate import opening
from wuye_loop.store.database import Database
from wuye_loop.store.reads.arrivals import arrivals, opened_since, opening_alone
from wuye_loop.store.reads.summary import estate_names

_log = structlog.get_logger("wuye_loop.rising")
_BACK: Final = timedelta(weeks=PAST + 1, days=QUIET)

Risen = Rise[tuple[str, str]]


def risen(loop: Loop, session: Session, actor: Actor, area_path: str) -> tuple[list[Risen], int]:
    """Return the rises of the last two weeks by (estate, category), the oldest first, and how many series were looked at."""
    calendar = loop.calendar(session)
    now = loop.clock.now()
    today, first = calendar.local_date(now), calendar.local_date(now - _BACK)
    zone = loop.reference.rules(session, loop.default_workflow).workflow.calendar.zone
    days: dict[tuple[str, str], list[date]] = defaultdict(list)
    for one in arrivals(session, actor, area_path, now - _BACK, str(zone)):
        days[one.estate, one.category] += [one.day] * one.number
    # Where nothing was taken in yet there is no past: an installation that is new is not a town at rest.
    first = max(first, min((day for came in days.values() for day in came), default=today))
    return [one for one in rises(days, first, today) if (today - one.day).days <= QUIET], len(days)


def open_due(loop: Loop, database: Database, *, jobs: Jobs | None = None) -> int:
    """Take in what has risen within the last week and was not taken in yet; return how many. Nothing where the file says nothing.

    Any number may do it at once: one of them does. A matter that cannot be taken in is logged, and the others go on.
    """
    jobs = jobs or Jobs()
    with database.begin() as session:
        loop.reference.refresh(session)
        workflow = loop.reference.in_force(session, loop.default_workflow, loop.clock.now())
        rules = loop.reference.rules(session, workflow)
        spec = rules.workflow.intake.rising
        if spec is None or not opening_alone(session):
            return 0
        today = loop.calendar(session).local_date(loop.clock.now())
        found = [one for one in risen(loop, session, SYSTEM_ACTOR, "")[0] if (today - one.day).days < WEEK]
        told = opened_since(session, loop.clock.now() - timedelta(days=QUIET))
        done = 0
        for one in found:
            if (name := _name(one)) not in told:
                done += _opened(loop, session, (rules, spec), one, name, jobs)
    return done


def _opened(loop: Loop, session: Session, by: tuple[Rules, Rising], one: Risen, name: str, jobs: Jobs) -> bool:
    try:
        with session.begin_nested():
            jobs.defer(session, _open(loop, session, *by, one, name))
    except Exception:  # noqa: BLE001 whatever it is, it is logged, and the others go on
        _log.exception("rising_not_opened", estate=one.key[0], category=one.key[1])
        return False
    return True


def _name(one: Risen) -> str:
    """Return the matter's part of its external id, short however long its category; the day it rose stands behind it."""
    return MARK + blake2b("\0".join(one.key).encode(), digest_size=8).hexdigest()


def _open(loop: Loop, session: Session, rules: Rules, spec: Rising, one: Risen, name: str) -> tuple[Job, ...]:
    estate, category = one.key
    title = estate_names(session, [estate]).get(estate, estate)
    words = {"estate": title, "category": category, "count": one.count, "expected": f"{one.expected:g}", "days": WEEK}
    told = {
        "external_id": f"{name}:{one.day:%y%m%d}",
        "kind": spec.kind,
        "category": category,
        "title": spec.title.format(**words)[:100],
        "body": f"到 {one.day.isoformat()} 的 {WEEK} 天里，{title}的“{category}”诉求有 {one.count} 件，"
        f"往常一周 {one.expected:g} 件。请先到现场查明原因。",
        "extra": dict(spec.extra),
    }
    _, outcome = opening.sent_in(loop, session, rules, (spec.origin, spec.by), told, estate)
    return tuple(outcome.jobs)

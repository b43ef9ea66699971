"""Keeps the sums that boards read: what steps changed is folded in, a little at a time, by whoever gets to it first."""

from collections.abc import Sequence
from datetime import datetime, time, timedelta
from decimal import Decimal
from typing import Final

from sqlalchemy.orm import Session

from wuye_loop.domain.rules.rules import Rules
from wuye_loop.loop.engine import Loop
from wuye_loop.loop.figures.scoring import compiled, good_answers
from wuye_loop.store import tallying
from wuye_loop.store.database import Database
from wuye_loop.store.reads.summary import Good
from wuye_loop.store.tallying import Moment

DAYS: Final = 30  # that a board shows, today among them
_MOST: Final = 2000  # changes in one transaction


def fold(loop: Loop, database: Database) -> int:
    """Fold what changed since the last time into the sums; return in how many transactions.

    Raises WuyeError where a published definition cannot be read: by which answers to count is not known then.
    """
    rounds = 0
    while _some(loop, database):
        rounds += 1
    return rounds


def _some(loop: Loop, database: Database) -> bool:
    with database.begin() as session:
        at = moment(loop, session)
        taken = tallying.take(session, _MOST, at)
        if taken is None:
            return False
        # After the horizon was set: whatever version a grievance below it goes by is among these.
        tallying.fold(session, taken, good_of(compiled(loop, session)), at)
    return True


def moment(loop: Loop, session: Session) -> Moment:
    """Return now, and the beginning of the days that a board shows, by the calendar of the city."""
    now, zone = loop.clock.now(), loop.calendar(session).zone
    first = now.astimezone(zone).date() - timedelta(days=DAYS - 1)
    return Moment(now, datetime.combine(first, time(), zone), str(zone))


def good_of(published: Sequence[Rules]) -> Good:
    """Return the answers that count: as satisfied, those a definition gives weight; else those its figures name."""
    ratings = [rating for rules in published for rating in rules.workflow.ratings.values()]
    satisfied = {answer for one in ratings for answer, weight in one.weights.items() if weight > 0}
    weights = {
        (rules.workflow.id, answer): Decimal(str(weight))
        for rules in published
        for rating in reversed(rules.workflow.ratings.values())  # the first of a file is the complainant's: it wins
        for answer, weight in rating.weights.items()
    }
    return Good(
        sorted(satisfied),
        [(*key, weight) for key, weight in weights.items()],
        good_answers(ratings, "response"),
        good_answers(ratings, "solved"),
        [
            (rules.workflow.id, name)
            for rules in published
            for name, clock in rules.workflow.clocks.items()
            if clock.assessed
        ],
    )

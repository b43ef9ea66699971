"""Keeps the sums that boards read: what steps changed is folded in, a little at a time, by whoever gets to it first."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from wuye_loop.domain.rules.rules import Rules
from wuye_loop.loop.engine import Loop
from wuye_loop.loop.figures.scoring import compiled, good_answers
from wuye_loop.store import tallying
from wuye_loop.store.database import Database
from wuye_loop.store.reads.summary import Good

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
        taken = tallying.take(session, _MOST)
        if taken is None:
            return False
        # After the horizon was set: whatever version a grievance below it goes by is among these.
        tallying.fold(session, taken, good_of(compiled(loop, session)))
    return True


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
    )

"""What a supervisor sees on one screen, by several groupings at once: from the sums where they hold, else by counting."""

from typing import Final

from sqlalchemy.orm import Session

from wuye_loop.domain.grievance.situation import Actor
from wuye_loop.store.reads import summary
from wuye_loop.store.reads.summary import STATE_SIGN, Count, Grouping, Wanted

#: What is read for one board.
GROUPINGS: Final[tuple[Grouping, ...]] = ("area", "state", "reached", "place", "estate", "unit")
#: Of which it shows what is open and what is overdue, and no more.
LEAN: Final[tuple[Grouping, ...]] = ("state", "reached", "place")


def sums(session: Session, actor: Actor, asked: Wanted, most: int) -> dict[Grouping, list[Count]]:
    """Return the counts by everything that a board shows, whatever `asked` groups by; of estates and units the worst."""
    found = summary.kept_together(session, actor, asked, GROUPINGS, ("estate", "unit"), most, LEAN)
    if found is not None:
        return found
    return {
        by: summary.recount(session, actor, Wanted(by, asked.area_path, asked.now, asked.soon, asked.good))
        for by in GROUPINGS
    }


def in_states(counts: list[Count]) -> list[tuple[tuple[str, str, str], Count]]:
    """Return the open ones of counts by state, most first: (stage, state, workflow) with their count."""
    there = []
    for one in counts:
        if one.open:
            stage, state, workflow = str(one.key).split(STATE_SIGN)
            there.append(((stage, state, workflow), one))
    return sorted(there, key=lambda found: -found[1].open)


def late(counts: list[Count]) -> list[tuple[str | None, int | None, int]]:
    """Return how many are late by the area one level below and the rung that was reached there, of counts by that."""
    found: list[tuple[str | None, int | None, int]] = []
    for one in counts:
        area, _, rung = str(one.key).partition(STATE_SIGN)
        if one.overdue_open:
            found.append((area or None, int(rung) if rung else None, one.overdue_open))
    return found

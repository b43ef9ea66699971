"""Posts a step to the ledger: what each of its rows changed, who may see the grievance then, and the hash over it all.

Pure, and apart from deciding: what is only tried out (a replay, a question what would happen) is decided and not posted.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import compress, zip_longest
from operator import is_not
from typing import Any, TypeVar

from wuye_loop.domain.grievance.ledger import Chain, Entry
from wuye_loop.domain.grievance.roles import involved_units
from wuye_loop.domain.grievance.situation import EMPTY, MUTABLE, GrievanceState, Situation, TaskState, mutable, plain
from wuye_loop.domain.step.records import EntryDraft, Posted, Step
from wuye_loop.domain.time import clock_moves
from wuye_loop.domain.time.clock_moves import Clock

Image = TypeVar("Image", TaskState, Clock)

_UNITS = MUTABLE.index("units")


def posted(before: Situation, step: Step, chain: Chain, beside: Mapping[str, Any] = EMPTY) -> Posted:
    """Return the step with its ledger rows; `before` is the situation that its first decision was made on.

    `beside` is what the first of the rows vouches for beside what it changes: the order of a new grievance.
    """
    grievance = before.grievance.copy()
    shown = mutable(grievance)
    tasks: Iterable[TaskState] = before.tasks.values()
    images: Iterable[Clock] = before.clocks.values()
    entries = []
    made = _made(step)
    for draft in step.drafts:
        fields = _with_readers(grievance, draft, step)
        changes: dict[str, Any] = {}
        changed = _fields(fields, shown, first=draft.seq == 1)
        if changed:
            changes["grievance"] = changed
        if moved := list(_moved(draft.tasks, tasks)):
            changes["tasks"] = [task.as_json() for task in moved]
        if turned := list(_moved(draft.clocks, images)):
            changes["clocks"] = [clock_moves.as_row(clock) for clock in turned]
        if draft is step.drafts[0]:
            changes |= beside
        if draft is step.drafts[-1]:
            changes |= made
        entry = _entry(grievance, draft, changes, chain)
        entries.append(entry)
        grievance.head = chain.follows(entry.hash)
        shown, tasks, images = fields, draft.tasks, draft.clocks
    last = step.situation.grievance.copy()
    last.units, last.head = grievance.units, grievance.head
    return Posted(
        step.world, Situation(last, step.situation.tasks, step.situation.clocks), step.drafts, step.notices,
        step.documents, step.ratings, step.precedents, step.joins, step.asks, step.opened, entries,
    )  # fmt: skip


def _with_readers(grievance: GrievanceState, draft: EntryDraft, step: Step) -> tuple[Any, ...]:
    """Bring the grievance to where the row left it; return its fields with the units that may see it there."""
    for name, value in zip(MUTABLE, draft.fields, strict=True):
        setattr(grievance, name, value)
    grievance.seq = draft.seq
    grievance.units = units = involved_units(step.world, grievance, draft.tasks)
    return (*draft.fields[:_UNITS], units, *draft.fields[_UNITS + 1 :])


def _fields(after: tuple[Any, ...], before: tuple[Any, ...], *, first: bool) -> dict[str, Any]:
    """Return the fields that changed; the first row of a grievance names every field."""
    every: Iterable[tuple[str, Any, Any]] = zip(MUTABLE, after, before, strict=True)
    if not first:
        every = compress(every, map(is_not, after, before))
    return {name: plain(value) for name, value, was in every if first or value != was}


def _moved(after: Sequence[Image], before: Iterable[Image]) -> Iterator[Image]:
    """Yield the images that are not those of the row before: each stands in its place, none is ever taken away."""
    return (image for image, was in zip_longest(after, before) if image is not was)


def _made(step: Step) -> dict[str, Any]:
    """Return the documents, ratings and rulings of a step as they are kept, for its last row to vouch for."""
    every: Mapping[str, Sequence[Any]] = {
        "documents": step.documents,
        "ratings": step.ratings,
        "precedents": step.precedents,
    }
    return {name: [item.as_json() for item in items] for name, items in every.items() if items}


def _entry(grievance: GrievanceState, draft: EntryDraft, changes: dict[str, Any], chain: Chain) -> Entry:
    entry = Entry(
        draft.seq, draft.at, draft.action, draft.task_id, draft.actor, draft.from_state, draft.to_state, draft.facts,
        changes, draft.audience, b"",
    )  # fmt: skip
    entry.hash = chain.row(grievance.id, entry, grievance.head)
    return entry

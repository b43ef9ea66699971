"""What a step makes: its rows of the ledger, notices, documents, ratings, precedents; drafted first, then posted."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from wuye_loop.domain.grievance.ledger import Entry
from wuye_loop.domain.grievance.situation import MUTABLE, Situation, TaskState, World, plain
from wuye_loop.domain.time.clock import Clock

_LEAD = MUTABLE.index("lead_unit")


def _image(item: Any) -> dict[str, Any]:
    return {name: plain(getattr(item, name)) for name in item.__slots__}


@dataclass(slots=True)
class NoticeDraft:
    """A notice to a unit, to be sent after the commit, not before `not_before`."""

    instrument: str
    title: str
    units: tuple[str, ...]
    urgent: bool
    not_before: datetime
    seq: int


@dataclass(slots=True)
class DocumentDraft:
    """A numbered instrument that a step issued."""

    number: str
    kind: str
    series: str
    year: int
    n: int
    task_id: UUID | None
    addressee: str | None
    copies: tuple[str, ...]
    text: str | None
    issued_at: datetime

    def as_json(self) -> dict[str, Any]:
        """Return the ledger's image of the document."""
        return _image(self)


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a document that opens tasks; the first line's grievance carries the document itself (`draft`)."""

    kind: str
    number: str
    unit: str | None
    form: Mapping[str, Any]
    copies: tuple[str, ...] = ()
    draft: DocumentDraft | None = None


@dataclass(slots=True)
class RatingDraft:
    """What somebody answered about a unit in a cycle; `rater` tells the ratings of one cycle apart."""

    cycle: int
    rater: str
    of_unit: str | None
    answers: Mapping[str, Any]
    satisfied: str | None
    at: datetime

    def as_json(self) -> dict[str, Any]:
        """Return the ledger's image of the rating."""
        return _image(self)


@dataclass(frozen=True, slots=True)
class PrecedentDraft:
    """A ruling on who is in charge of a matter (退单裁定), shown by the routers the next time."""

    seq: int  # of the ledger row that the ruling stands in
    category: str | None
    from_unit: str | None
    to_unit: str | None
    ruling: str
    reason: str | None
    at: datetime

    def as_json(self) -> dict[str, Any]:
        """Return the ledger's image of the ruling."""
        return _image(self)


@dataclass(slots=True)
class EntryDraft:
    """One row of the ledger as decided, with what stood after it; posting.py makes the entry of it.

    `fields` are the values of MUTABLE in their order.
    """

    seq: int
    at: datetime
    action: str
    task_id: UUID | None
    actor: Mapping[str, Any]
    from_state: str | None
    to_state: str | None
    facts: Mapping[str, Any]
    audience: str
    fields: tuple[Any, ...]
    tasks: Sequence[TaskState]
    clocks: Sequence[Clock]

    @property
    def lead_unit(self) -> str | None:
        """The lead unit as it stood after this row."""
        unit: str | None = self.fields[_LEAD]
        return unit


@dataclass(slots=True)
class Step:
    """What was decided in a world: the new situation and everything to be written with it, as yet unposted."""

    world: World
    situation: Situation
    drafts: Sequence[EntryDraft]
    notices: Sequence[NoticeDraft] = ()
    documents: Sequence[DocumentDraft] = ()
    ratings: Sequence[RatingDraft] = ()
    precedents: Sequence[PrecedentDraft] = ()
    joins: Sequence[tuple[UUID, int]] = ()  # other grievances that gain (+1) or lose (-1) a follower
    asks: Sequence[Mapping[str, Any]] = ()  # other systems a router wants asked
    opened: UUID | None = None


#: What a step makes, by the names of its fields.
MADE = ("drafts", "notices", "documents", "ratings", "precedents", "joins", "asks")


@dataclass(slots=True)
class Posted(Step):
    """A step with its ledger rows, each hashed over the one before; its situation knows its readers and the newest hash."""

    entries: Sequence[Entry] = ()

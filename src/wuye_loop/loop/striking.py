"""Who is struck out of what is written on a grievance and read of it: its complainant and everybody merged with it."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import reduce
from typing import Any, Final, Protocol
from uuid import UUID

import structlog
from sqlalchemy.orm import Session

from wuye_loop import metrics
from wuye_loop.domain.errors import Erased, SealBroken
from wuye_loop.domain.grievance.situation import GrievanceState
from wuye_loop.domain.privacy import striking
from wuye_loop.domain.privacy.known import NOBODY, Known, of_person
from wuye_loop.domain.privacy.sealing import KeyRing, Sealed
from wuye_loop.store.grievance import identity, related
from wuye_loop.store.reference_cache import Reference

_log = structlog.get_logger("wuye_loop.striking")


class Keeper(Protocol):
    """What is needed to open a complainant and to know what the directory makes public."""

    @property
    def keyring(self) -> KeyRing:
        """The keys that identities are sealed under."""

    @property
    def reference(self) -> Reference:
        """The directory."""


class Striker:
    """Strikes identities out of texts; the complainants are unsealed only when there is a text to look at."""

    def __init__(
        self,
        keeper: Keeper,
        session: Session,
        scenes: Iterable[tuple[GrievanceState, Sealed | None]],
        others: Iterable[UUID] = (),
    ) -> None:
        """Strike whom `scenes` (grievances as read, each with its sealed complainant) and `others` concern."""
        self._keeper, self._session = keeper, session
        self._scenes, self._others = list(scenes), list(others)
        self._known: Known | None = None

    def __call__(self, text: str) -> str:
        """Return a text as it may be stored: struck of the people concerned and of what looks like an identity."""
        return striking.struck(text, self._people(), self._keeper.reference.directory.public)

    def reply(self, text: str) -> str:
        """Return an office's answer to the public, in which landlines that are not the people's own stay."""
        return striking.struck(text, self._people(), replace(self._keeper.reference.directory.public, reply=True))

    def unnamed(self, value: Any) -> Any:
        """Return a stored value struck of those who were merged with the grievance after it was written."""
        merged = self._others or any(_in_family(grievance) for grievance, _ in self._scenes)
        return striking.unnamed(value, self._people(), self._keeper.reference.directory.public) if merged else value

    def _people(self) -> Known:
        if self._known is None:
            self._known = reduce(lambda one, other: one | other, self._opened(), NOBODY)
        return self._known

    def _opened(self) -> Iterator[Known]:
        apart = [(one.id, sealed) for one, sealed in self._scenes if not _in_family(one) and sealed is not None]
        together = [one.id for one, _ in self._scenes if _in_family(one)] + self._others
        if together:
            apart += [(one.id, one.sealed) for one in related.families(self._session, together)]
        yield from (_of(self._keeper.keyring, *one) for one in dict(apart).items())


def unnamed_rows(
    keeper: Keeper, session: Session, rows: Sequence[dict[str, Any]], fields: Sequence[str], number: str = "grievance"
) -> None:
    """Strike, in rows that name their grievance under `number`, whoever was merged with it out of these fields."""
    people = people_of(keeper, session, (row.get(number) for row in rows))
    for row in rows:
        if (of := row.get(number)) in people:
            unname(keeper, row, fields, people[of])


def akin(shown: Sequence[dict[str, Any]], rows: Sequence[Any]) -> list[dict[str, Any]]:
    """Return those of a page's items whose rows say that their grievance is one of several (store/grievance/related.AKIN).

    Of most pages that is none, and nobody need be asked about.
    """
    return [item for item, row in zip(shown, rows, strict=True) if row.akin]


def people_of(keeper: Keeper, session: Session, numbers: Iterable[str | None]) -> dict[str, Known | None]:
    """Return who is known of the families of grievances, by number, of those that have a family.

    None for a family with a member whose seal is damaged: nobody can say who is to be struck.
    """
    asked = sorted({number for number in numbers if number})
    people: dict[str, Known | None] = {}
    for member in related.families_of(session, asked) if asked else ():
        before = people.get(member.number, NOBODY)
        try:
            people[member.number] = None if before is None else before | _of(keeper.keyring, member.id, member.sealed)
        except SealBroken:
            people[member.number] = None
            metrics.damaged_records_total.labels("complainant").inc()
            _log.error("record_damaged", where="complainant", number=member.number)
    return people


def unname(keeper: Keeper, row: dict[str, Any], fields: Iterable[str], known: Known | None) -> None:
    """Strike the known out of these fields of a row; all of their texts where nobody can say who is known."""
    if known is None:
        row.update({name: striking.STRUCK if isinstance(row[name], str) else {} for name in fields if row.get(name)})
        row["damaged"] = True
        return
    public = keeper.reference.directory.public
    row.update({name: striking.unnamed(row[name], known, public) for name in fields if row.get(name)})


def _in_family(grievance: GrievanceState) -> bool:
    return grievance.merged_into is not None or grievance.followers > 0


def _of(keyring: KeyRing, grievance_id: UUID, sealed: Sealed) -> Known:
    """Return what is known of a complainant; hundreds may belong to one matter, so the last ones read are remembered."""
    key = (grievance_id, sealed)
    found = _remembered.get(key)
    if found is None:
        try:
            found = of_person(identity.opened(keyring, grievance_id, sealed))
        except Erased:  # of who was erased nothing is known any more
            found = NOBODY
        if len(_remembered) >= _MOST_REMEMBERED:
            _remembered.clear()
        _remembered[key] = found
    return found


_MOST_REMEMBERED: Final = 2048
_remembered: dict[tuple[UUID, Sealed], Known] = {}

"""What loading a document would change of the directory that is stored: entry by entry, key by key."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from wuye_loop.domain.directory.document import AreaEntry, DirectoryDocument, EstateEntry, PersonEntry, UnitEntry
from wuye_loop.domain.directory.table import SECTIONS, shown

Entry = AreaEntry | UnitEntry | EstateEntry | PersonEntry


@dataclass(frozen=True, slots=True)
class EntryChange:
    """One entry that is new, changed, ended or taken up again; `fields` are what changes: title, before, after."""

    section: str
    key: str  # a code; of a person the unit's
    name: str
    what: str  # added, changed, ended, resumed
    fields: tuple[tuple[str, Any, Any], ...] = ()


def changes_of(stored: DirectoryDocument, given: DirectoryDocument) -> list[EntryChange]:
    """Return what a document changes, in its order; an entry that is stored as it is written is left out."""
    return [change for section in SECTIONS for change in _of_section(section, stored, given)]


def _of_section(section: str, stored: DirectoryDocument, given: DirectoryDocument) -> Iterator[EntryChange]:
    known = {_key(one): one for one in getattr(stored, section)}
    for one in getattr(given, section):
        before = known.get(_key(one))
        code = one.unit if isinstance(one, PersonEntry) else one.code
        if before is None:
            yield EntryChange(section, code, one.name, "added")
        elif before != one:
            fields = tuple(
                (column.title, shown(column.look, getattr(before, column.key)), shown(column.look, getattr(one, column.key)))
                for column in SECTIONS[section].columns
                if getattr(before, column.key) != getattr(one, column.key)
            )  # fmt: skip
            yield EntryChange(section, code, one.name, _what(before, one), fields)


def _key(one: Entry) -> tuple[str, str]:
    return (one.unit, one.name) if isinstance(one, PersonEntry) else ("", one.code)


def _what(before: Entry, one: Entry) -> str:
    if isinstance(before, UnitEntry) and isinstance(one, UnitEntry) and before.active != one.active:
        return "resumed" if one.active else "ended"
    return "changed"

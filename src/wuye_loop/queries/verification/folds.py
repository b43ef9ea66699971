"""What the rows of one ledger add up to."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from wuye_loop.domain.grievance.ledger import Entry
from wuye_loop.domain.time.timestamps import as_text
from wuye_loop.store.reads.audit import rating_key


@dataclass(slots=True)
class Fold:
    """A grievance and all that hangs on it as the changes of its ledger rows make them; keys as the tables have them."""

    grievance: dict[str, Any] = field(default_factory=dict)
    order: dict[str, Any] = field(default_factory=dict)
    tasks: dict[str, Any] = field(default_factory=dict)
    clocks: dict[str, Any] = field(default_factory=dict)
    documents: dict[str, Any] = field(default_factory=dict)
    ratings: dict[str, Any] = field(default_factory=dict)
    precedents: dict[str, Any] = field(default_factory=dict)
    files: dict[str, Any] = field(default_factory=dict)
    erased: bool = False


def fold(entries: Iterable[Entry]) -> Fold:
    """Return what these rows, in their order, add up to."""
    found = Fold()
    for entry in entries:
        changes = entry.changes
        found.grievance.update(changes.get("grievance", {}))
        found.order.update(changes.get("order", {}))
        found.tasks.update((task["id"], task) for task in changes.get("tasks", ()))
        found.clocks.update((image["id"], image) for image in changes.get("clocks", ()))
        found.documents.update((item["number"], item) for item in changes.get("documents", ()))
        found.ratings.update((rating_key(item), item) for item in changes.get("ratings", ()))
        found.precedents.update((str(item["seq"]), item) for item in changes.get("precedents", ()))
        if entry.action == "upload":
            said = [entry.facts.get(name) for name in ("sha256", "audience", "name", "media_type", "size")]
            found.files[entry.facts["file"]] = [*said, dict(entry.actor), as_text(entry.at)]
        if entry.action == "erase":
            found.erased = True
            found.files.clear()
    return found

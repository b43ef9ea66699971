"""What changes between two definitions, for whom, in words: read before a new version is published."""

from collections.abc import Iterator, Sequence

from wuye_loop.authoring.diff import documents, intake, routing, tasks
from wuye_loop.authoring.diff import roles as whole
from wuye_loop.authoring.diff.sides import CLERK, EVERYBODY, RED, RUNNING, SIGHT, SYSTEM, Change, Place, Sides
from wuye_loop.domain.language.workflow import Workflow

__all__ = ["Change", "differences", "grouped"]


_SIGHT = frozenset({"field-audience", "audience-changed"})  # first in every group


def differences(a: Workflow, b: Workflow) -> list[Change]:
    """Return every change from A to B, one for each of those whom it concerns, the dangerous ones first.

    Names that B's `migrates` maps are taken as the same thing. What has no order is compared without one; lists of
    which the first line that holds is taken are compared by what they come to.
    """
    sides = Sides.of(a, b)
    found = dict.fromkeys(_every(sides))
    order = _order(sides)
    return sorted(found, key=lambda change: (order.get(change.who, len(order) - 3), change.kind not in _SIGHT))


def grouped(changes: Sequence[Change]) -> dict[str, list[Change]]:
    """Return changes by whom they concern, in their order."""
    groups: dict[str, list[Change]] = {}
    for change in changes:
        groups.setdefault(change.who, []).append(change)
    return groups


def _every(sides: Sides) -> Iterator[Change]:
    yield from whole.roles(sides)
    yield from tasks.flow(Place(sides))
    yield from tasks.tasks(sides)
    yield from routing.routers(sides)
    yield from whole.separation(sides)
    yield from documents.documents(sides)
    yield from documents.instruments(sides)
    yield from documents.ratings(sides)
    yield from documents.results(sides)
    yield from documents.replies(sides)
    yield from whole.sources(sides)
    yield from intake.intake(sides)
    yield from whole.automatic(sides)
    yield from whole.house(sides)


def _order(sides: Sides) -> dict[str, int]:
    """Return where each group stands: red lines, what is running, who may read what, the roles of B, of A, and the others."""
    roles = [role.title for role in (*sides.b.roles.values(), *sides.a.roles.values())]
    names = list(dict.fromkeys([RED, RUNNING, SIGHT, *roles, sides.resident]))
    return {name: place for place, name in enumerate([*names, EVERYBODY, SYSTEM, CLERK])}

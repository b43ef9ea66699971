"""The lines of a drawing before they have a way: one for each pair of states, gathered in nets that share a trunk."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from wuye_loop.domain.drawing_grid import Cell
from wuye_loop.domain.drawing_moves import SYSTEM, Move
from wuye_loop.domain.workflow import Flow

Manner = Literal["on", "back", "aside"]


@dataclass(frozen=True, slots=True)
class Net:
    """Lines that end in the same state and look the same: they join and never part, so they may share a trunk."""

    target: str
    manner: Manner
    automatic: bool  # every action on it is the system's alone: dashed


@dataclass(frozen=True, slots=True)
class Link:
    """One line from a state to a state with the moves it stands for; `returning` are those that go it backwards."""

    source: str
    target: str
    net: Net
    moves: tuple[Move, ...]
    returning: tuple[Move, ...] = ()


def links(flow: Flow, made: Sequence[Move], cells: Mapping[str, Cell]) -> list[Link]:
    """Return the lines of a flow; a way `back` is drawn on the lines that it goes back along."""
    carried: dict[tuple[str, str], list[Move]] = {}
    returning: dict[tuple[str, str], list[Move]] = {}
    for move in made:
        for source, target in move.pairs:
            if move.returns:
                returning.setdefault((target, source), []).append(move)
            else:
                carried.setdefault((source, target), []).append(move)
    return [
        Link(
            source,
            target,
            Net(target, _manner(flow, source, target, cells), all(move.by == (SYSTEM,) for move in those)),
            tuple(those),
            tuple(returning.get((source, target), ())),
        )
        for (source, target), those in carried.items()
    ]


def _manner(flow: Flow, source: str, target: str, cells: Mapping[str, Cell]) -> Manner:
    """Say whether a line leads on, back to an earlier state, or aside into one where a grievance is parked."""
    if flow.states[target].parked:
        return "aside"
    if flow.states[target].final:
        return "on"
    order = list(flow.states)
    here, there = cells[source][0], cells[target][0]
    back = there < here or (there == here and order.index(target) < order.index(source))
    return "back" if back and not flow.states[source].parked else "on"

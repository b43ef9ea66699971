"""Where the states of a flow stand before anything is measured: in a column and a row, rows gathered in lanes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from wuye_loop.authoring.drawing.moves import SYSTEM, Move
from wuye_loop.domain.language.workflow import Flow, TaskKind, Workflow
from wuye_loop.domain.terms import Stage

Cell = tuple[int, int]  # column, row
ENDED = "办结归档"
_NO_STAGE = "其他"


@dataclass(frozen=True, slots=True)
class Lane:
    """One lane: whose it is, its first row, how many rows."""

    title: str
    first: int
    rows: int


@dataclass(frozen=True, slots=True)
class Grid:
    """The headings of the columns, the lanes, and the cell of every state; no two states share a cell."""

    columns: tuple[str, ...]
    lanes: tuple[Lane, ...]
    cells: Mapping[str, Cell]

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return sum(lane.rows for lane in self.lanes)


def main_grid(workflow: Workflow) -> Grid:
    """Give each stage that has states a column, each role that holds states a lane; ended states stand in the last lane."""
    stages = [stage for stage in (*Stage, None) if any(state.stage is stage for state in workflow.states.values())]
    stacks: dict[str | None, dict[int, list[str]]] = {}
    holders = [state.holder for state in workflow.states.values() if not state.final]
    for holder in (*dict.fromkeys(holders), *([ENDED] if any(s.final for s in workflow.states.values()) else [])):
        stacks[holder] = {}
    for name, state in workflow.states.items():
        holder = ENDED if state.final else state.holder
        stacks[holder].setdefault(stages.index(state.stage), []).append(name)
    lanes: list[Lane] = []
    cells: dict[str, Cell] = {}
    row = 0
    for holder, columns in stacks.items():
        deep = max(map(len, columns.values()))
        lanes.append(Lane(_lane_title(workflow, holder), row, deep))
        cells |= {name: (column, row + n) for column, names in columns.items() for n, name in enumerate(names)}
        row += deep
    return Grid(tuple(stage.chinese if stage else _NO_STAGE for stage in stages), tuple(lanes), cells)


def _lane_title(workflow: Workflow, holder: str | None) -> str:
    role = workflow.roles.get(holder or "")
    return role.title if role is not None else holder or "无人持有"


def task_grid(kind: TaskKind, made: Sequence[Move]) -> Grid:
    """Put the states of a kind of task in a row, in the order they are reached; ended ones are stacked at the end."""
    depths = _depths(kind, made)
    open_states = [name for name, state in kind.states.items() if not state.final]
    ranks = sorted({depths[name] for name in open_states})
    stacks: dict[int, list[str]] = {}
    for name, state in kind.states.items():
        column = len(ranks) if state.final else ranks.index(depths[name])
        stacks.setdefault(column, []).append(name)
    deep = max(map(len, stacks.values()))
    cells = {name: (column, n) for column, names in stacks.items() for n, name in enumerate(names)}
    return Grid(("",) * (max(stacks) + 1), (Lane("", 0, deep),), cells)


def _depths(flow: Flow, made: Sequence[Move]) -> dict[str, int]:
    """Return how many moves lead to each state on the longest way that never goes back in the order of the file."""
    order = {name: n for n, name in enumerate(flow.states)}
    depths = dict.fromkeys(flow.states, 0)
    pairs = sorted({pair for move in made for pair in move.pairs}, key=lambda pair: order[pair[0]])
    for source, target in pairs:
        if order[source] < order[target]:
            depths[target] = max(depths[target], depths[source] + 1)
    return depths


# The lines of a drawing before they have a way: one for each pair of states, gathered in nets that share a trunk.

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

"""Gives every straight piece of a line a track of its own, so that no two nets lie on one another, and sorts the tracks.

Pieces that share a channel get different tracks where they overlap; then tracks of a channel change places as long as
that saves crossings. Positions are counted in places of the sheet here; pixels come later.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise

from wuye_loop.authoring.drawing.grid import Net
from wuye_loop.authoring.drawing.routes import Place, Routed

Line = tuple[int, int]  # axis (0: a row of the sheet, 1: a column of it) and its number
_CALM = 220  # pieces: in a larger drawing the tracks stay as they were given
_ROUNDS = 4


@dataclass(slots=True, eq=False)
class Run:
    """A straight piece of a net: along axis 0 from (low, at) to (high, at), along axis 1 from (at, low) to (at, high)."""

    net: Net
    axis: int
    at: int
    low: int
    high: int
    boxed: tuple[bool, bool]  # whether it ends at a box, low end and high end
    track: int = 0
    ends: tuple["Run | None", "Run | None"] = (None, None)

    @property
    def line(self) -> Line:
        """Which row or column of the sheet it lies in."""
        return self.axis, self.at

    def meets(self, other: "Run") -> bool:
        """Say whether two pieces of one line would touch on one track."""
        if self.high == other.low:
            return not (self.boxed[1] and other.boxed[0])
        if other.high == self.low:
            return not (other.boxed[1] and self.boxed[0])
        return self.low < other.high and other.low < self.high


@dataclass(frozen=True, slots=True)
class Tracks:
    """Every piece of every net, how many tracks each line has, and which piece passes a place along an axis."""

    runs: tuple[Run, ...]
    counts: Mapping[Line, int]
    passing: Mapping[tuple[Net, int, Place], Run]


def tracks(nets: Iterable[Routed], sources: Mapping[str, Place]) -> Tracks:
    """Return the tracks of all pieces; `sources` are the places of the boxes by state."""
    boxes = set(sources.values())
    runs: list[Run] = []
    passing: dict[tuple[Net, int, Place], Run] = {}
    for routed in nets:
        for run in _pieces(routed, sources, boxes):
            runs.append(run)
            for n in range(run.low, run.high + 1):
                place = (n, run.at) if run.axis == 0 else (run.at, n)
                if place not in boxes:
                    passing[run.net, run.axis, place] = run
    for run in runs:
        low, high = (
            ((run.low, run.at), (run.high, run.at)) if run.axis == 0 else ((run.at, run.low), (run.at, run.high))
        )
        run.ends = (passing.get((run.net, 1 - run.axis, low)), passing.get((run.net, 1 - run.axis, high)))
    lines: dict[Line, list[Run]] = {}
    for run in runs:
        lines.setdefault(run.line, []).append(run)
    counts = {line: _first_fit(members) for line, members in lines.items()}
    if len(runs) <= _CALM:
        _sorted(runs, lines, counts)
    return Tracks(tuple(runs), counts, passing)


def _pieces(routed: Routed, sources: Mapping[str, Place], boxes: set[Place]) -> list[Run]:
    steps: set[tuple[Place, Place]] = set()
    for source in routed.starts:
        way = routed.way(sources[source], source)
        steps |= {(min(pair), max(pair)) for pair in pairwise(way)}
    found: list[Run] = []
    for one, other in sorted(steps, key=lambda step: (step[0][1] != step[1][1], step[0][::-1], step[0])):
        axis = 0 if one[1] == other[1] else 1
        at, low = one[1 - axis], one[axis]
        last = next((run for run in found if run.axis == axis and run.at == at and run.high == low), None)
        if last is not None and one not in boxes:
            last.high, last.boxed = low + 1, (last.boxed[0], other in boxes)
        else:
            found.append(Run(routed.net, axis, at, low, low + 1, (one in boxes, other in boxes)))
    return found


def _first_fit(members: list[Run]) -> int:
    """Give each piece of a line the first track that is free where it lies; return how many tracks that takes."""
    placed: list[Run] = []
    for run in sorted(members, key=lambda run: (run.low, run.high)):
        taken = {other.track for other in placed if other.net != run.net and run.meets(other)}
        run.track = next(n for n in range(len(members)) if n not in taken)
        placed.append(run)
    return 1 + max(run.track for run in members)


def _sorted(runs: list[Run], lines: Mapping[Line, list[Run]], counts: Mapping[Line, int]) -> None:
    """Let the tracks of each line change places, two at a time, while that makes the drawing simpler."""
    hanging: dict[int, list[Run]] = {}
    for run in runs:
        for end in run.ends:
            if end is not None:
                hanging.setdefault(id(end), []).append(run)
    for _ in range(_ROUNDS):
        better = 0
        for line, members in lines.items():
            better += counts[line] > 1 and _improved(members, counts, runs, hanging)
        if not better:
            return


def _improved(
    members: list[Run], counts: Mapping[Line, int], runs: list[Run], hanging: Mapping[int, list[Run]]
) -> bool:
    better = False
    count = counts[members[0].line]
    for one in range(count):
        for other in range(one + 1, count):
            moved = [run for run in members if run.track in (one, other)]
            touched = list(
                {id(run): run for run in (*moved, *(h for m in moved for h in hanging.get(id(m), ())))}.values()
            )
            before = _untidiness(touched, runs, counts)
            _swap(moved, one, other)
            if _untidiness(touched, runs, counts) < before:
                better = True
            else:
                _swap(moved, one, other)
    return better


def _swap(moved: list[Run], one: int, other: int) -> None:
    for run in moved:
        run.track = other if run.track == one else one


def position(run: Run, counts: Mapping[Line, int]) -> float:
    """Return where across its line a piece lies, in places."""
    return run.at + (run.track + 1) / (counts[run.line] + 1) - 0.5


def _span(run: Run, counts: Mapping[Line, int]) -> tuple[float, float]:
    low, high = run.ends
    return (
        run.low + 0.5 if low is None else position(low, counts),
        run.high - 0.5 if high is None else position(high, counts),
    )


def _untidiness(touched: list[Run], runs: list[Run], counts: Mapping[Line, int]) -> float:
    """Weigh the crossings of some pieces with all others, and a little their length."""
    total = 0.0
    for run in touched:
        low, high = _span(run, counts)
        here = position(run, counts)
        total += (high - low) * 0.05
        for other in runs:
            if other.axis == run.axis or other.net == run.net or not run.low - 1 < other.at < run.high + 1:
                continue
            if low < position(other, counts) < high:
                start, end = _span(other, counts)
                total += start < here < end
    return total

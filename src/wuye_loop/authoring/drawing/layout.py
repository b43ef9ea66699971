"""The measured drawing of one flow: boxes, lines with their corners, and the places of their numbers, in pixels."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from wuye_loop.authoring.drawing.grid import Grid, Link, Net
from wuye_loop.authoring.drawing.moves import Move
from wuye_loop.authoring.drawing.routes import Place, Routed, place_of, routes
from wuye_loop.authoring.drawing.tracks import Line, Run, Tracks, tracks

Point = tuple[float, float]
BOX_W = 124
NUMBER_R = 8.5  # of the small circle round a number
_STEP = 18  # between two lines that reach the same side of a box: their numbers do not touch
_PITCH = 9  # between two lines in a channel
_HEAD = 13  # room for an arrowhead
_AIR = 9  # least room beside a box
_MOST_AIR = 70  # and what is added at most to each channel to fill the page


@dataclass(frozen=True, slots=True)
class Box:
    """Where a state stands."""

    x: float
    y: float
    w: float
    h: float


@dataclass(frozen=True, slots=True)
class Wire:
    """A line: the link it draws and its corners from the edge of one box to the edge of another."""

    link: Link
    points: tuple[Point, ...]


@dataclass(frozen=True, slots=True)
class Number:
    """Where the number of a move stands: on a line, beside the state in which the action is taken."""

    move: Move
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Layout:
    """A drawing: the size; left edge and width of each column; top and height of each lane; boxes, wires, numbers."""

    width: float
    height: float
    columns: tuple[tuple[float, float], ...]
    lanes: tuple[tuple[float, float], ...]
    boxes: Mapping[str, Box]
    wires: tuple[Wire, ...]
    numbers: tuple[Number, ...]


@dataclass(slots=True)
class _Axis:
    """Where the lines of one axis lie: per channel or band its start, its breadth, and where its tracks begin."""

    starts: list[float]
    sizes: list[float]
    offsets: list[float]
    end: float


def layout(
    grid: Grid, links: Sequence[Link], heights: Sequence[float], left: float, top: float, wide: float = 0
) -> Layout:
    """Measure a drawing whose rows are at least `heights` high, its first channel at (`left`, `top`), up to x = `wide`."""
    columns = len(grid.columns)
    places = {name: place_of(cell) for name, cell in grid.cells.items()}
    found = routes(links, grid.cells, columns, grid.rows)
    laid = tracks(found.values(), places)
    room = _room(links, found, places)
    xs = _measured(1, columns, [BOX_W] * columns, laid.counts, room, left, set())
    if xs.end < wide:
        air = min(_MOST_AIR, (wide - xs.end) / (columns + 1))
        xs = _measured(1, columns, [BOX_W] * columns, laid.counts, room, left, set(), air)
    borders = {2 * lane.first for lane in grid.lanes if lane.first}
    ys = _measured(0, grid.rows, heights, laid.counts, room, top, borders)
    boxes = {name: Box(xs.starts[x], ys.starts[y], BOX_W, ys.sizes[y]) for name, (x, y) in places.items()}
    wires = []
    for link in links:
        way = found[link.net].way(places[link.source], link.source)
        wires.append(Wire(link, _corners(way, link, boxes, laid, xs, ys)))
    lane_edges = [
        top if not lane.first else ys.starts[2 * lane.first] + _border(2 * lane.first, room) for lane in grid.lanes
    ]
    edges = [left, *(xs.starts[2 * n] + xs.sizes[2 * n] / 2 for n in range(1, columns)), xs.end]
    return Layout(
        xs.end,
        ys.end,
        tuple((one, other - one) for one, other in pairwise(edges)),
        tuple((one, other - one) for one, other in pairwise([*lane_edges, ys.end])),
        boxes,
        tuple(wires),
        tuple(number for wire in wires for number in _numbers(wire, wires)),
    )


Room = Mapping[tuple[int, int, int], float]  # (axis crossed, channel, side 0 before or 1 after its tracks) -> pixels


def _room(links: Sequence[Link], found: Mapping[Net, Routed], places: Mapping[str, Place]) -> Room:
    """Return how much room the arrowheads and numbers beside boxes need on each side of each channel."""
    room: dict[tuple[int, int, int], float] = {}
    for link in links:
        way = found[link.net].way(places[link.source], link.source)
        leaving = len(link.moves) * 2 * NUMBER_R + 3 + (_HEAD if link.returning else 0)
        arriving = len(link.returning) * 2 * NUMBER_R + _HEAD + 3
        for box, beside, need in ((way[0], way[1], leaving), (way[-1], way[-2], arriving)):
            axis = 0 if box[1] == beside[1] else 1
            key = (axis, beside[axis], 0 if beside[axis] > box[axis] else 1)
            room[key] = max(room.get(key, 0), need)
    return room


def _border(channel: int, room: Room) -> float:
    """Return where in a channel between two lanes the line between them lies."""
    return max(room.get((1, channel, 0), 0), _AIR) + 2


def _measured(
    axis: int,
    bands: int,
    sizes: Sequence[float],
    counts: Mapping[Line, int],
    room: Room,
    start: float,
    borders: set[int],
    air: float = 0,
) -> _Axis:
    """Lay channels and bands one after the other; `axis` is that of the lines whose tracks lie in them."""
    made = _Axis([], [], [], start)
    for n in range(2 * bands + 1):
        count = counts.get((axis, n), 0)
        if n % 2:
            size = max(sizes[n // 2], (count - 1) * _STEP + 24) if axis == 0 else sizes[n // 2]
            step = _step(count, size)
            offset = (size - (count - 1) * step) / 2
        else:
            more = air / 2 + (8 if n in borders else 0)
            before = more + max(room.get((1 - axis, n, 0), 0), _AIR if n else 3)
            after = more + max(room.get((1 - axis, n, 1), 0), _AIR if n < 2 * bands else 3)
            size = before + after + max(0, count - 1) * _PITCH + (4 if count else 0)
            offset = before + 2
        made.starts.append(made.end)
        made.sizes.append(size)
        made.offsets.append(offset)
        made.end += size
    return made


def _step(count: int, size: float) -> float:
    return min(_STEP, (size - 24) / (count - 1)) if count > 1 else _STEP


def _across(run: Run, counts: Mapping[Line, int], xs: _Axis, ys: _Axis) -> float:
    """Return the pixel at which a piece lies across its line."""
    axis = ys if run.axis == 0 else xs
    step = _step(counts[run.line], axis.sizes[run.at]) if run.at % 2 else _PITCH
    return axis.starts[run.at] + axis.offsets[run.at] + run.track * step


def _corners(
    way: Sequence[Place], link: Link, boxes: Mapping[str, Box], laid: Tracks, xs: _Axis, ys: _Axis
) -> tuple[Point, ...]:
    points: list[Point] = []
    axes = [0 if one[1] == other[1] else 1 for one, other in pairwise(way)]
    for n, (axis, turned) in enumerate(pairwise(axes), start=1):
        if axis != turned:
            along = [laid.passing[link.net, 0, way[n]], laid.passing[link.net, 1, way[n]]]
            points.append((_across(along[1], laid.counts, xs, ys), _across(along[0], laid.counts, xs, ys)))
    first = laid.passing[link.net, axes[0], way[1]]
    last = laid.passing[link.net, axes[-1], way[-2]]
    start = _edge(boxes[link.source], way[0], way[1], _across(first, laid.counts, xs, ys))
    end = _edge(boxes[link.target], way[-1], way[-2], _across(last, laid.counts, xs, ys))
    return (start, *points, end)


def _edge(box: Box, place: Place, beside: Place, across: float) -> Point:
    """Return where a line reaches the side of a box that faces the place beside it."""
    if place[1] == beside[1]:
        return (box.x + box.w if beside[0] > place[0] else box.x), across
    return across, (box.y + box.h if beside[1] > place[1] else box.y)


def _numbers(wire: Wire, wires: Sequence[Wire]) -> list[Number]:
    """Set the numbers of a line beside its source; those of a way back beside its target, once for a shared end."""
    made = _row(wire.link.moves, wire.points, _HEAD if wire.link.returning else 0)
    shared = next(w for w in wires if w.link.net == wire.link.net and w.points[-1] == wire.points[-1])
    if shared is wire:
        ends = [w for w in wires if w.link.net == wire.link.net and w.points[-1] == wire.points[-1]]
        back = {move.number: move for w in ends for move in w.link.returning}
        made += _row(tuple(back.values()), wire.points[::-1], _HEAD)
    return made


def _row(moves: Sequence[Move], points: Sequence[Point], skip: float) -> list[Number]:
    (x, y), (u, v) = points[0], points[1]
    dx, dy = (u > x) - (u < x), (v > y) - (v < y)
    return [
        Number(move, x + dx * far, y + dy * far)
        for n, move in enumerate(moves)
        for far in [skip + 3 + NUMBER_R * (2 * n + 1)]
    ]


def moved(drawing: Layout, x: float, y: float) -> Layout:
    """Return a drawing at another place of the page."""
    return replace(
        drawing,
        width=drawing.width + x,
        height=drawing.height + y,
        columns=tuple((left + x, size) for left, size in drawing.columns),
        lanes=tuple((top + y, size) for top, size in drawing.lanes),
        boxes={name: replace(box, x=box.x + x, y=box.y + y) for name, box in drawing.boxes.items()},
        wires=tuple(replace(w, points=tuple((px + x, py + y) for px, py in w.points)) for w in drawing.wires),
        numbers=tuple(replace(n, x=n.x + x, y=n.y + y) for n in drawing.numbers),
    )

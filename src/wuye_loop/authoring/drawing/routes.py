"""Finds a way for every line through the channels of a drawing: the cheapest, with few bends and crossings.

The sheet is a coarse grid of places (x, y): an even x is a channel between columns, an odd one the column itself; an
even y is a channel between rows, an odd one the row itself. A box fills the place where its column and row meet; every
other place may be passed.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from heapq import heappop, heappush
from itertools import pairwise

from wuye_loop.authoring.drawing.grid import Cell, Link, Net

Place = tuple[int, int]
Step = tuple[Place, Place]
_STEPS = ((1, 0), (0, 1), (-1, 0), (0, -1))
_ALONG, _DOWN = 13, 10  # what it costs to go from a channel into the middle of a column, or of a row
_BEND, _CROSSING, _CROWD = 7, 9, 3
_CALM = 120  # lines: in a drawing of more each takes its shortest way


@dataclass(slots=True)
class Routed:
    """The ways of a net: for every place on them the next one towards the target, and which link starts where."""

    net: Net
    onward: dict[Place, Place] = field(default_factory=dict)
    starts: dict[str, Place] = field(default_factory=dict)  # source state -> first place beside its box

    def way(self, box: Place, source: str) -> list[Place]:
        """Return the places from the box of a source to the box of the target."""
        places = [box, self.starts[source]]
        while places[-1] in self.onward:
            places.append(self.onward[places[-1]])
        return places


@dataclass(slots=True)
class _Grounds:
    columns: int
    rows: int
    boxes: Mapping[Place, str]
    calm: bool  # few enough lines to keep out of each other's way
    users: dict[Step, dict[Net, int]] = field(default_factory=dict)

    def others(self, one: Place, other: Place, net: Net) -> int:
        """Count the other nets between two neighbouring places."""
        users = self.users.get((one, other) if one < other else (other, one))
        return 0 if not users else len(users) - (net in users)

    def note(self, places: Sequence[Place], net: Net, by: int) -> None:
        for one, other in pairwise(places):
            users = self.users.setdefault((one, other) if one < other else (other, one), {})
            users[net] = users.get(net, 0) + by
            if users[net] <= 0:
                del users[net]

    def cost(self, one: Place, other: Place, net: Net) -> int:
        length = _ALONG if one[1] == other[1] else _DOWN
        beside_box = one in self.boxes or other in self.boxes
        if not self.calm:
            return length
        return length + self.others(one, other, net) * (_CROWD * 3 if beside_box else _CROWD)

    def crossed(self, place: Place, across: int, net: Net) -> int:
        """Count the nets that pass a place at right angles to a way along axis `across` (0: x, 1: y)."""
        if not self.calm:
            return 0
        x, y = place
        before, after = ((x, y - 1), (x, y + 1)) if across == 0 else ((x - 1, y), (x + 1, y))
        return min(self.others(before, place, net), self.others(place, after, net))


def place_of(cell: Cell) -> Place:
    """Return the place that the box in a cell fills."""
    return 2 * cell[0] + 1, 2 * cell[1] + 1


def routes(links: Sequence[Link], cells: Mapping[str, Cell], columns: int, rows: int) -> dict[Net, Routed]:
    """Return the ways of every net. Lines in the plain order of the flow and short ones choose first."""
    boxes = {place_of(cell): name for name, cell in cells.items()}
    sheet = _Grounds(columns, rows, boxes, len(links) <= _CALM)
    nets: dict[Net, list[Link]] = {}
    for link in sorted(links, key=lambda link: (_RANK[link.net.manner], _far(link, cells))):
        nets.setdefault(link.net, []).append(link)
    found: dict[Net, Routed] = {}
    for again in range(3 if sheet.calm else 1):
        for net, members in nets.items():
            if again:
                for link in members:
                    sheet.note(found[net].way(place_of(cells[link.source]), link.source), net, -1)
            found[net] = Routed(net)
            for link in members:
                _lay(sheet, found[net], link, cells)
    return found


_RANK = {"on": 0, "back": 1, "aside": 2}


def _far(link: Link, cells: Mapping[str, Cell]) -> int:
    (x, y), (u, v) = cells[link.source], cells[link.target]
    return abs(x - u) * 2 + abs(y - v)


def _lay(sheet: _Grounds, routed: Routed, link: Link, cells: Mapping[str, Cell]) -> None:
    start, goal = place_of(cells[link.source]), place_of(cells[link.target])
    places = _cheapest(sheet, routed, start, goal)
    routed.starts[link.source] = places[1]
    for one, other in pairwise(places[1:]):
        routed.onward.setdefault(one, other)
    sheet.note(routed.way(start, link.source), routed.net, 1)


def _cheapest(sheet: _Grounds, routed: Routed, start: Place, goal: Place) -> list[Place]:
    """Return the cheapest way from a box to another, or to where the net's own line is met (A* over place and axis)."""
    queue: list[tuple[int, int, Place, int]] = [(0, 0, start, -1)]
    before: dict[tuple[Place, int], tuple[Place, int] | None] = {(start, -1): None}
    best: dict[tuple[Place, int], int] = {(start, -1): 0}
    while queue:
        _, spent, place, axis = heappop(queue)
        if best[place, axis] < spent:
            continue
        if place == goal or (place in routed.onward and place != start):
            return _unwound(before, (place, axis))
        for following, turned in _next(sheet, place):
            if following in sheet.boxes and following != goal:
                continue
            cost = spent + sheet.cost(place, following, routed.net)
            if axis not in (-1, turned):
                cost += _BEND
            elif axis == turned:
                cost += _CROSSING * sheet.crossed(place, turned, routed.net)
            onward = routed.onward.get(following)
            if onward is not None and (onward[1 - turned] != following[1 - turned] or onward == place):
                cost += _BEND
            key = (following, turned)
            if cost < best.get(key, cost + 1):
                best[key] = cost
                before[key] = (place, axis)
                # Joining its own line ends a way early, so nothing further may be counted on.
                ahead = (
                    0
                    if routed.onward and sheet.calm
                    else (abs(following[0] - goal[0]) + abs(following[1] - goal[1])) * _DOWN
                )
                heappush(queue, (cost + ahead, cost, following, turned))
    raise ValueError("no way between two states")  # the outer channels go round everything


def _next(sheet: _Grounds, place: Place) -> Iterator[tuple[Place, int]]:
    for index, (x, y) in enumerate(_STEPS):
        following = (place[0] + x, place[1] + y)
        if 0 <= following[0] <= 2 * sheet.columns and 0 <= following[1] <= 2 * sheet.rows:
            yield following, index % 2


def _unwound(before: Mapping[tuple[Place, int], tuple[Place, int] | None], last: tuple[Place, int]) -> list[Place]:
    places = []
    at: tuple[Place, int] | None = last
    while at is not None:
        places.append(at[0])
        at = before[at]
    return places[::-1]

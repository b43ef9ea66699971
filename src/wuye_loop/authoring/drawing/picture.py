"""A measured drawing as SVG: lanes, headings, lines with their arrowheads, boxes with their words, numbers."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from wuye_loop.authoring.drawing.grid import Grid, Manner, Net
from wuye_loop.authoring.drawing.layout import BOX_W, Box, Layout, Point, Wire
from wuye_loop.authoring.drawing.moves import entries
from wuye_loop.authoring.drawing.svg import INK, RULE, circle, safe, words, wrapped
from wuye_loop.authoring.drawing.svg import width as breadth
from wuye_loop.authoring.drawing.words import RANGE, FlowWords, Marked
from wuye_loop.domain.terms import Tally

LANE_W: Final = 104
HEADING_H: Final = 34
TITLE, SMALL = 13.5, 11
_TITLE_LINE, _SMALL_LINE = 17, 15
COLOURS: Final[Mapping[Manner, str]] = {"on": "#17324d", "back": "#a8430f", "aside": "#6b7280"}
BREADTHS: Final[Mapping[Manner, float]] = {"on": 1.8, "back": 1.4, "aside": 1.1}
LATE: Final = "#b3261e"
_ENDED, _PARKED = "#e6e9ec", "#f4f5f6"
_PALE, _FULL = (0xF1, 0xF7, 0xFD), (0x8F, 0xBB, 0xE8)
_BEND, _HEAD_L, _HEAD_W = 6.0, 9.0, 4.2
_MOST_CLOCKS = 3  # written out in a box; of more only the letters are shown


class Boxes:
    """What is written in the boxes of a flow, and how full each is of grievances today."""

    def __init__(self, words: FlowWords, tallies: Mapping[str, Tally] | None = None) -> None:
        self.flow = flow = words.flow
        self._entries = entries(words.workflow, flow)
        self.tallies = tallies
        self._most = max((tally.open for tally in (tallies or {}).values()), default=0)
        self.titles = {name: self._title(name) for name in flow.states}
        self.clocks = {name: _limits(words.running([name])) for name in flow.states}

    def _title(self, name: str) -> list[str]:
        state = self.flow.states[name]
        marked = state.final or name in self._entries
        return wrapped(state.title, BOX_W - (54 if marked else 16), TITLE)

    def height(self, name: str) -> float:
        """Return how high a box must be for its words."""
        live = _SMALL_LINE + 3 if self.tallies is not None and not self.flow.states[name].final else 0
        return len(self.titles[name]) * _TITLE_LINE + len(self.clocks[name]) * _SMALL_LINE + live + 16

    def drawn(self, name: str, box: Box) -> Iterator[str]:
        """Draw a box: thick and grey for an ended state, dashed for a parked one, the deeper blue the fuller."""
        state = self.flow.states[name]
        tally = (self.tallies or {}).get(name, Tally(0, 0))
        fill = (
            _ENDED
            if state.final
            else self._shade(tally)
            if self.tallies is not None
            else _PARKED
            if state.parked
            else "#ffffff"
        )
        edge = ' stroke-width="2.6"' if state.final else ' stroke-dasharray="4 3"' if state.parked else ""
        yield f'<g role="graphics-symbol img"><title>{safe(self._said(name, tally))}</title>'
        yield (
            f'<rect class="state" x="{box.x:.1f}" y="{box.y:.1f}" width="{box.w:g}" height="{box.h:.1f}" rx="6" '
            f'fill="{fill}" stroke="{INK}"{edge}/>'
        )
        if state.final or name in self._entries:
            yield f'<circle class="mark" cx="{box.x + 15:.1f}" cy="{box.y + 15:.1f}" r="9" fill="{INK}"/>'
            yield words("终" if state.final else "起", box.x + 15, box.y + 19, 11, fill="#ffffff", middle=True)
        live = self.tallies is not None and not state.final
        used = self.height(name) - 16
        y = box.y + (box.h - used) / 2
        middle = box.x + box.w / 2
        for line in self.titles[name]:
            y += _TITLE_LINE
            yield words(line, middle, y - 4, TITLE, bold=True, middle=True)
        for line in self.clocks[name]:
            y += _SMALL_LINE
            yield words(line, middle, y - 4, SMALL, fill="#52606d", middle=True)
        if live:
            late = f'　<tspan fill="{LATE}">逾期 {tally.overdue}</tspan>' if tally.overdue else ""
            yield (
                f'<text class="live" x="{middle:.1f}" y="{y + _SMALL_LINE:.1f}" font-weight="bold" '
                f'text-anchor="middle">{tally.open} 件{late}</text>'
            )
        yield "</g>"

    def _said(self, name: str, tally: Tally) -> str:
        state = self.flow.states[name]
        begun = "、".join(self._entries.get(name, ())) if len(self._entries) > 1 else ""
        start = f"，起点（{begun}）" if begun else "，起点" if name in self._entries else ""
        kind = "，办结" if state.final else start
        clocks = f"；时限 {'、'.join(self.clocks[name])}" if self.clocks[name] else ""
        live = (
            f"；在办 {tally.open} 件，逾期 {tally.overdue} 件" if self.tallies is not None and not state.final else ""
        )
        return f"状态 {state.title}{kind}{clocks}{live}"

    def _shade(self, tally: Tally) -> str:
        if not tally.open:
            return "#ffffff"
        part = tally.open / self._most
        return "#" + "".join(
            f"{round(pale + (full - pale) * part):02x}" for pale, full in zip(_PALE, _FULL, strict=True)
        )


def _limits(running: Sequence[Marked]) -> list[str]:
    """Write each clock with the range of its limits; a range that is too wide goes on in a second line."""
    if len(running) > _MOST_CLOCKS:
        return wrapped(f"时限 {' '.join(clock.letter for clock in running)}（见下）", BOX_W - 12, SMALL)
    lines: list[str] = []
    for clock in running:
        said = f"{clock.letter} {clock.usual}"
        head, to, rest = said.partition(RANGE)
        if to and breadth(said, SMALL) > BOX_W - 12:
            lines += [f"{head}{to}".rstrip(), rest]
        else:
            lines += wrapped(said, BOX_W - 12, SMALL, 2)
    return lines


def heights(grid: Grid, boxes: Boxes) -> list[float]:
    """Return how high each row must be for the words of its boxes."""
    found = [40.0] * grid.rows
    for name, (_, row) in grid.cells.items():
        found[row] = max(found[row], boxes.height(name))
    return found


def picture(grid: Grid, drawing: Layout, boxes: Boxes) -> Iterator[str]:
    """Draw lanes and headings, then lines, then boxes, and the numbers on top."""
    yield from _ground(grid, drawing)
    nets: dict[Net, list[Wire]] = {}
    for wire in sorted(drawing.wires, key=lambda wire: -_ORDER[wire.link.net.manner]):
        nets.setdefault(wire.link.net, []).append(wire)
    for net, lines in nets.items():
        ways = [_path(wire.points) for wire in lines]
        yield f'<path d="{" ".join(ways)}" fill="none" stroke="#ffffff" stroke-width="4.6"/>'
        dash = ' stroke-dasharray="6 4"' if net.automatic else ""
        style = f'stroke="{COLOURS[net.manner]}" stroke-width="{BREADTHS[net.manner]}"{dash}'
        for way, wire in zip(ways, lines, strict=True):
            names = "、".join(move.title for move in (*wire.link.moves, *wire.link.returning))
            yield f'<path class="wire" d="{way}" fill="none" {style}><title>{safe(names)}</title></path>'
        for wire in lines:
            yield head(wire.points[-1], wire.points[-2], COLOURS[net.manner], hollow=net.manner == "back")
            if wire.link.returning:
                yield head(wire.points[0], wire.points[1], COLOURS[net.manner], hollow=True)
    for name in boxes.flow.states:  # in the order of the file, which is the order in which they are read aloud
        yield from boxes.drawn(name, drawing.boxes[name])
    for number in drawing.numbers:
        mark = circle(str(number.move.number), number.x, number.y, dashed=number.move.automatic)
        yield f'<g class="number">{mark}</g>'


_ORDER: Final = {"on": 0, "back": 1, "aside": 2}


def _ground(grid: Grid, drawing: Layout) -> Iterator[str]:
    if not any(grid.columns):
        return
    left, top = drawing.columns[0][0], drawing.lanes[0][0]
    for n, (title, (x, width)) in enumerate(zip(grid.columns, drawing.columns, strict=True)):
        yield f'<rect x="{x:.1f}" y="{top - HEADING_H:.1f}" width="{width:.1f}" height="{HEADING_H - 6}" fill="#e3e9ef"/>'
        yield words(title, x + width / 2, top - 15, 15, bold=True, middle=True)
        if n:
            yield f'<path d="M{x:.1f} {top - HEADING_H:.1f}V{drawing.height:.1f}" stroke="#ffffff" stroke-width="3"/>'
            yield f'<path d="M{x:.1f} {top - 6:.1f}V{drawing.height:.1f}" stroke="{RULE}" stroke-width="0.7" stroke-dasharray="1 4"/>'
    for lane, (y, height) in zip(grid.lanes, drawing.lanes, strict=True):
        x = left - LANE_W
        yield f'<rect x="{x:.1f}" y="{y + 1:.1f}" width="{LANE_W - 8}" height="{height - 2:.1f}" fill="#eef1f4"/>'
        yield f'<path d="M{x:.1f} {y:.1f}H{drawing.width:.1f}" stroke="{RULE}"/>'
        lines = wrapped(lane.title, LANE_W - 24, 13)
        first = y + height / 2 - (len(lines) - 1) * 9 + 5
        yield from (
            words(line, x + LANE_W / 2 - 4, first + n * 18, 13, bold=True, middle=True) for n, line in enumerate(lines)
        )
    yield f'<path d="M{left - LANE_W:.1f} {drawing.height:.1f}H{drawing.width:.1f}" stroke="{RULE}"/>'


def _path(points: Sequence[Point]) -> str:
    """Return a path through corners that are rounded, so that one sees which way a joining line turns."""
    said = [f"M{points[0][0]:.1f} {points[0][1]:.1f}"]
    for before, corner, after in zip(points, points[1:], points[2:], strict=False):
        (x, y), (u, v) = _towards(corner, before), _towards(corner, after)
        said.append(f"L{x:.1f} {y:.1f}Q{corner[0]:.1f} {corner[1]:.1f} {u:.1f} {v:.1f}")
    return "".join([*said, f"L{points[-1][0]:.1f} {points[-1][1]:.1f}"])


def _towards(corner: Point, other: Point) -> Point:
    length = abs(other[0] - corner[0]) + abs(other[1] - corner[1])
    part = min(_BEND, length / 2) / length if length else 0
    return corner[0] + (other[0] - corner[0]) * part, corner[1] + (other[1] - corner[1]) * part


def head(tip: Point, before: Point, colour: str, *, hollow: bool) -> str:
    """Draw an arrowhead at `tip`, coming from `before`."""
    dx, dy = ((tip[n] > before[n]) - (tip[n] < before[n]) for n in (0, 1))
    x, y = tip[0] - dx * _HEAD_L, tip[1] - dy * _HEAD_L
    one, other = (x + dy * _HEAD_W, y + dx * _HEAD_W), (x - dy * _HEAD_W, y - dx * _HEAD_W)
    points = " ".join(f"{px:.1f},{py:.1f}" for px, py in (tip, one, other))
    return f'<polygon points="{points}" fill="{"#ffffff" if hollow else colour}" stroke="{colour}" stroke-width="1.2"/>'

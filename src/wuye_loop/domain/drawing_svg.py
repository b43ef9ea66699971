"""Draws the main flow as swim lanes in SVG: a column for each stage, a lane for each role, numbered arrows, a table."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from html import escape

from wuye_loop.domain.drawing import Edge, edges
from wuye_loop.domain.terms import Stage
from wuye_loop.domain.workflow import State, Workflow

_LEFT, _TOP = 130, 84  # the lanes' titles, the stages' titles
_BOX_W, _BOX_H = 112, 40
_GAP_X, _GAP_Y = 78, 34
_ROW = 20
_TABLE_COLUMNS = 2
_FONT = "'Noto Sans CJK SC','Microsoft YaHei','PingFang SC','WenQuanYi Micro Hei',sans-serif"
_INK, _LINE, _SOFT, _BACKGROUND, _ENDED, _PARKED = "#1f2933", "#52606d", "#d9e2ec", "#f5f7fa", "#dff3e4", "#fff4d6"
_NOBODY = "（已结束）"
_HUES = ("#2563a8", "#a3541b", "#2f7d4f", "#7a3e9d", "#b0304f", "#4d6b0f", "#0f6f7d", "#8a5a00")


@dataclass(frozen=True, slots=True)
class _Box:
    x: int
    y: int
    state: State

    @property
    def middle(self) -> int:
        return self.x + _BOX_W // 2


@dataclass(frozen=True, slots=True)
class _Arrow:
    number: int
    source: str
    target: str
    labels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Plan:
    """Where everything stands: columns by stage, lanes by role, boxes by state."""

    columns: tuple[tuple[Stage, int, int], ...]
    lanes: tuple[tuple[str, int, int], ...]
    boxes: Mapping[str, _Box]
    width: int
    bottom: int
    ports: Mapping[tuple[int, int], float]


def svg(workflow: Workflow) -> str:
    """Return the drawing as SVG text, with the list of actions under it; the same text for the same workflow."""
    arrows = _arrows(edges(workflow, workflow))
    plan = _planned(workflow)
    plan = replace(plan, ports=_ports(arrows, plan))
    rows = -(-len(arrows) // _TABLE_COLUMNS)
    height = plan.bottom + 30 + rows * _ROW + 16
    title = f"{workflow.title}　{workflow.id}"
    size = f'viewBox="0 0 {plan.width} {height}" width="{plan.width}" height="{height}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="{_FONT}" font-size="13" fill="{_INK}">',
        f"<title>{escape(title)}</title>",
        "<defs>" + "".join(_head(index, hue) for index, hue in enumerate(_HUES)) + "</defs>",
        f'<rect width="{plan.width}" height="{height}" fill="#ffffff"/>',
        f'<text x="16" y="28" font-size="18" font-weight="bold">{escape(title)}</text>',
        *_grid(plan),
        *(part for arrow in arrows for part in _drawn(arrow, plan)),
        *(_drawn_box(box) for box in plan.boxes.values()),
        *(_badge(arrow, plan) for arrow in arrows),
        *_table(arrows, plan),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _head(index: int, hue: str) -> str:
    return (
        f'<marker id="head{index}" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
        f'<path d="M0 0 8 4 0 8z" fill="{hue}"/></marker>'
    )


def _planned(workflow: Workflow) -> _Plan:
    """Give each stage a column as wide as its fullest cell, and each role that holds a state a lane."""
    holders = list(dict.fromkeys(state.holder or "" for state in workflow.states.values()))
    cells: dict[tuple[str, Stage], list[str]] = {}
    for name, state in workflow.states.items():
        cells.setdefault((state.holder or "", state.stage or Stage.HANDLE), []).append(name)
    lane_h = {holder: max(len(names) for (who, _), names in cells.items() if who == holder) for holder in holders}
    columns, lanes, boxes = [], [], {}
    x = _LEFT
    for stage in Stage:
        columns.append((stage, x, _BOX_W + _GAP_X))
        x += _BOX_W + _GAP_X
    y = _TOP
    for holder in holders:
        height = lane_h[holder] * (_BOX_H + _GAP_Y) + _GAP_Y
        role = workflow.roles.get(holder)
        lanes.append((role.title if role is not None else _NOBODY, y, height))
        for stage, left, _ in columns:
            for place, name in enumerate(cells.get((holder, stage), ())):
                top = y + _GAP_Y + place * (_BOX_H + _GAP_Y)
                boxes[name] = _Box(left + _GAP_X // 2, top, workflow.states[name])
        y += height
    return _Plan(tuple(columns), tuple(lanes), boxes, x + 16, y, {})


def _arrows(moves: Sequence[Edge]) -> list[_Arrow]:
    """Return the arrows with their numbers; actions between the same two states share one."""
    found: dict[tuple[str, str], list[str]] = {}
    for move in moves:
        label = f"{move.title}（{'、'.join(move.by)}）" + (f"［{move.when}］" if move.when else "")
        labels = found.setdefault((move.source, move.target), [])
        if label not in labels:
            labels.append(label)
    return [_Arrow(n, *ends, tuple(labels)) for n, (ends, labels) in enumerate(found.items(), start=1)]


def _grid(plan: _Plan) -> list[str]:
    parts = []
    for index, (stage, x, width) in enumerate(plan.columns):
        fill = _BACKGROUND if index % 2 == 0 else "#ffffff"
        parts.append(
            f'<rect x="{x}" y="{_TOP - 34}" width="{width}" height="{plan.bottom - _TOP + 34}" fill="{fill}"/>'
        )
        parts.append(
            f'<text x="{x + width // 2}" y="{_TOP - 12}" text-anchor="middle" font-weight="bold">{stage.chinese}</text>'
        )
    for title, y, height in plan.lanes:
        parts.append(f'<path d="M16 {y}H{plan.width - 16}" stroke="{_SOFT}"/>')
        middle = y + height // 2
        lines = [title[start : start + 8] for start in range(0, len(title), 8)]
        first = middle - (len(lines) - 1) * 9 + 5
        parts += [f'<text x="20" y="{first + n * 18}">{escape(line)}</text>' for n, line in enumerate(lines)]
    parts.append(f'<path d="M16 {plan.bottom}H{plan.width - 16}" stroke="{_SOFT}"/>')
    return parts


def _drawn_box(box: _Box) -> str:
    fill = _ENDED if box.state.final else _PARKED if box.state.parked else "#ffffff"
    stroke = 2 if box.state.final else 1
    return (
        f'<rect x="{box.x}" y="{box.y}" width="{_BOX_W}" height="{_BOX_H}" rx="7" fill="{fill}" stroke="{_LINE}" '
        f'stroke-width="{stroke}"/>'
        f'<text x="{box.middle}" y="{box.y + _BOX_H // 2 + 5}" text-anchor="middle">{escape(box.state.title)}</text>'
    )


def _sides(arrow: _Arrow, plan: _Plan) -> tuple[str, str]:
    """Say on which side of its boxes an arrow leaves and arrives: along a column, down on the left and up on the right."""
    one, other = plan.boxes[arrow.source], plan.boxes[arrow.target]
    if one.x == other.x:
        return ("left", "left") if one.y < other.y else ("right", "right")
    return ("right", "left") if one.x < other.x else ("left", "right")


def _ports(arrows: Sequence[_Arrow], plan: _Plan) -> dict[tuple[int, int], float]:
    """Spread the ends of arrows over each side of a box, in the order of what they lead to; by arrow and end (0, 1)."""
    ends: dict[tuple[str, str], list[tuple[int, int, int, int]]] = {}
    for arrow in arrows:
        sides = _sides(arrow, plan)
        for end, (state, far) in enumerate(((arrow.source, arrow.target), (arrow.target, arrow.source))):
            box = plan.boxes[far]
            ends.setdefault((state, sides[end]), []).append((box.y, box.x, arrow.number, end))
    ports: dict[tuple[int, int], float] = {}
    for (state, _), those in ends.items():
        for place, (_, _, number, end) in enumerate(sorted(those), start=1):
            ports[number, end] = plan.boxes[state].y + _BOX_H * place / (len(those) + 1)
    return ports


def _curve(arrow: _Arrow, plan: _Plan) -> tuple[tuple[float, float], ...]:
    """Return the four points of a cubic curve from side to side; one that passes over a box is lifted off it."""
    one, other = plan.boxes[arrow.source], plan.boxes[arrow.target]
    y1, y2 = plan.ports[arrow.number, 0], plan.ports[arrow.number, 1]
    sides = _sides(arrow, plan)
    if one.x == other.x:
        edge, out = (one.x, -1) if sides[0] == "left" else (one.x + _BOX_W, 1)
        reach = edge + out * (26 + 6 * (arrow.number % 4))
        return (edge, y1), (reach, y1), (reach, y2), (edge, y2)
    right = sides[0] == "right"
    start, end = (one.x + _BOX_W, other.x) if right else (one.x, other.x + _BOX_W)
    pull = max(36.0, abs(end - start) / 2) * (1 if right else -1)
    lift = 0 if abs(end - start) <= _GAP_X + 4 or one.y != other.y else (-46 if right else 46)
    return (start, y1), (start + pull, y1 + lift), (end - pull, y2 + lift), (end, y2)


def _drawn(arrow: _Arrow, plan: _Plan) -> list[str]:
    (x1, y1), (x2, y2), (x3, y3), (x4, y4) = _curve(arrow, plan)
    hue = (arrow.number - 1) % len(_HUES)
    d = f"M{x1:g} {y1:g}C{x2:g} {y2:g} {x3:g} {y3:g} {x4:g} {y4:g}"
    return [f'<path d="{d}" fill="none" stroke="{_HUES[hue]}" stroke-width="1.3" marker-end="url(#head{hue})"/>']


def _badge(arrow: _Arrow, plan: _Plan) -> str:
    """Put the number on the curve, a little nearer to where it comes from; numbers of one pair do not cover each other."""
    t = 0.26 + 0.09 * (arrow.number % 4)
    points = _curve(arrow, plan)
    weights = ((1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3)
    x = sum(weight * point[0] for weight, point in zip(weights, points, strict=True))
    y = sum(weight * point[1] for weight, point in zip(weights, points, strict=True))
    hue = _HUES[(arrow.number - 1) % len(_HUES)]
    return (
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="8.5" fill="#ffffff" stroke="{hue}"/>'
        f'<text x="{x:.1f}" y="{y + 3.6:.1f}" font-size="10" text-anchor="middle" fill="{hue}">{arrow.number}</text>'
    )


def _table(arrows: Sequence[_Arrow], plan: _Plan) -> list[str]:
    rows = -(-len(arrows) // _TABLE_COLUMNS)
    width = (plan.width - 32) // _TABLE_COLUMNS
    parts = []
    for index, arrow in enumerate(arrows):
        x, y = 16 + index // rows * width, plan.bottom + 30 + index % rows * _ROW
        ends = f"{plan.boxes[arrow.source].state.title} → {plan.boxes[arrow.target].state.title}"
        words = f"{arrow.number}. {ends}：{'；'.join(arrow.labels)}"
        parts.append(f'<text x="{x}" y="{y}" font-size="12">{escape(_cut(words, width - 24))}</text>')
    return parts


def _cut(words: str, width: int) -> str:
    """Cut a line to a width in pixels, at 12 for a Chinese character and 7 for any other."""
    room = width
    for place, sign in enumerate(words):
        room -= 7 if sign.isascii() else 12
        if room < 0:
            return words[: place - 1] + "…"
    return words

"""The sheet that hangs on the wall: the swim lanes of a workflow, its tables, then every kind of task, as one SVG."""

from collections.abc import Iterator, Sequence
from typing import Final

from wuye_loop.domain.drawing_grid import Grid, main_grid, task_grid
from wuye_loop.domain.drawing_layout import Layout, layout
from wuye_loop.domain.drawing_links import links
from wuye_loop.domain.drawing_moves import Move, Today, moves, rest_stays, stays
from wuye_loop.domain.drawing_picture import BREADTHS, COLOURS, HEADING_H, LANE_W, Boxes, head, heights, picture
from wuye_loop.domain.drawing_table import INK, Column, Drawn, circle, table, words
from wuye_loop.domain.drawing_text import safe, wrapped
from wuye_loop.domain.drawing_words import (
    Marked,
    actors,
    ends,
    ladder,
    lettered,
    limits,
    opening,
    restraints,
    role_words,
    triggers,
    usual_limit,
)
from wuye_loop.domain.workflow import Flow, TaskKind, Workflow

WIDTH: Final = 1600
_MARGIN: Final = 24
_ROOM: Final = WIDTH - 2 * _MARGIN
_LEAST_TABLE: Final = 760
_FONT: Final = "'Noto Sans CJK SC','Source Han Sans SC','Microsoft YaHei','PingFang SC','WenQuanYi Micro Hei',sans-serif"
_MOVES: Final = (
    Column("号", 44, numbered=True), Column("动作", 128), Column("从 → 到", 320), Column("谁办", 190),
    Column("条件与限制", 370), Column("所在状态的时限", 210), Column("系统何时自动办", 230),
)  # fmt: skip
_CLOCKS: Final = (
    Column("时限", 150), Column("计时的状态", 250), Column("限期", 470), Column("到期前后系统做什么", 640),
)  # fmt: skip
_ROLES: Final = (Column("角色", 240), Column("是谁", 420), Column("持有的状态", 420), Column("能办的动作", 720))


class _Sheet:
    """The page as it grows downwards."""

    def __init__(self) -> None:
        self.parts: list[str] = []
        self.y: float = _MARGIN

    def add(self, drawn: Drawn, gap: float = 18) -> None:
        self.parts += drawn.parts
        self.y += drawn.height + (gap if drawn.height else 0)

    def heading(self, text: str) -> None:
        self.parts.append(f'<g role="heading" aria-level="2">{words(text, _MARGIN, self.y + 16, 16, bold=True)}</g>')
        self.y += 28


def svg(workflow: Workflow, today: Today | None = None) -> str:
    """Return the sheet as SVG text, coloured with today's counts if there are any; the same text for the same input."""
    made = moves(workflow, workflow)
    clocks = lettered(workflow)
    sheet = _Sheet()
    _header(sheet, workflow, today)
    boxes = Boxes(workflow, workflow, clocks, today.tallies if today is not None else None)
    _, part = _drawn(workflow, made, main_grid(workflow), boxes, sheet.y)
    sheet.add(part, 22)
    sheet.heading("动作：图上的号")
    sheet.add(_move_table(workflow, workflow, made, clocks, _MARGIN, sheet.y, _ROOM))
    sheet.heading("时限：图上的字母")
    sheet.add(table(_CLOCKS, _clock_rows(workflow, workflow, clocks), _MARGIN, sheet.y, _ROOM))
    number, letter = len(made) + 1, len(clocks)
    for kind in workflow.tasks.values():
        number, letter = _task(sheet, workflow, kind, number, letter)
    sheet.heading("角色")
    sheet.add(table(_ROLES, _role_rows(workflow), _MARGIN, sheet.y, _ROOM))
    return _document(workflow, today, sheet)


def main_drawing(workflow: Workflow, today: Today | None = None) -> Layout:
    """Return the measured drawing of the main flow, as it stands at the top left of a page of its own."""
    boxes = Boxes(workflow, workflow, lettered(workflow), today.tallies if today is not None else None)
    return _drawn(workflow, moves(workflow, workflow), main_grid(workflow), boxes, 0)[0]


def task_drawing(workflow: Workflow, kind: TaskKind) -> Layout:
    """Return the measured drawing of a kind of task."""
    made = moves(workflow, kind)
    return _drawn(kind, made, task_grid(kind, made), Boxes(workflow, kind, lettered(kind), None), 0)[0]


def _drawn(flow: Flow, made: Sequence[Move], grid: Grid, boxes: Boxes, y: float) -> tuple[Layout, Drawn]:
    """Measure and draw a flow with its top at y; one that is wider than the page is made smaller."""
    laned = any(grid.columns)
    left, top = (_MARGIN + LANE_W, y + HEADING_H) if laned else (_MARGIN, y)
    wide = WIDTH - _MARGIN if laned else 0
    drawing = layout(grid, links(flow, made, grid.cells), heights(grid, boxes), left, top, wide)
    parts = tuple(picture(grid, drawing, boxes))
    scale = _ROOM / (drawing.width - _MARGIN)
    if scale >= 1:
        return drawing, Drawn(parts, drawing.height - y)
    shift = f"translate({_MARGIN * (1 - scale):.2f} {y * (1 - scale):.2f}) scale({scale:.4f})"
    return drawing, Drawn((f'<g transform="{shift}">', *parts, "</g>"), (drawing.height - y) * scale)


def _task(sheet: _Sheet, workflow: Workflow, kind: TaskKind, number: int, letter: int) -> tuple[int, int]:
    """Draw a kind of task with its tables beside it, or under it where there is no room; return the next number, letter."""
    made, clocks = moves(workflow, kind, number), lettered(kind, letter)
    sheet.heading(f"任务：{kind.title}")
    for line in wrapped(opening(workflow, kind), _ROOM, 12.5):
        sheet.parts.append(words(line, _MARGIN, sheet.y + 6, 12.5))
        sheet.y += 19
    drawing, part = _drawn(kind, made, task_grid(kind, made), Boxes(workflow, kind, clocks, None), sheet.y + 4)
    beside = drawing.width + 20 + _LEAST_TABLE <= WIDTH - _MARGIN
    if not beside:
        sheet.add(part, 14)
    x, width = (drawing.width + 20, WIDTH - _MARGIN - drawing.width - 20) if beside else (_MARGIN, _ROOM)
    first = _move_table(workflow, kind, made, clocks, x, sheet.y, width)
    second = table(_CLOCKS, _clock_rows(workflow, kind, clocks), x, sheet.y + first.height + 10, width)
    height = first.height + (second.height + 10 if second.height else 0)
    sheet.add(Drawn((*(part.parts if beside else ()), *first.parts, *second.parts), max(height, part.height * beside)), 24)
    return number + len(made), letter + len(clocks)


def _move_table(
    workflow: Workflow, flow: Flow, made: Sequence[Move], clocks: Sequence[Marked], x: float, y: float, width: float
) -> Drawn:
    rows: list[tuple[str, ...]] = []
    for move in made:
        spec = flow.actions[move.action]
        said = restraints(workflow, flow, spec, move.when)
        if rest_stays(spec):
            said.append("其余情形留在原状态")
        auto = triggers(workflow, flow, move.action, clocks) if move.automatic else []
        running = [clock for clock in clocks if set(move.sources) & set(clock.spec.during)]
        rows.append(
            (
                str(move.number), move.title, ends(flow, move), actors(workflow, move.by), "；".join(said),
                "；".join(f"{clock.letter} {usual_limit(workflow, clock.spec)}" for clock in running), "；".join(auto),
            )
        )  # fmt: skip
    for name in stays(flow, list(made)):
        spec = flow.actions[name]
        where = "、".join(flow.states[state].title for state in spec.from_)
        auto = triggers(workflow, flow, name, clocks)
        said = restraints(workflow, flow, spec)
        rows.append(("", spec.title, f"{where}（状态不变）", actors(workflow, spec.by), "；".join(said), "", "；".join(auto)))
    used = [n for n in range(len(_MOVES)) if n < 4 or any(row[n] for row in rows)]
    return table([_MOVES[n] for n in used], [[row[n] for n in used] for row in rows], x, y, width)


def _clock_rows(workflow: Workflow, flow: Flow, clocks: Sequence[Marked]) -> list[tuple[str, ...]]:
    rows = []
    for clock in clocks:
        spec = clock.spec
        during, paused = ("、".join(flow.states[name].title for name in names) for names in (spec.during, spec.paused))
        where = during + (f"（暂停：{paused}）" if paused else "")
        rows.append(
            (f"{clock.letter} {spec.title}", where, limits(workflow, spec), ladder(workflow, flow, spec))
        )
    return rows


def _role_rows(workflow: Workflow) -> Iterator[tuple[str, ...]]:
    for name, role in workflow.roles.items():
        held = "、".join(state.title for state in workflow.states.values() if state.holder == name)
        steps = [*workflow.actions.values(), *(kind.open for kind in workflow.tasks.values())]
        can = "、".join(dict.fromkeys(step.title for step in steps if name in step.by))
        yield role.title, role_words(workflow, role), held, can


def _header(sheet: _Sheet, workflow: Workflow, today: Today | None) -> None:
    sheet.parts.append(words(workflow.title, _MARGIN, sheet.y + 20, 24, bold=True))
    live = f"　{today.when}在办 {sum(t.open for t in today.tallies.values())} 件，其中逾期 {sum(t.overdue for t in today.tallies.values())} 件" if today else ""
    sheet.parts.append(words(f"流程 {workflow.id}{live}", _MARGIN, sheet.y + 44, 13, fill="#52606d"))
    _legend(sheet, sheet.y + 44)
    sheet.y += 62


def _legend(sheet: _Sheet, y: float) -> None:
    """Say what the signs mean, from the right edge leftwards."""
    x = float(WIDTH - _MARGIN)
    for sign, said in (
        (circle("8", 12, 0, dashed=True), "系统也会自动办"),
        (circle("8", 12, 0), "动作的号，写在出发处"),
        (_sample("on", dashed=True), "只由系统办"),
        (_sample("aside"), "搁置，可返回"),
        (_sample("back"), "退回、重办"),
        (_sample("on"), "往前办"),
    ):
        x -= len(said) * 12 + 44
        sheet.parts.append(f'<g transform="translate({x:g} {y - 4:g})">{sign}</g>{words(said, x + 30, y)}')


def _sample(manner: str, *, dashed: bool = False) -> str:
    dash = ' stroke-dasharray="6 4"' if dashed else ""
    colour = COLOURS[manner]  # type: ignore[index]
    line = f'<path d="M0 0H24" stroke="{colour}" stroke-width="{BREADTHS[manner]}"{dash}/>'  # type: ignore[index]
    return line + head((25, 0), (0, 0), colour, hollow=manner == "back")


def _document(workflow: Workflow, today: Today | None, sheet: _Sheet) -> str:
    height = round(sheet.y + _MARGIN)
    title = f"{workflow.title}　{workflow.id}"
    states = "、".join(state.title for state in workflow.states.values())
    told = f"泳道图：{len(workflow.states)} 个状态（{states}），{len(workflow.actions)} 个动作；图下的表写明每个动作。"
    live = f"{today.when}的在办件数写在各状态里。" if today is not None else ""
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" '
            f'role="graphics-document document" aria-labelledby="title desc" lang="zh-CN" font-family="{_FONT}" '
            f'font-size="12" fill="{INK}">',
            f'<title id="title">{safe(title)}</title>',
            f'<desc id="desc">{safe(told + live)}</desc>',
            f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
            *sheet.parts,
            "</svg>",
            "",
        ]
    )

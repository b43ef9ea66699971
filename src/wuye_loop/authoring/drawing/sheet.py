"""The sheet that hangs on the wall: the swim lanes of a workflow, its tables, then every kind of task, as one SVG."""

from collections.abc import Sequence
from typing import Final

from wuye_loop.authoring.drawing.annexes import annexes
from wuye_loop.authoring.drawing.grid import Grid, Manner, links, main_grid, task_grid
from wuye_loop.authoring.drawing.layout import Layout, layout
from wuye_loop.authoring.drawing.moves import Move, Today, moves, stays
from wuye_loop.authoring.drawing.picture import BREADTHS, COLOURS, HEADING_H, LANE_W, Boxes, head, heights, picture
from wuye_loop.authoring.drawing.svg import INK, Column, Drawn, circle, safe, table, words, wrapped
from wuye_loop.authoring.drawing.words import FlowWords
from wuye_loop.domain.language.workflow import TaskKind, Workflow

WIDTH: Final = 1600  # an A3 sheet is as wide at 97 dots per inch lengthwise
_MARGIN: Final = 24
ROOM: Final = WIDTH - 2 * _MARGIN
_LEAST_TABLE: Final = 760
_FONT: Final = (
    "'Noto Sans CJK SC','Source Han Sans SC','Microsoft YaHei','PingFang SC','WenQuanYi Micro Hei',sans-serif"
)
_MOVES: Final = (
    Column("号", 44, numbered=True), Column("动作", 128), Column("从 → 到", 300), Column("谁办", 190),
    Column("条件与限制", 370), Column("所在状态的时限", 200), Column("系统何时自动办", 260),
)  # fmt: skip
_ALWAYS: Final = 4  # of these columns are shown even when no row fills them
_CLOCKS: Final = (
    Column("时限", 150), Column("计时的状态", 250), Column("限期", 470), Column("到期前后系统做什么", 640),
)  # fmt: skip


class Page:
    """The page as it grows downwards; `add` takes what is drawn at its present foot."""

    def __init__(self) -> None:
        self.parts: list[str] = []
        self.y: float = _MARGIN

    def add(self, drawn: Drawn, gap: float = 18) -> None:
        """Take in what is drawn, and a gap under it."""
        self.parts += drawn.parts
        self.y += drawn.height + (gap if drawn.height else 0)

    def title(self, text: str, under: str) -> None:
        """Write the title over the page, and what it is under it."""
        for line in wrapped(text, ROOM, 24):
            self.parts.append(words(line, _MARGIN, self.y + 20, 24, bold=True))
            self.y += 30
        self.parts.append(words(under, _MARGIN, self.y + 14, 13, fill="#52606d"))

    def prose(self, text: str) -> None:
        """Write lines as wide as the page."""
        for line in wrapped(text, ROOM, 12):
            self.parts.append(words(line, _MARGIN, self.y + 6))
            self.y += 19

    def table(self, columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> None:
        """Draw a table as wide as the page."""
        self.add(table(columns, rows, _MARGIN, self.y, ROOM))

    def heading(self, text: str) -> None:
        """Write the heading of what follows."""
        line = words(text, _MARGIN, self.y + 16, 16, bold=True)
        self.parts.append(f'<g role="heading" aria-level="2">{line}</g>')
        self.y += 28


def svg(workflow: Workflow, today: Today | None = None) -> str:
    """Return the sheet as SVG text, coloured with today's counts if there are any; the same text for the same input."""
    said = FlowWords(workflow, workflow)
    made = moves(workflow, workflow)
    sheet = Page()
    _header(sheet, workflow, today)
    boxes = Boxes(said, today.tallies if today is not None else None)
    _, part = _drawn(made, main_grid(workflow), boxes, sheet.y)
    sheet.add(part, 22)
    sheet.heading("动作：图上的号")
    sheet.add(_move_table(said, made, _MARGIN, sheet.y, ROOM))
    sheet.heading("时限：图上的字母")
    sheet.add(table(_CLOCKS, _clock_rows(said), _MARGIN, sheet.y, ROOM))
    number, letter = len(made) + 1, len(said.clocks)
    for kind in workflow.tasks.values():
        number, letter = _task(sheet, workflow, kind, number, letter)
    for annex in annexes(workflow):
        sheet.heading(annex.heading)
        sheet.add(table(annex.columns, annex.rows, _MARGIN, sheet.y, ROOM))
    return _document(workflow, today, sheet)


def main_drawing(workflow: Workflow, today: Today | None = None) -> Layout:
    """Return the measured drawing of the main flow, at the top left of a page of its own."""
    boxes = Boxes(FlowWords(workflow, workflow), today.tallies if today is not None else None)
    return _drawn(moves(workflow, workflow), main_grid(workflow), boxes, 0)[0]


def task_drawing(workflow: Workflow, kind: TaskKind) -> Layout:
    """Return the measured drawing of a kind of task, at the top left of a page of its own."""
    made = moves(workflow, kind)
    return _drawn(made, task_grid(kind, made), Boxes(FlowWords(workflow, kind)), 0)[0]


def _drawn(made: Sequence[Move], grid: Grid, boxes: Boxes, y: float) -> tuple[Layout, Drawn]:
    """Measure and draw a flow with its top at y; one that is wider than the page is made smaller."""
    laned = any(grid.columns)
    left, top = (_MARGIN + LANE_W, y + HEADING_H) if laned else (_MARGIN, y)
    wide = WIDTH - _MARGIN if laned else 0
    drawing = layout(grid, links(boxes.flow, made, grid.cells), heights(grid, boxes), left, top, wide)
    parts = tuple(picture(grid, drawing, boxes))
    scale = ROOM / (drawing.width - _MARGIN)
    if scale > 0.999:  # noqa: PLR2004 what was stretched to the page's width
        return drawing, Drawn(parts, drawing.height - y)
    shift = f"translate({_MARGIN * (1 - scale):.2f} {y * (1 - scale):.2f}) scale({scale:.4f})"
    return drawing, Drawn((f'<g transform="{shift}">', *parts, "</g>"), (drawing.height - y) * scale)


def _task(sheet: Page, workflow: Workflow, kind: TaskKind, number: int, letter: int) -> tuple[int, int]:
    """Draw a kind of task, its tables beside it or, without room, under it; return the next number and letter."""
    said = FlowWords(workflow, kind, letter)
    made = moves(workflow, kind, number)
    sheet.heading(f"任务：{kind.title}")
    sheet.prose(said.opening(kind))
    drawing, part = _drawn(made, task_grid(kind, made), Boxes(said), sheet.y + 4)
    beside = drawing.width + 20 + _LEAST_TABLE <= WIDTH - _MARGIN
    if not beside:
        sheet.add(part, 14)
    x, width = (drawing.width + 20, WIDTH - _MARGIN - drawing.width - 20) if beside else (_MARGIN, ROOM)
    first = _move_table(said, made, x, sheet.y, width)
    second = table(_CLOCKS, _clock_rows(said), x, sheet.y + first.height + 10, width)
    height = first.height + (second.height + 10 if second.height else 0)
    tables = Drawn((*first.parts, *second.parts), height)
    sheet.add(Drawn(part.parts + tables.parts, max(height, part.height)) if beside else tables, 24)
    return number + len(made), letter + len(said.clocks)


def _move_table(said: FlowWords, made: Sequence[Move], x: float, y: float, width: float) -> Drawn:
    """Draw the table of a flow's actions: the numbered ones, then those that never lead to another state."""
    actions = said.flow.actions
    rows = [
        (
            str(move.number),
            move.title,
            said.ends(move),
            said.wording.roles(move.by),
            said.restraints(actions[move.action], move),
            "；".join(f"{clock.letter} {clock.usual}" for clock in said.running(move.sources)),
            said.triggers(move.action) if move.automatic else "",
        )
        for move in made
    ]
    for name in stays(said.flow, made):
        spec = actions[name]
        where, who = f"{said.titles(spec.from_)}（状态不变）", said.wording.roles(spec.by)
        rows.append(("", spec.title, where, who, said.restraints(spec), "", said.triggers(name)))
    used = [n for n in range(len(_MOVES)) if n < _ALWAYS or any(row[n] for row in rows)]
    return table([_MOVES[n] for n in used], [[row[n] for n in used] for row in rows], x, y, width)


def _clock_rows(said: FlowWords) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    for clock in said.clocks:
        spec = clock.spec
        paused = f"（暂停：{said.titles(spec.paused)}）" if spec.paused else ""
        meant = f"（只管{only}）" if (only := said.wording.condition(spec.when)) else ""
        where = said.titles(spec.during) + paused + meant
        rows.append((f"{clock.letter} {spec.title}", where, said.limits(spec), said.ladder(spec)))
    return rows


def _header(sheet: Page, workflow: Workflow, today: Today | None) -> None:
    sheet.title(workflow.title, f"流程 {workflow.id}")
    if today is not None:
        sheet.parts.append(words(today.caption, _MARGIN + 180, sheet.y + 14, 13, bold=True))
    _legend(sheet, sheet.y + 14)
    sheet.y += 32


def _legend(sheet: Page, y: float) -> None:
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


def _sample(manner: Manner, *, dashed: bool = False) -> str:
    dash = ' stroke-dasharray="6 4"' if dashed else ""
    line = f'<path d="M0 0H24" stroke="{COLOURS[manner]}" stroke-width="{BREADTHS[manner]}"{dash}/>'
    return line + head((25, 0), (0, 0), COLOURS[manner], hollow=manner == "back")


def _document(workflow: Workflow, today: Today | None, sheet: Page) -> str:
    states = "、".join(state.title for state in workflow.states.values())
    told = f"泳道图：{len(workflow.states)} 个状态（{states}），{len(workflow.actions)} 个动作；图下的表写明每个动作。"
    return page(f"{workflow.title}　{workflow.id}", told + (today.caption if today is not None else ""), sheet)


def page(title: str, told: str, sheet: Page) -> str:
    """Return a page as an SVG document, with its title and what it shows for who cannot see it."""
    height = round(sheet.y + _MARGIN)
    opening = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" '
        'role="graphics-document document" aria-labelledby="title desc" lang="zh-CN" '
        f'font-family="{_FONT}" font-size="12" fill="{INK}">'
    )
    lines = [
        opening,
        f'<title id="title">{safe(title)}</title>',
        f'<desc id="desc">{safe(told)}</desc>',
        f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
        *sheet.parts,
        "</svg>",
    ]
    return "\n".join(lines) + "\n"

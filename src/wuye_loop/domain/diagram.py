"""A workflow as a picture: Mermaid text for documents, SVG for anyone with a browser. Labels are the file's own titles."""

from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from typing import Final

from wuye_loop.domain.terms import Stage
from wuye_loop.domain.workflow import Flow, Workflow

_BACK: Final = "back"
_BACK_TITLE: Final = "回到原状态"


@dataclass(frozen=True, slots=True)
class Arrow:
    """One way from a state to another, with the titles of the actions that lead there; `system` when no person does."""

    start: str
    end: str
    label: str
    system: bool


def arrows(flow: Flow) -> list[Arrow]:
    """List the moves of a flow, those between the same two states as one; `back` is where a parked state leads."""
    found: dict[tuple[str, str, bool], list[str]] = {}
    for action in flow.actions.values():
        system = set(action.by) == {"system"}
        ends = dict.fromkeys(way.to or action.to for way in action.ways)
        for start in action.from_:
            for end in ends:
                if end is not None and end != start:
                    found.setdefault((start, end, system), []).append(action.title)
    return [
        Arrow(start, end, "、".join(dict.fromkeys(titles)), system) for (start, end, system), titles in found.items()
    ]


def mermaid(workflow: Workflow) -> str:
    """Return a Mermaid flowchart: the main flow by stages, then one box for each kind of task; dotted is the system's."""
    lines = ["flowchart TB", f"  %% {workflow.title} {workflow.id}"]
    for stage in Stage:
        states = {name: state for name, state in workflow.states.items() if state.stage is stage}
        if states:
            lines.append(f'  subgraph {stage.value}["{stage.chinese}"]')
            lines += [_node(f"s_{name}", state.title, final=state.final) for name, state in states.items()]
            lines.append("  end")
    lines += [_node(f"s_{name}", one.title, final=one.final) for name, one in workflow.states.items() if not one.stage]
    lines += _edges(workflow, "s")
    for kind, task in workflow.tasks.items():
        lines.append(f'  subgraph task_{kind}["任务：{_quoted(task.title)}"]')
        lines += [_node(f"{kind}_{name}", state.title, final=state.final) for name, state in task.states.items()]
        lines.append("  end")
        lines += _edges(task, kind)
    return "\n".join(lines) + "\n"


def _node(name: str, title: str, *, final: bool) -> str:
    opening, closing = ("([", "])") if final else ("[", "]")
    return f'    {name}{opening}"{_quoted(title)}"{closing}'


def _edges(flow: Flow, prefix: str) -> Iterator[str]:
    ways = arrows(flow)
    if any(way.end == _BACK for way in ways):
        yield f'    {prefix}_{_BACK}(("{_BACK_TITLE}"))'
    for way in ways:
        label = _quoted(way.label)
        line = f'-. "{label}" .->' if way.system else f'-- "{label}" -->'
        yield f"  {prefix}_{way.start} {line} {prefix}_{way.end}"


def _quoted(text: str) -> str:
    return text.replace('"', "#quot;")


# --- SVG ------------------------------------------------------------------------------------------------------------

_BOX: Final = (118, 40)
_STEP: Final = (230, 96)  # from one box to the next, across and down
_MARGIN: Final = 30
_HEAD: Final = 76
_STYLE: Final = (
    "text{font:13px 'PingFang SC','Microsoft YaHei','Noto Sans CJK SC',sans-serif;fill:#1c2733}"
    ".head{font-weight:600;fill:#5a6b7b}.way{font-size:11px;fill:#34495e;paint-order:stroke;stroke:#fff;stroke-width:4px}"
    "rect{fill:#eef4fb;stroke:#4a78a8}rect.final{fill:#e6f4ea;stroke:#3c8a57}"
    "path{fill:none;stroke:#7b8a99;stroke-width:1.2}path.system{stroke-dasharray:4 3}"
)
_Places = dict[str, tuple[int, int]]


def svg(workflow: Workflow) -> str:
    """Return a standalone SVG: one column a stage, then one row for each kind of task; dashed is the system's."""
    parts: list[str] = []
    columns = [[name for name, state in workflow.states.items() if state.stage is stage] for stage in Stage]
    columns.append([name for name, state in workflow.states.items() if state.stage is None])
    places: _Places = {}
    for x, names in enumerate(columns):
        places |= {name: (_MARGIN + x * _STEP[0], _MARGIN + _HEAD + y * _STEP[1]) for y, name in enumerate(names)}
    for x, stage in enumerate(Stage):
        parts.append(_text(_MARGIN + x * _STEP[0] + _BOX[0] // 2, _MARGIN, stage.chinese, "head"))
    parts += _drawn(workflow, places)
    bottom = max(y for _, y in places.values()) + _STEP[1]
    across = len(columns) - (not columns[-1])
    for task in workflow.tasks.values():
        parts.append(_text(_MARGIN + _BOX[0] // 2, bottom + 20, task.title, "head"))
        row = {name: (_MARGIN + x * _STEP[0], bottom + _HEAD - 16) for x, name in enumerate(task.states)}
        parts += _drawn(task, row)
        bottom += _HEAD + _STEP[1]
        across = max(across, len(row))
    width, height = _MARGIN * 2 + across * _STEP[0], bottom + _MARGIN
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}">'
        f"<title>{escape(workflow.title)} {workflow.id}</title><style>{_STYLE}</style>"
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
        '<path d="M0 0L8 4L0 8z" style="fill:#7b8a99;stroke:none"/></marker></defs>' + "".join(parts) + "</svg>\n"
    )


def _drawn(flow: Flow, places: _Places) -> Iterator[str]:
    """Draw the ways first, so that boxes lie over them, and their labels last."""
    labels = []
    for number, way in enumerate(arrows(flow)):
        if way.end == _BACK:
            x, y = places[way.start]
            labels.append(_text(x + _BOX[0] // 2, y + _BOX[1] + 16, f"↩ {way.label}（{_BACK_TITLE}）", "way"))
            continue
        path, (x, y) = _curve(places[way.start], places[way.end], number)
        kind = ' class="system"' if way.system else ""
        yield f'<path d="{path}" marker-end="url(#tip)"{kind}/>'
        labels.append(_text(x, y, way.label, "way"))
    for name, (x, y) in places.items():
        state = flow.states[name]
        final = ' class="final"' if state.final else ""
        yield f'<rect x="{x}" y="{y}" width="{_BOX[0]}" height="{_BOX[1]}" rx="{18 if state.final else 5}"{final}/>'
        yield _text(x + _BOX[0] // 2, y + 25, state.title, "state")
    yield from labels


def _curve(start: tuple[int, int], end: tuple[int, int], number: int) -> tuple[str, tuple[int, int]]:
    """Return a path from box to box and where its label goes: round the boxes between, each a little differently."""
    (x1, y1), (x2, y2) = start, end
    bend = 18 + 7 * (number % 4)
    if x1 == x2:
        down = y2 > y1
        bend += 70 * (abs(y2 - y1) // _STEP[1] - 1)
        y1, y2 = (y1 + _BOX[1], y2) if down else (y1, y2 + _BOX[1])
        x = x1 + (_BOX[0] * 2 // 3 if down else _BOX[0] // 3)
        side = x + (bend if down else -bend)
        return f"M{x} {y1}Q{side} {(y1 + y2) // 2} {x} {y2}", ((side + x) // 2, (y1 + y2) // 2)
    ahead = x2 > x1
    if y1 == y2:
        bend += 46 * (abs(x2 - x1) // _STEP[0] - 1)
    x1, x2 = (x1 + _BOX[0], x2) if ahead else (x1, x2 + _BOX[0])
    y1, y2 = (y1 + 14, y2 + 14) if ahead else (y1 + 28, y2 + 28)
    middle, lift = (x1 + x2) // 2, (y1 + y2) // 2 + (-bend if ahead else bend)
    return f"M{x1} {y1}Q{middle} {lift} {x2} {y2}", (middle, (lift * 2 + y1 + y2) // 4 + 4)


def _text(x: int, y: int, words: str, kind: str) -> str:
    return f'<text x="{x}" y="{y}" text-anchor="middle" class="{kind}">{escape(words)}</text>'

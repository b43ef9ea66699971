"""Draws a workflow as Mermaid: the main flow grouped by the six stages, then every kind of task by itself."""

from collections.abc import Mapping
from typing import Final

from wuye_loop.authoring.drawing.moves import Today, entries, moves
from wuye_loop.authoring.drawing.svg import plain
from wuye_loop.domain.language.workflow import Flow, Workflow
from wuye_loop.domain.terms import Stage, Tally
from wuye_loop.domain.wording.definition import Wording

# Mermaid reads these as its own signs; entity codes stand for them and are shown as the signs.
_ENTITIES: Final = {
    "#": "#35;", ";": "#59;", ":": "#58;", '"': "#quot;", "<": "#lt;", ">": "#gt;", "{": "#123;", "}": "#125;",
}  # fmt: skip
_SHADES: Final = ("fill:#f1f7fd", "fill:#d3e4f6", "fill:#b1cfef", "fill:#8fbbe8")
_LATE: Final = "color:#b3261e,stroke:#b3261e,stroke-width:2px"


def mermaid(workflow: Workflow, today: Today | None = None) -> str:
    """Return a stateDiagram-v2: one composite state per stage and per kind of task; the same text for the same input.

    With today's counts each open state says how many are in it; the fuller, the deeper its colour.
    """
    lines = ["stateDiagram-v2", "    direction LR", f"    %% {workflow.id}"]
    if today is not None:
        lines.append(f"    %% {signs(today.caption)}")
    states = workflow.states
    for stage in (*Stage, None):
        here = [name for name, state in states.items() if state.stage is stage]
        inner = "        " if stage is not None else "    "
        boxes = [f'{inner}state "{signs(_title(workflow, name, today))}" as s_{name}' for name in here]
        if here and stage is not None:
            boxes = [f'    state "{signs(stage.chinese)}" as stage_{stage.value} {{', *boxes, "    }"]
        lines += boxes
    lines += _arrows(workflow, workflow, {name: f"s_{name}" for name in states}, "    ")
    for kind, task in workflow.tasks.items():
        lines += ["", f"    %% 任务 {kind}", f'    state "任务：{signs(task.title)}" as task_{kind} {{']
        ids = {name: f"t_{kind}__{name}" for name in task.states}
        lines += [f'        state "{signs(state.title)}" as {ids[name]}' for name, state in task.states.items()]
        lines += [*_arrows(workflow, task, ids, "        "), "    }"]
    return "\n".join([*lines, *(_colours(workflow, today) if today is not None else [])]) + "\n"


def _title(workflow: Workflow, name: str, today: Today | None) -> str:
    state = workflow.states[name]
    if today is None or state.final:
        return state.title
    tally = today.tallies.get(name, Tally(0, 0))
    return f"{state.title}（{tally.open} 件" + (f"，逾期 {tally.overdue}）" if tally.overdue else "）")


def _colours(workflow: Workflow, today: Today) -> list[str]:
    """Return a class for each depth of colour and the states that have it."""
    most = max((tally.open for tally in today.tallies.values()), default=0)
    lines = [
        "",
        *(f"    classDef full{n} {shade}" for n, shade in enumerate(_SHADES, start=1)),
        f"    classDef late {_LATE}",
    ]
    for name in workflow.states:
        tally = today.tallies.get(name)
        if tally is not None and tally.open:
            lines.append(f"    class s_{name} full{-(-tally.open * len(_SHADES) // most)}")
            lines += [f"    class s_{name} late"] if tally.overdue else []
    return lines


def _arrows(workflow: Workflow, flow: Flow, ids: Mapping[str, str], indent: str) -> list[str]:
    """Return the arrows: several actions between the same two states share one, so that the drawing can be read."""
    wording = Wording(workflow)
    arrows: dict[tuple[str, str], dict[str, None]] = {}
    for move in moves(workflow, flow):
        label = f"{move.title}（{wording.roles(move.by)}）" + (f"［{move.when}］" if move.when else "")
        for pair in move.pairs:
            arrows.setdefault(pair, {})[label] = None
    begun = entries(workflow, flow)
    lines = []
    for name, sources in begun.items():
        said = f" : {signs('、'.join(sources))}" if sources and len(begun) > 1 else ""
        lines.append(f"{indent}[*] --> {ids[name]}{said}")
    for (source, target), labels in arrows.items():
        lines.append(f"{indent}{ids[source]} --> {ids[target]} : {'<br/>'.join(map(signs, labels))}")
    return [*lines, *(f"{indent}{ids[name]} --> [*]" for name, state in flow.states.items() if state.final)]


def signs(text: str) -> str:
    """Escape what Mermaid would read as its own signs."""
    return "".join(_ENTITIES.get(sign, sign) for sign in plain(text))

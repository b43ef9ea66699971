"""Draws a workflow as Mermaid: the main flow grouped by the six stages, then every kind of task by itself."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from wuye_loop.domain.terms import Stage
from wuye_loop.domain.workflow import ActionSpec, Flow, Outcome, Workflow

_BACK = "back"
_SPECIAL = {"system": "系统", "holder": "持有人", "opener": "发起人"}
# Mermaid reads these as its own signs; entity codes stand for them and are shown as the signs.
_ENTITIES = {"#": "#35;", ";": "#59;", ":": "#58;", '"': "#quot;", "<": "#lt;", ">": "#gt;", "{": "#123;", "}": "#125;"}


@dataclass(frozen=True, slots=True)
class Edge:
    """One line of a drawing: an action from a state to a state, by whom, and when (for one of several outcomes)."""

    source: str
    target: str
    action: str
    title: str
    by: tuple[str, ...]
    when: str


def edges(workflow: Workflow, flow: Flow) -> list[Edge]:
    """Return every move of a flow in the order of the file; a way back leads to every state that it may lead to."""
    return list(_edges(workflow, flow))


def _edges(workflow: Workflow, flow: Flow) -> Iterator[Edge]:
    into: dict[str, list[str]] = {}
    for _, action, way in _ways(flow):
        target = way.to if way.to is not None else action.to
        if target is not None and target != _BACK:
            into.setdefault(target, []).extend(action.from_)
    for name, action, way in _ways(flow):
        target = way.to if way.to is not None else action.to
        when = _when(workflow, action, way)
        by = tuple(_actor(workflow, role) for role in action.by)
        for source in action.from_:
            targets = dict.fromkeys(into.get(source, ())) if target == _BACK else [target]
            for place in targets:
                if place is not None:
                    yield Edge(source, place, name, action.title, by, when)


def _ways(flow: Flow) -> Iterator[tuple[str, ActionSpec, Outcome]]:
    for name, action in flow.actions.items():
        for way in action.ways:
            yield name, action, way


def _when(workflow: Workflow, action: ActionSpec, way: Outcome) -> str:
    """Say when an outcome is taken, with the titles of fields and actions in place of their names."""
    if not way.when.raw:
        return ""
    words = way.when.describe()
    for name, spec in action.needs.items():
        words = words.replace(f"所填“{name}”", spec.title or name)
    for name, other in workflow.actions.items():
        words = words.replace(f"动作次数“{name}”", f"“{other.title}”次数")
    return words


def _actor(workflow: Workflow, name: str) -> str:
    role = workflow.roles.get(name)
    return role.title if role is not None else _SPECIAL.get(name, name)


def mermaid(workflow: Workflow) -> str:
    """Return a stateDiagram-v2: one composite state per stage and per kind of task; the same text for the same workflow."""
    lines = ["stateDiagram-v2", "    direction LR", f"    %% {workflow.id}"]
    main = workflow.states
    for stage in Stage:
        here = {name: state.title for name, state in main.items() if state.stage is stage}
        if here:
            lines.append(f'    state "{_words(stage.chinese)}" as stage_{stage.value} {{')
            lines += [f'        state "{_words(title)}" as s_{name}' for name, title in here.items()]
            lines.append("    }")
    lines += _moves(workflow, workflow, {name: f"s_{name}" for name in main}, "    ")
    for kind, task in workflow.tasks.items():
        lines += ["", f"    %% 任务 {kind}", f'    state "任务：{_words(task.title)}" as task_{kind} {{']
        ids = {name: f"t_{kind}__{name}" for name in task.states}
        lines += [f'        state "{_words(state.title)}" as {ids[name]}' for name, state in task.states.items()]
        lines += [*_moves(workflow, task, ids, "        "), "    }"]
    return "\n".join(lines) + "\n"


def _moves(workflow: Workflow, flow: Flow, ids: Mapping[str, str], indent: str) -> list[str]:
    """Return the arrows: several actions between the same two states share one, so that the drawing can be read."""
    arrows: dict[tuple[str, str], list[str]] = {}
    for edge in _edges(workflow, flow):
        label = f"{edge.title}（{'、'.join(edge.by)}）" + (f"［{edge.when}］" if edge.when else "")
        labels = arrows.setdefault((edge.source, edge.target), [])
        if label not in labels:
            labels.append(label)
    lines = [f"{indent}[*] --> {ids[flow.start]}"]
    for (source, target), labels in arrows.items():
        lines.append(f"{indent}{ids[source]} --> {ids[target]} : {'<br/>'.join(map(_words, labels))}")
    lines += [f"{indent}{ids[name]} --> [*]" for name, state in flow.states.items() if state.final]
    return lines


def _words(text: str) -> str:
    """Escape what Mermaid would read as its own signs."""
    return "".join(_ENTITIES.get(sign, sign) for sign in _plain(text))


def _plain(text: str) -> str:
    return " ".join(text.split())

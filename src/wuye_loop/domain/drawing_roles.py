"""Who does what on a drawing: every role with what it holds and may do, the tasks that it opens or holds included."""

from collections.abc import Iterator
from typing import Final

from wuye_loop.domain.drawing_moves import SYSTEM
from wuye_loop.domain.wording import SPECIAL, Wording, listed, quoted
from wuye_loop.domain.workflow import Flow, Role, TaskKind, TaskUnit, Workflow

_TARGET: Final = "target"
#: Those who hold tasks without being a role of the file, and who they are.
_NAMELESS: Final = {"one_level_up": "发起单位在目录里的上级", _TARGET: "发起时指定的单位"}


def role_rows(workflow: Workflow) -> Iterator[tuple[str, ...]]:
    """Yield a row for each role, then for those who hold tasks without a role: title, who, what it holds, what it may do."""
    wording = Wording(workflow)
    parties = {kind: (_holders(workflow, kind), _openers(workflow, kind)) for kind in workflow.tasks}
    for name, role in workflow.roles.items():
        yield (
            role.title,
            wording.unit(role),
            _held(workflow, name, parties),
            _can(workflow, name, parties),
            role.source or "",
        )
    for name, who in _NAMELESS.items():
        if any(name in holders for holders, _ in parties.values()):
            yield SPECIAL[name], who, _held(workflow, name, parties), _can(workflow, name, parties), ""


Parties = dict[str, tuple[list[str], list[str]]]  # kind of task -> who holds it, who opens it


def _held(workflow: Workflow, name: str, parties: Parties) -> str:
    held = [state.title for state in workflow.states.values() if state.holder == name]
    for kind, task in workflow.tasks.items():
        if name in parties[kind][0] or any(state.holder == name for state in task.states.values()):
            held.append(f"{quoted(task.title)}任务")
    return listed(held)


def _can(workflow: Workflow, name: str, parties: Parties) -> str:
    steps = [*workflow.actions.values(), *(kind.open for kind in workflow.tasks.values())]
    main = [step.title for step in steps if name in step.by]
    main += [f"登记{quoted(source.title)}" for source in workflow.sources.values() if name in source.by]
    main += [f"签发{quoted(kind)}" for kind, paper in workflow.documents.items() if paper.opens and name in paper.by]
    said = [listed(main)]
    for kind, task in workflow.tasks.items():
        holders, openers = parties[kind]
        called = {name, *(["holder"] if name in holders else ()), *(["opener"] if name in openers else ())}
        titles = listed(action.title for action in task.actions.values() if called & set(action.by))
        if titles:
            said.append(f"{quoted(task.title)}任务：{titles}")
    return "；".join(filter(None, said))


def _openers(workflow: Workflow, kind: str) -> list[str]:
    return [name for name in workflow.tasks[kind].open.by if name != SYSTEM]


def _holders(workflow: Workflow, kind: str) -> list[str]:
    """Return the roles that may hold a task of a kind, or the special name of a holder that no role stands for."""
    task = workflow.tasks[kind]
    if task.holder == "opener":
        found = _openers(workflow, kind)
    elif task.holder == _TARGET:
        found = _targets(workflow, kind, task) or [_TARGET]
    else:
        found = [task.holder]
    return list(dict.fromkeys([*found, *([task.fallback] if task.fallback else [])]))


def _targets(workflow: Workflow, kind: str, task: TaskKind) -> list[str]:
    """Return the roles that a task is given to: those who hold it by name, whom rungs and effects open it for, the lead."""
    found = [name for name, role in workflow.roles.items() if _stands_for(role, kind)]
    for flow in (workflow, *workflow.tasks.values()):
        found += _opened_for(flow, kind)
    if not any(field.type == "unit" for field in task.open.needs.values()) and _openers(workflow, kind):
        found += [name for name, role in workflow.roles.items() if role.unit == "lead"]
    return [name for name in found if name in workflow.roles]


def _stands_for(role: Role, kind: str) -> bool:
    unit = role.unit
    return unit.task == kind if isinstance(unit, TaskUnit) else unit == kind == "assist"


def _opened_for(flow: Flow, kind: str) -> list[str]:
    found = [name for clock in flow.clocks.values() for rung in clock.ladder if rung.open == kind for name in rung.to]
    for action in flow.actions.values():
        effects = (*action.effect, *(effect for way in action.ways for effect in way.effect))
        opened = (one.params for one in effects if one.name == "open" and one.params.get("task") == kind)
        found += [str(params.get("to")) for params in opened]
    return found

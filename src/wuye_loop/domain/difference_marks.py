"""Titles that two names bear, told apart by the name in the file: without it two sentences would contradict each other."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from wuye_loop.domain.difference_renamed import copied
from wuye_loop.domain.workflow import Flow, Migration, TaskKind, Workflow

Titled = Mapping[str, Any]
Names = Mapping[str, str]
_PARTS: Final = ("instruments", "sources", "ratings")


def told_apart(a: Workflow, b: Workflow, moved: Migration) -> tuple[Workflow, Workflow]:
    """Return both definitions with the name added to every title that another name of the same kind bears too."""
    kinds = dict.fromkeys([*a.tasks, *b.tasks])
    flows = {kind: _flows(a.tasks.get(kind), b.tasks.get(kind), moved.tasks.get(kind, {}), moved) for kind in kinds}
    tasks: list[dict[str, Any]] = [{}, {}]
    for kind, both in flows.items():
        for side, spec in enumerate((a.tasks.get(kind), b.tasks.get(kind))):
            if spec is not None:
                tasks[side][kind] = copied(spec, **both[side])
    found = list(_flows(a, b, moved.states, moved))
    titled = [("tasks", _marked(tasks[0], tasks[1], {})), ("roles", _marked(a.roles, b.roles, moved.roles))]
    titled += [(key, _marked(getattr(a, key), getattr(b, key), {})) for key in _PARTS]
    for key, both in titled:
        for side in (0, 1):
            found[side][key] = both[side]
    return copied(a, **found[0]), copied(b, **found[1])


def _flows(
    old: Flow | TaskKind | None, new: Flow | TaskKind | None, states: Names, moved: Migration
) -> tuple[dict[str, Any], dict[str, Any]]:
    found: tuple[dict[str, Any], dict[str, Any]] = ({}, {})
    for key, names in (("states", states), ("clocks", moved.clocks)):
        found[0][key], found[1][key] = _marked(_of(old, key), _of(new, key), names)
    # An action of another name but the same title is the same action, unless one file has two of that title.
    actions = _of(old, "actions"), _of(new, "actions")
    doubled = _doubled(_borne(actions[0], {})) | _doubled(_borne(actions[1], {}))
    for side in (0, 1):
        found[side]["actions"] = _mark(actions[side], doubled, {})
    return found


def _of(flow: Flow | None, key: str) -> Titled:
    parts: Titled = getattr(flow, key) if flow is not None else {}
    return parts


def _marked(old: Titled, new: Titled, moved: Names) -> tuple[dict[str, Any], dict[str, Any]]:
    doubled = _doubled([*_borne(old, moved), *_borne(new, {})])
    return _mark(old, doubled, moved), _mark(new, doubled, {})


def _borne(parts: Titled, moved: Names) -> list[tuple[str, str]]:
    return [(part.title, moved.get(name, name)) for name, part in parts.items()]


def _doubled(borne: Iterable[tuple[str, str]]) -> set[str]:
    """Return the titles that more than one name bears."""
    first: dict[str, str] = {}
    return {title for title, name in borne if first.setdefault(title, name) != name}


def _mark(parts: Titled, doubled: set[str], moved: Names) -> dict[str, Any]:
    return {
        name: copied(part, title=f"{part.title}（{moved.get(name, name)}）") if part.title in doubled else part
        for name, part in parts.items()
    }

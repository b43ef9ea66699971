"""The older definition as the newer one calls things: whatever names a state, clock or role that B's file maps elsewhere.

The keys of states, clocks and roles stay as A's file has them, so that it can still be told which became which.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Literal, TypeVar

from pydantic import BaseModel

from wuye_loop.domain.language.conditions import Condition
from wuye_loop.domain.language.documents import DocumentKind, RatingSpec
from wuye_loop.domain.language.intake import Attach, RedLine, Rising, SourceSpec
from wuye_loop.domain.language.workflow import (
    ActionSpec,
    Branch,
    ClockSpec,
    EffectCall,
    Family,
    Flow,
    Join,
    Migration,
    OpenSpec,
    RungSpec,
    State,
    TaskKind,
    Workflow,
)

Model = TypeVar("Model", bound=BaseModel)
Names = Mapping[str, str]
Kind = Literal["roles", "clocks", "main", "states", "main_actions", "actions"]

#: Which keys of which part name what: `main` is a state of the grievance, `states` one of the flow that the part is in.
#: So with actions.
_NAMED: Final[Mapping[type[BaseModel], Mapping[str, Kind]]] = {
    State: {"holder": "roles", "watched_by": "roles"},
    ClockSpec: {"during": "states", "paused": "states"},
    RungSpec: {"to": "roles", "copy_to": "roles", "act": "actions"},
    ActionSpec: {"by": "roles", "from_": "states", "to": "states", "before_due": "clocks", "then": "actions"},
    OpenSpec: {"by": "roles", "from_": "main", "before_due": "clocks"},
    Branch: {"to": "states", "then": "actions"},
    Join: {"act": "main_actions"},
    Attach: {"act": "main_actions"},
    TaskKind: {"holder": "roles", "fallback": "roles", "separate": "roles"},
    DocumentKind: {"by": "roles", "to": "roles", "copies": "roles"},
    RatingSpec: {"by": "roles", "of": "roles", "in_": "main"},
    SourceSpec: {"by": "roles", "start": "main"},
    RedLine: {"to": "roles"},
    Rising: {"by": "roles"},
    Workflow: {"separate": "roles"},
}
_IN_EFFECTS: Final[Mapping[tuple[str, str], Kind]] = {
    ("notify", "to"): "roles",
    ("open", "to"): "roles",
    ("document", "to"): "roles",
    ("extend_clock", "clock"): "clocks",
    ("act", "value"): "main_actions",
}

_MEMBERS: Final[Mapping[str, Kind]] = {"overdue": "clocks", "done": "actions", "cycle_done": "main_actions"}


@dataclass(frozen=True, slots=True)
class _Moved:
    """What becomes of names, in the flow at hand."""

    roles: Names
    clocks: Names
    main: Names
    states: Names
    main_actions: Names
    actions: Names
    tasks: Mapping[str, tuple[Names, Names]]  # of each kind of task: its states, its actions

    def of(self, kind: Kind) -> Names:
        """Return what becomes of one kind of name."""
        found: Names = getattr(self, kind)
        return found


def copied(part: Model, **changes: Any) -> Model:
    """Return a part with some values changed, unchecked: what it worked out of the old ones is left behind."""
    values = {name: getattr(part, name) for name in type(part).model_fields}
    return type(part).model_construct(part.model_fields_set, **{**values, **(part.model_extra or {}), **changes})


def same_titled(old: Mapping[str, ActionSpec], new: Mapping[str, ActionSpec]) -> dict[str, str]:
    """Return the actions that only have another name in B's file: their title is the same, and no other's."""
    found = {}
    for name, spec in old.items():
        named = [key for key, other in new.items() if other.title == spec.title]
        alone = sum(other.title == spec.title for other in old.values()) == 1
        if name not in new and alone and len(named) == 1 and named[0] not in old:
            found[name] = named[0]
    return found


def renamed(a: Workflow, b: Workflow, moved: Migration) -> Workflow:
    """Return A with B's names wherever one is mentioned, the keys of states, clocks, roles and actions excepted."""
    main = same_titled(a.actions, b.actions)
    tasks = {kind: (moved.tasks.get(kind, {}), _actions(spec, b.tasks.get(kind))) for kind, spec in a.tasks.items()}
    return _part(a, _Moved(moved.roles, moved.clocks, moved.states, moved.states, main, main, tasks))


def _actions(old: TaskKind, new: TaskKind | None) -> dict[str, str]:
    own = {name: name for name in old.actions}  # a task's action hides the grievance's own of that name
    return {**own, **same_titled(old.actions, new.actions if new is not None else {})}


def keyed(a: Workflow, b: Workflow, moved: Migration) -> Workflow:
    """Return A with B's names as keys too, to look names up by; of two that became one, the one that kept its name."""
    tasks = {}
    for kind, spec in a.tasks.items():
        actions = _keys(spec.actions, _actions(spec, b.tasks.get(kind)))
        states = _keys(spec.states, moved.tasks.get(kind, {}))
        tasks[kind] = copied(spec, states=states, clocks=_keys(spec.clocks, moved.clocks), actions=actions)
    return copied(
        a,
        states=_keys(a.states, moved.states),
        clocks=_keys(a.clocks, moved.clocks),
        actions=_keys(a.actions, same_titled(a.actions, b.actions)),
        roles=_keys(a.roles, moved.roles),
        tasks=tasks,
    )


def _keys(parts: Mapping[str, Any], moved: Names) -> dict[str, Any]:
    found: dict[str, Any] = {}
    kept_first = sorted(parts.items(), key=lambda item: moved.get(item[0], item[0]) != item[0])
    for name, part in kept_first:
        found.setdefault(moved.get(name, name), part)
    return found


def _part(part: Model, moved: _Moved) -> Model:
    named = _NAMED.get(type(part), {})
    values: dict[str, Any] = {}
    for key in (*type(part).model_fields, *(part.model_extra or {})):
        value = getattr(part, key)
        if key in named:
            values[key] = _named(value, moved.of(named[key]))
        elif isinstance(part, EffectCall) and key == "params":
            values[key] = _params(part.name, value, moved)
        elif isinstance(part, Workflow) and key == "tasks":
            values[key] = {kind: _task(spec, *moved.tasks[kind], moved) for kind, spec in value.items()}
        elif isinstance(part, Family) and key == "moves":
            acts = moved.main_actions
            values[key] = {_named(lead, acts): _named(own, acts) for lead, own in value.items()}
        elif isinstance(part, DocumentKind) and key == "settles":
            values[key] = _named(value, moved.tasks.get(part.gathers or "", ({}, {}))[1])
        else:
            values[key] = _value(value, moved)
    return copied(part, **values)


def _task(spec: TaskKind, states: Names, actions: Names, moved: _Moved) -> TaskKind:
    own = replace(moved, states=states, actions=actions)
    # An opening is done to the grievance: what its conditions count are the grievance's own actions.
    return copied(_part(spec, own), open=_part(spec.open, moved))


def _value(value: Any, moved: _Moved) -> Any:
    if isinstance(value, Condition):
        return Condition.parse(_facts(value.raw, moved))
    if isinstance(value, BaseModel):
        return _part(value, moved)
    if isinstance(value, tuple | list):
        return type(value)(_value(item, moved) for item in value)
    if isinstance(value, Mapping):  # also a router's parameters as written, with conditions among them
        return {
            key: _facts(item, moved) if key == "when" and isinstance(item, Mapping) else _value(item, moved)
            for key, item in value.items()
        }
    return value


def _named(value: Any, names: Names) -> Any:
    if isinstance(value, str):
        return names.get(value, value)
    if isinstance(value, tuple | list):
        return type(value)(dict.fromkeys(_named(item, names) for item in value))
    return value


def _params(effect: str, params: Mapping[str, Any], moved: _Moved) -> dict[str, Any]:
    found = {}
    if effect == "act_tasks" and params.get("task") in moved.tasks:
        return {**params, "action": _named(params.get("action"), moved.tasks[params["task"]][1])}
    for key, value in params.items():
        kind = _IN_EFFECTS.get((effect, key))
        found[key] = _named(value, moved.of(kind)) if kind is not None else _value({key: value}, moved)[key]
    return found


def _facts(raw: Mapping[str, Any], moved: _Moved) -> dict[str, Any]:
    found = {}
    for fact, matcher in raw.items():
        family, dot, member = fact.partition(".")
        kind = _MEMBERS.get(family) if dot else None
        name = fact if kind is None else f"{family}.{_member(moved.of(kind), moved, family, member)}"
        found[name] = _states(matcher, moved.main) if fact == "state" else matcher
    return found


def _member(names: Names, moved: _Moved, family: str, member: str) -> str:
    if family == "done" and member not in names:
        names = moved.main_actions
    return names.get(member, member)


def _states(matcher: Any, names: Names) -> Any:
    if isinstance(matcher, Mapping):
        return {key: _states(item, names) if key in ("not", "any") else item for key, item in matcher.items()}
    return _named(matcher, names)


# Titles that two names bear, told apart by the name in the file: without it two sentences would contradict each other.

Titled = Mapping[str, Any]
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

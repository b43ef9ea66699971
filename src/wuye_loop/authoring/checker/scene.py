"""A definition under examination: its flows with their paths, and look-ups that several checks share."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from wuye_loop.domain.directory.directory import Directory
from wuye_loop.domain.language.forms import FieldSpec
from wuye_loop.domain.language.results import RESULT
from wuye_loop.domain.language.workflow import ActionSpec, Branch, EffectCall, Flow, StepSpec, Workflow
from wuye_loop.domain.rulefile.findings import Findings
from wuye_loop.domain.rulefile.reader import Path

SYSTEM, HOLDER, OPENER, BACK, TARGET, ONE_LEVEL_UP = "system", "holder", "opener", "back", "target", "one_level_up"

_OVERDUE = "overdue."
_HANDED_ON = 3  # through how many kinds of task one field may be handed on


@dataclass(frozen=True)
class FlowPlace:
    """One flow and where it stands: the main flow (`kind` is None) or the flow of a kind of task."""

    kind: str | None
    path: Path
    flow: Flow

    @property
    def words(self) -> str:
        """How a message names the flow."""
        return "主流程" if self.kind is None else f"任务 {self.kind} "


@dataclass(frozen=True)
class StepPlace:
    """An action, or the opening of a task (`name` is None), where it stands, and which fields its effects may name."""

    place: FlowPlace
    name: str | None
    path: Path
    step: StepSpec
    fields: Mapping[str, FieldSpec]


@dataclass(frozen=True)
class CallPlace:
    """One effect of a step; `way` is the outcome that it belongs to, if it belongs to one."""

    step: StepPlace
    path: Path
    call: EffectCall
    way: Branch | None

    @property
    def words(self) -> str:
        """How a message names the step that has the effect."""
        kind, name = self.step.place.kind, self.step.name
        inside = "" if kind is None else f"任务 {kind} 的"
        return f"{inside}发起" if name is None else f"{inside}操作 {name}"


@dataclass(frozen=True)
class Scene:
    """What every check is given."""

    workflow: Workflow
    findings: Findings
    directory: Directory | None = None

    @cached_property
    def places(self) -> tuple[FlowPlace, ...]:
        """The main flow, then the flow of every kind of task."""
        tasks = (FlowPlace(kind, ("tasks", kind), task) for kind, task in self.workflow.tasks.items())
        return (FlowPlace(None, (), self.workflow), *tasks)

    @cached_property
    def steps(self) -> tuple[StepPlace, ...]:
        """Every action of every flow and every opening of a task."""
        return tuple(self._steps())

    def _steps(self) -> Iterator[StepPlace]:
        for place in self.places:
            given: Mapping[str, FieldSpec] = {}
            if place.kind is not None:
                opening = self.workflow.tasks[place.kind].open
                given = {**self.handed.get(place.kind, {}), **opening.needs}
                yield StepPlace(place, None, (*place.path, "open"), opening, opening.needs)
            for name, action in place.flow.actions.items():
                path = (*place.path, "actions", name)
                yield StepPlace(place, name, path, action, {**given, **action.needs})

    @cached_property
    def _by_role(self) -> Mapping[str, dict[Path, StepPlace]]:
        found: dict[str, dict[Path, StepPlace]] = {}
        for step in self.steps:
            for role in step.step.by:
                found.setdefault(role, {})[step.path] = step
        return found

    def open_to(self, some: set[str], others: set[str]) -> list[StepPlace]:
        """Return the steps that may be taken both by one of some roles and by one of the others."""
        here, there = (
            {path: step for role in roles for path, step in self._by_role.get(role, {}).items()}
            for roles in (some, others)
        )
        return [step for path, step in here.items() if path in there]

    @cached_property
    def entered_by(self) -> Mapping[str | None, Mapping[str, set[str]]]:
        """For each flow, by state: the roles that an action which leads there is open to."""
        found: dict[str | None, dict[str, set[str]]] = {}
        for place in self.places:
            states = found.setdefault(place.kind, {})
            for action in place.flow.actions.values():
                for way in action.ways:
                    target = target_of(action, way)
                    if target is not None:
                        states.setdefault(target, set()).update(action.by)
        return found

    @cached_property
    def calls(self) -> tuple[CallPlace, ...]:
        """Every effect, of actions, outcomes and openings."""
        found = []
        for step in self.steps:
            for index, call in enumerate(step.step.effect):
                found.append(CallPlace(step, (*step.path, "effect", index), call, None))
            for turn, way in enumerate(step.step.outcomes if isinstance(step.step, ActionSpec) else ()):
                for index, call in enumerate(way.effect):
                    path = (*step.path, "outcomes", turn, "effect", index)
                    found.append(CallPlace(step, path, call, way))
        return tuple(found)

    @cached_property
    def stored(self) -> Mapping[str, FieldSpec | None]:
        """What `set` effects store, by name, with the form field that it comes from."""
        found: dict[str, FieldSpec | None] = {}
        if self.workflow.results or self.workflow.results_asked:
            found[RESULT] = None  # what it ended with is stored by itself
        for place in self.calls:
            if place.call.name == "set":
                for name, source in place.call.params.items():
                    found[name] = place.step.fields.get(str(source))
        return found

    @cached_property
    def handed(self) -> Mapping[str, Mapping[str, FieldSpec]]:
        """What effects `open` store in the tasks that they open (`data`), by kind, with the field that it comes from."""
        found: dict[str, dict[str, FieldSpec]] = {}
        for _ in range(_HANDED_ON):
            for place in self.places:
                given = found.get(place.kind or "", {})
                for own, calls in _calls_of(self.workflow, place):
                    fields = {**given, **own}
                    for call in calls:
                        data = call.params.get("data") if call.name == "open" else None
                        if isinstance(data, dict):
                            kept = {str(name): fields[str(one)] for name, one in data.items() if str(one) in fields}
                            found.setdefault(str(call.params.get("task")), {}).update(kept)
        return found

    @cached_property
    def asked_overdue(self) -> frozenset[str]:
        """The clocks of which a condition asks whether they are overdue: that is what they are for."""
        return frozenset(key.removeprefix(_OVERDUE) for key in _keys(self.findings.data) if key.startswith(_OVERDUE))

    @cached_property
    def opened_by_lines(self) -> frozenset[str]:
        """The kinds of task that lines of documents open: who issues the document decides who opens them."""
        return frozenset(kind.opens for kind in self.workflow.documents.values() if kind.opens is not None)

    @cached_property
    def settling(self) -> frozenset[tuple[str | None, str | None]]:
        """The actions by which documents settle what they gathered: kind of task and action; no form is filled in."""
        return frozenset((kind.gathers, kind.settles) for kind in self.workflow.documents.values() if kind.settles)

    @cached_property
    def merged_into(self) -> frozenset[str]:
        """The states of the main flow in which a merged grievance waits for its lead."""
        return frozenset(
            target
            for action in self.workflow.actions.values()
            for way in action.ways
            if has_effect(action, way, "merge") and (target := target_of(action, way)) is not None
        )

    def actors(self, place: FlowPlace) -> tuple[str, ...]:
        """Return the names that may stand in `to`, `copy` and `watched_by` of a flow."""
        special = (HOLDER, OPENER) if place.kind is not None else ()
        return (*self.workflow.roles, *special)

    def held_by_lead(self, state: str) -> bool:
        """Say whether a state of the main flow is held by the lead unit."""
        spec = self.workflow.states.get(state)
        role = self.workflow.roles.get(spec.holder or "") if spec else None
        return role is not None and role.unit == "lead"


def _keys(node: object) -> Iterator[str]:
    """Give every key of a definition, however deep."""
    if isinstance(node, dict):
        for key, inner in node.items():
            yield str(key)
            yield from _keys(inner)
    elif isinstance(node, list):
        for inner in node:
            yield from _keys(inner)


def _calls_of(workflow: Workflow, place: FlowPlace) -> Iterator[tuple[Mapping[str, FieldSpec], list[EffectCall]]]:
    """Give, for every step of a flow that has effects, its fields and those that the task was opened with."""
    opening = workflow.tasks[place.kind].open if place.kind is not None else None
    given: Mapping[str, FieldSpec] = opening.needs if opening is not None else {}
    if opening is not None and opening.effect:
        yield given, list(opening.effect)
    for action in place.flow.actions.values():
        calls = [*action.effect, *(call for way in action.outcomes for call in way.effect)]
        if calls:
            yield {**given, **action.needs}, calls


def target_of(action: ActionSpec, way: Branch) -> str | None:
    """Return where a way of an action leads; None where the state stays."""
    return way.to if way.to is not None else action.to


def has_effect(action: ActionSpec, way: Branch, name: str) -> bool:
    """Say whether this way of the action has the effect."""
    return any(call.name == name for call in (*action.effect, *way.effect))

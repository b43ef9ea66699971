"""A workflow made ready to run: its flows, and what is looked up on every step of any of them.

The checker has proved the definition before this is built: `transitions` accepts broken machines silently.
"""

from collections.abc import Iterator, Mapping

from pydantic import BaseModel

from wuye_loop.domain.errors import IllegalAction
from wuye_loop.domain.language.conditions import Condition
from wuye_loop.domain.language.intake import SourceSpec
from wuye_loop.domain.language.workflow import ActionSpec, Branch, DutyUnit, EstateUnit, Join, TaskKind, Times, Workflow
from wuye_loop.domain.rules.flow import FlowMachine
from wuye_loop.domain.rules.roles import CompiledRole
from wuye_loop.domain.suggesting.patterns import RedWords, Scoring
from wuye_loop.domain.terms import Kind, Urgency
from wuye_loop.domain.time.quiet_hours import QuietHours
from wuye_loop.domain.wording.definition import Wording

#: Effects by which a task's action grants something on the grievance.
GRANTING = frozenset({"extend_clock", "act", "exclude", "precedent"})


def conditions_in(part: object) -> Iterator[Condition]:
    """Yield every condition written anywhere in a part of a definition."""
    if isinstance(part, Condition):
        yield part
    elif isinstance(part, BaseModel):
        for name in type(part).model_fields:
            yield from conditions_in(getattr(part, name))
    elif isinstance(part, Mapping):
        for value in part.values():
            yield from conditions_in(value)
    elif isinstance(part, list | tuple):
        for value in part:
            yield from conditions_in(value)


def _seeing(workflow: Workflow) -> dict[tuple[str | None, str], tuple[DutyUnit | EstateUnit, ...]]:
    """Return by task kind (None: the main flow) and state the roles found by duty that may act there, or watch.

    Units named by code, the lead, holders and openers see a grievance anyway.
    """
    found: dict[tuple[str | None, str], dict[str, None]] = {}
    for kind, flow in ((None, workflow), *workflow.tasks.items()):
        for state, spec in flow.states.items():
            names = list(spec.watched_by)
            names += [name for action in flow.actions.values() if state in action.from_ for name in action.by]
            if kind is None:
                here = {
                    name: one for name, one in workflow.tasks.items() if not one.open.from_ or state in one.open.from_
                }
                names += [name for one in here.values() for name in one.open.by]
                names += [name for paper in workflow.documents.values() if paper.opens in here for name in paper.by]
            found[kind, state] = dict.fromkeys(names)
    by_duty = {
        name: role.unit
        for name, role in workflow.roles.items()
        if isinstance(role.unit, DutyUnit | EstateUnit) and role.is_ is None
    }
    return {place: tuple(by_duty[name] for name in names if name in by_duty) for place, names in found.items()}


def resting(workflow: Workflow) -> frozenset[str]:
    """Return the states in which a grievance rests (挂起): its assessed clock is paused, and no task leads on from there."""
    paused = {state for clock in workflow.clocks.values() if clock.assessed for state in clock.paused}
    brought = {join.act for join in workflow.joins}
    for kind in workflow.tasks.values():
        for step in (kind.open, *kind.actions.values()):
            ways = getattr(step, "outcomes", ())
            brought |= {name for part in (step, *ways) for name in getattr(part, "then", ())}
            brought |= {
                str(call.params.get("value")) for part in (step, *ways) for call in part.effect if call.name == "act"
            }
    left = {state for name in brought if name in workflow.actions for state in workflow.actions[name].from_}
    return frozenset(
        state
        for state in paused - left
        if state in workflow.states and not workflow.states[state].parked and not workflow.states[state].final
    )


def grants(action: ActionSpec) -> bool:
    """Say whether an action of a task grants something on the grievance, in one of its outcomes at least."""
    parts: tuple[ActionSpec | Branch, ...] = (action, *action.outcomes)
    return any(part.then or any(call.name in GRANTING for call in part.effect) for part in parts)


def _granting(workflow: Workflow) -> frozenset[tuple[str, str]]:
    """Return the actions by kind of task and name that grant something on the grievance: the requester never decides."""
    return frozenset(
        (kind, name)
        for kind, task in workflow.tasks.items()
        if not task.opener_decides
        for name, action in task.actions.items()
        if grants(action)
    )


def _counts(limit: Times | None) -> tuple[str, ...]:
    """Return what an action is counted for: in all, in the cycle, and at its level or assignment where a limit asks."""
    asked = (limit.prefix,) if limit is not None and limit.per in ("level", "assignment") else ()
    return ("", "cycle_", *asked)


class Rules:
    """One published workflow, compiled. Build once, share: it holds no grievance."""

    def __init__(self, workflow: Workflow) -> None:
        self.workflow = workflow
        self.id = workflow.id
        self.main = FlowMachine(workflow)
        self.tasks = {name: FlowMachine(kind) for name, kind in workflow.tasks.items()}
        codes = {role.unit for role in workflow.roles.values() if isinstance(role.unit, str)}
        self.fixed_units: tuple[str, ...] = tuple(sorted(codes - {"lead", "assist"}))
        self.rivals: dict[str, set[str]] = {}
        for group in workflow.separate:
            for one in group:
                self.rivals.setdefault(one, set()).update(other for other in group if other != one)
        leads = [name for name, role in workflow.roles.items() if role.unit == "lead"]
        self.lead_rivals = tuple(dict.fromkeys(rival for name in leads for rival in sorted(self.rivals.get(name, ()))))
        self.seeing = _seeing(workflow)
        self.resting = resting(workflow)
        self.grants = _granting(workflow)
        self.pausing = any(kind.pauses for kind in workflow.tasks.values())
        limited = {f"done.{name}": action.limit for name, action in workflow.actions.items()}
        limited |= {f"tasks.{name}": kind.open.limit for name, kind in workflow.tasks.items()}
        #: Under which names an action, or the opening of a kind of task, is counted.
        self.counted_as: dict[str, tuple[str, ...]] = {
            name: tuple(prefix + name for prefix in _counts(limit)) for name, limit in limited.items()
        }
        #: The clocks of the main flow that belong to a level or to an assignment; for which of these anything is counted.
        self.clocks_per: dict[str, list[str]] = {}
        for name, clock in workflow.clocks.items():
            self.clocks_per.setdefault(clock.per, []).append(name)
        self.counts_per = frozenset(limit.per for limit in limited.values() if limit is not None)
        self.roles = {name: CompiledRole.of(role) for name, role in workflow.roles.items()}
        self.asks_precedents = any(router.kind == "precedent" for router in workflow.routers)
        self.quiet = QuietHours.parse(workflow.calendar.quiet)
        self.joins: dict[str, list[Join]] = {
            state: [join for join in workflow.joins if state in workflow.actions[join.act].from_]
            for state in workflow.states
        }
        self._channels = {channel: name for name, source in workflow.sources.items() for channel in source.channels}
        self._other = next((name for name, source in workflow.sources.items() if not source.channels), None)
        self._wording = Wording(workflow)
        self._words: dict[Condition, Mapping[str, str]] = {}
        #: The result that a final state gives by itself.
        self.ends_as = {state: name for name, result in workflow.results.items() for state in result.in_}
        self.scoring = Scoring.of(workflow.intake)
        #: The words that an order's fields may be, and that name nobody: kinds, urgencies, categories, channels.
        self.terms = frozenset(
            (*Kind, *Urgency, *self._channels, *(one.category for one in workflow.intake.categories))
        )
        self.red_lines = [RedWords(line) for line in workflow.intake.red_lines]

    def words_of(self, condition: Condition) -> Mapping[str, str]:
        """Return what each fact of a condition must be, in the titles of this definition."""
        found = self._words.get(condition)
        if found is None:
            found = self._words[condition] = self._wording.clauses(condition)
        return found

    def title_of(self, action: str) -> str:
        """Return the title of an action of the main flow, or its name."""
        spec = self.workflow.actions.get(action)
        return spec.title if spec else action

    def source_of(self, channel: str) -> tuple[str | None, SourceSpec | None]:
        """Return name and rules of the source that an order's channel stands for; (None, None) where the file has none."""
        name = self._channels.get(channel, self._other)
        return name, self.workflow.sources[name] if name is not None else None

    def suggest(self, title: str, body: str) -> str | None:
        """Return the category that the file's words suggest for a title and a body, or None."""
        best = self.scoring.best(title, body)
        return best.category if best is not None else None

    def machine(self, task_kind: str | None) -> FlowMachine:
        """Return the machine of the main flow or of a kind of task."""
        return self.main if task_kind is None else self.tasks[task_kind]

    def task_kind(self, kind: str) -> TaskKind:
        """Return a kind of task.

        Raises IllegalAction when the workflow has none of that name.
        """
        found = self.workflow.tasks.get(kind)
        if found is None:
            raise IllegalAction("没有这种任务", extra={"tasks": sorted(self.workflow.tasks)})
        return found

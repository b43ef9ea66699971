"""Which way a grievance usually goes: the action that takes it on from each state, and what may happen instead."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

from wuye_loop.domain.grievance.roles import SYSTEM_ROLE
from wuye_loop.domain.language.workflow import ActionSpec, Workflow
from wuye_loop.domain.rules.flow import BACK
from wuye_loop.domain.terms import Stage

_STAGES: Final = tuple(Stage)
_ASIDE: Final = 0.05  # share of an action that goes back or elsewhere, where the staff file does not say
_REFUSED: Final = 0.03  # share of an action that ends a grievance before it was handled
_NOT_WORK: Final = frozenset({"merge", "unmerge", "urged"})


class Usual(NamedTuple):
    """Minutes of work and workdays of waiting (for materials, for a visit) of an action, where nobody says."""

    minutes: float
    wait: float


BY_PEOPLE: Final[Mapping[Stage, Usual]] = {
    Stage.COLLECT: Usual(5, 0),
    Stage.ASSIGN: Usual(4, 0),
    Stage.HANDLE: Usual(60, 1),
    Stage.ESCALATE: Usual(60, 1),
    Stage.FEEDBACK: Usual(8, 0),
    Stage.EVALUATE: Usual(5, 0),
}


@dataclass(frozen=True, slots=True)
class State:
    """What happens in one state: who works there (None: the complainant, or nobody), what they do, how often."""

    name: str
    stage: Stage
    worker: str | None
    main: str | None
    aside: Mapping[str, float]  # other actions of the worker that move the grievance, each with its usual share

    @property
    def actions(self) -> tuple[str, ...]:
        """Every action that may be taken here, the usual one first."""
        return (() if self.main is None else (self.main,)) + tuple(self.aside)


def states_of(workflow: Workflow) -> dict[str, State]:
    """Return every open state of the main flow with its usual way on.

    The usual action leads to the nearest later stage (escalation last of all), else on within the stage; what leads
    back, or ends a grievance before it was evaluated, is seldom.
    """
    line = _Line(workflow)
    return {name: line.state(name) for name, state in workflow.states.items() if not state.final and not state.parked}


class _Line:
    def __init__(self, workflow: Workflow) -> None:
        self._workflow = workflow
        self._places = {name: (self._stage(name), n) for n, name in enumerate(workflow.states)}
        finals = [name for name, state in workflow.states.items() if state.final]
        last = max((self._places[name][0] for name in finals), default=0)
        self._ends = self._reaching(name for name in finals if self._places[name][0] == last)

    def state(self, name: str) -> State:
        spec = self._workflow.states[name]
        worker, ranked = self._by(name, spec.holder)
        if not ranked and self._has_unit(spec.holder):
            others = (role for role in self._workflow.roles if role != spec.holder and self._has_unit(role))
            found = next(((role, ways) for role in others if (ways := self._by(name, role)[1])), None)
            worker, ranked = found or (spec.holder, [])
        main = ranked[0][1] if ranked else None
        aside = {action: self._share(rank) for rank, action in ranked[1:]}
        return State(name, _STAGES[self._places[name][0]], worker, main, aside)

    def _by(self, name: str, role: str | None) -> tuple[str | None, list[tuple[tuple[int, ...], str]]]:
        """Return the role if it has a unit, and its actions here in the order in which they are usual."""
        ranked = []
        for action, spec in self._workflow.actions.items():
            if name in spec.from_ and role in spec.by:
                target = self._target(spec)
                if target is not None:
                    ranked.append((self._rank(name, target), action))
        return (role if self._has_unit(role) else None), sorted(ranked)

    def _rank(self, name: str, target: str) -> tuple[int, ...]:
        here, there = self._places[name], self._places[target]
        if target not in self._ends:
            return (5, *there)
        if there <= here or target == name:
            return (4, -there[0], -there[1])
        if there[0] == _STAGES.index(Stage.ESCALATE):
            return (3, *there)
        return (1 if there[0] > here[0] else 2, *there)

    def _share(self, rank: tuple[int, ...]) -> float:
        """Of several ways on, one is usual and the others are left to the staff file."""
        return {5: _REFUSED, 4: _ASIDE}.get(rank[0], 0.0)

    def _target(self, spec: ActionSpec) -> str | None:
        """Return the state that an action is taken for: the first that it may lead to; None for a mere doing."""
        names = {call.name for call in spec.effect} | {call.name for way in spec.ways for call in way.effect}
        targets = [way.to or spec.to for way in spec.ways]
        found = next((target for target in targets if target is not None and target != BACK), None)
        if found is None or names & _NOT_WORK or self._workflow.states[found].parked:
            return None
        return found

    def _has_unit(self, role: str | None) -> bool:
        spec = self._workflow.roles.get(role or "")
        return spec is not None and spec.unit is not None

    def _stage(self, name: str) -> int:
        stage = self._workflow.states[name].stage
        return _STAGES.index(stage) if stage else 0

    def _reaching(self, ends: Iterable[str]) -> frozenset[str]:
        found = set(ends)
        while True:
            more = {
                source
                for spec in self._workflow.actions.values()
                if self._target(spec) is not None and any((way.to or spec.to) in found for way in spec.ways)
                for source in spec.from_
            }
            if more <= found:
                return frozenset(found)
            found |= more


def system_may(spec: ActionSpec, state: str) -> bool:
    """Say whether the system takes this action in this state."""
    return state in spec.from_ and SYSTEM_ROLE in spec.by

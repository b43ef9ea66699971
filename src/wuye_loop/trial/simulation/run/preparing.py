"""What is done next with a grievance where an `if` may speak against it: what it asks for is done first, if it can be."""

from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

from wuye_loop.domain.grievance.roles import SYSTEM_ROLE
from wuye_loop.domain.rules.flow import BACK
from wuye_loop.trial.simulation.inputs.needs import MOST, Need, needs_of
from wuye_loop.trial.simulation.run.assigning import Assigning
from wuye_loop.trial.simulation.run.desk import Desk, QueuedCase
from wuye_loop.trial.simulation.run.flow import ActionLine, Flow, StateLine
from wuye_loop.trial.simulation.run.moving import Moving

_BY_TIME: Final = frozenset({"hour", "workday", "age_workdays"})
_OVERDUE: Final = "overdue."


class Hand(NamedTuple):
    """Who takes a step: a unit, or somebody outside all units, such as the complainant."""

    desk: Desk | None
    outside: bool


class Piece(NamedTuple):
    """One piece of work: an action, what the same people do just before it, and who they are."""

    first: Sequence[ActionLine]
    action: ActionLine
    hand: Hand


class Preparing:
    """Plans pieces of work; marks the states in which that must be done with care."""

    def __init__(self, flow: Flow, moving: Moving, assigning: Assigning) -> None:
        self._flow = flow
        self._moving = moving
        self._assigning = assigning
        self._needs = {name: needs_of(flow.workflow, flow.workflow.actions[name])
                       for name, line in flow.actions.items() if line.guard is not None}  # fmt: skip
        self._ahead: dict[str, list[Need]] = {}  # what must be done in a state because it cannot be done later
        for state in flow.states.values():
            for action in self._able(state):
                for need in self._asked(action.name, set()):
                    self._look_ahead(state, need)
        for state in flow.states.values():
            names = {action.name for action in self._able(state)}
            asked = {need.first or "" for name in names for need in self._asked(name, set())}
            facts = [need.fact for name in names | asked for need in self._needs.get(name, ())]
            state.careful = bool(asked) or state.name in self._ahead
            state.plain = None if state.careful else state.plain
            state.timed = any(fact in _BY_TIME or fact.startswith(_OVERDUE) for fact in facts)

    def needs(self, action: ActionLine) -> Sequence[Need]:
        """Return what an action asks for."""
        return self._needs.get(action.name, ())

    @staticmethod
    def _able(state: StateLine) -> list[ActionLine]:
        return [] if state.final else [*(action for _, action in state.choices), *state.spare]

    def _asked(self, name: str, seen: set[str]) -> Iterator[Need]:
        """Give what an action asks to be done first, and what that asks for in its turn."""
        for need in self._needs.get(name, ()):
            if need.first is not None and need.first not in seen:
                seen.add(need.first)
                yield need
                yield from self._asked(need.first, seen)

    def _look_ahead(self, state: StateLine, need: Need) -> None:
        first = self._flow.actions[need.first or ""]
        first.keeps = self._stays(first)
        if first.keeps and state.name not in first.froms:
            for name in first.froms:
                self._ahead.setdefault(name, []).append(need)

    @staticmethod
    def _stays(action: ActionLine) -> bool:
        here = next(iter(action.froms), None) if len(action.froms) == 1 else None
        return all(way.to in (None, here) and not way.effects and not way.then for way in action.ways)

    # --- plans ------------------------------------------------------------------------------------------------------

    def piece(self, case: QueuedCase, state: StateLine, drawn: ActionLine) -> Piece | None:
        """Return the next piece of work: for the action that was drawn, else for another; None where none is lawful."""
        for action in (drawn, *(one for _, one in state.choices), *state.spare):
            steps = self._steps(case, state, action)
            if steps is None:
                action.barred += 1
                continue
            hands = [self.hand(case, state, step) for step in steps[:-1]]
            last = steps[-1]
            hands.append(self._worker(case, state) if last is action else self.hand(case, state, last))
            whose = hands[0]
            if whose is None:
                continue
            number = next((n for n, hand in enumerate(hands) if hand != whose), len(hands))
            return Piece(steps[: number - 1], steps[number - 1], whose)
        return None

    def possible(self, case: QueuedCase, state: StateLine) -> bool:
        """Say whether anything can be done with a grievance here now."""
        return any(self._steps(case, state, action) is not None for action in self._able(state))

    def _steps(self, case: QueuedCase, state: StateLine, action: ActionLine) -> list[ActionLine] | None:
        """Return what is done up to an action, or up to the first step that leads elsewhere; None if it cannot be."""
        facts = self._moving.facts(case)
        steps: list[ActionLine] = []
        if not self._reach(case, state, action, facts, steps, ()):
            return None
        if not steps or steps[-1].keeps:
            for need in self._ahead.get(state.name, ()):
                self._do_ahead(case, state, need, facts, steps)
            steps.append(action)
        return steps

    def _do_ahead(
        self, case: QueuedCase, state: StateLine, need: Need, facts: dict[str, Any], steps: list[ActionLine]
    ) -> None:
        later, more = dict(facts), list[ActionLine]()
        if self.met(case, state, need, later, more, ()) and all(step.keeps for step in more):
            facts.update(later)
            steps += more

    def _reach(
        self,
        case: QueuedCase,
        state: StateLine,
        action: ActionLine,
        facts: dict[str, Any],
        steps: list[ActionLine],
        path: tuple[str, ...],
    ) -> bool:
        """Add what makes an action lawful to the steps; say whether anything does."""
        if action.name in path or not self._moving.allowed(case, action, facts):
            return False
        for need in self.needs(action):
            if need.first is not None:
                if not self.met(case, state, need, facts, steps, (*path, action.name)):
                    return False
                if steps and not steps[-1].keeps:
                    return True  # it leads elsewhere: what then is to be done is seen there
        return action.guard is None or action.guard.holds(facts)

    def met(
        self,
        case: QueuedCase,
        state: StateLine,
        need: Need,
        facts: dict[str, Any],
        steps: list[ActionLine],
        path: tuple[str, ...],
    ) -> bool:
        """Add to the steps, and to the facts, what meets a need, as far as that goes; say whether it does."""
        while not need.condition.holds(facts):
            if facts.get(need.fact, 0) >= MOST or not self._step(case, state, need, facts, steps, path):
                return False
            if not steps[-1].keeps:
                return True
        return True

    def _step(
        self,
        case: QueuedCase,
        state: StateLine,
        need: Need,
        facts: dict[str, Any],
        steps: list[ActionLine],
        path: tuple[str, ...],
    ) -> bool:
        """Add an action that is done for another's sake, and what it asks for itself."""
        first = self._flow.actions[need.first or ""]
        if self.hand(case, state, first) is None or not self._reach(case, state, first, facts, steps, path):
            return False
        if not steps or steps[-1].keeps:
            steps.append(first)
            for key in (f"done.{first.name}", f"cycle_done.{first.name}"):
                facts[key] = facts.get(key, 0) + 1
        return True

    # --- who --------------------------------------------------------------------------------------------------------

    def _worker(self, case: QueuedCase, state: StateLine) -> Hand:
        if state.worker is None:
            return Hand(None, outside=True)
        desk = case.desk if state.own else self._assigning.unit_of(state.worker, case) or case.desk
        return Hand(desk, outside=False)

    def hand(self, case: QueuedCase, state: StateLine, action: ActionLine) -> Hand | None:
        """Return who takes a step here: who works here if they may, else a unit that may, else somebody outside."""
        if state.name not in action.froms or self.ends(action):
            return None
        workflow = self._flow.workflow
        by = [role for role in workflow.actions[action.name].by if role != SYSTEM_ROLE]
        if (state.worker or state.holder) in by:
            return self._worker(case, state)
        desks = (self._assigning.unit_of(role, case) for role in by)
        desk = next((desk for desk in desks if desk is not None), None)
        if desk is not None:
            return Hand(desk, outside=False)
        return Hand(None, outside=True) if any(workflow.roles[role].unit is None for role in by) else None

    def ends(self, action: ActionLine) -> bool:
        """Say whether an action may end a grievance or park it: that is never done for another's sake."""
        states = self._flow.workflow.states
        targets = [way.to for way in action.ways if way.to is not None and way.to != BACK]
        return any(states[target].final or states[target].parked for target in targets)

"""What stands at the end of a run because an `if` was never met, and what was never possible: said in words."""

from collections import Counter
from collections.abc import Set as AbstractSet
from typing import Any, Final, NamedTuple

from wuye_loop.domain.wording.definition import Wording
from wuye_loop.trial.simulation.run.desk import QueuedCase
from wuye_loop.trial.simulation.run.flow import ActionLine, StateLine
from wuye_loop.trial.simulation.run.run import Run

_KNOWN: Final = ("done.", "cycle_done.", "overdue.")  # what a run keeps beside the facts of a grievance
_NEVER: Final = "办完了也没有一个结果适用"
_NOBODY: Final = "没有单位来办"
_NO_WAY: Final = "没有单位在这里办，也没有时限会再把它办下去"
LATE: Final = "次数已满或已过期限"


class Stuck(NamedTuple):
    """Where grievances stand: in which state, before which action (empty: none leads on), for which reason."""

    state: str
    action: str
    reason: str


def stuck_in(run: Run) -> tuple[dict[Stuck, int], dict[str, str]]:
    """Return how many grievances stand where and why, and what was to be done and never was, with what it needs."""
    reasons = Reasons(run)
    found = Counter(one for case in run.moving.live.values() if (one := reasons.of(case)) is not None)
    wording = Wording(run.flow.workflow)
    stand = {one.action for one in found} | reasons.waiting
    never = {
        name: wording.condition(run.flow.workflow.actions[name].if_)
        for name, action in run.flow.actions.items()
        if action.barred and not action.taken and name not in stand
    }
    return dict(found), never


class Reasons:
    """Finds out why a grievance stands."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._moving = run.moving
        self._preparing = run.preparing
        self._wording = Wording(run.flow.workflow)
        self.waiting: set[str] = set()  # actions that a clock will make possible

    def of(self, case: QueuedCase) -> Stuck | None:
        """Return where a grievance stands, and why; None for one that is on its way."""
        state = case.state
        if state is None:
            return None
        if not state.choices:
            return None if self._awaits(case, state, None) else Stuck(state.name, "", _NO_WAY)
        usual = state.choices[0][1]
        if usual.failed and not usual.taken:
            return Stuck(state.name, usual.name, _NEVER)
        if case.pending is not None or usual.free or self._preparing.possible(case, state):
            return None
        if self._awaits(case, state, {need.first for need in self._preparing.needs(usual)}):
            self.waiting.add(usual.name)
            return None
        return Stuck(state.name, usual.name, "；".join(self._why(case, state, usual, self._moving.facts(case), ())))

    def _awaits(self, case: QueuedCase, state: StateLine, acts: AbstractSet[str | None] | None) -> bool:
        """Say whether a clock will still take an action here: one of these, or any that is lawful in the state."""
        now, actions = self._run.agenda.now, self._run.flow.actions
        running = [timer for timer in case.timers.values() if timer.stopped is None]
        marks = [mark for timer in running for mark in timer.line.marks(timer.due).acting]
        return any(
            at >= now and (state.name in actions[rung.act or ""].froms if acts is None else rung.act in acts)
            for at, rung in marks
        )

    def _why(
        self, case: QueuedCase, state: StateLine, action: ActionLine, facts: dict[str, Any], path: tuple[str, ...]
    ) -> list[str]:
        """Say what speaks against an action; what can be done first is counted as done."""
        words = [] if self._moving.allowed(case, action, facts) else [LATE]
        path = (*path, action.name)
        for need in self._preparing.needs(action):
            if need.condition.holds(facts):
                continue
            asked = f"需要{self._wording.condition(need.condition)}"
            if need.first is None:
                known = need.fact in facts or need.fact.startswith(_KNOWN)
                words.append(asked if known else f"{asked}，模拟不做")
            elif not self._preparing.met(case, state, need, facts, [], path):
                first = self._run.flow.actions[need.first]
                words.append(f"{asked}（{self._why_not(case, state, first, facts, path)}）")
        return words

    def _why_not(
        self, case: QueuedCase, state: StateLine, first: ActionLine, facts: dict[str, Any], path: tuple[str, ...]
    ) -> str:
        """Say why an action cannot be done for another's sake."""
        title = f"“{first.title}”"
        if state.name not in first.froms:
            return f"“{state.title}”时不能办{title}"
        if first.name in path:
            return f"{title}又要求先办“{self._run.flow.actions[path[-1]].title}”"
        if self._preparing.ends(first):
            return f"办了{title}就结束或挂起了"
        if self._preparing.hand(case, state, first) is None:
            return f"{title}由系统办，还没有办" if first.system else f"{_NOBODY}{title}"
        inner = self._why(case, state, first, facts, path)
        return f"{title}{'又' if inner and inner[0] != LATE else ''}{'；'.join(inner)}"

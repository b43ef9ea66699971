"""One flow made ready to run: its `transitions` machine, and the ways, states and clocks that steps look up."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from transitions import EventData, Machine

from wuye_loop.domain.errors import IllegalAction
from wuye_loop.domain.language.conditions import Condition
from wuye_loop.domain.language.workflow import ActionSpec, Flow
from wuye_loop.domain.rules.actions import CompiledAction
from wuye_loop.domain.rules.clocks import CompiledClock

BACK = "back"


@dataclass(slots=True)
class Token:
    """The tiny thing that goes through the machine: never the grievance itself."""

    state: str
    way: int = 0


def _when(index: int, spec: ActionSpec, event: EventData) -> bool:
    return spec.ways[index].when.holds(event.kwargs["facts"])


def _note(index: int, event: EventData) -> None:
    token: Any = event.model  # our Token; the library knows only that it is an object
    token.way = index


def _ways(spec: ActionSpec, source: str, transitions: Sequence[Any]) -> list[tuple[Condition | None, str, int]]:
    """Return what a machine's transitions of one action from one state say: no condition where it always holds."""
    return [
        (None if way.when.always else way.when, transition.dest or source, index)
        for index, (way, transition) in enumerate(zip(spec.ways, transitions, strict=False))
    ]


@dataclass(frozen=True, slots=True)
class CompiledState:
    """A state as every step looks it up: its stage, whether it ends the flow, the role that holds it."""

    stage: str | None
    final: bool
    holder: str | None


class FlowMachine:
    """The machine of one flow: which way an action goes from a state."""

    def __init__(self, flow: Flow) -> None:
        self.flow = flow
        self.start = flow.start
        #: The definition as the library holds it: every step takes the way that it would take.
        self.machine = Machine(
            model=None,
            states=list(flow.states),
            initial=flow.start,
            transitions=[],
            auto_transitions=False,
            send_event=True,
        )
        self.by_state: dict[str, list[str]] = {state: [] for state in flow.states}
        for name, spec in flow.actions.items():
            for source in spec.from_:
                self.by_state[source].append(name)
                self._add(name, spec, source)
        #: Where an action may go from a state, in the order in which the library tries it: (when, to, which way).
        self._ways: dict[tuple[str, str], list[tuple[Condition | None, str, int]]] = {
            (name, source): _ways(flow.actions[name], source, transitions)
            for name, event in self.machine.events.items()
            for source, transitions in event.transitions.items()
        }
        self.actions = {name: CompiledAction.of(spec) for name, spec in flow.actions.items()}
        self.states = {
            name: CompiledState(state.stage, state.final, state.holder) for name, state in flow.states.items()
        }
        #: Its clocks by name, and those that run in each state.
        self.clocks = {name: CompiledClock.of(name, spec) for name, spec in flow.clocks.items()}
        self.during = {
            state: tuple(compiled for compiled in self.clocks.values() if state in compiled.spec.during)
            for state in flow.states
        }

    def _add(self, name: str, spec: ActionSpec, source: str) -> None:
        for index, way in enumerate(spec.ways):
            target = way.to if way.to is not None else spec.to
            internal = target is None or target == BACK
            self.machine.add_transition(
                name,
                source,
                None if internal else target,
                conditions=[partial(_when, index, spec)],
                before=[partial(_note, index)],
            )

    def fire(self, action: str, state: str, facts: Mapping[str, Any]) -> tuple[str, int]:
        """Return the state the action leads to and which outcome was taken.

        The machine's own transitions in its own order, without the callbacks and the logging that trigger() spends most
        of its time on; a test holds the two side by side. Raises IllegalAction when the state knows no such action or
        no outcome fits.
        """
        ways = self._ways.get((action, state))
        if ways is None:
            raise IllegalAction("当前状态下不能这样办")
        for when, target, way in ways:
            if when is None or when.holds(facts):
                return target, way
        raise IllegalAction("没有适用的结果")

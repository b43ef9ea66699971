"""What the `if` of an action asks for, fact by fact, and which other actions of the flow would bring it about."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from wuye_loop.domain.grievance.roles import SYSTEM_ROLE
from wuye_loop.domain.language.conditions import Condition
from wuye_loop.domain.language.workflow import ActionSpec, Workflow

MOST: Final = 12  # times that one action is done for another's sake
_COUNTS: Final = frozenset({"done", "cycle_done"})


@dataclass(frozen=True, slots=True)
class Need:
    """One fact of a guard with what it must be; `first` is the action that is done, as often as needed, to get there."""

    fact: str
    condition: Condition
    first: str | None


def needs_of(workflow: Workflow, action: ActionSpec) -> tuple[Need, ...]:
    """Return what the `if` of an action asks for, a need for each fact."""
    parts = ((fact, Condition.parse({fact: matcher})) for fact, matcher in action.if_.raw.items())
    return tuple(Need(fact, condition, _first(workflow, fact, condition)) for fact, condition in parts)


def _first(workflow: Workflow, fact: str, condition: Condition) -> str | None:
    """Return the action that is counted, where doing it would help who has not done it yet."""
    family, _, name = fact.partition(".")
    if family not in _COUNTS or name not in workflow.actions or condition.holds({}):
        return None
    return name if any(condition.holds({fact: times}) for times in range(1, MOST + 1)) else None


def firsts_of(workflow: Workflow) -> Mapping[str, tuple[str, ...]]:
    """Return for each action that people take the actions that must be done first, where there are any."""
    found = {}
    for name, spec in workflow.actions.items():
        firsts = tuple(need.first for need in needs_of(workflow, spec) if need.first is not None)
        if firsts and set(spec.by) != {SYSTEM_ROLE}:
            found[name] = tuple(dict.fromkeys(firsts))
    return found

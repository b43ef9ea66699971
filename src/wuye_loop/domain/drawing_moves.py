"""What a drawing shows of a flow: its moves, each with a number of its own, and the lines between two states."""

from collections.abc import Mapping
from dataclasses import dataclass

from wuye_loop.domain.workflow import ActionSpec, Flow, Workflow

BACK = "back"
SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class Move:
    """One action to one place: from which states, by which roles, and when (for one of several outcomes).

    `returns` marks a way `back`: its targets are the states from which its sources are entered.
    """

    number: int
    action: str
    title: str
    sources: tuple[str, ...]
    targets: tuple[str, ...]
    by: tuple[str, ...]
    when: str
    returns: bool = False

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """The lines that carry this number."""
        return [(source, target) for source in self.sources for target in self.targets if source != target]

    @property
    def automatic(self) -> bool:
        """Whether the system may take it."""
        return SYSTEM in self.by


@dataclass(frozen=True, slots=True)
class Tally:
    """How many grievances are open in a state, and how many of them are overdue."""

    open: int
    overdue: int


@dataclass(frozen=True, slots=True)
class Today:
    """What a live drawing adds: when it was counted, in words, and the tally of every state that has any."""

    when: str
    tallies: Mapping[str, Tally]


def moves(workflow: Workflow, flow: Flow, first: int = 1) -> list[Move]:
    """Return every move of a flow in the order of the file, numbered from `first`."""
    entered: dict[str, list[str]] = {}
    found: list[tuple[str, ActionSpec, str, str]] = []
    for name, action in flow.actions.items():
        for target, when in _targets(workflow, action).items():
            found.append((name, action, target, when))
            if target != BACK:
                entered.setdefault(target, []).extend(action.from_)
    made: list[Move] = []
    for name, action, target, when in found:
        returns = target == BACK
        ends = [end for source in action.from_ for end in entered.get(source, ())] if returns else [target]
        move = Move(
            first + len(made), name, action.title, action.from_, tuple(dict.fromkeys(ends)), action.by, when, returns
        )
        if move.pairs:
            made.append(move)
    return made


def stays(flow: Flow, made: list[Move]) -> list[str]:
    """Return the actions that never lead to another state."""
    moving = {move.action for move in made}
    return [name for name in flow.actions if name not in moving]


def rest_stays(action: ActionSpec) -> bool:
    """Say whether some outcome of an action that moves leaves the state as it is."""
    ends = [way.to if way.to is not None else action.to for way in action.ways]
    return None in ends and any(ends)


def _targets(workflow: Workflow, action: ActionSpec) -> dict[str, str]:
    """Return where an action leads, and in words when: outcomes with the same end are one."""
    found: dict[str, list[str]] = {}
    for index, way in enumerate(action.ways):
        target = way.to if way.to is not None else action.to
        if target is not None:
            said = condition_words(workflow, action, way.when) or ("其余情形" if index else "")
            found.setdefault(target, []).append(said)
    return {target: "；或者 ".join(filter(None, said)) for target, said in found.items()}


def condition_words(workflow: Workflow, action: ActionSpec | None, condition: object) -> str:
    """Say in words what a condition asks, with the titles of fields, actions, tasks and clocks in place of their names."""
    raw = getattr(condition, "raw", None)
    if not raw:
        return ""
    words = str(condition.describe())  # type: ignore[attr-defined]
    return retitled(workflow, action, words)


def retitled(workflow: Workflow, action: ActionSpec | None, words: str) -> str:
    """Put titles in place of the names that a condition's words quote."""
    flows: list[Flow] = [workflow, *workflow.tasks.values()]
    fields = dict(workflow.labels)
    for flow in flows:
        for spec in flow.actions.values():
            fields |= {name: field.title for name, field in spec.needs.items() if field.title}
    if action is not None:
        fields |= {name: field.title for name, field in action.needs.items() if field.title}
    for name, title in fields.items():
        for family in ("所填", "所存", "附加字段"):
            words = words.replace(f"{family}“{name}”", f"{title}")
    for name, other in workflow.actions.items():
        words = words.replace(f"动作次数“{name}”", f"“{other.title}”次数")
    for name, kind in workflow.tasks.items():
        words = words.replace(f"任务数“{name}”", f"的“{kind.title}”数").replace(f"任务总数“{name}”", f"“{kind.title}”总数")
    for flow in flows:
        for name, clock in flow.clocks.items():
            words = words.replace(f"已超期“{name}”", f"“{clock.title}”已超期")
    return words

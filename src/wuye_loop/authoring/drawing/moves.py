"""What a drawing shows of a flow: its moves, each with a number of its own, and the lines between two states."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from wuye_loop.domain.language.workflow import ActionSpec, Flow, Workflow
from wuye_loop.domain.terms import Tally
from wuye_loop.domain.wording.definition import Wording

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
class Today:
    """What a live drawing adds: when it was counted, in words, and the tally of every state that has any."""

    when: str
    tallies: Mapping[str, Tally]

    @classmethod
    def at(cls, instant: datetime, zone: str, tallies: Mapping[str, Tally]) -> "Today":
        """Return the counts of an instant, told on the wall clock of a zone."""
        local = instant.astimezone(ZoneInfo(zone))
        return cls(f"{local.year} 年 {local.month} 月 {local.day} 日 {local:%H:%M}", tallies)

    @property
    def caption(self) -> str:
        """What stands over a live drawing."""
        late = sum(tally.overdue for tally in self.tallies.values())
        return f"{self.when} 在办 {sum(tally.open for tally in self.tallies.values())} 件，其中逾期 {late} 件"


def entries(workflow: Workflow, flow: Flow) -> dict[str, tuple[str, ...]]:
    """Return the states in which a flow begins, each with the titles of the sources whose grievances begin there."""
    found: dict[str, list[str]] = {}
    sources = workflow.sources.values() if flow is workflow else ()
    for source in sources:
        found.setdefault(source.start or flow.start, []).append(source.title)
    if all(source.channels for source in sources):  # what comes by any other channel begins as the file does
        found.setdefault(flow.start, [])
    return {name: tuple(found[name]) for name in flow.states if name in found}


def moves(workflow: Workflow, flow: Flow, first: int = 1) -> list[Move]:
    """Return every move of a flow in the order of the file, numbered from `first`."""
    wording = Wording(workflow)
    entered: dict[str, list[str]] = {}
    found: list[tuple[str, ActionSpec, str, str]] = []
    for name, action in flow.actions.items():
        for target, when in _targets(wording, action).items():
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


def stays(flow: Flow, made: Sequence[Move]) -> list[str]:
    """Return the actions that never lead to another state."""
    moving = {move.action for move in made}
    return [name for name in flow.actions if name not in moving]


def rest_stays(action: ActionSpec) -> bool:
    """Say whether some outcome of an action that moves leaves the state as it is."""
    ends = [way.to if way.to is not None else action.to for way in action.ways]
    return None in ends and any(ends)


def _targets(wording: Wording, action: ActionSpec) -> dict[str, str]:
    """Return where an action leads, and in words when: outcomes with the same end are one."""
    found: dict[str, list[str]] = {}
    for index, way in enumerate(action.ways):
        target = way.to if way.to is not None else action.to
        if target is not None:
            said = wording.condition(way.when) or ("其余情形" if index else "")
            found.setdefault(target, []).append(said)
    return {target: "，或".join(filter(None, said)) for target, said in found.items()}

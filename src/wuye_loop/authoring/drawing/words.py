"""What the tables under a drawing say of one flow: ends of moves, restraints, clocks with their letters, triggers."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from wuye_loop.authoring.drawing.moves import BACK, Move, rest_stays
from wuye_loop.domain.language.workflow import (
    ActionSpec,
    ClockSpec,
    EffectCall,
    Flow,
    OpenSpec,
    RungSpec,
    StepSpec,
    TaskKind,
    Workflow,
)
from wuye_loop.domain.time.spans import TimeUnit
from wuye_loop.domain.wording.definition import PER, STARTS, Wording, listed, offset, quoted

_LETTERS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
RANGE: Final = "至 "  # between the shortest and the longest limit of a clock
_MINUTES: Final = {
    TimeUnit.MINUTE: 1, TimeUnit.HOUR: 60, TimeUnit.WORKHOUR: 60, TimeUnit.DAY: 1440, TimeUnit.WORKDAY: 1440,
    TimeUnit.MONTH: 43_200,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Marked:
    """A clock with the letter that stands for it in the picture and the tables, and its limit or their range in words."""

    letter: str
    spec: ClockSpec
    usual: str


class FlowWords:
    """Says the parts of one flow; `first` is how many letters the flows before it have used."""

    def __init__(self, workflow: Workflow, flow: Flow, first: int = 0) -> None:
        self.workflow = workflow
        self.flow = flow
        self.wording = Wording(workflow)
        self._kind = next((name for name, kind in workflow.tasks.items() if kind is flow), None)
        self._titles = _titles(workflow)
        self.clocks = tuple(
            Marked(_letter(first + n), spec, self._titled(self._range(spec)))
            for n, spec in enumerate(flow.clocks.values())
        )

    def titles(self, names: Sequence[str]) -> str:
        """Return the titles of states."""
        return listed(self.flow.states[name].title for name in names)

    def _range(self, spec: ClockSpec) -> str:
        """Say a clock's only limit, or the shortest and the longest; where a date is among them, only that there are several."""
        if len({self.wording.long(limit) for limit in spec.limit}) == 1:
            return self.wording.long(spec.limit[0])
        spans = [limit.is_ for limit in spec.limit if limit.is_ is not None]
        if len(spans) < len(spec.limit):
            return "各有不同，见下"
        short, long = (pick(spans, key=lambda span: span.n * _MINUTES[span.unit]) for pick in (min, max))
        return f"{short.chinese}{RANGE}{long.chinese}"

    def running(self, states: Sequence[str]) -> list[Marked]:
        """Return the clocks that run in any of some states."""
        return [clock for clock in self.clocks if set(states) & set(clock.spec.during)]

    def ends(self, move: Move) -> str:
        """Say from where to where a move leads."""
        sources, targets = self.titles(move.sources), self.titles(move.targets)
        return f"{sources} → 原来的状态（{targets}）" if move.returns else f"{sources} → {targets}"

    def limits(self, clock: ClockSpec) -> str:
        """Say every limit of a clock, from when it counts and how often it starts anew."""
        said = "；".join(self.wording.limit(limit, clock.starts) for limit in clock.limit)
        return self._titled(f"{said}。{STARTS[clock.starts]}，{PER[clock.per]}")

    def ladder(self, clock: ClockSpec) -> str:
        """Say what the system does before, at and after the instant a clock is due."""
        return self._titled("；".join(map(self._rung, clock.ladder))) or "无"

    def _rung(self, rung: RungSpec) -> str:
        return f"{offset(rung.at)}{self.wording.rung(rung, self._kind)}"

    def _titled(self, said: str) -> str:
        """Put titles in place of the names of stored and reported fields, which are not fields of this flow's forms."""
        for name, title in self._titles.items():
            said = said.replace(quoted(name), quoted(title))
        return said

    def restraints(self, step: StepSpec, move: Move | None = None) -> str:
        """Say when a step may be taken: for which outcome, under which guard, how soon, how often, before what is due."""
        said = [move.when if move is not None else "", self.wording.condition(step.if_)]
        if step.within is not None:
            said.append(f"{step.within.chinese}之内")
        if step.limit is not None:
            said.append(self.wording.times(step.limit))
        if step.before_due is not None:
            own = self._kind if step.before_due in self.flow.clocks else None
            said.append(f"{self.wording.clock(step.before_due, own)}到期之前")
        if move is not None and isinstance(step, ActionSpec) and rest_stays(step):
            said.append("其余情形状态不变")
        effects = self._effects(step, move)
        said.append(f"随之{effects}" if effects else "")
        return self._titled("；".join(filter(None, said)))

    def _effects(self, step: StepSpec, move: Move | None) -> str:
        """Say what comes with a step, and with those of its outcomes that lead where the move does."""
        effects = list(step.effect)
        for way in step.ways if isinstance(step, ActionSpec) else ():
            target = way.to if way.to is not None else step.to if isinstance(step, ActionSpec) else None
            if move is None or target in move.targets or (target == BACK and move.returns):
                effects += way.effect
        return listed(said for said in map(self.wording.effect, effects) if said != step.title)

    def triggers(self, name: str) -> str:
        """Say what makes the system take an action: a clock, another action, a join, the lead of a family."""
        said = [
            f"时限 {clock.letter} {offset(rung.at)}"
            for clock in self.clocks
            for rung in clock.spec.ladder
            if rung.act == name
        ]
        said += [
            f"{quoted(other.title)}之后"
            for other in self.flow.actions.values()
            if name in other.then or any(name in way.then for way in other.ways)
        ]
        said += [f"{quoted(action.title)}之后" for action, effect in self._told() if self._tells(effect, name)]
        if self.flow is self.workflow:
            said += [f"一旦{self.wording.condition(j.when)}" for j in self.workflow.joins if j.act == name]
            moves = self.workflow.family.moves.items()
            said += [f"主件{self.wording.action(lead)}之后" for lead, own in moves if own == name]
        return self._titled("；".join(dict.fromkeys(said)))

    def _told(self) -> Iterator[tuple[ActionSpec, EffectCall]]:
        """Yield the effects that make the system act elsewhere, each with the action that has it."""
        for flow in (self.workflow, *self.workflow.tasks.values()):
            for action in flow.actions.values():
                for effect in (*action.effect, *(effect for way in action.ways for effect in way.effect)):
                    if effect.name in ("act", "act_tasks"):
                        yield action, effect

    def _tells(self, effect: EffectCall, name: str) -> bool:
        if effect.name == "act":
            return self._kind is None and effect.params.get("value") == name
        return effect.params.get("task") == self._kind and effect.params.get("action") == name

    def opening(self, kind: TaskKind) -> str:
        """Say who opens a task of a kind, in which states, how often, and who holds it."""
        step: OpenSpec = kind.open
        where = self.wording.states(step.from_)
        by = f"由{self.wording.roles(step.by)}" if step.by else "只随逐条交办的文书，"
        fallback = f"（没有时由{self.wording.role(kind.fallback)}）" if kind.fallback else ""
        said = [
            f"{by}在{where or '任何状态'}时{quoted(step.title)}",
            self.restraints(step),
            f"由{self.wording.role(kind.holder)}持有{fallback}",
            "同时只开一件" if kind.single else "",
            self.wording.apart(kind.separate),
        ]
        return "；".join(filter(None, said)) + "。"


def _titles(workflow: Workflow) -> dict[str, str]:
    """Return what people read for the fields that sources report and for what effects store of a form."""
    needs = [source.needs for source in workflow.sources.values()]
    found = {name: field.title for fields in needs for name, field in fields.items() if field.title}
    steps: list[StepSpec] = [kind.open for kind in workflow.tasks.values()]
    steps += [action for flow in (workflow, *workflow.tasks.values()) for action in flow.actions.values()]
    asked = {name: field.title for step in steps for name, field in step.needs.items() if field.title}
    for step in steps:
        for effect in step.effect:
            if effect.name == "set":
                found |= {name: asked[field] for name, field in effect.params.items() if field in asked}
    return found


def _letter(n: int) -> str:
    """Return A to Z, then A1 and on."""
    turn, place = divmod(n, len(_LETTERS))
    return f"{_LETTERS[place]}{turn or ''}"

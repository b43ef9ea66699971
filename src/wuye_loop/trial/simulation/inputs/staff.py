"""Who works: people of each unit, minutes of work of each action, and how often things go another way."""

from collections.abc import Mapping
from typing import Annotated, Final, Self

from pydantic import Field, StringConstraints, model_validator

from wuye_loop.domain.language.forms import FieldSpec
from wuye_loop.domain.language.workflow import Workflow
from wuye_loop.domain.rulefile.reader import YamlDoc
from wuye_loop.trial.simulation.inputs.load import Shares
from wuye_loop.trial.simulation.inputs.mainline import BY_PEOPLE, State, Usual, states_of
from wuye_loop.trial.simulation.inputs.mistakes import BadSimulation, GivenPart, read_model, wrong
from wuye_loop.trial.simulation.inputs.needs import firsts_of
from wuye_loop.trial.simulation.inputs.places import Places

_MOST_PEOPLE: Final = 100_000
_WORST: Final = 0.08  # the last of a scale: the dissatisfied
_BEST: Final = 0.8
_FIRST: Final = Usual(5, 0)  # what is done for another action's sake, such as a call
Hours = tuple[Annotated[str, StringConstraints(pattern=r"^\d\d:\d\d-\d\d:\d\d$")], ...]
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]


class UnitStaff(GivenPart):
    """One unit (or every unit of a duty): how many people work there, and when, if not in the workflow's hours."""

    people: Annotated[int, Field(ge=0, le=_MOST_PEOPLE)] | None = None
    title: str | None = None
    hours: Hours = ()


class Work(GivenPart):
    """One action: minutes of a person's work, their spread (deviation by mean), and the workdays waited for others."""

    minutes: Annotated[float, Field(gt=0, le=100_000)] | None = None
    spread: Annotated[float, Field(ge=0, le=5)] | None = None
    wait: Annotated[float, Field(ge=0, le=1000)] | None = None
    categories: dict[str, Annotated[float, Field(gt=0, le=100_000)]] = Field(default_factory=dict)


class Respond(GivenPart):
    """Complainants who are asked: which share answers, and after how many days on average."""

    share: Share = 0.6
    days: Annotated[float, Field(ge=0, le=365)] = 1.5


class Staff(GivenPart):
    """What a staff file says; what it leaves out is derived from the workflow."""

    units: dict[str, UnitStaff] = Field(default_factory=dict)
    work: dict[str, Work] = Field(default_factory=dict)
    shares: dict[str, Share] = Field(default_factory=dict)
    answers: dict[str, dict[str, Shares]] = Field(default_factory=dict)
    respond: Respond = Respond()
    usage: Annotated[float, Field(gt=0, le=1)] = 0.75  # how busy a unit is whose people are derived

    @model_validator(mode="after")
    def _sound(self) -> Self:
        for action, fields in self.answers.items():
            for field, shares in fields.items():
                if not sum(shares.values()):
                    raise ValueError(f"answers 里 {action} 的 {field} 占比都是 0")
        return self


def read_staff(text: str | bytes, file: str, workflow: Workflow, places: Places) -> Staff:
    """Read a staff file for a workflow. Raises YamlDocError or BadSimulation with file:line:column."""
    staff, doc = read_model(text, file, Staff)
    _check_names(staff, doc, workflow, places)
    return staff


def _check_names(staff: Staff, doc: YamlDoc, workflow: Workflow, places: Places) -> None:
    for name in staff.units:
        if not places.named(name):
            raise wrong(doc, ("units", name), f"流程里没有单位“{name}”；可写：{'、'.join(places.names)}")
    for part, names in (("work", staff.work), ("shares", staff.shares), ("answers", staff.answers)):
        for name in names:
            if name not in workflow.actions:
                raise wrong(doc, (part, name), f"流程里没有动作“{name}”；可写：{'、'.join(workflow.actions)}")
    drawn = _drawn(workflow)
    for name in staff.shares:
        if name not in drawn:
            title = workflow.actions[name].title
            words = f"“{name}”（{title}）不按占比办：别的动作要求它在先时自动先办，由系统办的到时就办"
            raise wrong(doc, ("shares", name), f"{words}；可写：{'、'.join(drawn)}")
    for name, fields in staff.answers.items():
        _check_answers(name, fields, doc, workflow.actions[name].needs)


def _drawn(workflow: Workflow) -> list[str]:
    """Return the actions that are taken by their share: those that lead on from a state, or back from an end."""
    found = {name: None for state in states_of(workflow).values() for name in state.actions}
    ends = {name for name, state in workflow.states.items() if state.final}
    for name, action in workflow.actions.items():
        if ends & set(action.from_) and any((way.to or action.to) is not None for way in action.ways):
            found[name] = None
    return list(found)


def _check_answers(name: str, fields: Mapping[str, Shares], doc: YamlDoc, needs: Mapping[str, FieldSpec]) -> None:
    for field, shares in fields.items():
        if field not in needs:
            raise wrong(doc, ("answers", name, field), f"动作 {name} 的表单没有“{field}”；可写：{'、'.join(needs)}")
        allowed = needs[field].choices or ("true", "false")
        for choice in shares:
            if choice not in allowed:
                raise wrong(doc, ("answers", name, field, choice), f"“{choice}”不在可选项里：{'、'.join(allowed)}")


def changed(people: Mapping[str, int], changes: Mapping[str, int], places: Places) -> dict[str, int]:
    """Return the people of each unit after changes such as -2. Raises BadSimulation for an unknown unit or too few."""
    found = dict(people)
    for name, change in changes.items():
        codes = places.named(name)
        if not codes:
            raise BadSimulation(f"--staff-change：流程里没有单位“{name}”；可写：{'、'.join(places.names)}")
        for code in codes:
            found[code] = found.get(code, 0) + change
            if found[code] < 0:
                raise BadSimulation(f"--staff-change：{code} 只有 {found[code] - change} 人，不能减去 {-change} 人")
    return found


# --- what is derived ------------------------------------------------------------------------------------------------


def work_of(workflow: Workflow, staff: Staff) -> dict[str, Work]:
    """Return the work of every action that people take: as the staff file says, else by the stage it is taken in."""
    found: dict[str, Work] = {}
    for name, state in _taken(workflow).items():
        stage = state.stage
        said = staff.work.get(name, Work())
        usual = BY_PEOPLE[stage]
        found[name] = Work(
            minutes=said.minutes if said.minutes is not None else usual.minutes,
            spread=said.spread if said.spread is not None else 0.5,
            wait=said.wait if said.wait is not None else (usual.wait if name == state.main else 0.0),
            categories=said.categories,
        )
    for name in dict.fromkeys(first for firsts in firsts_of(workflow).values() for first in firsts):
        if name not in found and any(_has_unit(workflow, role) for role in workflow.actions[name].by):
            said = staff.work.get(name, Work())
            found[name] = Work(
                minutes=said.minutes if said.minutes is not None else _FIRST.minutes,
                spread=said.spread if said.spread is not None else 0.5,
                wait=said.wait if said.wait is not None else _FIRST.wait,
                categories=said.categories,
            )
    return found


def _has_unit(workflow: Workflow, role: str) -> bool:
    spec = workflow.roles.get(role)
    return spec is not None and spec.unit is not None


def _taken(workflow: Workflow) -> dict[str, State]:
    """Return the first state from which people take each action."""
    found: dict[str, State] = {}
    for state in states_of(workflow).values():
        for name in state.actions if state.worker else ():
            found.setdefault(name, state)
    return found


def answers_of(workflow: Workflow, staff: Staff) -> dict[str, dict[str, Shares]]:
    """Return how forms are answered, for every action whose way depends on an answer."""
    found: dict[str, dict[str, Shares]] = {}
    for name, spec in workflow.actions.items():
        asked = {fact for way in spec.ways for fact in way.when.fact_names if fact.startswith("form.")}
        for fact in sorted(asked):
            field = fact.removeprefix("form.")
            need = spec.needs.get(field)
            if need is None:
                continue
            said = staff.answers.get(name, {}).get(field)
            if said is None and need.type == "bool":
                said = {"true": _BEST, "false": 1 - _BEST}
            if said is None and need.choices:
                said = _usual(need.choices, scale=need.type == "scale")
            if said is not None:
                found.setdefault(name, {})[field] = said
    return found


def _usual(choices: tuple[str, ...], *, scale: bool) -> Shares:
    """Most give the first answer; the last of a scale is the worst, and rare."""
    if len(choices) == 1:
        return {choices[0]: 1.0}
    last = _WORST if scale else (1 - _BEST) / (len(choices) - 1)
    middle = choices[1:-1]
    first = _BEST if middle or not scale else 1 - last
    rest = 1 - first - last
    return {choices[0]: first, **{one: round(rest / len(middle), 6) for one in middle}, choices[-1]: last}

"""A definition in the words of those who work by it: who acts, how long, what the system does when time is up."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from wuye_loop.domain.calendar import Starts
from wuye_loop.domain.conditions import Condition
from wuye_loop.domain.drawing_moves import Move, condition_words, retitled
from wuye_loop.domain.workflow import (
    ActionSpec,
    ClockSpec,
    DutyUnit,
    EffectCall,
    Flow,
    Limit,
    OpenSpec,
    Role,
    RungSpec,
    Step,
    TaskKind,
    TaskUnit,
    Workflow,
)

_SPECIAL: Final = {
    "system": "系统", "holder": "持有单位", "opener": "发起单位", "target": "所指单位", "one_level_up": "上一级单位",
}  # fmt: skip
_STARTS: Final = {
    Starts.AT_ONCE: "即时起算", Starts.SAME_DAY: "当日起算", Starts.NEXT_DAY: "次日起算",
    Starts.NEXT_WORKDAY: "次一工作日起算",
}  # fmt: skip
_PER: Final = {
    "entry": "", "cycle": "每轮一次，退改不重计", "level": "每升一级另计", "assignment": "每换主办单位另计",
    "once": "全程只计一次",
}  # fmt: skip
_KEYS: Final = {"channel": "渠道", "complainant": "诉求人", "supervisor": "督办人员", "admin": "管理员"}
_LEVELS: Final = {"community": "社区", "street": "街道", "district": "区", "city": "市", "current": "当前层级"}
_LETTERS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


@dataclass(frozen=True, slots=True)
class Marked:
    """A clock with the letter that stands for it in the picture and the tables."""

    letter: str
    name: str
    spec: ClockSpec


def lettered(flow: Flow, first: int = 0) -> list[Marked]:
    """Give each clock of a flow its letter: A to Z, then A1 and on."""
    made = []
    for n, (name, spec) in enumerate(flow.clocks.items(), start=first):
        turn, place = divmod(n, len(_LETTERS))
        made.append(Marked(f"{_LETTERS[place]}{turn or ''}", name, spec))
    return made


def actor(workflow: Workflow, name: str) -> str:
    """Return the title of a role, or what stands for holder, opener, system."""
    role = workflow.roles.get(name)
    return role.title if role is not None else _SPECIAL.get(name, name)


def actors(workflow: Workflow, names: Sequence[str]) -> str:
    """Return the titles of roles."""
    return "、".join(actor(workflow, name) for name in names)


def role_words(workflow: Workflow, role: Role) -> str:
    """Say who a role is."""
    unit = role.unit
    if unit is None:
        return _KEYS.get(role.is_ or "", role.is_ or "")
    if isinstance(unit, DutyUnit):
        words = f"{_LEVELS.get(unit.level, unit.level)}负责“{unit.duty}”的单位"
    elif isinstance(unit, TaskUnit) or unit == "assist":
        kind = unit.task if isinstance(unit, TaskUnit) else "assist"
        words = f"手上有“{workflow.tasks[kind].title if kind in workflow.tasks else kind}”的单位"
    else:
        words = "主办单位" if unit == "lead" else f"单位 {unit}"
    return words if role.is_ is None else f"{words}（{_KEYS.get(role.is_, role.is_)}）"


def limit_words(workflow: Workflow, limit: Limit, *, usual: Starts | None = None) -> str:
    """Say one limit: when it holds, how long, from when if that differs from the usual."""
    span = limit.is_.chinese if limit.is_ is not None else f"到{_stored(workflow, limit.until or '')}为止"
    when = condition_words(workflow, None, limit.when)
    starts = f"，{_STARTS[limit.starts]}" if limit.starts not in (None, usual) else ""
    return (f"{when}：" if when else "") + span + starts


def usual_limit(workflow: Workflow, clock: ClockSpec) -> str:
    """Return the limit that holds when no condition does, in words: `5 个工作日`."""
    return limit_words(workflow, clock.limit[-1].model_copy(update={"when": Condition.parse({}), "starts": None}))


def limits(workflow: Workflow, clock: ClockSpec) -> str:
    """Say every limit of a clock, from when it counts and how often."""
    said = "；".join(limit_words(workflow, limit, usual=clock.starts) for limit in clock.limit)
    return "。".join(filter(None, [said, _STARTS[clock.starts], _PER[clock.per]]))


def _stored(workflow: Workflow, path: str) -> str:
    """Return the title of the form field whose answer is stored under a name."""
    name = path.removeprefix("data.")
    for flow in (workflow, *workflow.tasks.values()):
        steps: list[Step] = [*flow.actions.values()]
        if isinstance(flow, TaskKind):
            steps.append(flow.open)
        field = next((e.params[name] for s in steps for e in effects(s) if e.name == "set" and name in e.params), name)
        for step in steps:
            if field in step.needs and step.needs[field].title:
                return f"“{step.needs[field].title}”"
    return f"“{workflow.labels.get(name, name)}”"


def effects(step: Step) -> Iterator[EffectCall]:
    """Yield the effects of a step and of its outcomes."""
    yield from step.effect
    for way in step.ways if isinstance(step, ActionSpec) else ():
        yield from way.effect


def ladder(workflow: Workflow, flow: Flow, clock: ClockSpec) -> str:
    """Say what the system does before, at and after the instant a clock is due."""
    return "；".join(_rung(workflow, flow, rung) for rung in clock.ladder) or "无"


def _rung(workflow: Workflow, flow: Flow, rung: RungSpec) -> str:
    offset = rung.offset
    at = "到期" if offset is None else f"到期{'前' if offset.n < 0 else '后'} {offset.chinese.lstrip('-')}"
    done = [workflow.instruments[name].title if name in workflow.instruments else name for name in rung.do]
    if rung.act is not None:
        spec = flow.actions.get(rung.act) or workflow.actions.get(rung.act)
        done.append(f"自动“{spec.title if spec is not None else rung.act}”")
    if rung.open is not None:
        task = workflow.tasks[rung.open].title if rung.open in workflow.tasks else rung.open
        done.append(f"发出“{rung.document}”" if rung.document else f"发起“{task}”")
    elif rung.document is not None:
        done.append(f"发出“{rung.document}”")
    when = condition_words(workflow, None, rung.when)
    to = f" → {actors(workflow, rung.to)}" if rung.to else ""
    copies = f"（抄送{actors(workflow, rung.copy_to)}）" if rung.copy_to else ""
    return f"{at}{f'（若 {when}）' if when else ''}：{'、'.join(done)}{to}{copies}"


def restraints(workflow: Workflow, flow: Flow, step: Step, when: str = "") -> list[str]:
    """Say when a step may be taken: outcome, guard, how soon, how often, before which clock is due."""
    action = step if isinstance(step, ActionSpec) else None
    said = [when] if when else []
    if guard := condition_words(workflow, action, step.if_):
        said.append(f"须 {guard}")
    if step.within is not None:
        said.append(f"{step.within.chinese}之内")
    if step.limit is not None:
        said.append(f"{'每轮' if step.limit.per == 'cycle' else ''}至多 {step.limit.times} 次")
    if step.before_due is not None:
        clock = flow.clocks.get(step.before_due) or workflow.clocks.get(step.before_due)
        said.append(f"“{clock.title if clock else step.before_due}”到期之前")
    return said


def triggers(workflow: Workflow, flow: Flow, name: str, marked: Sequence[Marked]) -> list[str]:
    """Say what makes the system take an action: a rung, another action, a task's effect, a join, the lead of a family."""
    said = [f"时限 {clock.letter} {'到期' if rung.at == 'due' else '到点'}" for clock in marked for rung in clock.spec.ladder if rung.act == name]
    for other in flow.actions.values():
        if name in {following for way in other.ways for following in way.then} | set(other.then):
            said.append(f"“{other.title}”之后")
    said += [f"“{other.title}”之后" for other, effect in _told(workflow) if _tells(workflow, flow, effect, name)]
    if flow is workflow:
        said += [condition_words(workflow, None, join.when) for join in workflow.joins if join.act == name]
        leads = [workflow.actions[lead].title for lead, own in workflow.family.moves.items() if own == name and lead in workflow.actions]
        said += [f"牵头件“{title}”之后" for title in leads]
    return list(dict.fromkeys(filter(None, said)))


def _told(workflow: Workflow) -> Iterator[tuple[ActionSpec, EffectCall]]:
    """Yield the effects that make the system act elsewhere, each with the action that has it."""
    for flow in (workflow, *workflow.tasks.values()):
        for action in flow.actions.values():
            yield from ((action, effect) for effect in effects(action) if effect.name in ("act", "act_tasks"))


def _tells(workflow: Workflow, flow: Flow, effect: EffectCall, name: str) -> bool:
    if effect.name == "act":
        return flow is workflow and effect.params.get("value") == name
    return flow is workflow.tasks.get(effect.params.get("task", "")) and effect.params.get("action") == name


def ends(flow: Flow, move: Move) -> str:
    """Say from where to where a move leads."""
    sources, targets = ("、".join(flow.states[name].title for name in names) for names in (move.sources, move.targets))
    return f"{sources} → 原状态（{targets}）" if move.returns else f"{sources} → {targets}"


def opening(workflow: Workflow, kind: TaskKind) -> str:
    """Say who opens a task of a kind, in which states, how often, and who holds it."""
    step: OpenSpec = kind.open
    states = "、".join(workflow.states[name].title for name in step.from_ if name in workflow.states)
    said = restraints(workflow, workflow, step)
    holder = actor(workflow, kind.holder)
    fallback = f"，没有时由{actor(workflow, kind.fallback)}" if kind.fallback else ""
    parts = [
        f"{actors(workflow, step.by)}在{states}时“{step.title}”" if states else f"{actors(workflow, step.by)}“{step.title}”",
        *said,
        f"由{holder}办理{fallback}",
        "同时只开一件" if kind.single else "",
    ]
    return "；".join(filter(None, parts)) + "。"


__all__ = [
    "Marked", "actor", "actors", "effects", "ends", "ladder", "lettered", "limit_words", "limits", "opening",
    "restraints", "retitled", "role_words", "triggers", "usual_limit",
]  # fmt: skip

"""Why a grievance of a sandbox stands where it does, what each router said, which rungs did nothing."""

from datetime import datetime
from typing import Final

from wuye_loop.domain.errors import WuyeError
from wuye_loop.domain.grievance.audiences import step_named
from wuye_loop.domain.grievance.ledger import Entry
from wuye_loop.domain.routing.words import router_words
from wuye_loop.domain.step.effects.context import Unrouted
from wuye_loop.trial.definition_tests.time import offset_name
from wuye_loop.trial.sandbox.case import Case
from wuye_loop.trial.sandbox.sandbox import Sandbox

_LEAD: Final = "lead"
_ROUTED: Final = frozenset({_LEAD, "state", "stage", "holder", "level"})
_ACTED: Final = _ROUTED - {_LEAD} | {"tasks"}
_FIRED: Final = "fired"
_RECEIVED: Final = "receive"
_SHOWN: Final = 3  # rungs that did nothing


def reasons(town: Sandbox, case: Case, failed: str) -> list[str]:
    """Return what explains that an expectation (`state`, `lead`, ...) failed; nothing where nothing does."""
    lines: list[str] = []
    lead = case.situation.grievance.lead_unit
    if failed == _LEAD or (failed in _ROUTED and lead is None):
        lines += _routing(town, case, proposal=failed == _LEAD)
    if failed in _ACTED or failed == _FIRED:
        lines += _idle(town, case, passed=failed == _FIRED)
    return lines


def refused_routing(town: Sandbox, error: WuyeError) -> list[str]:
    """Return what each router said where a step was refused because none of them found a unit."""
    turn = error.__context__
    traces = turn.choice.trace if isinstance(turn, Unrouted) else ()
    return [router_words(trace.as_json(), town.town.directory) for trace in traces]


def _routing(town: Sandbox, case: Case, *, proposal: bool) -> list[str]:
    """Return the words about the last routing; a proposal made at intake only where that is wanted."""
    routed = [one for one in case.entries if one.facts.get("routing") and (proposal or one.action != _RECEIVED)]
    if not routed:
        return []
    last = routed[-1]
    return [
        _head(town, case, last),
        *(f"　{router_words(item, town.town.directory)}" for item in last.facts["routing"]),
    ]


def _head(town: Sandbox, case: Case, entry: Entry) -> str:
    when = _wall(town, entry.at)
    if entry.action == _RECEIVED:
        return f"{when} 收到时的建议（只是建议，转办时再定）："
    task = case.situation.tasks.get(entry.task_id) if entry.task_id is not None else None
    step = step_named(town.rules, entry.action, task.kind if task is not None else None)
    unit = entry.changes.get("grievance", {}).get("lead_unit")
    came = (
        "没有定出单位，留待人工" if entry.facts.get("routed") is False else f"定为 {unit}" if unit else "主办单位没有变"
    )
    return f"{when} “{step.title if step is not None else entry.action}”：{came}"


def _idle(town: Sandbox, case: Case, *, passed: bool) -> list[str]:
    """Return the last rungs that did nothing, with why; those whose condition did not hold only where that is wanted."""
    workflow = town.rules.workflow
    lines = []
    for one in case.fired(workflow):
        why = case.idle.get(one.seq)
        if why is None or (one.passed and not passed):
            continue
        flow = workflow.flow(one.task)
        title = flow.actions[one.spec.act].title if one.spec.act is not None else ""
        did = f"条件不成立，什么也没做：{why}" if one.passed else f"“{title}”只记台账：{why}"
        lines.append(
            f"{_wall(town, one.at)} {one.name}/{offset_name(one.spec.at)}（{flow.clocks[one.clock].title}）：{did}"
        )
    return lines[-_SHOWN:]


def _wall(town: Sandbox, at: datetime) -> str:
    return f"{town.calendar.local(at):%Y-%m-%d %H:%M}"

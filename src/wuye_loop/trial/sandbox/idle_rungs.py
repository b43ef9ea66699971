"""Why a rung that fired did nothing: its condition did not hold, or its action could not be taken then."""

from wuye_loop.domain.grievance.facts import facts_of
from wuye_loop.domain.grievance.ledger import RUNG
from wuye_loop.domain.grievance.permissions import blocked
from wuye_loop.domain.grievance.roles import SYSTEM_ROLE
from wuye_loop.domain.grievance.situation import SYSTEM_ACTOR, Situation, TaskState, World
from wuye_loop.domain.step.records import EntryDraft, Step


def why_idle(world: World, before: Situation, step: Step) -> dict[int, str]:
    """Return by row of the ledger, in words, why a rung in a step did nothing; `before` is what it was decided on."""
    found = {}
    for draft in step.drafts:
        if draft.action.startswith(RUNG) and (draft.facts.get("passed") or draft.facts.get("applies") is False):
            found[draft.seq] = _why(world, before, draft)
    return found


def _why(world: World, before: Situation, draft: EntryDraft) -> str:
    task = before.tasks.get(draft.task_id) if draft.task_id is not None else None
    if draft.facts.get("passed"):
        flow = world.rules.workflow.flow(task.kind if task is not None else None)
        rung = flow.clocks[draft.facts["clock"]].ladder[draft.facts["rung"]]
        return "；".join(rung.when.unmet(facts_of(world, before, task)))
    return str(draft.facts.get("refused") or _stopped(world, before, draft.facts["act"], task))


def _stopped(world: World, before: Situation, action: str, task: TaskState | None) -> str:
    flow = world.rules.workflow.flow(task.kind if task is not None else None)
    spec = flow.actions[action]
    state = task.state if task is not None else before.grievance.state
    if state not in spec.from_:
        return f"只能在{'、'.join(f'“{flow.states[name].title}”' for name in spec.from_)}做，当时是“{flow.states[state].title}”"
    return blocked(world, before, action, spec, SYSTEM_ROLE, SYSTEM_ACTOR, task) or "当时不能做"

"""Tasks follow their grievance: over or merged it withdraws them, at rest it lets them rest; the file says otherwise."""

from typing import Final
from uuid import UUID

from wuye_loop.domain.grievance.ledger import FOLLOW
from wuye_loop.domain.grievance.situation import SYSTEM_ACTOR, TaskState
from wuye_loop.domain.grievance.standing import FOLLOWED, Because, because
from wuye_loop.domain.step.builder import Builder
from wuye_loop.domain.terms import Audience

#: The notice to whoever held a task that was withdrawn; a definition may give it another title.
WITHDRAWN: Final = "task_withdrawn"


def follow(builder: Builder) -> None:
    """Let open tasks follow where the grievance went since the last time this was asked.

    What was opened on the way there is left alone: it is opened for a grievance that stands there.
    """
    before, state, before_tasks = builder.stood
    now, here = because(builder.world.rules, builder.grievance), builder.grievance.state
    if here != state or now != before:
        for task_id in [task.id for task in builder.tasks.values() if not task.final and task.id in before_tasks]:
            _follow(builder, task_id, now or _left(builder, task_id))
    builder.stood = now, here, frozenset(builder.tasks)


def _left(builder: Builder, task_id: UUID) -> Because | None:
    """Say whether the grievance stands where such a task could not be opened."""
    opened_in = builder.world.rules.task_kind(builder.tasks[task_id].kind).open.from_
    return "leave" if opened_in and builder.grievance.state not in opened_in else None


def _follow(builder: Builder, task_id: UUID, why: Because | None) -> None:
    task = builder.tasks[task_id]
    word = builder.world.rules.task_kind(task.kind).follows(why) if why is not None else "keep"
    if word == "withdraw":
        _withdraw(builder, task, str(why))
    elif word == "pause" and FOLLOWED not in task.data:
        builder.set_task(task_id, data={**task.data, FOLLOWED: {"did": "pause", "because": why}})
        builder.rest_task(task_id)
        _row(builder, task, "pause", str(why))
    elif word == "keep" and FOLLOWED in task.data:
        builder.set_task(task_id, data={name: value for name, value in task.data.items() if name != FOLLOWED})
        builder.sync_task(task_id)
        _row(builder, task, "resume", str(why or "open"))


def _withdraw(builder: Builder, task: TaskState, why: str) -> None:
    """End a task where it stands: its clocks end, nobody may act on it, whoever held it is told."""
    holder = builder.task_holder(task.id)
    data = {**task.data, FOLLOWED: {"did": "withdraw", "because": why}}
    builder.set_task(task.id, final=True, closed_at=builder.world.now, data=data)
    builder.end_task_clocks(task.id)
    builder.sync_paused(task.id)
    if holder is not None and builder.tells:
        builder.notify(WITHDRAWN, (holder,), title="任务已撤回")
    _row(builder, task, "withdraw", why)


def _row(builder: Builder, task: TaskState, did: str, why: str) -> None:
    builder.close_entry(
        f"{FOLLOW}{did}",
        actor=SYSTEM_ACTOR.as_json(),
        facts={"kind": task.kind, "because": why},
        audience=Audience.UNITS,
        task_id=task.id,
        from_state=task.state,
        to_state=task.state,
    )

"""What callers read of a grievance, a task, a clock: plain mappings, identity never among them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from wuye_loop.domain.grievance.facts import facts_of
from wuye_loop.domain.grievance.ledger import Entry
from wuye_loop.domain.grievance.roles import SPECIAL, SYSTEM_ROLE, task_holder
from wuye_loop.domain.grievance.situation import GrievanceState, Situation, TaskState, World
from wuye_loop.domain.grievance.standing import FOLLOWED, followed
from wuye_loop.domain.language.workflow import Workflow
from wuye_loop.domain.terms import Stage
from wuye_loop.domain.time.clock_moves import Clock, ClockStatus, is_overdue, remaining_seconds
from wuye_loop.domain.time.timestamps import as_text

_SPECIAL_ROLES = {SYSTEM_ROLE: "系统", **SPECIAL}


def grievance_view(world: World, situation: Situation) -> dict[str, Any]:
    """Return a grievance as every visible reader sees it."""
    grievance = situation.grievance
    name_of = world.directory.name_of
    return {
        "number": grievance.number,
        "workflow": grievance.workflow,
        "state": grievance.state,
        "state_title": world.rules.workflow.states[grievance.state].title,
        "stage": grievance.stage,
        "stage_title": Stage(grievance.stage).chinese,
        "final": grievance.final,
        "standing": _standing(world, situation),
        "origin": grievance.data.get("origin"),
        "cycle": grievance.cycle,
        "level": grievance.level,
        "channel": grievance.channel,
        "kind": grievance.kind,
        "category": grievance.category,
        "urgency": grievance.urgency,
        "title": world.unnamed(grievance.title),
        "body": world.unnamed(grievance.body),
        "received_at": as_text(grievance.received_at),
        "estate": grievance.estate_code,
        "area": grievance.area_code,
        "company": grievance.company_code,
        "lead_unit": grievance.lead_unit,
        "lead_unit_name": name_of(grievance.lead_unit),
        "holder_unit": grievance.holder_unit,
        "holder_unit_name": name_of(grievance.holder_unit),
        "state_since": as_text(grievance.state_since),
        "closed_at": _maybe(grievance.closed_at),
        "due": due_view(situation),
        "open_tasks": [
            {
                "id": str(task.id),
                "kind": task.kind,
                "state": task.state,
                "holder_unit": task_holder(world, situation, task),
            }
            for task in situation.tasks.values()
            if not task.final
        ],
        "followers": grievance.followers,
        "merged": grievance.merged_into is not None,
        "urged": grievance.urged,
        "flags": list(grievance.flags),
        "seq": grievance.seq,
    }


def _standing(world: World, situation: Situation) -> str | None:
    """Return how the whole stands as the file derives it from its parts; None where the file says nothing."""
    every = world.rules.workflow.standing
    facts = facts_of(world, situation) if every else {}
    return next((one.is_ for one in every if one.when.holds(facts)), None)


def due_view(situation: Situation) -> dict[str, str]:
    """Return when each running clock of the grievance itself is due."""
    return {
        clock.name: as_text(clock.due_at)
        for clock in situation.clocks.values()
        if clock.task_id is None and clock.status is ClockStatus.RUNNING
    }


def task_titles(workflow: Workflow, kind: str, state: str) -> tuple[str, str]:
    """Return what people call a kind of task and a state of it; their names where they belong to an older version."""
    spec = workflow.tasks.get(kind)
    if spec is None:
        return kind, state
    return spec.title, spec.states[state].title if state in spec.states else state


def task_view(world: World, grievance: GrievanceState, task: TaskState) -> dict[str, Any]:
    """Return a task as every visible reader sees it."""
    title, state_title = task_titles(world.rules.workflow, task.kind, task.state)
    parent = followed(task.data)
    return {
        "id": str(task.id),
        "grievance": grievance.number,
        "kind": task.kind,
        "title": title,
        "n": task.n,
        "state": task.state,
        "state_title": parent["title"] if parent else state_title,
        "final": task.final,
        "parent": parent,
        "holder_unit": task.holder_unit,
        "holder_unit_name": world.directory.name_of(task.holder_unit),
        "opener_unit": task.opener_unit,
        "document": task.document,
        "document_number": task.document_number,
        "copies": list(task.copies),
        "data": world.unnamed({name: value for name, value in task.data.items() if name != FOLLOWED}),
        "opened_at": as_text(task.opened_at),
        "closed_at": _maybe(task.closed_at),
    }


def clock_view(world: World, clock: Clock, title: str) -> dict[str, Any]:
    """Return a clock: which limit, from when, until when, what moved it, and which rungs have fired."""
    left = None if clock.status is ClockStatus.ENDED else remaining_seconds(clock, world.now, world.calendar)
    ended = clock.ended_at
    return {
        "clock": clock.name,
        "title": title,
        "task": str(clock.task_id) if clock.task_id else None,
        "cycle": clock.cycle,
        "run": clock.run,
        "unit": clock.unit,
        "status": clock.status.value,
        "limit": str(clock.limit) if clock.limit else None,
        "limit_text": clock.limit.chinese if clock.limit else None,
        "working": clock.limit.working if clock.limit else None,
        "starts": clock.starts.value,
        "started_at": as_text(clock.started_at),
        "due_at": as_text(clock.due_at),
        "provisional": clock.provisional,
        "ended_at": _maybe(ended),
        "overdue": is_overdue(clock, world.now),
        "remaining_seconds": left,
        "adjustments": [item.as_json() for item in clock.adjustments],
        "rungs": [
            {"rung": rung.index, "at": _maybe(rung.at), "fired_at": _maybe(rung.fired_at), "skipped": rung.skipped}
            for rung in clock.rungs
        ],
    }


def receipt_view(world: World, number: str, entry: Entry) -> dict[str, Any]:
    """Return the answer to an intake, from its first ledger row alone: a repeat gets the same answer for ever."""
    made = entry.changes["grievance"]
    return {
        "number": number,
        "state": entry.to_state,
        "stage": made["stage"],
        "workflow": made.get("workflow", world.rules.id),
        "category": made["category"],
        "urgency": made["urgency"],
        "suggestion": entry.facts.get("suggestion"),
        "red_words": entry.facts.get("red_words", []),
        "lead_unit": made["lead_unit"],
        "holder_unit": made["holder_unit"],
        "routing": entry.facts.get("routing", []),
        "due": {clock["name"]: clock["due_at"] for clock in entry.changes.get("clocks", ())},
        "flags": made["flags"],
        "text": world.rules.workflow.intake.text,
        "seq": entry.seq,
    }


def _maybe(at: datetime | None) -> str | None:
    return as_text(at) if at is not None else None


def actor_view(world: World, actor: Mapping[str, Any], *, keyed: bool = False) -> dict[str, Any]:
    """Return who it was, as readers see it: the unit and the role, never a person; `keyed`, for auditors, with the key's id."""
    unit, role = actor.get("unit"), actor.get("role")
    spec = world.rules.workflow.roles.get(role or "")
    shown = {
        "kind": actor.get("kind"),
        "unit": unit,
        "unit_name": world.directory.name_of(unit),
        "role": role,
        "role_title": spec.title if spec else _SPECIAL_ROLES.get(role or ""),
    }
    if "post" in actor:
        shown["post"] = actor["post"]  # signed with it (签批)
    return {**shown, "key": actor.get("key")} if keyed else shown

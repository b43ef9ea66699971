"""What conditions may ask about a grievance (conditions.FACTS), taken from its situation."""

import unicodedata
from collections.abc import Mapping
from typing import Any

from wuye_loop.domain.clocks import ClockStatus
from wuye_loop.domain.situation import Situation, TaskState, World


def facts_of(
    world: World, situation: Situation, task: TaskState | None = None, form: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Return the facts as a mapping; those of TEXTS, which cost more, only where the workflow's conditions ask them."""
    grievance = situation.grievance
    facts: dict[str, Any] = {
        "source": grievance.source,
        "channel": grievance.channel,
        "kind": grievance.kind,
        "urgency": grievance.urgency,
        "category": grievance.category,
        "area": grievance.area_code,
        "level": grievance.level,
        "estate": grievance.estate_code,
        "company": grievance.company_code,
        "managed": grievance.company_code is not None,
        "anonymous": grievance.anonymous,
        "state": grievance.state,
        "stage": grievance.stage,
        "cycle": grievance.cycle,
        "lead": grievance.lead_unit,
        "followers": grievance.followers,
        "urged": grievance.urged,
        "lead_final": world.lead is not None and world.lead.final,
        "repeat": grievance.data.get("repeat", 0),
        "estate_kind": grievance.data.get("estate_kind"),
        "origin": grievance.data.get("origin"),
        "answered": grievance.data.get("answered", "complainant"),
    }
    facts |= grievance.counts  # named as facts are: done.sign, cycle_done.sign, tasks.assist
    facts |= _family("data", grievance.data)
    for item in situation.tasks.values():
        if not item.final:
            name = f"open.{item.kind}"
            facts[name] = facts.get(name, 0) + 1
    for clock in situation.clocks.values():
        if clock.status is not ClockStatus.ENDED and world.now > clock.due_at:
            facts[f"overdue.{clock.name}"] = True
    if task is not None:
        # In a task's own conditions done.x counts what was done on this task, even where the main flow has an x too.
        for name in world.rules.workflow.tasks[task.kind].actions:
            facts.pop(f"done.{name}", None)
        facts |= task.counts
        facts["document"] = task.document
        facts |= _family("data", task.data)
    facts |= _family("form", form or {})
    return with_texts(facts, world, situation) if world.rules.asks_texts else facts


def _family(name: str, values: Mapping[str, Any]) -> dict[str, Any]:
    return {f"{name}.{key}": value for key, value in values.items()}


def with_texts(facts: dict[str, Any], world: World, situation: Situation) -> dict[str, Any]:
    """Add what only intake and routers ask: texts, the areas above, the hour, the age."""
    grievance = situation.grievance
    category = grievance.category or ""
    parts = category.split("/")
    local = world.calendar.local_date(world.now)
    facts["title"] = unicodedata.normalize("NFKC", grievance.title)
    facts["body"] = unicodedata.normalize("NFKC", grievance.body)
    facts["text"] = f"{facts['title']}\n{facts['body']}"
    facts["areas"] = [code for code in grievance.area_path.split("/") if code]
    facts["category_path"] = ["/".join(parts[: n + 1]) for n in range(len(parts))] if category else []
    facts["age_workdays"] = world.calendar.workdays_between(grievance.received_at, world.now)
    facts["workday"] = world.calendar.is_workday(local)
    facts["hour"] = world.calendar.local(world.now).hour
    return facts | _family("extra", grievance.extra)

"""Why this unit: every routing decision of the ledger with what each router said, and every change of hands since."""

from typing import Any

from wuye_loop.domain.grievance.situation import World
from wuye_loop.domain.routing.words import router_words
from wuye_loop.domain.rules.rules import Rules
from wuye_loop.domain.time.timestamps import as_text
from wuye_loop.domain.wording.definition import quoted
from wuye_loop.queries.explain.days import said_at
from wuye_loop.queries.explain.history import History, deed, doer
from wuye_loop.queries.rule_history import RuleHistory
from wuye_loop.store.reads.grievances import LedgerRow


def hands(world: World, past: History, rules_then: RuleHistory | None = None) -> dict[str, Any]:
    """Return how the grievance came to its lead unit: decisions, in their order, and the words about them.

    Without `rules_then` all rows are read by the present rules.
    """
    told = ((row, rules_then.of_row(row.seq) if rules_then else world.rules) for row in past.rows)
    decisions = [found for row, rules in told if (found := _decision(world, row, rules)) is not None]
    grievance = past.now.grievance
    words = [sentence for one in decisions for sentence in one["words"]]
    lead = world.directory.name_of(grievance.lead_unit)
    words.append(f"现在的主办单位：{lead}。" if lead else "现在没有主办单位。")
    returned = [str(world.directory.name_of(code)) for code in grievance.data.get("returned", ())]
    if returned:
        words.append(f"本轮退回过此件的单位，转办时不再考虑：{'、'.join(returned)}。")
    words += _separated(world, past)
    return {"unit": grievance.lead_unit, "unit_name": lead, "decisions": decisions, "words": words}


def _decision(world: World, row: LedgerRow, rules: Rules) -> dict[str, Any] | None:
    """Return a row that routed the grievance, or gave it to another unit, or took it from one."""
    trace = row.facts.get("routing") or ()
    changed = row.changes.get("grievance", {})
    moved = "lead_unit" in changed and row.action != "receive"
    if not trace and not moved:
        return None
    unit = changed.get("lead_unit")
    name = world.directory.name_of(unit)
    head = f"{said_at(row.at, world.calendar)} {deed(row, rules)}（{doer(row, rules, world.directory.name_of)}）"
    if row.action == "receive":
        head = f"{said_at(row.at, world.calendar)} 收到时的建议（只是建议，转办时再定）"
    elif name:
        head += f"：定为{name}"
    elif moved:
        head += "：主办单位放手"
    elif row.facts.get("routed") is False:
        head += "：没有定出单位，留待人工"
    words = [f"{head}。", *(f"　{router_words(item, world.directory)}。" for item in trace)]
    return {
        "seq": row.seq,
        "at": as_text(row.at),
        "action": row.action,
        "unit": unit,
        "trace": list(trace),
        "words": words,
    }


def _separated(world: World, past: History) -> list[str]:
    """Say which units may not lead because they have acted in a role that must be another body's."""
    rules, did = world.rules, past.now.grievance.did
    words = []
    for name, role in rules.workflow.roles.items():
        if role.unit != "lead":
            continue
        for rival in sorted(rules.rivals.get(name, ())):
            units = [str(world.directory.name_of(code)) for code in did.get(rival, ())]
            if units:
                title = rules.workflow.roles[rival].title
                words.append(
                    f"职责分离：{'、'.join(units)}本轮以{quoted(title)}的身份办过，不能再作{quoted(role.title)}。"
                )
    return words

"""Who reads what of the ledger and of forms: row by row and field by field, as the workflow's audiences say."""

from collections.abc import Collection, Mapping
from typing import Any

from wuye_loop.domain.grievance.ledger import OPEN
from wuye_loop.domain.grievance.situation import Actor
from wuye_loop.domain.language.forms import FieldSpec
from wuye_loop.domain.language.workflow import StepSpec
from wuye_loop.domain.rules.rules import Rules
from wuye_loop.domain.terms import ActorKind, Audience

EVERY = frozenset(item.value for item in Audience)


def audiences(actor: Actor, rules: Rules) -> frozenset[str]:
    """Return the audiences an actor belongs to: the complainant's hotline, a unit, or a unit that dispatches."""
    if actor.kind is ActorKind.HOTLINE:
        return frozenset({Audience.PUBLIC.value})
    if actor.kind is ActorKind.UNIT and actor.unit not in rules.fixed_units:
        return frozenset({Audience.PUBLIC.value, Audience.UNITS.value})
    return EVERY


def step_named(rules: Rules, action: str, task_kind: str | None) -> StepSpec | None:
    """Return what a ledger row's action is in the definition; None for what no definition names (receive, a rung)."""
    if action.startswith(OPEN):
        kind = rules.workflow.tasks.get(action.removeprefix(OPEN))
        return kind.open if kind else None
    if task_kind is not None:
        kind = rules.workflow.tasks.get(task_kind)
        return kind.actions.get(action) if kind else None
    return rules.workflow.actions.get(action)


def readable(
    facts: Mapping[str, Any], needs: Mapping[str, FieldSpec], row_audience: str, allowed: Collection[str]
) -> dict[str, Any]:
    """Return the facts that these audiences may read; a field without an audience of its own has its row's."""

    def audience(name: str) -> str:
        spec = needs.get(name)
        return spec.audience.value if spec is not None and spec.audience is not None else row_audience

    return {name: value for name, value in facts.items() if audience(name) in allowed}

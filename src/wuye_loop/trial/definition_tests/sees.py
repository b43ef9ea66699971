"""Who sees a grievance of a sandbox, and what of the last form: by the units and audiences that a site asks."""

from collections.abc import Iterable, Iterator

from wuye_loop.domain.errors import BadInput
from wuye_loop.domain.grievance.audiences import audiences, readable, step_named
from wuye_loop.domain.grievance.ledger import Entry
from wuye_loop.domain.grievance.situation import Actor
from wuye_loop.domain.language.workflow import StepSpec
from wuye_loop.domain.terms import ActorKind
from wuye_loop.trial.sandbox.case import Case
from wuye_loop.trial.sandbox.sandbox import Sandbox


def sees(town: Sandbox, case: Case, by: str) -> bool:
    """Say whether anybody whom a role or a unit's code stands for now may see the grievance."""
    return any(_may_see(actor, case) for actor in _actors(town, case, by))


def reads(town: Sandbox, case: Case, by: str) -> tuple[str, list[str]]:
    """Return the title of the last thing that was done with a form, and which of its fields these may read.

    By each field's audience, else its row's: what a narrower row tells the complainant comes with a later public one.
    """
    found = _last_form(town, case)
    if found is None:
        return "", []
    entry, step = found
    facts = {name: entry.facts[name] for name in step.needs if name in entry.facts}
    allowed = {name: None for actor in _actors(town, case, by) if _may_see(actor, case)
               for name in readable(facts, step.needs, entry.audience, audiences(actor, town.rules))}  # fmt: skip
    return step.title, [name for name in facts if name in allowed]


def _last_form(town: Sandbox, case: Case) -> tuple[Entry, StepSpec] | None:
    for entry in reversed(case.entries):
        task = case.situation.tasks.get(entry.task_id) if entry.task_id is not None else None
        step = step_named(town.rules, entry.action, task.kind if task is not None else None)
        if step is not None and any(name in entry.facts for name in step.needs):
            return entry, step
    return None


def _actors(town: Sandbox, case: Case, by: str) -> Iterator[Actor]:
    """Give who a role or a code stands for now: several where a role has several units, none where it has none."""
    role = town.rules.workflow.roles.get(by)
    units: Iterable[str] = town.units(by, case.number) if role is not None else ()
    yield from (Actor(ActorKind.UNIT, unit) for unit in units)
    if role is None or (role.is_ is not None and not units):
        try:
            yield town.actor(by, number=case.number)
        except BadInput:  # nobody has this role here
            return


def _may_see(actor: Actor, case: Case) -> bool:
    """Say what the store's own predicate says: a unit has a part in it now, a hotline sent it in, a key covers its area."""
    grievance = case.situation.grievance
    if actor.kind is ActorKind.UNIT:
        return actor.unit in grievance.units
    if actor.kind is ActorKind.HOTLINE:
        return actor.source == grievance.source
    return grievance.area_path.startswith(actor.area_path)

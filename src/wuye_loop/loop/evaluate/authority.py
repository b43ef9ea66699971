"""Who may run an assessment, and whose turn it is to decide an appeal."""

from sqlalchemy.orm import Session

from wuye_loop.domain.assessment.scheme import Scheme
from wuye_loop.domain.errors import Forbidden
from wuye_loop.domain.grievance.situation import Actor
from wuye_loop.domain.rules.rules import Rules
from wuye_loop.domain.terms import ActorKind
from wuye_loop.loop.engine import Loop
from wuye_loop.store.assessment import voices


def may_decide(loop: Loop, session: Session, scheme: Scheme, found: voices.Appealed, actor: Actor) -> bool:
    """Say whether somebody may decide an appeal: once it went up, only those above (and who runs the installation)."""
    loop.reference.refresh(session)
    above = scheme.appeals.above if scheme.appeals is not None else None
    if found.raised_at is None or above is None:
        return admits(loop, session, scheme, actor)
    if actor.kind in (ActorKind.SYSTEM, ActorKind.ADMIN):
        return True
    rules = loop.reference.rules(session, scheme.workflow)
    return actor.unit is not None and any(actor.unit in units_of(loop, rules, role, "") for role in above.decided_by)


def admit(loop: Loop, session: Session, scheme: Scheme, actor: Actor) -> None:
    """Let those pass who run an assessment. Raises Forbidden."""
    if not admits(loop, session, scheme, actor):
        raise Forbidden("考核由主管部门办理")


def admits(loop: Loop, session: Session, scheme: Scheme, actor: Actor) -> bool:
    """Say whether somebody runs an assessment: over the whole of its area, or by the role that decides."""
    loop.reference.refresh(session)
    if actor.kind in (ActorKind.SYSTEM, ActorKind.ADMIN):
        return True
    if actor.kind is ActorKind.SUPERVISOR and actor.area_path.count("/") <= 1:
        return True
    rules = loop.reference.rules(session, scheme.workflow)
    deciding = scheme.appeals.decided_by if scheme.appeals is not None else ()
    return actor.unit is not None and any(actor.unit in units_of(loop, rules, role, "") for role in deciding)


def units_of(loop: Loop, rules: Rules, role: str, path: str) -> list[str]:
    """Return the units that a role stands for at a place: those whose area covers it, or lies in it."""
    spec = rules.workflow.roles.get(role)
    unit = getattr(spec, "unit", None)
    if isinstance(unit, str):
        return [unit]
    duty, areas = getattr(unit, "duty", None), loop.reference.directory.areas
    found = []
    for one in loop.reference.directory.units.values():
        own = areas[one.area_code].path if one.area_code in areas else ""
        if one.active and duty in one.duties and (own.startswith(path) or path.startswith(own)):
            found.append(one.code)
    return found

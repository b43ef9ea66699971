"""What a question may be narrowed by: areas and units that exist and lie within the jurisdiction of who asks."""

from sqlalchemy.orm import Session

from wuye_loop.domain.directory.directory import Directory
from wuye_loop.domain.errors import BadInput, WuyeError
from wuye_loop.domain.grievance.situation import Actor
from wuye_loop.domain.rules.rules import Rules
from wuye_loop.domain.terms import ActorKind
from wuye_loop.loop.engine import Loop
from wuye_loop.queries import damage
from wuye_loop.store.visibility import covers
from wuye_loop.store.workflows import versions


def path_of(loop: Loop, area: str, actor: Actor | None = None) -> str:
    """Return the path of an area, by its code.

    Raises BadInput for an unknown one, and for one that the actor's jurisdiction does not cover.
    """
    found = loop.reference.directory.areas.get(area)
    if found is None:
        raise BadInput("没有这个属地", fields=[{"path": "query.area", "problem": "没有这个属地代码"}])
    if actor is not None and actor.kind is not ActorKind.UNIT and not covers(actor, found.path):
        raise BadInput("这个属地不在管辖范围内", fields=[{"path": "query.area", "problem": "不在这把密钥的管辖范围内"}])
    return found.path


def known_unit(loop: Loop, unit: str | None) -> None:
    """Refuse a filter by a unit that the directory does not have.

    Raises BadInput.
    """
    if unit is not None and unit not in loop.reference.directory.units:
        raise BadInput("没有这个单位", fields=[{"path": "query.unit", "problem": "没有这个单位代码"}])


def published(loop: Loop, session: Session) -> list[Rules]:
    """Return every published workflow, compiled; one whose text is damaged is passed over."""
    found = []
    for name in versions.names(session):
        try:
            found.append(loop.reference.rules(session, name))
        except WuyeError as error:
            damage.note("workflows", error)
    return found


def area_name(directory: Directory, code: str | None) -> str | None:
    """Return the name of an area, or None."""
    found = directory.areas.get(code) if code else None
    return found.name if found else None

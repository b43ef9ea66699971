"""Who gains or loses sight of something whose readers change: the units that work on it, the complainant."""

from wuye_loop.domain.difference_sides import Sides
from wuye_loop.domain.terms import Audience
from wuye_loop.domain.workflow import Role

_WIDTH = {Audience.INTERNAL: 0, Audience.UNITS: 1, Audience.PUBLIC: 2}


def seen(sides: Sides, old: Audience, new: Audience) -> tuple[list[str], str]:
    """Return the titles of those who may read it now, or no longer, and the end of a sentence that says so."""
    low, high = sorted((_WIDTH[old], _WIDTH[new]))
    roles = [*sides.b.roles.values(), *sides.a.roles.values()]
    who: list[str] = []
    said = []
    if low < _WIDTH[Audience.UNITS] <= high:
        said.append("办理单位")
        who += [role.title for role in roles if _works(role)]
    if low < _WIDTH[Audience.PUBLIC] <= high:
        said.append(sides.resident)
        who += [role.title for role in roles if role.is_ in ("complainant", "channel")] or [sides.resident]
    if not said:
        return [], ""
    can = "看得到" if _WIDTH[new] > _WIDTH[old] else "看不到"
    return list(dict.fromkeys(who)), f"：{'、'.join(said)}今后{can}"


def _works(role: Role) -> bool:
    """Say whether a role is played by a unit that reads what it works on, and no more: one that dispatches reads all."""
    return role.is_ is None and (role.unit in ("lead", "assist") or not isinstance(role.unit, str))

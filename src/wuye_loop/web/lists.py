"""What forms and filters offer: units by name, streets within one's sight, categories of the workflow in use."""

from typing import Any

from sqlalchemy.orm import Session

from wuye_loop.loop.engine import Loop
from wuye_loop.web.visitors import Visit


def unit_names(loop: Loop) -> list[str]:
    """Return the names of the units that are active."""
    return sorted(unit.name for unit in loop.reference.directory.units.values() if unit.active)


def streets(here: Visit) -> list[tuple[str, str]]:
    """Return code and name of the streets within the visitor's sight."""
    areas = here.site.loop.reference.directory.areas.values()
    return [
        (one.code, one.name) for one in areas if one.level == "street" and one.path.startswith(here.actor.area_path)
    ]


def categories(loop: Any, session: Session) -> list[str]:
    """Return the categories of the workflow in use, in the order of its file."""
    workflow = loop.reference.rules(session, loop.default_workflow).workflow
    return list(dict.fromkeys(one.category for one in workflow.intake.categories))

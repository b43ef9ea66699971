"""A role as every step looks it up: what stands for a unit in it, told apart once."""

from dataclasses import dataclass
from typing import Final, Self

from wuye_loop.domain.language.workflow import DutyUnit, EstateUnit, Role, TaskUnit

ASSIST: Final = "assist"
_LEAD: Final = "lead"


@dataclass(frozen=True, slots=True)
class CompiledRole:
    """One role. `code` is its unit where the file names one; of `leads`, `task` and `placed` at most one is set."""

    is_: str | None  # which kind of key plays it, where it is not a unit's
    code: str | None
    leads: bool  # the unit in charge
    task: str | None  # whoever holds a task of this kind
    placed: DutyUnit | EstateUnit | None  # found by where the grievance lies
    held: bool  # whether it is a unit's at all

    @classmethod
    def of(cls, role: Role) -> Self:
        """Make a role ready to be looked up."""
        unit = role.unit
        task = unit.task if isinstance(unit, TaskUnit) else (ASSIST if unit == ASSIST else None)
        code = unit if isinstance(unit, str) and unit not in (_LEAD, ASSIST) else None
        placed = unit if isinstance(unit, DutyUnit | EstateUnit) else None
        return cls(role.is_, code, unit == _LEAD, task, placed, unit is not None)

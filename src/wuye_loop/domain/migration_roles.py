"""Roles that a running grievance remembers by name: who acted in which, and who opened what; none may vanish on the way."""

from collections.abc import Iterator

from wuye_loop.domain.passage import Gap, Passage
from wuye_loop.domain.roles import HOLDER, OPENER, SYSTEM
from wuye_loop.domain.situation import Situation

ACTED = "办过的角色"
OPENED = "发起任务的角色"
_SPECIAL = frozenset({HOLDER, OPENER, SYSTEM})
_GONE = "新版没有这个角色，也没有写它改称什么"


def role_gaps(situation: Situation, passage: Passage) -> list[Gap]:
    """Return the roles that separation of duties remembers, or that opened what is still open, and that lead nowhere."""
    return list(dict.fromkeys(_gaps(situation, passage)))


def _gaps(situation: Situation, passage: Passage) -> Iterator[Gap]:
    for role, units in situation.grievance.did.items():
        if units and not _known(role, passage):
            yield Gap(ACTED, role, f"有单位以它办过，职责分离要记得；{_GONE}")
    for task in situation.tasks.values():
        if not task.final and task.opener_role and not _known(task.opener_role, passage):
            yield Gap(OPENED, f"{task.kind}/{task.opener_role}", f"它发起的任务还没有办完；{_GONE}")


def _known(role: str, passage: Passage) -> bool:
    return role in _SPECIAL or passage.role(role) in passage.new.workflow.roles

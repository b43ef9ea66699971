"""One grievance read for a decision, with or without its lock: its free texts in words."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy.orm import Session

from wuye_loop.domain.grievance.situation import Actor, Situation
from wuye_loop.domain.privacy.words import Opener, is_sealed
from wuye_loop.store.grievance import locking
from wuye_loop.store.grievance.locking import Locked, Ticket

if TYPE_CHECKING:
    from wuye_loop.domain.privacy.sealing import KeyRing


def lock(
    keyring: "KeyRing",
    session: Session,
    number: str,
    actor: Actor,
    *,
    task_id: UUID | None = None,
    ticket: Ticket | None = None,
) -> Locked | None:
    """Lock one visible grievance and read it; None when there is none, or none that this actor may see.

    Raises RecordDamaged where it cannot be read.
    """
    return _opened(keyring, locking.lock(session, number, actor, task_id=task_id, ticket=ticket))


def lock_free(keyring: "KeyRing", session: Session, numbers: Sequence[str]) -> dict[str, Locked]:
    """Lock those of the grievances that nobody else has locked and read them; by number.

    Raises RecordDamaged where one of them cannot be read.
    """
    found = locking.lock_free(session, numbers)
    return {number: opened(keyring, locked) for number, locked in found.items()}


def read(
    keyring: "KeyRing",
    session: Session,
    number: str,
    actor: Actor,
    *,
    task_id: UUID | None = None,
    lenient: bool = False,
) -> Locked | None:
    """Read one visible grievance without a lock; `lenient` leaves out damaged tasks and clocks, which `damaged` names.

    Raises RecordDamaged where it cannot be read.
    """
    return _opened(keyring, locking.read(session, number, actor, task_id=task_id, lenient=lenient))


def _opened(keyring: "KeyRing", locked: Locked | None) -> Locked | None:
    return None if locked is None else opened(keyring, locked)


def opened(keyring: "KeyRing", locked: Locked) -> Locked:
    """Return a grievance as it was read with its free texts in words."""
    was = locked.situation
    if not is_sealed(was.grievance.data) and not any(is_sealed(task.data) for task in was.tasks.values()):
        return locked
    opener = Opener(keyring, was.grievance.id, locked.sealed)
    tasks = {key: replace(task, data=opener(task.data)) for key, task in was.tasks.items()}
    grievance = replace(was.grievance, data=opener(was.grievance.data))
    return replace(locked, situation=Situation(grievance, tasks, was.clocks))

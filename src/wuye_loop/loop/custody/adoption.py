"""Takes over what was kept before chains were keyed: each ledger is checked, then vouched for by a row of its own."""

from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.orm import Session

from wuye_loop.domain.errors import Erased, SealBroken
from wuye_loop.domain.grievance.ledger import GENESIS, unkeyed
from wuye_loop.domain.grievance.order_image import order_image
from wuye_loop.domain.grievance.situation import SYSTEM_ACTOR
from wuye_loop.domain.step import actions
from wuye_loop.domain.step.posting import posted
from wuye_loop.loop import engine, under_lock
from wuye_loop.loop.engine import Loop
from wuye_loop.store import registry
from wuye_loop.store.database import Database
from wuye_loop.store.grievance import adopting, writer
from wuye_loop.store.reads import audit
from wuye_loop.store.reads.audit import Folder
from wuye_loop.store.reads.recorded import Share

ADOPTED = "adopted"


@dataclass(slots=True)
class Adopted:
    """How many ledgers were taken over, and which were found broken, in words; those stay as they are."""

    taken: int = 0
    broken: list[str] = field(default_factory=list)


def adopt(loop: Loop, database: Database) -> Adopted:
    """Begin the register and take over every old ledger; once, for what comes without a seal afterwards is forged.

    It may be interrupted and goes on where it stopped.
    """
    done = Adopted()
    with database.begin() as session:
        registry.begin(session)
        if registry.entered(session, ADOPTED):
            return done
        waiting = list(adopting.unkeyed(session))
    for grievance_id in waiting:
        with database.begin() as session:
            folder = next(audit.folders(session, Share(grievance_id, None)))
            if not _sound(folder):
                done.broken.append(f"{folder.number} 的旧台账对不上，没有封存")
                continue
            done.taken += _take(loop, session, folder)
    with database.begin() as session:
        registry.enter(session, ADOPTED, "", {"taken": done.taken, "broken": done.broken})
    return done


def _sound(folder: Folder) -> bool:
    """Say whether the rows of an old ledger follow each other to its head, without a gap."""
    head = GENESIS
    for place, entry in enumerate(folder.entries, 1):
        if entry.seq != place or unkeyed(folder.id, entry, head) != entry.hash:
            return False
        head = entry.hash
    return head == folder.head and len(folder.entries) == folder.seq


def _take(loop: Loop, session: Session, folder: Folder) -> bool:
    """Vouch for what the tables hold of a grievance in a row of its own."""
    locked = under_lock.lock(loop.keyring, session, folder.number, SYSTEM_ACTOR)
    if locked is None or locked.situation.grievance.head != folder.head:
        return False  # a step has come in between: its row is keyed, and the next round sees to the rest
    beside: dict[str, Any] = {
        name: list(images.values())
        for name, images in (
            ("documents", folder.documents), ("ratings", folder.ratings), ("precedents", folder.precedents),
        )
        if images
    }  # fmt: skip
    try:
        key = loop.keyring.data_key(folder.id, folder.sealed) if folder.sealed is not None else None
    except (Erased, SealBroken):
        key = None
    if key is not None:
        beside["order"] = order_image(folder.order, key)
    step = actions.note(engine.world_of(loop, session, locked), locked.situation, "adopt", {})
    writer.write(session, locked.situation, posted(locked.situation, step, loop.chain, beside))
    return True

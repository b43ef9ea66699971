"""Wraps every data key and phone hash anew under the active master keys, a few at a time, while others work."""

from dataclasses import dataclass, field
from time import perf_counter

from wuye_loop.domain.errors import SealBroken
from wuye_loop.domain.privacy.sealing import KeyRing
from wuye_loop.store.database import Database
from wuye_loop.store.grievance import identity, rewrapping
from wuye_loop.store.grievance.rewrapping import Wrapped


@dataclass(slots=True)
class Rewrapped:
    """How many were wrapped anew in how many seconds, and which could not be opened, in words."""

    rows: int = 0
    seconds: float = 0.0
    broken: list[str] = field(default_factory=list)


def rewrap_all(ring: KeyRing, database: Database) -> Rewrapped:
    """Go through all of them, in batches of their own transaction; it may be interrupted and run again."""
    done, began = Rewrapped(), perf_counter()
    after = None
    while True:
        with database.begin() as session:
            some = rewrapping.stale(session, ring.active, ring.suite.mark.encode() + next(iter(ring.index.keys)), after)
            if not some:
                break
            fresh = [one for one in (_fresh(ring, one, done) for one in some) if one is not None]
            done.rows += rewrapping.replace(session, fresh)
            after = some[-1].grievance_id
    done.seconds = round(perf_counter() - began, 2)
    return done


def _fresh(ring: KeyRing, one: Wrapped, done: Rewrapped) -> Wrapped | None:
    try:
        sealed = ring.rewrap(one.grievance_id, one.sealed)
        phone_hash = one.phone_hash
        if phone_hash is not None:
            phone_hash = ring.blind(str(identity.opened(ring, one.grievance_id, sealed)["phone"]))
    except SealBroken as error:
        done.broken.append(f"{one.grievance_id} 打不开：{error.detail}")
        return None
    return Wrapped(one.grievance_id, sealed, phone_hash)

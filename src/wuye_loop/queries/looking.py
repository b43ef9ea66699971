"""One look at grievances for pages that show nearly all of each: two round trips instead of one for each thing shown."""

from collections.abc import Sequence

from sqlalchemy.orm import Session

from wuye_loop.domain.errors import WuyeError
from wuye_loop.domain.grievance.audiences import audiences
from wuye_loop.domain.grievance.situation import Actor
from wuye_loop.loop.engine import Looked, Loop, seen
from wuye_loop.queries.surroundings import around_asked
from wuye_loop.queries.timeline import MOST
from wuye_loop.store import straight
from wuye_loop.store.grievance.attachments import listed_asked
from wuye_loop.store.grievance.locking import read_asked
from wuye_loop.store.reads.grievances import asked_of
from wuye_loop.store.reference_cache import EPOCHS
from wuye_loop.store.straight import Asked


def looked_ahead(loop: Loop, session: Session, numbers: Sequence[str], actor: Actor) -> list[Looked | WuyeError]:
    """Return the grievances as they stand, and have at hand what their pages go on to ask, each by its own function.

    In place of one that the actor does not see, or that cannot be read, stands the error.
    """
    straight.ahead(session, [read_asked(number, actor) for number in numbers])
    looks: list[Looked | WuyeError] = []
    asked: list[Asked] = []
    for number in numbers:
        try:
            looked = seen(loop, session, number, actor)
        except WuyeError as error:
            looks.append(error)
        else:
            looks.append(looked)
            asked += _asked(loop, session, number, actor, looked)
    if asked:
        straight.ahead(session, asked, last=True)
    return looks


def _asked(loop: Loop, session: Session, number: str, actor: Actor, looked: Looked) -> list[Asked]:
    locked, world = looked
    straight.known(session, EPOCHS, [locked.epochs])
    grievance_id, allowed = locked.situation.grievance.id, sorted(audiences(actor, world.rules))
    around = around_asked(loop, session, actor, [number])
    return [around, listed_asked(grievance_id, allowed), *asked_of(grievance_id, allowed, MOST)]

"""Actions on different grievances in one transaction: one look, one write, one end for all of them; new orders likewise.

Each comes to what it would have come to alone, or is left to be taken alone: what its actor does not see, what somebody
else has locked, what a rule refuses, what is answered from a kept ticket, and every decision that asks the database for
more than was locked. Such a decision could see what the others have done, or leave a mark though it is refused.
"""

from asyncio import sleep
from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from functools import partial
from time import monotonic
from typing import Any, Final, TypeVar, cast

import orjson
import structlog
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.orm import Session
from sqlalchemy.util import await_only

from wuye_loop.domain.grievance.situation import Actor, Command
from wuye_loop.domain.step import actions
from wuye_loop.domain.step.posting import posted
from wuye_loop.jobs import Jobs
from wuye_loop.loop import engine, under_lock
from wuye_loop.loop.collect import Entangled, Incoming, collect_together
from wuye_loop.loop.engine import ANY, Loop, StepResult, Terms
from wuye_loop.store import straight
from wuye_loop.store.database import Database, in_turn, of_the_crowd
from wuye_loop.store.gathering import Gathering
from wuye_loop.store.grievance import locking, writer
from wuye_loop.store.grievance.locking import Locked, Sought
from wuye_loop.store.grievance.writer import Kept
from wuye_loop.store.turns import Turns

_log = structlog.get_logger("wuye_loop.step")
M = TypeVar("M")  # one of a group
R = TypeVar("R")  # what a group comes to, Alone among it


@dataclass(frozen=True, slots=True)
class Act:
    """An action that somebody wants to take on a grievance."""

    number: str
    action: str
    actor: Actor
    form: Mapping[str, Any] = field(default_factory=dict)
    terms: Terms = ANY

    @property
    def names_others(self) -> bool:
        """Whether its form names other grievances, which would have to be locked too."""
        return bool(engine.named_beside(self.number, self.form))


class Alone(Enum):
    """Why an action is left to be taken alone: its decision asks for more than was locked, or anything else."""

    ASKS = 1
    ELSE = 2


class _Asks(Exception):
    """A decision asks the database."""


class _Unasked:
    """Stands where a decision would look for its session."""

    def __getattr__(self, name: str) -> Any:
        raise _Asks(name)


def _unasked(*_: Any) -> Any:
    raise _Asks


_UNASKED: Final = cast("Session", _Unasked())
_MOST = 32  # actions in one transaction
_AT_ONCE = 2  # groups: one is decided while the other is written
_LONGEST = 0.005  # seconds that anybody waits for a group to end, before the next begins without it
_ASKING_SECONDS, _MOST_ASKING = 30.0, 256


def _gathering(
    work: Callable[[Sequence[M]], Awaitable[Sequence[R]]], name: Callable[[M], Hashable], most_at_once: int
) -> Gathering[M, R]:
    return Gathering(work, name, _MOST, _AT_ONCE, max(_AT_ONCE, most_at_once), _LONGEST)


class Company:
    """Actions that come at the same moment, taken together; of one event loop."""

    def __init__(self, loop: Callable[[], Loop], database: Database, jobs: Jobs) -> None:
        self._loop, self._database, self._jobs = loop, database, jobs
        self._asking: dict[str, float] = {}  # actions that asked, until when they are taken alone
        self._gathering = _gathering(self._taken, _number_of, database.pool_size)

    async def outcome_of(self, act: Act) -> StepResult | Alone:
        """Return what an action came to, committed with others, or that it is to be taken alone: nothing of it remains.

        Raises what the database raises where nobody knows whether it was committed, and where it is not to be had.
        """
        if act.names_others or monotonic() < self._asking.get(act.action, 0.0):
            return Alone.ELSE
        outcome = await self._gathering.add(act)
        if outcome is Alone.ASKS:  # others of its name will ask, too: they need not be decided twice
            if len(self._asking) >= _MOST_ASKING:
                self._asking.clear()
            self._asking[act.action] = monotonic() + _ASKING_SECONDS
        return outcome

    async def _taken(self, acts: Sequence[Act]) -> Sequence[StepResult | Alone]:
        return await _or_alone(
            self._database, len(acts), lambda session: act_together(self._loop(), session, acts, self._jobs)
        )


def _number_of(act: Act) -> str:
    return act.number


async def _or_alone(database: Database, many: int, work: Callable[[Session], list[R]]) -> list[R]:
    """Run the work of a group; where it fails, and surely nothing of it remains, each is to be taken alone.

    Raises what the database raises where nobody knows whether it was committed, and where it is not to be had.
    """
    try:
        return await database.write_async(work)
    except DBAPIError as error:
        if error.connection_invalidated:  # it may have been committed
            raise
        _log.info("taken_one_by_one", many=many, error=type(error).__name__)
    except SQLAlchemyError:
        raise
    except Entangled:
        pass
    except Exception:  # noqa: BLE001 it is told when its member is taken alone; the others go on
        _log.exception("taken_one_by_one", many=many)
    return cast("list[R]", [Alone.ELSE] * many)


Pushed = tuple[Incoming, Actor]


class Arrivals:
    """Orders that come at the same moment, taken in together as a batch is; of one event loop.

    Of a `crowd`, they take their turns at the connections by that name.
    """

    def __init__(self, loop: Callable[[], Loop], database: Database, jobs: Jobs, crowd: str | None = None) -> None:
        self._loop, self._database, self._jobs, self._crowd = loop, database, jobs, crowd
        self._gathering = _gathering(self._taken_in, _sent_as, database.pool_size if crowd is None else _AT_ONCE)

    async def outcome_of(self, order: Incoming, actor: Actor) -> StepResult | Alone:
        """Return what an order came to, committed with others, or that it is to be taken in alone: nothing of it remains.

        Raises what taking it in alone would, and what the database raises where nobody knows, or where it is not to be had.
        """
        outcome = await self._gathering.add((order, actor))
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    async def _taken_in(self, every: Sequence[Pushed]) -> Sequence[StepResult | Exception | Alone]:
        of_the_crowd.set(self._crowd)  # whoever began the group is one of many
        by_actor: dict[Actor, list[int]] = {}
        for place, (_, actor) in enumerate(every):
            by_actor.setdefault(actor, []).append(place)
        outcomes: list[StepResult | Exception | Alone] = [Alone.ELSE] * len(every)
        for actor, places in by_actor.items():
            # Two groups that hold the same orders wait for each other in the same order.
            places.sort(key=lambda place: every[place][0].form.external_id)
            orders = [every[place][0] for place in places]
            try:
                found = await _or_alone(self._database, len(orders), partial(self._together, orders, actor))
            except SQLAlchemyError as error:  # theirs alone: what others sent has a transaction of its own
                found = [error] * len(orders)
            for place, outcome in zip(places, found, strict=False):  # those after an odd one are left out
                outcomes[place] = outcome
        return outcomes

    def _together(
        self, orders: Sequence[Incoming], actor: Actor, session: Session
    ) -> list[StepResult | Exception | Alone]:
        outcomes: list[StepResult | Exception | Alone] = []
        outcomes += collect_together(self._loop(), session, orders, actor, lambda: await_only(sleep(0)))
        self._jobs.defer(session, [job for one in outcomes if isinstance(one, StepResult) for job in one.jobs])
        return outcomes


class Filings:
    """Orders of a crowd, taken in together among themselves, address by address: who has a key never waits for them."""

    def __init__(self, loop: Callable[[], Loop], database: Database, jobs: Jobs) -> None:
        self._arrivals = Arrivals(loop, database, jobs, "filings")
        self._places = Turns(_AT_ONCE * _MOST)

    async def outcome_of(self, order: Incoming, actor: Actor) -> StepResult | Alone:
        """Return and raise what `Arrivals` does; a place in a group is waited for as one of the crowd."""
        async with in_turn(self._places, of_the_crowd.get() or ""):
            return await self._arrivals.outcome_of(order, actor)


def _sent_as(pushed: Pushed) -> tuple[str, str]:
    order, actor = pushed
    return actor.sender, order.form.external_id


def act_together(loop: Loop, session: Session, acts: Sequence[Act], jobs: Jobs) -> list[StepResult | Alone]:
    """Take actions on different grievances and end the transaction; return in their order what each came to.

    What is returned is not true before the session's commit has returned too. Raises what the database raises.
    """
    found = locking.lock_each(session, [Sought(one.number, one.actor, one.terms.ticket) for one in acts])
    outcomes: list[StepResult | Alone] = []
    written = []
    for place, one in enumerate(acts):
        try:
            taken = _taken(loop, session, one, *found[place]) if place in found else None
        except _Asks:
            outcomes.append(Alone.ASKS)
        except SQLAlchemyError:
            raise
        except Exception:  # noqa: BLE001 it is told, or logged, when it is taken alone; the others go on
            outcomes.append(Alone.ELSE)
        else:
            outcomes.append(Alone.ELSE if taken is None else taken[0])
            written += [] if taken is None else [taken[1]]
    if written:
        left = [job for one in outcomes if isinstance(one, StepResult) for job in one.jobs]
        straight.end(session, writer.statements(written, jobs.rows(left)))
    return outcomes


def _taken(
    loop: Loop, session: Session, act: Act, read: Locked, external_id: str | None
) -> tuple[StepResult, tuple[Any, Any, Kept | None]] | None:
    """Decide one action; None where it is not an ordinary one. Raises what deciding raises, and _Asks."""
    locked, terms = under_lock.opened(loop.keyring, read), act.terms
    situation = locked.situation
    if locked.stored is not None or terms.seq not in (None, situation.grievance.seq) or situation.grievance.merged_into:
        return None
    engine.rules_of(loop, session, locked)  # so that they need not be asked for
    world = replace(engine.answering(loop, _UNASKED, locked), correct=_unasked)
    decided = actions.decide(world, situation, Command(act.action, act.actor, act.form))
    if decided.joins:
        return None
    step = posted(situation, decided, loop.chain)
    body = orjson.dumps(engine.shown_to(act.actor, world, step.situation, lambda *_: external_id))
    grievance = step.situation.grievance
    left = engine.jobs_of(world, step, situation)
    kept = Kept(terms.ticket, body) if terms.ticket is not None else None
    return StepResult(body, 200, left, grievance.number, grievance.seq, step=step), (situation, step, kept)

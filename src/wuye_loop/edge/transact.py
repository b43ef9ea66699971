"""One request, one transaction: it ends before the answer is rendered, so a failing commit is never a 200."""

from collections.abc import Awaitable, Callable, Iterator, Sequence
from functools import partial
from typing import TypeVar

import structlog
from fastapi import Response
from sqlalchemy.exc import DBAPIError, IntegrityError, SQLAlchemyError
from sqlalchemy.orm import Session

from wuye_loop import metrics
from wuye_loop.domain.errors import WuyeError
from wuye_loop.domain.grievance.order import IntakeForm
from wuye_loop.domain.grievance.situation import Actor
from wuye_loop.edge.site import Site
from wuye_loop.loop import handle
from wuye_loop.loop.collect import Entangled, Incoming, collect, collect_together
from wuye_loop.loop.engine import StepResult
from wuye_loop.loop.grouped import Act, Alone
from wuye_loop.store.database import Write
from wuye_loop.store.grievance.locking import Ticket
from wuye_loop.store.reach import reach_of

_log = structlog.get_logger("wuye_loop.step")
#: Constraints that two equal requests at the same moment run into: the second is run again and finds the first.
_RACES = {"uq_grievance_source_external_id", "pk_idempotency_key", "pk_attached_order"}
_ATTEMPTS = 3
_TOGETHER = 50  # orders in one transaction: many enough that a commit costs little, few enough that none waits long
T = TypeVar("T")


async def transact(site: Site, work: Callable[[Session], StepResult]) -> Response:
    """Run plain synchronous work in a transaction of its own, with its jobs, and answer after the commit."""
    return reply(await outcome_of(site, work))


async def outcome_of(site: Site, work: Callable[[Session], StepResult]) -> StepResult:
    """Run work in a transaction of its own and return what it came to.

    Raises what the work or the commit raises; then nothing of it remains.
    """
    return await site.database.writing_async(partial(_outcome, site, work))


async def act(site: Site, wanted: Act) -> Response:
    """Take an action together with those on other grievances that come at the same moment, else alone; answer after the commit.

    Where the database refuses the group, and surely nothing of it remains, each of it is tried alone.
    """
    outcome = await _together_or_alone(site, site.company.outcome_of(wanted))
    if isinstance(outcome, StepResult):
        return reply(outcome)
    return await transact(
        site,
        lambda session: handle.act(
            site.loop, session, wanted.number, wanted.action, wanted.actor, wanted.form, wanted.terms
        ),
    )


async def push(site: Site, order: Incoming, actor: Actor, ticket: Ticket | None) -> StepResult:
    """Take an order in together with those that come at the same moment, else alone; return what it came to."""
    if ticket is None:
        outcome = await _together_or_alone(site, site.arrivals.outcome_of(order, actor))
        if isinstance(outcome, StepResult):
            return outcome
    return await outcome_of(
        site, lambda session: collect(site.loop, session, order.form, actor, ticket=ticket, flags=order.flags)
    )


async def file(site: Site, form: IntakeForm, actor: Actor) -> StepResult:
    """Take in what a resident filed together with what others file at the same moment, else alone."""
    outcome = await _together_or_alone(site, site.filings.outcome_of(Incoming(form), actor))
    if isinstance(outcome, StepResult):
        return outcome
    return await outcome_of(site, lambda session: collect(site.loop, session, form, actor))


async def _together_or_alone(site: Site, taking: Awaitable[StepResult | Alone]) -> StepResult | Alone:
    """Await what a group makes of one of it, and note how the database fared."""
    try:
        outcome = await taking
    except DBAPIError as error:
        site.writes.failed(error)
        raise
    if isinstance(outcome, StepResult):
        site.writes.done()
        _count(outcome)
    return outcome


def _outcome(site: Site, work: Callable[[Session], StepResult], write: Write) -> StepResult:
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            outcome = write(partial(_with_jobs, site, work))
        except IntegrityError as error:
            if attempt == _ATTEMPTS or constraint_of(error) not in _RACES:
                raise
        except DBAPIError as error:
            site.writes.failed(error)
            raise
        else:
            site.writes.done()
            _count(outcome)
            return outcome
    raise AssertionError  # the loop above returns or raises


def taken_in(
    site: Site, orders: Sequence[Incoming], actor: Actor, write: Write, pause: Callable[[], None] = lambda: None
) -> Iterator[StepResult | WuyeError | SQLAlchemyError]:
    """Take orders in, in their order, some fifty in one transaction, and yield what each came to, after its commit.

    What cannot be taken in with others is taken in alone. Where a group fails as a whole, its first order is tried alone and
    the next group is half as large, so that one order never costs another. `pause` is called between two orders.
    """
    rest, size = list(orders), _TOGETHER
    while rest:
        group = rest[:size]
        found: list[StepResult | WuyeError | SQLAlchemyError] = []
        if len(group) > 1:
            found += _together(site, group, actor, write, pause)
        if found:
            size = min(_TOGETHER, 2 * len(found))
        else:
            found, size = [_alone(site, group[0], actor, write)], max(2, size // 2)
        yield from found
        del rest[: len(found)]


def _together(
    site: Site, orders: Sequence[Incoming], actor: Actor, write: Write, pause: Callable[[], None]
) -> list[StepResult | WuyeError]:
    """Take in what can be taken in together of these orders; nothing where the transaction fails."""

    def work(session: Session) -> list[StepResult | WuyeError]:
        outcomes = collect_together(site.loop, session, orders, actor, pause)
        site.jobs.defer(session, [job for one in outcomes if isinstance(one, StepResult) for job in one.jobs])
        return outcomes

    try:
        outcomes = write(work)
    except (Entangled, SQLAlchemyError) as error:
        _log.info("taken_in_one_by_one", orders=len(orders), error=type(error).__name__)
        return []
    site.writes.done()
    for one in outcomes:
        if isinstance(one, StepResult):
            _count(one)
    return outcomes


def _alone(site: Site, order: Incoming, actor: Actor, write: Write) -> StepResult | WuyeError | SQLAlchemyError:
    def work(session: Session) -> StepResult:
        return collect(site.loop, session, order.form, actor, flags=order.flags)

    try:
        return _outcome(site, work, write)
    except (WuyeError, SQLAlchemyError) as error:
        return error


def _with_jobs(site: Site, work: Callable[[Session], StepResult], session: Session) -> StepResult:
    """Do the work and put its jobs in the same transaction: a rollback leaves none."""
    outcome = work(session)
    site.jobs.defer(session, outcome.jobs)
    return outcome


def _count(outcome: StepResult) -> None:
    """Count what was committed, and leave one line for each step; neither holds anything of the grievance but its number."""
    if outcome.step is None:
        return
    for entry in outcome.step.entries:
        metrics.steps_total.labels(entry.action).inc()
        _log.info("step", number=outcome.number, seq=entry.seq, action=entry.action, state=entry.to_state)


def constraint_of(error: IntegrityError) -> str | None:
    """Return the name of the violated constraint."""
    name: str | None = getattr(getattr(error.orig, "diag", None), "constraint_name", None)
    return name


def reply(outcome: StepResult) -> Response:
    """Return the rendered answer; a kept one says that it was given before."""
    headers = {"Idempotent-Replayed": "true"} if outcome.replayed else {}
    if outcome.seq:
        headers["ETag"] = f'"{outcome.seq}"'
    return Response(outcome.body, outcome.status, headers, media_type="application/json")


async def read(site: Site, work: Callable[[Session], T], reader: Actor | None = None) -> T:
    """Run plain synchronous reading in a read-only transaction; with a `reader` the database lets it see no further.

    Without one where a reading needs what its caller does not see: a document that is carried by another's grievance, the
    lead of a merged one, whose key it is.
    """
    return await site.database.read_async(work, reach_of(reader) if reader is not None else None)

"""Opening who complained, from whichever door: counted, and loud where it is too often."""

import structlog
from fastapi import Request

from wuye_loop import metrics
from wuye_loop.domain.errors import RevealsUsedUp
from wuye_loop.domain.grievance.situation import Actor
from wuye_loop.edge.client_address import address_of
from wuye_loop.edge.site import site_of
from wuye_loop.edge.transact import outcome_of
from wuye_loop.loop.engine import StepResult
from wuye_loop.loop.identity import reveal

_log = structlog.get_logger("wuye_loop.reveal")


async def revealed(request: Request, number: str, actor: Actor, reason: str) -> StepResult:
    """Open a complainant; who, from which address and why is in the ledger. Raises as `reveal` does."""
    site, address = site_of(request), address_of(request)
    try:
        outcome = await outcome_of(site, lambda session: reveal(site.loop, session, number, actor, reason, address))
    except RevealsUsedUp:
        metrics.reveals_total.labels("refused").inc()
        _log.warning("reveals_used_up", key_id=str(actor.key_id))
        raise
    metrics.reveals_total.labels("shown").inc()
    alarm = outcome.step.entries[-1].facts.get("alarm") if outcome.step is not None else None
    if alarm is not None:
        metrics.reveal_alarms_total.inc()
        _log.warning("reveal_alarm", key_id=str(actor.key_id), number=number, count=alarm)
    return outcome

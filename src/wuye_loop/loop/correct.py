"""更正与补充: an order set right by whoever sent it, with a row that keeps old and new; identity sealed and texts struck anew."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final

import orjson
from sqlalchemy.orm import Session

from wuye_loop.domain.errors import BadInput, Forbidden
from wuye_loop.domain.grievance.order import Correction
from wuye_loop.domain.grievance.situation import Actor
from wuye_loop.domain.step.correction import decided
from wuye_loop.domain.step.posting import posted
from wuye_loop.domain.terms import ActorKind
from wuye_loop.loop import engine
from wuye_loop.loop.correcting import Correcting
from wuye_loop.loop.engine import ANY, Loop, StepResult, Terms, jobs_of
from wuye_loop.store.grievance import writer

_MAY: Final = (ActorKind.HOTLINE, ActorKind.ADMIN)
_LONGEST_BODY: Final = 20_000


def correct(
    loop: Loop,
    session: Session,
    number: str,
    form: Correction,
    actor: Actor,
    terms: Terms = ANY,
    *,
    digest: bytes | None = None,
) -> StepResult:
    """Set right what an order says; the answer is the grievance as it is then.

    `digest` is that of the order that is superseded. Raises Forbidden for whoever is neither its hotline nor an
    administrator, NotFound, Stale, KeyReused, Erased, BadInput for an unknown area.
    """
    return _written(loop, session, number, actor, terms, "correct", {"reason": form.reason}, lambda _: form, digest)


def supplement(loop: Loop, session: Session, number: str, text: str, actor: Actor, terms: Terms = ANY) -> StepResult:
    """Add words to an order, at its end. Raises as `correct` does, and BadInput when it becomes too long."""

    def longer(person: Mapping[str, Any]) -> Correction:
        body = f"{person.get('body', '')}\n补充：{text}"
        if len(body) > _LONGEST_BODY:
            raise BadInput("补充以后太长", fields=[{"path": "text", "problem": f"连同原文最多 {_LONGEST_BODY} 个字"}])
        return Correction(reason="补充", body=body)

    return _written(loop, session, number, actor, terms, "supplement", {"text": text}, longer, None)


def _written(
    loop: Loop,
    session: Session,
    number: str,
    actor: Actor,
    terms: Terms,
    action: str,
    facts: dict[str, Any],
    asked: Callable[[Mapping[str, Any]], Correction],
    digest: bytes | None,
) -> StepResult:
    if actor.kind not in _MAY:
        raise Forbidden("只有推送这件诉求的热线和管理员可以更正")
    locked = engine.begun(loop, session, number, actor, terms)
    if isinstance(locked, StepResult):
        return locked
    world = replace(engine.answering(loop, session, locked), model=loop.reference.model(session))
    correcting = Correcting(loop.keyring, session, locked)
    made = correcting.made(world, locked.situation, asked(correcting.person))
    if digest is not None:
        correcting.columns["intake_digest"] = digest
    facts = {**{name: made.strike(value) for name, value in facts.items()}, **made.told}
    facts["routing"] = [one.as_json() for one in world.choose(made.after).trace]
    step = posted(made.base, decided(world, made, actor, action, facts), loop.chain, correcting.beside())
    situation = replace(locked.situation, grievance=step.situation.grievance)
    body = orjson.dumps(engine.answer_of(session, world, situation, actor))
    writer.write(session, made.base, step, ticket=terms.ticket, reply=body)
    correcting.write()
    grievance = step.situation.grievance
    return StepResult(body, 200, jobs_of(world, step, made.base), number, grievance.seq, step=step)

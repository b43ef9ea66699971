"""更正与补充: an order set right by whoever sent it, with a row that keeps old and new; identity sealed and texts struck anew."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any, Final

import orjson
from pydantic import ValidationError
from sqlalchemy.orm import Session

from wuye_loop.domain.errors import BadInput, Erased, Forbidden
from wuye_loop.domain.grievance.order import Correction, IntakeForm
from wuye_loop.domain.grievance.order_image import FIXED as FIXED_COLUMNS
from wuye_loop.domain.grievance.order_image import TEXTS, order_image
from wuye_loop.domain.grievance.situation import Actor, GrievanceState, World
from wuye_loop.domain.privacy.known import Known, of_person
from wuye_loop.domain.privacy.striking import struck
from wuye_loop.domain.privacy.text import mask_address
from wuye_loop.domain.privacy.words import sealed_words
from wuye_loop.domain.step.arrival import occurred_at
from wuye_loop.domain.step.correction import FIXED, corrected, decided
from wuye_loop.domain.step.posting import posted
from wuye_loop.domain.terms import ActorKind
from wuye_loop.domain.time.timestamps import as_text
from wuye_loop.loop import engine, routing
from wuye_loop.loop.engine import ANY, Loop, StepResult, Terms, jobs_of
from wuye_loop.store.grievance import identity, intake, writer
from wuye_loop.store.grievance.locking import Locked

_MAY: Final = (ActorKind.HOTLINE, ActorKind.ADMIN)
_TOLD: Final = ("category", "urgency", "flags", "kind", "title", "body", "estate_code", "area_code", "company_code")
_HIDDEN: Final = "（身份信息，不写出）"
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
    old = locked.situation.grievance
    if locked.sealed is None:
        raise Erased
    key = loop.keyring.data_key(old.id, locked.sealed)
    person = identity.opened_by(key, locked.sealed)
    form = asked(person)
    now, told = _person(person, form), _order(old, person, form)
    found = _looked(session, world, old, told)
    known, public = of_person(person) | of_person(now), world.directory.public
    made = corrected(
        world,
        locked.situation,
        told,
        form.named,
        estate=found.estate,
        estates_named=found.named,
        person=known,
        seal=partial(sealed_words, key=key),
    )
    columns = _columns(world, old, made.after.grievance, told, form, known)
    if digest is not None:
        columns["intake_digest"] = digest

    def strike(text: str) -> str:
        return world.redact(struck(text, known, public))

    facts = {name: strike(value) for name, value in facts.items()}
    facts |= _told_of(old, made.after.grievance, form, (person, now), columns, strike)
    facts["routing"] = [one.as_json() for one in routing.choose(session, world, made.after).trace]
    image = order_image(_columns_now(session, made.after.grievance, columns), key)
    draft = decided(world, made, actor, action, facts)
    step = posted(made.base, draft, loop.chain, {"order": image})
    body = _answer(world, step.situation.grievance, locked, session, actor)
    writer.write(session, made.base, step, ticket=terms.ticket, reply=body)
    sealed = identity.seal(key, now, loop.keyring.blind(now["phone"]) if now.get("phone") else None)
    writer.correct(session, old.id, columns, sealed)
    grievance = step.situation.grievance
    return StepResult(body, 200, jobs_of(world, step, made.base), number, grievance.seq, step=step)


def _looked(session: Session, world: World, old: GrievanceState, told: IntakeForm) -> intake.Found:
    """Look up the place that an order names. Raises BadInput for an unknown area."""
    if told.place.area_code and told.place.area_code not in world.directory.areas:
        raise BadInput("没有这个属地", fields=[{"path": "place.area_code", "problem": "没有这个属地代码"}])
    return intake.look(
        session, source=old.source, external_id="", estate=told.place.estate, area=told.place.area_code,
        phone_hashes=(), ticket=None,
    )  # fmt: skip


def _person(person: Mapping[str, Any], form: Correction) -> dict[str, Any]:
    """Return what is sealed from now on."""
    now = dict(person)
    if "phone" in form.named:
        now["phone"] = form.phone
    if form.place is None and "place" in form.named:
        now["address"] = None
    elif form.place is not None and "address" in form.place.model_fields_set:
        now["address"] = form.place.address
    now |= {name: getattr(form, name) for name in ("title", "body") if name in form.named}
    return {name: value for name, value in now.items() if value}


def _order(old: GrievanceState, person: Mapping[str, Any], form: Correction) -> IntakeForm:
    """Return the whole order as it would be sent in today. Raises BadInput where it would be refused."""
    place = {"estate": old.estate_code or old.data.get("estate_name"), "area_code": old.area_code}
    if "place" in form.named:
        given = form.place.model_dump(exclude_unset=True) if form.place is not None else {}
        if form.place is None or ("estate" in given and "area_code" not in given):
            place = {}  # the old area was that of the old estate
        place |= {name: value for name, value in given.items() if name != "address"}
    order = {
        "external_id": "-",
        "channel": old.channel,
        "kind": form.kind if "kind" in form.named else old.kind,
        "category": form.category if "category" in form.named else old.category,
        "urgency": old.urgency,
        "title": form.title if "title" in form.named else person.get("title") or old.title,
        "body": form.body if "body" in form.named else person.get("body") or old.body,
        "occurred_at": form.occurred_at,
        "place": {name: value for name, value in place.items() if value},
        "complainant": {"anonymous": old.anonymous},
        "extra": dict(old.extra),
    }
    try:
        return IntakeForm.model_validate(order)
    except ValidationError:
        raise BadInput("更正以后的内容不合要求") from None


def _columns(
    world: World, old: GrievanceState, new: GrievanceState, told: IntakeForm, form: Correction, known: Known
) -> dict[str, Any]:
    """Return the columns that no step changes otherwise."""
    columns: dict[str, Any] = {name: getattr(new, name) for name in FIXED}
    if "occurred_at" in form.named:
        columns["occurred_at"] = occurred_at(replace(world, now=old.received_at), told)
    if "category" in form.named:
        columns["category_suggested"] = form.category is None and new.category is not None
    if form.place is None and "place" in form.named:
        columns["address"] = None
    elif form.place is not None and "address" in form.place.model_fields_set:
        shown = mask_address(form.place.address) if form.place.address else None
        columns["address"] = struck(shown, known, world.directory.public) if shown else None
    return columns


def _columns_now(session: Session, after: GrievanceState, columns: Mapping[str, Any]) -> dict[str, Any]:
    """Return the order's columns as they are once the correction is written: what its image vouches for."""
    order = {name: getattr(after, name, None) for name in (*FIXED_COLUMNS, *TEXTS)}
    order |= intake.fixed(session, after.id)
    return order | {name: value for name, value in columns.items() if name in order}


def _told_of(
    old: GrievanceState,
    new: GrievanceState,
    form: Correction,
    people: tuple[Mapping[str, Any], Mapping[str, Any]],
    columns: Mapping[str, Any],
    strike: Callable[[str], str],
) -> dict[str, Any]:
    """Return what was and what is of every field that changed, texts struck; of an identity only that it did."""
    names = [name for name in _TOLD if getattr(old, name) != getattr(new, name)]
    was, becomes = ({name: _plain(getattr(one, name)) for name in names} for one in (old, new))
    for told in (was, becomes):
        told |= {name: strike(str(told[name])) for name in ("title", "body") if name in told}
    for name in ("phone", "address"):
        if people[0].get(name) != people[1].get(name):
            was[name], becomes[name] = (_HIDDEN if one.get(name) else None for one in people)
    if "occurred_at" in form.named:
        at = columns.get("occurred_at")
        becomes["occurred_at"] = as_text(at) if isinstance(at, datetime) else None
    return {"old": was, "new": becomes}


def _plain(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value


def _answer(world: World, grievance: GrievanceState, locked: Locked, session: Session, actor: Actor) -> bytes:
    situation = replace(locked.situation, grievance=grievance)
    return orjson.dumps(engine.answer_of(session, world, situation, actor))

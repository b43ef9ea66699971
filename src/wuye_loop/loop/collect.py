"""统一收集: take in a grievance once, whoever sends it how often; seal who complained; start its clocks."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

import orjson
from sqlalchemy.orm import Session

from wuye_loop.domain.errors import BadForm, BadInput, Conflict, Forbidden, IllegalAction, KeyReused, NotFound
from wuye_loop.domain.grievance.order import IntakeForm
from wuye_loop.domain.grievance.order_image import FIXED, TEXTS, order_image
from wuye_loop.domain.grievance.situation import Actor, Command, GrievanceState, Situation, World
from wuye_loop.domain.grievance.views import grievance_view, receipt_view
from wuye_loop.domain.privacy.known import Known, of_person
from wuye_loop.domain.privacy.striking import struck
from wuye_loop.domain.privacy.text import mask_address
from wuye_loop.domain.privacy.words import sealed_words
from wuye_loop.domain.rules.rules import Rules
from wuye_loop.domain.step import actions
from wuye_loop.domain.step.arrival import arrived, attaching, first_look, occurred_at, see_sender
from wuye_loop.domain.step.posting import posted
from wuye_loop.domain.step.records import Step
from wuye_loop.domain.terms import ActorKind
from wuye_loop.loop import clock_check, engine, routing
from wuye_loop.loop.engine import Loop, StepResult, Terms, jobs_of
from wuye_loop.store.grievance import document_numbers, identity, intake, writer
from wuye_loop.store.grievance.intake import Found
from wuye_loop.store.grievance.locking import Ticket


def collect(
    loop: Loop,
    session: Session,
    form: IntakeForm,
    actor: Actor,
    *,
    ticket: Ticket | None = None,
    received_at: datetime | None = None,
    flags: tuple[str, ...] = (),
) -> StepResult:
    """Take in one grievance. The same source and external id with the same body is answered as the first time (200).

    `received_at` is for importing what another system received earlier; `flags` are what its reader found odd. Raises
    Conflict (409) for another body under the same id, BadInput (422) for an unknown area, ClockOff (503) for what is new
    while the clock is off.
    """
    person = _person(form)
    source = actor.sender
    before = loop.clock.now()
    found = intake.look(
        session,
        source=source,
        external_id=form.external_id,
        estate=form.place.estate,
        area=form.place.area_code,
        # Only a hotline learns that a person has complained before: a unit could ask for its neighbours' phones.
        phone_hashes=loop.keyring.blinds(person["phone"]) if person.get("phone") and actor.unit is None else (),
        ticket=ticket,
    )
    if found.stored is not None and ticket is not None:
        if not ticket.asked(found.stored.digest):
            raise KeyReused("这个 Idempotency-Key 已用于另一个请求")
        return StepResult(found.stored.body, found.stored.status, replayed=True)
    loop.reference.refresh(session, found.epochs)
    if found.attached is not None:
        return _attached_before(loop, found.attached, form)
    if found.number is not None:
        return _again(loop, session, found, form)
    clock_check.require(loop, before, found.there)
    return _new(loop, session, form, actor, found, person, ticket, received_at, flags)


def _again(loop: Loop, session: Session, found: Found, form: IntakeForm) -> StepResult:
    if found.digest is None or not loop.keyring.index.knows(_stated(form), found.digest):
        raise Conflict("同一来源的这个外部编号已用于另一件诉求", number=found.number)
    entry = intake.first_entry(session, found.number or "")
    # The version it came in under: it may have been taken over by another since.
    world = intake_world(loop, session, entry.changes["grievance"].get("workflow") or found.workflow or "")
    return StepResult(
        _dump({**receipt_view(world, found.number or "", entry), "external_id": form.external_id}),
        200,
        number=found.number or "",
        replayed=True,
    )


def _new(
    loop: Loop,
    session: Session,
    form: IntakeForm,
    actor: Actor,
    found: Found,
    person: dict[str, Any],
    ticket: Ticket | None,
    received_at: datetime | None,
    flags: tuple[str, ...],
) -> StepResult:
    if form.place.area_code and form.place.area_code not in loop.reference.directory.areas:
        raise BadInput("没有这个属地", fields=[{"path": "place.area_code", "problem": "没有这个属地代码"}])
    world = intake_world(loop, session, _workflow(loop, session, form, actor, found, received_at))
    if received_at is not None:
        world = replace(world, now=received_at.astimezone(UTC))
    world = replace(routing.answering(session, world), next_number=partial(document_numbers.next_number, session))
    key = loop.keyring.new_key(world.new_id())
    if found.estate is None and form.place.estate and not form.place.estate.isascii():
        person = person | {"estate": form.place.estate}  # what no estate is called may be somebody's address
    known, digest = of_person(person), digest_of(loop, form)
    situation = arrived(
        world,
        form,
        id=key.grievance_id,
        number=f"WY{world.calendar.local_date(world.now):%y%m%d}-{loop.ids.code(8)}",
        source=actor.sender,
        estate=found.estate,
        person=known,
        named=found.named,
        repeats=found.repeats,
        earlier=found.earlier,
        reporter=actor.unit,
        seal=partial(sealed_words, key=key),
    )
    if flags:
        grievance = situation.grievance
        situation = replace(situation, grievance=replace(grievance, flags=(*grievance.flags, *flags)))
    see_sender(world, situation, actor)
    situation, notices, facts = first_look(world, situation, form)
    # What raises an alarm is a matter of its own, whatever it belongs to.
    attached = situation if notices else _attach(loop, session, world, situation, form, actor, digest, ticket)
    if isinstance(attached, StepResult):
        return attached
    situation = attached
    facts["routing"] = [trace.as_json() for trace in routing.choose(session, world, situation).trace]
    draft = actions.receive(world, situation, actor, facts, notices)
    fixed = _fixed(world, situation, form, digest, known)
    grievance = draft.situation.grievance
    order = {name: getattr(grievance, name, None) for name in (*FIXED, *TEXTS)} | fixed
    step = posted(situation, draft, loop.chain, {"order": order_image(order, key)})
    grievance = step.situation.grievance
    body = _dump({**receipt_view(world, grievance.number, step.entries[0]), "external_id": form.external_id})
    spoken = _spoken(form, person, situation.grievance)
    sealed = identity.seal(key, spoken, loop.keyring.blind(person["phone"]) if person.get("phone") else None)
    writer.insert(session, situation, step, fixed, sealed, ticket=ticket, reply=body)
    return StepResult(body, 201, jobs_of(world, step, situation), grievance.number, grievance.seq, step=step)


def _fixed(world: World, situation: Situation, form: IntakeForm, digest: bytes, known: Known) -> dict[str, Any]:
    """Return the columns of a new grievance that only a correction changes."""
    address = form.place.address
    return {
        "external_id": form.external_id,
        "intake_digest": digest,
        "confidential": form.complainant.confidential,
        "occurred_at": occurred_at(world, form),
        "address": (struck(mask_address(address) or "", known, world.directory.public) or None) if address else None,
        "category_suggested": form.category is None and situation.grievance.category is not None,
    }


def _workflow(
    loop: Loop, session: Session, form: IntakeForm, actor: Actor, found: Found, received_at: datetime | None
) -> str:
    """Return by which workflow a new grievance goes: what the rules by source, channel and area say, in force that day."""
    code = found.estate.area_code if found.estate is not None else form.place.area_code
    area = loop.reference.directory.areas.get(code or "")
    named = loop.workflow_by.of(actor.sender, form.channel, area.path if area else "") or loop.default_workflow
    return loop.reference.in_force(session, named, received_at or loop.clock.now())


def _attach(
    loop: Loop,
    session: Session,
    world: World,
    situation: Situation,
    form: IntakeForm,
    actor: Actor,
    digest: bytes,
    ticket: Ticket | None,
) -> StepResult | Situation:
    """Let an order that belongs to an earlier grievance (催办) become an action there; else return it as a new matter.

    Its words go along where the action asks for a text.
    Where the earlier one is unknown or no longer takes the action, the order is taken in as a new grievance, flagged.
    """
    rule, named = attaching(world, situation, form)
    if rule is None:
        return situation
    earlier = intake.earlier(session, actor.sender, named) if named is not None else None
    flagged = replace(situation.grievance, flags=(*situation.grievance.flags, "unattached"))
    if earlier is None:
        return replace(situation, grievance=flagged)
    number, workflow, source = earlier
    own = source == actor.sender
    said = _said(loop.reference.rules(session, workflow), rule.act, situation.grievance.body)

    def answer(world: World, situation: Situation, _: Step) -> bytes:
        if not own:  # the lead of a merged matter came from elsewhere: its number, and no word of it
            return _dump({"number": number, "external_id": form.external_id, "attached_to": number})
        return _dump({**grievance_view(world, situation), "external_id": form.external_id, "attached_to": number})

    try:
        with session.begin_nested():  # a refusal gives back the document numbers it drew
            acting = actor if own or actor.kind is not ActorKind.HOTLINE else replace(actor, source=source)
            outcome = engine.take(loop, session, number, Command(rule.act, acting, said), answer, Terms(ticket=ticket))
    except (IllegalAction, Forbidden, BadForm, NotFound):
        return replace(situation, grievance=flagged)
    intake.attach(session, actor.sender, form.external_id, digest, number, outcome.body, world.now)
    return replace(outcome, status=200)


def _said(rules: Rules, action: str, body: str) -> dict[str, str]:
    """Return the form of the action an order becomes: what it says, struck of identities, in the first text asked for."""
    spec = rules.workflow.actions.get(action)
    fields = spec.needs.items() if spec is not None else ()
    texts = [(name, field) for name, field in fields if field.type == "text" and field.when is None]
    return {name: body[: field.max or 4000] for name, field in texts[:1]}


def _attached_before(loop: Loop, kept: tuple[bytes, bytes], form: IntakeForm) -> StepResult:
    """Answer a repeated 催办 as the first time: it is not counted twice."""
    if not loop.keyring.index.knows(_stated(form), kept[0]):
        raise Conflict("同一来源的这个外部编号已用于另一件诉求")
    return StepResult(kept[1], 200, replayed=True)


def intake_world(loop: Loop, session: Session, workflow: str) -> World:
    """Return the world in which an order is looked at under a version of a workflow."""
    rules = loop.reference.rules(session, workflow)
    calendar = loop.reference.calendar(session, rules.workflow.calendar)
    model = loop.reference.model(session)
    return World(rules, loop.clock.now(), calendar, loop.reference.directory, loop.ids.new, model=model)


def _person(form: IntakeForm) -> dict[str, Any]:
    """Return who it is, where to the door, the words as spoken, and what the city's own fields say of them."""
    who = form.complainant
    person = {"name": who.name, "phone": who.phone, "address": form.place.address, "extra": form.extra}
    return {key: value for key, value in person.items() if value} | {"title": form.title, "body": form.body}


def _spoken(form: IntakeForm, person: dict[str, Any], stored: GrievanceState) -> dict[str, Any]:
    """Return what is sealed: the person, and every field as it was spoken that is stored with something struck out."""
    fields = ("channel", "kind", "category", "urgency", "extra")
    said = {name: value for name in fields if (value := getattr(form, name))}
    unlike = {name: value for name, value in said.items() if value != getattr(stored, name)}
    if (estate := person.get("estate")) and estate != stored.data.get("estate_name"):
        unlike["estate"] = estate
    return {name: value for name, value in person.items() if name not in ("extra", "estate")} | unlike


def digest_of(loop: Loop, form: IntakeForm) -> bytes:
    """Return the keyed digest under which a body is kept: without the key nobody can try phone numbers against it."""
    return loop.keyring.index.mac(_stated(form))


def _stated(form: IntakeForm) -> bytes:
    return b"intake\x00" + orjson.dumps(form.model_dump(mode="json"), option=orjson.OPT_SORT_KEYS)


def _dump(value: Mapping[str, Any]) -> bytes:
    return orjson.dumps(value)

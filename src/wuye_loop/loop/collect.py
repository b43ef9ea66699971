"""统一收集: take in a grievance once, whoever sends it how often; seal who complained; start its clocks."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

import orjson
from sqlalchemy.orm import Session

from wuye_loop.domain.errors import BadForm, ClockOff, Conflict, Forbidden, IllegalAction, NotFound, WuyeError
from wuye_loop.domain.grievance.order import IntakeForm
from wuye_loop.domain.grievance.order_image import FIXED, TEXTS, order_image
from wuye_loop.domain.grievance.situation import EMPTY, Actor, Command, GrievanceState, Situation, World
from wuye_loop.domain.grievance.views import grievance_view, receipt_view
from wuye_loop.domain.privacy.known import Known, of_person
from wuye_loop.domain.privacy.words import sealed_words
from wuye_loop.domain.rules.rules import Rules
from wuye_loop.domain.step import actions
from wuye_loop.domain.step.arrival import (
    arrived,
    attaching,
    ended,
    first_look,
    know_area,
    occurred_at,
    see_sender,
    shown_address,
)
from wuye_loop.domain.step.posting import posted
from wuye_loop.domain.step.records import Posted, Step
from wuye_loop.domain.terms import ActorKind
from wuye_loop.loop import clock_check, engine, routing
from wuye_loop.loop.engine import Loop, StepResult, Terms, jobs_of
from wuye_loop.store.grievance import document_numbers, identity, intake, writer
from wuye_loop.store.grievance.intake import Asked, Found
from wuye_loop.store.grievance.locking import Ticket
from wuye_loop.store.grievance.writer import Arrival


@dataclass(frozen=True, slots=True)
class Incoming:
    """An order to be taken in with others; `flags` are what its reader found odd."""

    form: IntakeForm
    flags: tuple[str, ...] = ()


class Entangled(Exception):
    """One of several orders was refused after it drew a number of a document: they must be taken in one by one."""


class _Alone(Exception):
    """This order is to be taken in alone: it becomes an action on an earlier grievance, which has to be locked."""


@dataclass(slots=True)
class _Pending:
    """Orders that are decided together and written at once: what the next of them must know of those before."""

    actor: Actor
    arrivals: list[Arrival] = field(default_factory=list)
    ids: set[str] = field(default_factory=set)
    by_phone: dict[tuple[bytes, str], list[Posted]] = field(default_factory=dict)
    led: Counter[str] = field(default_factory=Counter)

    def add(self, arrival: Arrival) -> None:
        """Remember a grievance that is yet to be written."""
        self.arrivals.append(arrival)
        grievance, phone = arrival.step.situation.grievance, arrival.sealed["phone_hash"]
        if phone is not None and grievance.estate_code is not None and self.actor.unit is None:
            self.by_phone.setdefault((phone, grievance.estate_code), []).append(arrival.step)
        if grievance.lead_unit is not None and not grievance.final:
            self.led[grievance.lead_unit] += 1

    def seen(self, found: Found, phone: bytes | None) -> Found:
        """Return what was found of an order, with those of the same phone and estate that are yet to be written."""
        if phone is None or found.estate is None or not (before := self.by_phone.get((phone, found.estate.code))):
            return found
        repeats = min(found.repeats + len(before), intake.MOST_REPEATS)
        last = max(before, key=lambda step: step.situation.grievance.received_at)
        grievance = last.situation.grievance
        if found.earlier_at is not None and found.earlier_at > grievance.received_at:
            return replace(found, repeats=repeats)
        told = ended(grievance, (entry.facts for entry in last.entries))
        return replace(found, repeats=repeats, earlier=told, earlier_at=grievance.received_at)


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
    before = loop.clock.now()
    (found,) = intake.look(session, actor.sender, [_asked(loop, form, actor)], ticket)
    if (replay := engine.replayed(found.stored, ticket)) is not None:
        return replay
    loop.reference.refresh(session, found.epochs)
    if (known := _known(loop, session, form, found)) is not None:
        return known
    clock_check.require(loop, before, found.there)
    world = world_for(loop, session, form, actor, found, received_at)
    made = _arrival(loop, session, world, Incoming(form, flags), actor, found, _blind(loop, form), ticket)
    if isinstance(made, StepResult):
        return made
    outcome = _receipt(world, form, made)
    writer.insert(session, [made], ticket=ticket, reply=outcome.body)
    return outcome


def collect_together(
    loop: Loop, session: Session, orders: Sequence[Incoming], actor: Actor, pause: Callable[[], None] = lambda: None
) -> list[StepResult | WuyeError]:
    """Take in as many of these orders as can be taken in together, from the first on, and return what each came to.

    Each is decided as `collect` would decide it after the ones before; they are looked up in one statement and written in
    one. An order that belongs to an earlier grievance, or that names an id which one before it has, ends the row: it and
    those after it are left out of the answer. `pause` is called between two orders, for others to be served meanwhile.
    Raises Entangled.
    """
    before = loop.clock.now()
    every = intake.look(session, actor.sender, [_asked(loop, order.form, actor) for order in orders])
    off = _clock_off(loop, before, every[0])
    loop.reference.refresh(session, every[0].epochs)
    pending = _Pending(actor)
    outcomes: list[StepResult | WuyeError] = []
    for order, found in zip(orders, every, strict=True):
        if order.form.external_id in pending.ids:
            break
        pending.ids.add(order.form.external_id)
        drawn: list[str] = []
        try:
            if (outcome := _known(loop, session, order.form, found)) is None:
                if off is not None:
                    raise off
                outcome = _one_of(loop, session, order, pending, found, drawn)
        except _Alone:
            break
        except WuyeError as error:
            if drawn:
                raise Entangled from error
            outcomes.append(error)
        else:
            outcomes.append(outcome)
        pause()
    if pending.arrivals:
        writer.insert(session, pending.arrivals)
    return outcomes


def _clock_off(loop: Loop, before: datetime, found: Found) -> ClockOff | None:
    """Return why nothing new is taken in; known orders are answered all the same."""
    try:
        clock_check.require(loop, before, found.there)
    except ClockOff as off:
        return off
    return None


def _one_of(
    loop: Loop, session: Session, order: Incoming, pending: _Pending, found: Found, drawn: list[str]
) -> StepResult:
    """Decide a new grievance among others; the numbers of documents that it draws are noted in `drawn`."""
    phone = _blind(loop, order.form)
    found = pending.seen(found, phone)
    world = world_for(loop, session, order.form, pending.actor, found, led=pending.led)

    draw = world.next_number

    def noted(series: str, year: int) -> int:
        drawn.append(series)
        return draw(series, year)

    world = replace(world, next_number=noted)
    made = _arrival(loop, session, world, order, pending.actor, found, phone, together=True)
    if isinstance(made, StepResult):
        raise _Alone
    pending.add(made)
    return _receipt(world, order.form, made)


def _blind(loop: Loop, form: IntakeForm) -> bytes | None:
    phone = form.complainant.phone
    return loop.keyring.blind(phone) if phone else None


def _asked(loop: Loop, form: IntakeForm, actor: Actor) -> Asked:
    """Return what is looked up for an order; only a hotline learns that a person has complained before.

    A unit could ask for its neighbours' phones.
    """
    phone = form.complainant.phone
    hashes = loop.keyring.blinds(phone) if phone and actor.unit is None else ()
    return Asked(form.external_id, form.place.estate, form.place.area_code, hashes)


def _known(loop: Loop, session: Session, form: IntakeForm, found: Found) -> StepResult | None:
    """Answer an order that came before as the first time; None for a new one. Raises Conflict."""
    if found.attached is not None:
        return _attached_before(loop, found.attached, form)
    return _again(loop, session, found, form) if found.number is not None else None


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


def world_for(
    loop: Loop,
    session: Session,
    form: IntakeForm,
    actor: Actor,
    found: Found,
    received_at: datetime | None = None,
    led: Mapping[str, int] = EMPTY,
) -> World:
    """Return the world in which a new order is decided; BadInput where it names an area that there is not."""
    know_area(loop.reference.directory, form)
    world = intake_world(loop, session, _workflow(loop, session, form, actor, found, received_at))
    if received_at is not None:
        world = replace(world, now=received_at.astimezone(UTC))
    world = routing.answering(session, world, led=led)
    return replace(world, next_number=partial(document_numbers.next_number, session))


def _arrival(
    loop: Loop,
    session: Session,
    world: World,
    order: Incoming,
    actor: Actor,
    found: Found,
    phone: bytes | None,
    ticket: Ticket | None = None,
    *,
    together: bool = False,
) -> Arrival | StepResult:
    """Decide a new grievance; or take the action that the order (催办) is on an earlier one, and return its answer.

    `phone` is the digest of the complainant's. `together` with others it may not be that: then _Alone is raised.
    """
    form = order.form
    person = _person(form)
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
    if order.flags:
        grievance = situation.grievance
        situation = replace(situation, grievance=replace(grievance, flags=(*grievance.flags, *order.flags)))
    see_sender(world, situation, actor)
    situation, notices, facts = first_look(world, situation, form)
    # What raises an alarm is a matter of its own, whatever it belongs to.
    attached = situation if notices else _attach(loop, session, world, situation, form, actor, digest, ticket, together)
    if isinstance(attached, StepResult):
        return attached
    situation = attached
    facts["routing"] = [trace.as_json() for trace in world.choose(situation).trace]
    draft = actions.receive(world, situation, actor, facts, notices)
    fixed = _fixed(world, situation, form, digest, known)
    grievance = draft.situation.grievance
    image = {name: getattr(grievance, name, None) for name in (*FIXED, *TEXTS)} | fixed
    step = posted(situation, draft, loop.chain, {"order": order_image(image, key)})
    spoken = _spoken(form, person, situation.grievance)
    return Arrival(situation, step, fixed, identity.seal(key, spoken, phone))


def _receipt(world: World, form: IntakeForm, made: Arrival) -> StepResult:
    """Return what the sender of a new grievance is answered, and the jobs that it leaves."""
    step = made.step
    grievance = step.situation.grievance
    body = _dump({**receipt_view(world, grievance.number, step.entries[0]), "external_id": form.external_id})
    return StepResult(body, 201, jobs_of(world, step, made.before), grievance.number, grievance.seq, step=step)


def _fixed(world: World, situation: Situation, form: IntakeForm, digest: bytes, known: Known) -> dict[str, Any]:
    """Return the columns of a new grievance that only a correction changes."""
    return {
        "external_id": form.external_id,
        "intake_digest": digest,
        "confidential": form.complainant.confidential,
        "occurred_at": occurred_at(world, form),
        "address": shown_address(world.directory, form.place.address, known),
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
    together: bool,  # noqa: FBT001
) -> StepResult | Situation:
    """Let an order that belongs to an earlier grievance (催办) become an action there; else return it as a new matter.

    Its words go along where the action asks for a text.
    Where the earlier one is unknown or no longer takes the action, the order is taken in as a new grievance, flagged.
    """
    rule, named = attaching(world, situation, form)
    if rule is None:
        return situation
    if together:
        raise _Alone
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

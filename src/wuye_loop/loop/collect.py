"""统一收集: take in a grievance once, whoever sends it how often; seal who complained; start its clocks."""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import orjson
from sqlalchemy.orm import Session

from wuye_loop.domain import machine
from wuye_loop.domain.errors import BadInput, Conflict, KeyReused
from wuye_loop.domain.facts import facts_of, with_texts
from wuye_loop.domain.intake import IntakeForm
from wuye_loop.domain.ledger import GENESIS
from wuye_loop.domain.redaction import redact
from wuye_loop.domain.situation import Actor, GrievanceState, Situation, World
from wuye_loop.domain.terms import Kind, Urgency
from wuye_loop.domain.text import mask_address
from wuye_loop.domain.views import receipt_view
from wuye_loop.loop import choosing
from wuye_loop.loop.engine import Loop, Outcome, jobs_of
from wuye_loop.store import grievances, identity, intake
from wuye_loop.store.grievances import Ticket
from wuye_loop.store.intake import EstateRow, Found


def collect(
    loop: Loop,
    session: Session,
    form: IntakeForm,
    actor: Actor,
    *,
    ticket: Ticket | None = None,
    received_at: datetime | None = None,
) -> Outcome:
    """Take in one grievance. The same source and external id with the same body is answered as the first time (200).

    `received_at` is for importing what another system received earlier. Raises Conflict (409) for another body under
    the same id, BadInput (422) for an unknown area.
    """
    digest = _digest(loop, form)
    person = _person(form)
    found = intake.look(
        session,
        source=actor.source or "",
        external_id=form.external_id,
        estate=form.place.estate,
        area=form.place.area_code,
        phone_hash=loop.keyring.blind(person["phone"]) if person.get("phone") else None,
        ticket=ticket,
    )
    if found.stored is not None and ticket is not None:
        if found.stored.digest != ticket.digest:
            raise KeyReused("这个 Idempotency-Key 已用于另一个请求")
        return Outcome(found.stored.body, found.stored.status, replayed=True)
    loop.reference.refresh(session, found.epochs)
    if found.number is not None:
        return _again(loop, session, found, digest)
    return _new(loop, session, form, actor, found, digest, person, ticket, received_at)


def _again(loop: Loop, session: Session, found: Found, digest: bytes) -> Outcome:
    if found.digest is None or not hmac.compare_digest(found.digest, digest):
        raise Conflict("同一来源的这个外部编号已用于另一件诉求", number=found.number)
    world = _world(loop, session, found.workflow or "")
    entry = intake.first_entry(session, found.number or "")
    return Outcome(_dump(receipt_view(world, found.number or "", entry)), 200, number=found.number or "", replayed=True)


def _new(
    loop: Loop,
    session: Session,
    form: IntakeForm,
    actor: Actor,
    found: Found,
    digest: bytes,
    person: dict[str, Any],
    ticket: Ticket | None,
    received_at: datetime | None,
) -> Outcome:
    if form.place.area_code and form.place.area_code not in loop.reference.directory.areas:
        raise BadInput("没有这个属地", fields=[{"path": "place.area_code", "problem": "没有这个属地代码"}])
    world = _world(loop, session, loop.default_workflow)
    if received_at is not None:
        world = replace(world, now=received_at.astimezone(UTC))
    situation = _situation(loop, world, form, actor, found, person)
    situation, notices, facts = _first_look(world, situation, form)
    facts["routing"] = [trace.as_json() for trace in choosing.choose(session, world, situation).trace]
    step = machine.receive(world, situation, actor, facts, notices)
    grievance = step.situation.grievance
    body = _dump(receipt_view(world, grievance.number, step.entries[0]))
    fixed = {
        "external_id": form.external_id,
        "intake_digest": digest,
        "confidential": form.complainant.confidential,
        "occurred_at": form.occurred_at,
        "address": mask_address(form.place.address) if form.place.address else None,
        "category_suggested": form.category is None and grievance.category is not None,
    }
    sealed = identity.seal(loop.keyring, grievance.id, person)
    grievances.insert(session, situation, step, fixed, sealed, ticket=ticket, reply=body)
    return Outcome(body, 201, jobs_of(step, situation), grievance.number, grievance.seq, step=step)


def _world(loop: Loop, session: Session, workflow: str) -> World:
    rules = loop.reference.rules(session, workflow)
    calendar = loop.reference.calendar(session, rules.workflow.calendar)
    return World(rules, loop.clock.now(), calendar, loop.reference.directory, loop.ids.new)


def _person(form: IntakeForm) -> dict[str, Any]:
    """Return what is sealed: who, where to the door, and the words as spoken."""
    who = form.complainant
    person = {"name": who.name, "phone": who.phone, "address": form.place.address}
    return {key: value for key, value in person.items() if value} | {"title": form.title, "body": form.body}


def _situation(
    loop: Loop, world: World, form: IntakeForm, actor: Actor, found: Found, person: Mapping[str, Any]
) -> Situation:
    """Return the new grievance before its first row: texts struck of the identity, place resolved."""
    secrets = identity.secrets_in(person)
    estate = found.estate
    area_code = form.place.area_code or (estate.area_code if estate else None)
    area = world.directory.areas.get(area_code or "")
    flags = _unknown(form, estate)
    data: dict[str, Any] = {}
    if form.place.estate and estate is None:
        data["estate_name"] = redact(form.place.estate, secrets)
    if estate is not None and estate.kind:
        data["estate_kind"] = estate.kind
    if found.repeats:
        data["repeat"] = found.repeats
    levels = world.rules.workflow.levels
    grievance = GrievanceState(
        id=world.new_id(),
        number=f"WY{world.calendar.local_date(world.now):%y%m%d}-{loop.ids.code(8)}",
        workflow=world.rules.id,
        source=actor.source or "",
        channel=form.channel,
        kind=form.kind,
        title=redact(form.title, secrets),
        body=redact(form.body, secrets),
        received_at=world.now,
        estate_code=estate.code if estate else None,
        area_code=area_code,
        area_path=area.path if area else _root(world),
        company_code=estate.company_code if estate else None,
        anonymous=form.complainant.anonymous,
        category=form.category,
        urgency=form.urgency or Urgency.NORMAL.value,
        state=world.rules.workflow.start,
        stage="collect",
        state_since=world.now,
        final=False,
        cycle=1,
        level=levels[0].value,
        lead_unit=None,
        holder_unit=None,
        holder_role=None,
        units=(),
        counts={},
        data=data,
        did={},
        merged_into=None,
        followers=0,
        urged=0,
        flags=tuple(flags),
        due_at=None,
        due_clock=None,
        closed_at=None,
        seq=0,
        head=GENESIS,
        extra=_redacted(form.extra, secrets),
    )
    return Situation(grievance, {}, {})


def _unknown(form: IntakeForm, estate: EstateRow | None) -> list[str]:
    """Return what the order names that we do not know: flagged, never refused."""
    flags = []
    if form.kind not in set(Kind):
        flags.append("unknown-kind")
    if form.urgency and form.urgency not in set(Urgency):
        flags.append("unknown-urgency")
    if form.place.estate and estate is None:
        flags.append("unknown-estate")
    return flags


def _root(world: World) -> str:
    """Return the path of the directory's only top area: a grievance without a place belongs to the whole of it."""
    tops = [area for area in world.directory.areas.values() if area.parent_code is None]
    return tops[0].path if len(tops) == 1 else ""


def _redacted(value: Any, secrets: tuple[str, ...]) -> Any:
    if isinstance(value, str):
        return redact(value, secrets)
    if isinstance(value, dict):
        return {redact(str(key), secrets): _redacted(item, secrets) for key, item in value.items()}
    if isinstance(value, list):
        return [_redacted(item, secrets) for item in value]
    return value


def _first_look(
    world: World, situation: Situation, form: IntakeForm
) -> tuple[Situation, list[tuple[str, tuple[str, ...]]], dict[str, Any]]:
    """Suggest a category where none is given, and let red lines lift the urgency."""
    grievance = situation.grievance
    facts = with_texts(facts_of(world, situation), world, situation)
    if form.category is None:
        grievance = replace(grievance, category=world.rules.suggest(str(facts["text"])))
        facts["category"] = grievance.category
    notices: list[tuple[str, tuple[str, ...]]] = []
    flags = list(grievance.flags)
    urgency = grievance.urgency
    for line in world.rules.workflow.intake.red_lines:
        if line.when.holds(facts):
            urgency = _more_urgent(urgency, line.urgency)
            if "red-line" not in flags:
                flags.append("red-line")
            if line.notice:
                notices.append((line.notice, line.to))
    grievance = replace(grievance, urgency=urgency, flags=tuple(flags))
    row = {
        "channel": grievance.channel,
        "kind": grievance.kind,
        "category": grievance.category,
        "urgency": urgency,
        "estate": grievance.estate_code,
        "area": grievance.area_code,
    }
    return Situation(grievance, {}, {}), notices, row


_ORDER = [item.value for item in Urgency]


def _more_urgent(one: str, other: str) -> str:
    if one not in _ORDER:
        return other
    return min(one, other, key=_ORDER.index)


def _digest(loop: Loop, form: IntakeForm) -> bytes:
    """Return a keyed digest of the body: without the key nobody can try phone numbers against it."""
    body = orjson.dumps(form.model_dump(mode="json"), option=orjson.OPT_SORT_KEYS)
    return hmac.new(loop.keyring.index_key, b"intake\x00" + body, hashlib.sha256).digest()


def _dump(value: Mapping[str, Any]) -> bytes:
    return orjson.dumps(value)

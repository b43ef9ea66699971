"""What setting an order right takes beside the step that decides it: who complained, the place, the columns, the seal."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy.orm import Session

from wuye_loop.domain.errors import Erased
from wuye_loop.domain.grievance.order import Correction, IntakeForm
from wuye_loop.domain.grievance.order_image import FIXED as FIXED_COLUMNS
from wuye_loop.domain.grievance.order_image import TEXTS, order_image
from wuye_loop.domain.grievance.situation import GrievanceState, Situation, World
from wuye_loop.domain.language.effects import OF_A_PERSON, OWN_WORDS
from wuye_loop.domain.privacy.known import Known, of_person
from wuye_loop.domain.privacy.sealing import KeyRing
from wuye_loop.domain.privacy.striking import struck
from wuye_loop.domain.privacy.words import sealed_words
from wuye_loop.domain.step.arrival import know_area, occurred_at, shown_address
from wuye_loop.domain.step.correction import changed, corrected, order_of
from wuye_loop.domain.step.effects.amending import FIXED, HIDDEN, Corrected
from wuye_loop.domain.time.timestamps import as_text
from wuye_loop.store.grievance import identity, intake, writer
from wuye_loop.store.grievance.locking import Locked


class Correcting:
    """One correction of a locked grievance: decided by `made`, vouched for by `beside`, written by `write` after its step.

    Raises Erased where the grievance's key was destroyed.
    """

    def __init__(self, keyring: KeyRing, session: Session, locked: Locked) -> None:
        if locked.sealed is None:
            raise Erased
        self._keyring, self._session = keyring, session
        self._id = locked.situation.grievance.id
        self._key = keyring.data_key(self._id, locked.sealed)
        self.person: Mapping[str, Any] = identity.opened_by(self._key, locked.sealed)
        self.columns: dict[str, Any] = {}
        self._now: dict[str, Any] = {}
        self._done: Corrected | None = None

    def made(self, world: World, situation: Situation, form: Correction) -> Corrected:
        """Return what a correction makes of the grievance. Raises BadInput for what would be refused at an intake."""
        old = situation.grievance
        now = self._now = _person(self.person, form)
        told = order_of(
            old, form, title=self.person.get("title") or old.title, body=self.person.get("body") or old.body
        )
        found = _looked(self._session, world, old, told)
        known, public = of_person(self.person) | of_person(now), world.directory.public

        def strike(text: str) -> str:
            return world.redact(struck(text, known, public))

        made = corrected(
            world,
            situation,
            told,
            form.named,
            estate=found.estate,
            estates_named=found.named,
            person=known,
            seal=partial(sealed_words, key=self._key),
        )
        self.columns = _columns(world, old, made.after.grievance, told, form, known)
        said = changed(old, made.after.grievance, strike)
        _of_the_person(said, (self.person, now))
        if "occurred_at" in form.named:
            at = self.columns.get("occurred_at")
            said["new"]["occurred_at"] = as_text(at) if isinstance(at, datetime) else None
        self._done = replace(made, told=said, strike=strike)
        return self._done

    def base(self, situation: Situation) -> Situation:
        """Return the situation that the step's rows go on from: what came in stands as it is set right."""
        if self._done is None:
            return situation
        right = {name: getattr(self._done.base.grievance, name) for name in FIXED}
        return replace(situation, grievance=replace(situation.grievance, **right))

    def beside(self) -> dict[str, Any]:
        """Return what the step's first row vouches for: the order as it is now."""
        if self._done is None:
            return {}
        order = _columns_now(self._session, self._done.after.grievance, self.columns)
        return {"order": order_image(order, self._key)}

    def write(self) -> None:
        """Write what came in as it is set right, and seal the identity anew."""
        if self._done is None:
            return
        phone = self._now.get("phone")
        sealed = identity.seal(self._key, self._now, self._keyring.blind(phone) if phone else None)
        writer.correct(self._session, self._id, self.columns, sealed)


def _looked(session: Session, world: World, old: GrievanceState, told: IntakeForm) -> intake.Found:
    """Look up the place that an order names. Raises BadInput for an unknown area."""
    know_area(world.directory, told)
    (found,) = intake.look(session, old.source, [intake.Asked("", told.place.estate, told.place.area_code)])
    return found


def _person(person: Mapping[str, Any], form: Correction) -> dict[str, Any]:
    """Return what is sealed from now on."""
    now = dict(person)
    if "phone" in form.named:
        now["phone"] = form.phone
    if form.place is None and "place" in form.named:
        now["address"] = None
    elif form.place is not None and "address" in form.place.model_fields_set:
        now["address"] = form.place.address
    now |= {name: getattr(form, name) for name in OWN_WORDS if name in form.named}
    return {name: value for name, value in now.items() if value}


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
        columns["address"] = shown_address(world.directory, form.place.address, known)
    return columns


def _columns_now(session: Session, after: GrievanceState, columns: Mapping[str, Any]) -> dict[str, Any]:
    """Return the order's columns as they are once the correction is written: what its image vouches for."""
    order = {name: getattr(after, name, None) for name in (*FIXED_COLUMNS, *TEXTS)}
    order |= intake.fixed(session, after.id)
    return order | {name: value for name, value in columns.items() if name in order}


def _of_the_person(told: dict[str, Any], people: tuple[Mapping[str, Any], Mapping[str, Any]]) -> None:
    """Say of an identity only that it changed."""
    for name in OF_A_PERSON:
        if people[0].get(name) != people[1].get(name):
            for side, one in zip(("old", "new"), people, strict=True):
                told[side][name] = HIDDEN if one.get(name) else None

"""An order on its arrival, before its first row: what is unknown is flagged, what its words suggest, what red lines lift."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final, Protocol
from uuid import UUID

from wuye_loop.domain.directory.directory import Directory
from wuye_loop.domain.errors import BadInput, Forbidden
from wuye_loop.domain.grievance.facts import facts_of
from wuye_loop.domain.grievance.ledger import GENESIS
from wuye_loop.domain.grievance.order import IntakeForm
from wuye_loop.domain.grievance.replies import PUBLIC_REPLY
from wuye_loop.domain.grievance.roles import acting_role
from wuye_loop.domain.grievance.situation import Actor, GrievanceState, Situation, World
from wuye_loop.domain.language.forms import FormProblem
from wuye_loop.domain.language.intake import Attach
from wuye_loop.domain.language.results import RESULT
from wuye_loop.domain.privacy.known import NOBODY, Known
from wuye_loop.domain.privacy.striking import struck, struck_value
from wuye_loop.domain.privacy.text import mask_address
from wuye_loop.domain.privacy.words import is_sealed
from wuye_loop.domain.suggesting.model import places
from wuye_loop.domain.suggesting.suggestion import SUGGESTION, suggest
from wuye_loop.domain.terms import ActorKind, Kind, Urgency
from wuye_loop.domain.time.written import read_instant

UNREADABLE_TIME: Final = "unreadable-time"
SEVERAL_ESTATES: Final = "several-estates"
PLACE_DIFFERS: Final = "place-differs"
FUTURE_TIME: Final = "future-time"
_EARLY: Final = timedelta(days=1)  # a clock that is off, or another zone

_MOST_WORDS, _MOST_SEEN = 12, 5  # characters of words that a red line saw; how many of them a row keeps

#: Instruments to be sent at once, each with the roles it goes to.
Alarms = list[tuple[str, tuple[str, ...]]]


class Estate(Protocol):
    """小区: where it lies and which company runs it."""

    @property
    def code(self) -> str:
        """Its code."""

    @property
    def area_code(self) -> str:
        """The area it lies in."""

    @property
    def company_code(self) -> str | None:
        """The company that runs it, if one is registered."""

    @property
    def kind(self) -> str | None:
        """What kind of estate it is, where the directory says."""


def arrived(
    world: World,
    form: IntakeForm,
    *,
    id: UUID,  # noqa: A002 - the field's own name
    number: str,
    source: str,
    estate: Estate | None,
    person: Known = NOBODY,
    repeats: int = 0,
    earlier: Mapping[str, Any] | None = None,
    reporter: str | None = None,
    named: int = 0,
    seal: Callable[[str], str] = str,
) -> Situation:
    """Return the new grievance before its first row: texts struck of `person`, place resolved.

    `estate` is what the order's estate was found to be; `repeats` counts earlier ones of the same person there,
    `earlier` says how the last of them stands: state, result, final_reply; `reporter` is the unit that sends it in itself;
    `named` is how many estates bear the name where none was found; `seal` gives a text that is kept beside the order's
    own its sealed form. What its source asks for is seen to.

    Raises BadInput (422) for what the source's own form finds wrong in `extra`.
    """
    area_code, lies = _where(world, form, estate)
    strike = partial(struck, known=person, spared=world.directory.public)
    told = partial(_told, world.rules.terms, strike)
    found_out = _found_out(form, estate, repeats, lambda text: seal(strike(text)))
    data = found_out | _origin(world, form, reporter) | _before(earlier)
    flags = (*_unknown(form, estate), *_odd_place(world, form, estate, named), *_odd_time(world, form))
    if UNREADABLE_TIME in flags:
        data["occurred_said"] = seal(strike(str(form.occurred_at)))
    grievance = GrievanceState(
        id=id,
        number=number,
        workflow=world.rules.id,
        source=source,
        channel=told(form.channel), kind=told(form.kind),
        title=strike(form.title),
        body=strike(form.body),
        received_at=world.now,
        estate_code=estate.code if estate else None,
        area_code=area_code,
        area_path=lies,
        company_code=estate.company_code if estate else None,
        anonymous=form.complainant.anonymous,
        category=told(form.category) if form.category else None,
        urgency=told(form.urgency) if form.urgency else Urgency.NORMAL.value,
        state=world.rules.workflow.start,
        stage="collect",
        state_since=world.now,
        final=False,
        cycle=1, level=world.rules.workflow.levels[0].value, lead_unit=None, holder_unit=None, holder_role=None,
        units=(), counts={}, data=data, did={}, merged_into=None, followers=0, urged=0,
        flags=flags, due_at=None, due_clock=None, closed_at=None, seq=0, head=GENESIS,
        extra=struck_value(form.extra, person, world.directory.public),
    )  # fmt: skip
    situation = Situation(grievance, {}, {})
    _asked(world, situation, form)
    return situation


def _told(terms: frozenset[str], strike: Callable[[str], str], word: str) -> str:
    """Return what a field says: one of the definition's own words as it is, any other struck."""
    return word if word in terms else strike(word)


def _where(world: World, form: IntakeForm, estate: Estate | None) -> tuple[str | None, str]:
    """Return the area's code and the path that it lies on; without a place, that of the directory's only top."""
    code = form.place.area_code or (estate.area_code if estate else None)
    lies = world.directory.areas.get(code or "") or world.directory.top
    return code, lies.path if lies else ""


def ended(grievance: GrievanceState, rows: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Return how a grievance stands, as the next one of the same person there is told; `rows` are its ledger rows' facts."""
    replied = any(PUBLIC_REPLY in facts for facts in rows)
    return {"state": grievance.state, "result": grievance.data.get(RESULT), "final_reply": grievance.final and replied}


def _before(earlier: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return what is kept of how the last grievance of the same person there ended; words of its own key stay with it."""
    if earlier is None:
        return {}
    return {"earlier": {name: value for name, value in earlier.items() if value is not None and not is_sealed(value)}}


def _found_out(form: IntakeForm, estate: Estate | None, repeats: int, strike: Callable[[str], str]) -> dict[str, Any]:
    """Return what is stored of the place and the person beside what the order says."""
    found: dict[str, Any] = {}
    if form.place.estate and estate is None:
        found["estate_name"] = strike(form.place.estate)
    if estate is not None and estate.kind:
        found["estate_kind"] = estate.kind
    if repeats:
        found["repeat"] = repeats
    return found


def _origin(world: World, form: IntakeForm, reporter: str | None) -> dict[str, Any]:
    """Return which of the file's sources it comes from, who reported it, and who is answered."""
    name, source = world.rules.source_of(form.channel)
    found: dict[str, Any] = {}
    if name is not None and source is not None:
        found["origin"] = name
        if source.answered != "complainant":
            found["answered"] = source.answered
    if reporter is not None:
        found["reporter"] = reporter
    return found


def _asked(world: World, situation: Situation, form: IntakeForm) -> None:
    """See to the form of the source: its fields stand in the order's `extra`, beside what the city adds of its own."""
    _, source = world.rules.source_of(form.channel)
    if source is None or not source.needs:
        return
    answers = {name: value for name, value in form.extra.items() if name in source.needs}
    try:
        source.form.validate(answers, facts_of(world, situation))
    except FormProblem as problem:
        fields = [{"path": f"extra.{item['path']}", "problem": item["problem"]} for item in problem.fields]
        raise BadInput("这一来源要填的附加字段有误", fields=fields) from None


def see_sender(world: World, situation: Situation, actor: Actor) -> None:
    """Refuse a unit that the file does not let send in from such a source; a hotline may send in from any.

    Raises Forbidden.
    """
    if actor.kind is ActorKind.HOTLINE:
        return
    _, source = world.rules.source_of(situation.grievance.channel)
    if source is None or acting_role(source.by, actor, world, situation) is None:
        raise Forbidden("本单位不能从这一来源登记诉求")


def attaching(world: World, situation: Situation, form: IntakeForm) -> tuple[Attach | None, str | None]:
    """Return the rule (催办) by which an order belongs to an earlier grievance, and the number or id that it names."""
    rules = world.rules.workflow.intake.attach
    facts = facts_of(world, situation)
    rule = next((one for one in rules if one.when.holds(facts)), None)
    named = form.extra.get(rule.to.removeprefix("extra.")) if rule is not None else None
    return rule, named if isinstance(named, str) else None


def first_look(world: World, situation: Situation, form: IntakeForm) -> tuple[Situation, Alarms, dict[str, Any]]:
    """Suggest a category where none is given, and let red lines lift the urgency.

    Return the situation, the alarms to send, and the facts of the first ledger row.
    """
    grievance = situation.grievance.copy()
    place = places(grievance.estate_code, grievance.area_path)
    said = suggest(world.rules.scoring, world.model, grievance.title, grievance.body, place)
    if said.category is not None:
        grievance.data = {**grievance.data, SUGGESTION: said.as_json()}
    if not form.category:
        grievance.category = said.category
    facts = facts_of(world, Situation(grievance, situation.tasks, situation.clocks))
    notices: Alarms = []
    flags = list(grievance.flags)
    urgency = grievance.urgency
    saw: dict[str, None] = {}
    for red in world.rules.red_lines:
        words, line = red.saw(facts), red.line
        if words is not None:
            saw.update(dict.fromkeys(struck(word)[:_MOST_WORDS] for word in words))
            urgency = _more_urgent(urgency, line.urgency)
            if "red-line" not in flags:
                flags.append("red-line")
            if line.notice:
                notices.append((line.notice, line.to))
    grievance.urgency, grievance.flags = urgency, tuple(flags)
    row: dict[str, Any] = {
        "channel": grievance.channel,
        "kind": grievance.kind,
        "category": grievance.category,
        "urgency": urgency,
        "estate": grievance.estate_code,
        "area": grievance.area_code,
    }
    if said.category is not None:
        row["suggestion"] = said.as_json()
    if saw:
        row["red_words"] = list(saw)[:_MOST_SEEN]
    return Situation(grievance, {}, {}), notices, row


def _unknown(form: IntakeForm, estate: Estate | None) -> tuple[str, ...]:
    """Return what the order names that we do not know: flagged, never refused."""
    flags = []
    if form.kind not in _KINDS:
        flags.append("unknown-kind")
    if form.urgency and form.urgency not in _ORDER:
        flags.append("unknown-urgency")
    if form.place.estate and estate is None:
        flags.append("unknown-estate")
    return tuple(flags)


def know_area(directory: Directory, form: IntakeForm) -> None:
    """Raise BadInput for an order that names an area that there is not."""
    if form.place.area_code and form.place.area_code not in directory.areas:
        raise BadInput("没有这个属地", fields=[{"path": "place.area_code", "problem": "没有这个属地代码"}])


def shown_address(directory: Directory, address: str | None, known: Known) -> str | None:
    """Return what of an address is stored to be read: down to the building, struck of whoever is known."""
    shown = mask_address(address) if address else None
    return struck(shown, known, directory.public) or None if shown else None


def occurred_at(world: World, form: IntakeForm) -> datetime | None:
    """Return the instant that an order says it is about, in UTC; None where it says none or none that can be read."""
    return read_instant(form.occurred_at, world.calendar.zone) if form.occurred_at else None


def _odd_place(world: World, form: IntakeForm, estate: Estate | None, named: int) -> tuple[str, ...]:
    """Return what is odd about the place: a name that several estates bear, an estate that lies in another area."""
    if estate is None:
        return (SEVERAL_ESTATES,) if named > 1 else ()
    said, lies = (world.directory.areas.get(code) for code in (form.place.area_code or "", estate.area_code))
    inside = said is None or lies is None or lies.path.startswith(said.path) or said.path.startswith(lies.path)
    return () if inside else (PLACE_DIFFERS,)


def _odd_time(world: World, form: IntakeForm) -> tuple[str, ...]:
    """Return what is odd about the time that an order says: flagged, never refused."""
    at = occurred_at(world, form)
    if at is None:
        return (UNREADABLE_TIME,) if form.occurred_at else ()
    return (FUTURE_TIME,) if at > world.now + _EARLY else ()


_ORDER = [item.value for item in Urgency]
_KINDS = frozenset(item.value for item in Kind)


def _more_urgent(one: str, other: str) -> str:
    if one not in _ORDER:
        return other
    return min(one, other, key=_ORDER.index)

"""Scores that people and units enter: who may, until when, between which numbers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy.orm import Session

from wuye_loop.domain.assessment.scheme import PEOPLE, InputSpec, Scheme
from wuye_loop.domain.errors import BadInput, Conflict, Forbidden, NotFound
from wuye_loop.domain.grievance.situation import Actor
from wuye_loop.domain.terms import ActorKind
from wuye_loop.loop.engine import Loop
from wuye_loop.loop.evaluate import authority, schedule
from wuye_loop.loop.evaluate.schedule import Place
from wuye_loop.loop.figures import scoring
from wuye_loop.store.assessment import voices

_NAMED = 8  # items of a checklist that a refusal names


@dataclass(frozen=True, slots=True)
class Said:
    """A score that somebody enters: for whom, by which input, how much or which items, and whose voice it is.

    `unit` is whose voice it is in a list that is typed in; who comes with a key of his own speaks for himself.
    """

    input: str
    subject: str
    peer: str | None
    score: Decimal | None
    checklist: Mapping[str, Decimal]
    flat: str | None = None
    unit: str | None = None


def enter(loop: Loop, session: Session, which: str, code: str, said: Said, actor: Actor) -> bool:
    """Enter a score; the same voice may change it until the period is closed. True when the voice is new.

    Raises Forbidden for who may not, Conflict after closing, BadInput for what is out of range.
    """
    return _Desk(loop, session, which, code, actor).enter(said)


def names_of_voice(loop: Loop, scheme: Scheme, name: str, who: str) -> list[bytes]:
    """Return the digests by which a voice of an input is kept: keyed, because all flats can be hashed in no time."""
    return list(loop.keyring.index.every(f"voice\0{scheme.name}\0{name}\0{who.strip()}".encode()))


def scored_until(loop: Loop, session: Session, place: Place, spec: InputSpec, closes: datetime) -> datetime:
    """Return until when an input of a period that closes then takes scores."""
    if spec.until is None:
        return closes
    limit = loop.reference.calendar(session, place.scheme.calendar).shift(place.stretch.ends, spec.until)
    return min(limit, closes)


def may_enter(loop: Loop, session: Session, scheme: Scheme, spec: InputSpec, path: str, actor: Actor) -> bool:
    """Say whether somebody may enter scores of an input for what lies at a path of areas."""
    try:
        _may_enter(loop, session, scheme, spec.by, path, actor, None)
    except Forbidden:
        return False
    return True


def enter_list(
    loop: Loop, session: Session, which: str, code: str, every: Sequence[Said], actor: Actor
) -> list[bool | str]:
    """Enter the scores of a list; for each whether its voice is new, or in words why it was not taken.

    Raises what holds for all of them: NotFound for the scheme, BadInput for the period, Conflict before it has begun.
    """
    desk = _Desk(loop, session, which, code, actor)
    told: list[bool | str] = []
    for said in every:
        try:
            told.append(desk.enter(said))
        except (BadInput, Conflict, Forbidden, NotFound) as error:  # decided before anything is written
            told.append(error.detail)
    return told


class _Desk:
    """Where scores of one period are entered: under the period's lock, what holds for all of them looked up once."""

    def __init__(self, loop: Loop, session: Session, which: str, code: str, actor: Actor) -> None:
        self._loop, self._session, self._actor = loop, session, actor
        self._place = schedule.place_of(session, which, code)
        self._row = schedule.locked(loop, session, self._place, shared=True)
        roster = scoring.roster_of(loop, session, self._place.scheme)
        self._groups = scoring.groups(roster)
        self._paths = {(one.code, one.peer): one.scored_at for one in roster}
        self._ends: dict[str, datetime] = {}

    def enter(self, said: Said) -> bool:
        """Enter one score."""
        scheme, loop = self._place.scheme, self._loop
        spec = scheme.inputs.get(said.input)
        if spec is None:
            raise BadInput("考核办法里没有这个评分")
        now = loop.clock.now()
        if self._row.state != "due" or now >= self._end(said.input, spec):
            raise Conflict("评分已经截止")
        peer = peer_of(self._groups, said.subject, said.peer)
        unit = _may_enter(loop, self._session, scheme, spec.by, self._paths[said.subject, peer], self._actor, said.unit)
        if unit == said.subject:
            raise Forbidden("不能给自己评分")
        value, detail = _scored(spec, said)
        who = said.flat if spec.voices is not None and spec.voices.one_per == "flat" else unit
        if not who:
            raise BadInput("要写明是哪一户（flat）", fields=[{"path": "flat", "problem": "不能为空"}])
        key = {
            "name": scheme.name, "period": self._place.stretch.code, "input": said.input, "subject": said.subject,
            "peer": peer,
        }  # fmt: skip
        names = names_of_voice(loop, scheme, said.input, who)
        return voices.enter(self._session, key, names, value, detail, now)

    def _end(self, name: str, spec: InputSpec) -> datetime:
        if name not in self._ends:
            self._ends[name] = scored_until(self._loop, self._session, self._place, spec, self._row.closes_at)
        return self._ends[name]


def _scored(spec: InputSpec, said: Said) -> tuple[Decimal, dict[str, str]]:
    sheet = spec.sheet
    if not sheet:
        value = said.score
        if value is None or not spec.scale.min <= value <= spec.scale.max:
            words = f"评分要在 {spec.scale.min:f} 与 {spec.scale.max:f} 之间"
            raise BadInput(words, fields=[{"path": "score", "problem": words}])
        return value, {}
    if set(said.checklist) != set(sheet):
        words = _to_score(sheet, said.checklist)
        raise BadInput(words, fields=[{"path": "checklist", "problem": words}])
    for name, value in said.checklist.items():
        if not 0 <= value <= sheet[name]:
            words = f"{name}要在 0 与 {sheet[name]:f} 之间"
            raise BadInput(words, fields=[{"path": f"checklist.{name}", "problem": words}])
    width = spec.scale.max - spec.scale.min
    full = sum(sheet.values(), Decimal(0))
    value = spec.scale.min + sum(said.checklist.values(), Decimal(0)) * width / full
    return value, {name: f"{value:f}" for name, value in said.checklist.items()}


def _to_score(sheet: Mapping[str, Decimal], said: Mapping[str, Decimal]) -> str:
    """Say which items of a checklist are missing, or are none of it."""
    missing, more = [one for one in sheet if one not in said], [one for one in said if one not in sheet]
    told = [f"还缺：{_some(missing)}"] if missing else []
    return "；".join(["要逐项评分", *told, *([f"没有这些项：{_some(more)}"] if more else [])])


def _some(names: Sequence[str]) -> str:
    return "、".join(names[:_NAMED]) + (f" 等 {len(names)} 项" if len(names) > _NAMED else "")


def _may_enter(
    loop: Loop, session: Session, scheme: Scheme, by: Sequence[str], path: str, actor: Actor, named: str | None
) -> str | None:
    """Return the unit that enters; None for people's voices, which come through the hotline or are typed in."""
    typed_in = actor.kind in (ActorKind.SYSTEM, ActorKind.ADMIN)
    if named is not None and not typed_in:
        raise Forbidden("不能替别的单位评分")
    if typed_in and named is None:
        return actor.unit or actor.kind.value
    if actor.kind is ActorKind.HOTLINE and set(PEOPLE) & set(by):
        return actor.unit or actor.kind.value
    unit = named or actor.unit
    rules = loop.reference.rules(session, scheme.workflow)
    for name in by:
        if name not in PEOPLE and unit is not None and unit in authority.units_of(loop, rules, name, path):
            return unit
    raise Forbidden("这项评分不由这个单位来评" if named else "这项评分不由您来评")


def peer_of(groups: Mapping[str, Sequence[str]], subject: str, peer: str | None) -> str:
    """Return the group in which a subject is scored. Raises NotFound, BadInput where it has several and none is named."""
    peers = groups.get(subject)
    if not peers:
        raise NotFound("没有这个考核对象")
    if peer is not None and peer in peers:
        return peer
    if peer is not None or len(peers) > 1:
        raise BadInput(f"请写明在哪一组（peer）：{'、'.join(peers)}", fields=[{"path": "peer", "problem": "要写明"}])
    return peers[0]

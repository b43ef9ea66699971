"""What a scheme or a rising matter opens: it comes in by a source of the workflow, from the unit that this names, as every grievance does."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from hashlib import blake2b
from typing import Any

from sqlalchemy.orm import Session

from wuye_loop.domain.assessment.scheme import Opening, Scheme
from wuye_loop.domain.errors import Conflict
from wuye_loop.domain.grievance import roles
from wuye_loop.domain.grievance.order import EXTERNAL_ID_MOST, TITLE_MOST, IntakeForm
from wuye_loop.domain.grievance.situation import Actor
from wuye_loop.domain.rules.rules import Rules
from wuye_loop.domain.step.documents import Paper, PaperLine
from wuye_loop.domain.terms import ActorKind
from wuye_loop.jobs import Job
from wuye_loop.loop import collect, engine
from wuye_loop.loop.engine import Loop
from wuye_loop.store.assessment import voices


def opened(
    loop: Loop, session: Session, scheme: Scheme, spec: Opening, key: Mapping[str, str], words: Mapping[str, Any],
    said: str, where: tuple[str | None, str],
) -> tuple[Sequence[Job], tuple[str, str]]:  # fmt: skip
    """Open what a consequence says, filled with words, at an estate or in an area."""
    # By the scheme's own workflow: the installation's may be an older version that does not know the source.
    rules = loop.reference.rules(session, scheme.workflow)
    title = spec.title.format(**words)[:TITLE_MOST]
    told = {
        "external_id": _named_by(key),
        "kind": spec.kind,
        "title": title,
        "body": f"{title}：{said}",
        "extra": {name: _filled(value, words) for name, value in spec.extra.items()},
    }
    unit, outcome = sent_in(loop, session, rules, (spec.source or "", spec.by), told, *where)
    voices.tie(session, key, grievance=outcome.number)
    return outcome.jobs, (unit, outcome.number)


def area_of(loop: Loop, unit: str) -> str:
    """Return the area of a unit; nothing where it has none."""
    known = loop.reference.directory.units.get(unit)
    return (known.area_code if known is not None else None) or ""


def _named_by(key: Mapping[str, str]) -> str:
    """Return by which id a consequence's grievance is known: two that differ anywhere are never taken for one."""
    whole = ":".join(("考核", *key.values()))
    if len(whole) <= EXTERNAL_ID_MOST:
        return whole
    return f"考核:{blake2b(whole.encode(), digest_size=16).hexdigest()}"


def notice(loop: Loop, session: Session, scheme: Scheme, name: str, unit: str, numbers: Sequence[str]) -> Sequence[Job]:
    """Issue the document that goes with what a consequence opened, where the file asks for one: the worst come first."""
    opening = scheme.consequences[name].open
    spec = opening.notice if opening is not None else None
    if spec is None:
        return ()
    lines = [PaperLine(number, form=dict(spec.form)) for number in numbers]
    paper = Paper(spec.document, lines, spec.text)
    return engine.issue(loop, session, Actor(ActorKind.UNIT, unit=unit), paper).jobs


def sent_in(
    loop: Loop, session: Session, rules: Rules, by: tuple[str, str | None], told: Mapping[str, Any],
    estate: str | None, area: str = "",
) -> tuple[str, engine.StepResult]:  # fmt: skip
    """Send in what an order says, by a workflow's source and role (none: the first that the source names), at a place.

    Return the unit that the role stands for there, and what came of it. Raises Conflict where there is no such unit.
    """
    source = rules.workflow.sources[by[0]]
    unit = _opener(session, loop, rules, by[1] or source.by[0], estate, area)
    channel = source.channels[0] if source.channels else source.title
    place = {"estate": estate} if estate is not None else {"area_code": area or None}
    form = IntakeForm.model_validate({**told, "channel": channel, "place": place})
    by_file = replace(loop, default_workflow=rules.workflow.id)
    return unit, collect.collect(by_file, session, form, Actor(ActorKind.UNIT, unit=unit))


def _opener(session: Session, loop: Loop, rules: Rules, name: str, estate: str | None, area: str) -> str:
    """Return the unit that a role stands for at a place, as for any grievance there. Raises Conflict where there is none."""
    path = voices.path_of(session, estate, area)
    level = rules.workflow.levels[0].value
    unit = roles.unit_at(rules.roles[name], loop.reference.directory, path, level)
    if unit is None:
        raise Conflict(f"目录里没有“{rules.workflow.roles[name].title}”，不能立案整改")
    return unit


def _filled(value: int | str, words: Mapping[str, Any]) -> Any:
    """Return what a field of the form is filled with: one of the words by its name, else the value itself."""
    return words.get(value, value) if isinstance(value, str) else value

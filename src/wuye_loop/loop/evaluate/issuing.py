"""A document that an assessment issues without a grievance: numbered from the workflow's series, for one subject."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from wuye_loop.domain.assessment.scheme import SUBJECT, IssueSpec, Scheme
from wuye_loop.domain.errors import Conflict
from wuye_loop.domain.grievance import roles
from wuye_loop.domain.language.documents import number_in
from wuye_loop.domain.rules.rules import Rules
from wuye_loop.loop.engine import Loop
from wuye_loop.store.assessment import papers, voices
from wuye_loop.store.assessment.papers import AlonePaper
from wuye_loop.store.grievance import document_numbers


@dataclass(frozen=True, slots=True)
class Whom:
    """Whom a document is about: a subject, where it lies (an estate, else an area), and what is said of it."""

    subject: str
    estate: str | None
    area: str
    said: str


def issued(
    loop: Loop, session: Session, scheme: Scheme, spec: IssueSpec, period: str, words: Mapping[str, Any], whom: Whom
) -> str:
    """Draw a document's number, keep it, and return the number; the register is still to vouch for it.

    Raises Conflict where nobody is there to get it, or to issue it.
    """
    rules = loop.reference.rules(session, scheme.workflow)
    kind = rules.workflow.documents[spec.document]
    path = voices.path_of(session, whom.estate, whom.area)

    def unit(name: str) -> str | None:
        return papers.unit_of(session, whom.subject) if name == SUBJECT else unit_for(loop, rules, name, path)

    addressee = next((code for name in spec.to if (code := unit(name)) is not None), None)
    if addressee is None:
        raise Conflict(f"目录里没有“{called(rules, spec.to)}”，{words['subject']}的{spec.document}没有单位可送")
    issuer = roles.issuing_role(kind.by, spec.by)
    office = unit(issuer) if issuer is not None else None
    if issuer is not None and office is None:
        raise Conflict(f"目录里没有“{called(rules, (issuer,))}”，不能签发{spec.document}")
    now = loop.clock.now()
    year = scheme.day_of(now).year
    n = document_numbers.next_number(session, kind.series, year)
    number = number_in(kind.series, year, n)
    copies = tuple(dict.fromkeys(code for name in spec.copies if (code := unit(name)) not in (None, addressee)))
    title = spec.title.format(**words) if spec.title is not None else kind.title or spec.document
    text = spec.text.format(**words) if spec.text is not None else whom.said
    papers.keep(
        session,
        AlonePaper(
            number, spec.document, kind.series, year, n, addressee, tuple(filter(None, copies)), title, text, path,
            scheme.id, period, office, now,
        ),
    )  # fmt: skip
    return number


def unit_for(loop: Loop, rules: Rules, name: str, path: str) -> str | None:
    """Return the unit that a role stands for at a place, if the directory has it and it is active."""
    here = loop.reference.directory.areas.get(path.rstrip("/").rpartition("/")[2])
    level = here.level if here is not None else rules.workflow.levels[-1].value
    code = roles.unit_at(rules.roles[name], loop.reference.directory, path, level)
    known = loop.reference.directory.units.get(code or "")
    return code if known is not None and known.active else None


def called(rules: Rules, names: tuple[str, ...]) -> str:
    """Return what people call these roles; the subject's own unit is one of them."""
    return "、".join("考核对象的单位" if name == SUBJECT else rules.workflow.roles[name].title for name in names)

"""Destruction by rule: what is due is proposed by one person and destroyed when another approves; the law may hold it."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from wuye_loop.domain.errors import BadInput, Conflict, Forbidden, NotFound
from wuye_loop.domain.grievance.situation import SYSTEM_ACTOR
from wuye_loop.domain.language.results import ResultSpec
from wuye_loop.domain.privacy.retention import RetentionRule, Term, check_results, due
from wuye_loop.domain.time.timestamps import as_text
from wuye_loop.loop.custody import erasure
from wuye_loop.loop.engine import Loop
from wuye_loop.loop.figures.scoring import compiled
from wuye_loop.store import registry, retention
from wuye_loop.store.database import Database
from wuye_loop.store.grievance import locking
from wuye_loop.store.registry import HELD
from wuye_loop.store.retention import DestructionList, Hold

PROPOSED, APPROVED = "destruction-proposed", "destruction-approved"


def overdue(loop: Loop, session: Session, rules: Sequence[RetentionRule]) -> list[tuple[str, str]]:
    """Return number, and until when it had to be kept, of all that is to be destroyed by these rules now.

    Raises BadInput for a rule about a result that no published workflow knows.
    """
    now, workflows = loop.clock.now(), compiled(loop, session)
    check_results(rules, (name for one in workflows for name in (*one.workflow.results, *one.workflow.results_asked)))
    said = {one.id: {name: _term(spec) for name, spec in one.workflow.results.items()} for one in workflows}
    found = ((kept.number, due(rules, kept, now, said)) for kept in retention.closed(session))
    return [(number, as_text(until)) for number, until in found if until is not None]


def _term(spec: ResultSpec) -> Term:
    return Term(spec.term, "closed" if spec.from_ == "closing" else spec.from_)


def propose(loop: Loop, session: Session, numbers: Sequence[str], reason: str, person: str) -> DestructionList:
    """Propose a list. Raises BadInput for an empty one, or where nobody is named or no reason is given."""
    if not numbers:
        raise BadInput("没有到期要销毁的诉求")
    if not person.strip() or not reason.strip():
        raise BadInput("请写明提出人和理由")
    made = DestructionList(loop.ids.new(), reason.strip(), list(numbers), person.strip(), loop.clock.now())
    retention.propose(session, made)
    registry.enter(session, PROPOSED, str(made.id), _proposal(made))
    return made


def _proposal(one: DestructionList) -> dict[str, Any]:
    return {
        "numbers": list(one.numbers), "reason": one.reason, "by": one.proposed_by, "at": as_text(one.proposed_at),
    }  # fmt: skip


def as_proposed(one: DestructionList, image: Mapping[str, Any]) -> bool:
    """Say whether a list is what was proposed, why, when and by whom, by what the register has of it."""
    stands = _proposal(one)
    return bool(image) and all(stands.get(name) == value for name, value in image.items())


def as_approved(one: DestructionList, image: Mapping[str, Any]) -> bool:
    """Say whether a list was approved by whom the register has, and when; or by nobody, as there."""
    if one.approved_at is None or one.approved_by is None:
        return not image and (one.approved_at, one.approved_by) == (None, None)
    at = as_text(one.approved_at)
    return (image.get("by"), image.get("at", at)) == (one.approved_by, at)


def as_held(one: Hold | None, image: Mapping[str, Any]) -> bool:
    """Say whether a grievance is held as the register has it, or not at all."""
    if one is None or not image.get("held"):
        return one is None and not image.get("held")
    at = as_text(one.at)
    return (image.get("reason"), image.get("by"), image.get("at", at)) == (one.reason, one.person, at)


def approve(loop: Loop, database: Database, list_id: UUID, person: str) -> tuple[list[str], list[str]]:
    """Destroy what is on a list, each in a transaction of its own; return the numbers destroyed, and what was not and why.

    It may be interrupted and approved again by the same person. Raises NotFound, Forbidden for whoever proposed it, and
    Conflict where somebody else has approved it, or it is not what was proposed.
    """
    with database.begin() as session:
        found = retention.locked(session, list_id)
        if found is None:
            raise NotFound("没有这张销毁清单")
        proposed, approved = (registry.image_of(session, kind, str(list_id)) or {} for kind in (PROPOSED, APPROVED))
        if not as_proposed(found, proposed) or not as_approved(found, approved):
            raise Conflict("这张清单与登记簿里提出的不一致，没有销毁：请先用 verify 查清")
        if not person.strip() or found.proposed_by == person.strip():
            raise Forbidden("提出销毁的人不能自己批准，要另一个人来批")
        if found.approved_by not in (None, person.strip()):
            raise Conflict(f"这张清单已由 {found.approved_by} 批准")
        if found.approved_by is None:
            now = loop.clock.now()
            retention.approve(session, list_id, person.strip(), now)
            registry.enter(session, APPROVED, str(list_id), {"by": person.strip(), "at": as_text(now)})
    done, left = [], []
    for number in found.numbers:
        try:
            with database.begin() as session:
                reason = f"{found.reason}（清单 {list_id}）"
                erasure.erase(loop, session, number, reason, proposed=found.proposed_at)
            done.append(number)
        except (Conflict, NotFound) as error:
            left.append(error.detail)
    return done, left


def hold(loop: Loop, session: Session, number: str, reason: str, person: str) -> None:
    """Keep a grievance from being destroyed (依法保留). Raises NotFound, BadInput."""
    if locking.read(session, number, SYSTEM_ACTOR) is None:
        raise NotFound(f"没有编号为 {number} 的诉求")
    if not person.strip() or not reason.strip():
        raise BadInput("请写明是谁、为什么保留")
    _look_at(session, number)
    now = loop.clock.now()
    retention.hold(session, number, reason.strip(), person.strip(), now)
    image = {"reason": reason.strip(), "by": person.strip(), "held": True, "at": as_text(now)}
    registry.enter(session, HELD, number, image)


def release(session: Session, number: str, reason: str, person: str) -> None:
    """Let a held grievance be destroyed again. Raises NotFound where it is not held, BadInput."""
    if not person.strip() or not reason.strip():
        raise BadInput("请写明是谁、为什么解除")
    _look_at(session, number)
    if not retention.release(session, number):
        raise NotFound(f"{number} 没有被保留")
    registry.enter(session, HELD, number, {"reason": reason.strip(), "by": person.strip(), "held": False})


def _look_at(session: Session, number: str) -> None:
    """Have the register say where a hold that is to be changed is not as it has it."""
    there, image = retention.holds(session, number).get(number), registry.image_of(session, HELD, number) or {}
    if not as_held(there, image):
        stood = {} if there is None else {"reason": there.reason, "by": there.person, "at": as_text(there.at)}
        registry.note_strayed(session, HELD, {number: (image, stood)})

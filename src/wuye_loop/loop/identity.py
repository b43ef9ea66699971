"""Open who complained, for a key that may: with a reason, a mark, a bound, and a row of who looked, from where and why."""

from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy.orm import Session

from wuye_loop.domain.errors import BadInput, Forbidden, NotFound, RevealsUsedUp, Unauthenticated
from wuye_loop.domain.grievance.situation import Actor, Situation
from wuye_loop.domain.privacy.access import watermarks
from wuye_loop.domain.privacy.access.key_rules import COMPANY, REVEAL
from wuye_loop.domain.privacy.access.reveals import reason_problem
from wuye_loop.domain.step import actions
from wuye_loop.domain.step.posting import posted
from wuye_loop.jobs import NOTIFY, Job
from wuye_loop.loop import engine, under_lock
from wuye_loop.loop.engine import Loop, StepResult
from wuye_loop.store.grievance import identity, writer
from wuye_loop.store.keys import accounts, api_keys, approvals
from wuye_loop.store.reads import reveals

#: The instrument of the notice that somebody opens many identities in a short while.
ALARM = "reveal_alarm"
#: Who is told where no auditor's key names its unit.
NO_UNIT = "auditor"


def reveal(
    loop: Loop, session: Session, number: str, actor: Actor, reason: str, address: str | None = None
) -> StepResult:
    """Open who complained, and leave in the same transaction a ledger row of who asked, from which address and why.

    Raises Forbidden without the scope and for a property company's key whatever its scopes, NotFound, Erased, BadInput
    for a reason that says nothing, RevealsUsedUp beyond what one person may open in a day.
    """
    if REVEAL not in actor.scopes:
        raise Forbidden("这把密钥不能查看诉求人身份")
    locked = under_lock.lock(loop.keyring, session, number, actor)
    if locked is None:
        raise NotFound
    world = engine.world_of(loop, session, locked)
    unit = world.directory.units.get(actor.unit or "")
    if unit is not None and unit.kind == COMPANY:
        raise Forbidden("物业企业不能查看诉求人身份")
    if wrong := reason_problem(reason, loop.reveals.reasons):
        raise BadInput("请写明理由", fields=[{"path": "body.reason", "problem": wrong}])
    person = identity.opened(loop.keyring, locked.situation.grievance.id, locked.sealed)
    who, many = _counted(loop, session, actor, world.now)
    mark = watermarks.made(loop.ids.code(watermarks.LENGTH))
    facts: dict[str, Any] = {"reason": world.redact(reason), "watermark": mark}
    if address is not None:
        facts["from"] = address
    if many:
        facts["alarm"] = many
    step = posted(locked.situation, actions.note(world, locked.situation, "reveal", facts, actor), loop.chain)
    writer.write(session, locked.situation, step)
    seq = step.situation.grievance.seq
    body = orjson.dumps({"number": number, "complainant": person, "watermark": mark, "seq": seq})
    jobs = _alarm(loop, session, who, many, step.situation, world.now) if many else ()
    return StepResult(body, jobs=jobs, number=number, seq=seq, step=step)


def _counted(loop: Loop, session: Session, actor: Actor, now: datetime) -> tuple[str, int]:
    """Count one opening more under the locks of all keys of the person.

    Return what the key or account is called, and how many are alarming, or 0. Raises RevealsUsedUp, and Unauthenticated
    where the key or account has ended meanwhile.
    """
    who, keys = _person(session, actor, now)
    today, tomorrow = _day(loop, session, now)
    bounds = loop.reveals
    before = reveals.count(session, keys, today, now - bounds.window)
    if before.today >= bounds.per_day + approvals.allowed(session, keys, today):
        words = f"您今天已查看 {before.today} 件诉求人身份，到了上限；要再看，请申请并由另一人（安全管理员）批准"
        raise RevealsUsedUp(words, retry_after=max(1, int((tomorrow - now).total_seconds())))
    recent = before.recent + 1
    return who, recent if recent >= bounds.alarm and not before.alarms else 0


def _person(session: Session, actor: Actor, now: datetime) -> tuple[str, list[UUID]]:
    """Lock and return what the actor's key or account is called, and the ids of all that the same person may open with."""
    if actor.key_id is None:
        raise Unauthenticated
    keys = {row.id: row for row in api_keys.persons_keys(session, actor.key_id)}
    if (key := keys.get(actor.key_id)) is not None and key.live(now):
        return f"密钥 {key.prefix}…", [*keys, *accounts.of_person(session, key.holder)]
    account = accounts.locked(session, actor.key_id)
    if account is None or account.disabled_at is not None:
        raise Unauthenticated
    return f"账号 {account.login}", [account.id, *(row.id for row in api_keys.held_by(session, account.name))]


def _day(loop: Loop, session: Session, now: datetime) -> tuple[datetime, datetime]:
    """Return when the office's day began and when the next one does."""
    zone = loop.calendar(session).zone
    today = now.astimezone(zone).date()
    began, ends = (datetime.combine(day, time(), zone).astimezone(UTC) for day in (today, today + timedelta(days=1)))
    return began, ends


def _alarm(loop: Loop, session: Session, who: str, many: int, situation: Situation, now: datetime) -> Sequence[Job]:
    """Return the notices to the auditors' units; they name the key, never who holds it."""
    units = api_keys.auditing_units(session, situation.grievance.area_path, now) or [NO_UNIT]
    minutes = int(loop.reveals.window.total_seconds()) // 60
    title = f"{who} {minutes} 分钟内查看了 {many} 次诉求人身份"
    number = situation.grievance.number
    return [
        Job(NOTIFY, {"number": number, "instrument": ALARM, "title": title, "unit": unit, "urgent": True})
        for unit in units
    ]

"""Files that people add to a grievance (照片、最终答复的证据): bounded, written anew before they come here, each with a ledger row."""

from typing import Any
from uuid import UUID

import orjson
from sqlalchemy.orm import Session

from wuye_loop.domain.errors import Forbidden, NotFound, TooLarge
from wuye_loop.domain.grievance.audiences import audiences
from wuye_loop.domain.grievance.situation import Actor, Situation, World
from wuye_loop.domain.grievance.views import actor_view
from wuye_loop.domain.step import actions
from wuye_loop.domain.step.records import Step
from wuye_loop.domain.terms import ActorKind, Audience
from wuye_loop.domain.time.timestamps import as_text
from wuye_loop.loop import engine
from wuye_loop.loop.engine import Looked, Loop, StepResult, seen
from wuye_loop.store.grievance import attachments
from wuye_loop.store.grievance.attachments import StoredFile
from wuye_loop.uploads.rewriting import Rewritten

MOST_BYTES = 8 * 1024 * 1024  # of one file
_MOST_FILES = 30  # of one grievance
_MOST_IN_ALL = 80 * 1024 * 1024


def may_upload(loop: Loop, session: Session, number: str, actor: Actor, audience: Audience) -> None:
    """Look whether the actor may add a file at all, before anything is done with its bytes.

    Raises NotFound, Forbidden.
    """
    if actor.kind not in (ActorKind.HOTLINE, ActorKind.UNIT, ActorKind.SUPERVISOR):
        raise Forbidden("这把密钥的角色不能上传文件")
    _, world = seen(loop, session, number, actor)
    _may_read(actor, world, audience)


def _may_read(actor: Actor, world: World, audience: Audience) -> None:
    if audience.value not in audiences(actor, world.rules):
        raise Forbidden("您不能上传自己看不到的文件")


def upload(
    loop: Loop, session: Session, number: str, actor: Actor, file: Rewritten, audience: Audience, name: str | None
) -> StepResult:
    """Keep a file, written anew, with a grievance the actor sees, with a ledger row of its hash; the answer is its id.

    The same bytes from the same key for the same readers are the same file: a retry adds nothing. What the name says of
    a complainant is struck out as in any text.

    Raises NotFound, Forbidden, TooLarge.
    """
    content = file.content
    made: dict[str, Any] = {}

    def keep(world: World, situation: Situation) -> Step | None:
        _may_read(actor, world, audience)
        grievance = situation.grievance
        if same := attachments.same(session, grievance.id, content, actor.as_json(), audience.value):
            made.update(_facts(same, audience))
            return None
        held, size = attachments.count(session, grievance.id)
        if held >= _MOST_FILES or size + len(content) > _MOST_IN_ALL:
            raise TooLarge(f"一件诉求最多 {_MOST_FILES} 个文件、共 {_MOST_IN_ALL // 1024 // 1024} MiB")
        kept = attachments.add(
            session, loop.ids.new(), grievance.id, file.media_type, content, actor.as_json(), audience.value, world.now,
            world.redact(name) if name is not None else None,
        )  # fmt: skip
        made.update(_facts(kept, audience))
        return actions.note(world, situation, "upload", made, actor)

    engine.amend(loop, session, number, keep, actor)
    return StepResult(orjson.dumps(made), 201, number=number)


def _facts(file: StoredFile, audience: Audience) -> dict[str, Any]:
    return {
        "file": str(file.id),
        "media_type": file.media_type,
        "size": file.size,
        "sha256": file.sha256,
        "audience": audience.value,
        **({"name": file.name} if file.name is not None else {}),
    }


def listed(
    loop: Loop, session: Session, number: str, actor: Actor, looked: Looked | None = None
) -> list[dict[str, Any]]:
    """Return what files a grievance has that the actor is an audience of, in the order in which they came.

    Who has looked already hands that in. Raises NotFound.
    """
    locked, world = looked or seen(loop, session, number, actor)
    rows = attachments.listed(session, locked.situation.grievance.id, sorted(audiences(actor, world.rules)))
    keyed = actor.kind is ActorKind.AUDITOR
    return [
        {
            "file": str(row.id), "media_type": row.media_type, "size": row.size, "sha256": row.sha256,
            "audience": row.audience, "name": row.name, "at": as_text(row.at),
            "by": actor_view(world, row.actor, keyed=keyed),
        }
        for row in rows
    ]  # fmt: skip


def download(loop: Loop, session: Session, actor: Actor, file_id: UUID) -> StoredFile:
    """Return a file of a grievance that the actor sees and is an audience of.

    Raises NotFound.
    """
    loop.reference.refresh(session)
    place = attachments.place_of(session, actor, file_id)
    if place is None:
        raise NotFound
    allowed = audiences(actor, loop.reference.rules(session, place))
    found = attachments.found(session, actor, file_id, sorted(allowed))
    if found is None:
        raise NotFound
    return found

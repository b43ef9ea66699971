"""Who looked at whom, for auditors: the openings of identities, and what a mark on a picture of one leads to."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from wuye_loop.domain.directory.directory import Directory
from wuye_loop.domain.errors import BadInput, NotFound
from wuye_loop.domain.grievance.situation import Actor
from wuye_loop.domain.privacy.access import watermarks
from wuye_loop.domain.privacy.access.holders import UNNAMED
from wuye_loop.domain.privacy.sealing import KeyRing
from wuye_loop.domain.time.timestamps import as_text
from wuye_loop.store.grievance.openers import Openers
from wuye_loop.store.keys import api_keys
from wuye_loop.store.pages import Page
from wuye_loop.store.reads import reveals
from wuye_loop.store.reads.reveals import After, RevealFilters
from wuye_loop.store.reference_cache import Reference


def listed(
    reference: Reference,
    keyring: KeyRing,
    session: Session,
    actor: Actor,
    *,
    since: datetime | None,
    until: datetime | None,
    key: str | None,
    unit: str | None,
    after: After | None,
    limit: int,
) -> Page[dict[str, Any]]:
    """Return a page of the openings within the reader's jurisdiction, the newest first.

    `key` is an id or a beginning; `unit` the unit of the key. Raises BadInput for a key or a unit that nobody knows.
    """
    reference.refresh(session)
    if unit is not None and unit not in reference.directory.units:
        raise BadInput("没有这个单位", fields=[{"path": "query.unit", "problem": "没有这个单位代码"}])
    keys = _keys(session, key) if key is not None else None
    page = reveals.listed(session, actor, RevealFilters(since, until, keys, unit), after, limit)
    words = Openers(session, keyring, [row.grievance_id for row in page.items])
    return page.map(lambda row: _item(reference.directory, row, words))


def decoded(reference: Reference, keyring: KeyRing, session: Session, actor: Actor, text: str) -> dict[str, Any]:
    """Return the opening that a mark was given with.

    Raises BadInput for what cannot be a mark (one sign misread), NotFound for one that was never given, or outside the
    reader's jurisdiction.
    """
    mark = watermarks.read(text)
    if mark is None:
        words = "不是水印编号：16 个字母数字，或有一个看错了"
        raise BadInput(words, fields=[{"path": "path.watermark", "problem": words}])
    reference.refresh(session)
    found = reveals.listed(session, actor, RevealFilters(watermark=mark), None, 1).items
    if not found:
        raise NotFound
    return _item(reference.directory, found[0], Openers(session, keyring, [found[0].grievance_id]))


def _keys(session: Session, key: str) -> Collection[str]:
    found = [str(row.id) for row in api_keys.named(session, key)]
    if not found:
        words = "没有这把密钥：写它的编号或开头"
        raise BadInput(words, fields=[{"path": "query.key", "problem": words}])
    return found


def _item(directory: Directory, row: Any, words: Openers) -> dict[str, Any]:
    facts, unit = row.facts, row.actor.get("unit")
    known = row.key_id is not None
    return {
        "at": as_text(row.at),
        "number": row.number,
        "seq": row.seq,
        "key": {
            "id": row.actor.get("key"),
            "prefix": row.prefix,
            "holder": row.holder or UNNAMED if known else None,
            "role": row.role if known else row.actor.get("kind"),
            "unit": unit,
            "unit_name": directory.name_of(unit),
        },
        "from": facts.get("from"),
        "reason": words(row.grievance_id, facts.get("reason")),
        "watermark": facts.get("watermark"),
        "alarm": facts.get("alarm"),
    }

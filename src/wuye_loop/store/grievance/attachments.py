"""Files of a grievance (附件): kept as they were written anew, with their hash; never among what a list reads."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy.orm import Session

from wuye_loop.domain.grievance.situation import Actor
from wuye_loop.store import straight
from wuye_loop.store.visibility import visible


@dataclass(frozen=True, slots=True)
class StoredFile:
    """One file with its content."""

    id: UUID
    media_type: str
    size: int
    sha256: str
    content: bytes
    name: str | None = None


def known(session: Session, grievance_id: UUID, ids: Sequence[str]) -> frozenset[str]:
    """Return which of these ids are files of the grievance."""
    rows = session.connection().exec_driver_sql(
        "SELECT id FROM attachment WHERE grievance_id = %(grievance)s AND id = ANY(%(ids)s::uuid[])",
        {"grievance": grievance_id, "ids": list(ids)},
    )
    return frozenset(str(row[0]) for row in rows)


def add(
    session: Session,
    file_id: UUID,
    grievance_id: UUID,
    media_type: str,
    content: bytes,
    actor: Mapping[str, Any],
    audience: str,
    at: datetime,
    name: str | None = None,
) -> StoredFile:
    """Keep a file."""
    digest = sha256(content).hexdigest()
    session.connection().exec_driver_sql(
        "INSERT INTO attachment (id, grievance_id, media_type, size, sha256, content, actor, audience, at, name) VALUES"
        " (%(id)s, %(grievance)s, %(type)s, %(size)s, %(sha256)s, %(content)s, %(actor)s::jsonb, %(audience)s, %(at)s,"
        " %(name)s)",
        {
            "id": file_id, "grievance": grievance_id, "type": media_type, "size": len(content), "sha256": digest,
            "content": content, "actor": orjson.dumps(actor).decode(), "audience": audience, "at": at,
            "name": name,
        },
    )  # fmt: skip
    return StoredFile(file_id, media_type, len(content), digest, content, name)


def same(
    session: Session, grievance_id: UUID, content: bytes, actor: Mapping[str, Any], audience: str
) -> StoredFile | None:
    """Return the file of these bytes that the same caller has put there before for the same readers, if any."""
    digest = sha256(content).hexdigest()
    row = session.connection().exec_driver_sql(
        "SELECT id, media_type, name FROM attachment WHERE grievance_id = %(grievance)s AND sha256 = %(sha256)s"
        " AND actor = %(actor)s::jsonb AND audience = %(audience)s LIMIT 1",
        {"grievance": grievance_id, "sha256": digest, "actor": orjson.dumps(actor).decode(), "audience": audience},
    )
    found = row.first()
    return StoredFile(found[0], found[1], len(content), digest, content, found[2]) if found else None


def count(session: Session, grievance_id: UUID) -> tuple[int, int]:
    """Return how many files a grievance has, and how many bytes they are."""
    row = session.connection().exec_driver_sql(
        "SELECT count(*), COALESCE(sum(size), 0) FROM attachment WHERE grievance_id = %(grievance)s",
        {"grievance": grievance_id},
    )
    found = row.one()
    return int(found[0]), int(found[1])


@dataclass(frozen=True, slots=True)
class ListedFile:
    """What is told of one file without its content."""

    id: UUID
    media_type: str
    size: int
    sha256: str
    audience: str
    actor: Mapping[str, Any]
    at: datetime
    name: str | None


_LISTED = """
SELECT id, media_type, size, sha256, audience, actor, at, name FROM attachment
WHERE grievance_id = %(grievance)s AND audience = ANY(%(audiences)s) ORDER BY at, id
"""


def listed_asked(grievance_id: UUID, audiences: Sequence[str]) -> straight.Asked:
    """Return what `listed` asks, to be asked ahead."""
    return _LISTED, {"grievance": grievance_id, "audiences": list(audiences)}


def listed(session: Session, grievance_id: UUID, audiences: Sequence[str]) -> list[ListedFile]:
    """Return the files of a grievance that are for one of these audiences, the oldest first."""
    return [ListedFile(*row) for row in straight.rows(session, *listed_asked(grievance_id, audiences))]


def place_of(session: Session, actor: Actor, file_id: UUID) -> str | None:
    """Return which workflow the visible grievance runs by that a file belongs to, or None."""
    predicate, params = visible(actor)
    row = session.connection().exec_driver_sql(
        f"SELECT g.workflow FROM attachment f JOIN grievance g ON g.id = f.grievance_id"
        f" WHERE f.id = %(file)s AND {predicate}",
        params | {"file": file_id},
    )
    workflow = row.scalar()
    return str(workflow) if workflow is not None else None


def found(session: Session, actor: Actor, file_id: UUID, audiences: Sequence[str]) -> StoredFile | None:
    """Return a file of a visible grievance that is for one of these audiences, or None."""
    predicate, params = visible(actor)
    row = (
        session.connection()
        .exec_driver_sql(
            "SELECT f.id, f.media_type, f.size, f.sha256, f.content, f.name FROM attachment f"
            f" JOIN grievance g ON g.id = f.grievance_id WHERE f.id = %(file)s AND {predicate}"
            " AND f.audience = ANY(%(audiences)s)",
            params | {"file": file_id, "audiences": list(audiences)},
        )
        .first()
    )
    return StoredFile(row[0], row[1], row[2], row[3], bytes(row[4]), row[5]) if row else None

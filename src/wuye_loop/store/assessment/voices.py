"""What people and other systems score, appeals, and what a list has brought already."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Text, func, insert, literal_column, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session

from wuye_loop.store import registry, vouched
from wuye_loop.store.assessment.waiting import ready
from wuye_loop.store.schema.assessment_tables import appeal, consequence, rung_watch, voice


@dataclass(frozen=True, slots=True)
class Heard:
    """The scores of one input for one subject: how many voices, and their sum."""

    voices: int
    total: Decimal


def enter(
    session: Session,
    key: Mapping[str, str],
    names: Sequence[bytes],
    score: Decimal,
    detail: Mapping[str, Any],
    now: datetime,
) -> bool:
    """Keep a voice, or let it say something else than before; True when it is a new one.

    `names` are the digests by which it may have been kept, the one for a new one first. Raises Conflict for one that is not
    as the register has it.
    """
    same = [voice.c[name] == value for name, value in key.items()]
    said = session.execute(select(voice.c.who).where(*same, voice.c.who.in_(list(names)))).scalar()
    who = names[0] if said is None else bytes(said)
    place = ("name", "period", "input", "subject", "peer")
    entry = vouched.voice_key(session, [*(key[name] for name in place), who])
    registry.confirm(session, vouched.VOICE, entry)
    values = {**key, "who": who, "score": score, "detail": dict(detail), "at": now}
    fresh = upsert(voice).values(**values)
    changed = fresh.on_conflict_do_update(
        index_elements=[voice.c.name, voice.c.period, voice.c.input, voice.c.subject, voice.c.peer, voice.c.who],
        set_={"score": score, "detail": dict(detail), "at": now},
    )
    inserted = session.execute(changed.returning(literal_column("(xmax = 0)"))).scalar()
    registry.settle(session, vouched.VOICE, entry)
    return said is None and bool(inserted)


def heard(session: Session, name: str, period: str) -> dict[tuple[str, str, str], Heard]:
    """Return what was scored in a period, by input, subject and peer group."""
    rows = select(voice.c.input, voice.c.subject, voice.c.peer, func.count(), func.sum(voice.c.score)).where(
        voice.c.name == name, voice.c.period == period
    )
    grouped = session.execute(rows.group_by(voice.c.input, voice.c.subject, voice.c.peer))
    return {(row[0], row[1], row[2]): Heard(row[3], row[4]) for row in grouped}


def said(session: Session, key: Mapping[str, str], names: Sequence[bytes]) -> set[tuple[str, str]]:
    """Return for whom (subject, peer) one voice has spoken already, by the name, period and input of `key`."""
    same = [voice.c[name] == value for name, value in key.items()]
    rows = select(voice.c.subject, voice.c.peer).where(*same, voice.c.who.in_(list(names)))
    return {(row[0], row[1]) for row in session.execute(rows)}


@dataclass(frozen=True, slots=True)
class Appealed:
    """申诉: what a unit asks to be looked at again, and what was decided."""

    id: UUID
    name: str
    period: str
    revision: int
    subject: str
    peer: str
    measure: str | None
    grievance: str | None
    reason: str
    unit: str
    at: datetime
    decided_at: datetime | None = None
    upheld: bool | None = None
    note: str | None = None
    due_at: datetime | None = None
    raised_at: datetime | None = None


_APPEAL = tuple(appeal.c[name] for name in Appealed.__slots__)


def file_appeal(session: Session, one: Appealed) -> None:
    """Keep an appeal."""
    session.execute(insert(appeal).values({name: getattr(one, name) for name in Appealed.__slots__}))
    registry.settle(session, vouched.APPEAL, str(one.id))


def appeal_for_update(session: Session, one: UUID, *, wait: bool = True) -> Appealed | None:
    """Return an appeal under its row lock; None where it is taken and nobody waits.

    Raises Conflict for one that is not as the register has it: whatever is decided of it would vouch for a forgery.
    """
    row = session.execute(select(*_APPEAL).where(appeal.c.id == one).with_for_update(skip_locked=not wait)).first()
    if row is not None:
        registry.confirm(session, vouched.APPEAL, str(one))
    return None if row is None else Appealed(*row)


def decide_appeal(session: Session, one: UUID, *, upheld: bool, note: str | None, now: datetime) -> None:
    """Keep what was decided."""
    session.execute(update(appeal).where(appeal.c.id == one).values(upheld=upheld, note=note, decided_at=now))
    registry.settle(session, vouched.APPEAL, str(one))


_RETRY: Final = timedelta(hours=1)


def appeals_due(session: Session, now: datetime) -> list[UUID]:
    """Return the appeals that nobody decided in time, the oldest first."""
    late = (appeal.c.decided_at.is_(None), appeal.c.due_at <= now)
    rows = select(appeal.c.id).where(*late, ready(appeal.c.retry_at, now, _RETRY))
    return list(session.execute(rows.order_by(appeal.c.due_at)).scalars())


def next_appeal(session: Session, after: datetime) -> datetime | None:
    """Return when an appeal comes due next, later than an instant."""
    late = (appeal.c.decided_at.is_(None), appeal.c.due_at > after)
    return session.execute(select(func.min(appeal.c.due_at)).where(*late)).scalar()


def appeals_put_off(session: Session) -> int:
    """Return how many appeals nobody decided in time whose silence could not be carried out."""
    put_off = (appeal.c.decided_at.is_(None), appeal.c.retry_at.is_not(None))
    return int(session.execute(select(func.count()).select_from(appeal).where(*put_off)).scalar_one())


def raise_appeal(session: Session, one: UUID, now: datetime, due_at: datetime) -> None:
    """Note that those above are to decide an appeal, until when."""
    session.execute(update(appeal).where(appeal.c.id == one).values(raised_at=now, due_at=due_at))
    registry.settle(session, vouched.APPEAL, str(one))


def appeal_later(session: Session, one: UUID, now: datetime) -> None:
    """Put off what silence means for an appeal: it could not be carried out."""
    session.execute(update(appeal).where(appeal.c.id == one).values(retry_at=now + _RETRY))


def appeals(session: Session, name: str, period: str, subject: str | None = None) -> list[Appealed]:
    """Return the appeals of a period, the oldest first."""
    rows = select(*_APPEAL).where(appeal.c.name == name, appeal.c.period == period)
    if subject is not None:
        rows = rows.where(appeal.c.subject == subject)
    return [Appealed(*row) for row in session.execute(rows.order_by(appeal.c.at, appeal.c.id))]


def brought(session: Session, row: Mapping[str, Any]) -> str | None:
    """Note that a list brings something now, and return the row's key in the register; None when it did already.

    However many try at once, one does. Who notes it has the register vouch for it, once it is told what was made.
    Raises Conflict for what the register says was brought before: its row was taken away.
    """
    key = literal_column(vouched.KINDS[vouched.BROUGHT].key, Text)
    made = session.execute(upsert(consequence).values(**row).on_conflict_do_nothing().returning(key)).scalar()
    if made is not None:
        registry.confirm(session, vouched.BROUGHT, made, gone=True)
    return made


def vouch_for_brought(session: Session, keys: Sequence[str]) -> None:
    """Have the register vouch for what was brought and made, by the keys that `brought` gave."""
    if keys:
        registry.settle(session, vouched.BROUGHT, *keys)


def tie(session: Session, key: Mapping[str, Any], **made: Any) -> None:
    """Note what a consequence made: the grievance, the document, the row of credit."""
    where = [consequence.c[name] == key[name] for name in ("name", "period", "subject", "peer", "consequence")]
    session.execute(update(consequence).where(*where).values(**made))


def consequences(session: Session, name: str, period: str) -> Sequence[Any]:
    """Return what the lists of a period have brought."""
    rows = select(consequence).where(consequence.c.name == name, consequence.c.period == period)
    return session.execute(rows.order_by(consequence.c.peer, consequence.c.subject, consequence.c.consequence)).all()


def left(session: Session, name: str, subject: str, listed: str) -> list[Any]:
    """Return what was brought to a unit under a name of no list (清退): by which day, what, the grievance or the document, the newest first."""
    asked = (consequence.c.name == name, consequence.c.subject == subject, consequence.c.list == listed)
    columns: tuple[Any, ...] = (
        consequence.c.period, consequence.c.consequence, consequence.c.grievance, consequence.c.document,
    )  # fmt: skip
    return list(session.execute(select(*columns).where(*asked).order_by(consequence.c.period.desc())))


_UPTO: Final = "SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint"
_SINCE: Final = """
SELECT w.upto, EXISTS (SELECT 1 FROM ledger l WHERE l.written >= w.upto AND l.action LIKE 'rung:%%')
FROM rung_watch w WHERE w.scheme = %(scheme)s AND w.upto <= %(upto)s
"""


def to_look(session: Session, scheme: str) -> tuple[int, int] | None:
    """Return from which transaction on a scheme's rungs are to be looked for, and which comes next; None where none fired.

    0 is all of them: at the first look, and where a copy on another server counts its transactions anew.
    """
    connection = session.connection()
    upto = int(connection.exec_driver_sql(_UPTO).scalar_one())
    row = connection.exec_driver_sql(_SINCE, {"scheme": scheme, "upto": upto}).first()
    if row is None:
        return 0, upto
    return (row[0], upto) if row[1] else None


def looked(session: Session, scheme: str, upto: int) -> None:
    """Note that a scheme's rungs were looked for in all transactions before one."""
    fresh = upsert(rung_watch).values(scheme=scheme, upto=upto)
    session.execute(fresh.on_conflict_do_update(index_elements=[rung_watch.c.scheme], set_={"upto": upto}))


_FIRED = """
SELECT c.name, c.subject, c.peer, c.grievance, l.seq, l.at FROM ledger l
JOIN grievance g ON g.id = l.grievance_id JOIN consequence c ON c.grievance = g.number
WHERE c.name = %(name)s AND (%(since)s = 0 OR l.written >= %(since)s)
AND l.action LIKE 'rung:%%' AND l.facts->'do' ? %(instrument)s AND NOT EXISTS (
  SELECT 1 FROM credit k WHERE k.scheme = c.name AND k.unit = c.subject AND k.item = %(item)s
  AND k.cause = c.grievance || ' #' || l.seq
) ORDER BY l.at, c.subject, l.seq
"""


def fired(session: Session, name: str, instrument: str, item: str, since: int = 0) -> list[Any]:
    """Return the rungs that sent this instrument on grievances which a scheme opened, and brought no row of credit yet.

    Of transactions from `since` on; 0: of all.
    """
    asked = {"name": name, "instrument": instrument, "item": item, "since": since}
    return list(session.connection().exec_driver_sql(_FIRED, asked))


_ESTATE = """
SELECT e.code FROM estate e JOIN area a ON a.code = e.area_code
LEFT JOIN grievance g ON g.estate_code = e.code AND g.received_at >= %(starts)s AND g.received_at < %(ends)s
WHERE (e.company_code = %(subject)s OR e.code = %(subject)s) AND ('/' || a.path) LIKE '%%/' || %(peer)s || '%%'
GROUP BY e.code ORDER BY count(g.id) DESC, e.code LIMIT 1
"""


def estate_of(session: Session, subject: str, peer: str, starts: datetime, ends: datetime) -> str | None:
    """Return the estate of a company (or itself) in an area that had most grievances in a window."""
    params = {"subject": subject, "peer": peer, "starts": starts, "ends": ends}
    return session.connection().exec_driver_sql(_ESTATE, params).scalar()


def names_of(session: Session, codes: Sequence[str]) -> dict[str, str]:
    """Return the names of units, areas and estates by their codes."""
    rows = session.connection().exec_driver_sql(
        """SELECT code, name FROM unit WHERE code = ANY(%(codes)s) UNION ALL
        SELECT code, name FROM area WHERE code = ANY(%(codes)s) UNION ALL
        SELECT code, name FROM estate WHERE code = ANY(%(codes)s)""",
        {"codes": list(codes)},
    )
    return {row[0]: row[1] for row in rows}


def ids_of(session: Session, numbers: Sequence[str]) -> dict[str, UUID]:
    """Return the ids of grievances by their numbers."""
    rows = session.connection().exec_driver_sql(
        "SELECT number, id FROM grievance WHERE number = ANY(%(numbers)s)", {"numbers": list(numbers)}
    )
    return {row[0]: row[1] for row in rows}


def path_of(session: Session, estate: str | None, area: str) -> str:
    """Return the path of the area of an estate, or else of an area."""
    row = session.connection().exec_driver_sql(
        """SELECT a.path FROM area a WHERE a.code = COALESCE((SELECT e.area_code FROM estate e WHERE e.code = %(estate)s),
        %(area)s)""",
        {"estate": estate, "area": area},
    )
    return str(row.scalar() or "")


def own(session: Session, unit: str) -> set[str]:
    """Return for which subjects a unit speaks: itself, the estates it runs, the area whose own unit it is."""
    rows = session.connection().exec_driver_sql(
        """SELECT code FROM estate WHERE company_code = %(unit)s UNION ALL
        SELECT area_code FROM unit WHERE code = %(unit)s AND kind IN ('community', 'office') AND area_code IS NOT NULL""",
        {"unit": unit},
    )
    return {unit, *(row[0] for row in rows)}

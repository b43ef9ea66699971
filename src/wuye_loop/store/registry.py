"""The register (登记簿) of what everybody goes by: published workflows, keys, the calendar, scores. Chained and keyed as ledgers are.

What these tables say is entered here when the program changes them; what else changed them shows in a verification.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any, Final

import orjson
from sqlalchemy.orm import Session

from wuye_loop.domain.errors import Conflict
from wuye_loop.domain.grievance.ledger import GENESIS, Chain
from wuye_loop.domain.grievance.situation import plain
from wuye_loop.domain.time.timestamps import as_text
from wuye_loop.store import vouched

WORKFLOW, KEY, ACCOUNT, YEAR, DIRECTORY, BEGUN = "workflow", "key", "account", "calendar", "directory", "begun"
HELD = "held"  # what the law holds back, until it is released
STRAYED = "strayed"  # a finding: what stood in the way of a change and was not as it had been entered

#: What people call a thing of each kind.
WORDS: Final = {
    WORKFLOW: "流程", KEY: "密钥", ACCOUNT: "账号", YEAR: "日历", DIRECTORY: "组织目录", HELD: "依法保留", **vouched.WORDS,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Note:
    """One row: what of which kind, and how it stood from then on; an empty image is a removal."""

    n: int
    at: datetime
    kind: str
    key: str
    image: Mapping[str, Any]
    hash: bytes


def enter(session: Session, kind: str, key: str, image: Mapping[str, Any]) -> None:
    """Enter how something stands from now on."""
    enter_all(session, kind, {key: image})


def enter_all(session: Session, kind: str, images: Mapping[str, Mapping[str, Any]]) -> None:
    """Enter how these of a kind stand from now on, by the server's clock, in the chain of the database the session is of."""
    if not images:
        return
    chain, connection = chain_of(session), session.connection()
    connection.exec_driver_sql("SELECT 1 FROM epoch FOR UPDATE")
    at, n, before = connection.exec_driver_sql(_LAST).one()
    n, before = (0, GENESIS) if n is None else (n, chain.follows(bytes(before)))
    rows, made = [], b""
    for key, image in images.items():
        n += 1
        made = chain.keys.mac(before + _bytes(Note(n, at, kind, key, image, b"")))
        before = chain.follows(made)
        rows.append([n, key, image, made.hex()])
    params = {"at": at, "kind": kind, "rows": orjson.dumps(rows).decode(), "head": before}
    connection.exec_driver_sql(_ENTER, params)


# Asked once the lock is had: who waited for it comes after whom he waited for.
_LAST: Final = """
SELECT clock_timestamp(), r.n, r.hash
FROM (SELECT 1) now LEFT JOIN LATERAL (SELECT n, hash FROM register ORDER BY n DESC LIMIT 1) r ON TRUE
"""
_ENTER: Final = """
WITH entered AS (
  INSERT INTO register (n, at, kind, key, image, hash)
  SELECT (e->>0)::bigint, %(at)s, %(kind)s, e->>1, e->2, decode(e->>3, 'hex') FROM jsonb_array_elements(%(rows)s::jsonb) e
)
UPDATE epoch SET register = %(head)s
"""


def settle(session: Session, kind: str, *keys: str) -> None:
    """Enter how these of a kind stand, after the program has changed them in this session."""
    stands = AS_THEY_STAND[kind](session, keys)
    enter_all(session, kind, {key: stands.get(key, {}) for key in keys})


def image_of(session: Session, kind: str, key: str) -> dict[str, Any] | None:
    """Return how something was last entered; None where it never was."""
    return images_of(session, kind, [key]).get(key)


def vouches(session: Session, kind: str, key: str) -> bool:
    """Say whether something stands as it was last entered: what is to be changed and entered anew was not forged before."""
    return not _strayed(session, kind, [key])


def confirm(session: Session, kind: str, *keys: str, gone: bool = False) -> None:
    """Raise Conflict where one of these, which are about to be changed, is not as it was last entered.

    A change enters the whole row anew, and would vouch for whatever was forged in it before. `gone` are those that were
    not there a moment ago: just added by this session, and not to be taken for what stood before.
    """
    for key in _strayed(session, kind, keys, gone=gone):
        raise Conflict(f"{WORDS[kind]} {key} 与登记簿不一致，没有改动：请先用 verify 查清")


def remark(session: Session, kind: str, *keys: str, gone: bool = False) -> None:
    """Enter, for good, which of these were not as they had been entered; for a change that has to be made all the same."""
    note_strayed(session, kind, _strayed(session, kind, keys, gone=gone))


def note_strayed(session: Session, kind: str, strayed: Mapping[str, tuple[object, object]]) -> None:
    """Enter, for good, how these were entered and how they stood instead."""
    images = {f"{kind} {key}": {"entered": was, "stood": stood} for key, (was, stood) in strayed.items()}
    enter_all(session, STRAYED, images)


def _strayed(
    session: Session, kind: str, keys: Sequence[str], *, gone: bool = False
) -> dict[str, tuple[dict[str, Any], dict[str, Any]]]:
    """Return which of these are not as they were last entered: how they were entered, and how they stand."""
    if not keys:
        return {}
    found = _apart(session, kind, keys, gone=gone)
    if found and not entered(session, BEGUN, _mark(kind)):  # what was never entered is not vouched for yet
        as_hashed_now = kind not in vouched.KINDS or not vouched.KINDS[kind].before
        found = {key: both for key, both in found.items() if both[0] and as_hashed_now}
    if found:  # who has this lock sees of every change either all or nothing
        session.connection().exec_driver_sql("SELECT 1 FROM epoch FOR UPDATE")
        found = _apart(session, kind, list(found), gone=gone)
    return found


def _apart(
    session: Session, kind: str, keys: Sequence[str], *, gone: bool
) -> dict[str, tuple[dict[str, Any], dict[str, Any]]]:
    entered = images_of(session, kind, keys)
    stands = {} if gone else AS_THEY_STAND[kind](session, keys)
    both = {key: (entered.get(key, {}), stands.get(key, {})) for key in keys}
    return {key: (was, stood) for key, (was, stood) in both.items() if was != stood}


def images_of(session: Session, kind: str, keys: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Return how these of a kind were last entered; those that never were are left out."""
    rows = session.connection().exec_driver_sql(_IMAGES, {"kind": kind, "keys": list(keys)})
    return {row[0]: row[1] for row in rows}


_IMAGES: Final = """
SELECT k.key, r.image FROM unnest(%(keys)s::text[]) AS k(key), LATERAL (
  SELECT image FROM register WHERE kind = %(kind)s AND key = k.key ORDER BY n DESC LIMIT 1) r
"""


def begin(session: Session) -> None:
    """Enter everything as it stands, where nothing of its kind was entered yet; else what a register begun earlier did not know."""
    if not entered(session, BEGUN, ""):
        # A calendar was filled, or a key made, before: of those everything was entered as it came.
        waiting = [kind for kind in AS_THEY_STAND if kind not in vouched.KINDS and not entered(session, kind)]
        enter(session, BEGUN, "", {})
        for kind in waiting:
            enter_all(session, kind, dict(sorted(AS_THEY_STAND[kind](session).items())))
    _widen(session)


def _widen(session: Session) -> None:
    """Enter, once for each, the kinds that registers begun earlier did not know: what they held until now is taken over.

    Rows of which less was hashed once are entered anew as far as they still are what was hashed then. What stands there
    after that without being entered so is forged.
    """
    session.connection().exec_driver_sql("SELECT 1 FROM epoch FOR UPDATE")
    asked = "SELECT key FROM register WHERE kind = %(kind)s"
    begun = set(session.connection().exec_driver_sql(asked, {"kind": BEGUN}).scalars())
    for kind, rows in vouched.KINDS.items():
        if _mark(kind) in begun:
            continue
        enter(session, BEGUN, _mark(kind), {})
        known = _known(session, kind)
        once = {
            (key, *image.items()) for form in rows.before for key, image in rows.images(session, columns=form).items()
        }
        images = sorted(rows.images(session).items())
        fresh = {key: image for key, image in images if key not in known and kind not in begun}
        enter_all(
            session, kind, fresh | {key: one for key, one in images if (key, *known.get(key, {}).items()) in once}
        )


def _mark(kind: str) -> str:
    """Return by which key the register says that it has begun to vouch for a kind, as it is hashed now."""
    rows = vouched.KINDS.get(kind)
    if rows is None:
        return ""
    return f"{kind} {len(rows.before) + 1}" if rows.before else kind


def _known(session: Session, kind: str) -> dict[str, dict[str, Any]]:
    asked = "SELECT DISTINCT ON (key) key, image FROM register WHERE kind = %(kind)s ORDER BY key, n DESC"
    return {row[0]: row[1] for row in session.connection().exec_driver_sql(asked, {"kind": kind})}


def chain_of(session: Session) -> Chain:
    """Return the chain of the database that the session is of."""
    made = session.info.get("chain")
    if made is None:
        msg = "this database was opened without its keys: nothing can be vouched for"
        raise LookupError(msg)
    found: Chain = made()
    return found


# One that somebody set to NULL is a hash that no row has.
_NOTES: Final = "SELECT n, at, kind, key, image, coalesce(hash, '') FROM register"


def notes(session: Session) -> Iterator[Note]:
    """Yield every row in order."""
    for row in session.connection().exec_driver_sql(f"{_NOTES} ORDER BY n"):
        yield _note(row)


def newest(session: Session) -> Note | None:
    """Return the last row."""
    row = session.connection().exec_driver_sql(f"{_NOTES} ORDER BY n DESC LIMIT 1").first()
    return _note(row) if row is not None else None


def row(session: Session, n: int) -> Note | None:
    """Return one row."""
    found = session.connection().exec_driver_sql(f"{_NOTES} WHERE n = %(n)s", {"n": n}).first()
    return _note(found) if found is not None else None


def entered(session: Session, kind: str, key: str | None = None) -> bool:
    """Say whether anything of a kind, or this of it, was ever entered."""
    asked = "SELECT EXISTS (SELECT 1 FROM register WHERE kind = %(kind)s AND (%(key)s::text IS NULL OR key = %(key)s::text))"
    return bool(session.connection().exec_driver_sql(asked, {"kind": kind, "key": key}).scalar())


def _note(row: Any) -> Note:
    return Note(row[0], row[1], row[2], row[3], row[4], bytes(row[5]))


def head(session: Session) -> bytes | None:
    """Return the head that is kept of the whole; None where nothing was entered yet."""
    found = session.connection().exec_driver_sql("SELECT register FROM epoch").scalar()
    return bytes(found) if found is not None else None


def follows(chain: Chain, note: Note, before: bytes) -> bool:
    """Say whether a row is what was entered after the head before it."""
    return chain.keys.made(before + _bytes(note), note.hash)


def _bytes(note: Note) -> bytes:
    row = {"n": note.n, "at": as_text(note.at), "kind": note.kind, "key": note.key, "image": note.image}
    return b"register" + orjson.dumps(row, option=orjson.OPT_SORT_KEYS)


# --- how each kind stands in its table: all of it, or those of these keys ---

Keys = Sequence[str] | None
_ONLY: Final = "(%(only)s::text[] IS NULL OR {}::text = ANY(%(only)s::text[]))"

#: The path of a key's or an account's area follows from the area, whose own row is vouched for; a verification compares them.
_KEY_COLUMNS: Final = (
    "role", "unit_code", "area_code", "source", "scopes", "expires_at", "revoked_at", "holder", "family",
)  # fmt: skip
ACCOUNT_COLUMNS: Final = ("login", "name", "role", "unit_code", "area_code", "source", "scopes", "disabled_at")
DIRECTORY_TABLES: Final = ("area", "unit", "estate", "person")


def keys_as_they_stand(session: Session, only: Keys = None) -> dict[str, dict[str, Any]]:
    """Return the image of every API key by its id."""
    rows = _rows(session, f"SELECT id, digest, {', '.join(_KEY_COLUMNS)} FROM api_key WHERE {_ONLY.format('id')}", only)
    return {
        str(row["id"]): {"digest": bytes(row["digest"]).hex()} | {name: plain(row[name]) for name in _KEY_COLUMNS}
        for row in rows.mappings()
    }


def accounts_as_they_stand(session: Session, only: Keys = None) -> dict[str, dict[str, Any]]:
    """Return the image of every account by its id; of what opens it only hashes."""
    columns = ", ".join(ACCOUNT_COLUMNS)
    rows = _rows(
        session, f"SELECT id, password, totp, subject, {columns} FROM account WHERE {_ONLY.format('id')}", only
    )
    return {
        str(row["id"]): {"opens": sha256(row["password"].encode() + bytes(row["totp"] or b"")).hexdigest()}
        | {name: plain(row[name]) for name in ACCOUNT_COLUMNS}
        | ({"subject": row["subject"]} if row["subject"] is not None else {})
        for row in rows.mappings()
    }


def workflows_as_they_stand(session: Session, only: Keys = None) -> dict[str, dict[str, Any]]:
    """Return the image of every published workflow by its name@version: the hash of the text that is there.

    The hash that its row says of it stands there too where it is another: that is never entered.
    """
    rows = _rows(session, f"SELECT id, text, published_at, sha256 FROM workflow WHERE {_ONLY.format('id')}", only)
    images = {}
    for row in rows:
        own = sha256(row[1].encode()).hexdigest()
        images[row[0]] = {"sha256": own, "published_at": as_text(row[2])} | ({"said": row[3]} if row[3] != own else {})
    return images


def years_as_they_stand(session: Session, only: Keys = None) -> dict[str, dict[str, Any]]:
    """Return the image of the calendar by years: a hash over its days, and the notice it comes from."""
    rows = _rows(
        session,
        "SELECT COALESCE(y.year, extract(year FROM d.day)::int) AS year,"
        " string_agg(d.day || ' ' || d.works || ' ' || d.provisional || ' ' || d.source, E'\\n' ORDER BY d.day),"
        " max(y.source) FROM calendar_day d FULL JOIN calendar_year y ON y.year = extract(year FROM d.day)::int"
        f" WHERE {_ONLY.format('COALESCE(y.year, extract(year FROM d.day)::int)')} GROUP BY 1",
        only,
    )
    return {str(row[0]): {"sha256": sha256((row[1] or "").encode()).hexdigest(), "source": row[2]} for row in rows}


def directory_as_it_stands(session: Session, only: Keys = None) -> dict[str, dict[str, Any]]:
    """Return the image of the directory: a hash over the rows of each of its tables."""
    made = {}
    for table in only or DIRECTORY_TABLES:
        row = _AREA_IMAGE if table == "area" else "to_jsonb(t)"
        rows = session.connection().exec_driver_sql(f"SELECT ({row})::text FROM {table} t ORDER BY 1").scalars()
        digest = sha256()
        for row in rows:
            digest.update(row.encode() + b"\n")
        made[table] = {"sha256": digest.hexdigest()}
    return made


#: What an area did not have when registers began stands in its image only where it is written.
_AREA_IMAGE: Final = "to_jsonb(t) - CASE WHEN t.lon IS NULL AND t.lat IS NULL THEN '{lon,lat}'::text[] ELSE '{}' END"


def _rows(session: Session, statement: str, only: Keys) -> Any:
    return session.connection().exec_driver_sql(statement, {"only": None if only is None else list(only)})


AS_THEY_STAND: Final = {
    WORKFLOW: workflows_as_they_stand, KEY: keys_as_they_stand, ACCOUNT: accounts_as_they_stand, YEAR: years_as_they_stand,
    DIRECTORY: directory_as_it_stands, **{kind: rows.images for kind, rows in vouched.KINDS.items()},
}  # fmt: skip

"""Rows that the register vouches for one by one: learned models, schemes, periods to come, frozen scores and what they brought,
credit, voices, appeals, documents without a grievance.

Of each the register keeps a hash over the columns named here; a column that comes later has to be named to be vouched for.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy.orm import Session

MODEL, SCHEME, SCORES, CREDIT, VOICE, APPEAL = "model", "scheme", "scores", "credit", "voice", "appeal"
BROUGHT, DUE, PAPER = "consequence", "period", "document"


@dataclass(frozen=True, slots=True)
class Vouched:
    """How the rows of one kind are found and what of them is hashed; instants as numbers, whatever the session's zone."""

    table: str
    columns: str
    key: str = "id::text"
    these: str = "id = ANY(%(only)s::uuid[])"  # by the key's own index
    when: str = "true"

    def images(self, session: Session, only: Sequence[str] | None = None) -> dict[str, dict[str, Any]]:
        """Return the image of every row of the kind, or of these keys."""
        rows = session.connection().exec_driver_sql(
            f"SELECT {self.key}, encode(sha256(convert_to(jsonb_build_array({self.columns})::text, 'UTF8')), 'hex')"
            f" FROM {self.table} WHERE {self.when}{'' if only is None else f' AND {self.these}'}",
            {} if only is None else {"only": list(only)},
        )
        return {row[0]: {"sha256": row[1]} for row in rows}


def _instant(name: str) -> str:
    return f"extract(epoch FROM {name})"


_BY_NAME: Final = {"key": "id", "these": "id = ANY(%(only)s::text[])"}
_PERIOD: Final = (
    f"name, scheme, part, period, revision, state, {_instant('starts')}, {_instant('ends')}, {_instant('closes_at')},"
    f" {_instant('closed_at')}, {_instant('published_at')}, encode(digest, 'hex'), bulletin, bulletin_series,"
    " bulletin_year, bulletin_n, reason"
)
_VOICE_KEY: Final = "jsonb_build_array(name, period, input, subject, peer, encode(who, 'hex'))"
_VOICE_OF: Final = "k->>0, k->>1, k->>2, k->>3, k->>4, decode(k->>5, 'hex')"

KINDS: Final = {
    MODEL: Vouched(
        "learned_model",
        f"encode(sha256(file), 'hex'), sha256, {_instant('published_at')}, {_instant('chosen_at')}",
        **_BY_NAME,
    ),
    SCHEME: Vouched("scheme", f"name, version, text, sha256, {_instant('published_at')}", **_BY_NAME),
    DUE: Vouched("assessment", _PERIOD, when="state = 'due'"),
    SCORES: Vouched("assessment", _PERIOD, when="state <> 'due'"),
    CREDIT: Vouched(
        "credit", f"scheme, unit, item, points, since, until, ends, cause, reason, actor, {_instant('at')}"
    ),
    VOICE: Vouched(
        "voice",
        f"score, detail, {_instant('at')}",
        f"{_VOICE_KEY}::text",
        f"(name, period, input, subject, peer, who) IN (SELECT {_VOICE_OF} FROM"
        " (SELECT x::jsonb AS k FROM unnest(%(only)s::text[]) x) asked)",
    ),
    APPEAL: Vouched(
        "appeal",
        f"name, period, revision, subject, peer, measure, grievance, reason, unit, {_instant('at')},"
        f" {_instant('decided_at')}, upheld, CASE WHEN due_at IS NULL AND raised_at IS NULL THEN to_jsonb(note)"  # as before there was a term
        f" ELSE jsonb_build_array(note, {_instant('due_at')}, {_instant('raised_at')}) END",
    ),
    BROUGHT: Vouched(
        "consequence",
        f"list, {_instant('at')}, grievance, CASE WHEN document IS NULL THEN to_jsonb(credit_id)"  # as before there were any
        " ELSE jsonb_build_array(credit_id, document) END",
        "jsonb_build_array(name, period, subject, peer, consequence)::text",
        "(name, period, subject, peer, consequence) IN (SELECT k->>0, k->>1, k->>2, k->>3, k->>4 FROM"
        " (SELECT x::jsonb AS k FROM unnest(%(only)s::text[]) x) asked)",
    ),
    PAPER: Vouched(
        "document",
        "kind, series, year, n, task_id, addressee, copies, text, area_path, scheme, period, title, issuer,"
        f" {_instant('issued_at')}",
        "number",
        "number = ANY(%(only)s::text[])",
        when="grievance_id IS NULL",
    ),
}  # fmt: skip


def voice_key(session: Session, row: Sequence[Any]) -> str:
    """Return the register's key of a voice: name, period, input, subject, peer and the digest of who, in their order."""
    values = dict(zip(("name", "period", "input", "subject", "peer", "who"), row, strict=True))
    made = (
        "SELECT jsonb_build_array(%(name)s::text, %(period)s::text, %(input)s::text, %(subject)s::text, %(peer)s::text,"
        " encode(%(who)s::bytea, 'hex'))::text"
    )
    return str(session.connection().exec_driver_sql(made, values).scalar_one())

"""Rows that the register vouches for one by one: models, 评价考核 from schemes to appeals, papers, how people and keys came in.

Of each the register keeps a hash over the columns named here; a column that comes later has to be named to be vouched for.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy.orm import Session

MODEL, SCHEME, SCORES, CREDIT, VOICE, APPEAL = "model", "scheme", "scores", "credit", "voice", "appeal"
BROUGHT, DUE, PAPER = "consequence", "period", "document"
SESSION, EVENT, OPENING, ORIGIN = "session", "account-event", "account-opening", "key-origin"
APPROVAL, LINK, REHEARSAL = "approval", "task-link", "rehearsal"

#: What people call a row of each kind.
WORDS: Final = {
    MODEL: "模型", SCHEME: "考核办法", SCORES: "封账", CREDIT: "信用", VOICE: "评分", APPEAL: "申诉", BROUGHT: "名单带来的处置",
    DUE: "考核期", SESSION: "会话", EVENT: "登录记录", OPENING: "账号的登录情况", ORIGIN: "密钥的来历", APPROVAL: "双人审批",
    LINK: "一次性链接", REHEARSAL: "演练的标记", PAPER: "文书",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Vouched:
    """How the rows of one kind are found and what of them is hashed; instants as numbers, whatever the session's zone."""

    table: str
    columns: str
    key: str = "id::text"
    these: str = "id = ANY(%(only)s::uuid[])"  # by the key's own index
    when: str = "true"
    before: tuple[str, ...] = ()  # what was hashed once, the oldest first: taken over once where it still fits

    def images(
        self, session: Session, only: Sequence[str] | None = None, *, columns: str | None = None
    ) -> dict[str, dict[str, Any]]:
        """Return the image of every row of the kind, or of these keys; as it was made from other columns where they are given."""
        hashed = self.columns if columns is None else columns
        rows = session.connection().exec_driver_sql(
            f"SELECT {self.key}, encode(sha256(convert_to(jsonb_build_array({hashed})::text, 'UTF8')), 'hex')"
            f" FROM {self.table} WHERE {self.when}{'' if only is None else f' AND {self.these}'}",
            {} if only is None else {"only": list(only)},
        )
        return {row[0]: {"sha256": row[1]} for row in rows}


def _instant(name: str) -> str:
    return f"extract(epoch FROM {name})"


_BY_NAME: Final[Any] = {"key": "id", "these": "id = ANY(%(only)s::text[])"}
_PERIOD: Final = (
    f"name, scheme, part, period, revision, state, {_instant('starts')}, {_instant('ends')}, {_instant('closes_at')},"
    f" {_instant('closed_at')}, {_instant('published_at')}, encode(digest, 'hex'), bulletin, bulletin_series,"
    " bulletin_year, bulletin_n, reason"
)
_PERIOD_ONCE: Final = (
    f"name, scheme, part, period, revision, state, {_instant('starts')}, {_instant('ends')}, {_instant('closed_at')},"
    f" {_instant('published_at')}, encode(digest, 'hex'), bulletin, reason"
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
    SCORES: Vouched("assessment", _PERIOD, when="state <> 'due'", before=(_PERIOD_ONCE,)),
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
    SESSION: Vouched(
        "account_session",
        f"encode(digest, 'hex'), account_id, address, {_instant('created_at')}, {_instant('expires_at')}, {_instant('ended_at')}",
    ),
    EVENT: Vouched("account_event", f"account_id, what, by, address, {_instant('at')}"),
    OPENING: Vouched("account", f"must_change, totp_used, failures, {_instant('locked_until')}, {_instant('created_at')}"),
    ORIGIN: Vouched("api_key", f"prefix, {_instant('created_at')}, made_by, ended_by"),
    APPROVAL: Vouched(
        "approval",
        f"kind, asked_by, {_instant('asked_at')}, wanted, reason, state, decided_by, {_instant('decided_at')}, note, key_id",
    ),
    LINK: Vouched(
        "task_link",
        "encode(digest, 'hex'), task_id, unit_code, by_account, given_to,"
        f" {_instant('created_at')}, {_instant('expires_at')}, {_instant('ended_at')}, used",
    ),
    REHEARSAL: Vouched("epoch", "rehearsed", these="id = ANY(%(only)s::int[])", when="rehearsed"),
}  # fmt: skip


def voice_key(session: Session, row: Sequence[Any]) -> str:
    """Return the register's key of a voice: name, period, input, subject, peer and the digest of who, in their order."""
    values = dict(zip(("name", "period", "input", "subject", "peer", "who"), row, strict=True))
    made = (
        "SELECT jsonb_build_array(%(name)s::text, %(period)s::text, %(input)s::text, %(subject)s::text, %(peer)s::text,"
        " encode(%(who)s::bytea, 'hex'))::text"
    )
    return str(session.connection().exec_driver_sql(made, values).scalar_one())

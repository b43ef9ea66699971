"""The tables of 评价考核: schemes, periods with their frozen figures and results, voices, appeals, consequences, credit.

Rows are only ever added, but for an assessment's way from due to closed to published and an appeal's decision.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Numeric,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY

from wuye_loop.store.schema.columns import count, document_of, flag, instant, metadata, word_list, words

scheme = Table(
    "scheme",
    metadata,
    Column("id", Text, primary_key=True),  # name@version
    words("name"),
    Column("version", Integer, nullable=False),
    words("text"),
    words("sha256"),
    instant("published_at"),
)


def _of_assessment() -> Column[object]:
    return Column("assessment_id", Uuid, ForeignKey("assessment.id"), nullable=False, primary_key=True)


assessment = Table(
    "assessment",
    metadata,
    Column("id", Uuid, primary_key=True),
    words("name"),
    words("scheme"),  # the version it was closed by
    words("part"),  # which of the scheme's periods
    words("period"),  # 2026-11
    Column("revision", Integer, nullable=False, server_default=text("1")),
    words("state"),  # due closed published
    instant("starts"),
    instant("ends"),
    instant("closes_at"),
    instant("closed_at", nullable=True),
    instant("published_at", nullable=True),
    Column("digest", LargeBinary, nullable=True),
    words("bulletin", nullable=True),  # its number
    words("bulletin_series", nullable=True),
    Column("bulletin_year", Integer, nullable=True),
    Column("bulletin_n", Integer, nullable=True),
    words("reason", nullable=True),  # why there is another revision
    count("tries"),  # to close it, or to publish it, that failed
    instant("retry_at", nullable=True),  # not before; of a closed one: it publishes itself
    words("trouble", nullable=True),  # why the last try failed
    UniqueConstraint("name", "period", "revision"),
    Index("ix_assessment_due", "closes_at", postgresql_where=text("state = 'due'")),
    Index("ix_assessment_retry", "retry_at", postgresql_where=text("state = 'closed' AND retry_at IS NOT NULL")),
)

figure = Table(
    "figure",
    metadata,
    _of_assessment(),
    Column("subject", Text, primary_key=True),
    Column("peer", Text, primary_key=True),
    Column("measure", Text, primary_key=True),
    Column("numerator", Numeric, nullable=False),
    Column("denominator", Numeric, nullable=True),
    count("excluded"),
    Column("cases", ARRAY(Uuid), nullable=False),  # in the order of ids, each with what it weighs
    Column("weights", ARRAY(Numeric), nullable=False),
    Column("excluded_cases", ARRAY(Uuid), nullable=False),
)

result = Table(
    "result",
    metadata,
    _of_assessment(),
    Column("subject", Text, primary_key=True),
    Column("peer", Text, primary_key=True),
    count("orders"),
    Column("total", Numeric, nullable=True),
    Column("rank", Integer, nullable=True),
    document_of("items", "[]"),
    word_list("lists"),
    flag("vetoed"),
)

consequence = Table(
    "consequence",
    metadata,
    Column("name", Text, primary_key=True),
    Column("period", Text, primary_key=True),
    Column("subject", Text, primary_key=True),
    Column("peer", Text, primary_key=True),
    Column("consequence", Text, primary_key=True),
    words("list"),
    instant("at"),
    Column("grievance", Text, nullable=True),
    Column("credit_id", Uuid, nullable=True),
    words("document", nullable=True),  # its number
    Index("ix_consequence_grievance", "grievance"),
)

credit = Table(
    "credit",
    metadata,
    Column("id", Uuid, primary_key=True),
    words("scheme"),  # name, without the version: rows outlive it
    words("unit"),
    words("item"),
    Column("points", Numeric, nullable=False),
    Column("since", Date, nullable=False),
    Column("until", Date, nullable=True),
    Column("ends", Uuid, nullable=True),  # the row that this one ends
    words("cause"),
    words("reason", nullable=True),
    document_of("actor", "{}"),
    instant("at"),
    UniqueConstraint("scheme", "unit", "item", "cause"),
    Index("ix_credit_unit", "unit", "since"),
    Index("ix_credit_scheme", "scheme", "at"),
)

credit_watch = Table(
    "credit_watch",  # when the balances of a scheme were last looked at for who is to leave
    metadata,
    Column("scheme", Text, primary_key=True),  # name@version
    Column("looked_on", Date, nullable=False),
    instant("last", nullable=True),  # the newest row of credit that was there
    words("trouble", nullable=True),  # what could not be brought to whom, at that look
)

rung_watch = Table(
    "rung_watch",  # up to which transaction the ledger was looked through for rungs that bring credit by a scheme
    metadata,
    Column("scheme", Text, primary_key=True),  # name@version
    Column("upto", BigInteger, nullable=False),
)

voice = Table(
    "voice",
    metadata,
    Column("name", Text, primary_key=True),
    Column("period", Text, primary_key=True),
    Column("input", Text, primary_key=True),
    Column("subject", Text, primary_key=True),
    Column("peer", Text, primary_key=True),
    Column("who", LargeBinary, primary_key=True),  # a keyed digest of the flat or the unit: nobody can be found by it
    Column("score", Numeric, nullable=False),
    document_of("detail", "{}"),
    instant("at"),
)

appeal = Table(
    "appeal",
    metadata,
    Column("id", Uuid, primary_key=True),
    words("name"),
    words("period"),
    Column("revision", Integer, nullable=False),
    words("subject"),
    words("peer"),
    words("measure", nullable=True),
    words("grievance", nullable=True),
    words("reason"),
    words("unit"),
    instant("at"),
    instant("decided_at", nullable=True),
    Column("upheld", Boolean, nullable=True),
    words("note", nullable=True),
    instant("due_at", nullable=True),  # until when it is to be decided; none: whenever
    instant("raised_at", nullable=True),  # since then those above are to decide
    instant("retry_at", nullable=True),  # what nobody decided could not be carried out: not before
    Index("ix_appeal_period", "name", "period", "at"),
    Index("ix_appeal_due", "due_at", postgresql_where=text("decided_at IS NULL AND due_at IS NOT NULL")),
)

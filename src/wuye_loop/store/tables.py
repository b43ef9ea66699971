"""Every table, in one place. Names are the terms of domain/terms.py; every constraint is named; instants are UTC."""

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy import Table as _Table
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    },
)


def _instant(name: str, *, nullable: bool = False) -> Column[object]:
    return Column(name, DateTime(timezone=True), nullable=nullable)


def _text(name: str, *, nullable: bool = False, default: str | None = None) -> Column[object]:
    return Column(name, Text, nullable=nullable, server_default=default)


def _json(name: str, default: str) -> Column[object]:
    return Column(name, JSONB, nullable=False, server_default=text(f"'{default}'::jsonb"))


def _texts(name: str) -> Column[object]:
    return Column(name, ARRAY(Text), nullable=False, server_default=text("'{}'::text[]"))


def _count(name: str) -> Column[object]:
    return Column(name, Integer, nullable=False, server_default=text("0"))


def _flag(name: str, *, default: bool = False) -> Column[object]:
    return Column(name, Boolean, nullable=False, server_default=text("true" if default else "false"))


def _of_grievance(*, primary_key: bool = False) -> Column[object]:
    return Column("grievance_id", Uuid, ForeignKey("grievance.id"), nullable=False, primary_key=primary_key)


# --- the directory -------------------------------------------------------------------------------------------------

area = _Table(
    "area",
    metadata,
    Column("code", Text, primary_key=True),
    _text("name"),
    _text("level"),  # community street district city
    _text("parent_code", nullable=True),
    _text("path"),  # codes from the top, each closed by a slash: "370705/370705001/"
    Index("ix_area_path", "path", postgresql_ops={"path": "text_pattern_ops"}),
)

unit = _Table(
    "unit",
    metadata,
    Column("code", Text, primary_key=True),
    _text("name"),
    _text("kind"),  # department, office, centre, community, company
    _text("area_code", nullable=True),
    _text("parent_code", nullable=True),  # one level up
    _texts("duties"),
    _flag("active", default=True),
)

estate = _Table(
    "estate",
    metadata,
    Column("code", Text, primary_key=True),
    _text("name"),
    Column("area_code", Text, ForeignKey("area.code"), nullable=False),
    _text("company_code", nullable=True),
    _text("kind", nullable=True),
    Index("ix_estate_name", "name"),
)

person = _Table(
    "person",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("unit_code", Text, ForeignKey("unit.code"), nullable=False),
    _text("name"),
    _text("duty", nullable=True),
    UniqueConstraint("unit_code", "name"),
)

api_key = _Table(
    "api_key",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("digest", LargeBinary, nullable=False),
    _text("prefix"),
    _text("role"),
    _text("unit_code", nullable=True),
    _text("area_code", nullable=True),
    _text("area_path", nullable=True),
    _text("source", nullable=True),  # hotline keys: whose external ids these are
    _texts("scopes"),
    _instant("created_at"),
    _instant("expires_at", nullable=True),
    _instant("revoked_at", nullable=True),
    UniqueConstraint("digest"),
)

# --- what does not change often, and the number that says when it did ------------------------------------------------

epoch = _Table(
    "epoch",
    metadata,
    Column("id", Integer, CheckConstraint("id = 1", name="one_row"), primary_key=True),
    _count("directory"),
    _count("calendar"),
    _count("workflows"),
    _flag("rehearsed"),  # its clock was moved by hand: not a record of what happened
)

workflow = _Table(
    "workflow",
    metadata,
    Column("id", Text, primary_key=True),  # name@version
    _text("text"),
    _text("sha256"),
    _instant("published_at"),
)

calendar_day = _Table(
    "calendar_day",
    metadata,
    Column("day", Date, primary_key=True),
    _flag("works"),
    _text("source"),
    _flag("provisional"),
)

calendar_year = _Table(
    "calendar_year",
    metadata,
    Column("year", Integer, primary_key=True),  # a year covered by a published notice
    _text("source"),
    _instant("loaded_at"),
)

# --- the grievance and what hangs on it -----------------------------------------------------------------------------

grievance = _Table(
    "grievance",
    metadata,
    Column("id", Uuid, primary_key=True),
    _text("number"),
    _text("workflow"),
    _text("source"),
    _text("external_id"),
    Column("intake_digest", LargeBinary, nullable=False),
    _text("channel"),
    _text("kind"),
    _text("category", nullable=True),
    _flag("category_suggested"),
    _text("urgency"),
    _text("title"),
    _text("body"),  # identity struck out; the words as spoken are sealed in complainant
    _instant("occurred_at", nullable=True),
    _instant("received_at"),
    _text("estate_code", nullable=True),
    _text("area_code", nullable=True),
    _text("area_path"),
    _text("address", nullable=True),  # to building level
    _text("company_code", nullable=True),
    _flag("anonymous"),
    _flag("confidential"),
    _json("extra", "{}"),
    _json("flags", "[]"),  # unknown codes, red lines: shown, never refused
    _text("state"),
    _text("stage"),
    _instant("state_since"),
    _flag("final"),
    Column("cycle", Integer, nullable=False, server_default=text("1")),
    _text("level"),
    _text("lead_unit", nullable=True),
    _text("holder_unit", nullable=True),
    _text("holder_role", nullable=True),
    _texts("units"),
    _json("counts", "{}"),
    _json("data", "{}"),
    _json("did", "{}"),
    Column("merged_into", Uuid, nullable=True),
    _count("followers"),
    _count("urged"),
    Column("seq", Integer, nullable=False),
    Column("head", LargeBinary, nullable=False),
    _instant("due_at", nullable=True),  # of the running clock that is due first: sorts the inbox
    _text("due_clock", nullable=True),
    _instant("closed_at", nullable=True),
    UniqueConstraint("number"),
    UniqueConstraint("source", "external_id"),
    CheckConstraint("cycle >= 1", name="cycle_from_one"),
    CheckConstraint("seq >= 1", name="seq_from_one"),
    Index("ix_grievance_area_path", "area_path", "id", postgresql_ops={"area_path": "text_pattern_ops"}),
    Index("ix_grievance_units", "units", postgresql_using="gin"),
    Index("ix_grievance_holder", "holder_unit", "due_at", "id", postgresql_where=text("NOT final")),
    Index("ix_grievance_lead", "lead_unit", "state"),
    Index("ix_grievance_estate", "estate_code", "category", "received_at"),
    Index("ix_grievance_received", "received_at", "id"),
)

task = _Table(
    "task",
    metadata,
    Column("id", Uuid, primary_key=True),
    _of_grievance(),
    _text("kind"),
    Column("n", Integer, nullable=False),
    _text("state"),
    _flag("final"),
    _text("holder_unit", nullable=True),
    _text("opener_unit", nullable=True),
    _text("opener_role", nullable=True),
    _text("document", nullable=True),  # document kind it carries
    _text("document_number", nullable=True),
    _texts("copies"),
    _json("data", "{}"),
    _json("counts", "{}"),
    _instant("opened_at"),
    _instant("state_since"),
    _instant("closed_at", nullable=True),
    Column("cycle", Integer, nullable=False),
    _text("area_path"),
    UniqueConstraint("grievance_id", "n"),
    Index("ix_task_holder", "holder_unit", "opened_at", "id", postgresql_where=text("NOT final")),
    Index("ix_task_kind", "kind", "area_path", "opened_at", "id", postgresql_ops={"area_path": "text_pattern_ops"}),
)

document_series = _Table(
    "document_series",
    metadata,
    Column("series", Text, primary_key=True),
    Column("year", Integer, primary_key=True),
    _count("n"),
)

document = _Table(
    "document",
    metadata,
    Column("number", Text, primary_key=True),
    _text("kind"),
    _text("series"),
    Column("year", Integer, nullable=False),
    Column("n", Integer, nullable=False),
    _of_grievance(),
    Column("task_id", Uuid, ForeignKey("task.id"), nullable=True),
    _text("addressee", nullable=True),
    _texts("copies"),
    _text("text", nullable=True),
    _text("area_path"),
    _instant("issued_at"),
    UniqueConstraint("series", "year", "n"),
    Index("ix_document_series", "series", "year", "n"),
    Index("ix_document_grievance", "grievance_id"),
    Index("ix_document_addressee", "addressee", "issued_at"),
)

complainant = _Table(
    "complainant",
    metadata,
    _of_grievance(primary_key=True),
    _text("key_id"),
    _text("alg"),
    Column("wrapped_key", LargeBinary, nullable=False),
    Column("nonce", LargeBinary, nullable=False),
    Column("ciphertext", LargeBinary, nullable=False),
    Column("phone_hash", LargeBinary, nullable=True),
    Index("ix_complainant_phone_hash", "phone_hash"),
)

ledger = _Table(
    "ledger",
    metadata,
    _of_grievance(primary_key=True),
    Column("seq", Integer, primary_key=True),
    _instant("at"),
    _text("action"),
    Column("task_id", Uuid, nullable=True),
    _json("actor", "{}"),
    _text("from_state", nullable=True),
    _text("to_state", nullable=True),
    _json("facts", "{}"),
    _json("changes", "{}"),
    _text("audience"),
    Column("hash", LargeBinary, nullable=False),
    CheckConstraint("seq >= 1", name="seq_from_one"),
)

clock = _Table(
    "clock",
    metadata,
    Column("id", Uuid, primary_key=True),
    _of_grievance(),
    Column("task_id", Uuid, nullable=True),
    _text("name"),
    Column("cycle", Integer, nullable=False),
    Column("run", Integer, nullable=False),
    _text("unit", nullable=True),
    _text("status"),
    _instant("started_at"),
    _instant("due_at"),
    _flag("provisional"),
    _instant("ended_at", nullable=True),
    Column("rung", Integer, nullable=True),  # the highest rung fired at or after due
    _text("area_path"),
    _json("image", "{}"),  # domain.clocks.as_row: limit, adjustments, rungs
    UniqueConstraint("grievance_id", "task_id", "name", "cycle", "run", postgresql_nulls_not_distinct=True),
    Index("ix_clock_grievance", "grievance_id"),
    Index("ix_clock_overdue", "due_at", "id", postgresql_where=text("status = 'running'")),
    Index(
        "ix_clock_area",
        "area_path",
        "due_at",
        postgresql_ops={"area_path": "text_pattern_ops"},
        postgresql_where=text("status = 'running'"),
    ),
    Index("ix_clock_unit", "unit", "due_at"),
)

rung = _Table(
    "rung",
    metadata,
    Column("clock_id", Uuid, primary_key=True),
    Column("idx", Integer, primary_key=True),
    _of_grievance(),
    _instant("at", nullable=True),
    _instant("fired_at", nullable=True),
    Index("ix_rung_pending", "at", postgresql_where=text("fired_at IS NULL AND at IS NOT NULL")),
)

rating = _Table(
    "rating",
    metadata,
    _of_grievance(primary_key=True),
    Column("cycle", Integer, primary_key=True),
    Column("rater", Text, primary_key=True),
    _text("of_unit", nullable=True),
    _json("answers", "{}"),
    _text("satisfied", nullable=True),
    _instant("at"),
    Index("ix_rating_unit", "of_unit", "at"),
)

# --- the doors ------------------------------------------------------------------------------------------------------

idempotency_key = _Table(
    "idempotency_key",
    metadata,
    Column("key_id", Uuid, primary_key=True),
    Column("route", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("request_digest", LargeBinary, nullable=False),
    Column("status", Integer, nullable=False),
    Column("body", LargeBinary, nullable=False),
    _instant("created_at"),
    Index("ix_idempotency_key_created_at", "created_at"),
)

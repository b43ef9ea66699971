"""Every other table. Names are the terms of domain/terms.py; every constraint is named; instants are UTC."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Date,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)

from wuye_loop.store.schema.columns import count, document_of, flag, instant, metadata, of_grievance, word_list, words

# --- the directory -------------------------------------------------------------------------------------------------

area = Table(
    "area",
    metadata,
    Column("code", Text, primary_key=True),
    words("name"),
    words("level"),  # community street district city
    words("parent_code", nullable=True),
    words("path"),  # codes from the top, each closed by a slash: "370705/370705001/"
    Column("lon", Double, nullable=True),  # degrees; both or neither
    Column("lat", Double, nullable=True),
    Index("ix_area_path", "path", postgresql_ops={"path": "text_pattern_ops"}),
)

unit = Table(
    "unit",
    metadata,
    Column("code", Text, primary_key=True),
    words("name"),
    words("kind"),  # department, office, centre, community, company
    words("area_code", nullable=True),
    words("parent_code", nullable=True),  # one level up
    word_list("duties"),
    flag("active", default=True),
    word_list("phones"),  # of the service: public, never struck out of a text
)

estate = Table(
    "estate",
    metadata,
    Column("code", Text, primary_key=True),
    words("name"),
    Column("area_code", Text, ForeignKey("area.code"), nullable=False),
    words("company_code", nullable=True),
    words("kind", nullable=True),
    Column("households", Integer, nullable=True),
    Index("ix_estate_name", "name"),
)

person = Table(
    "person",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("unit_code", Text, ForeignKey("unit.code"), nullable=False),
    words("name"),
    words("duty", nullable=True),
    UniqueConstraint("unit_code", "name"),
)

api_key = Table(
    "api_key",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("digest", LargeBinary, nullable=False),
    words("prefix"),
    words("role"),
    words("unit_code", nullable=True),
    words("area_code", nullable=True),
    words("area_path", nullable=True),
    words("source", nullable=True),  # hotline keys: whose external ids these are
    word_list("scopes"),
    instant("created_at"),
    instant("expires_at", nullable=True),
    instant("revoked_at", nullable=True),
    words("holder", nullable=True),  # 姓名 工号; none: 未具名
    Column("family", Uuid, nullable=False),  # the first of the keys that were made from one another by rotation
    document_of("made_by", "{}"),  # {key}, {key, approval} or {terminal}
    document_of("ended_by", "{}"),
    UniqueConstraint("digest"),
    Index("ix_api_key_holder", "holder"),
    Index("ix_api_key_family", "family"),
)

# Apart from the key itself, which changes seldom and only through store/keys/register.
key_use = Table("key_use", metadata, Column("key_id", Uuid, ForeignKey("api_key.id"), primary_key=True), instant("at"))

approval = Table(
    "approval",
    metadata,
    Column("id", Uuid, primary_key=True),
    words("kind"),  # reveals: more of them today; key: a key that takes two
    Column("asked_by", Uuid, ForeignKey("api_key.id"), nullable=False),
    instant("asked_at"),
    document_of("wanted", "{}"),
    words("reason"),
    words("state"),  # open approved refused used
    Column("decided_by", Uuid, ForeignKey("api_key.id"), nullable=True),
    instant("decided_at", nullable=True),
    words("note", nullable=True),
    Column("key_id", Uuid, ForeignKey("api_key.id"), nullable=True),  # that was made of it
    Index("ix_approval_asked_at", "asked_at", "id"),
)

# --- what does not change often, and the number that says when it did ------------------------------------------------

epoch = Table(
    "epoch",
    metadata,
    Column("id", Integer, CheckConstraint("id = 1", name="one_row"), primary_key=True),
    count("directory"),
    count("calendar"),
    count("workflows"),
    flag("rehearsed"),  # its clock was moved by hand: not a record of what happened
    Column("register", LargeBinary, nullable=True),  # the head of the register below
)

register = Table(
    "register",
    metadata,
    Column("n", Integer, primary_key=True),
    instant("at"),
    words("kind"),
    words("key"),
    document_of("image", "{}"),
    Column("hash", LargeBinary, nullable=False),
    Index("ix_register_entry", "kind", "key", "n"),  # how something was last entered
)

anchor = Table(
    "anchor",
    metadata,
    Column("n", Integer, primary_key=True),
    instant("at"),
    Column("upto", BigInteger, nullable=False),  # transactions before this one are in it, or in one before
    Column("heads", Integer, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    Column("register", Integer, nullable=True),  # how many rows it had
)

workflow = Table(
    "workflow",
    metadata,
    Column("id", Text, primary_key=True),  # name@version
    words("text"),
    words("sha256"),
    instant("published_at"),
)

learned_model = Table(
    "learned_model",
    metadata,
    Column("id", Text, primary_key=True),  # name@version
    Column("file", LargeBinary, nullable=False),  # numbers only: no word of any text
    words("sha256"),
    instant("published_at"),
    instant("chosen_at", nullable=True),  # the one chosen last is in use
)

calendar_day = Table(
    "calendar_day", metadata, Column("day", Date, primary_key=True), flag("works"), words("source"), flag("provisional")
)

calendar_year = Table(
    "calendar_year",
    metadata,
    Column("year", Integer, primary_key=True),  # a year covered by a published notice
    words("source"),
    instant("loaded_at"),
)

# --- the grievance and what hangs on it -----------------------------------------------------------------------------

grievance = Table(
    "grievance",
    metadata,
    Column("id", Uuid, primary_key=True),
    words("number"),
    words("workflow"),
    words("source"),
    words("external_id"),
    Column("intake_digest", LargeBinary, nullable=False),
    words("channel"),
    words("kind"),
    words("category", nullable=True),
    flag("category_suggested"),
    words("urgency"),
    words("title"),
    words("body"),  # identity struck out; the words as spoken are sealed in complainant
    instant("occurred_at", nullable=True),
    instant("received_at"),
    words("estate_code", nullable=True),
    words("area_code", nullable=True),
    words("area_path"),
    words("address", nullable=True),  # to building level
    words("company_code", nullable=True),
    flag("anonymous"),
    flag("confidential"),
    document_of("extra", "{}"),
    document_of("flags", "[]"),  # unknown codes, red lines: shown, never refused
    words("state"),
    words("stage"),
    instant("state_since"),
    flag("final"),
    Column("cycle", Integer, nullable=False, server_default=text("1")),
    words("level"),
    words("lead_unit", nullable=True),
    words("holder_unit", nullable=True),
    words("holder_role", nullable=True),
    word_list("units"),
    document_of("counts", "{}"),
    document_of("data", "{}"),
    document_of("did", "{}"),
    Column("merged_into", Uuid, nullable=True),
    count("followers"),
    count("urged"),
    Column("seq", Integer, nullable=False),
    Column("head", LargeBinary, nullable=False),
    instant("due_at", nullable=True),  # of the running clock that is due first: sorts the inbox
    words("due_clock", nullable=True),
    instant("closed_at", nullable=True),
    Column("packed", LargeBinary, nullable=True),  # of counts, did and data what no statement looks into
    UniqueConstraint("number"),
    UniqueConstraint("source", "external_id"),
    CheckConstraint("cycle >= 1", name="cycle_from_one"),
    CheckConstraint("seq >= 1", name="seq_from_one"),
    Index("ix_grievance_area_path", "area_path", "id", postgresql_ops={"area_path": "text_pattern_ops"}),
    # What is not sorted in yet is read through by every search, and lies there several times: a little of it is enough.
    Index("ix_grievance_units", "units", postgresql_using="gin", postgresql_with={"gin_pending_list_limit": 256}),
    Index("ix_grievance_holder", "holder_unit", "due_at", "id", postgresql_where=text("NOT final")),
    Index("ix_grievance_lead", "lead_unit", "state"),
    Index("ix_grievance_estate", "estate_code", "category", "received_at"),
    Index("ix_grievance_received", "received_at", "id"),
    # Lists narrowed to what is rare or is not there: each is a small part of the rows, or small for holding few values.
    Index("ix_grievance_category", "category"),
    Index("ix_grievance_stage", "stage", "state"),
    Index("ix_grievance_held", "holder_unit", postgresql_where=text("final AND holder_unit IS NOT NULL")),
    Index(  # both units in it: of two columns that are equal to one another no partial index is ever proved to fit
        "ix_grievance_to_sign",
        "holder_unit",
        "lead_unit",
        "due_at",
        "id",
        postgresql_where=text("NOT final AND stage = 'assign'"),
    ),
    Index("ix_grievance_merged", "merged_into", postgresql_where=text("merged_into IS NOT NULL")),
    Index("ix_grievance_closed", "closed_at", postgresql_where=text("closed_at IS NOT NULL")),
)

task = Table(
    "task",
    metadata,
    Column("id", Uuid, primary_key=True),
    of_grievance(),
    words("kind"),
    Column("n", Integer, nullable=False),
    words("state"),
    flag("final"),
    words("holder_unit", nullable=True),
    words("opener_unit", nullable=True),
    words("opener_role", nullable=True),
    words("document", nullable=True),  # document kind it carries
    words("document_number", nullable=True),
    word_list("copies"),
    document_of("data", "{}"),
    document_of("counts", "{}"),
    instant("opened_at"),
    instant("state_since"),
    instant("closed_at", nullable=True),
    Column("cycle", Integer, nullable=False),
    words("area_path"),
    UniqueConstraint("grievance_id", "n"),
    Index("ix_task_holder", "holder_unit", "opened_at", "id", postgresql_where=text("NOT final")),
    Index("ix_task_kind", "kind", "area_path", "opened_at", "id", postgresql_ops={"area_path": "text_pattern_ops"}),
)

complainant = Table(
    "complainant",
    metadata,
    of_grievance(primary_key=True),
    words("key_id"),
    words("alg"),
    Column("wrapped_key", LargeBinary, nullable=False),
    Column("nonce", LargeBinary, nullable=False),
    Column("ciphertext", LargeBinary, nullable=False),
    Column("phone_hash", LargeBinary, nullable=True),
    words("estate_code", nullable=True),  # as the grievance has it: who complained there before is counted by one index
    instant("received_at", nullable=True),
    Index("ix_complainant_phone", "phone_hash", "estate_code", "received_at", "grievance_id"),
)

ledger = Table(
    "ledger",
    metadata,
    of_grievance(primary_key=True),
    Column("seq", Integer, primary_key=True),
    instant("at"),
    words("action"),
    Column("task_id", Uuid, nullable=True),
    document_of("actor", "{}"),
    words("from_state", nullable=True),
    words("to_state", nullable=True),
    document_of("facts", "{}"),
    document_of("changes", "{}"),
    words("audience"),
    Column("hash", LargeBinary, nullable=False),
    Column("written", BigInteger, nullable=True, server_default=text("pg_current_xact_id()::text::bigint")),
    Column("packed", LargeBinary, nullable=True),  # store/grievance/packing: what no statement looks into
    CheckConstraint("seq >= 1", name="seq_from_one"),
    Index("ix_ledger_at", "at", postgresql_using="brin"),
    Index("ix_ledger_written", "written", postgresql_using="brin"),
    Index("ix_ledger_reveal", "at", "grievance_id", "seq", postgresql_where=text("action = 'reveal'")),
    Index("ix_ledger_watermark", text("(facts ->> 'watermark')"), postgresql_where=text("action = 'reveal'")),
)

# What changed, in an order that can be followed: see store/reads/changes.
change = Table(
    "change",
    metadata,
    Column("tx", BigInteger, primary_key=True),  # the transaction, or a later one where the row before has that
    of_grievance(primary_key=True),
    Column("seq", Integer, primary_key=True),
    Index("ix_change_grievance", "grievance_id", "tx"),
)

clock = Table(
    "clock",
    metadata,
    Column("id", Uuid, primary_key=True),
    of_grievance(),
    Column("task_id", Uuid, nullable=True),
    words("name"),
    Column("cycle", Integer, nullable=False),
    Column("run", Integer, nullable=False),
    words("unit", nullable=True),
    words("status"),
    instant("started_at"),
    instant("due_at"),
    flag("provisional"),
    instant("ended_at", nullable=True),
    Column("rung", Integer, nullable=True),  # the highest rung fired at or after due
    words("area_path"),
    document_of("image", "{}"),  # domain.clocks.as_row, of before there was `packed`
    Column("packed", LargeBinary, nullable=True),  # of the image what the columns do not say: limit, adjustments, rungs
    UniqueConstraint("grievance_id", "task_id", "name", "cycle", "run", postgresql_nulls_not_distinct=True),
    Index("ix_clock_overdue", "due_at", "id", postgresql_where=text("status = 'running'")),
    Index(
        "ix_clock_area",
        "area_path",
        "due_at",
        postgresql_ops={"area_path": "text_pattern_ops"},
        postgresql_where=text("status = 'running'"),
    ),
    Index("ix_clock_unit", "unit", "due_at", "id", postgresql_where=text("status = 'running'")),
    Index("ix_clock_ended", "ended_at", postgresql_where=text("ended_at IS NOT NULL")),
)

rung = Table(
    "rung",
    metadata,
    Column("clock_id", Uuid, primary_key=True),
    Column("idx", Integer, primary_key=True),
    of_grievance(),
    instant("at", nullable=True),
    instant("fired_at", nullable=True),
    Index("ix_rung_pending", "at", postgresql_where=text("fired_at IS NULL AND at IS NOT NULL")),
)

rating = Table(
    "rating",
    metadata,
    of_grievance(primary_key=True),
    Column("cycle", Integer, primary_key=True),
    Column("rater", Text, primary_key=True),
    words("of_unit", nullable=True),
    document_of("answers", "{}"),
    words("satisfied", nullable=True),
    instant("at"),
    Index("ix_rating_unit", "of_unit", "at"),
    Index("ix_rating_at", "at"),
)

# --- the doors ------------------------------------------------------------------------------------------------------

idempotency_key = Table(
    "idempotency_key",
    metadata,
    Column("key_id", Uuid, primary_key=True),
    Column("route", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("request_digest", LargeBinary, nullable=False),
    Column("status", Integer, nullable=False),
    Column("body", LargeBinary, nullable=False),
    instant("created_at"),
    Column("grievance_id", Uuid, nullable=True),  # whose answer it is: forgotten with it
    Index("ix_idempotency_key_created_at", "created_at"),
    Index("ix_idempotency_key_grievance", "grievance_id"),
)

# Told every second where several processes serve, forgotten after a minute: not worth a log, or a place in a backup.
rate_use = Table(
    "rate_use",
    metadata,
    Column("process", Uuid, primary_key=True),
    Column("bucket", Text, primary_key=True),
    Column("used", Double, nullable=False),
    instant("at"),
    prefixes=["UNLOGGED"],
)

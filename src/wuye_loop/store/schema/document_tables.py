"""The tables of papers: numbered documents and their lines, rulings, orders that attached to an earlier one, files."""

from sqlalchemy import (
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
)

from wuye_loop.store.schema.columns import count, document_of, instant, metadata, of_grievance, word_list, words

document_series = Table(
    "document_series",
    metadata,
    Column("series", Text, primary_key=True),
    Column("year", Integer, primary_key=True),
    count("n"),
)

document = Table(
    "document",
    metadata,
    Column("number", Text, primary_key=True),
    words("kind"),
    words("series"),
    Column("year", Integer, nullable=False),
    Column("n", Integer, nullable=False),
    Column(
        "grievance_id", Uuid, ForeignKey("grievance.id"), nullable=True
    ),  # none: of an assessment, vouched for by the register
    Column("task_id", Uuid, ForeignKey("task.id"), nullable=True),
    words("addressee", nullable=True),
    word_list("copies"),
    words("text", nullable=True),
    words("area_path"),
    instant("issued_at"),
    words("scheme", nullable=True),  # these four only without a grievance: by which version of which scheme,
    words("period", nullable=True),  # for which period,
    words("title", nullable=True),  # under which heading,
    words("issuer", nullable=True),  # from which unit; none: from the system
    CheckConstraint("(grievance_id IS NULL) = (scheme IS NOT NULL)", name="of_something"),
    UniqueConstraint("series", "year", "n"),
    Index("ix_document_series", "series", "year", "n"),
    Index("ix_document_grievance", "grievance_id"),
    Index("ix_document_addressee", "addressee", "issued_at"),
)

document_line = Table(
    "document_line",
    metadata,
    Column("number", Text, ForeignKey("document.number"), primary_key=True),
    Column("n", Integer, primary_key=True),
    of_grievance(),
    Column("task_id", Uuid, ForeignKey("task.id"), nullable=False),
    Index("ix_document_line_grievance", "grievance_id"),
)

precedent = Table(
    "precedent",
    metadata,
    of_grievance(primary_key=True),
    Column("seq", Integer, primary_key=True),  # of the ledger row that the ruling stands in
    words("category", nullable=True),
    words("from_unit", nullable=True),
    words("to_unit", nullable=True),
    words("ruling"),
    words("reason", nullable=True),
    words("area_path"),
    instant("at"),
    Index("ix_precedent_category", "category", "at"),
)

attached_order = Table(
    "attached_order",
    metadata,
    Column("source", Text, primary_key=True),
    Column("external_id", Text, primary_key=True),
    Column("intake_digest", LargeBinary, nullable=False),
    of_grievance(),
    Column("body", LargeBinary, nullable=False),  # the answer that was given
    instant("at"),
)

legal_hold = Table(
    "legal_hold", metadata, Column("number", Text, primary_key=True), words("reason"), words("person"), instant("at")
)

destruction_list = Table(
    "destruction_list",
    metadata,
    Column("id", Uuid, primary_key=True),
    words("reason"),
    word_list("numbers"),
    words("proposed_by"),
    instant("proposed_at"),
    words("approved_by", nullable=True),
    instant("approved_at", nullable=True),
)

attachment = Table(
    "attachment",
    metadata,
    Column("id", Uuid, primary_key=True),
    of_grievance(),
    words("media_type"),
    words("name", nullable=True),  # a cleaned label, never a path
    Column("size", Integer, nullable=False),
    words("sha256"),
    Column("content", LargeBinary, nullable=False),
    document_of("actor", "{}"),
    words("audience"),
    instant("at"),
    Index("ix_attachment_grievance", "grievance_id", "at"),
)

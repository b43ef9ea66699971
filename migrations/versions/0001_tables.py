"""The tables of the closed loop, and the guard that keeps the ledger append-only."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy import Text
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

GUARD = """
CREATE FUNCTION ledger_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the ledger is append-only' USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER ledger_append_only BEFORE UPDATE OR DELETE ON ledger
    FOR EACH ROW EXECUTE FUNCTION ledger_is_append_only();
CREATE TRIGGER ledger_never_truncated BEFORE TRUNCATE ON ledger
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_is_append_only();
"""


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.create_table(
        "api_key",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("prefix", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("unit_code", sa.Text(), nullable=True),
        sa.Column("area_code", sa.Text(), nullable=True),
        sa.Column("area_path", sa.Text(), nullable=True),
        sa.Column("source", sa.Text(), nullable=True),
        sa.Column("scopes", postgresql.ARRAY(Text()), server_default=sa.text("'{}'::text[]"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_key")),
        sa.UniqueConstraint("digest", name=op.f("uq_api_key_digest")),
    )
    op.create_table(
        "area",
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("parent_code", sa.Text(), nullable=True),
        sa.Column("path", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_area")),
    )
    op.create_index("ix_area_path", "area", ["path"], unique=False, postgresql_ops={"path": "text_pattern_ops"})
    op.create_table(
        "calendar_day",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("works", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("provisional", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.PrimaryKeyConstraint("day", name=op.f("pk_calendar_day")),
    )
    op.create_table(
        "calendar_year",
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("loaded_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("year", name=op.f("pk_calendar_year")),
    )
    op.create_table(
        "document_series",
        sa.Column("series", sa.Text(), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("n", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.PrimaryKeyConstraint("series", "year", name=op.f("pk_document_series")),
    )
    op.create_table(
        "epoch",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("directory", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("calendar", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("workflows", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("rehearsed", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_epoch")),
    )
    op.create_table(
        "grievance",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("workflow", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("intake_digest", sa.LargeBinary(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("category", sa.Text(), nullable=True),
        sa.Column("category_suggested", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("urgency", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("estate_code", sa.Text(), nullable=True),
        sa.Column("area_code", sa.Text(), nullable=True),
        sa.Column("area_path", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=True),
        sa.Column("company_code", sa.Text(), nullable=True),
        sa.Column("anonymous", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("confidential", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("extra", postgresql.JSONB(astext_type=Text()), server_default=sa.text("'{}'::jsonb"), nullable=False),
        sa.Column("flags", postgresql.JSONB(astext_type=Text()), server_default=sa.text("'[]'::jsonb"), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("state_since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("final", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("cycle", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("lead_unit", sa.Text(), nullable=True),
        sa.Column("holder_unit", sa.Text(), nullable=True),
        sa.Column("holder_role", sa.Text(), nullable=True),
        sa.Column("units", postgresql.ARRAY(Text()), server_default=sa.text("'{}'::text[]"), nullable=False),
        sa.Column(
            "counts", postgresql.JSONB(astext_type=Text()), server_default=sa.text("'{}'::jsonb"), nullable=False
        ),
        sa.Column("data", postgresql.JSONB(astext_type=Text()), server_default=sa.text("'{}'::jsonb"), nullable=False),
        sa.Column("did", postgresql.JSONB(astext_type=Text()), server_default=sa.text("'{}'::jsonb"), nullable=False),
        sa.Column("merged_into", sa.Uuid(), nullable=True),
        sa.Column("followers", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("urged", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("head", sa.LargeBinary(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("due_clock", sa.Text(), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("cycle >= 1", name=op.f("ck_grievance_cycle_from_one")),
        sa.CheckConstraint("seq >= 1", name=op.f("ck_grievance_seq_from_one")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_grievance")),
        sa.UniqueConstraint("number", name=op.f("uq_grievance_number")),
        sa.UniqueConstraint("source", "external_id", name=op.f("uq_grievance_source_external_id")),
    )
    op.create_index(
        "ix_grievance_area_path",
        "grievance",
        ["area_path", "id"],
        unique=False,
        postgresql_ops={"area_path": "text_pattern_ops"},
    )
    op.create_index("ix_grievance_estate", "grievance", ["estate_code", "category", "received_at"], unique=False)
    op.create_index(
        "ix_grievance_holder",
        "grievance",
        ["holder_unit", "due_at", "id"],
        unique=False,
        postgresql_where=sa.text("NOT final"),
    )
    op.create_index("ix_grievance_lead", "grievance", ["lead_unit", "state"], unique=False)
    op.create_index("ix_grievance_received", "grievance", ["received_at", "id"], unique=False)
    op.create_index("ix_grievance_units", "grievance", ["units"], unique=False, postgresql_using="gin")
    op.create_table(
        "idempotency_key",
        sa.Column("key_id", sa.Uuid(), nullable=False),
        sa.Column("route", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("request_digest", sa.LargeBinary(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("key_id", "route", "key", name=op.f("pk_idempotency_key")),
    )
    op.create_index("ix_idempotency_key_created_at", "idempotency_key", ["created_at"], unique=False)
    op.create_table(
        "unit",
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("area_code", sa.Text(), nullable=True),
        sa.Column("parent_code", sa.Text(), nullable=True),
        sa.Column("duties", postgresql.ARRAY(Text()), server_default=sa.text("'{}'::text[]"), nullable=False),
        sa.Column("active", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_unit")),
    )
    op.create_table(
        "workflow",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_workflow")),
    )
    op.create_table(
        "clock",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("grievance_id", sa.Uuid(), nullable=False),
        sa.Column("task_id", sa.Uuid(), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("cycle", sa.Integer(), nullable=False),
        sa.Column("run", sa.Integer(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("provisional", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("rung", sa.Integer(), nullable=True),
        sa.Column("area_path", sa.Text(), nullable=False),
        sa.Column("image", postgresql.JSONB(astext_type=Text()), server_default=sa.text("'{}'::jsonb"), nullable=False),
        sa.ForeignKeyConstraint(["grievance_id"], ["grievance.id"], name=op.f("fk_clock_grievance_id_grievance")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_clock")),
        sa.UniqueConstraint(
            "grievance_id",
            "task_id",
            "name",
            "cycle",
            "run",
            name=op.f("uq_clock_grievance_id_task_id_name_cycle_run"),
            postgresql_nulls_not_distinct=True,
        ),
    )
    op.create_index(
        "ix_clock_area",
        "clock",
        ["area_path", "due_at"],
        unique=False,
        postgresql_ops={"area_path": "text_pattern_ops"},
        postgresql_where=sa.text("status = 'running'"),
    )
    op.create_index("ix_clock_grievance", "clock", ["grievance_id"], unique=False)
    op.create_index(
        "ix_clock_overdue", "clock", ["due_at", "id"], unique=False, postgresql_where=sa.text("status = 'running'")
    )
    op.create_index("ix_clock_unit", "clock", ["unit", "due_at"], unique=False)
    op.create_table(
        "complainant",
        sa.Column("grievance_id", sa.Uuid(), nullable=False),
        sa.Column("key_id", sa.Text(), nullable=False),
        sa.Column("alg", sa.Text(), nullable=False),
        sa.Column("wrapped_key", sa.LargeBinary(), nullable=False),
        sa.Column("nonce", sa.LargeBinary(), nullable=False),
        sa.Column("ciphertext", sa.LargeBinary(), nullable=False),
        sa.Column("phone_hash", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(["grievance_id"], ["grievance.id"], name=op.f("fk_complainant_grievance_id_grievance")),
        sa.PrimaryKeyConstraint("grievance_id", name=op.f("pk_complainant")),
    )
    op.create_index("ix_complainant_phone_hash", "complainant", ["phone_hash"], unique=False)
    op.create_table(
        "estate",
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("area_code", sa.Text(), nullable=False),
        sa.Column("company_code", sa.Text(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["area_code"], ["area.code"], name=op.f("fk_estate_area_code_area")),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_estate")),
    )
    op.create_index("ix_estate_name", "estate", ["name"], unique=False)
    op.create_table(
        "ledger",
        sa.Column("grievance_id", sa.Uuid(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("task_id", sa.Uuid(), nullable=True),
        sa.Column("actor", postgresql.JSONB(astext_type=Text()), server_default=sa.text("'{}'::jsonb"), nullable=False),
        sa.Column("from_state", sa.Text(), nullable=True),
        sa.Column("to_state", sa.Text(), nullable=True),
        sa.Column("facts", postgresql.JSONB(astext_type=Text()), server_default=sa.text("'{}'::jsonb"), nullable=False),
        sa.Column(
            "changes", postgresql.JSONB(astext_type=Text()), server_default=sa.text("'{}'::jsonb"), nullable=False
        ),
        sa.Column("audience", sa.Text(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("seq >= 1", name=op.f("ck_ledger_seq_from_one")),
        sa.ForeignKeyConstraint(["grievance_id"], ["grievance.id"], name=op.f("fk_ledger_grievance_id_grievance")),
        sa.PrimaryKeyConstraint("grievance_id", "seq", name=op.f("pk_ledger")),
    )
    op.create_table(
        "person",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("unit_code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("duty", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["unit_code"], ["unit.code"], name=op.f("fk_person_unit_code_unit")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_person")),
        sa.UniqueConstraint("unit_code", "name", name=op.f("uq_person_unit_code_name")),
    )
    op.create_table(
        "rating",
        sa.Column("grievance_id", sa.Uuid(), nullable=False),
        sa.Column("cycle", sa.Integer(), nullable=False),
        sa.Column("rater", sa.Text(), nullable=False),
        sa.Column("of_unit", sa.Text(), nullable=True),
        sa.Column(
            "answers", postgresql.JSONB(astext_type=Text()), server_default=sa.text("'{}'::jsonb"), nullable=False
        ),
        sa.Column("satisfied", sa.Text(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["grievance_id"], ["grievance.id"], name=op.f("fk_rating_grievance_id_grievance")),
        sa.PrimaryKeyConstraint("grievance_id", "cycle", "rater", name=op.f("pk_rating")),
    )
    op.create_index("ix_rating_unit", "rating", ["of_unit", "at"], unique=False)
    op.create_table(
        "rung",
        sa.Column("clock_id", sa.Uuid(), nullable=False),
        sa.Column("idx", sa.Integer(), nullable=False),
        sa.Column("grievance_id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("fired_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["grievance_id"], ["grievance.id"], name=op.f("fk_rung_grievance_id_grievance")),
        sa.PrimaryKeyConstraint("clock_id", "idx", name=op.f("pk_rung")),
    )
    op.create_index(
        "ix_rung_pending", "rung", ["at"], unique=False, postgresql_where=sa.text("fired_at IS NULL AND at IS NOT NULL")
    )
    op.create_table(
        "task",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("grievance_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("final", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("holder_unit", sa.Text(), nullable=True),
        sa.Column("opener_unit", sa.Text(), nullable=True),
        sa.Column("opener_role", sa.Text(), nullable=True),
        sa.Column("document", sa.Text(), nullable=True),
        sa.Column("document_number", sa.Text(), nullable=True),
        sa.Column("copies", postgresql.ARRAY(Text()), server_default=sa.text("'{}'::text[]"), nullable=False),
        sa.Column("data", postgresql.JSONB(astext_type=Text()), server_default=sa.text("'{}'::jsonb"), nullable=False),
        sa.Column(
            "counts", postgresql.JSONB(astext_type=Text()), server_default=sa.text("'{}'::jsonb"), nullable=False
        ),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state_since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cycle", sa.Integer(), nullable=False),
        sa.Column("area_path", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["grievance_id"], ["grievance.id"], name=op.f("fk_task_grievance_id_grievance")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_task")),
        sa.UniqueConstraint("grievance_id", "n", name=op.f("uq_task_grievance_id_n")),
    )
    op.create_index(
        "ix_task_holder",
        "task",
        ["holder_unit", "opened_at", "id"],
        unique=False,
        postgresql_where=sa.text("NOT final"),
    )
    op.create_index(
        "ix_task_kind",
        "task",
        ["kind", "area_path", "opened_at", "id"],
        unique=False,
        postgresql_ops={"area_path": "text_pattern_ops"},
    )
    op.create_table(
        "document",
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("series", sa.Text(), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("grievance_id", sa.Uuid(), nullable=False),
        sa.Column("task_id", sa.Uuid(), nullable=True),
        sa.Column("addressee", sa.Text(), nullable=True),
        sa.Column("copies", postgresql.ARRAY(Text()), server_default=sa.text("'{}'::text[]"), nullable=False),
        sa.Column("text", sa.Text(), nullable=True),
        sa.Column("area_path", sa.Text(), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["grievance_id"], ["grievance.id"], name=op.f("fk_document_grievance_id_grievance")),
        sa.ForeignKeyConstraint(["task_id"], ["task.id"], name=op.f("fk_document_task_id_task")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_document")),
        sa.UniqueConstraint("series", "year", "n", name=op.f("uq_document_series_year_n")),
    )
    op.create_index("ix_document_addressee", "document", ["addressee", "issued_at"], unique=False)
    op.create_index("ix_document_grievance", "document", ["grievance_id"], unique=False)
    op.create_index("ix_document_series", "document", ["series", "year", "n"], unique=False)

    op.execute(GUARD)
    op.execute("INSERT INTO epoch (id, directory, calendar, workflows) VALUES (1, 1, 1, 1)")


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("DROP TABLE ledger")
    op.execute("DROP FUNCTION ledger_is_append_only")
    op.drop_table("document")
    op.drop_table("task")
    op.drop_table("rung")
    op.drop_table("rating")
    op.drop_table("person")
    op.drop_table("estate")
    op.drop_table("complainant")
    op.drop_table("clock")
    op.drop_table("workflow")
    op.drop_table("unit")
    op.drop_table("idempotency_key")
    op.drop_table("grievance")
    op.drop_table("epoch")
    op.drop_table("document_series")
    op.drop_table("calendar_year")
    op.drop_table("calendar_day")
    op.drop_table("area")
    op.drop_table("api_key")

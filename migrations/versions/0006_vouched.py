"""A register of what is published, keyed and loaded; when each ledger row was written; whose a kept answer is; anchors."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.create_table(
        "register",
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column(
            "image", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'::jsonb"), nullable=False
        ),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("n", name=op.f("pk_register")),
    )
    op.create_table(
        "anchor",
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("upto", sa.BigInteger(), nullable=False),
        sa.Column("heads", sa.Integer(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("n", name=op.f("pk_anchor")),
    )
    op.create_table(
        "legal_hold",
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_legal_hold")),
    )
    op.create_table(
        "destruction_list",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("numbers", postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'::text[]"), nullable=False),
        sa.Column("proposed_by", sa.Text(), nullable=False),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("approved_by", sa.Text(), nullable=True),
        sa.Column("approved_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_destruction_list")),
    )
    op.add_column("epoch", sa.Column("register", sa.LargeBinary(), nullable=True))
    # Two steps: a default that is not constant would rewrite every old row.
    op.add_column("ledger", sa.Column("written", sa.BigInteger(), nullable=True))
    op.execute("ALTER TABLE ledger ALTER COLUMN written SET DEFAULT pg_current_xact_id()::text::bigint")
    op.create_index("ix_ledger_written", "ledger", ["written"], unique=False, postgresql_using="brin")
    op.add_column("idempotency_key", sa.Column("grievance_id", sa.Uuid(), nullable=True))
    op.create_index("ix_idempotency_key_grievance", "idempotency_key", ["grievance_id"], unique=False)
    for table in ("register", "anchor"):
        op.execute(
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION ledger_is_append_only()"
        )


def downgrade() -> None:
    op.drop_index("ix_idempotency_key_grievance", "idempotency_key")
    op.drop_column("idempotency_key", "grievance_id")
    op.drop_index("ix_ledger_written", "ledger")
    op.drop_column("ledger", "written")
    op.drop_column("epoch", "register")
    op.drop_table("destruction_list")
    op.drop_table("legal_hold")
    op.drop_table("anchor")
    op.drop_table("register")

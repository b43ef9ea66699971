"""Keys name their holders, who made them and when they were last used; approvals by a second person; reveals by time."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

REVEAL = sa.text("action = 'reveal'")
EMPTY = sa.text("'{}'::jsonb")


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.add_column("api_key", sa.Column("holder", sa.Text(), nullable=True))
    op.add_column("api_key", sa.Column("family", sa.Uuid(), nullable=True))
    op.execute("UPDATE api_key SET family = id")
    op.alter_column("api_key", "family", nullable=False)
    for name in ("made_by", "ended_by"):
        op.add_column(
            "api_key", sa.Column(name, postgresql.JSONB(astext_type=sa.Text()), server_default=EMPTY, nullable=False)
        )
    op.create_index("ix_api_key_holder", "api_key", ["holder"], unique=False)
    op.create_index("ix_api_key_family", "api_key", ["family"], unique=False)
    op.create_table(
        "key_use",
        sa.Column("key_id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["key_id"], ["api_key.id"], name=op.f("fk_key_use_key_id_api_key")),
        sa.PrimaryKeyConstraint("key_id", name=op.f("pk_key_use")),
    )
    op.create_table(
        "approval",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("asked_by", sa.Uuid(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("wanted", postgresql.JSONB(astext_type=sa.Text()), server_default=EMPTY, nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("key_id", sa.Uuid(), nullable=True),
        *(
            sa.ForeignKeyConstraint([name], ["api_key.id"], name=op.f(f"fk_approval_{name}_api_key"))
            for name in ("asked_by", "decided_by", "key_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_approval")),
    )
    op.create_index("ix_approval_asked_at", "approval", ["asked_at", "id"], unique=False)
    op.create_index("ix_ledger_reveal", "ledger", ["at", "grievance_id", "seq"], unique=False, postgresql_where=REVEAL)
    op.create_index(
        "ix_ledger_watermark", "ledger", [sa.text("(facts ->> 'watermark')")], unique=False, postgresql_where=REVEAL
    )


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    for name in ("ix_ledger_watermark", "ix_ledger_reveal"):
        op.drop_index(name, "ledger")
    op.drop_table("approval")
    op.drop_table("key_use")
    for name in ("ix_api_key_family", "ix_api_key_holder"):
        op.drop_index(name, "api_key")
    for name in ("ended_by", "made_by", "family", "holder"):
        op.drop_column("api_key", name)

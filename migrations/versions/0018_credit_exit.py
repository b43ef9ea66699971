"""Who is to leave is looked for once for each change of credit; appeals that nobody decides in time come due."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.create_table(
        "credit_watch",
        sa.Column("scheme", sa.Text(), nullable=False),
        sa.Column("looked_on", sa.Date(), nullable=False),
        sa.Column("last", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("scheme", name=op.f("pk_credit_watch")),
    )
    op.create_index("ix_credit_scheme", "credit", ["scheme", "at"], unique=False)
    op.add_column("appeal", sa.Column("due_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("appeal", sa.Column("raised_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("appeal", sa.Column("retry_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index(
        "ix_appeal_due",
        "appeal",
        ["due_at"],
        unique=False,
        postgresql_where=sa.text("decided_at IS NULL AND due_at IS NOT NULL"),
    )


def downgrade() -> None:
    op.drop_index("ix_appeal_due", table_name="appeal")
    op.drop_column("appeal", "retry_at")
    op.drop_column("appeal", "raised_at")
    op.drop_column("appeal", "due_at")
    op.drop_index("ix_credit_scheme", table_name="credit")
    op.drop_table("credit_watch")

"""Rungs that bring credit are looked for among new rows of the ledger; an anchor knows how far the register was."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.create_table(
        "rung_watch",
        sa.Column("scheme", sa.Text(), nullable=False),
        sa.Column("upto", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("scheme", name=op.f("pk_rung_watch")),
    )
    op.add_column("anchor", sa.Column("register", sa.Integer(), nullable=True))


def downgrade() -> None:
    op.drop_column("anchor", "register")
    op.drop_table("rung_watch")

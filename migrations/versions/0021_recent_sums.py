"""Sums of what is late, of the last days, and of what comes again: a board reads none of it row by row.

The sums that are there know nothing of this: all of them are counted anew at the next folding.
"""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.add_column("tally", sa.Column("overdue_open", sa.Integer(), server_default=sa.text("0"), nullable=False))
    op.add_column("tallied", sa.Column("reached", sa.Integer(), nullable=True))
    op.add_column("tallied", sa.Column("channel", sa.Text(), nullable=True))
    op.add_column("tallied", sa.Column("received_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("tallied", sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("tally_mark", sa.Column("late_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("tally_mark", sa.Column("since", sa.DateTime(timezone=True), nullable=True))
    op.add_column("tally_mark", sa.Column("zone", sa.Text(), nullable=True))
    op.create_table(
        "tally_day",
        sa.Column("area_path", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("received", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("closed", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.PrimaryKeyConstraint("area_path", "day", "channel", name=op.f("pk_tally_day")),
    )
    op.create_table(
        "tally_again",
        sa.Column("area_path", sa.Text(), nullable=False),
        sa.Column("estate", sa.Text(), nullable=False),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("open", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.PrimaryKeyConstraint("area_path", "estate", "category", name=op.f("pk_tally_again")),
    )
    op.execute("UPDATE tally_mark SET upto = NULL, good = NULL")


def downgrade() -> None:
    op.drop_table("tally_again")
    op.drop_table("tally_day")
    for name in ("zone", "since", "late_at"):
        op.drop_column("tally_mark", name)
    for name in ("closed_at", "received_at", "channel", "reached"):
        op.drop_column("tallied", name)
    op.drop_column("tally", "overdue_open")
    op.execute("UPDATE tally_mark SET upto = NULL, good = NULL")

"""Sums of what is late, of the last days, of what comes again, and of what units did: nobody reads them row by row.

The sums and words that are there know nothing of this: all are gathered anew at the next folding.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

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
    op.add_column("tallied", sa.Column("shares", postgresql.JSONB(), nullable=True))
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
    op.create_table(
        "tally_share",
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.PrimaryKeyConstraint("unit", "kind", name=op.f("pk_tally_share")),
    )
    _gathered_anew()
    op.execute(_GRAMS)
    op.drop_index("ix_searched_grams", "searched")
    op.add_column(
        "searched",
        sa.Column("labels", postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'::text[]"), nullable=False),
    )
    op.create_index("ix_searched_grams", "searched", [sa.text("grams(said, labels)")], postgresql_using="gin")
    # Of the clocks of a unit only those that run are ever looked for.
    op.drop_index("ix_clock_unit", "clock")
    op.create_index("ix_clock_unit", "clock", ["unit", "due_at", "id"], postgresql_where=sa.text("status = 'running'"))


_GRAMS = """
CREATE FUNCTION grams(said text, labels text[]) RETURNS tsvector LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
  SELECT array_to_tsvector(ARRAY(SELECT DISTINCT substr(said, n, 2) FROM generate_series(1, length(said)) n) || labels) $$
"""


def _gathered_anew() -> None:
    op.execute("TRUNCATE tally, tallied, searched")
    op.execute("UPDATE tally_mark SET upto = NULL, good = NULL, recent = NULL, newest = NULL")


def downgrade() -> None:
    _gathered_anew()
    op.drop_index("ix_clock_unit", "clock")
    op.create_index("ix_clock_unit", "clock", ["unit", "due_at"])
    op.drop_index("ix_searched_grams", "searched")
    op.drop_column("searched", "labels")
    op.create_index("ix_searched_grams", "searched", [sa.text("grams(said)")], postgresql_using="gin")
    op.execute("DROP FUNCTION grams(text, text[])")
    op.drop_table("tally_share")
    op.drop_table("tally_again")
    op.drop_table("tally_day")
    for name in ("zone", "since", "late_at"):
        op.drop_column("tally_mark", name)
    for name in ("shares", "closed_at", "received_at", "channel", "reached"):
        op.drop_column("tallied", name)
    op.drop_column("tally", "overdue_open")

"""What readers are spared reading: sums for boards, words to search by, and indexes for what is rare or is not there."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_COUNTED = (
    "open", "closed", "overdue_closed", "rated", "satisfied", "unrated", "untimed", "late", "asked_response", "responded",
    "unresponse", "asked_solved", "solved", "unsolved", "overdue_closed_unit", "late_unit",
)  # fmt: skip


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.create_table(
        "tallied",
        sa.Column("grievance_id", sa.Uuid(), nullable=False),
        sa.Column("area_path", sa.Text(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=True),
        sa.Column("estate", sa.Text(), nullable=True),
        sa.Column("category", sa.Text(), nullable=True),
        sa.Column("rung", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("counts", sa.Integer(), nullable=False),
        sa.Column("weighed", sa.Numeric(), nullable=True),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("grievance_id", name=op.f("pk_tallied")),
    )
    op.create_index(
        "ix_tallied_due",
        "tallied",
        ["due_at"],
        postgresql_where=sa.text("due_at IS NOT NULL"),
        postgresql_include=["area_path", "unit", "estate", "category", "rung", "state", "grievance_id"],
    )
    op.create_table(
        "tally",
        sa.Column("dimension", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("area_path", sa.Text(), nullable=False),
        *(sa.Column(name, sa.Integer(), server_default=sa.text("0"), nullable=False) for name in _COUNTED),
        sa.Column("weighed", sa.Numeric(), server_default=sa.text("0"), nullable=False),
        sa.PrimaryKeyConstraint("dimension", "key", "area_path", name=op.f("pk_tally")),
    )
    op.create_table(
        "tally_mark",
        sa.Column("id", sa.Integer(), sa.CheckConstraint("id = 1", name=op.f("ck_tally_mark_one_row")), nullable=False),
        sa.Column("upto", sa.BigInteger(), nullable=True),
        sa.Column("good", postgresql.JSONB(), nullable=True),
        sa.Column("recent", sa.DateTime(timezone=True), nullable=True),
        sa.Column("newest", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tally_mark")),
    )
    op.execute("INSERT INTO tally_mark (id) VALUES (1)")
    _words()
    for name, columns, where in _INDEXES:
        op.create_index(name, "grievance", columns, postgresql_where=sa.text(where) if where else None)


_INDEXES = (
    ("ix_grievance_category", ["category"], None),
    ("ix_grievance_stage", ["stage", "state"], None),
    ("ix_grievance_held", ["holder_unit"], "final AND holder_unit IS NOT NULL"),
    ("ix_grievance_to_sign", ["holder_unit", "lead_unit", "due_at", "id"], "NOT final AND stage = 'assign'"),
    ("ix_grievance_merged", ["merged_into"], "merged_into IS NOT NULL"),
    ("ix_grievance_closed", ["closed_at"], "closed_at IS NOT NULL"),
)
_GRAMS = """
CREATE FUNCTION grams(said text) RETURNS tsvector LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
  SELECT array_to_tsvector(ARRAY(SELECT DISTINCT substr(said, n, 2) FROM generate_series(1, length(said)) n)) $$
"""


def _words() -> None:
    op.execute(_GRAMS)
    op.create_table(
        "searched",
        sa.Column("grievance_id", sa.Uuid(), nullable=False),
        sa.Column("area_path", sa.Text(), nullable=False),
        sa.Column("said", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("grievance_id", name=op.f("pk_searched")),
    )
    op.create_index(
        "ix_searched_area_path", "searched", ["area_path"], postgresql_ops={"area_path": "text_pattern_ops"}
    )
    op.create_index("ix_searched_grams", "searched", [sa.text("grams(said)")], postgresql_using="gin")


def downgrade() -> None:
    for name, _, _ in _INDEXES:
        op.drop_index(name, "grievance")
    op.drop_table("searched")
    op.execute("DROP FUNCTION grams(text)")
    for table in ("tally_mark", "tally", "tallied"):
        op.drop_table(table)

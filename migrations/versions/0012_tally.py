"""Sums kept for boards: how each grievance was last counted, the sums themselves, and how far they reach."""

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
        sa.Column("counts", sa.Integer(), nullable=False),
        sa.Column("weighed", sa.Numeric(), nullable=True),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["grievance_id"], ["grievance.id"], name=op.f("fk_tallied_grievance_id_grievance")),
        sa.PrimaryKeyConstraint("grievance_id", name=op.f("pk_tallied")),
    )
    op.create_index(
        "ix_tallied_due",
        "tallied",
        ["due_at"],
        postgresql_where=sa.text("due_at IS NOT NULL"),
        postgresql_include=["area_path", "unit", "estate", "category", "rung", "grievance_id"],
    )
    op.create_table(
        "tally",
        sa.Column("dimension", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=True),
        sa.Column("area_path", sa.Text(), nullable=False),
        *(sa.Column(name, sa.Integer(), server_default=sa.text("0"), nullable=False) for name in _COUNTED),
        sa.Column("weighed", sa.Numeric(), server_default=sa.text("0"), nullable=False),
        sa.UniqueConstraint(
            "dimension", "key", "area_path",
            name=op.f("uq_tally_dimension_key_area_path"), postgresql_nulls_not_distinct=True,
        ),
    )  # fmt: skip
    op.create_table(
        "tally_mark",
        sa.Column("id", sa.Integer(), sa.CheckConstraint("id = 1", name=op.f("ck_tally_mark_one_row")), nullable=False),
        sa.Column("upto", sa.BigInteger(), nullable=True),
        sa.Column("good", postgresql.JSONB(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tally_mark")),
    )
    op.execute("INSERT INTO tally_mark (id) VALUES (1)")


def downgrade() -> None:
    for table in ("tally_mark", "tally", "tallied"):
        op.drop_table(table)

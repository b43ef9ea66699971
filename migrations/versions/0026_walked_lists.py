"""What is kept of each grievance says who has a part in it, and is found from the newest on, and by area among the open."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.add_column("tallied", sa.Column("units", postgresql.ARRAY(sa.Text()), nullable=True))
    op.execute(
        "UPDATE tallied t SET units = g.units FROM grievance g"
        " WHERE g.id = t.grievance_id AND octet_length(g.units::text) <= 1000"
    )
    op.create_index(
        "ix_tallied_received",
        "tallied",
        ["received_at", "grievance_id"],
        postgresql_include=["area_path", "units", "estate", "category", "state", "counts", "due_at"],
    )
    op.create_index(
        "ix_tallied_open",
        "tallied",
        ["area_path"],
        postgresql_ops={"area_path": "text_pattern_ops"},
        postgresql_where=sa.text("due_at IS NOT NULL"),
        postgresql_include=["received_at", "grievance_id", "units", "estate", "category", "state", "counts", "due_at"],
    )
    op.execute(_MARKS)
    op.create_index(
        "ix_tallied_marks", "tallied", [sa.text("marks(units, category, state, due_at)")], postgresql_using="gin"
    )


# Characters that no unit's code has tell apart what a mark stands for: category, stage, open and due, units not kept.
_MARKS = r"""
CREATE FUNCTION marks(units text[], category text, state text, due_at timestamptz) RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT COALESCE(units, ARRAY[E'\x05']) || ARRAY[
    E'\x02' || category, E'\x03' || split_part(state, E'\t', 1), CASE WHEN due_at IS NOT NULL THEN E'\x04' END] $$
"""


def downgrade() -> None:
    op.drop_index("ix_tallied_marks", "tallied")
    op.execute("DROP FUNCTION marks(text[], text, text, timestamptz)")
    op.drop_index("ix_tallied_open", "tallied")
    op.drop_index("ix_tallied_received", "tallied")
    op.drop_column("tallied", "units")

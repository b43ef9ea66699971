"""What is kept of each grievance says who has a part in it, and is found from the newest on, and by area among the open."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0024"
down_revision = "0023"
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


def downgrade() -> None:
    op.drop_index("ix_tallied_open", "tallied")
    op.drop_index("ix_tallied_received", "tallied")
    op.drop_column("tallied", "units")

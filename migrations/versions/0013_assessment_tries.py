"""A period that cannot be closed or published says why and waits: how often it was tried, when again, what was wrong."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_WHERE = sa.text("state = 'closed' AND retry_at IS NOT NULL")


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.add_column("assessment", sa.Column("tries", sa.Integer(), server_default=sa.text("0"), nullable=False))
    op.add_column("assessment", sa.Column("retry_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("assessment", sa.Column("trouble", sa.Text(), nullable=True))
    op.create_index("ix_assessment_retry", "assessment", ["retry_at"], unique=False, postgresql_where=_WHERE)


def downgrade() -> None:
    op.drop_index("ix_assessment_retry", table_name="assessment")
    for column in ("trouble", "retry_at", "tries"):
        op.drop_column("assessment", column)

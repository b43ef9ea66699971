"""Service phones of a unit: public, never struck out of a text."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    phones: sa.Column[list[str]] = sa.Column(
        "phones", postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'::text[]"), nullable=False
    )
    op.add_column("unit", phones)


def downgrade() -> None:
    op.drop_column("unit", "phones")

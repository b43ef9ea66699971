"""Who complained before of the same estate is counted by one index, however often they have called."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.add_column("complainant", sa.Column("estate_code", sa.Text(), nullable=True))
    op.add_column("complainant", sa.Column("received_at", sa.DateTime(timezone=True), nullable=True))
    op.execute(
        "UPDATE complainant c SET estate_code = g.estate_code, received_at = g.received_at"
        " FROM grievance g WHERE g.id = c.grievance_id"
    )
    op.create_index(
        "ix_complainant_phone",
        "complainant",
        ["phone_hash", "estate_code", "received_at", "grievance_id"],
        unique=False,
    )
    op.drop_index("ix_complainant_phone_hash", table_name="complainant")


def downgrade() -> None:
    op.create_index("ix_complainant_phone_hash", "complainant", ["phone_hash"], unique=False)
    op.drop_index("ix_complainant_phone", table_name="complainant")
    op.drop_column("complainant", "received_at")
    op.drop_column("complainant", "estate_code")

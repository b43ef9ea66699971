"""Images that no statement looks into are kept as bytes from here on; what is there stays as it is and is read on."""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

_TABLES = ("grievance", "ledger", "clock")
_NONE = "DO $$ BEGIN IF EXISTS (SELECT 1 FROM"


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    for table in _TABLES:
        op.add_column(table, sa.Column("packed", sa.LargeBinary(), nullable=True))
        # They are deflated already: the server need not try again.
        op.execute(f"ALTER TABLE {table} ALTER COLUMN packed SET STORAGE EXTERNAL")
    op.drop_index("ix_clock_grievance", "clock")  # the unique one begins with the same column
    op.execute("ALTER INDEX ix_grievance_units SET (gin_pending_list_limit = 256)")


def downgrade() -> None:
    """Drop the columns. Raises where rows are packed: a program of before could not read them."""
    for table in _TABLES:
        op.execute(f"{_NONE} {table} WHERE packed IS NOT NULL) THEN RAISE EXCEPTION 'rows are packed'; END IF; END $$")
        op.drop_column(table, "packed")
    op.create_index("ix_clock_grievance", "clock", ["grievance_id"])
    op.execute("ALTER INDEX ix_grievance_units RESET (gin_pending_list_limit)")

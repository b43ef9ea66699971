"""The job engine's functions look up by index what they write: its tables are empty most of the time, and then suddenly full.

A plan that a session made while a table was empty reads it whole, and stays until the server has looked at the table again:
of ten thousand jobs that a sweep puts in within seconds, each then read all those before it, twice.
"""

from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

_EACH = """
DO $$
DECLARE thing record;
BEGIN
    FOR thing IN SELECT oid::regprocedure AS name FROM pg_proc
        WHERE pronamespace = current_schema()::regnamespace AND proname LIKE 'procrastinate\\_%' LOOP
        EXECUTE 'ALTER FUNCTION ' || thing.name || ' {}';
    END LOOP;
END $$
"""


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute(_EACH.format("SET enable_seqscan = off"))


def downgrade() -> None:
    op.execute(_EACH.format("RESET enable_seqscan"))

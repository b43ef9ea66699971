"""The job engine's own tables, as its release 3.10 ships them.

A later release that changes them gets a migration of its own, which runs that release's upgrade scripts.
"""

from alembic import op
from procrastinate.schema import SchemaManager

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

DROP = """
DO $$
DECLARE thing record;
BEGIN
    FOR thing IN SELECT oid::regclass AS name FROM pg_class
        WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace AND relname LIKE 'procrastinate\\_%' LOOP
        EXECUTE 'DROP TABLE ' || thing.name || ' CASCADE';
    END LOOP;
    FOR thing IN SELECT oid::regprocedure AS name FROM pg_proc
        WHERE pronamespace = current_schema()::regnamespace AND proname LIKE 'procrastinate\\_%' LOOP
        EXECUTE 'DROP FUNCTION ' || thing.name || ' CASCADE';
    END LOOP;
    FOR thing IN SELECT oid::regtype AS name FROM pg_type
        WHERE typtype IN ('c', 'e') AND typnamespace = current_schema()::regnamespace
        AND typname LIKE 'procrastinate\\_%' LOOP
        EXECUTE 'DROP TYPE ' || thing.name || ' CASCADE';
    END LOOP;
END $$
"""


# The scripts are many statements, full of colons and percent signs that mean themselves.
VERBATIM = {"no_parameters": True}


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    connection = op.get_bind()
    # A site may have set the job engine up by hand.
    if connection.exec_driver_sql("SELECT to_regclass('procrastinate_jobs')").scalar() is None:
        connection.exec_driver_sql(SchemaManager.get_schema(), execution_options=VERBATIM)


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.get_bind().exec_driver_sql(DROP, execution_options=VERBATIM)

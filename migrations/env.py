"""What Alembic runs: on the connection `Database.migrate` hands it, or, from its own command line, on the configured one."""

from alembic import context
from sqlalchemy import Connection, NullPool, create_engine

from wuye_loop.settings import load
from wuye_loop.store.database import server_url
from wuye_loop.store.schema import metadata


def is_ours(name: str | None, kind: str, _parents: object) -> bool:
    """Leave the job engine's tables to the job engine."""
    return not (kind == "table" and name is not None and name.startswith("procrastinate_"))


def run(connection: Connection) -> None:
    """Run what was asked for, one transaction per revision."""
    context.configure(
        connection=connection,
        target_metadata=metadata,
        include_name=is_ours,
        transaction_per_migration=True,
        compare_server_default=True,
    )
    with context.begin_transaction():
        context.run_migrations()


if (given := context.config.attributes.get("connection")) is not None:
    run(given)
else:
    with server_url(load()) as url, create_engine(url, poolclass=NullPool).connect() as own:
        run(own)

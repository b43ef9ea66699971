"""Six sweepers at once while somebody ends every connection that is at work."""

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from tests.site import Town

from wuye_loop.domain.errors import WuyeError


def sweep_while_connections_die(town: Town, times: int) -> None:
    """Let six sweep, three times each, while connections are ended so many times."""
    start = threading.Barrier(7)

    def sweeper() -> None:
        start.wait()
        for _ in range(3):
            with suppress(SQLAlchemyError, WuyeError):
                town.sweep()

    def killer() -> None:
        start.wait()
        for _ in range(times):
            with suppress(SQLAlchemyError), town.database.begin() as session:
                session.execute(
                    text(
                        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
                        " AND pid <> pg_backend_pid() AND state <> 'idle'"
                    )
                )

    with ThreadPoolExecutor(7) as pool:
        for one in [*(pool.submit(sweeper) for _ in range(6)), pool.submit(killer)]:
            one.result()

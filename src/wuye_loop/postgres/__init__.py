"""A PostgreSQL server of our own, from a wheel, for whoever has none: `running(data)` starts or joins it."""

from wuye_loop.postgres.account import PostgresError
from wuye_loop.postgres.place import outside
from wuye_loop.postgres.server import Server, remove, running, stop, temporary

__all__ = ["PostgresError", "Server", "outside", "remove", "running", "stop", "temporary"]

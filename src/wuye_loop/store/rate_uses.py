"""How much each serving process let through, told to the others; kept for a minute, lost in a crash, missed by nobody."""

from collections.abc import Mapping
from uuid import UUID

from sqlalchemy.orm import Session

_ALIVE_SECONDS = 15
_KEPT_SECONDS = 60

_TELL = """
INSERT INTO rate_use (process, bucket, used, at)
SELECT %(process)s, said.bucket, said.used, clock_timestamp()
FROM unnest(%(buckets)s::text[], %(used)s::float8[]) AS said (bucket, used)
ON CONFLICT (process, bucket) DO UPDATE SET used = excluded.used, at = excluded.at
"""
_FORGET = "DELETE FROM rate_use WHERE at < clock_timestamp() - make_interval(secs => %(seconds)s)"
_HEAR = """
SELECT process, bucket, used FROM rate_use
WHERE process <> %(process)s AND at > clock_timestamp() - make_interval(secs => %(seconds)s)
"""


def share(session: Session, process: UUID, used: Mapping[str, float]) -> dict[tuple[UUID, str], float]:
    """Say what this process has let through by bucket, in all since it began, and return the same of the others alive."""
    connection = session.connection()
    said = {"process": process, "buckets": list(used), "used": list(used.values())}
    connection.exec_driver_sql(_TELL, said)
    connection.exec_driver_sql(_FORGET, {"seconds": _KEPT_SECONDS})
    rows = connection.exec_driver_sql(_HEAR, {"process": process, "seconds": _ALIVE_SECONDS})
    return {(row[0], row[1]): float(row[2]) for row in rows}

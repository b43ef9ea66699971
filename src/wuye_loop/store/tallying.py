"""Folds what changed into the sums that boards read, and into the words that are searched.

How each grievance was counted is kept: when it is counted anew, the old goes out of the sums.
"""

from dataclasses import dataclass
from typing import Any, Final

import orjson
from sqlalchemy.orm import Session

from wuye_loop.store.reads.summary import FACTS, KEPT, Good, answers, as_kept, bits, compatible
from wuye_loop.store.schema.tally_tables import COUNTED

_DUE: Final = f"""
SELECT NOT {KEPT} OR EXISTS (SELECT 1 FROM change c WHERE c.tx >= m.upto
                             AND c.tx < pg_snapshot_xmin(pg_current_snapshot())::text::bigint) FROM tally_mark m
"""
# Of one folder at a time. Below the horizon every transaction has ended; of one transaction all is folded, or nothing.
_TAKE: Final = f"""
SELECT m.upto, m.good, {KEPT} AS kept, pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS horizon,
       (SELECT c.tx FROM change c WHERE c.tx >= m.upto ORDER BY c.tx OFFSET %(most)s LIMIT 1) AS enough
FROM tally_mark m WHERE m.id = 1 FOR UPDATE SKIP LOCKED
"""
_ANEW: Final = "SELECT id FROM grievance"
_SOME: Final = "SELECT DISTINCT c.grievance_id AS id FROM change c WHERE c.tx >= %(from)s AND c.tx < %(until)s"
_COLUMNS: Final = ("area_path", "unit", "estate", "category", "rung", "state", "counts", "weighed", "due_at")
_NAMED: Final = ", ".join(_COLUMNS)
_SAME: Final = ", ".join(f"{name} = excluded.{name}" for name in _COLUMNS)
_ADDED: Final = ", ".join(f"{name} = tally.{name} + excluded.{name}" for name in (*COUNTED, "weighed"))
_GROUPS: Final = "('area', ''), " + ", ".join(f"('{name}', COALESCE('=' || {name}, ''))" for name in _COLUMNS[1:6])
_NET: Final = ", ".join(f"sum(sign * ((counts >> {bit}) & 1)) AS {name}" for bit, name in enumerate(COUNTED))
_ANY: Final = " OR ".join(f"{name} <> 0" for name in (*COUNTED, "weighed"))
_FOLD: Final = f"""
WITH taken AS MATERIALIZED ({{taken}}), come AS MATERIALIZED (
  {FACTS.format(conditions="g.id IN (SELECT id FROM taken)")}
), gone AS MATERIALIZED (
  SELECT t.* FROM tallied t WHERE NOT %(anew)s AND t.grievance_id IN (SELECT id FROM taken)
), noted AS (
  INSERT INTO tallied (grievance_id, {_NAMED}) SELECT id, {_NAMED} FROM come
  ON CONFLICT (grievance_id) DO UPDATE SET {_SAME}
), net AS (
  SELECT d.dimension, d.key, area_path, {_NET}, COALESCE(sum(sign * weighed), 0) AS weighed
  FROM (SELECT 1 AS sign, {_NAMED} FROM come UNION ALL SELECT -1, {_NAMED} FROM gone) x
  CROSS JOIN LATERAL (VALUES {_GROUPS}) AS d(dimension, key)
  GROUP BY 1, 2, 3
)
INSERT INTO tally (dimension, key, area_path, {", ".join(COUNTED)}, weighed) SELECT * FROM net WHERE {_ANY}
ON CONFLICT (dimension, key, area_path) DO UPDATE SET {_ADDED}
"""
_SAID: Final = """
INSERT INTO searched (grievance_id, area_path, said)
SELECT g.id, g.area_path, lower(concat_ws(E'\\n', g.title, g.number, g.external_id)) FROM grievance g
WHERE g.id IN ({taken})
ON CONFLICT (grievance_id) DO UPDATE SET area_path = excluded.area_path, said = excluded.said
WHERE (searched.area_path, searched.said) IS DISTINCT FROM (excluded.area_path, excluded.said)
"""
_FEW: Final = 5000  # what a list looks through first
_MARK: Final = """
UPDATE tally_mark SET upto = %(until)s, good = %(good)s::jsonb,
  recent = (SELECT received_at FROM grievance ORDER BY received_at DESC OFFSET %(few)s LIMIT 1),
  newest = (SELECT max(received_at) FROM grievance)
"""


@dataclass(frozen=True, slots=True)
class Taken:
    """What a folder has taken in hand: from which transaction on, before which, and by which answers the sums count."""

    upto: int | None
    until: int
    good: Any


def take(session: Session, most: int) -> Taken | None:
    """Take the sums in hand, for some `most` changes; None where there is nothing to fold, or another folds now."""
    connection = session.connection()
    if not connection.exec_driver_sql(_DUE).scalar_one():
        return None  # without a lock: who finds nothing to do writes nothing
    row = connection.exec_driver_sql(_TAKE, {"most": most}).first()
    if row is None:
        return None
    if not row.kept:
        return Taken(None, row.horizon, None)
    until = row.horizon if row.enough is None else min(row.horizon, row.enough + 1)
    return Taken(row.upto, until, row.good) if until > row.upto else None


def fold(session: Session, taken: Taken, good: Good) -> None:
    """Count the changed ones by these answers: all of them where the sums were counted by others, or not at all."""
    connection = session.connection()
    anew = taken.upto is None or not compatible(taken.good, good)
    if anew:
        connection.exec_driver_sql("DELETE FROM tally")
        connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
    some = _ANEW if anew else _SOME
    asked = answers(good) | {"from": taken.upto, "until": taken.until, "anew": anew, "few": _FEW}
    connection.exec_driver_sql(_FOLD.format(taken=some), asked)
    connection.exec_driver_sql(_SAID.format(taken=some), asked)
    connection.exec_driver_sql(_MARK, asked | {"good": orjson.dumps(as_kept(good)).decode()})


_STRAYED: Final = f"""
WITH counted AS (
  SELECT d.dimension, d.key, area_path, {bits()}, COALESCE(sum(weighed), 0) AS weighed FROM tallied
  CROSS JOIN LATERAL (VALUES {_GROUPS}) AS d(dimension, key)
  GROUP BY 1, 2, 3
), held AS (SELECT dimension, key, area_path, {", ".join(COUNTED)}, weighed FROM tally WHERE {_ANY})
SELECT count(*) FROM ((TABLE counted EXCEPT TABLE held) UNION ALL (TABLE held EXCEPT TABLE counted)) x
"""
_MISCOUNTED: Final = f"""
SELECT count(*) FROM ({FACTS.format(conditions="TRUE")}) f FULL JOIN tallied t ON t.grievance_id = f.id
WHERE f.id NOT IN (SELECT c.grievance_id FROM change c WHERE c.tx >= %(from)s)
  AND ({", ".join(f"f.{name}" for name in _COLUMNS)}) IS DISTINCT FROM ({", ".join(f"t.{name}" for name in _COLUMNS)})
"""


def strayed(session: Session, good: Good) -> int:
    """Recount everything; return how many sums or counted grievances are not what they are kept as. 0 where none are kept."""
    connection = session.connection()
    mark = connection.exec_driver_sql(f"SELECT upto, good, {KEPT} AS kept FROM tally_mark").one()
    if not mark.kept or not compatible(mark.good, good):
        return 0
    sums = int(connection.exec_driver_sql(_STRAYED).scalar_one())
    return sums + int(connection.exec_driver_sql(_MISCOUNTED, answers(good) | {"from": mark.upto}).scalar_one())

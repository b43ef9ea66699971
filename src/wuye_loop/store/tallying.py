"""Folds what changed into the sums that boards read, and into the words that are searched.

How each grievance was counted is kept: when it is counted anew, the old goes out of the sums.
"""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final
from zoneinfo import available_timezones

import orjson
from sqlalchemy.orm import Session

from wuye_loop.store.reads.labels import MONTH_LABEL, MONTH_SQL, UNIT_LABEL
from wuye_loop.store.reads.summary import FACTS, KEPT, Good, answers, as_kept, bits, compatible, mark_of
from wuye_loop.store.schema.tally_tables import COUNTED

_AGED: Final = "m.since < %(since)s OR m.zone <> %(zone)s OR m.late_at < %(now)s - interval '1 hour'"
_DUE: Final = f"""
SELECT NOT {KEPT} OR {_AGED} OR EXISTS (SELECT 1 FROM change c WHERE c.tx >= m.upto
                             AND c.tx < pg_snapshot_xmin(pg_current_snapshot())::text::bigint) FROM tally_mark m
"""
# Of one folder at a time. Below the horizon every transaction has ended; of one transaction all is folded, or nothing.
_TAKE: Final = f"""
SELECT m.upto, m.good, m.late_at, m.since, m.zone, {KEPT} AS kept, {_AGED} AS aged, pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS horizon,
       (SELECT c.tx FROM change c WHERE c.tx >= m.upto ORDER BY c.tx OFFSET %(most)s LIMIT 1) AS enough
FROM tally_mark m WHERE m.id = 1 FOR UPDATE SKIP LOCKED
"""
_ANEW: Final = "SELECT id FROM grievance"
_SOME: Final = "SELECT DISTINCT c.grievance_id AS id FROM change c WHERE c.tx >= %(from)s AND c.tx < %(until)s"
_DIMENSIONS: Final = ("unit", "estate", "category", "rung", "state", "reached")
_COLUMNS: Final = (
    "area_path", *_DIMENSIONS, "counts", "weighed", "due_at", "channel", "received_at", "closed_at", "shares", "units",
)  # fmt: skip
_NAMED: Final = ", ".join(_COLUMNS)
_SAME: Final = ", ".join(f"{name} = excluded.{name}" for name in _COLUMNS)
_SUMMED: Final = (*COUNTED, "weighed", "overdue_open")
_ADDED: Final = ", ".join(f"{name} = tally.{name} + excluded.{name}" for name in _SUMMED)
_GROUPS: Final = "('area', ''), " + ", ".join(f"('{name}', COALESCE('=' || {name}, ''))" for name in _DIMENSIONS)
_NET: Final = ", ".join(f"sum(sign * ((counts >> {bit}) & 1)) AS {name}" for bit, name in enumerate(COUNTED))
_ANY: Final = " OR ".join(f"{name} <> 0" for name in _SUMMED)
# An area's day counts for every area above it too.
_ABOVE: Final = """
(SELECT substr(area_path, 1, n) AS path FROM generate_series(0, length(area_path)) n WHERE n = 0 OR substr(area_path, n, 1) = '/')
"""
_OF_DAY: Final = "(VALUES (received_at, 1, 0), (closed_at, 0, 1)) AS v(at, received, closed)"
_AGAIN: Final = "estate IS NOT NULL AND category IS NOT NULL AND received_at >="
_FOLD: Final = f"""
WITH taken AS MATERIALIZED ({{taken}}), come AS MATERIALIZED (
  {FACTS.format(conditions="g.id IN (SELECT id FROM taken)")}
), gone AS MATERIALIZED (
  SELECT t.* FROM tallied t WHERE NOT %(anew)s AND t.grievance_id IN (SELECT id FROM taken)
), passed AS (
  SELECT t.* FROM tallied t WHERE NOT %(anew)s AND t.due_at >= %(was_late_at)s AND t.due_at < %(late_at)s
    AND t.grievance_id NOT IN (SELECT id FROM taken)
), fell AS (
  SELECT t.* FROM grievance g JOIN tallied t ON t.grievance_id = g.id
  WHERE NOT %(anew)s AND g.received_at >= %(was_since)s AND g.received_at < %(since)s AND g.id NOT IN (SELECT id FROM taken)
), days AS (
  INSERT INTO tally_day (area_path, day, channel, received, closed)
  SELECT a.path, (v.at AT TIME ZONE %(zone)s)::date, channel, sum(sign * v.received), sum(sign * v.closed)
  FROM (SELECT 1 AS sign, {_NAMED} FROM come UNION ALL SELECT -1, {_NAMED} FROM gone) x
  CROSS JOIN LATERAL {_OF_DAY} CROSS JOIN LATERAL {_ABOVE} a
  WHERE v.at >= %(since)s GROUP BY 1, 2, 3 HAVING sum(sign * v.received) <> 0 OR sum(sign * v.closed) <> 0
  ON CONFLICT (area_path, day, channel) DO UPDATE SET
    received = tally_day.received + excluded.received, closed = tally_day.closed + excluded.closed
), again AS (
  INSERT INTO tally_again (area_path, estate, category, number, open)
  SELECT area_path, estate, category, sum(sign), sum(sign * (counts & 1))
  FROM (SELECT 1 AS sign, {_NAMED} FROM come WHERE {_AGAIN} %(since)s
        UNION ALL SELECT -1, {_NAMED} FROM gone WHERE {_AGAIN} %(was_since)s
        UNION ALL SELECT -1, {_NAMED} FROM fell WHERE {_AGAIN} %(was_since)s) x
  GROUP BY 1, 2, 3 HAVING sum(sign) <> 0 OR sum(sign * (counts & 1)) <> 0
  ON CONFLICT (area_path, estate, category) DO UPDATE SET
    number = tally_again.number + excluded.number, open = tally_again.open + excluded.open
), shared AS (
  INSERT INTO tally_share (unit, kind, number)
  SELECT s.share->>0, s.share->>1, sum(sign * (s.share->>2)::int)
  FROM (SELECT 1 AS sign, shares FROM come UNION ALL SELECT -1, shares FROM gone) x
  CROSS JOIN LATERAL jsonb_array_elements(shares) AS s(share)
  GROUP BY 1, 2 HAVING sum(sign * (s.share->>2)::int) <> 0
  ON CONFLICT (unit, kind) DO UPDATE SET number = tally_share.number + excluded.number
), noted AS (
  INSERT INTO tallied (grievance_id, {_NAMED}) SELECT id, {_NAMED} FROM come
  ON CONFLICT (grievance_id) DO UPDATE SET {_SAME}
), net AS (
  SELECT d.dimension, d.key, area_path, {_NET}, COALESCE(sum(sign * weighed), 0) AS weighed,
         COALESCE(sum(sign * overdue), 0) AS overdue_open
  FROM (SELECT 1 AS sign, {_NAMED}, (due_at < %(late_at)s)::int AS overdue FROM come
        UNION ALL SELECT -1, {_NAMED}, (due_at < %(was_late_at)s)::int FROM gone
        UNION ALL SELECT 1, {_NAMED.replace("counts, weighed", "0, 0")}, 1 FROM passed) x
  CROSS JOIN LATERAL (VALUES {_GROUPS}) AS d(dimension, key)
  GROUP BY 1, 2, 3
)
INSERT INTO tally (dimension, key, area_path, {", ".join(_SUMMED)}) SELECT * FROM net WHERE {_ANY}
ON CONFLICT (dimension, key, area_path) DO UPDATE SET {_ADDED}
"""
_SAID: Final = """
INSERT INTO searched (grievance_id, area_path, said, labels)
SELECT g.id, g.area_path, lower(concat_ws(E'\\n', g.title, g.number, g.external_id)),
       ARRAY(SELECT DISTINCT {of_unit} || u FROM unnest(g.units) u ORDER BY 1) || ({of_month} || {month})
FROM grievance g WHERE g.id IN ({taken})
ON CONFLICT (grievance_id) DO UPDATE SET area_path = excluded.area_path, said = excluded.said, labels = excluded.labels
WHERE (searched.area_path, searched.said, searched.labels) IS DISTINCT FROM (excluded.area_path, excluded.said, excluded.labels)
""".format(of_unit=UNIT_LABEL, of_month=MONTH_LABEL, month=MONTH_SQL, taken="{taken}")
_FEW: Final = 5000  # what a list looks through first
_MARK: Final = """
UPDATE tally_mark SET upto = %(until)s, good = %(good)s::jsonb,
  recent = (SELECT received_at FROM grievance ORDER BY received_at DESC OFFSET %(few)s LIMIT 1),
  newest = (SELECT max(received_at) FROM grievance), late_at = %(late_at)s, since = %(since)s, zone = %(zone)s
"""
_OLD_DAYS: Final = "DELETE FROM tally_day WHERE day < (%(since)s::timestamptz AT TIME ZONE %(zone)s)::date"
_NONE_LEFT: Final = "DELETE FROM tally_again WHERE number = 0"


@dataclass(frozen=True, slots=True)
class Moment:
    """When is counted: what is due before `now` is overdue, and days in a zone are kept from `since` on, when one begins."""

    now: datetime
    since: datetime
    zone: str

    def after(self, was: "Moment") -> "Moment":
        """Return this moment, but nothing of it before another: sums go on, and never back."""
        return Moment(max(self.now, was.now), max(self.since, was.since), self.zone)


@dataclass(frozen=True, slots=True)
class Taken:
    """What a folder has taken in hand: from which transaction on, before which; by which answers and when the sums count."""

    upto: int | None
    until: int
    good: Any
    at: Moment | None


def take(session: Session, most: int, at: Moment) -> Taken | None:
    """Take the sums in hand, for some `most` changes; None where there is nothing to fold, or another folds now."""
    connection, asked = session.connection(), {"most": most, **asdict(at)}
    if not connection.exec_driver_sql(_DUE, asked).scalar_one():
        return None  # without a lock: who finds nothing to do writes nothing
    row = connection.exec_driver_sql(_TAKE, asked).first()
    if row is None:
        return None
    if not row.kept:
        return Taken(None, row.horizon, None, None)
    until = max(row.upto, row.horizon if row.enough is None else min(row.horizon, row.enough + 1))
    return (
        Taken(row.upto, until, row.good, Moment(row.late_at, row.since, row.zone))
        if until > row.upto or row.aged
        else None
    )


def fold(session: Session, taken: Taken, good: Good, at: Moment) -> None:
    """Count the changed ones by these answers: all of them where the sums were counted by others, or not at all."""
    connection = session.connection()
    was = taken.at
    anew = taken.upto is None or was is None or was.zone != at.zone or not compatible(taken.good, good)
    if anew or was is None:
        was = at
        for table in ("tally", "tally_day", "tally_again", "tally_share"):
            connection.exec_driver_sql(f"DELETE FROM {table}")
        connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
    some = _ANEW if anew else _SOME
    now = at.after(was)
    asked = answers(good) | {
        "from": taken.upto, "until": taken.until, "anew": anew, "few": _FEW, "late_at": now.now, "since": now.since,
        "zone": now.zone, "was_late_at": was.now, "was_since": was.since,
    }  # fmt: skip
    connection.exec_driver_sql(_FOLD.format(taken=some), asked)
    connection.exec_driver_sql(_SAID.format(taken=some), asked)
    connection.exec_driver_sql(_MARK, asked | {"good": orjson.dumps(as_kept(good)).decode()})
    if now.since > was.since:
        connection.exec_driver_sql(_OLD_DAYS, asked)
        connection.exec_driver_sql(_NONE_LEFT)


# By the mark that the sums have in the same snapshot: somebody may fold between two of the recounts.
_MARKED: Final = "(SELECT {} FROM tally_mark)"
_STRAYED: Final = f"""
WITH counted AS (
  SELECT d.dimension, d.key, area_path, {bits()}, COALESCE(sum(weighed), 0) AS weighed,
         COALESCE(sum((due_at < {_MARKED.format("late_at")})::int), 0) AS overdue_open FROM tallied
  CROSS JOIN LATERAL (VALUES {_GROUPS}) AS d(dimension, key)
  GROUP BY 1, 2, 3
), held AS (SELECT dimension, key, area_path, {", ".join(_SUMMED)} FROM tally WHERE {_ANY})
SELECT count(*) FROM ((TABLE counted EXCEPT TABLE held) UNION ALL (TABLE held EXCEPT TABLE counted)) x
"""
_MISCOUNTED: Final = f"""
SELECT count(*) FROM ({FACTS.format(conditions="TRUE")}) f FULL JOIN tallied t ON t.grievance_id = f.id
WHERE f.id NOT IN (SELECT c.grievance_id FROM change c WHERE c.tx >= %(from)s)
  AND ({", ".join(f"f.{name}" for name in _COLUMNS)}) IS DISTINCT FROM ({", ".join(f"t.{name}" for name in _COLUMNS)})
"""


_STRAYED_DAYS: Final = f"""
WITH counted AS (
  SELECT a.path, (v.at AT TIME ZONE {_MARKED.format("zone")})::date AS day, channel, sum(v.received), sum(v.closed)
  FROM tallied CROSS JOIN LATERAL {_OF_DAY} CROSS JOIN LATERAL {_ABOVE} a WHERE v.at >= {_MARKED.format("since")} GROUP BY 1, 2, 3
), held AS (SELECT area_path, day, channel, received, closed FROM tally_day WHERE received <> 0 OR closed <> 0)
SELECT count(*) FROM ((TABLE counted EXCEPT TABLE held) UNION ALL (TABLE held EXCEPT TABLE counted)) x
"""
_STRAYED_AGAIN: Final = f"""
WITH counted AS (
  SELECT area_path, estate, category, count(*), sum(counts & 1) FROM tallied WHERE {_AGAIN} {_MARKED.format("since")} GROUP BY 1, 2, 3
), held AS (SELECT area_path, estate, category, number, open FROM tally_again WHERE number <> 0 OR open <> 0)
SELECT count(*) FROM ((TABLE counted EXCEPT TABLE held) UNION ALL (TABLE held EXCEPT TABLE counted)) x
"""
_STRAYED_SHARES: Final = """
WITH counted AS (
  SELECT s.share->>0, s.share->>1, sum((s.share->>2)::int) FROM tallied CROSS JOIN LATERAL jsonb_array_elements(shares) AS s(share) GROUP BY 1, 2
), held AS (SELECT unit, kind, number FROM tally_share WHERE number <> 0)
SELECT count(*) FROM ((TABLE counted EXCEPT TABLE held) UNION ALL (TABLE held EXCEPT TABLE counted)) x
"""


def strayed(session: Session, good: Good) -> int:
    """Recount everything; return how many sums or counted grievances are not what they are kept as. 0 where none are kept."""
    connection = session.connection()
    mark = mark_of(session)
    if not mark.kept or not compatible(mark.good, good):
        return 0
    if mark.zone not in available_timezones():
        return 1
    asked = answers(good) | {"from": mark.upto}
    recounts = (_STRAYED, _STRAYED_DAYS, _STRAYED_AGAIN, _STRAYED_SHARES, _MISCOUNTED)
    return sum(int(connection.exec_driver_sql(one, asked).scalar_one()) for one in recounts)

"""What came in during the last days, what was closed, and what came again: from the sums, else from the grievances themselves."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from wuye_loop.domain.grievance.situation import Actor
from wuye_loop.domain.terms import ActorKind
from wuye_loop.store.reads.summary import mark_of
from wuye_loop.store.visibility import subtree, visible

_TRIES: Final = 3
_MOVES: Final = """
  SELECT g.area_path, g.estate_code AS estate, g.category, (NOT g.final)::int AS open, g.channel, g.received_at, g.closed_at, 1 AS sign
  FROM grievance g WHERE {those} AND {seen}
"""
# What is kept, without what changed as it was, and with it as it is; what fell out of the days since is taken away.
_KEPT: Final = f"""
changed AS MATERIALIZED (SELECT DISTINCT c.grievance_id AS id FROM change c WHERE c.tx >= %(upto)s),
moved AS MATERIALIZED (
  {_MOVES.format(those="g.id IN (SELECT id FROM changed)", seen="{seen}")}
  UNION ALL
  SELECT t.area_path, t.estate, t.category, t.counts & 1, t.channel, t.received_at, t.closed_at, -1
  FROM tallied t WHERE t.grievance_id IN (SELECT id FROM changed) AND {{kept}}
), fell AS MATERIALIZED (
  SELECT t.area_path, t.estate, t.category, t.counts & 1 AS open FROM grievance g JOIN tallied t ON t.grievance_id = g.id
  WHERE g.received_at >= %(from)s AND g.received_at < %(since)s AND {{kept}} AND NOT EXISTS (SELECT 1 FROM changed c WHERE c.id = g.id)
), day AS (
  SELECT day, channel, received, closed FROM tally_day WHERE area_path = %(path)s AND day >= %(first)s
  UNION ALL {{of_days}}
), again AS (
  SELECT area_path, estate, category, number, open FROM tally_again t WHERE {{kept}}
  UNION ALL SELECT area_path, estate, category, sign, sign * open FROM moved
  WHERE {{repeats}} AND received_at >= CASE WHEN sign > 0 THEN %(since)s ELSE %(from)s END
  UNION ALL SELECT area_path, estate, category, -1, -open FROM fell WHERE {{repeats}}
)
"""
_ALL: Final = f"""
moved AS MATERIALIZED (
  {_MOVES.format(those="(g.received_at >= %(since)s OR g.closed_at >= %(since)s)", seen="{seen}")}
), day AS ({{of_days}}
), again AS (
  SELECT area_path, estate, category, sign AS number, open FROM moved WHERE {{repeats}} AND received_at >= %(since)s
)
"""
_OF_DAYS: Final = """
  SELECT (v.at AT TIME ZONE %(zone)s)::date AS day, channel, v.received * sign AS received, v.closed * sign AS closed FROM moved
  CROSS JOIN LATERAL (VALUES (received_at, 1, 0), (closed_at, 0, 1)) AS v(at, received, closed) WHERE v.at >= %(since)s
"""
_REPEATS: Final = "estate IS NOT NULL AND category IS NOT NULL"
# The days, the worst groups, and how many groups each area has.
_READ: Final = """
WITH {found}, repeated AS MATERIALIZED (
  SELECT a.estate, e.name, e.area_code, a.category, sum(a.number) AS n, sum(a.open) AS open
  FROM again a LEFT JOIN estate e ON e.code = a.estate GROUP BY 1, 2, 3, 4 HAVING sum(a.number) >= %(least)s
)
SELECT m.upto, x.* FROM tally_mark m LEFT JOIN (
  SELECT 'day' AS what, day, channel AS key, NULL AS name, NULL AS area, NULL AS category,
         sum(received)::int AS n, sum(closed)::int AS more FROM day GROUP BY day, channel
  UNION ALL
  (SELECT 'worst', NULL, estate, name, area_code, category, n::int, open::int FROM repeated
   ORDER BY n DESC, estate, category LIMIT %(limit)s)
  UNION ALL
  SELECT 'area', NULL, area_code, NULL, NULL, NULL, count(*)::int, 0 FROM repeated GROUP BY area_code
) x ON TRUE
"""


class Again(NamedTuple):
    """An estate with several grievances of one category: `n` of them, `open` still."""

    estate_code: str
    estate_name: str | None
    area_code: str | None
    category: str
    n: int
    open: int


@dataclass(frozen=True, slots=True)
class Recent:
    """Counts of the last days: by day, by channel (the most first), what came again, and how many such groups an area has."""

    received: dict[date, int]
    closed: dict[date, int]
    channels: list[tuple[str, int]]
    worst: list[Again]
    groups: dict[str, int]


@dataclass(frozen=True, slots=True)
class LastDays:
    """Since when (the beginning of a day in the zone), under which area's path, and how many make a repetition; so many are told."""

    path: str
    since: datetime
    zone: str
    least: int
    most: int

    @property
    def params(self) -> dict[str, Any]:
        """What the statements take."""
        return {"path": self.path, "since": self.since, "zone": self.zone, "least": self.least, "limit": self.most}


def recent(session: Session, actor: Actor, asked: LastDays) -> Recent:
    """Return the counts of the last days, from the sums where they hold, else by counting."""
    return kept(session, actor, asked) or recount(session, actor, asked)


def kept(session: Session, actor: Actor, asked: LastDays) -> Recent | None:
    """Return them from the sums, set right by what changed since; None where there are none for what is asked."""
    if actor.kind in (ActorKind.UNIT, ActorKind.HOTLINE, ActorKind.SECURITY):
        return None
    seen, params = _within(actor, asked.path, "g")
    held, _ = _within(actor, asked.path, "t")
    statement = _READ.format(found=_KEPT.format(seen=seen, kept=held, of_days=_OF_DAYS, repeats=_REPEATS))
    for _ in range(_TRIES):
        mark = mark_of(session)
        if not mark.kept or mark.zone != asked.zone or mark.since > asked.since:
            return None
        first = asked.since.astimezone(ZoneInfo(asked.zone)).date()
        more = {"upto": mark.upto, "from": mark.since, "first": first}
        rows = session.connection().exec_driver_sql(statement, asked.params | params | more).all()
        if rows[0].upto == mark.upto:
            return _told(rows)
    return None  # folded again and again meanwhile


def recount(session: Session, actor: Actor, asked: LastDays) -> Recent:
    """Return them from the grievances themselves, each read."""
    seen, params = _within(actor, asked.path, "g")
    statement = _READ.format(found=_ALL.format(seen=seen, of_days=_OF_DAYS, repeats=_REPEATS))
    return _told(session.connection().exec_driver_sql(statement, asked.params | params).all())


def _within(actor: Actor, path: str, alias: str) -> tuple[str, dict[str, Any]]:
    predicate, seen = visible(actor, alias)
    inside, bounds = subtree(path, alias, "f")
    return f"{predicate} AND {inside}", seen | bounds


def _told(rows: Any) -> Recent:
    days = [row for row in rows if row.what == "day"]
    received: dict[date, int] = {}
    closed: dict[date, int] = {}
    channels: dict[str, int] = {}
    for row in days:
        received[row.day] = received.get(row.day, 0) + row.n
        closed[row.day] = closed.get(row.day, 0) + row.more
        channels[row.key] = channels.get(row.key, 0) + row.n
    return Recent(
        {day: n for day, n in received.items() if n},
        {day: n for day, n in closed.items() if n},
        sorted(((key, n) for key, n in channels.items() if n), key=lambda one: (-one[1], one[0])),
        [Again(row.key, row.name, row.area, row.category, row.n, row.more) for row in rows if row.what == "worst"],
        {row.key: row.n for row in rows if row.what == "area" and row.key is not None},
    )

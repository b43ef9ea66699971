"""What a play came to, in numbers: read from the database and from what the players were answered."""

from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy.orm import Session

from wuye_loop.domain.grievance.situation import SYSTEM_ACTOR
from wuye_loop.domain.terms import Stage
from wuye_loop.edge.site import Site
from wuye_loop.queries import audit, unit_figures


@dataclass(frozen=True, slots=True)
class Summary:
    """The object that `--json` prints.

    `closed` are final (archived or refused), `open` are not; `routed` were placed by a router when they were accepted,
    `to_desk` were left to a person; `escalations` counts 升级督办, `orders` supervision orders, `satisfied` the
    grievances whose last rating is 满意 or 基本满意; `drift` and `chain_ok` are what verification found.
    """

    grievances: int
    closed: int
    open: int
    to_desk: int
    routed: int
    escalations: int
    orders: int
    satisfied: int
    drift: int
    chain_ok: bool
    seconds: float

    def as_json(self) -> dict[str, Any]:
        """Return it as plain data."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Results:
    """Everything that the tables show, as it was when the play ended."""

    summary: Summary
    states: list[tuple[str, str, int]]  # stage, state, how many; in the order of the loop
    routers: list[tuple[str, int]]  # by title: which router placed how many
    orders: list[tuple[str, str, int, int, int]]  # document, how it came, all, answered in time, still open
    units: list[dict[str, Any]]
    rated: int
    problems: list[str]


def gather(site: Site, seconds: float) -> Results:
    """Count, and verify every ledger."""
    report = audit.verify(site.loop, site.database)
    with site.database.read() as session:
        counts = _row(session, _COUNTS)
        rated, satisfied = _row(session, _SATISFIED)
        routers = _routers(session)
        to_desk = dict(routers).get(DESK, 0)
        summary = Summary(
            grievances=counts[0],
            closed=counts[1],
            open=counts[0] - counts[1],
            to_desk=to_desk,
            routed=sum(number for _, number in routers) - to_desk,
            escalations=counts[2],
            orders=counts[3],
            satisfied=satisfied,
            drift=report.drift,
            chain_ok=report.chain_ok,
            seconds=round(seconds, 1),
        )
        return Results(
            summary,
            _states(site, session),
            routers,
            [tuple(row) for row in session.connection().exec_driver_sql(_ORDERS)],
            unit_figures.by_unit(site.loop, session, SYSTEM_ACTOR),
            rated,
            report.problems,
        )


DESK = "人工转办"
_COUNTS = """
SELECT count(*), count(*) FILTER (WHERE final),
       (SELECT count(*) FROM ledger WHERE action = 'escalate'),
       (SELECT count(*) FROM task WHERE kind = 'supervision_order')
FROM grievance
"""
_SATISFIED = """
SELECT count(*), count(*) FILTER (WHERE satisfied IN ('满意', '基本满意'))
FROM (SELECT DISTINCT ON (grievance_id) satisfied FROM rating ORDER BY grievance_id, cycle DESC) r
"""
# The first decision about each grievance: the router that gave it, or the desk where none did.
_ROUTERS = """
SELECT CASE WHEN (facts->>'routed') = 'false' THEN %(desk)s
            ELSE (SELECT item->>'title' FROM jsonb_array_elements(facts->'routing') item
                  WHERE item->>'outcome' IN ('matched', 'fallback') LIMIT 1) END AS title, count(*)
FROM (SELECT DISTINCT ON (grievance_id) facts FROM ledger
      WHERE action = 'route' ORDER BY grievance_id, seq) first
GROUP BY title ORDER BY count(*) DESC
"""
_ORDERS = """
SELECT t.document, CASE WHEN t.opener_role = 'system' THEN '时限届满自动签发' ELSE '督办人员签发' END, count(*),
       count(*) FILTER (WHERE c.ended_at <= c.due_at), count(*) FILTER (WHERE NOT t.final)
FROM task t
LEFT JOIN clock c ON c.task_id = t.id AND c.name = 'reply' AND c.run = 1
  AND c.cycle = (SELECT min(o.cycle) FROM clock o WHERE o.task_id = t.id AND o.name = 'reply')
WHERE t.kind = 'supervision_order' GROUP BY 1, 2 ORDER BY 3 DESC
"""


def _row(session: Session, statement: str) -> Any:
    return session.connection().exec_driver_sql(statement).one()


def _routers(session: Session) -> list[tuple[str, int]]:
    rows = session.connection().exec_driver_sql(_ROUTERS, {"desk": DESK})
    return [(row[0] or DESK, row[1]) for row in rows]


def _states(site: Site, session: Session) -> list[tuple[str, str, int]]:
    """Count by state, in the order of the six stages."""
    rows = session.connection().exec_driver_sql("SELECT stage, state, count(*) FROM grievance GROUP BY stage, state")
    found = {(row[0], row[1]): row[2] for row in rows}
    workflow = site.loop.reference.rules(session, site.loop.default_workflow).workflow
    order = list(workflow.states)
    keys = sorted(found, key=lambda key: (list(Stage).index(Stage(key[0])), order.index(key[1])))
    return [(Stage(stage).chinese, workflow.states[state].title, found[stage, state]) for stage, state in keys]

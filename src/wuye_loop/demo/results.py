"""What a play came to, in numbers: read from the database and from what the players were answered."""

from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy.orm import Session

from wuye_loop.demo.everybody import PLAYED
from wuye_loop.domain.grievance.situation import SYSTEM_ACTOR, Actor
from wuye_loop.domain.terms import ActorKind, Stage
from wuye_loop.edge.site import Site
from wuye_loop.queries import unit_figures
from wuye_loop.queries.summary import summarise
from wuye_loop.queries.verification.verify import verify
from wuye_loop.store.reads import totals


@dataclass(frozen=True, slots=True)
class Summary:
    """The object that `--json` prints.

    `closed` are final (archived or refused), `open` are not; `routed` were placed by a router when they were accepted,
    `to_desk` were left to a person; `escalations` counts 升级督办, `orders` supervision orders, `satisfied` the
    grievances whose last rating has a weight in the workflow (满意, 基本满意); `drift` and `chain_ok` are what verification found.
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
    tasks: list[tuple[str, int, int]]  # title, how many were opened, how many are over: what is special to the city
    units: list[dict[str, Any]]
    satisfaction: dict[str, Any]  # as the supervisor's summary has it: numerator, denominator, rate
    problems: list[str]
    composite: dict[str, Any] | None = None  # as the summary has it: title, weights, rate


def gather(site: Site, seconds: float) -> Results:
    """Count, and verify every ledger."""
    report = verify(site.loop, site.database)
    with site.database.read() as session:
        counts = totals.counts(session)
        whole = summarise(site.loop, session, Actor(ActorKind.ADMIN), "area", None)["total"]
        routers = totals.routers(session, DESK)
        to_desk = dict(routers).get(DESK, 0)
        summary = Summary(
            grievances=counts[0],
            closed=counts[1],
            open=counts[0] - counts[1],
            to_desk=to_desk,
            routed=sum(number for _, number in routers) - to_desk,
            escalations=counts[2],
            orders=counts[3],
            satisfied=whole["satisfied"],
            drift=report.drift,
            chain_ok=report.chain_ok,
            seconds=round(seconds, 1),
        )
        return Results(
            summary,
            _states(site, session),
            routers,
            totals.orders(session),
            _tasks(site, session),
            unit_figures.by_unit(site.loop, session, SYSTEM_ACTOR),
            whole["satisfaction"],
            report.problems,
            whole["composite"],
        )


DESK = "人工转办"


def _tasks(site: Site, session: Session) -> list[tuple[str, int, int]]:
    """Count the kinds of task that not every city has, in the order of the file."""
    found = totals.tasks(session)
    kinds = site.loop.reference.rules(session, site.loop.default_workflow).workflow.tasks
    return [(kinds[kind].title, *found.get(kind, (0, 0))) for kind in kinds if kind not in PLAYED]


def _states(site: Site, session: Session) -> list[tuple[str, str, int]]:
    """Count by state, in the order of the six stages."""
    found = totals.states(session)
    workflow = site.loop.reference.rules(session, site.loop.default_workflow).workflow
    order = list(workflow.states)
    keys = sorted(found, key=lambda key: (list(Stage).index(Stage(key[0])), order.index(key[1])))
    return [(Stage(stage).chinese, workflow.states[state].title, found[stage, state]) for stage, state in keys]

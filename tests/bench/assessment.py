"""How long a month takes to score, a day to analyse, ten years of credit to tell: `python -m tests.bench.assessment [N] [M]`.

N grievances in the month (200,000), M stored in all (1,000,000), 600 companies in ten streets; rows are made by SQL, one
clock and one rating for each grievance of the month, so that the figures have something to count.
"""

import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

from tests.assessing import publish_scheme
from tests.database import clone, server, template
from tests.site import Town, area, at, build, unit
from wuye_loop.domain.assessment.credit import CreditRow, balance
from wuye_loop.domain.grievance.situation import SYSTEM_ACTOR
from wuye_loop.loop.evaluate import closing, schedule
from wuye_loop.loop.figures import scoring
from wuye_loop.queries.assessment import bulletin
from wuye_loop.queries.assessment.sheets import drawn
from wuye_loop.store.database import Database

T = TypeVar("T")
COMPANIES, STREETS = 600, 10
MONTH, DAY = "2026-03", "2026-03-16"

UNITS: dict[str, Any] = {
    "areas": [
        area("3707", "示范区", "district"),
        *(area(f"37070{n:02}", f"{n} 街道", "street", "3707") for n in range(STREETS)),
    ],
    "units": [
        unit("property-centre", "区物业中心", "centre", "3707", None, "property-centre"),
        unit("command-office", "指挥部办公室", "office", "3707"),
        *(unit(f"c{n}", f"{n} 物业", "company", f"37070{n % STREETS:02}") for n in range(COMPANIES)),
    ],
    "estates": [
        {"code": f"E{n}", "name": f"小区 {n}", "area": f"37070{n % STREETS:02}", "company": f"c{n}", "kind": "商品房",
         "households": 500 + n}
        for n in range(COMPANIES)
    ],
}  # fmt: skip

_GRIEVANCES = """
INSERT INTO grievance (id, number, workflow, source, external_id, intake_digest, channel, kind, urgency, title, body,
  received_at, estate_code, area_code, area_path, company_code, state, stage, state_since, final, level, lead_unit, units,
  data, seq, head)
SELECT gen_random_uuid(), 'B' || %(mark)s || n, 'kuiwen@2', 'hotline', %(mark)s || n, '\\x00', '电话', '投诉', '平急', '电梯', '停了',
  %(starts)s::timestamptz + (n::float8 / %(count)s) * %(span)s::interval,
  'E' || n %% 600, lpad((n %% 600 %% 10)::text, 2, '0'), '3707/37070' || lpad((n %% 600 %% 10)::text, 2, '0') || '/',
  'c' || n %% 600, 'closed', 'evaluate', now(), true, 'community', 'property-centre', '{}',
  '{"origin": "through_train"}', 1, '\\x00'
FROM generate_series(1, %(count)s) n
"""
_CLOCKS = """
INSERT INTO clock (id, grievance_id, name, cycle, run, unit, status, started_at, due_at, ended_at, area_path)
SELECT gen_random_uuid(), id, 'handle', 1, 1, 'property-centre', 'ended', received_at, received_at + interval '5 days',
  received_at + ((hashtext(number) %% 8 + 8) || ' hours')::interval * 10, area_path FROM grievance
WHERE received_at >= %(starts)s
"""
_RATINGS = """
INSERT INTO rating (grievance_id, cycle, rater, of_unit, answers, satisfied, at)
SELECT id, 1, 'complainant', 'property-centre', '{"contacted": true}',
  (ARRAY['满意','满意','基本满意','不满意'])[abs(hashtext(number)) %% 4 + 1], received_at + interval '1 day'
FROM grievance WHERE received_at >= %(starts)s
"""


def timed(words: str, limit: float, work: Callable[[], T]) -> T:
    """Do the work and say how long it took beside what it may take."""
    began = time.perf_counter()
    made = work()
    sys.stdout.write(f"{words}\t{time.perf_counter() - began:.2f} 秒\t至多 {limit:.0f} 秒\n")
    sys.stdout.flush()
    return made


def filled(town: Town, month: int, whole: int) -> None:
    """Store the grievances of the month, and older ones up to the whole."""
    starts = at("2026-03-01 00:00")
    with town.database.begin() as session:
        connection = session.connection()
        connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
        common = {"starts": starts, "span": "31 days", "mark": "m", "count": month}
        connection.exec_driver_sql(_GRIEVANCES, common)
        connection.exec_driver_sql(_CLOCKS, {"starts": starts})
        connection.exec_driver_sql(_RATINGS, {"starts": starts})
        if whole > month:
            old = {"starts": starts - timedelta(days=700), "span": "690 days", "mark": "o", "count": whole - month}
            connection.exec_driver_sql(_GRIEVANCES, old)
    with town.database.begin() as session:
        session.connection().exec_driver_sql("ANALYZE grievance, clock, rating, ledger")


def main(month: int = 200_000, whole: int = 1_000_000) -> None:
    """Fill a town and print a line for each piece of work."""
    with server() as url, template(url) as empty, clone(empty, 1) as own, tempfile.TemporaryDirectory() as folder:
        database = Database(own, pool_size=3, statement_timeout_ms=0)
        start = datetime(2026, 3, 1, tzinfo=UTC)
        town = build(
            database,
            data=Path(folder),
            workflow="kuiwen@2",
            units=UNITS,
            keys={"admin": {"role": "admin"}},
            start=start,
        )
        publish_scheme(town, "kuiwen@1")
        timed(f"存入 {whole:,} 件", 600, lambda: filled(town, month, whole))
        town.clock.set(at("2026-04-08 09:00"))
        loop = town.site.loop

        def daily() -> int:
            with database.read() as session:
                place = schedule.place_of(session, "kuiwen", DAY)
                return len(scoring.drafted(loop, session, place.scheme, place.part, place.stretch).figures)

        timed("一日分析，第一次", 2, daily)
        timed("一日分析", 2, daily)
        timed(
            f"一个月 {month:,} 件、{COMPANIES} 家企业：计分、排名、封账",
            10,
            lambda: town.run(lambda session: closing.close(loop, session, "kuiwen", MONTH, SYSTEM_ACTOR)),
        )
        with database.read() as session:
            made = timed("通报的内容", 3, lambda: bulletin.of_period(loop, session, SYSTEM_ACTOR, "kuiwen", MONTH))
        for form in ("html", "docx", "xlsx"):
            timed(f"通报 {form}", 3, partial(drawn, made, form))
        timed(f"十年信用，{COMPANIES} 家", 1, ten_years)
        database.dispose()


def ten_years() -> list[Decimal]:
    """Tell the balance of every company at the end of ten years with a row a month."""
    from tests.assessing import scheme_text  # noqa: PLC0415 one piece of work
    from wuye_loop.domain.assessment.opening import parse_scheme  # noqa: PLC0415 as above

    spec = parse_scheme(scheme_text("kuiwen@1"), "kuiwen@1.yaml").credit
    assert spec is not None
    rows = [
        CreditRow(
            UUID(int=n),
            "c",
            "bottom_five",
            Decimal(-2),
            since := date(2016 + n // 12, n % 12 + 1, 5),
            since.replace(year=since.year + 1),
        )
        for n in range(120)
    ]
    return [balance(spec, rows, date(2026, 1, 4)).points for _ in range(COMPANIES)]


if __name__ == "__main__":
    asked = [int(one) for one in sys.argv[1:] if one.isdigit()]
    main(*(asked or ([5_000, 20_000] if "--quick" in sys.argv else [])))

"""How the database means to answer the routes that are asked all day: never by reading a table whole, nor by sorting one."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
from sqlalchemy import event
from tests.bench import city, reading
from tests.bench.reading import Work
from tests.site import Town, town_on

from wuye_loop.loop.figures import tallying
from wuye_loop.queries import board, unit_figures
from wuye_loop.store import tallying as store_tallying
from wuye_loop.store.database import Database
from wuye_loop.store.reads import inbox

pytestmark = pytest.mark.proof
MANY = 20_000
#: Tables that this city fills; the directory, the calendar and the definitions stay what they are.
GROWING = {"grievance", "clock", "rung", "rating", "change", "ledger", "tallied", "searched"}
FEW = 500  # what a list looks through first, here
SORTED = 2500  # rows: no more than the directory has estates, which a summary puts in order


@pytest.fixture(scope="module")
def town(template_url: str) -> Iterator[Town]:
    from tests.database import clone  # noqa: PLC0415 one city for all of these

    with clone(template_url, 900_000) as url:
        database = Database(url, pool_size=3, statement_timeout_ms=0)
        with town_on(database, units=city.DIRECTORY, keys=city.CITY_KEYS, start=city.START) as made:
            city.found(made)
            city.grow(database, MANY, city.START)
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(store_tallying, "_FEW", FEW)
                tallying.fold(made.site.loop, database)
            city.settled(database)
            yield made
        database.dispose()


@pytest.mark.parametrize("who", ["admin", "supervisor-1"])
@pytest.mark.parametrize("routes", [reading.lists, reading.boards])
def test_no_route_of_a_supervisor_reads_or_sorts_a_table(
    town: Town, who: str, routes: Callable[[Town, str], Mapping[str, Work]]
) -> None:
    _walked(town, routes(town, who))


@pytest.mark.parametrize("who", ["market", "property-centre", "unit-7"])
@pytest.mark.parametrize("routes", [reading.lists, reading.inboxes])
def test_no_route_of_a_unit_reads_or_sorts_a_table(
    town: Town, who: str, routes: Callable[[Town, str], Mapping[str, Work]]
) -> None:
    _walked(town, routes(town, who))


@pytest.mark.parametrize("who", ["admin", "supervisor-1"])
def test_what_a_board_reads_beside_its_sums_is_found_by_indexes(town: Town, who: str) -> None:
    _walked(town, {"board": lambda session: board.board(town.site.loop, session, town.actors[who], None)})


@pytest.mark.parametrize("who", ["market", "unit-7"])
def test_what_a_unit_did_is_read_from_its_sums(town: Town, who: str) -> None:
    asked = _asked(
        town, lambda session: unit_figures.by_unit(town.site.loop, session, town.actors[who], town.actors[who].unit)
    )
    assert not any("FROM clock c JOIN grievance" in statement for statement, _ in asked)
    _walked(town, {"figures": lambda session: unit_figures.by_unit(town.site.loop, session, town.actors[who], who)})


def test_what_a_unit_has_to_sign_for_is_read_from_its_own_index(town: Town) -> None:
    statement, params = inbox.inbox_statement(town.actors["property-centre"], inbox.Tab(to_sign=True), (), None, 50)
    with town.database.read() as session:
        plan = session.connection().exec_driver_sql(f"EXPLAIN {statement}", params).scalars().all()
    assert "ix_grievance_to_sign" in "\n".join(plan)


@pytest.mark.parametrize(
    ("who", "name", "index"),
    [
        ("admin", "category", "ix_tallied_received"),
        ("admin", "overdue in a stage", "ix_tallied_received"),
        ("supervisor-1", "overdue in a stage", "ix_tallied_open"),
        ("market", "category", "ix_tallied_received"),
        ("unit-7", "category", "ix_tallied_marks"),
    ],
)
def test_a_list_that_is_narrowed_is_found_by_what_is_kept(town: Town, who: str, name: str, index: str) -> None:
    plans: list[str] = []
    for statement, params in _asked(town, reading.lists(town, who)[name]):
        if "FROM tallied" in statement:
            with town.database.read() as session:
                plans += session.connection().exec_driver_sql(f"EXPLAIN {statement}", params).scalars().all()
    assert index in "\n".join(plans)


@pytest.mark.parametrize("who", ["admin", "market"])
@pytest.mark.parametrize("name", ["an estate", "state and estate that never met"])
def test_a_list_of_an_estate_whose_grievances_are_old_reads_nobody_elses(town: Town, who: str, name: str) -> None:
    asked = _asked(town, reading.lists(town, who)[name])
    with town.database.engine.connect() as connection:  # undone at its end
        connection.exec_driver_sql(
            "UPDATE grievance SET estate_code = 'E7' WHERE id IN (SELECT id FROM grievance ORDER BY received_at LIMIT 1500)"
        )
        connection.exec_driver_sql("ANALYZE grievance")
        own = connection.exec_driver_sql("SELECT count(*) FROM grievance WHERE estate_code = 'E7'").scalar_one()
        plans = [
            connection.exec_driver_sql(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}", params).scalar_one()[0]["Plan"]
            for statement, params in asked
            if "FROM grievance g" in statement
        ]
    assert plans
    assert sum(map(_rows_read, plans)) <= own


def _rows_read(node: Mapping[str, Any]) -> int:
    """Return how many grievances a plan looked at."""
    own = node["Actual Rows"] + node.get("Rows Removed by Filter", 0) if node.get("Relation Name") == "grievance" else 0
    return int(own * node["Actual Loops"]) + sum(map(_rows_read, node.get("Plans", ())))


def test_the_walk_sees_a_plan_that_reads_all(town: Town) -> None:
    with pytest.raises(AssertionError, match="Seq Scan on grievance"):
        _walked(
            town,
            {"all": lambda session: session.connection().exec_driver_sql("SELECT max(body) FROM grievance g").all()},
        )


def _walked(town: Town, routes: Mapping[str, Work]) -> None:
    walked = 0
    for name, work in routes.items():
        for statement, params in _asked(town, work):
            if not re.match(r"\s*(SELECT|WITH)\b", statement):
                continue
            with town.database.read() as session:
                plan = session.connection().exec_driver_sql(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}", params)
                _looked_at(json.loads(json.dumps(plan.scalar_one()))[0]["Plan"], f"{name}: {statement}")
            walked += 1
    assert walked >= len(routes)


def _asked(town: Town, work: Work) -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []

    def note(_a: object, _b: object, statement: str, params: Any, *_: object) -> None:
        found.append((statement, params))

    engine = town.database.engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        with town.database.read() as session:
            work(session)
    finally:
        event.remove(engine, "before_cursor_execute", note)
    return found


def _looked_at(node: Mapping[str, Any], where: str) -> None:
    """Refuse a whole table, and the sort of what is more than a page or a window; what was never run is no matter."""
    if node["Actual Loops"]:
        kind, table = node["Node Type"], node.get("Relation Name")
        assert not (kind == "Seq Scan" and table in GROWING), f"Seq Scan on {table}\n{where}"
        rows = max((one["Actual Rows"] for one in node.get("Plans", ())), default=0)
        assert not (kind == "Sort" and rows > SORTED), f"Sort of {rows} rows\n{where}"
        read = node["Actual Rows"] + node.get("Rows Removed by Filter", 0)
        assert not (table == "grievance" and "Index" in kind and read > SORTED), f"{read} rows read\n{where}"
    for one in node.get("Plans", ()):
        _looked_at(one, where)

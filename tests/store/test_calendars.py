import itertools
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta

import orjson
import pytest
from sqlalchemy import insert, select
from tests.speed import cost, yardstick

from wuye_loop.domain.language.workflow import OfficeHours
from wuye_loop.domain.time import clock_moves
from wuye_loop.domain.time.calendar import Starts, WorkCalendar
from wuye_loop.domain.time.notice import BadNotice, Day, Notice, read_notice
from wuye_loop.domain.time.shifts import shift_of
from wuye_loop.domain.time.spans import Span
from wuye_loop.ports import SeededIds
from wuye_loop.store.calendar.moved_clocks import Move, apply, outstanding, preview
from wuye_loop.store.calendar.working_days import import_notice, provisional_days, read_calendar, read_table, seed
from wuye_loop.store.database import Database
from wuye_loop.store.schema import tables

NOW = datetime(2026, 11, 20, 1, 0, tzinfo=UTC)
ZONE, HOURS = "Asia/Shanghai", ("08:30-12:00", "13:30-17:30")
OFFICES = {"kuiwen@1": OfficeHours()}
# A made-up notice for 2027: the 11th and 12th of January are off too, Sunday the 17th is made up for.
NOTICE = b"""date,is_off_day,name
2026-12-31,1,\xe5\x85\x83\xe6\x97\xa6
2027-01-01,1,\xe5\x85\x83\xe6\x97\xa6
2027-01-11,1,
2027-01-12,1,
2027-01-17,0,
2027-10-01,true,\xe5\x9b\xbd\xe5\xba\x86
"""


@pytest.fixture
def seeded(database: Database) -> Database:
    with database.begin() as session:
        assert seed(session, NOW)
    return database


def calendar(database: Database) -> WorkCalendar:
    with database.read() as session:
        return read_calendar(session, ZONE, HOURS)


def test_an_empty_calendar_is_seeded_once(seeded: Database) -> None:
    with seeded.begin() as session:
        assert not seed(session, NOW)
    found = calendar(seeded)
    assert found.is_workday(date(2026, 10, 10))
    assert not found.is_provisional(date(2026, 1, 1))
    assert found.is_provisional(date(2027, 1, 1))
    assert not found.is_workday(date(2027, 10, 1))


def test_a_notice_publishes_its_years_and_takes_the_place_of_guesses(seeded: Database) -> None:
    with seeded.begin() as session:
        guesses = {day for day in provisional_days(session) if day.year == 2027}
        table = read_table(session)
        foreseen = table.with_notice(read_notice(NOTICE, "n.csv"), provisional_days(session))
        import_notice(session, read_notice(NOTICE, "n.csv"), NOW)
        assert read_table(session) == foreseen
        assert not {day for day in provisional_days(session) if day.year == 2027}
    found = calendar(seeded)
    assert found.version == foreseen.version
    assert not found.is_provisional(date(2027, 1, 1))
    assert found.is_provisional(date(2028, 1, 3))
    assert not found.is_workday(date(2027, 1, 11))
    assert found.is_workday(date(2027, 1, 17))
    assert not found.is_workday(date(2026, 12, 31))
    # A guess that the notice does not confirm is a workday again.
    assert all(found.is_workday(day) for day in guesses if day.month not in (1, 10))


def test_the_last_days_of_december_do_not_make_their_year_a_published_one() -> None:
    assert read_notice(NOTICE, "n").years == {2027}
    assert read_notice(b"date,works\n2027-12-31,0", "n").years == set()
    assert read_notice(b"date,works,announcement_year\n2027-12-31,0,2028\n2028-01-03,0,2028", "n").years == {2028}
    assert read_notice(NOTICE, "n").doubtful == ()
    assert read_notice(b"date,works\n2027-02-08,0", "n").doubtful == (2027,)


def test_csv_and_json_of_every_shape_say_the_same() -> None:
    day = Day(date(2027, 1, 1), works=False, name="x")
    for content in (
        b"date,works,name\n2027-01-01,0,x\n",
        b"\xef\xbb\xbfname, is_off_day ,date\r\nx,True,2027-01-01\r\n",
        b'[{"date": "2027-01-01", "works": false, "name": "x"}]',
        b'{"year": 2027, "days": [{"date": "2027-01-01", "isOffDay": true, "name": "x"}]}',
    ):
        notice = read_notice(content, "n")
        assert notice.days == (day,), content
        assert notice.years == {2027}, content


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"date,works\n2027-13-01,0", "第 2 行：日期应写成"),
        (b"date,works\n2027-01-01,perhaps", "第 2 行：上班、放假一栏"),
        (b"date,works,is_off_day\n2027-01-01,1,1", "互相矛盾"),
        (b"date,works\n2027-01-01,1\n2027-01-01,0", "第 3 行：2027-01-01 写了两次"),
        (b"date,works\n1066-01-01,1", "1990"),
        (b"day off", "第一行应是列名"),
        (b"", "第一行应是列名"),
        (b"date,works\n", "没有一天"),
        (b"[1]", "第 1 项"),
        (b'{"days": 3}', "JSON"),
        (b"[", "不是合法的 JSON"),
        ("日期,放假".encode("gbk"), "没有一天"),
        (b"date,works\n" + b"x" * 5_000_000, "MiB"),
    ],
)
def test_a_file_that_is_no_notice_is_refused_in_words(content: bytes, words: str) -> None:
    with pytest.raises(BadNotice) as refused:
        read_notice(content, "n.csv")
    assert words in str(refused.value)


def test_office_hours_may_end_at_midnight() -> None:
    assert shift_of("08:30-24:00") == (time(8, 30), time())
    with pytest.raises(ValueError, match="hour"):
        shift_of("25:00-26:00")


def store_clock(database: Database, number: str, limit: str, started: datetime, *, ended: bool = False) -> None:
    """Store a grievance with one clock, started under the calendar as it is."""
    ids = SeededIds(int(number))
    clock = clock_moves.start(
        id=ids.new(), name="handle", task_id=None, cycle=1, run=1, unit="fire", limit=Span.parse(limit), until=None,
        starts=Starts.NEXT_WORKDAY, plans=[clock_moves.RungPlan(0, Span.parse("-1 workday"))], now=started,
        calendar=calendar(database),
    )  # fmt: skip
    clock = clock_moves.end(clock, started, calendar(database)) if ended else clock
    grievance = ids.new()
    with database.begin() as session:
        session.execute(
            insert(tables.grievance).values(
                id=grievance, number=number, workflow="kuiwen@1", source="12345", external_id=number, intake_digest=b"",
                channel="12345", kind="投诉", urgency="平急", title="标题", body="内容", received_at=started, area_path="",
                state="handling", stage="handle", state_since=started, final=False, level="street", seq=1, head=b"",
            )
        )  # fmt: skip
        session.execute(
            insert(tables.clock).values(
                id=clock.id, grievance_id=grievance, name="handle", cycle=1, run=1, status=clock.status.value,
                started_at=started, due_at=clock.due_at, provisional=clock.provisional, area_path="",
                image=clock_moves.as_row(clock),
            )
        )  # fmt: skip


def test_the_preview_lists_the_open_clocks_that_move_and_no_other(seeded: Database) -> None:
    january = datetime(2027, 1, 8, 2, 0, tzinfo=UTC)  # a Friday
    store_clock(seeded, "1", "2 workdays", january)
    store_clock(seeded, "2", "2 days", january)  # counts natural days, but from the next workday
    store_clock(seeded, "3", "2 hours", january)
    store_clock(seeded, "4", "2 workdays", january, ended=True)
    store_clock(seeded, "5", "2 workdays", datetime(2026, 11, 20, 2, 0, tzinfo=UTC))
    store_clock(seeded, "6", "1 workday", datetime(2027, 3, 1, 2, 0, tzinfo=UTC))  # only its mark changes
    with seeded.read() as session:
        moves = preview(session, read_notice(NOTICE, "n.csv"), OFFICES)
    close = datetime(2027, 1, 12, 9, 30, tzinfo=UTC)
    assert [move.number for move in moves] == ["1", "2", "6"]
    assert moves[0] == Move("1", "handle", close, close + timedelta(days=2))
    assert [move.moves for move in moves] == [True, True, False]


def test_recalculating_leaves_nothing_outstanding(seeded: Database) -> None:
    for number in range(1, 8):
        store_clock(seeded, str(number), f"{number} workdays", datetime(2027, 1, 8, 2, 0, tzinfo=UTC))
    with seeded.begin() as session:
        import_notice(session, read_notice(NOTICE, "n.csv"), NOW)
    with seeded.read() as session:
        moves = outstanding(session, OFFICES)
    assert [move.number for move in moves] == [str(number) for number in range(1, 8)]

    def recalculate(numbers: Sequence[str]) -> None:
        with seeded.begin() as session:
            images = select(tables.clock.c.image, tables.clock.c.id).join(tables.grievance)
            for row in session.execute(images.where(tables.grievance.c.number.in_(numbers))).all():
                moved = clock_moves.recompute(clock_moves.from_row(row.image), calendar(seeded))
                columns = {"due_at": moved.due_at, "provisional": moved.provisional, "image": clock_moves.as_row(moved)}
                session.execute(tables.clock.update().where(tables.clock.c.id == row.id).values(columns))

    assert list(itertools.islice(apply(moves, recalculate, batch=3), 9)) == [3, 6, 7]
    with seeded.read() as session:
        assert outstanding(session, OFFICES) == []


def test_ten_thousand_open_clocks_are_looked_through_one_after_the_other(seeded: Database) -> None:
    store_clock(seeded, "1", "2 workdays", datetime(2027, 1, 8, 2, 0, tzinfo=UTC))
    with seeded.begin() as session:
        session.connection().exec_driver_sql(MANY)

    def looked_through() -> None:
        with seeded.read() as session:
            assert len(preview(session, read_notice(NOTICE, "n.csv"), OFFICES)) == 10_000

    assert cost(looked_through, 1) < 10_000 * yardstick() / 2


MANY = """
INSERT INTO clock (id, grievance_id, name, cycle, run, status, started_at, due_at, area_path, image, packed)
SELECT gen_random_uuid(), grievance_id, name, cycle, n, status, started_at, due_at, area_path, image, packed
FROM clock, generate_series(2, 10000) n
"""


def test_a_notice_in_json_holds_what_its_csv_holds() -> None:
    notice = read_notice(NOTICE, "n")
    rows = [{"date": day.date, "works": day.works, "name": day.name} for day in notice.days]
    assert read_notice(orjson.dumps(rows), "n") == Notice(notice.days, notice.years, "导入(n)")


@pytest.mark.parametrize(
    ("content", "works"),
    [
        ("日期,上班\n2027-01-01,休\n2027-01-03,班", [False, True]),
        ("日期,放假\n2027-01-01,休\n2027-01-03,班", [False, True]),
        ("日期,放假\n2027-01-01,放假\n2027-01-03,上班", [False, True]),
        ("日期,放假\n2027-01-01,是\n2027-01-03,否", [False, True]),
        ("日期,上班\n2027-01-01,否\n2027-01-03,是", [False, True]),
        ("日期,类型\n2027-01-01,休\n2027-01-03,班", [False, True]),
        ("日期,上班,放假\n2027-01-01,0,1\n2027-01-03,班,否", None),
        ("日期,上班,放假\n2027-01-01,0,1\n2027-01-03,1,0", [False, True]),
        ("日期,上班,放假\n2027-01-01,1,1\n2027-01-03,1,0", None),
        ("日期,上班\n2027-01-01,休\n2027-01-03,1", None),
        ("日期,放假\n2027-01-01,休\n2027-01-03,0", None),
    ],
)
def test_rest_and_work_mean_the_same_in_every_column_and_a_contradiction_is_refused(
    content: str, works: list[bool] | None
) -> None:
    try:
        assert [day.works for day in read_notice(content.encode(), "n.csv").days] == works
    except BadNotice as error:
        assert works is None, error  # noqa: PT017 either is looked at

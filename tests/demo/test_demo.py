"""The demonstration: a small play over real HTTP, and the reading of complaints from a file."""

import gzip
import io
import json
import os
import re
import subprocess
import sys
from collections.abc import Sequence
from contextlib import redirect_stderr, redirect_stdout
from datetime import datetime, time
from pathlib import Path
from typing import Any

import pytest
from tests.database import clone

from wuye_loop import postgres
from wuye_loop.app import make_site
from wuye_loop.demo import reading, stage
from wuye_loop.demo.chance import Chance
from wuye_loop.demo.clock import PlayedClock
from wuye_loop.demo.district import district
from wuye_loop.demo.invented.complaints import ZONE, Complaint, made_up
from wuye_loop.demo.reading import NotComplaints
from wuye_loop.demo.scripts import FIRST_DAY, Script, our_own
from wuye_loop.demo.show import Show, beginning
from wuye_loop.prepare import prepare
from wuye_loop.settings import Settings
from wuye_loop.store.database import Database

KEYS = [
    "grievances", "closed", "open", "to_desk", "routed", "escalations", "orders", "satisfied", "drift", "chain_ok",
    "seconds",
]  # fmt: skip
ESTATES = district()["estates"]


def complaints(number: int, days: int, seed: int = 7) -> list[Complaint]:
    return made_up(Chance(seed), number, FIRST_DAY, days, ESTATES)


Played = tuple[dict[str, object], str]


def play(database: Database, folder: Path, script: Script, **options: Any) -> Played:
    """Play on an empty database; return the object of the last line, and the tables."""
    settings = Settings(data=folder, **options)
    clock = beginning()
    site = make_site(settings, database, clock=clock)
    prepare(site)
    with redirect_stdout(io.StringIO()) as out, redirect_stderr(io.StringIO()) as tables:
        Show(settings, 0, leave=True, as_json=True).on(site, clock, script, 0.0)
    return json.loads(out.getvalue().splitlines()[-1]), tables.getvalue()


@pytest.fixture(scope="module")
def five_days(template_url: str, tmp_path_factory: pytest.TempPathFactory) -> Played:
    """Play five days with twenty-five complaints, once for all who ask."""
    with clone(template_url, 9001) as url:
        database = Database(url, pool_size=5)
        played = play(database, tmp_path_factory.mktemp("five"), our_own(5, 25))
        database.dispose()
    return played


def test_five_days_end_with_sound_ledgers_and_say_so_in_one_object(five_days: Played) -> None:
    found, tables = five_days
    assert list(found) == KEYS
    assert (found["drift"], found["chain_ok"], found["grievances"]) == (0, True, 25)
    assert isinstance(found["closed"], int)
    assert isinstance(found["open"], int)
    assert found["closed"] + found["open"] == 25
    assert found["closed"] > 0
    for title in ("诉求所处环节", "问题转办", "逾期与升级", "督办单", "按期率与满意率", "一件诉求的全程", "偏差 0"):
        assert title in tables
    assert "WUYE_DATABASE_NAME=wuye_demo wuye-loop explain WY" in tables


@pytest.mark.parametrize(
    ("workflow", "special"),
    [
        ("zichuan@1", "联席会议议题"),
        pytest.param("jinan@1", "街道吹哨", marks=pytest.mark.proof),
        pytest.param("gedian@1", "吹哨报到", marks=pytest.mark.proof),
        pytest.param("guancheng@1", "“1+3”协商", marks=pytest.mark.proof),
    ],
)
def test_every_city_is_played_with_what_is_special_to_it(
    database: Database, tmp_path: Path, workflow: str, special: str
) -> None:
    found, tables = play(database, tmp_path, our_own(3, 9), default_workflow=workflow)
    assert list(found) == KEYS
    assert (found["drift"], found["chain_ok"], found["grievances"]) == (0, True, 9)
    assert isinstance(found["closed"], int)
    assert found["closed"] > 0
    assert "本流程特有的环节" in tables
    assert special in tables


def alike(printed: str) -> str:
    """Return what two runs must have in common: all but numbers of grievances, folders and how long it took."""
    return re.sub(r"WY\d{6}-[0-9A-Z]{8}|用时 [\d.]+ 秒|--data \S+|通报：\S+/", "…", printed)


def test_the_same_seed_prints_the_same_in_whatever_order_requests_are_answered(
    five_days: Played, database: Database, tmp_path: Path
) -> None:
    played = (five_days, play(database, tmp_path, our_own(5, 25)))
    first, again = (({**found, "seconds": 0}, alike(tables)) for found, tables in played)
    assert first == again


@pytest.mark.proof
def test_whole_demonstrations_at_the_same_time_print_the_same(tmp_path: Path) -> None:
    """Three at once on two cores answer their requests in ever other orders; what is decided may not follow them."""
    command = [sys.executable, "-c", "from wuye_loop.cli import main; main()", "demo", "--exit", "--data"]
    clean = {name: value for name, value in os.environ.items() if not name.startswith("WUYE_")}
    running = [
        subprocess.Popen(
            [*command, str(tmp_path / str(n))], env=clean, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        for n in range(3)
    ]
    told = {alike(process.communicate(timeout=300)[0]) for process in running}
    assert [process.returncode for process in running] == [0, 0, 0]
    assert len(told) == 1
    assert "偏差 0" in told.pop()
    for n in range(3):
        postgres.remove(tmp_path / str(n))


def test_a_play_to_the_end_leaves_nothing_open(database: Database, tmp_path: Path) -> None:
    script = Script(complaints(6, 2), 2, to_the_end=True)
    found, _ = play(database, tmp_path, script)
    assert (found["open"], found["closed"], found["drift"]) == (0, 6, 0)


def test_a_database_that_holds_anything_is_not_played_on(database_url: str, tmp_path: Path) -> None:
    settings = Settings(database_url=database_url, data=tmp_path)
    with pytest.raises(stage.NoStage, match="不是空的"), stage.opened(settings, beginning()):
        pass


def test_a_play_never_goes_back_in_time() -> None:
    clock = PlayedClock(datetime.combine(FIRST_DAY, time(9), ZONE))
    with pytest.raises(ValueError, match="cannot go back"):
        clock.set(datetime.combine(FIRST_DAY, time(8), ZONE))


def test_made_up_complaints_are_varied_and_the_same_every_time() -> None:
    found = complaints(300, 30)
    assert found == complaints(300, 30)
    assert found != complaints(300, 30, seed=8)
    assert len({item.external_id for item in found}) == 300
    assert [item.arrives for item in found] == sorted(item.arrives for item in found)
    assert len({item.form["title"] for item in found}) > 40
    assert {item.form["kind"] for item in found} >= {"投诉", "求助", "咨询", "建议"}
    assert any("category" not in item.form for item in found)
    assert any(item.form["complainant"].get("anonymous") for item in found)
    assert any(not item.form["place"] for item in found)
    assert any("被困" in item.form["body"] or "燃气泄漏" in item.form["body"] for item in found)
    phones = {item.form["complainant"].get("phone") for item in found} - {None}
    assert phones
    assert all(re.fullmatch(r"1380000\d{4}", phone) for phone in phones)


def test_a_twin_tells_the_same_matter_of_the_same_place_later() -> None:
    found = complaints(300, 30)
    by_id = {item.external_id: item for item in found}
    twins = [item for item in found if item.twin_of]
    assert len(twins) == 15
    for twin in twins:
        told = by_id[twin.twin_of or ""]
        assert twin.arrives >= told.arrives
        assert (twin.form["place"], twin.form["title"]) == (told.form["place"], told.form["title"])
        assert twin.form["body"] != told.form["body"]


# --- reading --------------------------------------------------------------------------------------------------------

HEADER = "message_id,user_id,title,created_at,detail,likes"
GOOD = (
    '7,U1,"电梯坏了,没人修",2019-08-19 11:48:23,"他们说""下周""来,\n至今没来。",0',
    f"3,U2,请问怎么成立业委会,2019/3/1 9:05,我住{ESTATES[4]['name']},1",
    "5,,求助：车位被占,2019-05-02,,0",
)


def written(folder: Path, rows: Sequence[str | bytes], *, packed: bool = False, header: str = HEADER) -> Path:
    lines = [row if isinstance(row, bytes) else row.encode() for row in (header, *rows)]
    raw = b"\xef\xbb\xbf" + b"\r\n".join(lines) + b"\r\n"
    path = folder / ("rows.csv.gz" if packed else "rows.csv")
    path.write_bytes(gzip.compress(raw) if packed else raw)
    return path


@pytest.mark.parametrize("packed", [False, True])
def test_quotes_and_line_breaks_are_read_whole_and_rows_come_in_order(tmp_path: Path, *, packed: bool) -> None:
    rows, bad, _ = reading.read(written(tmp_path, GOOD, packed=packed))
    assert not bad
    assert [row.message_id for row in rows] == ["3", "5", "7"]
    assert rows[2].title == "电梯坏了,没人修"
    assert rows[2].body == '他们说"下周"来,\n至今没来。'
    assert rows[1].body == "求助：车位被占"
    assert rows[0].created_at == datetime(2019, 3, 1, 9, 5, tzinfo=ZONE)


def test_a_bad_row_is_reported_with_its_line_and_the_others_are_read(tmp_path: Path) -> None:
    bad_rows: list[str | bytes] = [
        "8,U,题,哪天,文,0",
        "9,U,题,2019-01-01",
        ",U,题,2019-01-01,文,0",
        "7,U,又一次,2019-01-01,文,0",
        "10,U,题,2019-01-01,".encode() + b"\xff\xfe,0",
        "11,U,,2019-01-01,,0",
    ]
    rows, bad, header = reading.read(written(tmp_path, [*GOOD, *bad_rows]))
    assert len(rows) == 3
    assert [row.line for row in bad] == [6, 7, 8, 9, 10, 11]
    for row, word in zip(bad, ("created_at", "应有 6 列", "message_id", "重复", "编码", "空的"), strict=True):
        assert word in row.reason
    kept = tmp_path / "folder" / "bad.csv"
    reading.keep_bad(kept, header, bad)
    assert len(kept.read_text(encoding="utf-8-sig").splitlines()) == 7


def test_a_quote_that_never_closes_is_reported(tmp_path: Path) -> None:
    rows, bad, _ = reading.read(written(tmp_path, [GOOD[1], '9,U,"题,2019-01-01,文,0']))
    assert len(rows) == 1
    assert "引号没有闭合" in bad[0].reason


def test_a_file_without_the_columns_is_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(NotComplaints, match="detail"):
        reading.read(written(tmp_path, [], header="message_id,user_id,title,created_at"))


def test_a_broken_gzip_is_refused_in_words(tmp_path: Path) -> None:
    path = written(tmp_path, GOOD, packed=True)
    path.write_bytes(path.read_bytes()[:-12])
    with pytest.raises(NotComplaints, match="gzip"):
        reading.read(path)


def test_rows_become_complaints_spread_over_the_days_at_places_of_the_district(tmp_path: Path) -> None:
    rows, _, _ = reading.read(written(tmp_path, GOOD))
    begins = datetime.combine(FIRST_DAY, time(8), ZONE)
    found = reading.as_complaints(rows, Chance(1), begins, 20, ESTATES)
    assert [item.external_id for item in found] == ["3", "5", "7"]
    assert found[0].form["place"] == {"estate": ESTATES[4]["code"]}
    assert [item.form["kind"] for item in found] == ["咨询", "求助", "投诉"]
    assert found[0].form["complainant"] == {"name": "U2"}
    assert found[1].form["complainant"] == {"anonymous": True}
    assert begins == found[0].arrives < found[1].arrives < found[2].arrives
    assert (found[2].arrives - begins).days < 20
    assert found == reading.as_complaints(rows, Chance(1), begins, 20, ESTATES)

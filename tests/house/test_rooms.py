"""The rooms tell the story: few files in each, no names twice, SQL in the store; and a planted violation is seen."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests import ROOT
from tests.house.rooms import PACKAGE, House, copy_sources

from wuye_loop.app import make_site
from wuye_loop.demo.district import district
from wuye_loop.prepare import prepare
from wuye_loop.settings import Settings
from wuye_loop.store.database import Database
from wuye_loop.store.directory.load import load_directory

SOURCE = ROOT / "src" / PACKAGE
HOUSE = House.at(SOURCE)
SOME_TWENTY = 22
#: A file for each command is a natural listing.
CROWDED = {"cli"}
#: The server is started, and its first database made, before there is a store.
SQL_ELSEWHERE = {"postgres/server.py"}


def crowded(house: House) -> set[str]:
    return {room for room, files in house.rooms().items() if len(files) > SOME_TWENTY}


def sql_elsewhere(house: House) -> set[str]:
    return {name for name in house.sql() if not name.startswith("store/")}


def test_no_room_is_crowded() -> None:
    assert crowded(HOUSE) == CROWDED
    many = {f"web__page{chr(97 + n)}": "" for n in range(SOME_TWENTY + 1)}
    assert crowded(HOUSE.with_(**many)) == CROWDED | {"web"}


def test_no_room_is_a_row_of_prefixes() -> None:
    assert HOUSE.prefixed() == []
    assert HOUSE.with_(loop__score_a="", loop__score_b="", loop__score="").prefixed() == ["loop/score*"]


def test_every_room_says_what_is_in_it() -> None:
    assert HOUSE.silent() == []
    assert HOUSE.with_(attic__box="").silent() == ["attic"]


def test_a_class_name_means_one_thing_on_its_floor() -> None:
    assert HOUSE.named_twice() == []
    assert HOUSE.with_(domain__new="class Rules: ...").named_twice() == ["Rules: domain/rules/rules.py, domain/new.py"]


def test_sql_is_spoken_in_the_store_and_nowhere_else() -> None:
    assert sql_elsewhere(HOUSE) == SQL_ELSEWHERE
    planted = {
        "loop__a": 'session.execute("SELECT 1")',
        "loop__b": "from sqlalchemy import select",
        "loop__c": "connection.exec_driver_sql(x)",
        "loop__d": '"""SELECT nothing."""',
    }
    assert sql_elsewhere(HOUSE.with_(**planted)) - SQL_ELSEWHERE == {"loop/a.py", "loop/b.py", "loop/c.py"}


PLANTED = {
    "Imports point down only": ("domain/errors.py", "wuye_loop.store.visibility"),
    "The rooms of the domain, top first": ("domain/language/forms.py", "wuye_loop.domain.step.records"),
    "What runs never opens the rules on paper": ("queries/scope.py", "wuye_loop.authoring.schema"),
    "The six stages never import each other": ("loop/assign.py", "wuye_loop.loop.collect"),
    "No circles": ("store/reads/totals.py", "wuye_loop.store.reads.health"),
}


def test_the_import_contracts_say_no_to_what_is_planted(tmp_path: Path) -> None:
    """Each contract breaks when it is violated: one whose names no longer fit would be kept whatever happens."""
    copy = tmp_path / PACKAGE
    copy_sources(copy)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for file, module in PLANTED.values():
        plant(copy / file, module)
    plant(copy / "store/reads/health.py", "wuye_loop.store.reads.totals")
    lint = [sys.executable, "-c", "from importlinter.cli import lint_imports_command as lint; lint()"]
    told = subprocess.run(
        [*lint, "--no-cache"], cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(tmp_path)},
        capture_output=True, text=True, check=False, timeout=120,
    ).stdout  # fmt: skip
    assert [name for name in PLANTED if f"{name} BROKEN" not in told] == []
    assert f"{len(PLANTED)} broken" in told
    assert " 0 kept" in told


def plant(file: Path, module: str) -> None:
    file.write_text(f"{file.read_text(encoding='utf-8')}\nimport {module}\n", encoding="utf-8")


SERVED = """
import asyncio, sys
from pathlib import Path
import httpx
from wuye_loop.app import create_app, make_site
from wuye_loop.prepare import prepare
from wuye_loop.settings import Settings
from wuye_loop.store.database import Database, open_database
from wuye_loop.store.keys import api_keys

async def main(folder, url):
    settings = Settings(data=Path(folder), database_url=url)
    Database.check_durability = lambda self: None  # that of the tests keeps no promises
    with open_database(settings, statement_timeout_ms=0) as database:
        site = make_site(settings, database)
        prepare(site)
        with database.begin() as session:
            made = {"now": site.loop.clock.now(), "ids": site.loop.ids}
            hotline = api_keys.create(session, role="hotline", **made)
            centre = api_keys.create(session, role="unit", unit="property-centre", **made)
        transport = httpx.ASGITransport(create_app(site))
        async with httpx.AsyncClient(transport=transport, base_url="http://here") as http:
            order = {"external_id": "1", "channel": "电话", "kind": "投诉", "title": "电梯停运", "body": "停了两天"}
            taken = await http.post("/v1/grievances", json=order, headers={"Authorization": f"Bearer {hotline}"})
            path = f"/v1/grievances/{taken.json()['number']}/actions/accept"
            done = await http.post(path, json={}, headers={"Authorization": f"Bearer {centre}"})
            print(taken.status_code, done.status_code)
        await database.dispose_async()
    print(sorted(name for name in sys.modules if name.startswith("wuye_loop.authoring")))

asyncio.run(main(sys.argv[1], sys.argv[2]))
"""


def test_a_server_whose_files_are_published_loads_nothing_of_the_rules_on_paper(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    prepare(make_site(Settings(data=tmp_path), database))
    with database.begin() as session:
        load_directory(session, district())
    told = subprocess.run(
        [sys.executable, "-c", SERVED, str(tmp_path), database_url],
        capture_output=True, text=True, check=True, timeout=120,
    ).stdout  # fmt: skip
    assert [line for line in told.splitlines() if "[info " not in line] == ["201 200", "[]"]

"""What is published at the start, and what goes on when a file is refused."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.site import MONDAY, text_of

from wuye_loop.app import make_site
from wuye_loop.domain.errors import DefinitionError
from wuye_loop.edge.site import Site
from wuye_loop.loop.evaluate import closing
from wuye_loop.ports import SettableClock
from wuye_loop.prepare import prepare
from wuye_loop.settings import Settings
from wuye_loop.store.database import Database
from wuye_loop.store.workflows import versions
from wuye_loop.store.workflows.versions import digest_of

CITY = "extends: standard@1\nname: city\nversion: 1\ntitle: 某市\nlabels: {reason: 事由}\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "workflows"
    made.mkdir()
    (made / "standard@1.yaml").write_text(text_of("standard@1"), encoding="utf-8")
    (made / "city@1.yaml").write_text(CITY, encoding="utf-8")
    return made


def site(database: Database, folder: Path, default: str = "city@1") -> Site:
    values: dict[str, Any] = {"data": folder.parent / "var", "workflows": (folder,), "default_workflow": default}
    return make_site(Settings(**values), database, clock=SettableClock(MONDAY))


def published(database: Database) -> dict[str, str]:
    with database.read() as session:
        return versions.published(session)


def test_a_city_and_its_base_are_published_once_and_read_from_the_database_alone(
    database: Database, folder: Path
) -> None:
    town = site(database, folder)
    assert prepare(town).published == ["city@1", "standard@1"]
    assert prepare(town).published == []
    for file in folder.iterdir():
        file.unlink()
    with database.begin() as session:
        rules = town.loop.reference.rules(session, "city@1")
    assert (rules.workflow.title, rules.workflow.labels["reason"]) == ("某市", "事由")
    assert rules.workflow.states.keys() >= {"received", "handling", "closed"}


def test_a_broken_file_is_refused_and_what_is_published_goes_on(
    database: Database, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    town = site(database, folder)
    prepare(town)
    (folder / "bad@1.yaml").write_text(CITY.replace("city", "bad") + "states: {handling: null}\n", encoding="utf-8")
    (folder / "lost@1.yaml").write_text(CITY.replace("standard@1", "none@9"), encoding="utf-8")
    (folder / "gbk@1.yaml").write_bytes("title: 奎文".encode("gbk"))
    (folder / "new@1.yaml").write_text(CITY.replace("city", "new"), encoding="utf-8")
    done = prepare(town)
    assert done.published == ["new@1"]
    assert {Path(file).name for file in done.refused} == {"bad@1.yaml", "lost@1.yaml", "gbk@1.yaml"}
    assert "standard@1.yaml:" in done.refused[str(folder / "bad@1.yaml")]
    assert "找不到底本 none@9" in done.refused[str(folder / "lost@1.yaml")]
    assert "UTF-8" in done.refused[str(folder / "gbk@1.yaml")]
    assert published(database).keys() == {"city@1", "standard@1", "new@1"}
    said = [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
    assert [Path(words.split()[1]).name for words in said] == ["bad@1.yaml", "gbk@1.yaml", "lost@1.yaml"]
    assert all("已发布的版本照常运行" in words for words in said)


def test_a_published_file_that_was_changed_is_refused_with_both_hashes_and_goes_on_as_published(
    database: Database, folder: Path
) -> None:
    town = site(database, folder)
    prepare(town)
    before = published(database)
    base = folder / "standard@1.yaml"
    was = base.read_text(encoding="utf-8")
    base.write_text(was + "# 改了\n", encoding="utf-8")
    done = prepare(town)
    assert {Path(file).name for file in done.refused} == {"city@1.yaml", "standard@1.yaml"}
    for words in done.refused.values():
        assert (
            f"standard@1.yaml 已发布的 sha256 是 {digest_of(was)}，现在的文件是 {digest_of(was + '# 改了' + chr(10))}"
            in words
        )
    assert published(database) == before


def test_without_a_default_workflow_to_serve_the_start_is_refused_in_words(database: Database, folder: Path) -> None:
    (folder / "city@1.yaml").write_text(CITY + "states: {handling: null}\n", encoding="utf-8")
    with pytest.raises(DefinitionError, match="没有状态“handling”"):
        prepare(site(database, folder))
    assert published(database).keys() == {"standard@1"}


SCHEME = """kind: assessment
name: city
version: 1
title: 某市考核
workflow: city@1
subjects: {are: company}
measures: {volume: {title: 诉求量, count: grievances}}
periods: {month: {every: month, figures: [volume], publishes: at_close}}
"""


def test_a_scheme_with_an_error_leaves_the_published_one_running(database: Database, folder: Path) -> None:
    town = site(database, folder)
    schemes_folder = folder / "assessments"
    schemes_folder.mkdir()
    (schemes_folder / "city@1.yaml").write_text(SCHEME, encoding="utf-8")
    assert prepare(town).published[-1] == "assessments/city@1"
    later = SCHEME.replace("version: 1", "version: 2")
    (schemes_folder / "city@2.yaml").write_text(later.replace("[volume]", "[volum]"), encoding="utf-8")
    (schemes_folder / "city@1.yaml").write_text(SCHEME.replace("某市考核", "另一个"), encoding="utf-8")
    done = prepare(town)
    assert done.published == []
    assert "没有指标“volum”，是不是 volume？" in done.refused[str(schemes_folder / "city@2.yaml")]
    assert "已经发布，不能再改" in done.refused[str(schemes_folder / "city@1.yaml")]
    clock = town.loop.clock
    assert isinstance(clock, SettableClock)
    clock.set(MONDAY + timedelta(days=40))
    closing.close_due(town.loop, database)
    rows = "SELECT scheme, state FROM assessment WHERE state <> 'due' ORDER BY starts"
    with database.read() as session:
        closed = [tuple(row) for row in session.connection().exec_driver_sql(rows)]
    assert closed == [("city@1", "published")]

"""`wuye-loop doctor`. It compares our clock with the server's, so that here commands go by the machine's own."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from tests.cli.conftest import Run, copied, inhabited, installation

from wuye_loop import settings
from wuye_loop.cli import checkup
from wuye_loop.cli.checkup import Remark
from wuye_loop.cli.database import opened
from wuye_loop.ports import SystemClock

# Whatever the year, its notice was published and so was the next one's.
YEARS = range(2004, 2100)


@pytest.fixture(scope="session")
def lived_in(durable_template_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    folder = tmp_path_factory.mktemp("well")
    notice = folder / "notice.csv"
    notice.write_text("date,works\n" + "".join(f"{year}-01-01,0\n{year}-10-01,0\n" for year in YEARS))
    with inhabited(durable_template_url, folder, SystemClock()) as made:
        with installation(*made, SystemClock()) as command:
            assert command("calendar", "import", notice, "--yes").exit_code == 0
        yield made


@pytest.fixture
def look(lived_in: tuple[str, Path]) -> Iterator[Run]:
    with installation(*lived_in, SystemClock()) as command:
        yield command


@pytest.fixture
def healthy(lived_in: tuple[str, Path], tmp_path: Path) -> Iterator[Run]:
    with copied(lived_in, tmp_path, SystemClock()) as command:
        yield command


def ask(run: Run) -> tuple[int, dict[str, Any]]:
    """Return the exit code and, by topic, the words of what is not in order."""
    result = run("doctor", "--json")
    remarks = json.loads(result.stdout)["remarks"]
    return result.exit_code, {one["topic"]: one["words"] for one in remarks if one["level"] == "wrong"}


def write(statement: str) -> None:
    with opened(None) as database, database.begin() as session:
        session.execute(text(statement))


def test_nothing_is_wrong_with_a_healthy_installation(look: Run) -> None:
    assert ask(look) == (0, {})
    said = look("doctor").stdout
    assert "正常 表结构" in said
    assert "kuiwen@1 没有错误，用到的单位都在目录里" in said


def test_an_empty_installation_lacks_its_directory(run: Run) -> None:
    code, wrong = ask(run)
    assert code == 1
    assert "directory load" in wrong["目录"]


def test_a_unit_that_a_workflow_names_and_nobody_knows_is_named(healthy: Run) -> None:
    write("UPDATE unit SET active = false WHERE code = 'tax'")
    assert "tax" in ask(healthy)[1]["流程"]


def test_what_a_scheme_will_need_and_nobody_is_there_for_is_told_of(healthy: Run) -> None:
    write("UPDATE unit SET active = false WHERE code = 'district-party-office'")
    code, wrong = ask(healthy)
    assert code == 1
    assert wrong["考核"].startswith("kuiwen-estates@1：目录里没有“区委办公室”（district-party-office）：处置“")
    write("DELETE FROM workflow WHERE id = 'kuiwen@2'")
    assert ask(healthy)[1]["考核"] == "kuiwen-estates@1 所用的流程 kuiwen@2 没有发布：封不了账，也立不了案"


def test_open_grievances_that_no_unit_holds_are_counted(healthy: Run) -> None:
    write("UPDATE grievance SET holder_unit = NULL WHERE external_id = '1'")
    assert "1 件在办诉求没有持有单位" in ask(healthy)[1]["持有单位"]
    write("UPDATE grievance SET holder_unit = 'company-01'")
    write("UPDATE unit SET active = false WHERE code = 'company-01'")
    assert "3 件在办诉求由已停用的单位持有" in ask(healthy)[1]["持有单位"]


def test_rungs_that_should_have_fired_are_counted(healthy: Run) -> None:
    write("UPDATE rung SET at = now() - interval '10 minutes', fired_at = NULL")
    assert "最久的已晚 10 分钟" in ask(healthy)[1]["督办扫描"]


def test_jobs_that_failed_or_were_left_are_counted(healthy: Run) -> None:
    write("INSERT INTO procrastinate_jobs (queue_name, task_name, status) VALUES ('q', 't', 'doing')")
    assert "1 个任务的执行者已中断" in ask(healthy)[1]["后台任务"]
    write("UPDATE procrastinate_jobs SET status = 'failed' WHERE queue_name = 'q'")
    assert "1 个任务多次重试后失败" in ask(healthy)[1]["后台任务"]


def test_a_published_workflow_whose_file_was_changed_is_named(
    healthy: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "workflows"
    folder.mkdir()
    (folder / "kuiwen@1.yaml").write_text("name: other")
    monkeypatch.setenv("WUYE_WORKFLOWS", str(folder))
    settings.load.cache_clear()
    assert "kuiwen@1" in ask(healthy)[1]["流程文件"]


def test_a_wrong_choice_of_workflows_is_told_as_that_and_all_else_is_looked_at(
    healthy: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    write("UPDATE unit SET active = false WHERE code = 'tax'")
    monkeypatch.setenv("WUYE_WORKFLOW_BY", "channel=巡查")
    settings.load.cache_clear()
    code, wrong = ask(healthy)
    assert code == 1
    assert "WUYE_WORKFLOW_BY" in wrong["流程文件"]
    assert "tax" in wrong["流程"]
    assert "数据库" not in wrong


def test_the_units_of_a_workflow_that_some_go_by_are_to_be_known_too(
    healthy: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WUYE_WORKFLOW_BY", "channel=巡查 -> jinan@1")
    settings.load.cache_clear()
    code, wrong = ask(healthy)
    assert code == 1
    assert "jinan@1" in wrong["流程"]


def test_a_key_ring_that_is_open_or_gone_is_told(healthy: Run, tmp_path: Path) -> None:
    ring = tmp_path / "var" / "keys.json"
    ring.chmod(0o644)
    assert "chmod 600" in ask(healthy)[1]["身份密钥"]
    ring.unlink()
    assert "请从备份恢复" in ask(healthy)[1]["身份密钥"]


def test_keys_that_end_soon_are_named(healthy: Run) -> None:
    healthy("key", "create", "--role", "auditor", "--days", "5")
    assert "（auditor）" in healthy("doctor").stdout


def test_whose_the_keys_are_is_told(healthy: Run) -> None:
    def said() -> list[str]:
        remarks = json.loads(healthy("doctor", "--json").stdout)["remarks"]
        return [f"{one['level']} {one['words']}" for one in remarks if one["topic"] == "密钥持有人"]

    (unnamed, lacking, deaf) = said()
    assert unnamed.startswith("warning wyl_live_")
    assert "未具名" in unnamed
    assert "security、auditor" in lacking
    assert "报警" in deaf
    (row,) = json.loads(healthy("key", "list", "--json").stdout)
    healthy("key", "name", row["prefix"], "--holder", "丁某 0004")
    healthy("key", "create", "--role", "security", "--holder", "甲某 0001")
    healthy("key", "create", "--role", "auditor", "--unit", "fire", "--holder", "丙某 0003")
    assert said() == ["ok 可用的密钥都写明了持有人"]
    healthy("key", "create", "--role", "auditor", "--holder", "甲某某 0001")
    assert any("三个人" in words for words in said())


def test_tables_that_lost_a_column_are_told_by_doctor_and_by_whatever_would_start_on_them(healthy: Run) -> None:
    write("ALTER TABLE grievance DROP COLUMN urged")
    assert "表 grievance 没有列 urged" in ask(healthy)[1]["表结构"]
    refused = healthy("verify")
    assert refused.exit_code == 1
    assert "表 grievance 没有列 urged" in refused.stderr
    assert "Traceback" not in refused.output


def test_a_database_behind_the_program_is_told_and_left_alone(healthy: Run) -> None:
    write("UPDATE alembic_version SET version_num = '0001'")
    for _ in range(2):
        assert "0001" in ask(healthy)[1]["表结构"]


def test_a_server_that_is_not_there_is_told_without_its_password(look: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WUYE_DATABASE_URL", "postgresql://me:hush@127.0.0.1:1/x")
    settings.load.cache_clear()
    code, wrong = ask(look)
    assert code == 1
    assert "连接不上数据库" in wrong["数据库"]
    assert "hush" not in look("doctor").stdout
    assert "连接不上数据库" in look("key", "list").stderr


def test_a_folder_without_a_database_stays_so(look: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WUYE_DATABASE_URL")
    settings.load.cache_clear()
    result = look("doctor", "--data", tmp_path / "nothing")
    assert result.exit_code == 0
    assert "还没有数据库" in result.stdout
    assert not (tmp_path / "nothing").exists()


@pytest.mark.parametrize(("day", "level"), [("2099-06-01", "ok"), ("2099-11-21", "warning"), ("2100-01-01", "wrong")])
@pytest.mark.usefixtures("look")
def test_the_coming_year_is_asked_for_when_its_notice_is_due(day: str, level: str) -> None:
    now = datetime.fromisoformat(day).replace(tzinfo=UTC)
    with opened(None) as database, database.read() as session:
        found = {one.topic: one for one in checkup.contents(session, settings.load(), now)}
    assert found["工作日历"].level == level


def test_a_clock_that_is_off_is_told(look: Run) -> None:
    now = SystemClock().now() - timedelta(minutes=5)  # the server tells the time by the machine's clock too
    with opened(None) as database:
        found = {one.topic: one for one in checkup.server(database, lambda: now)}
    assert found["时钟"].level == "wrong"
    assert "300" in found["时钟"].words


def test_the_worst_remark_decides() -> None:
    remarks = [Remark("ok", "a", ""), Remark("warning", "b", "")]
    assert checkup.worst(remarks) == "warning"
    assert checkup.worst([*remarks, Remark("wrong", "c", "")]) == "wrong"
    assert checkup.worst([]) == "ok"


def test_damaged_records_are_counted_and_the_first_are_named(healthy: Run) -> None:
    write("UPDATE grievance SET state = 'nowhere' WHERE number = (SELECT min(number) FROM grievance)")
    write(
        "UPDATE clock SET image = '{}', packed = NULL WHERE grievance_id = (SELECT id FROM grievance ORDER BY number DESC LIMIT 1)"
    )
    code, wrong = ask(healthy)
    assert code == 1
    assert wrong["记录"].startswith("2 件诉求的记录损坏")
    assert "状态不在流程里" in wrong["记录"]
    assert "时限 " in wrong["记录"]

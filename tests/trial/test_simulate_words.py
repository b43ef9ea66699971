"""What a simulation tells its readers: what was changed, what the figures count, and what must not be read into them."""

from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from wuye_loop.cli import app
from wuye_loop.trial.simulation.results.cautions import worse_elsewhere
from wuye_loop.trial.simulation.results.report import compared
from wuye_loop.trial.simulation.results.summary import Figure

GATE = """
name: gate
version: 1
title: 门口和大厅
roles:
  resident: {title: 诉求人, is: complainant}
  desk: {title: 门口, unit: door}
  hall: {title: 大厅, unit: hall}
instruments: {remind: {title: 催办}}
states:
  received: {stage: collect, title: 待受理, holder: desk}
  open: {stage: handle, title: 办理中, holder: hall}
  closed: {stage: evaluate, title: 办结, final: true}
clocks:
  accept: {title: 受理时限, during: received, limit: {is: 1 workday}}
  arrive: {title: 到场时限, during: open, starts: at once, limit: {is: 2 hours}}
  handle:
    title: 办理时限
    during: open
    assessed: true
    limit: [{when: {urgency: 特急}, is: 1 workday}, {when: {kind: 咨询}, is: 2 workdays}, {is: 5 workdays}]
actions:
  accept: {title: 受理, from: received, to: open, by: desk}
  finish: {title: 办完, from: open, to: closed, by: hall}
routers: [{kind: desk}]
"""
BASE = ("--per-day", "12", "--days", "40", "--start", "2026-03-02")


@pytest.fixture
def flow(tmp_path: Path) -> Path:
    file = tmp_path / "gate@1.yaml"
    file.write_text(GATE, encoding="utf-8")
    return file


def said(flow: Path, *args: str, seeds: int = 2) -> str:
    asked = ["simulate", str(flow), *BASE, "--seeds", str(seeds), *args]
    return CliRunner().invoke(app, asked, catch_exceptions=False, env={"COLUMNS": "400"}).stdout


def figures(headline: float, clocks: dict[str, float], **more: Any) -> Figure:
    def rate(share: float) -> Figure:
        return {"rate": share, "in_time": round(share * 10_000), "due": 10_000, "low": share, "high": share}

    counts = {key: {"mean": 0.0, "low": 0, "high": 0} for key in ("arrived", "closed", "open", "again")}
    each = [
        {"clock": name, "title": name, "assessed": name == "办理时限", "on_time": rate(share), "rungs": []}
        for name, share in clocks.items()
    ]
    return {**counts, "seeds": [1, 2], "on_time": rate(headline), "clocks": each, "units": [], **more}


def test_counts_of_all_seeds_together_are_called_so(flow: Path) -> None:
    assert "%（合计 " in said(flow)
    assert "%（合计 " not in said(flow, seeds=1)


def test_the_what_if_says_in_its_heading_what_was_changed(flow: Path) -> None:
    out = said(flow, "--limit", "handle=3 workdays", "--staff-change", "hall=+2")
    assert "如果办理时限（其余）由 5 个工作日改为 3 个工作日、大厅由 " in out
    assert "对比：如果办理时限" in out


def test_a_limit_that_is_changed_alone_says_which_stay_and_how_they_are_written(flow: Path) -> None:
    out = said(flow, "--limit", "handle=3 workdays")
    assert "“办理时限”另有 2 条没有改，要改就在 --limit 里写：handle:1=（紧急程度 为 特急，现为 1 个工作日）" in out
    assert "handle:2=（诉求类型 为 咨询，现为 2 个工作日）" in out
    assert "没有改" not in said(flow, "--limit", "accept=2 workdays")
    shown = CliRunner().invoke(app, ["simulate", "--help"], env={"COLUMNS": "400"}).stdout
    assert "handle:2=" in shown


def test_another_workflow_is_named_in_the_heading(flow: Path, tmp_path: Path) -> None:
    other = tmp_path / "gate@2.yaml"
    other.write_text(GATE.replace("version: 1", "version: 2"), encoding="utf-8")
    assert "如果改用 gate@2：gate@2 门口和大厅" in said(flow, "--against", str(other))


def test_what_is_shown_alike_differs_by_nothing() -> None:
    spread = {"mean": 4556.4, "low": 4550, "high": 4560}
    before = figures(0.9321, {}, open=spread)
    after = figures(0.9319, {}, open={**spread, "mean": 4555.8})
    rows = {str(row[0]): row for row in compared(before, after)}
    assert rows["期末在办"] == ("期末在办", "4,556", "4,556", "")
    assert rows["按时率"][3] == ""
    worse = {str(row[0]): row for row in compared(before, figures(0.9314, {}))}
    assert "-0.1 个百分点" in str(worse["按时率"][3])


def test_a_rate_that_rises_while_another_clock_is_worse_is_no_plain_good_news() -> None:
    before = figures(0.90, {"受理时限": 0.95, "办理时限": 0.90})
    (words,) = worse_elsewhere(before, figures(0.92, {"受理时限": 0.70, "办理时限": 0.92}))
    assert words.startswith("按时率升了 2.0 个百分点，它只计办理时限；同时受理时限降了 25.0 个百分点")
    assert worse_elsewhere(before, figures(0.92, {"受理时限": 0.96, "办理时限": 0.92})) == []
    assert worse_elsewhere(before, figures(0.80, {"受理时限": 0.70, "办理时限": 0.80})) == []


def test_a_limit_shorter_than_the_assumed_work_is_said_with_the_keys_that_change_it(flow: Path, tmp_path: Path) -> None:
    assert "“到场时限”（2 小时）比推定的用时短，大多会超期：“办完”推定 60 分钟、另等 1 个工作日" in said(flow)
    assert "work.finish.minutes、work.finish.wait" in said(flow)
    staff = tmp_path / "staff.yaml"
    staff.write_text("work: {finish: {minutes: 30, wait: 0}}", encoding="utf-8")
    assert "比推定的用时短" not in said(flow, "--staff", str(staff))


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (("--start", "0001-01-01"), "--start 加上 --days 应在日历的 1990 至 2200 年之内"),
        (("--start", "9999-12-30"), "--start 加上 --days 应在日历的 1990 至 2200 年之内"),
        (("--start", "2190-01-01", "--limit", "handle=600 months"), "走出了日历"),
        (("--limit", "handle=10000 months"), "--limit handle：一段时间的数字最多"),
    ],
)
def test_what_no_calendar_has_is_said_in_words(flow: Path, args: tuple[str, ...], words: str) -> None:
    ran = CliRunner().invoke(app, ["simulate", str(flow), "--per-day", "5", "--days", "30", *args])
    assert ran.exit_code == 1
    assert words in ran.output


def test_processes_say_the_same_in_words(flow: Path) -> None:
    args = ["simulate", str(flow), "--per-day", "1200", "--days", "40", "--seeds", "2", "--start", "2190-01-01"]
    ran = CliRunner().invoke(app, [*args, "--limit", "handle=600 months"])
    assert (ran.exit_code, "走出了日历" in ran.output) == (1, True)

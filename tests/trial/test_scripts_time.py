"""How a test writes the end of a day and the rungs of a ladder, and how it asks what a grievance does not count in."""

from pathlib import Path

import pytest

from wuye_loop.trial.definition_tests.load import read_script
from wuye_loop.trial.definition_tests.run import run
from wuye_loop.trial.definition_tests.time import rung_name, wall

CLOCKED = """extends: standard@1
name: clocked
version: 1
title: 到期
clocks:
  accept: {starts: same day, limit: {is: 8 days}, ladder: [{at: -1 day, do: remind, to: dispatcher}, {at: +1 day, do: remind, to: dispatcher}]}
actions:
  spare: {title: 剔除, from: received, by: dispatcher, needs: {why: text}, effect: {exclude: {figure: on_time, reason: why}}}
"""


def clocked(folder: Path, body: str) -> list[str]:
    """Run a test of a workflow whose grievances must be accepted by the end of the eighth day; say what failed."""
    (folder / "clocked@1.yaml").write_text(CLOCKED, encoding="utf-8")
    path = folder / "clocked@1.test.yaml"
    head = 'workflow: clocked@1\ngiven: {calendar: {today: "2026-03-02 09:00"}}\ntests:\n  - name: 一个测试\n'
    path.write_text(head + body, encoding="utf-8")
    return [str(failure).removeprefix(f"{path}:") for result in run(read_script(path)) for failure in result.failures]


@pytest.mark.parametrize("due", ["2026-03-09 24:00", "2026-03-10 00:00", "2026-03-10 00:00:00", "2026-03-09"])
def test_midnight_is_the_end_of_the_day_before_however_it_is_written(due: str, tmp_path: Path) -> None:
    assert clocked(tmp_path, f'    then: {{due: {{accept: "{due}"}}}}\n') == []


def test_a_step_may_go_to_the_end_of_a_day(tmp_path: Path) -> None:
    body = '    when:\n      - {at: "2026-03-08 24:00"}\n    then: {fired: {accept/-1 day: "2026-03-08 24:00"}}\n'
    assert clocked(tmp_path, body) == []


def test_another_midnight_is_another_instant(tmp_path: Path) -> None:
    (found,) = clocked(tmp_path, '    then: {due: {accept: "2026-03-10 24:00"}}\n')
    assert found == "5:26: 时限 accept 应于 2026-03-10 24:00 到期，实为 2026-03-10 00:00"


@pytest.mark.parametrize("name", ["accept/+1 day", "accept/1 day", "accept/+1 days", "accept/2"])
def test_a_rung_is_called_by_its_offset_with_or_without_its_sign(name: str, tmp_path: Path) -> None:
    body = f'    when:\n      - at: "2026-03-10 23:59"\n        then: {{not_fired: ["{name}"]}}\n      - {{wait: 1 minute}}\n'
    assert clocked(tmp_path, f'{body}    then: {{fired: ["{name}", accept/-1 day]}}\n') == []


def test_what_a_grievance_does_not_count_in_can_be_tested(tmp_path: Path) -> None:
    when = "    when:\n      - then: {excluded: []}\n      - {by: dispatcher, do: spare, form: {why: 失实}}\n    then: "
    assert clocked(tmp_path, f"{when}{{excluded: {{on_time: 失实, satisfaction: false}}}}\n") == []
    assert clocked(tmp_path, f"{when}{{excluded: on_time}}\n") == []
    wrong = {
        "[]": "不应剔除，实际不计入：on_time",
        "{on_time: 不属实}": "on_time 剔除的理由应为 不属实，实为 失实",
        "{on_time: false}": "on_time 应计入，实际不计入的有：on_time",
        "satisfaction": "satisfaction 应不计入，实际不计入的有：on_time",
    }
    for expected, words in wrong.items():
        (found,) = clocked(tmp_path, f"{when}{{excluded: {expected}}}\n")
        assert found.endswith(words)


@pytest.mark.parametrize("text", ["2026-02-30", "2026-03-09 25:00", "2026-03-09 24:30", "9999-12-31 24:00", "明天"])
def test_what_is_no_instant_is_refused_in_words(text: str) -> None:
    with pytest.raises(ValueError, match="时刻要写成"):
        wall(text)


def test_what_is_no_offset_is_left_as_it_is_written() -> None:
    assert [rung_name(one) for one in ("red_card", "handle/red_card", "a/b/-2 workday")] == [
        "red_card",
        "handle/red_card",
        "a/b/-2 workdays",
    ]

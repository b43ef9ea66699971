"""Conditions read as people speak."""

from typing import Any

import pytest
from tests import ROOT

from wuye_loop.authoring.checker.check import load
from wuye_loop.domain.language.conditions import Condition
from wuye_loop.domain.wording.counts import counted
from wuye_loop.domain.wording.definition import Wording

SMALL = load((ROOT / "tests" / "authoring" / "small.yaml").read_text(encoding="utf-8"), "small.yaml")
SAID: dict[str, tuple[dict[str, Any], str]] = {
    "none open": ({"open.assist": 0}, "“协办”都已办完"),
    "some open": ({"open.assist": {"min": 1}}, "有“协办”未办完"),
    "not none open": ({"open.assist": {"not": 0}}, "有“协办”未办完"),
    "several open": ({"open.assist": {"min": 2}}, "未办完的“协办”不少于 2 件"),
    "never opened": ({"tasks.assist": {"max": 0}}, "没有开过“协办”"),
    "opened": ({"tasks.assist": {"min": 1}}, "开过“协办”"),
    "opened so often": ({"tasks.assist": {"min": 2, "max": 3}}, "“协办”开过 2 至 3 件"),
    "done": ({"done.finish": {"min": 1}}, "办过“办结”"),
    "not done": ({"done.finish": {"not": {"min": 1}}}, "没有办过“办结”"),
    "done once exactly": ({"done.finish": 1}, "“办结”办过 1 次"),
    "not done in this cycle": ({"cycle_done.finish": 0}, "本轮没有办过“办结”"),
    "done at most so often in this cycle": ({"cycle_done.finish": {"max": 2}}, "“办结”本轮办过不多于 2 次"),
    "nobody leads": ({"lead": None}, "还没有主办单位"),
    "somebody leads": ({"lead": {"not": None}}, "已有主办单位"),
    "which cycle": ({"cycle": 2}, "第 2 轮"),
    "one of two cycles": ({"cycle": [1, 2]}, "第 1 或 2 轮"),
    "a field left empty": ({"extra.new_ground": None}, "没有写“new_ground”"),
    "a field filled in": ({"form.reason": {"not": None}}, "填了“reason”"),
    "several at once": ({"open.assist": 0, "done.finish": {"min": 1}}, "“协办”都已办完且办过“办结”"),
}


@pytest.mark.parametrize("case", SAID)
def test_a_condition_reads_as_people_speak(case: str) -> None:
    raw, words = SAID[case]
    assert Wording(SMALL).condition(Condition.parse(raw)) == words


@pytest.mark.parametrize("matcher", [[0, 2], {"any": [0, {"min": 3}]}, {"not": {"min": 2}}, {"not": [0, 1]}])
def test_what_no_plain_words_were_made_for_is_left_to_the_general_ones(matcher: Any) -> None:
    assert counted("open", matcher, "“协办”") is None
    said = Wording(SMALL).condition(Condition.parse({"open.assist": matcher}))
    assert said.startswith("未结任务数“协办”")


def test_what_is_kept_under_another_name_is_called_as_it_was_asked() -> None:
    text = (ROOT / "workflows" / "standard@1.yaml").read_text(encoding="utf-8")
    standard = load(text, "standard@1.yaml")
    (limit,) = {
        limit.until: limit for clock in standard.clocks.values() for limit in clock.limit if limit.until
    }.values()
    assert limit.until == "data.promised"
    assert Wording(standard).long(limit) == "到“承诺办结日期”那一天"

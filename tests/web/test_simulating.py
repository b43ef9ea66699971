"""试算 on a page: what the command says, drawn, bounded, and keeping nothing."""

import re

import pytest
from tests.site import Town
from tests.web.browsing import browsing

from wuye_loop.trial.simulation import aside
from wuye_loop.trial.simulation.inputs.mistakes import BadSimulation
from wuye_loop.web.staff import simulating

pytestmark = pytest.mark.anyio


async def test_a_year_is_simulated_on_a_page_with_and_without_a_change_and_its_charts_say_what_the_tables_say(
    town: Town,
) -> None:
    async with browsing(town) as visitors:
        root, market = await visitors.person("root"), await visitors.person("market")
        await market.go("/rules/simulate", expect=403)
        await root.go("/rules/simulate")
        assert root.page.form("/rules/simulate").values["per_day"] == "1"
        said = {"against": "kuiwen@1", "per_day": "4", "span": "90"}
        page = await root.send("/rules/simulate", limits="handle=2 workdays", people="property-centre=-1", **said)
        assert "如果：" in page.text
        assert "从 2026-01-01 起 90 天，每天 4 件，2 个种子" in page.text
        assert {"在办，每周", "按时率，各时限", "说明", "如果：各单位"} <= set(page.heads)
        svg = re.findall(r'<polyline points="([^"]+)"', root.raw)
        weeks = re.findall(r"<tr><td>(\d+)</td><td class=\"n\">(\d+)</td><td class=\"n\">(\d+)</td></tr>", root.raw)
        assert [len(line.split(" ")) for line in svg] == [len(weeks)] * 2
        assert root.page.form("/rules/simulate").values["limits"] == "handle=2 workdays"
        assert town.scalar("SELECT count(*) FROM grievance") == 0


async def test_what_cannot_be_simulated_is_refused_in_words_and_too_much_is_cut_and_said(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with browsing(town) as visitors:
        root = await visitors.person("root")
        await root.go("/rules/simulate")
        said = {"against": "kuiwen@1", "per_day": "4", "span": "90"}
        page = await root.send("/rules/simulate", expect=422, draft="name: [", limits="handle=2 workdays", **said)
        assert "草稿.yaml:1" in page.text
        assert root.page.form("/rules/simulate").values["draft"].strip() == "name: ["
        page = await root.send("/rules/simulate", expect=422, **said | {"per_day": "nan"})
        assert "每天多少件要写一个数" in page.text
        monkeypatch.setattr(simulating, "_SECONDS", 0.01)
        page = await root.send("/rules/simulate", expect=422, draft="", limits="", **said)
        assert "算得太久，已经停下" in page.text


def test_too_many_cases_for_a_page_are_cut_to_the_days_that_fit() -> None:
    question = aside.Question(text="", per_day=40, days=365)
    assert aside.fitting(question, 2) == 365
    assert aside.fitting(aside.Question(text="", per_day=400, days=365), 4) == 28
    assert aside.fitting(aside.Question(text="", per_day=100, days=365), 4) == 100
    with pytest.raises(BadSimulation, match="请用命令 wuye-loop simulate"):
        aside.fitting(aside.Question(text="", per_day=15_000, days=90), 2)

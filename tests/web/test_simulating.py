"""试算 on a page: what the command says, drawn, bounded, and keeping nothing."""

import re
import sys
from typing import Any

import pytest
from tests.site import Town
from tests.web.browsing import ORIGIN, browsing
from tests.web.test_english import Heard

from wuye_loop.domain.errors import BadInput, Conflict
from wuye_loop.trial.simulation import aside
from wuye_loop.trial.simulation.inputs.mistakes import BadSimulation
from wuye_loop.web.staff import simulating

pytestmark = pytest.mark.anyio


async def test_a_year_is_simulated_on_a_page_with_and_without_a_change_and_its_charts_say_what_the_tables_say(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers: list[dict[str, Any]] = []

    def simulated(question: dict[str, Any]) -> dict[str, Any]:
        answers[:] = answers or [real(question)]
        return {**answers[0]}

    real = simulating.simulated
    monkeypatch.setattr(simulating, "simulated", simulated)
    async with browsing(town) as visitors:
        root, market = await visitors.person("root"), await visitors.person("market")
        await market.go("/rules/simulate", expect=403)
        await root.go("/rules/simulate")
        assert root.page.form("/rules/simulate").values["per_day"] == "1"
        said = {"against": "kuiwen@1", "per_day": "4", "span": "90"}
        page = await root.send("/rules/simulate", limits="handle=2 workdays", people="property-centre=-1", **said)
        assert "如果：" in page.text
        assert "从 2026-01-01 起 90 天，每天 4 件，同样的件数换着运气算 2 次" in page.text
        assert {"在办，每周", "按时率，各时限", "说明", "如果：各单位"} <= set(page.heads)
        svg = re.findall(r'<polyline points="([^"]+)"', root.raw)
        weeks = re.findall(r"<tr><td>(\d+)</td><td class=\"n\">(\d+)</td><td class=\"n\">(\d+)</td></tr>", root.raw)
        assert [len(line.split(" ")) for line in svg] == [len(weeks)] * 2
        assert root.page.form("/rules/simulate").values["limits"] == "handle=2 workdays"
        assert town.scalar("SELECT count(*) FROM grievance") == 0
        root.client.cookies.set("lang", "en")
        await root.send("/rules/simulate", **said)
        heard = Heard(root.raw)
        assert {"Open, each week", "Time to take up"} <= {*root.page.heads, *root.page.words}
        assert heard.loose == []
        names = {one for code, one in town.rows("SELECT code, name FROM unit")} | {
            "奎文区“物业直通车”",
            "示范区",
            "某人root",
        }
        ours = [one for one in heard.marked if not any(name in one or one in name for name in names)]
        assert ours == []


async def test_a_draft_that_is_being_tried_is_simulated_as_it_stands_beside_the_version_it_began_from(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[dict[str, Any]] = []

    def refused(question: dict[str, Any]) -> dict[str, Any]:
        asked.append(question)
        raise Conflict("有一次试算正在进行，请等它做完再试")

    monkeypatch.setattr(simulating, "simulated", refused)
    async with browsing(town) as visitors:
        root = await visitors.person("root")
        await root.go("/rules/try")
        assert 'formaction="/rules/simulate"' in root.raw
        form = root.page.form("/rules/try").values
        longer = form["draft"].replace("5 workdays", "9 workdays")
        for draft in (longer, form["draft"]):
            sent = {**form, "draft": draft, "against": "kuiwen@1", "days": "30"}
            answer = await root.client.post("/rules/simulate", data=sent, headers={"Origin": ORIGIN})
            assert answer.status_code == 409
            assert "有一次试算正在进行" in answer.text
    assert [one["other"] is None for one in asked] == [False, True]
    assert asked[0]["other"].strip() == longer.strip()
    assert (asked[0]["days"], asked[0]["per_day"]) == (180, 1.0)


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


def test_a_process_that_fails_is_not_told_as_one_that_took_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(simulating, "_COMMAND", [sys.executable, "-c", "import nothing_of_that_name"])
    with pytest.raises(RuntimeError, match="nothing_of_that_name"):
        simulating.simulated({})
    monkeypatch.setattr(simulating, "_COMMAND", [sys.executable, "-c", "raise MemoryError"])
    with pytest.raises(BadInput, match="算得太久"):
        simulating.simulated({})

import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from wuye_loop.domain.directory.directory import Area, Directory, Unit
from wuye_loop.domain.language.workflow import RouterCall
from wuye_loop.domain.routing.chain import Choice, choose, registry, router_params
from wuye_loop.domain.routing.protocol import Reply, RoutingCase
from wuye_loop.domain.rulefile import reader
from wuye_loop.settings import shipped

DISTRICT = Area("370705", "奎文区", "district", None, "370705/")
STREET = Area("370705001", "东关街道", "street", "370705", "370705/370705001/")
COMMUNITY = Area("370705001001", "苇湾社区", "community", "370705001", "370705/370705001/370705001001/")
DIRECTORY = Directory(
    [DISTRICT, STREET, COMMUNITY],
    [
        Unit("fire", "消防救援大队", "department", "370705", None, ()),
        Unit("market", "市场监管局", "department", "370705", None, ()),
        Unit("tax", "税务局", "department", "370705", None, ()),
        Unit("housing", "住建局", "department", "370705", None, ("squad",)),
        Unit("closed", "已撤销的办公室", "department", "370705", None, ("squad",), active=False),
        Unit("street-1", "东关街道办", "street", "370705001", None, ("property-office", "squad")),
        Unit("community-1", "苇湾社区居委会", "community", "370705001001", "street-1", ("property-office",)),
        Unit("elsewhere", "别处的街道办", "street", "370786001", None, ("squad",)),
        Unit("company-1", "安居物业", "company", "370705001", None, ()),
    ],
)


def no_loads(units: Sequence[str]) -> Mapping[str, int]:
    raise AssertionError(f"nobody but least_loaded may ask for loads, and only for several: {units}")


def case(*returned: str, level: str = "community", path: str = COMMUNITY.path, **facts: object) -> RoutingCase:
    usual = {"text": "标题 正文", "company": "company-1", "urgency": "平急", "kind": "投诉", "area": COMMUNITY.code}
    return RoutingCase(usual | facts, path, level, frozenset(returned))


def chain(*calls: dict[str, Any]) -> list[RouterCall]:
    return [RouterCall.model_validate(call) for call in calls]


def kuiwen() -> list[RouterCall]:
    file = shipped("workflows") / "kuiwen@1.yaml"
    data: Any = reader.read(file.read_text("utf-8"), file.name).data
    return chain(*data["routers"])


def whys(choice: Choice) -> list[str]:
    return [trace.why for trace in choice.trace]


def test_the_duty_list_names_the_lead_and_the_estates_company_as_assistant() -> None:
    choice = choose(kuiwen(), case(category="消防安全"), DIRECTORY, no_loads)
    assert (choice.unit, choice.assists, choice.desk, choice.ask) == ("fire", ("company-1",), False, None)
    assert [trace.as_json() for trace in choice.trace] == [
        {
            "kind": "table",
            "title": "职责清单",
            "outcome": "matched",
            "why": "第 1 条成立：类别 为 消防安全 → 消防救援大队",
            "unit": "fire",
            "assists": ["company-1"],
        }
    ]


def test_the_chain_goes_on_until_somebody_answers_and_everyone_says_why() -> None:
    choice = choose(kuiwen(), case(category="绿化养护"), DIRECTORY, no_loads)
    assert choice.unit == "street-1"
    assert [(trace.kind, trace.outcome) for trace in choice.trace] == [
        ("table", "no-match"),
        ("keyword", "no-match"),
        ("territory", "matched"),
    ]
    assert [trace.title for trace in choice.trace] == ["职责清单", "关键词", "属地街道"]
    assert whys(choice)[2] == "属地街道为东关街道 → 东关街道办"


def test_a_grievance_without_category_is_told_so() -> None:
    choice = choose(kuiwen(), case(), DIRECTORY, no_loads)
    assert whys(choice)[0] == "9 条规则都不成立（诉求没有类别）"


def test_a_keyword_is_quoted_as_the_rule_wrote_it_and_never_as_the_complainant_did() -> None:
    rule = {"kind": "keyword", "rules": [{"pattern": r"电话\d+", "to": "tax", "assist": "company"}]}
    choice = choose(chain(rule), case(text="请回电话13812345678"), DIRECTORY, no_loads)
    assert (choice.unit, choice.assists) == ("tax", ("company-1",))
    assert "13812345678" not in str(choice)


def test_nobody_left_means_the_desk() -> None:
    lost = choose(kuiwen(), case(path="", company=None), DIRECTORY, no_loads)
    assert (lost.unit, lost.desk, lost.trace[-1].kind, lost.trace[-1].title) == (None, True, "desk", "人工转办")
    assert whys(lost)[2] == "诉求的属地没有街道一级"


@pytest.mark.parametrize("calls", [[], [{"kind": "territory", "level": "city"}]])
def test_a_chain_that_runs_out_ends_at_the_desk_too(calls: list[dict[str, Any]]) -> None:
    choice = choose(chain(*calls), case(), DIRECTORY, no_loads)
    assert (choice.unit, choice.ask, choice.desk) == (None, None, True)
    assert choice.trace[-1].outcome == "desk"
    assert len(choice.trace) == len(calls) + 1


def test_a_unit_that_sent_it_back_is_passed_over_and_the_next_rule_is_taken() -> None:
    rules = [{"when": {"category": "电梯"}, "to": "market"}, {"when": {"kind": "投诉"}, "to": "housing"}]
    choice = choose(chain({"kind": "table", "rules": rules}), case("market", category="电梯"), DIRECTORY, no_loads)
    assert choice.unit == "housing"
    assert whys(choice) == ["第 1 条成立，但市场监管局本轮已退回此件；第 2 条成立：诉求类型 为 投诉 → 住建局"]


@pytest.mark.parametrize(
    ("to", "words"),
    [("nobody", "名录中没有单位“nobody”"), ("closed", "已撤销的办公室已停用"), ("company", "小区没有登记物业企业")],
)
def test_a_unit_that_cannot_take_it_never_wins_and_the_trace_says_why(to: str, words: str) -> None:
    choice = choose(
        chain({"kind": "table", "rules": [{"when": {}, "to": to}]}), case(company=None), DIRECTORY, no_loads
    )
    assert choice.unit is None
    assert whys(choice)[0] == f"第 1 条成立，但{words}"


def test_assistants_that_cannot_take_it_are_left_out_with_a_word() -> None:
    rule = {"when": {}, "to": "fire", "assist": ["fire", "closed", "tax", "company", "tax", "housing"]}
    choice = choose(chain({"kind": "table", "rules": [rule]}), case("housing"), DIRECTORY, no_loads)
    assert choice.assists == ("tax", "company-1")
    assert whys(choice)[0].endswith("；未列协办：已撤销的办公室已停用；未列协办：住建局本轮已退回此件")


def test_rules_that_nearly_held_are_told_at_most_three() -> None:
    rules = [{"when": {"category": "电梯", "urgency": "特急"}, "to": "market"}] * 4
    far = {"when": {"category": "噪音", "urgency": "特急"}, "to": "tax"}
    choice = choose(chain({"kind": "table", "rules": [far, *rules]}), case(category="电梯"), DIRECTORY, no_loads)
    assert choice.trace[0].near == tuple(f"第 {n} 条（市场监管局）需要：紧急程度 为 特急" for n in (2, 3, 4))
    assert choice.trace[0].as_json()["near"] == list(choice.trace[0].near)


def test_territory_finds_the_unit_at_the_level_of_the_grievance() -> None:
    call = chain({"kind": "territory", "level": "current"})
    assert choose(call, case(level="community"), DIRECTORY, no_loads).unit == "community-1"
    assert choose(call, case(level="street"), DIRECTORY, no_loads).unit == "street-1"
    district = choose(call, case(level="district"), DIRECTORY, no_loads)
    assert whys(district)[0] == "奎文区没有职责为 property-office 的单位"
    back = choose(call, case("street-1", level="street"), DIRECTORY, no_loads)
    assert whys(back)[0] == "属地街道为东关街道，但东关街道办本轮已退回此件"


def test_the_least_loaded_unit_wins_and_of_equals_the_first_written() -> None:
    asked: list[tuple[str, ...]] = []

    def loads(units: Sequence[str]) -> Mapping[str, int]:
        asked.append(tuple(units))
        return {"fire": 7, "tax": 3, "market": 3}

    call = chain({"kind": "least_loaded", "among": ["fire", "closed", "tax", "market", "fire"]})
    choice = choose(call, case(), DIRECTORY, loads)
    assert (choice.unit, whys(choice)[0]) == ("tax", "3 个单位中在办最少（3 件） → 税务局；已撤销的办公室已停用")
    assert choose(call, case("tax"), DIRECTORY, loads).unit == "market"
    assert asked == [("fire", "tax", "market"), ("fire", "market")]
    assert choose(call, case("tax", "market"), DIRECTORY, no_loads).unit == "fire"


def test_a_unit_with_nothing_open_is_the_least_loaded() -> None:
    call = chain({"kind": "least_loaded", "among": ["fire", "tax"]})
    assert choose(call, case(), DIRECTORY, lambda _: {"fire": 1}).unit == "tax"


def test_the_least_loaded_is_sought_by_duty_on_the_grievances_own_path() -> None:
    seen: list[str] = []

    def loads(units: Sequence[str]) -> Mapping[str, int]:
        seen.extend(units)
        return {"housing": 2, "street-1": 1}

    call = chain({"kind": "least_loaded", "among": {"duty": "squad"}})
    assert choose(call, case(), DIRECTORY, loads).unit == "street-1"
    assert seen == ["housing", "street-1"]
    assert whys(choose(call, case(path=""), DIRECTORY, loads))[0] == "属地上没有职责为 squad 的单位"


@pytest.mark.parametrize("among", [[], {}, {"duty": "a", "codes": ["b"]}, {"duti": "a"}, 7])
def test_among_is_a_list_or_a_duty(among: object) -> None:
    with pytest.raises(ValidationError):
        router_params()["least_loaded"].model_validate({"among": among})


HTTP: dict[str, Any] = {"kind": "http", "title": "市平台", "url": "https://city.example/route", "fallback": "tax"}
NO_FALLBACK = {key: value for key, value in HTTP.items() if key != "fallback"}
DESK = {"kind": "desk"}


def test_another_system_must_be_asked_before_the_chain_goes_on() -> None:
    miss = {"kind": "territory", "level": "city"}
    call = chain(miss, HTTP | {"send": ["category", "title", "estate"], "timeout": 3}, DESK)
    choice = choose(call, case(category="电梯", title="请打 13812345678"), DIRECTORY, no_loads, asked={})
    assert (choice.unit, choice.desk) == (None, False)
    assert choice.ask is not None
    assert (choice.ask.index, choice.ask.url, choice.ask.timeout) == (1, HTTP["url"], 3.0)
    assert choice.ask.send == {"category": "电梯", "title": "请打 ***", "estate": None}
    assert [(trace.title, trace.outcome) for trace in choice.trace] == [("属地", "no-match"), ("市平台", "asked")]


@pytest.mark.parametrize(
    ("call", "reply", "unit", "outcome", "why"),
    [
        (HTTP, "fire", "fire", "matched", "外部系统答复 → 消防救援大队"),
        (HTTP, Reply("fire", "辖区 13812345678"), "fire", "matched", "外部系统答复 → 消防救援大队，理由：辖区 ***"),
        (HTTP, None, "tax", "fallback", "外部系统没有给出有效答复；改用后备单位 → 税务局"),
        (
            HTTP,
            Reply(None, "外部系统 2 秒内没有答复"),
            "tax",
            "fallback",
            "外部系统 2 秒内没有答复；改用后备单位 → 税务局",
        ),
        (HTTP, "nobody", "tax", "fallback", "外部系统的答复不能用：名录中没有单位“nobody”；改用后备单位 → 税务局"),
        (HTTP, "closed", "tax", "fallback", "外部系统的答复不能用：已撤销的办公室已停用；改用后备单位 → 税务局"),
        (HTTP, "market", "tax", "fallback", "外部系统的答复不能用：市场监管局本轮已退回此件；改用后备单位 → 税务局"),
        (NO_FALLBACK, None, None, "no-match", "外部系统没有给出有效答复"),
        (
            HTTP | {"fallback": "closed"},
            None,
            None,
            "no-match",
            "外部系统没有给出有效答复；后备单位也不能用：已撤销的办公室已停用",
        ),
    ],
)
def test_what_another_system_replied_is_weighed_and_told(
    call: dict[str, Any], reply: Reply | str | None, unit: str | None, outcome: str, why: str
) -> None:
    choice = choose(chain(call, DESK), case("market"), DIRECTORY, no_loads, asked={0: reply})
    assert (choice.unit, choice.desk, choice.ask) == (unit, unit is None, None)
    assert (choice.trace[0].outcome, choice.trace[0].why, choice.trace[0].unit) == (outcome, why, unit)


def test_two_systems_are_asked_one_after_the_other() -> None:
    calls = chain(NO_FALLBACK, NO_FALLBACK, DESK)
    second = choose(calls, case(), DIRECTORY, no_loads, asked={0: None})
    assert second.ask is not None
    assert second.ask.index == 1
    assert choose(calls, case(), DIRECTORY, no_loads, asked={0: None, 1: "fire"}).unit == "fire"


@pytest.mark.parametrize(
    "wrong",
    [
        {"url": "ftp://city.example/"},
        {"url": "file:///etc/passwd"},
        {"url": "http://"},
        {"url": "http://user:secret@city.example/"},
        {"url": "http://city.example:0/"},
        {"url": "http://city.example:99999/"},
        {"url": "http://[::1/"},
        {"url": "http://city.example\\@inside/"},
        {"url": "http://city.example/#a"},
        {"url": "http://city.example/ a"},
        {"timeout": 11},
        {"timeout": 0},
        {"timeout": float("nan")},
        {"send": ["category", "phone"]},
        {"send": ["text"]},
        {"send": []},
        {"headers": {}},
    ],
)
def test_only_plain_addresses_short_waits_and_known_facts_may_be_written(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        router_params()["http"].model_validate({"url": "https://city.example/"} | wrong)


def test_a_kind_that_is_not_installed_or_no_longer_fits_is_passed_over_in_words() -> None:
    calls = chain({"kind": "oracle", "title": "甲骨"}, {"kind": "territory", "levle": "street"}, DESK)
    choice = choose(calls, case(), DIRECTORY, no_loads)
    assert choice.desk
    assert whys(choice)[:2] == ["转办方式“oracle”没有安装", "参数有误：level、levle"]


PLUGIN = """
from wuye_loop.domain.routing.protocol import Answer, RouterParams, Trace

class Params(RouterParams):
    code: str

class Fixed:
    Params = Params

    def route(self, params, case, directory, loads):
        return Answer(params.code, Trace("?", "固定", "matched", "总是它"), assists=("closed", "tax", params.code))
"""


@pytest.fixture
def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Iterator[str]:
    """Install a real distribution whose entry point adds a router under the given kind."""
    kind: str = request.param
    (tmp_path / "fixed_router.py").write_text(PLUGIN, "utf-8")
    info = tmp_path / "fixed_router-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: fixed-router\nVersion: 1\n", "utf-8")
    (info / "entry_points.txt").write_text(f"[wuye_loop.routers]\n{kind} = fixed_router:Fixed\n", "utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    registry.cache_clear()
    yield kind
    registry.cache_clear()
    sys.modules.pop("fixed_router", None)


@pytest.mark.parametrize("plugin", ["always"], indirect=True)
def test_a_third_partys_router_is_found_and_held_to_the_same_rules(plugin: str) -> None:
    assert plugin in router_params()
    good = choose(chain({"kind": plugin, "code": "fire"}), case(), DIRECTORY, no_loads)
    assert (good.unit, good.assists) == ("fire", ("tax",))
    assert (good.trace[0].kind, good.trace[0].title, good.trace[0].unit) == ("always", "固定", "fire")
    bad = choose(chain({"kind": plugin, "code": "closed", "title": "某处"}), case(), DIRECTORY, no_loads)
    assert bad.desk
    assert (bad.trace[0].title, bad.trace[0].outcome, bad.trace[0].why) == ("某处", "no-match", "已撤销的办公室已停用")


@pytest.mark.parametrize("plugin", ["table"], indirect=True)
def test_a_third_party_may_not_take_a_built_in_name(plugin: str) -> None:
    with pytest.raises(ValueError, match=plugin):
        registry()

"""The condition grammar: what holds, what is said when it does not, what is refused in words."""

import time
from enum import StrEnum
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import event, given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, ValidationError

from wuye_loop.domain.language.conditions import ALWAYS, FACTS, FAMILIES, Condition, ConditionError, fact_info


def holds(condition: dict[str, Any], **facts: object) -> bool:
    return Condition.parse(condition).holds(facts)


def refusal(raw: object) -> ConditionError:
    with pytest.raises(ConditionError) as caught:
        Condition.parse(raw)
    return caught.value


def test_every_fact_must_be_as_required() -> None:
    condition = Condition.parse({"category": "消防安全", "urgency": "特急"})
    assert condition.holds({"category": "消防安全", "urgency": "特急"})
    assert not condition.holds({"category": "消防安全", "urgency": "加急"})
    assert not condition.holds({"category": "消防安全"})
    assert ALWAYS.holds({})


def test_a_list_is_any_of() -> None:
    assert holds({"urgency": ["特急", "加急"]}, urgency="加急")
    assert not holds({"urgency": ["特急", "加急"]}, urgency="常规")
    assert holds({"urgency": ["特急", None]})


def test_an_absent_fact_is_null_but_an_absent_count_is_zero_and_an_unknown_clock_is_not_overdue() -> None:
    assert holds({"company": None})
    assert not holds({"company": None}, company="C1")
    assert holds({"company": {"not": None}}, company="C1")
    assert not holds({"hour": {"min": 0}})
    assert holds({"open.assist": 0, "urged": {"max": 0}, "overdue.handle": False})
    assert not holds({"open.assist": {"min": 1}})
    assert not holds({"workday": False})


def test_a_range_includes_both_its_ends() -> None:
    inside = [hour for hour in range(24) if holds({"hour": {"min": 8, "max": 18}}, hour=hour)]
    assert inside == list(range(8, 19))
    assert holds({"cycle": {"min": 2}}, cycle=2.0)
    assert not holds({"cycle": {"max": 2}}, cycle=2.1)


def test_a_range_over_midnight_is_written_as_two() -> None:
    night = {"hour": {"any": [{"min": 22}, {"max": 6}]}}
    assert [hour for hour in range(24) if holds(night, hour=hour)] == [*range(7), 22, 23]
    assert "any" in refusal({"hour": {"min": 22, "max": 6}}).words


def test_a_fact_that_is_a_list_holds_when_any_element_does() -> None:
    areas = ["3707", "370705", "370705001"]
    assert holds({"areas": "370705"}, areas=areas)
    assert holds({"areas": ["370104", "370705001"]}, areas=tuple(areas))
    assert not holds({"areas": {"not": ["370705"]}}, areas=areas)
    assert holds({"areas": {"not": ["370104"]}}, areas=frozenset(areas))
    assert holds({"category_path": {"pattern": "电梯$"}}, category_path=["物业服务", "物业服务/电梯"])
    assert holds({"data.scores": {"min": 90}}, **{"data.scores": [60, 95]})
    assert holds({"areas": None}, areas=[])
    assert not holds({"areas": "3707"}, areas=[])


def test_an_unquoted_code_is_its_text() -> None:
    assert holds({"area": 370705}, area="370705")
    assert holds({"areas": [370705, 370104]}, areas=["3707", "370104"])
    assert holds({"extra.station": 12}, **{"extra.station": "12"})
    assert holds({"extra.station": 12}, **{"extra.station": 12})


def test_truth_values_and_numbers_are_never_mixed_up() -> None:
    assert holds({"workday": True}, workday=True)
    assert not holds({"workday": True}, workday=1)
    assert not holds({"cycle": 1}, cycle=True)
    assert not holds({"cycle": {"min": 0}}, cycle=True)
    assert not holds({"form.contacted": True}, **{"form.contacted": 1})
    assert not holds({"form.contacted": 1}, **{"form.contacted": True})


def test_several_operators_in_one_matcher_must_all_hold() -> None:
    condition = {"text": {"pattern": "电梯", "not": {"pattern": "广告"}}}
    assert holds(condition, text="电梯坏了")
    assert not holds(condition, text="电梯广告太多")
    assert holds({"cycle": {"min": 1, "max": 5, "not": 3}}, cycle=2)
    assert not holds({"cycle": {"min": 1, "max": 5, "not": 3}}, cycle=3)


def test_not_turns_any_matcher_round() -> None:
    assert holds({"kind": {"not": ["投诉", "举报"]}}, kind="咨询")
    assert not holds({"kind": {"not": ["投诉", "举报"]}}, kind="举报")
    assert holds({"kind": {"not": {"not": "咨询"}}}, kind="咨询")
    assert holds({"cycle": {"not": {"min": 3}}}, cycle=2)


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("12345", "拨打１２３４５热线"),
        ("abc", "ＡＢＣ栋"),
        ("ABC", "abc"),
        ("Ａｂｃ", "aBC"),
        ("（紧急）", "标题（紧急）"),
        ("（紧急）", "标题(紧急)"),
        (r"\(紧急\)", "标题（紧急）"),
        ("[！？]", "怎么办？"),
        ("电梯.{0,6}困人", "电梯又\n一次困人"),
        (r"^\d+号楼", "３号楼"),
        ("平方|㎡", "120m2"),
        ("STRASSE", "straße"),
    ],
)
def test_a_pattern_meets_any_spelling_of_the_same_text(pattern: str, text: str) -> None:
    assert holds({"text": {"pattern": pattern}}, text=text)


def test_a_full_width_bracket_in_a_pattern_stays_a_character() -> None:
    assert not holds({"text": {"pattern": "（紧急）"}}, text="紧急")
    assert not holds({"text": {"pattern": "真的？"}}, text="真")


def test_a_pattern_meets_hostile_values_calmly() -> None:
    for value in (None, 12, True, [], ["x", None], {"a": 1}, "\ud800", "\x00"):
        assert not holds({"text": {"pattern": "电梯"}}, text=value)
        assert not holds({"form.note": ["电梯", 3]}, **{"form.note": value})


@pytest.mark.parametrize(
    ("raw", "path", "word"),
    [
        (None, (), "映射"),
        (["urgency"], (), "映射"),
        ({1: 2}, (), "没有事实"),
        ({"categry": "a"}, ("categry",), "category"),
        ({"类别": "a"}, ("类别",), "是不是 category？"),
        ({"zzz": 1}, ("zzz",), "docs/language.md"),
        ({"open_assists": 0}, ("open_assists",), "open.assist"),
        ({"open": 0}, ("open",), "open.assist"),
        ({"open.": 0}, ("open.",), "open.assist"),
        ({"forms.x": 0}, ("forms.x",), "form."),
        ({"done.a b": 1}, ("done.a b",), "没有事实"),
        ({"hour": "9"}, ("hour",), "数字"),
        ({"hour": True}, ("hour",), "数字"),
        ({"workday": "yes"}, ("workday",), "true 或 false"),
        ({"workday": 1}, ("workday",), "true 或 false"),
        ({"category": 1.5}, ("category",), "加引号"),
        ({"category": [1, True]}, ("category", 1), "加引号"),
        ({"urgency": {"min": 1}}, ("urgency",), "不是数字"),
        ({"hour": {"min": "8"}}, ("hour", "min"), "数字"),
        ({"hour": {"max": None}}, ("hour", "max"), "数字"),
        ({"hour": {"min": float("nan")}}, ("hour", "min"), "数字"),
        ({"hour": float("inf")}, ("hour",), "数字"),
        ({"hour": {"pattern": "9"}}, ("hour", "pattern"), "不是文字"),
        ({"kind": []}, ("kind",), "空"),
        ({"kind": {}}, ("kind",), "空"),
        ({"kind": [["投诉"]]}, ("kind", 0), "文字"),
        ({"kind": ["x"] * 1001}, ("kind",), "1000"),
        ({"kind": {"any": "投诉"}}, ("kind", "any"), "列表"),
        ({"kind": {"equals": "投诉"}}, ("kind", "equals"), "pattern"),
        ({"kind": ["投诉", {"patern": "x"}]}, ("kind", 1, "patern"), "pattern"),
        ({"kind": {"not": {"any": ["x", {"min": 1}]}}}, ("kind", "not", "any", 1), "不是数字"),
        ({"text": {"pattern": ""}}, ("text", "pattern"), "500"),
        ({"text": {"pattern": "x" * 501}}, ("text", "pattern"), "500"),
        ({"text": {"pattern": 110}}, ("text", "pattern"), "加引号"),
        ({"text": {"pattern": "(电梯"}}, ("text", "pattern"), "missing )"),
        ({"text": {"pattern": "(?=a)b"}}, ("text", "pattern"), "没有环视"),
        ({"text": {"pattern": "(?<!a)b"}}, ("text", "pattern"), "没有环视"),
        ({"text": {"pattern": r"(a)\1"}}, ("text", "pattern"), "没有反向引用"),
        ({"text": {"pattern": "((a{100}){100}){100}"}}, ("text", "pattern"), "太大"),
        ({"text": {"pattern": ".{0,900}漏水"}}, ("text", "pattern"), "太大"),
        ({"text": {"pattern": r"\pL{900}"}}, ("text", "pattern"), "太大"),
        ({"text": {"pattern": "\ud800"}}, ("text", "pattern"), "代理"),
    ],
)
def test_a_bad_condition_is_refused_in_words_at_its_path(raw: object, path: tuple[str | int, ...], word: str) -> None:
    error = refusal(raw)
    assert error.path == path
    assert word in error.words
    assert str(error) == error.words
    assert len(error.words) < 300


@pytest.mark.parametrize("wrap", [lambda inner: {"not": inner}, lambda inner: {"any": [inner]}])
def test_a_condition_nested_without_end_is_refused(wrap: Any) -> None:
    matcher: object = "x"
    for _ in range(5_000):
        matcher = wrap(matcher)
    assert "嵌套" in refusal({"kind": matcher}).words


def test_a_bad_pattern_prints_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    refusal({"text": {"pattern": "(?=a)"}})
    refusal({"text": {"pattern": "[a"}})
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("pattern", ["(a+)+$", r"^(\w+\s?)*$", "(a|aa)+$", "(.*a){12}", "(?:a?){50}a{50}", ".{0,150}b"])
def test_an_evil_pattern_costs_little_on_a_long_text(pattern: str) -> None:
    condition = Condition.parse({"text": {"pattern": pattern}})
    started = time.process_time()
    condition.holds({"text": "a" * 10_000 + "!"})
    assert time.process_time() - started < 2


def test_a_description_reads_like_the_rule() -> None:
    condition = Condition.parse(
        {
            "category": "消防安全",
            "urgency": ["特急", "加急"],
            "open.assist": 0,
            "cycle": {"min": 2},
            "hour": {"min": 8, "max": 18},
            "kind": {"not": ["投诉", "举报"]},
            "workday": True,
            "company": None,
            "text": {"pattern": "电梯", "not": {"pattern": "广告"}},
            "urged": {"any": [{"max": 1}, 9]},
        }
    )
    assert condition.describe() == (
        "类别 为 消防安全；紧急程度 为 特急 或 加急；未结任务数“assist” 为 0；办理轮次 不少于 2；"
        "时刻 在 8 至 18 之间；诉求类型 不为 投诉 或 举报；工作日 为 是；物业企业 为 空；"
        "标题和内容 匹配“电梯” 且 不匹配“广告”；催办次数 为 9 或 不多于 1"
    )
    assert ALWAYS.describe() == "无条件"


def test_what_is_unmet_is_said_without_telling_any_text() -> None:
    condition = Condition.parse(
        {"open.assist": 0, "workday": True, "title": "张三", "extra.phone": "1", "form.note": "x", "kind": "投诉"}
    )
    facts = {"open.assist": 2, "workday": False, "title": "李四", "extra.phone": 13800000000, "kind": "投诉"}
    assert condition.unmet(facts) == [
        "需要：未结任务数“assist” 为 0（现为 2）",
        "需要：工作日 为 是（现为 否）",
        "需要：标题 为 张三",
        "需要：附加字段“phone” 为 1",
        "需要：所填“note” 为 x",
    ]
    assert ALWAYS.unmet(facts) == []


def test_a_denied_matcher_describes_its_opposite() -> None:
    def words(matcher: object) -> str:
        return Condition.parse({"cycle": {"not": matcher}}).describe()

    assert words({"min": 3}) == "办理轮次 少于 3"
    assert words({"max": 3}) == "办理轮次 多于 3"
    assert words({"min": 1, "max": 3}) == "办理轮次 不在 1 至 3 之间"
    assert words({"any": [1, {"min": 5}]}) == "办理轮次 不为 1 且 少于 5"
    assert words({"min": 2, "not": 4}) == "办理轮次 少于 2 或 为 4"


def test_the_facts_a_condition_asks_about_are_known() -> None:
    assert Condition.parse({"kind": "投诉", "open.assist": 0}).fact_names == {"kind", "open.assist"}
    assert ALWAYS.fact_names == frozenset()


def test_every_fact_is_explained_and_no_title_is_used_twice() -> None:
    every = {**FACTS, **FAMILIES}
    assert all(info.title and info.description for info in every.values())
    assert len({info.title for info in every.values()}) == len(every)
    assert fact_info("open.assist") is FAMILIES["open"]
    assert fact_info("kind") is FACTS["kind"]
    assert fact_info("kind.x") is fact_info("open") is fact_info("open.") is None


def test_a_condition_is_a_value() -> None:
    raw: dict[str, Any] = {"kind": ["投诉", "举报"], "cycle": {"min": 1}}
    condition = Condition.parse(raw)
    assert condition == Condition.parse(MappingProxyType(raw))
    assert hash(condition) == hash(Condition.parse(raw))
    assert condition != Condition.parse({"kind": ["投诉"]})
    assert Condition.parse({"form.x": 1}) != Condition.parse({"form.x": True})
    condition.raw["kind"].append("改动")
    raw["kind"].append("改动")
    assert condition.raw == {"kind": ["投诉", "举报"], "cycle": {"min": 1}}
    with pytest.raises(AttributeError):
        condition.source = "{}"  # type: ignore[misc]


class Rule(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    when: Condition = ALWAYS
    if_: Condition | None = None


def test_a_model_reads_a_condition_from_a_mapping_and_writes_it_back() -> None:
    rule = Rule.model_validate({"when": {"urgency": "特急"}})
    assert rule.when.holds({"urgency": "特急"})
    assert rule.model_dump() == {"when": {"urgency": "特急"}, "if_": None}
    assert rule.model_dump_json() == '{"when":{"urgency":"特急"},"if_":null}'
    assert Rule.model_validate(rule.model_dump()) == rule
    assert Rule(when=rule.when).when is rule.when
    assert Rule().when is ALWAYS


def test_a_model_tells_where_in_the_condition_the_fault_is() -> None:
    with pytest.raises(ValidationError) as caught:
        Rule.model_validate({"when": {"hour": {"min": "x"}}})
    (found,) = caught.value.errors()
    assert found["loc"] == ("when",)
    assert found["ctx"]["error"].path == ("hour", "min")


def test_editors_are_given_the_closed_list_of_facts() -> None:
    for mode in ("validation", "serialization"):
        schema = Rule.model_json_schema(mode=mode)
        condition = schema["$defs"]["Condition"]
        assert set(condition["properties"]) == set(FACTS)
        assert len(condition["patternProperties"]) == len(FAMILIES)
        assert condition["additionalProperties"] is False


def test_a_word_of_an_enumeration_is_its_text() -> None:
    class Urgency(StrEnum):
        CRITICAL = "特急"

    assert holds({"urgency": ["特急", "加急"]}, urgency=Urgency.CRITICAL)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["min", "max", "pattern", "not", "any", "x"]), inner, max_size=3)
    ),
    max_leaves=12,
)


@given(st.dictionaries(st.sampled_from(["kind", "hour", "workday", "areas", "form.x", "open.x", "no"]), JSON), JSON)
def test_any_condition_is_read_or_refused_and_meets_any_value(raw: dict[str, object], value: object) -> None:
    try:
        condition = Condition.parse(raw)
    except ConditionError as refused:
        event(refused.words)
        return
    facts = dict.fromkeys(raw, value)
    assert condition.holds(facts) is (condition.unmet(facts) == [])
    assert Condition.parse(condition.raw) == condition

"""Forms: what is asked, what passes, and the words for what does not."""

from typing import Any

import orjson
import pytest

from wuye_loop.domain.language.forms import MOST_FILES, FieldSpec, Form, FormProblem

FILE = "0198c0de-0000-7000-8000-000000000001"
OTHER = "0198c0de-0000-7000-8000-000000000002"


def form(**needs: object) -> Form:
    return Form("Form", {name: FieldSpec.model_validate(raw) for name, raw in needs.items()})


def problems(asked: Form, raw: dict[str, object], facts: dict[str, object] | None = None) -> list[dict[str, str]]:
    with pytest.raises(FormProblem) as caught:
        asked.validate(raw, facts or {})
    return caught.value.fields


def test_answers_are_plain_json_whatever_their_types() -> None:
    asked = form(
        reason="text", sure="bool", days={"int": {"max": 3}}, until="date", met="time", to="unit", like="grievance",
        result={"choice": ["解决", "未解决"]}, photos={"file": {"max": 2}}, note="text?",
    )  # fmt: skip
    raw: dict[str, object] = {
        "reason": " 电梯停运 ", "sure": True, "days": 3, "until": "2026-03-04", "met": "2026-03-02T10:30:00+08:00", "to": "market", "like": "WY260302-00000001",
        "result": "解决", "photos": [FILE.upper(), OTHER],
    }  # fmt: skip
    answers = asked.validate(raw, {})
    assert answers == {**raw, "reason": "电梯停运", "photos": [FILE, OTHER]}
    assert orjson.loads(orjson.dumps(answers)) == answers


@pytest.mark.parametrize("given", ["2026-03-04 10:00", "20260304", "1772582400", 1772582400, "2026-02-30", "三月四日"])
def test_a_date_is_written_in_one_way(given: object) -> None:
    assert problems(form(until="date"), {"until": given}) == [{"path": "until", "problem": "要写成 2026-03-02"}]


@pytest.mark.parametrize(
    "given", ["2026-03-04", "1772582400", 1772582400.5, "2026-03-04 25:00", "10:30", "2026-03-04 10:00 x"]
)
def test_a_time_is_written_with_its_day(given: object) -> None:
    words = "要写成 2026-03-02 10:30，别的时区要带上时区"
    assert problems(form(met="time"), {"met": given}) == [{"path": "met", "problem": words}]


@pytest.mark.parametrize(
    ("given", "read"),
    [
        ("2026-03-02 10:30", "2026-03-02T10:30:00"),
        ("2026-03-02T10:30:59+08:00", "2026-03-02T10:30:59+08:00"),
        ("2026-03-02T02:30Z", "2026-03-02T02:30:00Z"),
    ],
)
def test_a_time_keeps_the_zone_it_was_given_or_none(given: str, read: str) -> None:
    assert form(met="time").validate({"met": given}, {}) == {"met": read}


def test_the_schema_of_a_time_is_a_date_with_a_time() -> None:
    properties: Any = form(met="time").schema({"met": "见面时间"})["properties"]
    assert properties["met"] == {"type": "string", "format": "date-time", "title": "见面时间"}


def test_an_empty_form_asks_nothing_and_takes_nothing() -> None:
    assert form().validate({}, {}) == {}
    assert problems(form(), {"more": 1}) == [{"path": "", "problem": "表单里没有这一项"}]


def test_a_field_that_is_not_asked_for_is_answered_with_those_that_are() -> None:
    assert problems(form(days="int", reason="text"), {"days": 1, "reason": "x", "张三": "13912345678"}) == [
        {"path": "", "problem": "表单里没有这一项，只有：days、reason"}
    ]


def test_a_text_that_may_be_left_empty_is_left_out_when_it_is() -> None:
    asked = form(note="text?", sure="bool", why={"text": {}, "when": {"form.sure": False}})
    assert asked.validate({"note": "", "sure": True, "why": ""}, {}) == {"sure": True}
    assert problems(asked, {"note": "", "sure": False, "why": ""}) == [{"path": "why", "problem": "必填"}]
    assert problems(form(way={"choice?": ["甲"]}), {"way": ""}) == [{"path": "way", "problem": "要从这些里选:甲"}]


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ("x", "要填文件编号的列表"),
        ((), "要填文件编号的列表"),
        ([], "文件太少"),
        ([FILE, OTHER, FILE[:-1] + "3"], "文件太多"),
        (["../../etc/passwd"], "不是文件编号"),
        ([7], "不是文件编号"),
        ([FILE, FILE.upper()], "同一个文件填了两次"),
    ],
)
def test_files_are_named_by_a_short_list_of_different_ids(given: object, problem: str) -> None:
    assert problems(form(photos={"file": {"max": 2}}), {"photos": given}) == [{"path": "photos", "problem": problem}]


def test_files_may_be_left_out_only_where_the_form_says_so() -> None:
    assert form(photos="file?").validate({}, {}) == {}
    assert form(photos="file?").validate({"photos": None}, {}) == {}
    assert problems(form(photos="file"), {}) == [{"path": "photos", "problem": "必填"}]


def test_the_schema_of_files_is_a_list_of_uuids() -> None:
    properties: Any = form(photos={"file": {"max": 5}}, scans="file").schema({"photos": "照片"})["properties"]
    assert properties["photos"] == {
        "type": "array", "items": {"type": "string", "format": "uuid"}, "minItems": 1, "maxItems": 5, "title": "照片",
    }  # fmt: skip
    assert properties["scans"]["maxItems"] == MOST_FILES


def test_a_field_under_a_condition_is_asked_only_where_it_holds() -> None:
    asked = form(contacted="bool", why={"text": {"max": 9}, "when": {"form.contacted": False, "cycle": 2}})
    assert asked.conditional
    assert asked.validate({"contacted": True}, {"cycle": 2}) == {"contacted": True}
    assert asked.validate({"contacted": False}, {"cycle": 1}) == {"contacted": False}
    assert problems(asked, {"contacted": False}, {"cycle": 2}) == [{"path": "why", "problem": "必填"}]
    assert problems(asked, {"contacted": True, "why": "x"}, {"cycle": 2}) == [
        {"path": "why", "problem": "此情形下不填这一项"}
    ]


def test_without_conditions_no_fact_is_looked_at() -> None:
    asked = form(reason="text")
    assert not asked.conditional
    assert asked.validate({"reason": "x"}, {}) == {"reason": "x"}


@pytest.mark.parametrize(
    ("raw", "problem"),
    [
        ({"reason": "\u200b"}, "不能为空"),
        ({"reason": "a\x00"}, "含有不允许的控制字符"),
        ({"reason": ""}, "不能为空"),
        ({"reason": 5}, "要填文字"),
    ],
)
def test_texts_are_cleaned_and_must_say_something(raw: dict[str, object], problem: str) -> None:
    assert problems(form(reason="text"), raw) == [{"path": "reason", "problem": problem}]


def test_what_is_wrong_is_named_without_its_value() -> None:
    asked = form(result={"choice": ["解决", "未解决"]}, days={"int": {"max": 3}}, sure="bool")
    found = problems(asked, {"result": "secret", "days": 4, "sure": "secret"})
    assert found == [
        {"path": "result", "problem": "要从这些里选:解决、未解决"},
        {"path": "days", "problem": "太大"},
        {"path": "sure", "problem": "要填 true 或 false"},
    ]

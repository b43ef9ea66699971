from typing import Any

from wuye_loop.domain.language.intake import Intake
from wuye_loop.domain.suggesting.patterns import RedWords, Scoring


def scoring(*words: dict[str, Any], **weigh: float) -> Scoring:
    raw: dict[str, Any] = {"categories": list(words)} | ({"weigh": weigh} if weigh else {})
    return Scoring.of(Intake.model_validate(raw))


LIFT = {"category": "电梯", "pattern": "电梯"}
NOISE = {"category": "噪音扰民", "pattern": "噪音|吵"}


def category(found: Scoring, title: str, body: str) -> str | None:
    best = found.best(title, body)
    return best.category if best is not None else None


def test_without_weighing_the_first_pattern_found_suggests() -> None:
    found = scoring(LIFT, NOISE)
    assert category(found, "噪音太大", "电梯旁边很吵") == "电梯"


def test_a_title_counts_more_and_equals_stand_in_the_order_of_the_file() -> None:
    assert category(scoring(LIFT, NOISE, title=2, floor=1), "噪音太大", "电梯旁边") == "噪音扰民"
    assert category(scoring(LIFT, NOISE, title=2, floor=1), "", "电梯旁边很吵") == "电梯"


def test_several_patterns_of_a_category_add_up() -> None:
    again = {"category": "噪音扰民", "pattern": "半夜", "weight": 0.5}
    assert category(scoring(LIFT, NOISE, again, title=2, floor=1), "", "电梯半夜很吵") == "噪音扰民"


def test_below_the_floor_nothing_is_suggested_and_weights_may_be_negative() -> None:
    assert category(scoring(LIFT, title=2, floor=1.5), "", "电梯") is None
    against = {"category": "电梯", "pattern": "广告", "weight": -1}
    assert category(scoring(LIFT, against, title=1, floor=1), "", "电梯广告") is None


def test_what_not_covers_is_not_read_but_the_rest_is() -> None:
    found = scoring({**LIFT, "not": "电梯口"}, title=2, floor=1)
    assert category(found, "电梯口很脏", "") is None
    assert category(found, "电梯口很脏", "电梯也坏了") == "电梯"


def test_the_words_found_are_said() -> None:
    best = scoring({"category": "电梯", "pattern": "电梯.{0,4}停运"}, title=2, floor=1).best("", "三号楼电梯又停运了")
    assert best is not None
    assert best.words == ("电梯又停运",)


def test_a_full_width_mark_in_a_pattern_is_the_mark_itself_as_where_it_was_proved() -> None:
    found = scoring(
        {"category": "消防", "pattern": "（一楼", "not": "（一楼已"}, {"category": "急", "pattern": "救命？"}
    )
    assert category(found, "", "楼道（一楼）堵了") == "消防"
    assert category(found, "", "(一楼已清理") is None
    assert category(found, "", "救援通道堵了") is None
    assert category(found, "", "救命?") == "急"


def test_a_red_line_goes_by_the_pattern_that_was_proved() -> None:
    raw = {"red_lines": [{"when": {"text": {"pattern": "（起火"}}}]}
    line = RedWords(Intake.model_validate(raw).red_lines[0])
    assert line.saw({"text": "三楼（起火）", "title": "", "body": ""}) == ("(起火",)


def red(text: str, **line: Any) -> tuple[str, ...] | None:
    raw = {"red_lines": [{"when": {"text": {"pattern": "起火|着火"}}, **line}]}
    return RedWords(Intake.model_validate(raw).red_lines[0]).saw({"text": text, "title": "", "body": text})


def test_a_red_line_says_which_words_it_saw() -> None:
    assert red("三楼起火，厨房也着火") == ("起火", "着火")
    assert red("一切平安") is None
    assert red("一旦起火怎么办") == ("起火",)  # the file does not ask how it is said
    assert red("一旦起火怎么办", stated="now") is None
    assert red("挑起火头", **{"not": "挑起火头"}) is None

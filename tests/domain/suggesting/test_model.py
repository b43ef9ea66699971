import json
import re
import subprocess
import sys

import pytest
from tests.speed import cost, yardstick

from wuye_loop.domain.language.intake import Intake
from wuye_loop.domain.suggesting.features import MOST, counted, numbers, plain
from wuye_loop.domain.suggesting.model import Model, ModelProblem, digest_of, written
from wuye_loop.domain.suggesting.patterns import Scoring
from wuye_loop.domain.suggesting.suggestion import guess, suggest

MODEL = Model.shipped()
NOTHING = Scoring.of(Intake())
WORDS = Scoring.of(Intake.model_validate({"categories": [{"category": "绿化养护", "pattern": "草坪"}], "weigh": {}}))


def test_the_shipped_model_is_read_and_knows_what_is_plain() -> None:
    said = guess(NOTHING, MODEL, "3号楼电梯停运五天", "电梯坏了没人修，维保单位一直不来，老人下不了楼。")
    assert (said.category, said.by, said.model) == ("电梯", "model", MODEL.digest)
    assert said.confidence > 0.6
    assert any("电梯" in word for word in said.why)
    assert said.runner_up not in (None, "电梯")


def test_no_words_stand_in_a_model_file() -> None:
    numbers_ = {
        part: [(number, rare) for number, rare in known.rareness.items()] for part, known in MODEL.known.items()
    }
    assert all(isinstance(one, int) for rows in numbers_.values() for pair in rows for one in pair)
    assert all(re.fullmatch("[0-9a-f]{16}t?", sign) for sign in MODEL.by_pattern)


def test_the_same_text_is_judged_the_same_whatever_its_width_and_spaces() -> None:
    assert MODEL.judge("电梯 停运", "ＡＢＣ１２", ()) == MODEL.judge("电梯\n停运", "abc99", ())
    assert plain("Ａ栋１２层，停电！") == "a栋0层 停电"


def test_a_text_of_nothing_known_is_abstained_from() -> None:
    said = guess(NOTHING, MODEL, "", "")
    assert (said.category, said.confidence, said.why) == (None, 0.0, ())


def test_where_the_model_is_not_sure_the_words_of_the_file_decide_and_else_nobody() -> None:
    assert suggest(WORDS, MODEL, "草坪", "xyz").category == "绿化养护"
    unsure = suggest(NOTHING, MODEL, "请问", "请问")
    assert unsure.category is None or unsure.confidence >= MODEL.sure
    assert suggest(WORDS, None, "草坪枯了", "").by == "patterns"


def test_a_changed_or_broken_file_is_refused_in_words() -> None:
    raw = {
        "format": 1,
        "name": "x",
        "categories": ["a", "b"],
        "bias": [0, 0],
        "parts": {"1": [], "2": []},
        "patterns": {},
    }
    raw["confidence"] = {"slope": 1, "offset": 0, "sure": 0.5}
    assert Model.read(written(raw)).digest == digest_of(raw)
    changed = json.loads(written(raw))
    changed["numbers"]["bias"] = [1, 0]
    for data, words in (
        (json.dumps(changed).encode(), "sha256"),
        (b"{", "不是分类模型文件"),
        (written({**raw, "format": 2}), "格式"),
        (written({**raw, "bias": [1]}), "缺少内容"),
    ):
        with pytest.raises(ModelProblem, match=words):
            Model.read(data)


def test_sums_are_right_though_packed_into_one_number() -> None:
    text = "电梯电梯"
    [first, second, *_] = numbers(1, text)
    counts = counted(numbers(1, text))
    assert counts[first] == 2
    rows = [[first, 1000, -5, 7], [second, 1000, 3, -900]]
    raw = {
        "format": 1,
        "name": "x",
        "categories": ["a", "b"],
        "bias": [10, 0],
        "parts": {"1": rows, "2": []},
        "patterns": {},
    }
    raw["confidence"] = {"slope": 1, "offset": 0, "sure": 0.5}
    model = Model.read(written(raw))
    ranked = dict(model.judge(text, "", ()).ranked)
    # twice each: 1 + ln 2 = 27/16; both features 27/16, norm 27/16 * sqrt(2)
    assert ranked["a"] == pytest.approx((10 + (-5 + 3) / 2**0.5) / 1000, abs=1e-6)
    assert ranked["b"] == pytest.approx((7 - 900) / 2**0.5 / 1000, abs=1e-6)


def test_a_judgement_costs_a_fraction_of_the_yardstick() -> None:
    body = "楼下餐馆油烟直排，晚上吵闹，物业不管，请处理。" * 20
    assert len(body) > MOST

    def hundred() -> None:
        for _ in range(100):
            guess(WORDS, MODEL, "楼下餐馆油烟扰民", body)

    assert cost(hundred) < 100 * yardstick() / 3  # some 2 ms each where the yardstick was written


def test_judging_needs_neither_scikit_learn_nor_numpy() -> None:
    script = (
        "import sys; sys.modules.update(dict.fromkeys(('sklearn', 'numpy', 'scipy')))\n"
        "from wuye_loop.domain.suggesting.model import Model\n"
        "print(Model.shipped().judge('电梯停运', '', ()).ranked[0][0])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "电梯"

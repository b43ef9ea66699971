"""A list of a city's takes the place of the base's whole: what is lost by that is said, what is kept is not."""

import pytest

from wuye_loop.authoring.checker.check import load
from wuye_loop.authoring.diff.lost_of_base import lost
from wuye_loop.domain.rulefile.extends import Extended, read_whole
from wuye_loop.store.workflows.files import bases

BASES = bases(None, ())
HEAD = "extends: standard@1\nname: city\nversion: 1\ntitle: 某市\n"


def notes(text: str) -> list[str]:
    whole = read_whole(HEAD + text, "city.yaml", BASES)
    assert isinstance(whole, Extended)
    return [note.message.partition("（列表整个替换")[0] for note in lost(whole, load(HEAD + text, "city.yaml", BASES))]


FIRE = "起火|着火|火灾|燃气泄漏|煤气泄漏|爆炸"
LIFT = "困在电梯|电梯困人|被困|坠落"
DEATH = "自杀|轻生|跳楼|拼命|报复社会"
COLD = "停暖|暖气不热|停水|断水"
LOST = {
    f'intake: {{red_lines: [{{when: {{text: {{pattern: "{FIRE}|{LIFT}|{COLD}"}}}}}}]}}\n': [f"标题和内容匹配“{DEATH}”"],
    f'intake: {{red_lines: [{{when: {{text: {{pattern: "{FIRE}|{DEATH}|被困|坠落|{COLD}"}}}}}}]}}\n': [
        f"标题和内容匹配“{LIFT}”里的“困在电梯”、“电梯困人”"
    ],
    "clocks: {sign: {limit: [{is: 2 hours}]}}\nrouters: [{kind: desk}]\n": [],  # its own to write
    "separate: [[handler, dispatcher]]\n": ["“承办单位”与“督办人员”", "“承办单位”与“督办机构”"],
    "separate: [[handler, dispatcher, supervisor], [handler, command]]\n": [],
    "clocks: {sign: {title: 接单时限}}\nlabels: {reason: null}\n": [],
}


@pytest.mark.parametrize("text", LOST, ids=[text.strip()[:70] for text in LOST])
def test_what_a_list_leaves_out_of_the_base_is_said(text: str) -> None:
    said, wanted = notes(text), LOST[text]
    assert len(said) == min(len(wanted), 1)
    assert all(words in said[0] for words in wanted)


JOINED = """
joins: [{when: {open.assist: {min: 3}}, act: escalate_all}]
standing: [{when: {open.assist: {min: 1}}, is: 会办中}, {is: 正常}]
actions: {escalate_all: {title: 一并督办, from: handling, to: supervised, by: [system, dispatcher]}}
"""


def test_joins_standing_and_what_attaches_are_looked_at_in_a_base_that_has_them() -> None:
    base = read_whole(HEAD + JOINED, "base.yaml", BASES)
    from wuye_loop.authoring.writer import as_yaml  # noqa: PLC0415 only this test makes a base of its own

    data = base.data
    assert isinstance(data, dict)
    attach = [{"when": {"channel": "催办"}, "to": "extra.parent", "act": "urge"}]
    data = {**data, "intake": {**data["intake"], "attach": attach}}
    text = as_yaml({key: value for key, value in data.items() if key != "extends"} | {"name": "own"})
    city = (
        "extends: own@1\nname: city\nversion: 1\ntitle: 某市\njoins: []\nstanding: [{is: 正常}]\nintake: {attach: []}\n"
    )
    from wuye_loop.domain.rulefile.extends import Base  # noqa: PLC0415 as above

    whole = read_whole(city, "city.yaml", lambda _: Base(text, "own@1.yaml"))
    assert isinstance(whole, Extended)
    found = lost(whole, load(city, "city.yaml", lambda _: Base(text, "own@1.yaml")))
    assert [(note.line, note.message.partition("（列表")[0]) for note in found] == [
        (5, "去掉了底本的 1 条会合：未办完的“协办”不少于 3 件时做“一并督办”"),
        (6, "去掉了底本的 1 句整体情况：“会办中”"),
        (7, "去掉了底本的 1 条附入规则：渠道为催办"),
    ]


def test_what_is_removed_on_purpose_is_not_noted() -> None:
    assert notes("intake: {red_lines: null}\ntasks: {extension: null}\n") == []

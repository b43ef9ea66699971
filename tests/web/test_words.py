"""Both catalogues hold every text that pages show, each with its translation, and nothing that is said no more."""

import re
from pathlib import Path

import polib
import pytest
from tests.house.words import CATALOGUES, ROOT

from wuye_loop.settings import shipped
from wuye_loop.web.english.catalogue import catalogue
from wuye_loop.web.english.templates import Reader, texts

_EXPRESSION = re.compile(r"\{\{(.*?)\}\}|\{([^{}]*)\}")
_SIGNS = re.compile(r"[\u3001\u3002\uff0c\uff1a\uff1b\uff08\uff09]")
CATALOGUE = catalogue((shipped("workflows"),))


def held(text: str) -> set[str]:
    """Return the expressions and values that a text holds; what makes a word several is not one."""
    found = {(one.group(1) or one.group(2) or "").strip() for one in _EXPRESSION.finditer(text)}
    return {one for one in found if not re.search(r"\|s\Z|\A'.*' if ", one)}


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_catalogue_holds_what_is_said_and_no_more(path: Path) -> None:
    known = CATALOGUES[path]()
    found = [one.msgid for one in polib.pofile(str(path)) if not one.obsolete]
    assert set(known) - set(found) == set(), "make words finds these; translate them"
    assert set(found) - set(known) == set(), "said no more; make words drops them"


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_text_is_translated_and_holds_what_the_chinese_one_holds(path: Path) -> None:
    read = polib.pofile(str(path))
    assert [one.msgid for one in read if not one.translated() or one.fuzzy] == []
    assert {one.msgid: one.msgstr for one in read if held(one.msgid) != held(one.msgstr)} == {}
    assert {one.msgid: one.msgstr for one in read if _SIGNS.search(_EXPRESSION.sub("", one.msgstr))} == {}


@pytest.mark.parametrize(
    ("chinese", "english"),
    [
        ("<p>共 {{ n }} 件</p>", "<p>[共 {{ (n)|said }} 件]</p>"),
        ('<a title="全部 {{ n }}" href="/{{ n }}">看</a>', '<a title="[全部 {{ (n)|flat }}]" href="/{{ n }}">[看]</a>'),
        ("<p>{{ a }}：{{ b }}</p>", "<p>{{ (a)|said }}: {{ (b)|said }}</p>"),
        ('<div lang="zh-CN">督办<div>件</div></div>件', '<div lang="zh-CN">督办<div>件</div></div>[件]'),
        ("{% if x == '特急' %}急{% endif %}", "{% if x == '特急' %}[急]{% endif %}"),
        ("{{ '小字' if big else '大字' }}", '{{ ("[小字]" if big else "[大字]")|said }}'),
        ("<option>{{ x }}</option>", '<option{{ (x)|tongue }} value="{{ x }}">{{ (x)|flat }}</option>'),
        ("<p>先办：<b>{{ n }}</b></p>", "<p>[先办：] <b>{{ (n)|said }}</b></p>"),
        ('<a title="先办：">看</a>', '<a title="[先办：]">[看]</a>'),
        ("<text>{{ x }}</text>", "<text>{{ (x)|drawn }}</text>"),
        ("{% block title %}{{ x|own }}{% endblock %}", "{% block title %}{{ x }}{% endblock %}"),
        ('<html lang="zh-CN"><p>件</p>', '<html lang="en"><p>[件]</p>'),
    ],
)
def test_a_template_is_read_as_an_english_one(chinese: str, english: str) -> None:
    assert Reader(lambda text: f"[{text}]").read(chinese) == english


def test_the_texts_of_a_template_are_those_that_are_put_into_it() -> None:
    assert [*texts('<p title="甲">乙 {{ "丙" }}</p>{# 丁 #}')] == ["甲", '乙 {{ "丙" }}', "丙"]


@pytest.mark.parametrize(
    ("chinese", "english"),
    [
        ("待签收", "To sign for"),
        ("3 个工作日 2 小时", "3 working days 2 hours"),
        ("1 个工作日", "1 working day"),
        ("2026-03-02（周一）09:00", "2 March 2026 (Mon) 09:00"),
        ("3 月 4 日（周三）", "4 March (Wed)"),
        ("2026年3月", "March 2026"),
        ("2026年第4季度", "quarter 4 of 2026"),
        ("过长，最多 20 个字", "Too long, 20 characters at most"),
        ("受理时限第 2 级", "Time to take up, rung 2"),
        ("红牌警示、升级督办", "Red card, Supervise"),
        ("东关物业办正在办理。", "东关物业办 is handling it."),
        ("“督办单”（挂牌督办）", "“Supervision order” (Listed supervision)"),
        ("将于 2026-10-10（周六）17:30 触发", "fires 10 October 2026 (Sat) 17:30"),
        (
            "10 月 1 日（周四）至 10 月 7 日（周三）国庆节 7 天",
            "1 October (Thu) to 7 October (Wed), National Day, 7 days",
        ),
        (
            "由台账第 12 行“受理”起算；第 15 行“恢复办理”时重定为 2 个工作日；适用第 1 条：匿名，2 个工作日，下一工作日起算，出处：通行做法：次日起。",
            (
                "counted from ledger row 12 “Take up”; set again by row 15 “Resume” to 2 working days; entry 1 applies: anonymous,"
                " 2 working days, counted from the next working day, source: 通行做法：次日起."
            ),
        ),
        ("微信小程序", "WeChat mini program"),
        ("推定(holidays 0.109)", "assumed (holidays 0.109)"),
        ("本期无工单", "no orders in this period"),
        ("“三重”督办中", "Under “triple” supervision"),
        ("25−0.5×3（95 低于 98）；×15/25", "25−0.5×3 (95 is below 98); ×15/25"),
        (
            "91.3333/100×100；×60/100；缺项的权重移来，×100/60",
            "91.3333/100×100; ×60/100; the weight of missing items was moved here, ×100/60",
        ),
        ("我家楼下的井盖坏了", None),
        ("井盖坏了，其他", None),
    ],
)
def test_what_is_said_in_chinese_is_found_again(chinese: str, english: str | None) -> None:
    assert CATALOGUE.said(chinese) == english


@pytest.mark.parametrize(
    ("chinese", "english"),
    [
        (
            "职责清单：选中，第 8 条成立：类别 为 维修资金 或 房屋质量 → 区住房城建部门；协办枫嘉物业",
            "List of duties: chosen, rule 8 holds: category Maintenance fund or Quality of buildings → 区住房城建部门; assisting: 枫嘉物业",
        ),
        ("关键词：没有定出，5 条规则都不成立", "Keywords: undecided, none of 5 rules holds"),
        (
            "属地：跳过，不适用：需要：来源 为 检查；需要：有物业企业 为 否（现为 是）",
            "Area: passed over, Does not apply: Needed: Source is Check; Needed: has a property company is No (it is Yes)",
        ),
        ("属地街道为东关街道 → 东关物业办", "the subdistrict is 东关街道 → 东关物业办"),
        ("诉求的属地没有街道一级", "the grievance’s area has no subdistrict"),
        ("开“督单”给物业", "open “Owners’ committee order” for 物业"),
        ("通报", "Bulletin"),
        (
            "第 3 级，到期后 3 个工作日发“全区通报”、开“督办单”给区住房城建部门，抄送督办人员、12345 热线：时限停着，接着走时再定。",
            (
                "Rung 3, 3 working day(s) after it was due send “District bulletin” and open “Supervision order” for 区住房城建部门,"
                " copy to Supervisor, 12345 hotline: the time limit stands still; decided when it goes on."
            ),
        ),
        (
            "2026-09-30（周三）15:20 延长 2 个工作日，因“延期申请”的“同意延期”（系统），到期由 2026-09-30（周三）17:30 变为 2026-10-09（周五）17:30。",
            (
                "30 September 2026 (Wed) 15:20 extended by 2 working days, by “Approve the extension” of “Request for extension” (System):"
                " due 9 October 2026 (Fri) 17:30 instead of 30 September 2026 (Wed) 17:30."
            ),
        ),
        (
            "跳过 8 天：10 月 1 日（周四）至 10 月 7 日（周三）国庆节 7 天；10 月 11 日（周日）周末 1 天。",
            "Passed over 8 days: 1 October (Thu) to 7 October (Wed), National Day, 7 days; 11 October (Sun), weekend, 1 day(s).",
        ),
        (
            "第 1 级，到期时系统做“逾期未评价归档”：时限停着，接着走时再定。",
            "Rung 1, when due the system does “Filed, not rated in time”: the time limit stands still; decided when it goes on.",
        ),
    ],
)
def test_a_routers_reason_is_told_in_english_and_names_stay(chinese: str, english: str) -> None:
    assert CATALOGUE.of_reasons.said(chinese) == english


@pytest.mark.parametrize(
    ("chinese", "english"),
    [
        (
            "没有效果“unmrge”，是不是 unmerge？可用：route、unmerge 等 21 个",
            "There is no effect “unmrge”; did you mean unmerge? Possible: route, unmerge and others, 21 in all",
        ),
        ("评价", "Rate"),
        ("没有评价“x”。可用：resident", "There is no rating “x”. Possible: resident"),
        ("97.4%（合计 702/721） 97.0%–97.7%", "97.4% (702/721 in all) 97.0%–97.7%"),
        (
            "办理时限（其余）由 5 个工作日改为 2 个工作日",
            "Handling time (the rest): 2 working days instead of 5 working days",
        ),
        ("property-office@甲街道", "property-office@Street A"),
        ("“种类”只能写 部门、中心", "“Kind” can only be department, centre"),
        ("上级单位 nobody 不存在", "the unit above, nobody, does not exist"),
        ("handle 到期前 1 个工作日：黄牌预警", "handle 1 working day(s) before it is due: Yellow card"),
        ("kuiwen@2 奎文区“物业直通车”", "kuiwen@2 Kuiwen “Property Through Train”"),
        (
            "“办理时限”（2 小时）比推定的用时短，大多会超期：“办结报送”推定 60 分钟、另等 1 个工作日；实际多长，在 --staff 文件里写 x",
            (
                "“Handling time” (2 hours) is shorter than the time that was assumed, and most would be late: “Report as done” is assumed"
                " to take 60 minutes, and to wait 1 working days; how long it really takes is written in the --staff file as x"
            ),
        ),
        ("我家楼下的井盖坏了", None),
    ],
)
def test_what_is_said_of_a_rule_file_is_told_in_english(chinese: str, english: str | None) -> None:
    assert CATALOGUE.of_files.said(chinese) == english


def test_a_text_without_words_of_its_own_has_its_values_in_english() -> None:
    assert CATALOGUE.fill("{channel} {n}", {"channel": "电话", "n": "3"}) == "Phone 3"


@pytest.mark.parametrize("piece", ["到期时", "，没有，", "第 级，", "“", "由台账第 行起算；"])
def test_sentences_within_sentences_have_an_end(piece: str) -> None:
    text = (piece * 600)[:600]
    assert isinstance(CATALOGUE.said(text) or text, str)

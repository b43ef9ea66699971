"""The drawing of a scheme: every item, its worth, every list and what it brings, in the words of the files."""

from xml.etree import ElementTree as ET

import pytest
from tests.assessing import FOLDER, scheme_text, workflow_of

from wuye_loop.authoring.assessment import drawing
from wuye_loop.authoring.assessment.check import load_scheme
from wuye_loop.domain.assessment.scheme import Scheme

SHIPPED = sorted(path.stem for path in FOLDER.glob("*.yaml"))


def scheme_of(name: str) -> Scheme:
    return load_scheme(scheme_text(name), f"{name}.yaml", workflows=workflow_of)


def texts(svg: str) -> list[str]:
    return [
        text
        for one in ET.fromstring(svg).iter()  # noqa: S314 our own drawing
        if one.tag.endswith("}text") and (text := one.text)
    ]


@pytest.mark.parametrize("name", SHIPPED)
def test_every_scheme_is_drawn_with_all_that_it_says(name: str) -> None:
    scheme = scheme_of(name)
    workflow = workflow_of(scheme.workflow)
    assert workflow is not None
    svg = drawing.svg(scheme, drawing.names_of(workflow))
    said = "\n".join(texts(svg))
    for spec in scheme.periods.values():
        assert all(item.title in said for item in spec.items)
        assert all(one.title in said for one in spec.lists.values())
    assert all(measure.title in said for measure in scheme.measures.values())
    assert all(heard.title in said for heard in scheme.inputs.values())
    assert svg == drawing.svg(scheme_of(name), drawing.names_of(workflow))
    assert "None" not in said
    for role in (role for one in scheme.inputs.values() for role in one.by if role in workflow.roles):
        assert workflow.roles[role].title in said


def test_kuiwens_sheet_says_what_is_counted_and_what_a_list_brings() -> None:
    workflow = workflow_of("kuiwen@2")
    assert workflow is not None
    said = texts(drawing.svg(scheme_of("kuiwen@1"), drawing.names_of(workflow)))
    for line in (
        "考核物业企业，按街道分组排名；本期诉求不到 1 件的另列，不计分。",
        "60 分",
        "每件 -1 分，至多 -5 分",
        "后 5 位（各组）",
        "限期整改：立案“某期考核后五位限期整改”；信用扣分：信用分 -2",
        "基数：考核的时限，已结束；算好的：按时",
        "来源是“物业直通车”平台和 12345 热线",
        "督办到“启动退出程序”",
        "60 分起；或 不到 60 分，没有不良记录",
        "连续 2 期（每月）期末等级为 C；或 一票否决",
    ):
        assert line in said, line


def test_the_flowchart_goes_from_figures_to_what_lists_bring() -> None:
    lines = drawing.mermaid(scheme_of("kuiwen-estates@1")).splitlines()
    assert lines[0] == "flowchart LR"
    assert '    f_satisfaction(["群众满意率"]) -- "群众满意 60 分" --> p_half' in lines
    assert '    p_half -- "后 20 位，且不到 90 分" --> l_half_worst{{"物业服务较差的居民小区"}}' in lines
    assert (
        '    l_half_worst --> c_triple["“三重”督办：立案“某期物业服务较差的居民小区”，由同一单位签发三重督办通知单"]'
        in lines
    )

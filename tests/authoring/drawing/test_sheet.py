"""What a superior reads on the sheet: where each source begins, how long at least and at most, who decides what, and why."""

from tests.authoring.drawing.test_drawing import FULL, TEXT, nodes, words_of

from wuye_loop.authoring.checker.check import load
from wuye_loop.authoring.drawing.annexes import annexes
from wuye_loop.authoring.drawing.mermaid import mermaid
from wuye_loop.authoring.drawing.moves import entries
from wuye_loop.authoring.drawing.sheet import svg
from wuye_loop.domain.language.workflow import Workflow
from wuye_loop.settings import shipped
from wuye_loop.store.workflows.files import whole_text

SHIPPED = shipped("workflows")


def read(name: str) -> Workflow:
    path = SHIPPED / f"{name}.yaml"
    return load(whole_text(path), path.name)


def cells(workflow: Workflow, heading: str) -> dict[str, dict[str, str]]:
    """Return the rows of an annex by their first cell, each by its columns' titles."""
    (annex,) = (one for one in annexes(workflow) if one.heading == heading)
    titles = [column.title for column in annex.columns]
    return {row[0]: dict(zip(titles, row, strict=True)) for row in annex.rows}


def boxes(text: str) -> dict[str, list[str]]:
    """Return what is written in each box of a sheet, by what is read aloud of it up to the first comma."""
    found: dict[str, list[str]] = {}
    for node in nodes(text, "g"):
        if node.get("role") == "graphics-symbol img":
            said = ["".join(part.itertext()) for part in node]
            found[said[0].split("，")[0].split("；")[0].removeprefix("状态 ")] = said
    return found


def test_every_state_in_which_a_source_begins_has_its_arrow_and_its_mark() -> None:
    assert entries(FULL, FULL) == {"received": ("热线", "会议交办"), "spotted": ("巡查",)}
    text = mermaid(FULL)
    assert "    [*] --> s_received : 热线、会议交办\n    [*] --> s_spotted : 巡查\n" in text
    found = boxes(svg(FULL))
    assert {name for name, said in found.items() if "起" in said} >= {"待派单", "待核实"}
    assert found["待核实"][0].startswith("状态 待核实，起点（巡查）")
    assert "起" not in found["办理中"]


def test_what_comes_by_no_named_channel_begins_as_the_file_does() -> None:
    patrol = "sources: {patrol: {title: 巡查, channels: 巡查, start: handling}}\nintake:\n"
    workflow = load(TEXT.replace("intake:\n", patrol), "small.yaml")
    assert entries(workflow, workflow) == {"received": (), "handling": ("巡查",)}
    (task,) = (kind for name, kind in workflow.tasks.items() if name == "extension")
    assert entries(workflow, task) == {task.start: ()}


def test_a_box_shows_the_shortest_and_the_longest_limit_and_never_only_the_last() -> None:
    limits = "      - {when: {kind: 咨询}, is: 3 workdays}\n      - {is: 5 workdays}\n"
    assert limits in TEXT
    many = TEXT.replace(limits, limits.replace("3 workdays", "15 days").replace("5 workdays", "2 hours"))
    said = "".join(boxes(svg(load(many, "small.yaml")))["承办中"])
    assert "2 小时至 15 日" in said.replace("至15", "至 15")
    assert "2 小时" not in "".join(boxes(svg(load(TEXT, "small.yaml")))["承办中"])


def test_a_role_is_told_of_what_it_does_on_the_tasks_that_it_holds() -> None:
    roles = cells(read("kuiwen@1"), "角色")
    assert "“协办”任务：协办签收、协办完成、协办退回" in roles["协办单位"]["能办的动作"]
    assert "“协办”任务" in roles["协办单位"]["持有的状态和任务"]
    assert "“延期申请”任务：同意延期、不同意延期" in roles["上一级单位"]["能办的动作"]
    assert roles["上一级单位"]["是谁"] == "发起单位在目录里的上级"
    assert "签收督办单" in roles["承办单位"]["能办的动作"]


def test_a_role_is_told_of_what_it_registers_and_issues() -> None:
    roles = cells(read("guancheng@1"), "角色")
    assert roles["街道物业服务中心"]["能办的动作"] == "登记“服务中心窗口代点单”"
    assert "签发“例会纪要”" in roles["区物业管理委员会"]["能办的动作"]


def test_the_sheet_tells_papers_ratings_bodies_apart_sources_and_routers() -> None:
    workflow = read("guancheng@1")
    assert cells(workflow, "文书")["例会纪要"]["一条条的内容"] == "每条开一件“例会交办”；议程是“例会议题”"
    assert cells(workflow, "督办手段")["紧急警示"]["何时发出"] == "随时"
    assert cells(workflow, "评价")["群众评价"]["各选项的权重"] == "满意 1，基本满意 0.9，不满意 0"
    assert cells(workflow, "评价")["群众评价"]["另算的比率"] == "响应率：“是否联系诉求人”为是；解决率：“是否解决”为解决"
    assert cells(workflow, "职责分离")["同一件“例会交办”任务"]["必须是不同的单位"] == "持有单位、区物业管理委员会"
    assert cells(workflow, "来源")["星级评定发现的问题"]["从哪里开始"] == "待派单"
    assert cells(workflow, "转办方式")["2. 小区物业"]["怎样找单位"] == "职责清单，1 条"
    said = words_of(svg(workflow))
    assert all(one.heading in said for one in annexes(workflow))


def test_every_source_of_a_main_rule_is_told_with_what_cites_it() -> None:
    basis = cells(read("guancheng@1"), "规则的依据")
    assert basis["《城市更新进行时》第五期《因地制宜强管理 多措并举解难题》"]["规则"] == "整个流程"
    cited = basis["文章未给出；取 ZZ2017 郑州市市长电话快速处理规定：即办类 30 分钟"]["规则"]
    assert "受理时限（特急 30 分钟）" in cited
    assert "规则的依据" not in {one.heading for one in annexes(load(TEXT, "small.yaml"))}


def test_conditions_and_effects_of_a_move_stand_in_its_row_in_words() -> None:
    said = words_of(svg(read("kuiwen@1")))
    assert "“协办”都已办完" in said
    assert "未结任务数" not in said
    assert "随之退单并不再转给它" in said

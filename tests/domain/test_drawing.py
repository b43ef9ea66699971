"""Drawings say every move, survive every title, and are the same for the same workflow."""

import json
import re
from pathlib import Path
from xml.etree import ElementTree as ET

from wuye_loop.domain.checker import load
from wuye_loop.domain.drawing import edges, mermaid
from wuye_loop.domain.drawing_svg import svg
from wuye_loop.domain.schema import json_schema
from wuye_loop.domain.workflow import Workflow

HERE = Path(__file__).parent
TEXT = (HERE / "small.yaml").read_text(encoding="utf-8")
SMALL = load(TEXT, "small.yaml")
SVG = "{http://www.w3.org/2000/svg}"


def test_every_move_is_an_edge_with_its_actor() -> None:
    found = {(edge.source, edge.target, edge.title, edge.by) for edge in edges(SMALL, SMALL)}
    assert ("paused", "handling", "恢复", ("系统", "承办单位")) in found
    assert ("closed", "handling", "重办", ("热线",)) in found


def test_an_action_that_stays_is_no_edge() -> None:
    assert "urge" not in {edge.action for edge in edges(SMALL, SMALL)}


def test_a_way_back_leads_to_every_state_it_may_lead_to() -> None:
    assert {edge.target for edge in edges(SMALL, SMALL) if edge.action == "unmerge"} == {"received", "handling"}


def test_an_outcome_says_when_it_is_taken_in_the_titles_of_the_form() -> None:
    text = TEXT.replace(
        "satisfied: {scale: [满意, 不满意]}, reason", "satisfied: {scale: [满意, 不满意], title: 是否满意}, reason"
    )
    assert "［是否满意 为 满意］" in mermaid(load(text, "small.yaml"))


def test_mermaid_groups_states_by_stage_and_draws_each_task_by_itself() -> None:
    text = mermaid(SMALL)
    assert text.startswith("stateDiagram-v2\n")
    assert text.index('state "统一收集" as stage_collect {') < text.index('state "评价考核" as stage_evaluate {')
    assert "stage_escalate" not in text  # no state stands there
    assert '    %% 任务 extension\n    state "任务：延期申请" as task_extension {' in text
    assert "t_extension__asked --> t_extension__refused : 不同意（持有人、系统）" in text
    assert text.count("{") == text.count("}")


def test_mermaid_escapes_the_signs_it_would_read_as_its_own() -> None:
    text = TEXT.replace("title: 待审核,", "title: 'a:\"b\";{c}<i>',").replace("title: 恢复,", "title: '再: 办\"{x}',")
    drawn = mermaid(load(text, "small.yaml"))
    assert 'state "a#58;#quot;b#quot;#59;#123;c#125;#lt;i#gt;" as s_checking' in drawn
    assert "s_paused --> s_handling : 再#58; 办#quot;#123;x#125;（" in drawn


def test_every_line_of_mermaid_is_of_a_known_form() -> None:
    forms = (
        r"stateDiagram-v2|direction LR|%% .*|\}|",
        r'state "[^":;{}]+" as \w+( \{)?',
        r"(\w+|\[\*\]) --> (\w+|\[\*\])( : [^:]+)?",
    )
    known = re.compile("|".join(f"(?:{form})" for form in forms))
    assert [
        line for line in mermaid(SMALL).splitlines() if not known.fullmatch(line.strip().replace("#quot;", ""))
    ] == []


def nodes(text: str, name: str) -> list[ET.Element]:
    return list(ET.fromstring(text).iter(f"{SVG}{name}"))  # noqa: S314 - our own drawing


def boxes(text: str) -> list[ET.Element]:
    return [node for node in nodes(text, "rect") if node.get("rx")]


def test_svg_has_a_box_for_each_state_and_a_number_for_each_arrow() -> None:
    text = svg(SMALL)
    arrows = {(edge.source, edge.target) for edge in edges(SMALL, SMALL)}
    assert len(boxes(text)) == len(SMALL.states)
    assert len(nodes(text, "circle")) == len(arrows)


def test_svg_boxes_never_cover_each_other() -> None:
    places = [(float(box.get("x", "")), float(box.get("y", ""))) for box in boxes(svg(SMALL))]
    assert len(set(places)) == len(places)
    assert all(
        abs(x - other_x) >= 112 or abs(y - other_y) >= 40
        for n, (x, y) in enumerate(places)
        for other_x, other_y in places[:n]
    )


def test_svg_survives_every_title() -> None:
    text = TEXT.replace("title: 待审核,", "title: '<b>&\"',").replace("title: 小城", "title: '</svg><script>'")
    drawn = svg(load(text, "small.yaml"))
    assert "<script>" not in drawn
    assert '<b>&"' in [node.text for node in nodes(drawn, "text")]


def test_drawings_are_the_same_for_the_same_workflow() -> None:
    again = load(TEXT, "small.yaml")
    assert (mermaid(again), svg(again)) == (mermaid(SMALL), svg(SMALL))


def test_the_schema_for_editors_is_plain_json_without_loose_ends() -> None:
    schema = json_schema()
    text = json.dumps(schema)
    wanted = set(re.findall(r'"#/\$defs/(\w+)"', text))
    assert wanted <= set(schema["$defs"])
    names = {field.alias or name for name, field in Workflow.model_fields.items()}
    assert set(schema["properties"]) == names
    assert schema["additionalProperties"] is False


def test_the_schema_knows_every_effect_and_router_and_the_short_forms() -> None:
    definitions = json_schema()["$defs"]
    effects = json.dumps(definitions["EffectCall"])
    assert '"extend_clock"' in effects
    assert "unmerge" in definitions["EffectCall"]["anyOf"][0]["enum"]
    kinds = [kind["properties"]["kind"]["const"] for kind in definitions["RouterCall"]["oneOf"]]
    assert {"table", "desk", "least_loaded"} <= set(kinds)
    assert "bool?" in definitions["FieldSpec"]["anyOf"][0]["enum"]
    assert definitions["ActionSpec"]["properties"]["by"]["anyOf"][0] == {"type": "string"}
    assert definitions["Span"]["type"] == "string"

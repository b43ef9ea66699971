"""Drawings say every move, survive every title, and are the same for the same workflow."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from wuye_loop.authoring.checker.check import load
from wuye_loop.authoring.drawing.layout import NUMBER_R, Box, Layout, Point
from wuye_loop.authoring.drawing.mermaid import mermaid
from wuye_loop.authoring.drawing.moves import Today, moves, stays
from wuye_loop.authoring.drawing.sheet import WIDTH, main_drawing, svg, task_drawing
from wuye_loop.authoring.drawing.svg import width, wrapped
from wuye_loop.authoring.schema import json_schema
from wuye_loop.domain.language.workflow import Flow, Workflow
from wuye_loop.domain.terms import Tally
from wuye_loop.settings import shipped

HERE = Path(__file__).parents[1]
TEXT = (HERE / "small.yaml").read_text(encoding="utf-8")
SMALL = load(TEXT, "small.yaml")
FULL = load((HERE / "full.yaml").read_text(encoding="utf-8"), "full.yaml")
SHIPPED = load((shipped("workflows") / "kuiwen@1.yaml").read_text(encoding="utf-8"), "kuiwen@1.yaml")
EVERY = pytest.mark.parametrize("workflow", [SMALL, FULL, SHIPPED], ids=lambda workflow: workflow.id)
SVG = "{http://www.w3.org/2000/svg}"
NOON = datetime(2026, 3, 2, 4, tzinfo=UTC)


# --- moves ----------------------------------------------------------------------------------------------------------


def test_every_move_has_a_number_its_ends_and_who_takes_it() -> None:
    found = {(move.title, move.sources, move.targets, move.by) for move in moves(SMALL, SMALL)}
    assert ("恢复", ("paused",), ("handling",), ("system", "handler")) in found
    assert ("重办", ("closed",), ("handling",), ("hotline",)) in found
    numbers = [move.number for move in moves(SMALL, SMALL, 5)]
    assert numbers == list(range(5, 5 + len(numbers)))


def test_an_action_that_stays_is_no_move() -> None:
    made = moves(SMALL, SMALL)
    assert "urge" not in {move.action for move in made}
    assert stays(SMALL, made) == ["accept", "urge", "hand_over"]


def test_a_way_back_leads_to_every_state_it_may_lead_to() -> None:
    (back,) = [move for move in moves(SMALL, SMALL) if move.returns]
    assert (back.action, back.targets) == ("unmerge", ("received", "handling"))


def test_outcomes_with_one_end_are_one_move_that_says_when() -> None:
    closing = next(move for move in moves(SHIPPED, SHIPPED) if (move.action, move.targets) == ("rate", ("closed",)))
    assert closing.when.startswith("所填“是否满意”为满意或基本满意")
    assert closing.when.endswith("，或其余情形")


# --- Mermaid --------------------------------------------------------------------------------------------------------


def test_mermaid_groups_states_by_stage_and_draws_each_task_by_itself() -> None:
    text = mermaid(SMALL)
    assert text.startswith("stateDiagram-v2\n")
    assert text.index('state "统一收集" as stage_collect {') < text.index('state "评价考核" as stage_evaluate {')
    assert "stage_escalate" not in text  # no state stands there
    assert '    %% 任务 extension\n    state "任务：延期申请" as task_extension {' in text
    assert "t_extension__asked --> t_extension__refused : 不同意（持有单位、系统）" in text
    assert text.count("{") == text.count("}")


def test_mermaid_escapes_the_signs_it_would_read_as_its_own() -> None:
    text = TEXT.replace("title: 待审核,", "title: 'a:\"b\";{c}<i>',").replace("title: 恢复,", "title: '再: 办\"{x}',")
    drawn = mermaid(load(text, "small.yaml"))
    assert 'state "a#58;#quot;b#quot;#59;#123;c#125;#lt;i#gt;" as s_checking' in drawn
    assert "s_paused --> s_handling : 再#58; 办#quot;#123;x#125;（" in drawn


@pytest.mark.parametrize("live", [False, True])
def test_every_line_of_mermaid_is_of_a_known_form(live: bool) -> None:  # noqa: FBT001 a parameter of the test
    forms = (
        r"stateDiagram-v2|direction LR|%% .*|\}|",
        r'state "[^":;{}]+" as \w+( \{)?',
        r"(\w+|\[\*\]) --> (\w+|\[\*\])( : [^:]+)?",
        r"classDef \w+ [\w:#,-]+|class \w+ \w+",
    )
    known = re.compile("|".join(f"(?:{form})" for form in forms))
    today = Today.at(NOON, "Asia/Shanghai", {"handling": Tally(3, 1)}) if live else None
    lines = mermaid(SMALL, today).splitlines()
    assert [line for line in lines if not known.fullmatch(re.sub(r"#\w+;", "", line.strip()))] == []


def test_live_mermaid_says_and_colours_how_many_are_open() -> None:
    today = Today.at(NOON, "Asia/Shanghai", {"handling": Tally(8, 3), "received": Tally(1, 0)})
    text = mermaid(SMALL, today)
    assert "%% 2026 年 3 月 2 日 12#58;00 在办 9 件，其中逾期 3 件" in text
    assert 'state "承办中（8 件，逾期 3）" as s_handling' in text
    assert 'state "待审核（0 件）" as s_checking' in text
    assert 'state "已归档" as s_closed' in text
    assert "class s_handling full4" in text
    assert "class s_handling late" in text
    assert "class s_received full1" in text
    assert "s_received late" not in text


# --- the sheet ------------------------------------------------------------------------------------------------------


def nodes(text: str, name: str) -> list[ET.Element]:
    return list(ET.fromstring(text).iter(f"{SVG}{name}"))  # noqa: S314 - our own drawing


def words_of(text: str) -> str:
    """Return all that is written on a sheet, wrapped words joined again."""
    return "".join("".join(node.itertext()) for node in nodes(text, "text"))


def numbers_in(text: str, where: str) -> list[int]:
    return [int("".join(node.itertext())) for node in nodes(text, "g") if node.get("class") == where]


@EVERY
def test_every_state_action_and_role_is_named(workflow: Workflow) -> None:
    said = words_of(svg(workflow)).replace(" ", "")
    flows: list[Flow] = [workflow, *workflow.tasks.values()]
    titles = [role.title for role in workflow.roles.values()]
    titles += [state.title for flow in flows for state in flow.states.values()]
    titles += [action.title for flow in flows for action in flow.actions.values()]
    titles += [title for kind in workflow.tasks.values() for title in (kind.title, kind.open.title)]
    assert [title for title in titles if title.replace(" ", "") not in said] == []


@EVERY
def test_the_numbers_of_the_pictures_are_those_of_the_tables(workflow: Workflow) -> None:
    text = svg(workflow)
    listed = numbers_in(text, "entry")
    assert listed == list(range(1, len(listed) + 1))
    assert set(numbers_in(text, "number")) == set(listed)


def drawings(workflow: Workflow) -> Iterator[Layout]:
    yield main_drawing(workflow)
    yield main_drawing(workflow, Today("今天", dict.fromkeys(workflow.states, Tally(12345, 678))))
    for kind in workflow.tasks.values():
        yield task_drawing(workflow, kind)


def inside(box: Box, one: Point, other: Point) -> bool:
    """Say whether a straight line along an axis passes through the inner part of a box."""
    (x, u), (y, v) = sorted((one[0], other[0])), sorted((one[1], other[1]))
    return x < box.x + box.w - 0.01 and u > box.x + 0.01 and y < box.y + box.h - 0.01 and v > box.y + 0.01


@EVERY
def test_no_two_boxes_overlap_and_no_line_crosses_a_box(workflow: Workflow) -> None:
    for drawing in drawings(workflow):
        boxes = list(drawing.boxes.values())
        for n, box in enumerate(boxes):
            others = boxes[:n]
            assert not any(
                abs(box.x - b.x) < (box.w + b.w) / 2 and abs(box.y + box.h / 2 - b.y - b.h / 2) < (box.h + b.h) / 2
                for b in others
            )
        pieces = [piece for wire in drawing.wires for piece in pairwise(wire.points)]
        assert all(one[0] == other[0] or one[1] == other[1] for one, other in pieces)  # along an axis
        assert not any(inside(box, *piece) for box in boxes for piece in pieces)


@EVERY
def test_every_line_runs_from_the_edge_of_its_source_to_the_edge_of_its_target(workflow: Workflow) -> None:
    for drawing in drawings(workflow):
        for wire in drawing.wires:
            for name, (x, y) in ((wire.link.source, wire.points[0]), (wire.link.target, wire.points[-1])):
                box = drawing.boxes[name]
                assert box.x <= x <= box.x + box.w
                assert box.y <= y <= box.y + box.h


@EVERY
def test_lines_of_different_nets_never_lie_on_one_another(workflow: Workflow) -> None:
    for drawing in drawings(workflow):
        pieces = [(wire.link.net, *piece) for wire in drawing.wires for piece in pairwise(wire.points)]
        for n, (net, one, other) in enumerate(pieces):
            for their, a, b in pieces[:n]:
                for axis in (0, 1):
                    same_line = one[axis] == other[axis] == a[axis] == b[axis]
                    (low, high), (start, end) = (
                        sorted((one[1 - axis], other[1 - axis])),
                        sorted((a[1 - axis], b[1 - axis])),
                    )
                    assert net == their or not (same_line and min(high, end) - max(low, start) > 0.01)


@EVERY
def test_numbers_stand_beside_boxes_and_not_on_one_another(workflow: Workflow) -> None:
    for drawing in drawings(workflow):
        placed = drawing.numbers
        for n, number in enumerate(placed):
            near = [o for o in placed[:n] if (o.x - number.x) ** 2 + (o.y - number.y) ** 2 < (2 * NUMBER_R - 0.01) ** 2]
            assert near == []
            for box in drawing.boxes.values():
                assert not (box.x < number.x < box.x + box.w and box.y < number.y < box.y + box.h)


@EVERY
def test_the_sheet_is_no_wider_than_its_paper_and_loads_nothing(workflow: Workflow) -> None:
    text = svg(workflow)
    root = ET.fromstring(text)  # noqa: S314 - our own drawing
    assert root.get("width") == str(WIDTH)
    assert (root.find(f"{SVG}title"), root.find(f"{SVG}desc")) != (None, None)
    assert not re.search(r"<(?:script|style|image|use|foreignObject)|href|url\(|@import", text)
    lefts = [float(node.get("x", 0)) + float(node.get("width", 0)) for node in nodes(text, "rect")]
    assert max(lefts) <= WIDTH


LONG = "这是一个非常非常长而且怎么也写不进一个框里的状态名称 with-a-very-long-latin-word-that-does-not-end"


def test_words_stay_in_their_boxes_however_long() -> None:
    text = svg(load(TEXT.replace("title: 待审核,", f"title: {LONG[:60]},"), "small.yaml"))
    boxes = [node for node in nodes(text, "rect") if node.get("class") == "state"]
    for symbol in (node for node in nodes(text, "g") if node.get("role") == "graphics-symbol img"):
        (box,) = [node for node in symbol if node in list(symbol.iter(f"{SVG}rect"))]
        left, top = float(box.get("x", "")), float(box.get("y", ""))
        right, bottom = left + float(box.get("width", "")), top + float(box.get("height", ""))
        for line in symbol.iter(f"{SVG}text"):
            half = width("".join(line.itertext()), float(line.get("font-size", 12))) / 2
            assert left <= float(line.get("x", "")) - half
            assert float(line.get("x", "")) + half <= right
            assert top < float(line.get("y", "")) < bottom
    assert len(boxes) == len(SMALL.states) + sum(len(kind.states) for kind in SMALL.tasks.values())


def test_lines_are_no_wider_than_the_room_and_do_not_begin_with_a_closing_sign() -> None:
    lines = wrapped(LONG + "，（第二句）。第三句，完。", 96, 12)
    assert "".join(lines).replace(" ", "") == (LONG + "，（第二句）。第三句，完。").replace(" ", "")
    assert all(width(line, 12) <= 96 for line in lines)
    assert not any(line[0] in "，。）" or line[-1] == "（" for line in lines)
    assert wrapped("一二三四五六七八", 36, 12, 2) == ["一二三", "四五…"]


def test_the_sheet_survives_every_title() -> None:
    text = TEXT.replace("title: 待审核,", "title: '<b>&\"',").replace("title: 小城", "title: '</svg><script>'")
    text = text.replace("title: 热线,", 'title: "a\\u0001\\u202eb",').replace("title: 完成,", "title: ']]>&amp;',")
    drawn = svg(load(text, "small.yaml"))
    assert "<script>" not in drawn
    said = ["".join(node.itertext()) for node in nodes(drawn, "text")]
    assert {'<b>&"', "</svg><script>", "ab", "]]>&amp;"} <= set(said)


def test_drawings_are_the_same_for_the_same_workflow() -> None:
    again = load(TEXT, "small.yaml")
    assert (mermaid(again), svg(again)) == (mermaid(SMALL), svg(SMALL))


def test_a_live_sheet_says_and_colours_how_many_are_open() -> None:
    today = Today.at(NOON, "Asia/Shanghai", {"handling": Tally(8, 3), "received": Tally(2, 0)})
    drawn = svg(SMALL, today)
    live = ["".join(node.itertext()) for node in nodes(drawn, "text") if node.get("class") == "live"]
    assert live == ["2 件", "8 件　逾期 3", "0 件", "0 件", "0 件"]
    assert "2026 年 3 月 2 日 12:00 在办 10 件，其中逾期 3 件" in words_of(drawn)
    fills = {
        "".join(symbol[0].itertext()).split("；")[0]: box.get("fill")
        for symbol in nodes(drawn, "g")
        for box in symbol
        if box.get("class") == "state"
    }
    assert fills["状态 承办中"] == "#8fbbe8"
    assert fills["状态 待审核"] == "#ffffff"
    assert fills["状态 待受理，起点"] not in ("#8fbbe8", "#ffffff")


def test_a_join_and_a_rung_say_in_the_table_when_the_system_acts() -> None:
    text = TEXT.replace(
        "routers:", "joins:\n  - {when: {open.assist: 0, tasks.assist: {min: 1}}, act: take_back}\nrouters:"
    )
    said = words_of(svg(load(text, "small.yaml")))
    assert "一旦" in said
    assert "时限 C 到期时" in said  # the promise runs out: resume


def test_a_large_definition_is_drawn_in_time() -> None:
    count = 60
    names = [f"s{n}" for n in range(count)]
    stages = ("collect", "assign", "handle", "escalate", "feedback", "evaluate")
    large = Workflow.model_validate(
        {
            "name": "large",
            "version": 1,
            "title": "大城",
            "roles": {f"r{n}": {"title": f"角色{n}", "unit": f"u{n}"} for n in range(5)},
            "states": {
                name: {"title": f"状态{n}", "stage": stages[n * 6 // count], "holder": f"r{n % 5}"}
                for n, name in enumerate(names)
            },
            "actions": {
                f"a{n}": {"title": f"动作{n}", "from": names[n % count], "to": names[n * 7 % count], "by": "r0"}
                for n in range(3 * count)
            },
            "routers": [{"kind": "desk"}],
        }
    )
    drawing = main_drawing(large)
    pieces = [piece for wire in drawing.wires for piece in pairwise(wire.points)]
    assert not any(inside(box, *piece) for box in drawing.boxes.values() for piece in pieces)


# --- the schema for editors -----------------------------------------------------------------------------------------


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

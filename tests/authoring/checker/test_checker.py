"""The wall: what breaks a definition is found, on its line, in words; what is sound passes; nothing takes long."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests import ROOT
from tests.authoring.checker.wall import BASES, WALL, Broken
from tests.speed import cost, yardstick

from wuye_loop.authoring.checker.check import Finding, check, load
from wuye_loop.domain.directory.directory import Area, Directory, Unit
from wuye_loop.domain.errors import DefinitionError
from wuye_loop.domain.rulefile.definition import parse
from wuye_loop.store.workflows.files import bases

HERE = Path(__file__).parent
SMALL, FULL = BASES["small"], BASES["full"]
SHIPPED = sorted((ROOT / "workflows").glob("*.yaml"))
AREAS = [Area("s1", "东街", "street", None, "s1/")]


def unit(code: str, *duties: str, active: bool = True) -> Unit:
    return Unit(code, code, "department", "s1", None, duties, active)


def errors(text: str | bytes, directory: Directory | None = None) -> list[Finding]:
    workflow, findings = check(text, "city.yaml", directory)
    found = [finding for finding in findings if finding.severity == "error"]
    assert (workflow is None) == bool(found)
    return found


def test_the_small_definition_is_sound() -> None:
    workflow, findings = check(SMALL, "small.yaml")
    assert findings == []
    assert workflow is not None
    assert workflow.id == "small@1"


def test_the_definition_of_every_construct_is_sound() -> None:
    workflow, findings = check(FULL, "full.yaml")
    assert findings == []
    assert workflow is not None
    assert workflow.id == "full@2"


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_a_shipped_definition_is_sound(path: Path) -> None:
    assert [str(finding) for finding in check(path.read_bytes(), path.name, bases=bases(path, ()))[1]] == []


@pytest.mark.parametrize("broken", WALL, ids=lambda broken: broken.name)
def test_a_broken_definition_is_refused_on_its_line(broken: Broken) -> None:
    found, line = errors(broken.text), broken.line
    assert any(finding.line == line and broken.says in finding.message for finding in found), (
        line,
        [str(finding) for finding in found],
    )
    assert all(finding.column >= 1 for finding in found)


def test_the_wall_has_no_stone_twice() -> None:
    assert len({broken.name for broken in WALL}) == len(WALL) >= 200


def test_a_shipped_flow_of_another_product_shows_two_dangling_moves_and_three_islands() -> None:
    text = (HERE / "broken" / "two_dangling_three_unreachable.yaml").read_text(encoding="utf-8")
    found = errors(text)
    dangling = [finding for finding in found if finding.code == "unknown-name"]
    islands = [finding for finding in found if finding.code == "unreachable"]
    lines = text.splitlines()
    assert [lines[finding.line - 1].strip() for finding in dangling] == ["to: 8f0d2a4e", "to: 51c7b9aa"]
    assert [lines[finding.line - 1].split(":")[0].strip() for finding in islands] == [
        "pending_supervisor",
        "resolved_by_supervisor",
        "cancelled",
    ]


BOMB = "a: &a [x, x]\n" + "".join(
    f"{chr(98 + n)}: &{chr(98 + n)} [*{chr(97 + n)}, *{chr(97 + n)}]\n" for n in range(20)
)
HOSTILE: dict[str, tuple[str | bytes, int, str]] = {
    "a bomb of aliases": (BOMB, 1, "锚点"),
    "an alias": ("name: *name\n", 1, "别名"),
    "an anchor": ("name: &name x\n", 1, "锚点"),
    "a merge key": ("a:\n  <<: {b: 1}\n", 2, "合并键"),
    "a key twice": ("name: a\ntitle: b\nname: c\n", 3, "重复"),
    "deep nesting": ("[" * 5_000, 1, "嵌套超过"),
    "deep blocks": ("".join(f"{'  ' * n}a:\n" for n in range(60)), 33, "嵌套超过"),
    "300 KiB": ("# " + "x" * 300 * 1024, 1, "文件超过"),
    "a tag": ("name: !!python/object:os.system x\n", 1, "标签"),
    "two documents": ("name: a\n---\nname: b\n", 2, "一个文档"),
    "nothing": ("", 1, "空的"),
    "a list": ("- a\n", 1, "“键: 值”的映射"),
    "a text": ("abc\n", 1, "“键: 值”的映射"),
    "another encoding": ("标题: 小城".encode("gbk"), 1, "UTF-8"),
    "a tab": ("roles:\n\ta: b\n", 2, "制表符"),
    "a bracket left open": ("roles: {a: b\n", 2, "花括号没有写完"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_is_answered_at_once(name: str) -> None:
    text, line, says = HOSTILE[name]
    assert cost(lambda: errors(text), 1) < 500 * yardstick()
    found = errors(text)
    assert (found[0].line, says in found[0].message) == (line, True), str(found[0])


def big(states: int, actions: int) -> str:
    last = states - 1
    lines = [
        "name: big\nversion: 1\ntitle: 大城\nrouters: [{kind: desk}]",
        "roles: {a: {title: 甲, unit: lead}, b: {title: 乙, unit: centre}}\nseparate: [[a, b]]",
        "instruments: {remind: {title: 提醒}}\nstates:",
        *(f"  s{n}: {{title: 状态, stage: handle, holder: a, final: {str(n == last).lower()}}}" for n in range(states)),
        "clocks:\n  all:\n    title: 时限\n    limit: {is: 5 workdays}\n    ladder: [{at: due, do: remind, to: a}]",
        f"    during: [{', '.join(f's{n}' for n in range(last))}]\nactions:",
        *(
            f"  a{n}: {{title: 办, from: s{n % last}, to: s{(n % last + 1 + n // last) % states}, by: a, needs: {{why: text}}}}"
            for n in range(actions)
        ),
    ]
    return "\n".join(lines)


def test_200_states_and_1000_actions_are_checked() -> None:
    text = big(200, 1000)
    workflow, _ = check(text, "big.yaml")
    assert cost(lambda: check(text, "big.yaml"), 1) < 900 * yardstick()
    assert workflow is not None
    assert (len(workflow.states), len(workflow.actions)) == (200, 1000)


@pytest.mark.parametrize(
    "change",
    [
        # each is quick to write and was slow to check: many likenesses, many pairs, a long chain, many cases
        lambda n: "".join(f"  x{i}: {{from: nowhere{i}, to: closed, by: desk}}\n" for i in range(n)),
        lambda n: "".join(f"  x{i}: {{from: handling, by: [system, desk], then: x{(i + 1) % n}}}\n" for i in range(n)),
        lambda n: "".join(
            f"  x{i}: {{from: handling, by: desk, outcomes: ["
            + ", ".join(f"{{when: {{cycle: {k}, urged: {k}, followers: {k}}}}}" for k in range(6))
            + "]}\n"
            for i in range(n // 5)
        ),
    ],
)
def test_many_faults_take_no_longer_than_many_rules(change) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001
    text = SMALL.replace("tasks:\n", change(250) + "tasks:\n", 1)
    assert cost(lambda: errors(text), 1) < 1_400 * yardstick()
    assert errors(text)


def test_a_full_page_of_findings_is_enough() -> None:
    text = SMALL.replace(
        "tasks:\n", "".join(f"  x{n}: {{from: nowhere, by: desk}}\n" for n in range(300)) + "tasks:\n", 1
    )
    assert len(errors(text)) == 200


def test_findings_come_in_the_order_of_the_file_and_print_as_file_line_column() -> None:
    text = SMALL.replace("to: closed}", "to: close}").replace("holder: desk}\n  handling", "holder: dsk}\n  handling")
    found = errors(text)
    assert [(finding.line, finding.column) for finding in found] == sorted((f.line, f.column) for f in found)
    assert (
        str(found[0])
        == "city.yaml:21:50: 没有角色“dsk”，是不是 desk？可用：hotline、resident、desk、handler、helper、inspector"
    )


def test_the_column_is_that_of_the_wrong_word() -> None:
    text = SMALL.replace("from: [received, handling]", "from: [received, handlin]")
    found = errors(text)
    line = text.splitlines()[found[0].line - 1]
    assert line[found[0].column - 1 :].startswith("handlin]")


def test_several_faults_are_told_at_once() -> None:
    text = (
        SMALL.replace("do: alarm", "do: alrm")
        .replace("kind: territory", "kind: teritory")
        .replace("then: route", "then: rout")
    )
    assert len(errors(text)) == 3


def test_a_clock_without_ladder_is_only_doubtful() -> None:
    text = SMALL.replace("    ladder:\n      - {at: due, act: resume}\n", "")
    workflow, found = check(text, "city.yaml")
    assert workflow is not None
    assert [(finding.severity, finding.code) for finding in found] == [("warning", "no-ladder")]


def test_an_unknown_kind_of_grievance_is_only_doubtful_since_cities_send_their_own() -> None:
    workflow, found = check(SMALL.replace("{when: {kind: 咨询}", "{when: {kind: 批评}"), "city.yaml")
    assert workflow is not None
    assert [finding.code for finding in found] == ["unknown-kind"]


def test_limits_that_cover_every_case_need_no_last_one() -> None:
    text = SMALL.replace("      - {is: 1 workday}\n", "      - {when: {urgency: {not: 特急}}, is: 1 workday}\n")
    assert errors(text) == []


def test_a_directory_proves_that_units_and_duties_exist() -> None:
    units = [unit("centre"), unit("market"), unit("housing"), unit("east", "property-office")]
    assert errors(SMALL, Directory(AREAS, units)) == []
    found = errors(SMALL, Directory(AREAS, units[1:3]))
    lines = SMALL.splitlines()
    assert [(lines[f.line - 1].strip()[:10], f.message.split("：")[0]) for f in found] == [
        ("desk: {tit", "没有单位“centre”。可用"),
        ("- {kind: t", "没有职责“property-office”"),
    ]


def test_a_unit_that_is_no_longer_active_does_not_exist() -> None:
    units = [unit("centre"), unit("market"), unit("housing", active=False), unit("east", "property-office")]
    assert [finding.message for finding in errors(SMALL, Directory(AREAS, units))] == [
        "没有单位“housing”。可用：centre、market、east"
    ]


def test_the_company_of_an_estate_is_no_code() -> None:
    units = [unit("centre"), unit("market"), unit("housing"), unit("east", "property-office")]
    assert errors(SMALL.replace("to: market", "to: company", 1), Directory(AREAS, units)) == []


def test_a_unit_with_the_duty_of_its_checker_cannot_be_a_target() -> None:
    text = SMALL.replace("unit: centre}", "unit: {duty: checking, level: street}}")
    units = [unit("market", "checking"), unit("housing"), unit("east", "property-office")]
    assert any("它有职责 checking" in finding.message for finding in errors(text, Directory(AREAS, units)))


def test_loading_a_sound_definition_gives_the_workflow() -> None:
    assert load(SMALL, "small.yaml").id == "small@1"


def test_loading_a_broken_definition_raises_with_its_findings() -> None:
    with pytest.raises(DefinitionError) as caught:
        load(SMALL.replace("then: route", "then: rout"), "small.yaml")
    assert [str(finding) for finding in caught.value.findings] == [caught.value.detail]
    assert caught.value.detail.startswith("small.yaml:56:55: 没有操作“rout”")


def test_a_published_text_is_read_again_although_the_checker_has_become_stricter() -> None:
    assert parse(SMALL.replace("then: route", "then: rout"), "small.yaml").id == "small@1"
    with pytest.raises(DefinitionError):
        parse(SMALL.replace("title: 小城", "titel: 小城"), "small.yaml")


@settings(max_examples=12, deadline=None)
@given(st.data())
def test_whatever_is_cut_out_or_doubled_the_checker_answers(data: st.DataObject) -> None:
    lines = SMALL.splitlines(keepends=True)
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(lines) - 1))
        lines[place : place + data.draw(st.integers(0, 3))] = data.draw(
            st.sampled_from([[], [lines[place]] * 2, ["x: 1\n"]])
        )
    workflow, found = check("".join(lines), "city.yaml")
    assert workflow is not None or any(finding.severity == "error" for finding in found)

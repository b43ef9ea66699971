"""A city's file laid over a base: what replaces, what is laid over, what is removed, and where every value stands."""

import re
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests import ROOT

from wuye_loop.authoring.checker.check import check, load
from wuye_loop.authoring.writer import as_yaml
from wuye_loop.domain.errors import DefinitionError
from wuye_loop.domain.rulefile.definition import parse
from wuye_loop.domain.rulefile.extends import Base, Bases, bundle, read_whole, sources, stands_bundled, unbundle
from wuye_loop.domain.rulefile.reader import Mark, YamlDocError, read
from wuye_loop.settings import shipped
from wuye_loop.store.workflows.files import bases, whole_text

SMALL = (ROOT / "tests" / "authoring" / "small.yaml").read_text(encoding="utf-8")
HEAD = "extends: small@1\nname: city\nversion: 2\ntitle: 大城\n"


def among(**files: str) -> Bases:
    """Find `small@1` as files["small"], called small@1.yaml."""
    return lambda name: Base(files[key], f"{name}.yaml") if (key := name.partition("@")[0]) in files else None


SHELF = among(small=SMALL)


def whole(city: str) -> Any:
    return read_whole(HEAD + city, "city@2.yaml", SHELF).data


def findings(city: str, shelf: Bases = SHELF) -> list[str]:
    return [str(finding) for finding in check(HEAD + city, "city@2.yaml", bases=shelf)[1]]


def test_a_file_that_changes_nothing_is_its_base_under_another_name() -> None:
    workflow = load(HEAD, "city@2.yaml", SHELF)
    assert (workflow.id, workflow.title) == ("city@2", "大城")
    same = load(SMALL, "small@1.yaml").model_copy(update={"name": "city", "version": 2, "title": "大城"})
    assert workflow.model_copy(update={"extends": None}) == same


def test_a_scalar_and_a_list_replace_and_a_mapping_is_laid_over() -> None:
    data = whole("""
clocks:
  accept:
    limit: [{is: 2 hours}]
roles: {desk: {unit: hall}}
levels: [district]
""")
    base: Any = read(SMALL, "small@1.yaml").data
    assert data["clocks"]["accept"] == {**base["clocks"]["accept"], "limit": [{"is": "2 hours"}]}
    assert data["roles"]["desk"] == {"title": "受理中心", "unit": "hall"}
    assert data["levels"] == ["district"]
    assert data["actions"] == base["actions"]


def test_the_order_is_the_base_s_then_what_is_new() -> None:
    data = whole("states:\n  extra: {stage: handle, title: 新}\n  closed: {title: 归档了}\n")
    assert list(data["states"]) == ["received", "handling", "paused", "checking", "merged", "closed", "extra"]
    assert data["states"]["closed"] == {"stage": "evaluate", "title": "归档了", "final": True}


def test_null_removes_what_the_base_has() -> None:
    data = whole("documents: {通知书: null}\nseparate:\nactions: {finish: {if: ~}}\n")
    assert list(data["documents"]) == ["督办单"]
    assert "separate" not in data
    assert "if" not in data["actions"]["finish"]


@pytest.mark.parametrize(
    ("city", "path", "meant"),
    [
        ("actions: {finish: {if: {cycle: 2}}}", ("actions", "finish", "if"), {"cycle": 2}),
        ("actions: {finish: {needs: {reply: {text: {max: 9}}}}}", ("actions", "finish", "needs", "reply"), {"text": {"max": 9}}),
        ("actions: {merge: {effect: {unmerge: {}}}}", ("actions", "merge", "effect"), {"unmerge": {}}),
        ("tasks: {order: {clocks: {reply: {limit: {is: 1 day}}}}}", ("tasks", "order", "clocks", "reply", "limit"), {"is": "1 day"}),
        ("tasks: {order: {open: {needs: {document: {text: }}}}}", ("tasks", "order", "open", "needs", "document"), {"text": None}),
        ("ratings: {resident: {asks: {satisfied: {choice: [好]}}}}", ("ratings", "resident", "asks", "satisfied"), {"choice": ["好"]}),
    ],
)  # fmt: skip
def test_a_condition_a_limit_effects_and_a_field_are_one_value_each(
    city: str, path: tuple[str, ...], meant: object
) -> None:
    data = whole(city)
    for step in path:
        data = data[step]
    assert data == meant


def test_entries_named_like_keys_of_the_language_are_entries_all_the_same() -> None:
    base = SMALL.replace("  remind: {title: 提醒}", "  remind: {title: 提醒}\n  limit: {title: 限期, urgent: true}")
    data: Any = read_whole(HEAD + "instruments: {limit: {title: 期限}}", "city@2.yaml", among(small=base)).data
    assert data["instruments"]["limit"] == {"title": "期限", "urgent": True}


def test_every_value_stands_in_the_file_that_wrote_it() -> None:
    doc = read_whole(f"{HEAD}roles:\n  desk: {{unit: hall}}\n", "city@2.yaml", SHELF)
    assert doc.place(("roles", "desk", "unit")) == ("city@2.yaml", Mark(6, 16))
    file, mark = doc.place(("roles", "desk", "title"))
    assert (file, SMALL.splitlines()[mark.line - 1]) == ("small@1.yaml", "  desk: {title: 受理中心, unit: centre}")
    assert doc.place(("roles", "desk"), key=True) == ("city@2.yaml", Mark(6, 3))
    assert doc.place(("actions", "route", "nothing"))[0] == "small@1.yaml"
    assert doc.place(("nothing",)) == ("city@2.yaml", Mark(1, 1))


def test_a_finding_names_the_line_of_the_city_or_of_the_base() -> None:
    (wrong,) = findings("clocks: {accept: {during: [recieved]}}\n")[:1]
    assert wrong.startswith("city@2.yaml:5:28: ")
    assert "recieved" in wrong
    line = SMALL[: SMALL.index("paused: [paused, merged]")].count("\n") + 1
    removed = findings("states: {paused: null}\n")
    assert any(one.startswith(f"small@1.yaml:{line}:") and "paused" in one for one in removed)


@pytest.mark.parametrize(
    ("text", "place", "says"),
    [
        (HEAD.replace("small@1", "none@1"), "1:10", "找不到底本 none@1"),
        (HEAD.replace("small@1", "small"), "1:10", "名称@版本"),
        (HEAD.replace("small@1", "[a]"), "1:10", "名称@版本"),
        (HEAD.replace("small@1", "child@1"), "1:10", "只能继承一层"),
        (HEAD.replace("small@1", "liar@1"), "1:10", "里写的是 small@1"),
        (HEAD.replace("small@1", "list@1"), "1:10", "不是“键: 值”"),
        (HEAD.replace("name: city\nversion: 2", "name: small\nversion: 1"), "1:10", "这个文件自己"),
        (f"{HEAD}states: {{nowhere: null}}", "5:10", "底本没有这一项"),
        (f"{HEAD}nothing: ~", "5:1", "底本没有这一项"),
    ],
)
def test_a_base_that_cannot_be_followed_is_said_where_it_is_named(text: str, place: str, says: str) -> None:
    shelf = among(
        small=SMALL, child=SMALL.replace("name: small", "name: child\nextends: small@1"), liar=SMALL, list="- a"
    )
    workflow, (found, *_) = check(text, "city@2.yaml", bases=shelf)
    assert workflow is None
    assert str(found).startswith(f"city@2.yaml:{place}: ")
    assert says in found.message


def test_every_removal_in_vain_is_said_at_once() -> None:
    assert len(findings("states: {a: null, b: null}\nroles: {c: null}\n")) == 3


def test_a_base_that_is_no_yaml_is_said_in_its_own_file() -> None:
    (found,) = findings("", among(small="a: [1\nb: 2"))
    assert found.startswith("small@1.yaml:2:2: ")


@pytest.mark.parametrize("key", ["name", "version", "title"])
def test_what_a_file_says_of_itself_is_never_taken_from_the_base(key: str) -> None:
    text = "".join(line for line in HEAD.splitlines(keepends=True) if not line.startswith(key))
    assert any(key in str(found) for found in check(text, "city@2.yaml", bases=SHELF)[1])


# --- published ------------------------------------------------------------------------------------------------------


def test_a_bundle_needs_no_other_file_and_means_the_same() -> None:
    city = f"{HEAD}roles: {{desk: {{unit: hall}}}}"  # no line end
    text = bundle(city, "here/city@2.yaml", SHELF)
    assert parse(text, "city@2.yaml") == load(text, "city@2.yaml") == load(city, "city@2.yaml", SHELF)
    assert bundle(text, "city@2.yaml", None) == text
    assert unbundle(text.encode())[1] == Base(SMALL, "small@1.yaml")
    assert sources(text, "city@2.yaml").keys() == {"city@2.yaml", "small@1.yaml"}
    wrong = check(bundle(city.replace("desk", "dask"), "city@2.yaml", SHELF), "city@2.yaml")[1]
    assert {found.file for found in wrong} <= {"city@2.yaml", "small@1.yaml"}


def test_a_file_that_extends_nothing_is_its_own_bundle() -> None:
    assert bundle(SMALL, "small@1.yaml", None) == SMALL
    talks = SMALL.replace("title: 小城", "title: extends 小城")
    assert bundle(talks, "small@1.yaml", None) == talks


@pytest.mark.parametrize("city", [HEAD, HEAD.rstrip(), "# extends nothing\nname: city\n"])
def test_what_is_published_as_it_is_now_is_known_without_reading_it(city: str) -> None:
    published = bundle(city, "city.yaml", SHELF)
    assert stands_bundled(city, published, SHELF)
    assert not stands_bundled(f"{city}\n# more\n", published, SHELF)


def test_a_changed_base_or_another_name_of_it_is_not_what_was_published() -> None:
    published = bundle(HEAD, "city.yaml", SHELF)
    assert not stands_bundled(HEAD, published, among(small=f"{SMALL}# changed\n"))
    assert not stands_bundled(HEAD, published, among())
    assert not stands_bundled(HEAD, published, lambda _: Base(SMALL, "other.yaml"))


def test_a_file_that_may_extend_something_is_read_before_it_is_called_published() -> None:
    assert not stands_bundled(HEAD, HEAD, SHELF)


def test_a_base_behind_a_file_that_extends_nothing_is_refused() -> None:
    text = bundle(HEAD, "city@2.yaml", SHELF).replace("extends: small@1\n", "", 1)
    with pytest.raises(YamlDocError, match="没有写 extends"):
        read_whole(text, "city@2.yaml")


def test_a_bundle_of_a_missing_base_is_refused() -> None:
    with pytest.raises(YamlDocError, match="找不到底本"):
        bundle(HEAD, "city@2.yaml", None)
    with pytest.raises(DefinitionError, match="找不到底本"):
        parse(HEAD, "city@2.yaml")


# --- files and the resolved print -----------------------------------------------------------------------------------


def test_a_base_is_found_beside_the_file_then_in_the_folders_then_among_the_shipped_and_published(
    tmp_path: Path,
) -> None:
    city = tmp_path / "city@2.yaml"
    city.write_text(HEAD, encoding="utf-8")
    other = tmp_path / "other"
    other.mkdir()
    assert bases(city, ())("small@1") is None
    assert bases(city, (), lambda: {"small@1": SMALL})("small@1") == Base(SMALL, "small@1.yaml")
    (other / "small@1.yaml").write_text(SMALL, encoding="utf-8")
    assert bases(city, (other,))("small@1") == Base(SMALL, str(other / "small@1.yaml"))
    (tmp_path / "small@1.yml").write_bytes(SMALL.replace("\n", "\r\n").encode())
    assert bases(city, (other,))("small@1") == Base(SMALL, str(tmp_path / "small@1.yml"))
    assert bases(city, ())("standard@1") is not None
    assert load(whole_text(city), "city@2.yaml").id == "city@2"


def test_the_resolved_definition_reads_as_the_same_workflow() -> None:
    doc = read_whole(f"{HEAD}clocks: {{accept: {{limit: [{{is: 2 hours}}]}}}}\n", "city@2.yaml", SHELF)
    text = (
        as_yaml({key: value for key, value in doc.data.items() if key != "extends"})
        if isinstance(doc.data, dict)
        else ""
    )
    again = load(text, "resolved.yaml")
    assert again == load(doc.text, "city@2.yaml", SHELF).model_copy(update={"extends": None})


def test_the_examples_of_the_page_do_what_it_says() -> None:
    page = (ROOT / "docs" / "extends.md").read_text(encoding="utf-8")
    first, second = re.findall(r"^```yaml\n(.*?)^```$", page, re.DOTALL | re.MULTILINE)
    shelf = bases(None, ())
    (missing,) = [found for found in check(first, "liuzhen@1.yaml", bases=shelf)[1] if found.severity == "error"]
    assert (Path(missing.file).name, "yellow_card" in missing.message) == ("standard@1.yaml", True)
    mended = first.replace("clocks:\n", second, 1)
    workflow = load(mended, "liuzhen@1.yaml", shelf)
    assert workflow.id == "liuzhen@1"
    assert list(workflow.instruments)[-1] == "notice_card"
    assert [rung.do for rung in workflow.clocks["handle"].ladder] == [("notice_card",), ("red_card",)]


LEAVES = st.none() | st.booleans() | st.integers(-(10**17), 10**17) | st.decimals(-999, 999, places=3).map(float) | st.text(
    st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp", "Cf", "Co", "Cn"]) | st.sampled_from("\n\t:#,[]{}'\"-?")
)  # fmt: skip
NAMES = st.text(st.characters(categories=["L", "N", "P", "S"]), min_size=1).filter(
    lambda name: name == name.strip() and len(name) < 300
)


@given(
    st.recursive(
        LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=4), max_leaves=12
    )
)
def test_whatever_is_written_reads_back_as_it_was(data: object) -> None:
    assert read(as_yaml({"top": data}), "x.yaml").data == {"top": data}


def test_five_cities_on_one_base_check_in_less_than_a_second() -> None:
    standard = (shipped("workflows") / "standard@1.yaml").read_text(encoding="utf-8")
    city = HEAD.replace("small@1", "standard@1") + "labels: {reason: 事由}\n" * 1
    started = time.process_time()
    for n in range(5):
        assert check(city.replace("city", f"city{n}"), "city.yaml", bases=among(standard=standard))[1] == []
    assert time.process_time() - started < 1


def test_an_inherited_action_no_longer_starts_from_a_state_that_is_removed() -> None:
    base = SMALL.replace("from: handling, by: hotline", "from: [handling, paused], by: hotline", 1)
    city: Any = read_whole(f"{HEAD}states: {{paused: null}}\n", "city@2.yaml", among(small=base)).data
    assert city["actions"]["urge"]["from"] == ["handling"]
    own = f"{HEAD}states: {{paused: null}}\nactions: {{urge: {{from: [handling, paused]}}}}\n"
    written: Any = read_whole(own, "city@2.yaml", among(small=base)).data
    assert written["actions"]["urge"]["from"] == ["handling", "paused"]

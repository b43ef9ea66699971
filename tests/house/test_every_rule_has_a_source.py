"""Every rule of the shipped cities says where it comes from: the city's article, a rule in force elsewhere, or ourselves.

A limit, a rung, a number on an action or on an opening says so itself: no part around it speaks for a number. What else a
rule consists of may be covered by the part that states it: an outcome by its action, a step of a task by its kind, a line
of a duty list by its router. The language has no place for the source of a group of bodies that must differ; there it
stands in a comment of the same line.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import pytest

from wuye_loop.domain.rulefile.extends import read_whole
from wuye_loop.domain.rulefile.reader import Path, YamlDoc, read
from wuye_loop.settings import shipped
from wuye_loop.store.workflows.files import text_in, whole_text

WORKFLOWS: Final = shipped("workflows")
BASE: Final = "standard@1"

#: The article that each city's file follows, as its first `source` names it.
ARTICLES: Final = {
    "kuiwen@2": "奎文区打造全市物业管理改革先行区 助推基层治理提质增效",
    "gedian@1": "葛店经开区住宅小区物业管理三年提升行动方案（鄂葛管办发〔2024〕16号）",
    "zichuan@1": "中国城市报 2023-02-27 第 21 版《淄川区：社区物业党建联建 赋能美好幸福生活》",
    "guancheng@1": "《城市更新进行时》第五期《因地制宜强管理 多措并举解难题》",
    "jinan@1": "济南市住房和城乡建设局，建筑杂志社 2025-06-25，“泉城红色物业”",
}
FILES: Final = (BASE, *ARTICLES)
#: Rules in force elsewhere that a number may be taken from: their sign -> the spans and counts that they give.
ELSEWHERE: Final = {
    "SD2020": {"5 workdays", "10 workdays", "2 workdays"},
    "SD2017": {"15 workdays", "7 workdays", "-1 workday", "due", "2"},
    "FSOU": {"3 workdays", "13 workdays", "+1 workday", "+5 workdays"},
    "ZZ2017": {"30 minutes", "2 hours"},
    "YQ": {"1 workday", "2 workdays", "5 workdays"},
    "ST2022": set[str](),
    "BJLAW": set[str](),
    "CODE3R": set[str](),
}
OURS: Final = "本系统通用做法，无出处"  # in the base; a city says 本流程约定
OWN: Final = "本流程约定"
ARTICLE: Final = "文章"
#: What a city may change without changing the rule: what people read, and parts that speak for themselves.
SAYING_NOTHING: Final = {"title", "text", "audience", "states", "clocks", "actions", "open"}
#: Words that name nothing anybody could look up.
VAGUE: Final = ("同上", "通行做法", "取自底本", "下同")


@dataclass(frozen=True)
class Rule:
    """One rule of a file: what it is, where it stands, the parts that may say where it comes from, and its numbers."""

    what: str
    path: Path
    speakers: tuple[Path, ...]  # itself first
    numbers: tuple[str, ...] = ()


@cache
def whole(name: str) -> YamlDoc:
    """Read the resolved file, each value with the place where it was written."""
    file = WORKFLOWS / f"{name}.yaml"
    return read_whole(whole_text(file), str(file))


@cache
def own(name: str) -> Any:
    """Read what the city's own file writes, without its base."""
    return read(text_in(WORKFLOWS / f"{name}.yaml"), name).data


def at(data: Any, path: Path) -> Any:
    """Return what stands at a path; None where nothing is written."""
    for key in path:
        try:
            data = data[key]
        except (KeyError, IndexError, TypeError):
            return None
    return data


def many(raw: Any) -> list[Any]:
    """Return a list; a list of one may be written without brackets."""
    if raw is None:
        return []
    return raw if isinstance(raw, list) else [raw]


def place(name: str, path: Path) -> str:
    file, mark = whole(name).place(path)
    return f"{file.rpartition('/')[2]}:{mark.line}"


def said(name: str, rule: Rule) -> tuple[str | None, str]:
    """Return the source of a rule, and the file that wrote it."""
    for speaker in rule.speakers:
        if source := at(whole(name).data, (*speaker, "source")):
            file, _ = whole(name).place((*speaker, "source"))
            return source, file.rpartition("/")[2].removesuffix(".yaml")
    return None, name


def of(data: Mapping[str, Any], *keys: str) -> Iterator[tuple[Path, dict[str, Any]]]:
    for key in keys:
        for name, part in (data.get(key) or {}).items():
            yield (key, name), part


def in_list(data: Mapping[str, Any], key: str) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Give the parts of a list; a list of one may be written without brackets, and has a path without an index then."""
    raw = data.get(key)
    for index, part in enumerate(many(raw)):
        yield ((key, index) if isinstance(raw, list) else (key,)), part


def rules(data: dict[str, Any]) -> Iterator[Rule]:
    """Give every rule of a resolved file."""
    for key in ("calendar", "intake", "family"):
        if key in data:
            yield itself(key, (key,))
    for path, _ in of(data, "roles", "sources", "instruments", "documents", "ratings", "states"):
        yield itself(str(path[0]), path)
    for key in ("joins", "standing", "routers"):
        for path, part in in_list(data, key):
            yield itself(key, path)
            for inner, _ in in_list(part, "rules"):
                yield Rule("line of a router", (*path, *inner), ((*path, *inner), path))
    yield from intake(data["intake"])
    yield from flow((), data)
    for kind, part in of(data, "tasks"):
        yield itself("kind of task", kind)
        yield from flow(kind, part)
        yield step((*kind, "open"), part["open"], kind)


def itself(what: str, path: Path, *numbers: str) -> Rule:
    """Give a rule that nothing around it speaks for."""
    return Rule(what, path, (path,), numbers)


def intake(data: dict[str, Any]) -> Iterator[Rule]:
    yield itself("window of duplicates", ("intake", "duplicates"))
    for key in ("red_lines", "attach"):
        for path, _ in in_list(data, key):
            yield itself(key, ("intake", *path))
    for path, _ in in_list(data, "categories"):
        yield Rule("category", ("intake", *path), (("intake", *path), ("intake",)))


def flow(kind: Path, data: dict[str, Any]) -> Iterator[Rule]:
    """Give the clocks and actions of the main flow (no kind), or of a kind of task."""
    for path, clock in of(data, "clocks"):
        for inner, limit in in_list(clock, "limit"):
            yield itself("limit", (*kind, *path, *inner), limit.get("is", ""))
        for inner, rung in in_list(clock, "ladder"):
            yield itself("rung", (*kind, *path, *inner), rung["at"])
    for path, action in of(data, "actions"):
        one = step((*kind, *path), action, kind)
        yield one
        for inner, _ in in_list(action, "outcomes"):
            yield Rule("outcome", (*one.path, *inner), ((*one.path, *inner), *one.speakers))


def step(path: Path, data: dict[str, Any], kind: Path) -> Rule:
    """Give an action or an opening: its kind of task speaks for it, unless it has numbers."""
    numbers = tuple(numbers_of(data))
    return Rule("action", path, (path, kind) if kind and not numbers else (path,), numbers)


def numbers_of(data: dict[str, Any]) -> Iterator[str]:
    """Give what an action or an opening says in numbers: how often, within how long, until when, how much at most."""
    if "limit" in data:
        limit = data["limit"]
        yield str(limit["times"] if isinstance(limit, dict) else limit)
    if "within" in data:
        yield data["within"]
    if "before_due" in data:
        yield "before due"
    for effect in many(data.get("effect")):
        if isinstance(effect, dict):
            for cap in many(effect.get("extend_clock", {}).get("cap")):
                yield cap["is"]


def found(name: str) -> list[Rule]:
    data = whole(name).data
    assert isinstance(data, dict)
    return list(rules(data))


def fault(name: str, source: str) -> str | None:
    """Say what is wrong with the words of a source, if anything is."""
    signs = [sign for sign in ELSEWHERE if sign in source]
    if any(word in source for word in VAGUE):
        return "names nothing that anybody could look up"
    if name == BASE:
        return None if signs or OURS in source else "names no rule in force, nor says that it is ours"
    silent = source.replace("文章未给出", "")
    if signs or OURS in source or OWN in source:
        return None
    return None if ARTICLE in silent else "names neither the article nor a rule in force, nor says that it is ours"


@pytest.mark.parametrize("name", FILES)
def test_every_rule_says_where_it_comes_from(name: str) -> None:
    silent = [
        f"{place(name, rule.path)} {rule.what} {rule.path}" for rule in found(name) if said(name, rule)[0] is None
    ]
    assert silent == []


@pytest.mark.parametrize("name", FILES)
def test_every_source_names_what_can_be_looked_up_or_says_that_the_rule_is_ours(name: str) -> None:
    wrong = []
    for rule in found(name):
        source, file = said(name, rule)
        if source and (words := fault(file, source)):
            wrong.append(f"{place(name, rule.path)} {words}: {source}")
    assert wrong == []


@pytest.mark.parametrize("name", ARTICLES)
def test_a_rule_that_a_city_changes_says_so_itself(name: str) -> None:
    lent = []
    for rule in found(name):
        part = at(own(name), rule.path)
        changed = isinstance(part, dict) and set(part) - SAYING_NOTHING
        if changed and said(name, rule)[1] != name:
            lent.append(f"{place(name, rule.path)} {rule.what} {rule.path}: {said(name, rule)[0]}")
    assert lent == []


@pytest.mark.parametrize("name", FILES)
def test_a_number_taken_from_a_rule_in_force_is_the_number_of_that_rule(name: str) -> None:
    other = []
    for rule in found(name):
        source = said(name, rule)[0] or ""
        given = set[str]().union(*(ELSEWHERE[sign] for sign in ELSEWHERE if sign in source))
        if not any(word in source for word in (OWN, OURS, f"{ARTICLE}：")):
            other += [f"{place(name, rule.path)} {one}: {source}" for one in rule.numbers if one and one not in given]
    assert other == []


@pytest.mark.parametrize("name", FILES)
def test_every_group_of_bodies_that_must_differ_says_why(name: str) -> None:
    data: Any = whole(name).data
    groups: list[Path] = [("separate", index) for index in range(len(data["separate"]))]
    for path, kind in of(data, "tasks"):
        groups += [(*path, "separate", index) for index in range(len(kind.get("separate", ())))]
    silent = []
    for group in groups:
        written: Any = at(data, group)
        source = written.get("source", "") if isinstance(written, dict) else ""
        if fault(place(name, group).partition(":")[0].removesuffix(".yaml"), source):
            silent.append(f"{place(name, group)} {written}")
    assert silent == []


@pytest.mark.parametrize(("name", "article"), ARTICLES.items(), ids=list(ARTICLES))
def test_a_city_names_its_article_first_and_the_base_names_none(name: str, article: str) -> None:
    assert own(name)["source"] == article
    assert ARTICLE not in whole(BASE).text


def test_every_sign_of_a_rule_in_force_is_spelled_out_in_the_base() -> None:
    spelled_out = re.findall(r" ([A-Z]+[0-9R]*) +[^ A-Z]", whole(BASE).text.partition("name: standard")[0])
    assert sorted(spelled_out) == sorted(ELSEWHERE)


def test_what_says_nothing_is_found_out() -> None:
    told = {
        ("standard@1", "文章：一个月"): "names no rule in force",
        ("standard@1", "通行做法"): "names nothing",
        ("kuiwen@2", "同上"): "names nothing",
        ("kuiwen@2", "文章未给出"): "names neither",
        ("kuiwen@2", "街道审批"): "names neither",
    }
    assert [key for key, words in told.items() if not (fault(*key) or "").startswith(words)] == []
    bare = {"limit": {"is": "5 workdays"}, "ladder": [{"at": "due"}, {"at": "+1 workday"}]}
    acts = {"asks": {"limit": {"times": 2, "per": "cycle"}, "before_due": "handle"}, "does": {}}
    data = {"clocks": {"handle": bare}, "actions": acts}
    assert [(rule.path[2:], rule.numbers, len(rule.speakers)) for rule in flow(("tasks", "extension"), data)] == [
        (("clocks", "handle", "limit"), ("5 workdays",), 1),
        (("clocks", "handle", "ladder", 0), ("due",), 1),
        (("clocks", "handle", "ladder", 1), ("+1 workday",), 1),
        (("actions", "asks"), ("2", "before due"), 1),
        (("actions", "does"), (), 2),
    ]

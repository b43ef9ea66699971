"""Finds every Chinese text that pages show, and merges them into the catalogues: `python -m tests.house.words`.

Texts of the pages' templates and of the program stand in one catalogue, words of the shipped rule files in another. A text
of the program that holds values is named as the source has it, `共 {n} 件`; a value that is longer is counted, `{0}`.
"""

import ast
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

import polib
from ruamel.yaml import YAML

from wuye_loop.web.english.catalogue import PAGES, RULES, WORDS

ROOT: Final = Path(__file__).parents[2]
SOURCES: Final = ROOT / "src" / "wuye_loop"
_TEMPLATES: Final = SOURCES / "web" / "templates"
#: Their whole text is for people who look at pages.
SPOKEN: Final = (
    "web",
    "demo/visitors.py",
    "domain/assessment/points.py",
    "domain/errors.py",
    "domain/grievance/permissions.py",
    "domain/language/conditions.py",
    "domain/routing/chain.py",
    "domain/routing/kinds.py",
    "domain/routing/learned.py",
    "domain/routing/protocol.py",
    "domain/routing/words.py",
    "domain/terms.py",
    "domain/wording/",
    "edge/database_faults.py",
    "edge/sign_in.py",
    "queries/board.py",
    "queries/choices.py",
    "queries/explain/",
    "queries/grievance.py",
    "queries/inbox.py",
    "queries/supervision.py",
    "queries/timeline.py",
    "trial/replay/compare.py",
)
#: Of these, what they refuse with.
REFUSING: Final = ("domain", "edge", "loop", "queries", "store", "uploads")
#: Of these, what no page does: programs and the command line alone meet it, in Chinese.
_NOT: Final = (
    "domain/assessment/periods.py",
    "domain/directory/document.py",
    "domain/figures/",
    "domain/rulefile/",
    "domain/sheets/",
    "domain/suggesting/",
    "domain/time/",
    "domain/privacy/retention.py",
    "domain/privacy/sealing.py",
    "edge/idempotency.py",
    "edge/limits.py",
    "edge/spans.py",
    "edge/strict_json.py",
    "loop/access/approvals.py",
    "loop/access/keys.py",
    "loop/custody/",
    "loop/migrate.py",
    "queries/explain/days.py",  # days have their own English
    "queries/reveals.py",
    "store/directory/",
    "store/keys/api_keys.py",
    "store/keys/keyring.py",
    "store/keys/trusted.py",
    "store/workflows/",
    "web/docs.py",
    "web/english/",
    "web/language.py",
    "web/times.py",  # has its own English
)
_LONG: Final = 40
#: A mapping as a rule file writes it: said of rule files only.
_WRITTEN: Final = re.compile(r"\{[^{}]*[:, \u4e00-\u9fff]")
#: Sentences that are put together of several, as a whole, and the days off that a calendar names.
COMPOSED: Final = (
    "到期时{what}",
    "到期前 {n} 个工作日{what}",
    "到期后 {n} 个工作日{what}",
    "到期前 {n} 小时{what}",
    "到期后 {n} 小时{what}",
    "到期后 {n} 日{what}",
    "发{what}给{whom}，抄送{others}",
    "开{what}给{whom}，抄送{others}",
    "发{what}、开{task}给{whom}，抄送{others}",
    "{clock}正在走，{when} 到期。",
    "{clock}正在走，{when} 到期，已经逾期。",
    "{clock}暂停中，{when} 到期。",
    "{clock}已结束，{when} 到期。",
    "由台账第 {n} 行{what}起算；适用第 {m} 条（{where}）：{why}，{limit}，{starts}，出处：{source}。",
    "由台账第 {n} 行{what}起算；适用第 {m} 条（{where}）：{why}，{limit}，{starts}。",
    "已于 {when} 触发",
    "将于 {when} 触发",
    "{first}（{weekday}）至 {last}（{last_weekday}）{holiday} {n} 天",
    "所填{field}为{said}",
    "属地街道：选中，{why}",
    "{router}：选中，{why}",
    "{router}：没有定出，{why}",
    "{router}：跳过，{why}",
    "{router}：留给人工，{why}",
    "{why}；协办{units}",
    "类别 为 {category} → {unit}",
    "{holiday}（补假）",
    "元旦",
    "春节",
    "农历除夕",
    "清明",
    "清明节",
    "劳动节",
    "端午",
    "端午节",
    "中秋",
    "中秋节",
    "国庆节",
    "国庆",
)
#: What a rule file says to people who look at pages, by the key it stands under; the keys of these are words too.
_SAID: Final = frozenset({"title", "name", "text", "choice", "choice?", "scale", "channels", "category", "channel", "kind", "urgency"})  # fmt: skip


def refusals(trees: Iterable[ast.Module]) -> frozenset[str]:
    """Return the names of the errors whose words reach people: all that descend from the two that say so."""
    bases = {
        node.name: {getattr(one, "id", getattr(one, "attr", "")) for one in node.bases}
        for tree in trees
        for node in tree.body
        if isinstance(node, ast.ClassDef)
    }
    found, more = set[str](), {"WuyeError", "BadValue"}
    while more:
        found |= more
        more = {name for name, of in bases.items() if of & found} - found
    return frozenset(found | {"problem"})


def spelt(node: ast.Constant | ast.JoinedStr) -> str:
    """Return a text as the catalogue names it."""
    if isinstance(node, ast.Constant):
        return str(node.value)
    found = []
    for n, part in enumerate(node.values):
        if isinstance(part, ast.Constant):
            found.append(str(part.value).replace("{", "").replace("}", ""))
        else:
            code = ast.unparse(part.value) if isinstance(part, ast.FormattedValue) else ""
            short = len(code) <= _LONG and not WORDS.search(code) and not re.search(r"[{}'\"]", code)
            found.append("{" + (code if short else str(n)) + "}")
    return "".join(found)


def _silent(tree: ast.AST) -> set[ast.AST]:
    """Return the constants that are no texts: docstrings, and parts of a longer one."""
    found: set[ast.AST] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            first = node.body[0] if node.body else None
            if isinstance(first, ast.Expr):
                found.add(first.value)
        if isinstance(node, ast.JoinedStr):
            found.update(part for part in node.values if isinstance(part, ast.Constant))
    return found


def _texts_under(node: ast.AST, silent: set[ast.AST]) -> Iterator[str]:
    for one in ast.walk(node):
        if one not in silent and isinstance(one, ast.Constant | ast.JoinedStr):
            if isinstance(one, ast.Constant) and not isinstance(one.value, str):
                continue
            text = spelt(one)
            if isinstance(one, ast.Constant) and _WRITTEN.search(text):
                continue
            if WORDS.search(re.sub(r"\{[^}]*\}", "", text)):
                yield text.strip()


@cache
def of_program() -> tuple[tuple[str, str], ...]:
    """Return every text of the program that pages show, and the file it stands in."""
    trees = {}
    for path in sorted(SOURCES.rglob("*.py")):
        place, code = path.relative_to(SOURCES).as_posix(), path.read_text("utf-8")
        if place.startswith((*SPOKEN, *REFUSING)) and not place.startswith(_NOT) and WORDS.search(code):
            trees[place] = ast.parse(code)
    named = refusals(trees.values())
    return tuple(
        (text, place)
        for place, tree in trees.items()
        for text in (_texts_under(tree, _silent(tree)) if place.startswith(SPOKEN) else _refused(tree, named))
    )


def _refused(tree: ast.Module, named: frozenset[str]) -> Iterator[str]:
    silent: set[ast.AST] | None = None
    for node in ast.walk(tree):
        parts: list[ast.AST] = []
        if isinstance(node, ast.Call) and getattr(node.func, "id", getattr(node.func, "attr", "")) in named:
            parts = [node]
        if isinstance(node, ast.ClassDef) and node.name in named:
            parts = [*node.keywords]
        if parts and silent is None:
            silent = _silent(tree)
        for one in parts:
            yield from _texts_under(one, silent or set())


def of_templates() -> Iterator[tuple[str, str]]:
    """Yield every text of the templates, and its template."""
    from wuye_loop.web.english.templates import texts  # noqa: PLC0415 only here

    for path in sorted(_TEMPLATES.rglob("*.html")):
        yield from ((text, path.relative_to(SOURCES).as_posix()) for text in texts(path.read_text("utf-8")))


@cache
def of_rules() -> tuple[tuple[str, str], ...]:
    """Return every word of the shipped rule files that pages show, and its file."""
    found: list[tuple[str, str]] = []
    reader = YAML(typ="safe")
    for path in sorted([*(ROOT / "workflows").glob("*.yaml"), *(ROOT / "workflows" / "assessments").glob("*.yaml")]):
        place = path.relative_to(ROOT).as_posix()
        found += [(text, place) for text in _words(reader.load(path.read_text("utf-8")), "") if WORDS.search(text)]
    return tuple(found)


def _words(node: Any, key: str) -> Iterator[str]:
    if isinstance(node, dict):
        for name, one in node.items():
            if WORDS.search(str(name)):
                yield str(name)
            yield from _words(one, "title" if key == "labels" else str(name))
    elif isinstance(node, list):
        for one in node:
            yield from _words(one, key)
    elif isinstance(node, str) and key in _SAID:
        yield node.strip()


def expected(found: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    """Return each text with the places it stands in."""
    known: dict[str, list[str]] = {}
    for text, place in found:
        places = known.setdefault(text, [])
        if place not in places:
            places.append(place)
    return known


CATALOGUES: Final[Mapping[Path, Callable[[], dict[str, list[str]]]]] = {
    SOURCES / "web" / PAGES: lambda: expected([*of_templates(), *of_program(), *((text, "") for text in COMPOSED)]),
    ROOT / "workflows" / RULES: lambda: expected(of_rules()),
}


def merged(path: Path, known: dict[str, list[str]]) -> polib.POFile:
    """Return a catalogue with every text that is shown: what is new has no translation yet, what is gone is dropped."""
    old = polib.pofile(str(path), wrapwidth=0) if path.is_file() else polib.POFile(wrapwidth=0)
    said = {one.msgid: one for one in old if not one.obsolete}
    made = polib.POFile(wrapwidth=0)
    made.header, made.metadata = old.header, {"Language": "en", "Content-Type": "text/plain; charset=UTF-8"}
    for text, places in known.items():
        entry = said.get(text) or polib.POEntry(msgid=text)
        entry.occurrences = [(place, "") for place in places if place]
        made.append(entry)
    return made


def main() -> int:
    """Merge both catalogues; return how many texts still want a translation."""
    missing = 0
    for path, find in CATALOGUES.items():
        found = merged(path, find())
        path.parent.mkdir(parents=True, exist_ok=True)
        found.save(str(path))
        missing += len(found.untranslated_entries())
        print(  # noqa: T201 it is run by hand
            f"{path.relative_to(ROOT)}: {len(found)} texts, {len(found.untranslated_entries())} without a translation"
        )
    return missing


if __name__ == "__main__":
    sys.exit(1 if main() else 0)

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

from wuye_loop.web.english.catalogue import CLERKS, DIFFERENCES, PAGES, RULES, WORDS

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
    "queries/assessment/tables.py",
    "queries/explain/",
    "queries/grievance.py",
    "queries/inbox.py",
    "queries/supervision.py",
    "queries/timeline.py",
    "store/calendar/seed.py",
    "trial/replay/compare.py",
)
#: What is said of a file to who writes it: findings in rules and in a directory, what a simulation came to.
OF_FILES: Final = (
    "authoring/checker/",
    "domain/directory/document.py",
    "domain/language/documents.py",
    "domain/language/forms.py",
    "domain/language/intake.py",
    "domain/language/parts.py",
    "domain/language/results.py",
    "domain/language/workflow.py",
    "domain/rulefile/",
    "domain/sheets/",
    "domain/time/notice.py",
    "domain/time/spans.py",
    "store/directory/load.py",
    "trial/simulation/aside.py",
    "trial/simulation/inputs/changes.py",
    "trial/simulation/inputs/staff.py",
    "trial/simulation/question.py",
    "trial/simulation/results/",
    "trial/simulation/run/flow.py",
    "trial/simulation/scenario.py",
)
#: Of these, what a sheet or a notice of days off is read with; what they look for in it is not said.
OF_SHEETS: Final = ("domain/sheets/", "domain/time/notice.py")
#: What differs between two rule files; what a command alone tells, in Chinese, is none of it.
OF_DIFFERENCES: Final = ("authoring/diff/",)
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
_BY_COMMAND: Final = ("authoring/diff/lost_of_base.py",)
#: A mapping as a rule file writes it, said of rule files only; what texts are searched with.
_WRITTEN: Final = re.compile(r"\{[^{}]*[:, \u4e00-\u9fff]|\(\?[<=!]")
#: Sentences that are put together of several, as a whole, the days off that a calendar names, and a sheet of the directory.
COMPOSED: Final = (
    "到期时{what}",
    "到期前 {n} 个工作日{what}",
    "到期后 {n} 个工作日{what}",
    "到期前 {n} 小时{what}",
    "到期后 {n} 小时{what}",
    "到期后 {n} 日{what}",
    "发{what}给{whom}",
    "开{task}给{whom}",
    "发{what}给{whom}，抄送{others}",
    "开{what}给{whom}，抄送{others}",
    "发{what}、开{task}给{whom}，抄送{others}",
    "发{what}、系统做{act}给{whom}，抄送{others}",
    "发{what}给{whom}，抄送{others}（{when}时）",
    "来源为{source}",
    "{when} 延长 {span}，因{task}的{act}（{who}），到期由 {before} 变为 {after}。",
    "{when} 暂停，因{act}（{who}）。",
    "{when} 接着走，停了 {span}，因{act}（{who}），到期由 {before} 变为 {after}。",
    "{day}（{weekday}）周末 {n} 天",
    "计入调休：{day}（{weekday}）{holiday}调休上班。",
    "标题和内容 匹配“{pattern}” → {unit}",
    "{clock}正在走，{when} 到期。",
    "{clock}正在走，{when} 到期，已经逾期。",
    "{clock}暂停中，{when} 到期。",
    "{clock}已结束，{when} 到期。",
    "由台账第 {n} 行{what}起算；适用第 {m} 条（{where}）：{why}，{limit}，{starts}，出处：{source}。",
    "由台账第 {n} 行{what}起算；适用第 {m} 条（{where}）：{why}，{limit}，{starts}。",
    "适用第 {m} 条（{where}）：{why}，{limit}，{starts}，出处：{source}",
    "适用第 {m} 条：{why}，{limit}，{starts}，出处：{source}",
    "适用第 {m} 条（{where}）：{why}，{limit}，{starts}",
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
    "{router}：没有定出，{n} 条规则都不成立",
    "{router}：没有定出，{n} 条规则都不成立（诉求没有{what}）",
    "{stated}（现为 {value}）",
    "{full}−{step}×{short}（{value} 低于 {limit}）",
    "{full}−{step}×{short}（{value} 高于 {limit}）",
    "人工指定",
    "服务电话",
    "人员",
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
COMPOSED_OF_FILES: Final[tuple[str, ...]] = (
    "没有{what}“{name}”，是不是 {near}？可用：{names}",
    "没有{what}“{name}”。可用：{names}",
    "没有{what}“{name}”：这里一个也没有定义",
    "没有{what}“{name}”，“{said}”是 {key} 的名称，请写 {key}",
    "没有评价“{name}”，是不是 {near}？可用：{names}",
    "没有评价“{name}”。可用：{names}",
    "没有评价“{name}”：这里一个也没有定义",
    "没有评价“{name}”，“{said}”是 {key} 的名称，请写 {key}",
    "“{name}”，是不是 {near}？可用：{names}",
    "“{name}”。可用：{names}",
    "“{name}”：这里一个也没有定义",
    "不认识的键“{name}”，是不是 {near}？可用：{names}",
    "不认识的键“{name}”。可用：{names}",
    "事实“{fact}”问的{what}“{name}”不存在，是不是 {near}？可用：{names}",
    "事实“{fact}”问的{what}“{name}”不存在。可用：{names}",
    "事实“{fact}”问的{what}“{name}”不存在：这里一个也没有定义",
    "事实“{fact}”没有取值“{name}”，永远不成立，是不是 {near}？可用：{names}",
    "事实“{fact}”没有取值“{name}”，永远不成立。可用：{names}",
    "没有事实“{name}”，是不是 {near}？全部事实见 docs/language.md 的“条件”一节",
    "没有事实“{name}”，是不是 {near} 或 {other}？全部事实见 docs/language.md 的“条件”一节",
    "没有事实“{name}”。全部事实见 docs/language.md 的“条件”一节",
    "{names} 等 {n} 个",
    "任务 {kind} 还没有决定时，诉求可能已经到了 {states}，而{why}：{name} 会被拒绝。请把 {where} {mend}，或在任务里写 {so}（离开能发起的状态就撤回）",
    "时限在状态“{state}”里也走，而 {act} 不能从那里做：在那里到期只记台账，什么也不做。请把 {left} 加进 {to} 的 from，或给这一级写 {so}",
    "来源“{source}”可以由单位登记，那样的诉求到了状态 {state} 就只有{who}能往下办，而它没有{none}：请另写一个别的角色能做的操作（可写 {so}），或让它不进入 {again}",
    "来源“{source}”不答复任何人，到了状态 {state} 就只有诉求人能往下办，而没有诉求人：请另写一个别的角色能做的操作（可写 {so}），或让它不进入 {again}",
    "已在最高一级 {level} 时不能再升，系统会一直做不成：请写 {so}",
    "评价“{name}”没有人会做：没有操作写着效果 {so}",
    "转办可能没有人接：最后一个要是 {so}（人工转办），或不写 when 的 least_loaded",
    "条件应是“事实: 要求”的映射，例如 {so}",
    "一个效果只写一个名字，“{name}”要另写一项：{so}",
    "这个 pattern 什么文字都匹配：有空的一支（如 a||b、a|），或只有可有可无的部分。要问“有没有填”，请写 {so}",
    "pattern 展开后太大或次数写反：请检查 {so}",
    "pattern 用了 re2 没有的写法：没有环视 {signs}；“不含”请写 {so}",
    "{one} 和 {other} 已经写过一次",
    "{one} 和 {other} 要互不相同，却总是同一个单位：这种任务由 {holder} 持有",
    "要写一段时间：写数字和单位，如 5 workdays、24 hours；单位只有 {units}，与数字空一格；数字是整数，半天可写成 4 workhours；到期当时写 due",
    "“{column}”只能写 {words}",
    "“{column}”要写整数",
    "没有{columns}栏：列名要写在第一行，可以先导出现有的再改",
    "文件超过 {most} MiB，请分成几个文件",
    "没有读的列：{names}",
    "列名下面一行也没有",
    "第 {place} 项：{words}",
    "“{column}”要写度数，如 119.16",
    "“{column}”的位数在表格软件里丢了：请把这一列设成文本再填",
    "现行",
    "{rate}（合计 {in_time}/{due}）",
    "{rate}（合计 {in_time}/{due}） {range}",
    "超期 {span}",
    "{action} {n} 分钟另等 {m} 个工作日",
    "网络",
    "甲街道",
    "乙街道",
    "丙街道",
    "丁街道",
    "{street}社区",
)
#: What a rule file says to people who look at pages, by the key it stands under; the keys of these are words too.
_SAID: Final = frozenset({"title", "name", "text", "choice", "choice?", "scale", "channels", "category", "channel", "kind", "urgency", "is"})  # fmt: skip


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


def _looked_for(tree: ast.Module) -> set[ast.AST]:
    """Return the texts that a file looks for in what others wrote: shapes, and a module's lists of words."""
    found: set[ast.AST] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func).startswith("re."):
            found.update(ast.walk(node))
    for one in tree.body:
        if isinstance(one, ast.AnnAssign) and one.value is not None and not isinstance(one.value, ast.Constant):
            found.update(ast.walk(one.value))
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


def of_files() -> Iterator[tuple[str, str]]:
    """Yield every text that is said of rule files and not on other pages too, and the file it stands in."""
    yield from _said_in(OF_FILES, (*of_templates(), *of_program(), *of_facts(), *of_demonstration()))


def of_differences() -> Iterator[tuple[str, str]]:
    """Yield every text that is said of two rule files and nowhere else, and the file it stands in."""
    yield from _said_in(OF_DIFFERENCES, (*of_templates(), *of_program(), *of_facts(), *of_files()))


def _said_in(folders: tuple[str, ...], known: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    elsewhere = {text for text, _ in known}
    for path in sorted(SOURCES.rglob("*.py")):
        place, code = path.relative_to(SOURCES).as_posix(), path.read_text("utf-8")
        if place.startswith(folders) and not place.startswith(_BY_COMMAND) and WORDS.search(code):
            tree = ast.parse(code)
            silent = _silent(tree) | (_looked_for(tree) if place.startswith(OF_SHEETS) else set())
            yield from ((text, place) for text in _texts_under(tree, silent) if text not in elsewhere)


def of_facts() -> Iterator[tuple[str, str]]:
    """Yield what the facts of conditions are called."""
    from wuye_loop.domain.language.fact_names import FACTS, FAMILIES  # noqa: PLC0415 only here

    yield from ((one.title, "domain/language/fact_names.py") for one in (*FACTS.values(), *FAMILIES.values()))


def of_demonstration() -> Iterator[tuple[str, str]]:
    """Yield the channels by which the demonstration's complaints come in; those of a city are words of its own."""
    from wuye_loop.demo.invented.complaints import CHANNELS  # noqa: PLC0415 only here

    yield from ((one, "demo/invented/complaints.py") for one in CHANNELS)


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
    SOURCES / "web" / PAGES: lambda: expected(
        [*of_templates(), *of_program(), *of_facts(), *of_demonstration(), *((text, "") for text in COMPOSED)]
    ),
    SOURCES / "web" / CLERKS: lambda: expected([*of_files(), *((text, "") for text in COMPOSED_OF_FILES)]),
    SOURCES / "web" / DIFFERENCES: lambda: expected(of_differences()),
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

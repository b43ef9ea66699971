"""What a city loses of its base by writing a list: lists are replaced whole, so each entry that is not repeated is gone.

Said of the lists that protect: red lines, separation of duties, what attaches, joins, standing. Limits, ladders, words of
categories and routers are what a city writes its own of; `diff` shows those.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from wuye_loop.authoring.diff.intake import red_words
from wuye_loop.authoring.diff.sides import pairs_of
from wuye_loop.domain.language.intake import Intake, RedLine
from wuye_loop.domain.language.workflow import Workflow
from wuye_loop.domain.rulefile.extends import Extended
from wuye_loop.domain.rulefile.findings import Finding
from wuye_loop.domain.rulefile.reader import Path
from wuye_loop.domain.wording.definition import Wording, listed, quoted

CODE = "lost-of-base"
#: The list, what its entries are with their measure word, those that are gone.
Lost = Iterator[tuple[Path, str, list[str]]]


def lost(whole: Extended, city: Workflow) -> list[Finding]:
    """Return a note for each list of the city's that leaves out what its base has in that place; `null` is meant so."""
    base = Workflow.model_validate(whole.base.data)
    found = []
    for path, what, gone in _every(base, city):
        if gone and whole.has(path) and _stands(whole.data, path):
            file, mark = whole.place(path)
            words = f"去掉了底本的 {len(gone)} {what}：{'；'.join(gone)}（列表整个替换，还要的请抄过来）"
            found.append(Finding(file, mark.line, mark.column, CODE, words, "warning"))
    return sorted(found)


def _stands(data: Any, path: Path) -> bool:
    """Say whether anything stands there still: `null` takes the base's away on purpose."""
    for key in path:
        if not isinstance(data, dict) or key not in data:
            return False
        data = data[key]
    return True


def _every(base: Workflow, city: Workflow) -> Lost:
    words = Wording(base)
    yield from _intake(words, base.intake, city.intake)
    acts = {join.act for join in city.joins}
    joins = [join for join in base.joins if join.act not in acts]
    yield ("joins",), "条会合", [f"{words.condition(join.when)}时做{words.action(join.act)}" for join in joins]
    said = {one.is_ for one in city.standing}
    yield ("standing",), "句整体情况", [quoted(one.is_) for one in base.standing if one.is_ not in said]
    yield ("separate",), "对职责分离", _apart(words, base.separate, city.separate)
    for kind, task in base.tasks.items():
        if kind in city.tasks:
            yield ("tasks", kind, "separate"), "对职责分离", _apart(words, task.separate, city.tasks[kind].separate)


def _intake(words: Wording, base: Intake, city: Intake) -> Lost:
    lines = [_red(words, one, city.red_lines) for one in base.red_lines]
    yield ("intake", "red_lines"), "条红线", [said for said in lines if said]
    attached = {one.when for one in city.attach}
    attach = [words.condition(one.when) for one in base.attach if one.when not in attached]
    yield ("intake", "attach"), "条附入规则", attach


def _red(words: Wording, line: RedLine, lines: Sequence[RedLine]) -> str | None:
    """Say which red line is gone, or which of its words no other looks for; None where all of it is kept."""
    if any(one.when == line.when for one in lines):
        return None
    every, others = red_words([line]), red_words(lines)
    gone = [word for word in every if not any(other in word for other in others)]
    if every and not gone:
        return None
    said = words.condition(line.when)
    return f"{said}里的{listed(map(quoted, gone))}" if 0 < len(gone) < len(every) else said


def _apart(words: Wording, base: Iterable[Iterable[str]], city: Iterable[Iterable[str]]) -> list[str]:
    gone = sorted(pairs_of(base) - pairs_of(city), key=sorted)
    return ["与".join(sorted(quoted(words.role(name)) for name in pair)) for pair in gone]

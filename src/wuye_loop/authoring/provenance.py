"""Where every rule of a definition comes from: the regulation or article it names, and which file wrote it.

A limit, a rung, a number on an action speaks for itself; what else a rule consists of may be covered by the part that
states it: an outcome by its action, a step of a task by its kind, a line of a duty list by its router.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from wuye_loop.domain.language.workflow import ActionSpec, Flow, StepSpec, Workflow
from wuye_loop.domain.routing.kinds import TITLES
from wuye_loop.domain.rulefile.extends import Extended
from wuye_loop.domain.rulefile.findings import written
from wuye_loop.domain.rulefile.reader import Path, YamlDoc
from wuye_loop.domain.wording.definition import Wording, listed, offset, quoted

#: What a city may write of a rule without changing it: what people read, and parts that speak for themselves.
_DECIDES_NOTHING: Final = frozenset({"title", "text", "audience", "states", "clocks", "actions", "open", "source"})
#: The rule in words, its place, the parts around it that may speak.
Stated = Iterator[tuple[str, Path, tuple[Path, ...]]]


@dataclass(frozen=True, slots=True)
class Provenance:
    """A rule in words, where it stands, and what it names as its source; `lent`: the city changed it, the source is the base's."""

    file: str
    line: int
    rule: str
    source: str | None
    base: bool
    lent: bool

    def __str__(self) -> str:
        """Give one line that editors can jump from, marked where no source is named."""
        whose = "底本" if self.base else "本文件改过，出处是底本的" if self.lent else "本文件"
        said = f"{self.rule}：{self.source}" if self.source else f"✗ {self.rule}：没有写出处"
        return f"{self.file}:{self.line}: {said}（{whose}）"


def provenance(whole: YamlDoc, workflow: Workflow) -> list[Provenance]:
    """Return every rule of a proved definition, those without a source first, each of both in the order of the file."""
    base = whole.base.file if isinstance(whole, Extended) else None
    changed = _changed(whole)
    found = []
    for rule, canonical, around in _rules(workflow):
        path = written(whole.data, canonical)
        file, mark = whole.place(path)
        speaker = next((one for one in (path, *around) if _source(whole.data, one) is not None), None)
        source = _source(whole.data, speaker) if speaker is not None else None
        lent = speaker is not None and path in changed and whole.place((*speaker, "source"))[0] == base
        found.append(Provenance(file, mark.line, rule, source, file == base, lent))
    return sorted(found, key=lambda one: one.source is not None)


def _changed(whole: YamlDoc) -> set[Path]:
    """Return the parts of its base of which a city's file writes anything that decides something."""
    if not isinstance(whole, Extended):
        return set()
    return {
        path[:-1] for path in whole.values if path and path[-1] not in _DECIDES_NOTHING and whole.base.has(path[:-1])
    }


def _source(data: Any, path: Path) -> str | None:
    for key in path:
        try:
            data = data[key]
        except (KeyError, IndexError, TypeError):
            return None
    return data.get("source") if isinstance(data, dict) else None


def _rules(workflow: Workflow) -> Stated:
    words = Wording(workflow)
    for key, what in (("calendar", "办公时间"), ("intake", "收件"), ("family", "群诉")):
        if key in workflow.model_fields_set:
            yield what, (key,), ()
    for key, what in (
        ("roles", "角色"), ("sources", "来源"), ("instruments", "督办手段"), ("ratings", "评价"), ("states", "状态"),
    ):  # fmt: skip
        for name, part in getattr(workflow, key).items():
            yield f"{what}{quoted(part.title)}", (key, name), ()
    for name, result in workflow.results.items():
        yield f"办理结果{quoted(name)}：{result.chinese}", ("results", name), ()
    for name in workflow.documents:
        yield f"文书{quoted(name)}", ("documents", name), ()
    yield from _intake(workflow, words)
    yield from _flow(words, workflow, None)
    for kind, task in workflow.tasks.items():
        yield f"任务{quoted(task.title)}", ("tasks", kind), ()
        yield quoted(task.open.title), ("tasks", kind, "open"), () if _numbered(task.open) else (("tasks", kind),)
        yield from _flow(words, task, kind)
        for n, group in enumerate(task.separate):
            yield f"任务{quoted(task.title)}：{words.apart([group])}", ("tasks", kind, "separate", n), ()
    yield from _listed(workflow, words)


def _intake(workflow: Workflow, words: Wording) -> Stated:
    intake = workflow.intake
    if intake.weigh is not None:
        yield "类别的分数", ("intake", "weigh"), ()
    if "duplicates" in intake.model_fields_set:
        yield "疑似重复", ("intake", "duplicates"), ()
    for n, line in enumerate(intake.red_lines):
        yield f"红线（{words.condition(line.when)}）", ("intake", "red_lines", n), ()
    for n, attach in enumerate(intake.attach):
        yield f"附入规则（{words.condition(attach.when)}）", ("intake", "attach", n), ()
    if intake.rising is not None:
        yield "上升的问题立案", ("intake", "rising"), ()
    for n, keyword in enumerate(intake.categories):
        yield f"分类关键词（{keyword.category}）", ("intake", "categories", n), (("intake",),)


def _listed(workflow: Workflow, words: Wording) -> Stated:
    for n, join in enumerate(workflow.joins):
        yield f"会合（{words.condition(join.when)}时做{words.action(join.act)}）", ("joins", n), ()
    for n, one in enumerate(workflow.standing):
        yield f"整体情况{quoted(one.is_)}", ("standing", n), ()
    for n, reply in enumerate(workflow.replies):
        yield f"答复参考{quoted(reply.title)}", ("replies", n), ()
    for n, call in enumerate(workflow.routers):
        title = quoted(call.title or TITLES.get(call.kind, call.kind))
        yield f"转办方式{title}", ("routers", n), ()
        for line in range(len(call.params.get("rules", ()))):
            yield f"转办方式{title}第 {line + 1} 条", ("routers", n, "rules", line), (("routers", n),)
    for n, group in enumerate(workflow.separate):
        yield f"职责分离（{listed(map(words.role, group))}）", ("separate", n), ()


def _flow(words: Wording, flow: Flow, kind: str | None) -> Stated:
    path: Path = ("tasks", kind) if kind else ()
    of = f"{words.task(kind)}任务的" if kind else ""
    for name, clock in flow.clocks.items():
        here = (*path, "clocks", name)
        for n, limit in enumerate(clock.limit):
            yield f"{of}{clock.title}（{words.limit(limit, clock.starts)}）", (*here, "limit", n), ()
        for n, rung in enumerate(clock.ladder):
            yield f"{of}{clock.title}{offset(rung.at)}{words.rung(rung, kind)}", (*here, "ladder", n), ()
    for name, action in flow.actions.items():
        here = (*path, "actions", name)
        around = (path,) if path and not _numbered(action) else ()
        yield f"{of}动作{quoted(action.title)}", here, around
        for n, way in enumerate(action.outcomes):
            when = words.condition(way.when) or "其余情形"
            yield f"{of}动作{quoted(action.title)}（{when}）", (*here, "outcomes", n), (here, *around)


def _numbered(step: StepSpec) -> bool:
    """Say whether an action or an opening says how often, within how long, until when, or how much at most."""
    ways = step.outcomes if isinstance(step, ActionSpec) else ()
    calls = (*step.effect, *(call for way in ways for call in way.effect))
    caps = any(call.name == "extend_clock" and call.params.get("cap") for call in calls)
    return caps or step.limit is not None or step.within is not None or step.before_due is not None

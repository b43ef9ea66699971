"""Checks that the names in a file of definition tests are names of its workflow, before anything runs."""

from collections.abc import Iterable, Mapping
from typing import Final, Protocol, get_args

from wuye_loop.domain.grievance.ledger import OPEN
from wuye_loop.domain.grievance.roles import HOLDER, OPENER, SYSTEM_ROLE
from wuye_loop.domain.language.effects import Exclude
from wuye_loop.domain.language.workflow import Workflow
from wuye_loop.domain.rulefile.findings import Findings, nearest, quoted
from wuye_loop.domain.terms import Level, Stage
from wuye_loop.trial.definition_tests.document import StepSpec, Then
from wuye_loop.trial.definition_tests.expect import PAUSED
from wuye_loop.trial.definition_tests.forms import FIRST
from wuye_loop.trial.definition_tests.time import offset_name, rung_name, wall
from wuye_loop.trial.town.town import Town

Place = tuple[str | int, ...]
FIGURES: Final = get_args(Exclude.model_fields["figure"].annotation)


class _Titled(Protocol):
    """Whatever people know by a title."""

    @property
    def title(self) -> str: ...


class Names:
    """The names of one workflow in one town; what is not among them is noted at its place."""

    def __init__(self, workflow: Workflow, town: Town, findings: Findings) -> None:
        self.workflow = workflow
        self.findings = findings
        fixed = {role.unit: role.title for role in workflow.roles.values() if isinstance(role.unit, str)}
        self.units = {
            code: fixed.get(code, code) if unit.name == code else unit.name
            for code, unit in town.directory.units.items()
        }
        self.players = {**_titles(workflow.roles), **self.units, SYSTEM_ROLE: ""}
        self.clocks = {name for name, _ in self._clocks()}
        self.rungs = list(dict.fromkeys(label for name, labels in self._clocks() for label in (name, *labels)))
        self._rungs = set(map(rung_name, self.rungs))

    def check(self, steps: Iterable[tuple[Place, StepSpec]], last: tuple[Place, Then | None]) -> None:
        """Note every unknown name of the steps of a test, each with its place, and of what must be so in the end."""
        orders = {FIRST: ""}
        for place, step in steps:
            self._step(place, step)
            if step.name is not None:
                self._named((*place, "name"), step.name, orders)
            if step.grievance is not None:
                self._known((*place, "grievance"), "诉求", step.grievance, orders)
            for index, line in enumerate(step.lines):
                if line.grievance is not None:
                    self._known((*place, "lines", index, "grievance"), "诉求", line.grievance, orders)
            if step.then is not None:
                self._then((*place, "then"), step.then, orders)
        place, then = last
        if then is not None:
            self._then(place, then, orders)

    def sender(self, place: Place, by: str) -> None:
        """Note who is to send the order in, where nobody is called so."""
        self._known(place, "角色或单位", by, self.players)

    def _step(self, place: Place, step: StepSpec) -> None:
        tasks = self.workflow.tasks
        players = self.players if step.task is None else {**self.players, HOLDER: "", OPENER: ""}
        if step.by is not None:
            self._known((*place, "by"), "角色或单位", step.by, players)
        if step.post is not None:
            self._known((*place, "post"), "职务", step.post, self.workflow.posts)
        if step.open is not None:
            self._known((*place, "open"), "任务", step.open, _titles(tasks))
        if step.task is not None:
            self._known((*place, "task"), "任务", step.task, _titles(tasks))
        if step.issue is not None:
            self._known((*place, "issue"), "文书", step.issue, self.workflow.documents)
        if step.do is not None and (step.task is None or step.task in tasks):
            flow = self.workflow.flow(step.task)
            self._known((*place, "do"), "动作", step.do, _titles(flow.actions))

    def _then(self, place: Place, then: Then, orders: Iterable[str]) -> None:
        flow = self.workflow
        for name, what, allowed in (
            ("state", "状态", _titles(flow.states)),
            ("stage", "环节", list(Stage)),
            ("level", "层级", list(Level)),
            ("lead", "单位", self.units),
            ("holder", "单位或角色", self.players),
            ("standing", "整体情况", [one.is_ for one in flow.standing]),
            ("result", "办理结果", [*flow.results, *flow.results_asked]),
            ("grievance", "诉求", orders),
        ):
            value = getattr(then, name)
            if value is not None:
                self._known((*place, name), what, value, allowed)
        for index, title in enumerate(then.replies or ()):
            self._known((*place, "replies", index), "答复参考", title, [one.title for one in flow.replies])
        for clock, wanted in then.due.items():
            self._known((*place, "due", clock), "时限", clock, self.clocks, key=True)
            if wanted is not None and wanted != PAUSED:
                self._instant((*place, "due", clock), wanted)
        for index, item in enumerate(then.fired):
            for name in item:
                self._rung((*place, "fired", index), name)
        for index, name in enumerate(then.not_fired):
            self._rung((*place, "not_fired", index), name)
        for index, notice in enumerate(then.notices):
            self._known((*place, "notices", index), "督办手段", notice.send, _titles(flow.instruments))
        self._excluded(place, then)
        self._tasks(place, then)
        self._permits(place, then)

    def _instant(self, place: Place, written: str) -> None:
        try:
            wall(written)
        except ValueError:
            words = '要写时刻 "2026-03-09 17:30"、null（不在计时）或 paused（暂停）'
            self.findings.error(place, "bad-value", words)

    def _rung(self, place: Place, name: str) -> None:
        if rung_name(name) not in self._rungs:
            self._known(place, "触发项", name, self.rungs)

    def _excluded(self, place: Place, then: Then) -> None:
        for figure in then.excluded or ():
            self._known((*place, "excluded", figure), "考核数", figure, FIGURES, key=True)

    def _tasks(self, place: Place, then: Then) -> None:
        for kind, wanted in then.tasks.items():
            here = (*place, "tasks", kind)
            self._known(here, "任务", kind, _titles(self.workflow.tasks), key=True)
            if kind in self.workflow.tasks and wanted is not None and wanted.state is not None:
                self._known((*here, "state"), "状态", wanted.state, _titles(self.workflow.tasks[kind].states))

    def _permits(self, place: Place, then: Then) -> None:
        tasks = self.workflow.tasks
        actions = _titles(self.workflow.actions) | {f"{OPEN}{kind}": task.open.title for kind, task in tasks.items()}
        for kind, task in tasks.items():
            actions |= {f"{kind}/{name}": action.title for name, action in task.actions.items()}
        for key in ("allowed", "not_allowed"):
            for by, names in getattr(then, key).items():
                self._known((*place, key, by), "角色或单位", by, self.players, key=True)
                for index, name in enumerate(names):
                    step = name if isinstance(names, dict) else index
                    self._known((*place, key, by, step), "动作", name, actions, key=isinstance(names, dict))
        for by in then.sees:
            self._known((*place, "sees", by), "角色或单位", by, self.players, key=True)

    def _named(self, place: Place, name: str, orders: dict[str, str]) -> None:
        """Note a name that another grievance has, else keep it."""
        if name in orders:
            whose = "测试自己的那件" if name == FIRST else "别的一件"
            used = "" if name == FIRST else "已经"
            self.findings.error(place, "bad-value", f"{quoted(name)}{used}是{whose}，换一个名字")
        orders[name] = ""

    def _known(self, place: Place, what: str, name: str, allowed: Iterable[str], *, key: bool = False) -> None:
        """Note a name that is not among those allowed; what a mapping calls something by is told apart from its name."""
        names = [str(one) for one in allowed]
        if name in names:
            return
        titled = allowed.items() if isinstance(allowed, Mapping) else ()
        meant = next((one for one, title in titled if title == name), None)
        rest = f"，{quoted(name)}是 {meant} 的名称，请写 {meant}" if meant else nearest(name, names)
        self.findings.error(place, "unknown-name", f"没有{what}{quoted(name)}{rest}", key=key)

    def _clocks(self) -> Iterable[tuple[str, list[str]]]:
        """Give every clock as tests name it, with the names of its rungs."""
        for kind, flow in ((None, self.workflow), *self.workflow.tasks.items()):
            for name, clock in flow.clocks.items():
                label = f"{kind}/{name}" if kind else name
                rungs = []
                for index, rung in enumerate(clock.ladder):
                    did = [*rung.do, *(one for one in (rung.act, rung.open, rung.document) if one)]
                    rungs += [
                        f"{label}/{offset_name(rung.at)}",
                        f"{label}/{index + 1}",
                        *did,
                        *(f"{label}/{one}" for one in did),
                    ]
                yield label, rungs


def _titles(parts: Mapping[str, _Titled]) -> dict[str, str]:
    """Return the title of each part by its name, in their order."""
    return {name: part.title for name, part in parts.items()}

"""Definition tests: a YAML file beside a workflow says what is given, what happens and what must be so; run in memory.

for result in run(read_script(path)):
    print(result.name, [str(failure) for failure in result.failures])
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from pydantic import ValidationError

from wuye_loop.domain.checker import load
from wuye_loop.domain.checker_finding import Findings, written
from wuye_loop.domain.checker_shape import note_shape
from wuye_loop.domain.errors import BadInput, DefinitionError, WuyeError
from wuye_loop.domain.issuing import Paper, PaperLine
from wuye_loop.domain.roles import HOLDER
from wuye_loop.domain.rules import Rules
from wuye_loop.domain.situation import Actor
from wuye_loop.domain.yamldoc import YamlDoc, read
from wuye_loop.store.directory_document import BadDirectory, read_document
from wuye_loop.store.workflow_files import bases, text_in
from wuye_loop.trial.case import Case
from wuye_loop.trial.desk import HOTLINE
from wuye_loop.trial.sandbox import Sandbox
from wuye_loop.trial.scripts_expect import Look
from wuye_loop.trial.scripts_forms import FIRST, Needs, filled, needs_of, says, sent_order, source_needs, words_of
from wuye_loop.trial.scripts_names import Names
from wuye_loop.trial.scripts_shape import Given, Script, StepSpec, Test, Then, parse_days
from wuye_loop.trial.scripts_time import beyond
from wuye_loop.trial.scripts_why import reasons, refused_routing
from wuye_loop.trial.town import Town, calendar_of, town_of

SUFFIX = ".test.yaml"
FOLDER = "tests"
_TODAY = "2026-03-02 09:00"  # a Monday morning with no holiday near
Place = tuple[str | int, ...]


@dataclass(frozen=True)
class ReadScript:
    """A file of tests that can be run: its document, its tests, the rules it names and the town of each test."""

    doc: YamlDoc
    script: Script
    rules: Rules


@dataclass(frozen=True, slots=True)
class Failure:
    """What one expectation met instead; prints as file:line:column: words."""

    file: str
    line: int
    column: int
    message: str
    why: tuple[str, ...] = ()  # what explains it, line by line

    def __str__(self) -> str:
        """Give one line that editors and terminals can jump from."""
        return f"{self.file}:{self.line}:{self.column}: {self.message}"


@dataclass(frozen=True, slots=True)
class Result:
    """How one test went; it passed when nothing failed."""

    file: str
    workflow: str
    name: str
    failures: tuple[Failure, ...]

    @property
    def passed(self) -> bool:
        """Whether everything came as expected."""
        return not self.failures


def is_script(data: object) -> bool:
    """Say whether plain data of a file is one of tests, rather than a workflow."""
    return isinstance(data, dict) and "tests" in data


def read_script(path: Path, known: dict[Path, Rules] | None = None) -> ReadScript:
    """Read a file of tests with the workflow it names; `known` keeps rules from one file to the next.

    Raises DefinitionError with the findings, of the file or of its workflow; YamlDocError for what is no YAML.
    """
    doc = read(path.read_bytes(), str(path))
    findings = Findings(doc)
    try:
        script = Script.model_validate(doc.data)
    except ValidationError as error:
        note_shape(error, Script, (), findings)
        raise DefinitionError(findings=findings.sorted) from None
    found = workflow_file(path, script.workflow)
    if found is None:
        words = f"没有流程文件 {script.workflow}：写成 名称@版本，或相对于本文件的路径"
        findings.error(("workflow",), "unknown-name", words)
        raise DefinitionError(findings=findings.sorted)
    rules = rules_of(found, known if known is not None else {})
    _check_scenes(script, findings)
    if not script.tests:
        findings.error(("tests",), "missing", "一个测试也没有写", key=True)
    for index, test in enumerate(script.tests):
        given = test.given.over(script.given)
        place: Place = ("tests", index, "given") if test.given.directory is not None else ("given",)
        town = _town(rules, given, findings, place)
        if town is not None:
            here: Place = ("tests", index)
            last = (*here, "then"), test.then
            names = Names(rules.workflow, town, findings)
            names.check(steps_of(script, index), last)
            if given.by is not None:
                names.sender((*here, "given", "by") if test.given.by is not None else ("given", "by"), given.by)
    if findings.sorted:
        raise DefinitionError(findings=findings.sorted)
    return ReadScript(doc, script, rules)


def steps_of(script: Script, index: int) -> list[tuple[Place, StepSpec]]:
    """Return the steps of a test in order, those of its scene first, each with its place in the file."""
    test = script.tests[index]
    scene = test.given.over(script.given).scene
    before = (
        [(("scenes", scene, place), step) for place, step in enumerate(script.scenes.get(scene, ()))] if scene else []
    )
    return [*before, *((("tests", index, "when", place), step) for place, step in enumerate(test.when))]


def workflow_file(script: Path, named: str) -> Path | None:
    """Return the file of the workflow that a file of tests names, beside it, a folder above, or by a path; or None."""
    folders = (script.parent, script.parent.parent)
    places = [script.parent / named, *(folder / f"{named}.yaml" for folder in folders)]
    return next((place.resolve() for place in places if place.is_file()), None)


def rules_of(path: Path, known: dict[Path, Rules]) -> Rules:
    """Return the compiled rules of a workflow file. Raises DefinitionError."""
    path = path.resolve()
    if path not in known:
        known[path] = Rules(load(text_in(path), str(path), bases(path, ())))
    return known[path]


def scripts_beside(workflow: Path) -> list[Path]:
    """Return the files of tests beside a workflow file, or in a folder `tests` there, that name it."""
    found = []
    for folder in (workflow.parent, workflow.parent / FOLDER):
        for path in sorted(folder.glob(f"*{SUFFIX}")):
            data = read(path.read_bytes(), str(path)).data
            named = data.get("workflow") if isinstance(data, dict) else None
            if isinstance(named, str) and workflow_file(path, named) == workflow.resolve():
                found.append(path)
    return found


def run(script: ReadScript) -> Iterator[Result]:
    """Run the tests of a file one after the other, each in a town of its own."""
    for index, test in enumerate(script.script.tests):
        try:
            failures = tuple(_Run(script, index, test).failures())
        except ValueError as error:
            place: Place = ("tests", index, "given") if test.given.model_fields_set else ("given",)
            failures = (_failure(script.doc, place, beyond(error)),)
        yield Result(script.doc.file, script.rules.id, test.name, failures)


class _Run:
    """One test under way."""

    def __init__(self, script: ReadScript, index: int, test: Test) -> None:
        self._script = script
        self._place: Place = ("tests", index)
        self._test = test
        self._steps = steps_of(script.script, index)
        self._given = test.given.over(script.script.given)
        self._sandbox = sandbox_of(script.rules, self._given)
        self._numbers: dict[str, str] = {}  # of the grievances that have a name
        self._needs: Needs = {}  # what the form of the step may have
        self._refused: WuyeError | None = None

    def failures(self) -> Iterator[Failure]:
        """Give what failed; after a step that was refused against expectation nothing more is looked at."""
        refusal = self._arrive()
        if refusal is not None:
            yield self._failure((*self._place, "given"), f"诉求没有收下：{self._words(refusal)}")
            return
        last = len(self._steps) - 1
        for index, (place, step) in enumerate(self._steps):
            self._refused = None
            try:
                self._take(step)
            except WuyeError as error:
                self._refused = error
            except ValueError as error:
                yield self._failure(place, beyond(error))
                return
            expected = _expects_refusal(step.then) or (index == last and _expects_refusal(self._test.then))
            if self._refused is not None and not expected:
                why = refused_routing(self._sandbox, self._refused)
                yield self._failure(place, f"这一步被拒绝：{self._words(self._refused)}", why)
                return
            if step.then is not None:
                yield from self._look((*place, "then"), step.then, step.grievance)
        if self._test.then is not None:
            yield from self._look((*self._place, "then"), self._test.then, None)

    def _arrive(self) -> WuyeError | None:
        given = self._given
        self._needs = source_needs(self._script.rules, given.order)
        order = sent_order(given.order, self._script.rules, {})
        try:
            self._numbers[FIRST] = self._sandbox.receive(order, by=self._sender(given.by), data=given.data)
        except WuyeError as error:
            return error
        return None

    def _sender(self, by: str | None) -> Actor:
        """Return who sends an order: the hotline, or the unit that is named, by its code or by a role with one."""
        return HOTLINE if by is None else self._sandbox.sender(by)

    def _take(self, step: StepSpec) -> None:
        rules = self._script.rules
        number = self._numbers[step.grievance or FIRST]
        self._needs = needs_of(rules.workflow, step)
        form = filled(step.form, self._needs, self._numbers)
        if step.order is not None:
            order = {**self._given.order, **step.order}
            self._needs = source_needs(rules, order)
            received = self._sandbox.receive(sent_order(order, rules, self._numbers), by=self._sender(step.by))
            if step.name is not None:
                self._numbers[step.name] = received
        elif step.wait is not None:
            self._sandbox.advance(step.wait)
        elif step.at is not None:
            self._advance(step.at)
        elif step.issue is not None:
            lines = [
                PaperLine(
                    self._numbers[line.grievance or FIRST], line.unit, filled(line.form, self._needs, self._numbers)
                )
                for line in step.lines
            ]
            self._sandbox.issue(step.by or "", Paper(step.issue, lines, step.text))
        elif step.open is not None:
            self._sandbox.open_task(step.by or "", step.open, form, number=number)
        elif step.task is not None:
            by = step.by or HOLDER
            self._sandbox.on_task(by, step.task, step.do or "", form, n=step.n, number=number)
        elif step.do is not None:
            self._sandbox.act(step.by or "", step.do, form, number=number)

    def _advance(self, to: str) -> None:
        target = instant(to, self._script.rules)
        if target < self._sandbox.now:
            raise BadInput(f"时间不能倒流：现在已是 {self._sandbox.calendar.local(self._sandbox.now):%Y-%m-%d %H:%M}")
        self._sandbox.advance(target)

    def _look(self, place: Place, then: Then, grievance: str | None) -> Iterator[Failure]:
        if then.refused is not None:
            if self._refused is None:
                yield self._failure((*place, "refused"), f"应被拒绝（{then.refused}），实际办成了")
            elif not says(self._refused, then.refused, self._script.rules.workflow, self._needs):
                words = f"拒绝的理由应有“{then.refused}”，实为：{self._words(self._refused)}"
                yield self._failure((*place, "refused"), words)
        case = self._case(then.grievance or grievance)
        told: set[str] = set()  # what explains several failures is said once
        for inner, words in Look(self._sandbox, case).differences(then):
            why = [line for line in reasons(self._sandbox, case, str(inner[0])) if line not in told]
            told.update(why)
            yield self._failure((*place, *inner), words, why)

    def _case(self, named: str | None) -> Case:
        return self._sandbox.case(self._numbers[named or FIRST])

    def _words(self, refusal: WuyeError) -> str:
        return words_of(refusal, self._script.rules.workflow, self._needs)

    def _failure(self, place: Place, words: str, why: Sequence[str] = ()) -> Failure:
        return _failure(self._script.doc, place, words, why)


def _failure(doc: YamlDoc, place: Place, words: str, why: Sequence[str] = ()) -> Failure:
    mark = doc.mark(written(doc.data, place))
    return Failure(doc.file, mark.line, mark.column, words, tuple(why))


def sandbox_of(rules: Rules, given: Given) -> Sandbox:
    """Return the town that a test starts in, before its order arrives. Raises BadDirectory, ValueError."""
    now = instant(given.calendar.today or _TODAY, rules)
    days = given.calendar
    calendar = calendar_of(rules.workflow.calendar, now.date(), parse_days(days.holidays), parse_days(days.workdays))
    document = read_document(given.directory) if given.directory is not None else None
    if given.calendar.today is not None and len(given.calendar.today) == len("2026-03-02"):
        now = calendar.next_open(now)
    return Sandbox(rules, now=now, town=town_of(rules, document), calendar=calendar, replies=given.replies)


def instant(text: str, rules: Rules) -> datetime:
    """Return the instant that a wall of the workflow's zone shows; a date alone is its midnight."""
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(rules.workflow.calendar.zone)).astimezone(UTC)


def _check_scenes(script: Script, findings: Findings) -> None:
    """Note scenes that are named but not written."""
    named: list[tuple[Place, str | None]] = [(("given", "scene"), script.given.scene)]
    named += [(("tests", index, "given", "scene"), test.given.scene) for index, test in enumerate(script.tests)]
    for place, name in named:
        if name is not None and name not in script.scenes:
            findings.unknown(place, "情景", name, script.scenes)


def _expects_refusal(then: Then | None) -> bool:
    return then is not None and then.refused is not None


def _town(rules: Rules, given: Given, findings: Findings, place: Place) -> Town | None:
    """Return the town of a test, or note what is wrong with its directory."""
    try:
        return town_of(rules, read_document(given.directory) if given.directory is not None else None)
    except BadDirectory as error:
        for problem in error.problems:
            findings.error((*place, "directory"), "bad-value", problem)
    except ValueError as error:
        findings.error((*place, "directory"), "bad-value", str(error))
    return None

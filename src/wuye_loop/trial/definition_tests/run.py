"""Definition tests: a YAML file beside a workflow says what is given, what happens and what must be so; run in memory.

for result in run(read_script(path)):
    print(result.name, [str(failure) for failure in result.failures])
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from wuye_loop.domain.directory.document import read_document
from wuye_loop.domain.errors import BadInput, WuyeError
from wuye_loop.domain.grievance.roles import HOLDER
from wuye_loop.domain.grievance.situation import Actor
from wuye_loop.domain.rulefile.findings import written
from wuye_loop.domain.rulefile.reader import YamlDoc
from wuye_loop.domain.rules.rules import Rules
from wuye_loop.domain.step.documents import Paper, PaperLine
from wuye_loop.trial.definition_tests.document import Given, StepSpec, Test, Then, parse_days
from wuye_loop.trial.definition_tests.expect import Look
from wuye_loop.trial.definition_tests.forms import (
    FIRST,
    Needs,
    filled,
    needs_of,
    says,
    sent_order,
    source_needs,
    words_of,
)
from wuye_loop.trial.definition_tests.load import Place, ReadScript, steps_of
from wuye_loop.trial.definition_tests.time import beyond
from wuye_loop.trial.definition_tests.why import reasons, refused_routing
from wuye_loop.trial.sandbox.case import Case
from wuye_loop.trial.sandbox.intake import HOTLINE
from wuye_loop.trial.sandbox.sandbox import Sandbox
from wuye_loop.trial.town.town import calendar_of, town_of

_TODAY = "2026-03-02 09:00"  # a Monday morning with no holiday near


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
        self._sandbox.post = step.post
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


def _expects_refusal(then: Then | None) -> bool:
    return then is not None and then.refused is not None

"""One grievance of a sandbox: where it stands, and everything that was written of it so far."""

from dataclasses import dataclass, field
from datetime import datetime

from wuye_loop.domain.errors import WuyeError
from wuye_loop.domain.grievance.ledger import OPEN, RUNG, Entry
from wuye_loop.domain.grievance.situation import Situation, TaskState
from wuye_loop.domain.language.workflow import RungSpec, Workflow
from wuye_loop.domain.language.workflow import StepSpec as WrittenStep
from wuye_loop.domain.step.records import DocumentDraft, NoticeDraft, Posted, RatingDraft
from wuye_loop.domain.terms import Audience
from wuye_loop.domain.time.clock import RUNNING, ClockStatus


@dataclass(frozen=True, slots=True)
class Fired:
    """A rung that fired: of which clock, of which kind of task if of one, which rung, when, and what it did.

    `passed`: its condition did not hold, so that it did nothing.
    """

    task: str | None
    clock: str
    index: int
    at: datetime
    spec: RungSpec
    passed: bool
    seq: int  # of its row in the ledger

    @property
    def did(self) -> tuple[str, ...]:
        """Names of what the rung did: instruments, an action, a task opened, a document."""
        if self.passed:
            return ()
        return (*self.spec.do, *(name for name in (self.spec.act, self.spec.open, self.spec.document) if name))

    @property
    def name(self) -> str:
        """The clock as it is written in a test: `handle`, or `extension/decide` for a task's."""
        return f"{self.task}/{self.clock}" if self.task else self.clock


@dataclass(slots=True)
class Case:
    """A grievance in memory. `situation` is where it stands; the lists only grow, in the order of the ledger."""

    situation: Situation
    entries: list[Entry] = field(default_factory=list)
    notices: list[NoticeDraft] = field(default_factory=list)
    documents: list[DocumentDraft] = field(default_factory=list)
    ratings: list[RatingDraft] = field(default_factory=list)
    refusal: WuyeError | None = None  # why the last thing asked of it was refused; None when it was done
    idle: dict[int, str] = field(default_factory=dict)  # by row: why a rung did nothing
    lead: str | None = None  # the number of the grievance that it was merged into
    due_next: datetime | None = None  # when its next rung fires

    @property
    def number(self) -> str:
        """The grievance's number."""
        return self.situation.grievance.number

    def urged_since(self, since: datetime) -> int:
        """Count how often it was urged since an instant; in a sandbox nobody has two matters."""
        return sum("urged" in entry.changes["grievance"] for entry in self.entries[1:] if entry.at >= since)

    @property
    def state(self) -> str:
        """The state of the main flow."""
        return self.situation.grievance.state

    def take(self, step: Posted) -> None:
        """Take over what a step made of it."""
        self.situation = step.situation
        self.entries += step.entries
        self.notices += step.notices
        self.documents += step.documents
        self.ratings += step.ratings
        self.due_next = next_rung_at(step.situation)

    def due(self) -> dict[str, datetime]:
        """Return when each running clock is due, by name; a task's clock is `kind/clock`."""
        return {name: at for name, (status, at) in self.clocks().items() if status is RUNNING}

    def clocks(self) -> dict[str, tuple[ClockStatus, datetime]]:
        """Return status and due instant of the newest instance of every clock that was ever started."""
        found: dict[str, tuple[ClockStatus, datetime]] = {}
        for clock in sorted(self.situation.clocks.values(), key=lambda each: (each.started_at, each.cycle, each.run)):
            task = self.situation.tasks.get(clock.task_id) if clock.task_id else None
            found[f"{task.kind}/{clock.name}" if task else clock.name] = (clock.status, clock.due_at)
        return found

    def tasks(self, kind: str) -> list[TaskState]:
        """Return the tasks of a kind in the order in which they were opened."""
        return sorted((task for task in self.situation.tasks.values() if task.kind == kind), key=lambda task: task.n)

    def fired(self, workflow: Workflow) -> list[Fired]:
        """Return the rungs that have fired, in order."""
        found = []
        for entry in self.entries:
            if not entry.action.startswith(RUNG):
                continue
            clock, index = entry.action.removeprefix(RUNG), int(entry.facts["rung"])
            kind = self.situation.tasks[entry.task_id].kind if entry.task_id else None
            spec = workflow.flow(kind).clocks[clock].ladder[index]
            passed = bool(entry.facts.get("passed"))
            found.append(Fired(kind, clock, index, entry.at, spec, passed=passed, seq=entry.seq))
        return found

    def sent(self) -> list[tuple[datetime, NoticeDraft]]:
        """Return every notice with the instant at which it was decided; `not_before` says when it may go out."""
        at = {entry.seq: entry.at for entry in self.entries}
        return [(at[notice.seq], notice) for notice in self.notices]

    def told(self, workflow: Workflow) -> list[str]:
        """Return what the complainant has read so far: the texts of public rows, of actions and of tasks opened."""
        found = [workflow.intake.text] if workflow.intake.text else []
        for entry in self.entries:
            step = self._step(workflow, entry) if entry.audience == Audience.PUBLIC else None
            if step is not None and step.text:
                found.append(step.text)
        return found

    def _step(self, workflow: Workflow, entry: Entry) -> WrittenStep | None:
        """Return what a row's action is in the definition; None for what no definition names."""
        if entry.action.startswith(OPEN):
            return workflow.tasks[entry.action.removeprefix(OPEN)].open
        kind = self.situation.tasks[entry.task_id].kind if entry.task_id else None
        return workflow.flow(kind).actions.get(entry.action)


def next_rung_at(situation: Situation) -> datetime | None:
    """Return when the next rung of a situation fires, or None."""
    first: datetime | None = None
    for clock in situation.clocks.values():
        if clock.status is RUNNING:
            for rung in clock.rungs:
                if rung.at is not None and rung.fired_at is None and (first is None or rung.at < first):
                    first = rung.at
    return first

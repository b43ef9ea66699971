"""Is the truth still the truth? Replay every ledger and compare it with what the tables say."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.orm import Session

from wuye_loop.domain.grievance.ledger import GENESIS, Entry, entry_hash
from wuye_loop.domain.grievance.situation import MUTABLE, plain
from wuye_loop.domain.time import clock_moves
from wuye_loop.domain.time.calendar import WorkCalendar
from wuye_loop.domain.time.clock_moves import ClockStatus
from wuye_loop.loop.engine import Loop
from wuye_loop.store.database import Database
from wuye_loop.store.reads import audit
from wuye_loop.store.reads.audit import Folder

_SHOWN = 50


@dataclass(slots=True)
class Report:
    """What a verification found; `drift` counts values that differ from the fold of their ledger."""

    grievances: int = 0
    rows: int = 0
    clocks: int = 0
    drift: int = 0
    chain_ok: bool = True
    problems: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Say whether nothing is wrong."""
        return self.chain_ok and not self.drift

    def broken(self, words: str) -> None:
        """Note a row that was edited, lost or moved."""
        self.chain_ok = False
        self._say(words)

    def drifted(self, words: str) -> None:
        """Note a value that differs."""
        self.drift += 1
        self._say(words)

    def _say(self, words: str) -> None:
        if len(self.problems) < _SHOWN:
            self.problems.append(words)

    def as_json(self) -> dict[str, Any]:
        """Return the report as plain data."""
        return {
            "grievances": self.grievances,
            "rows": self.rows,
            "clocks": self.clocks,
            "drift": self.drift,
            "chain_ok": self.chain_ok,
            "problems": self.problems,
        }


def verify(loop: Loop, database: Database, *, progress: Callable[[int], None] | None = None) -> Report:
    """Replay all ledgers: sequence, hash chain, state, tasks, clocks, rungs; files; document numbers and lines."""
    report = Report()
    calendars: dict[str, WorkCalendar] = {}

    with database.read() as session:
        loop.reference.refresh(session)

        def calendar_of(workflow: str) -> WorkCalendar:
            if workflow not in calendars:
                rules = loop.reference.rules(session, workflow)
                calendars[workflow] = loop.reference.calendar(session, rules.workflow.calendar)
            return calendars[workflow]

        for folder in audit.folders(session):
            _verify_one(folder, calendar_of, report)
            if progress is not None:
                progress(report.grievances)
        _documents(session, report)
    return report


def fold(entries: Iterator[Entry] | list[Entry]) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """Return the grievance, its tasks and its clocks as the changes of its ledger rows make them."""
    grievance: dict[str, Any] = {}
    tasks: dict[str, Any] = {}
    images: dict[str, Any] = {}
    for entry in entries:
        grievance.update(entry.changes.get("grievance", {}))
        tasks.update({task["id"]: task for task in entry.changes.get("tasks", ())})
        images.update({image["id"]: image for image in entry.changes.get("clocks", ())})
    return grievance, tasks, images


def _verify_one(folder: Folder, calendar_of: Callable[[str], WorkCalendar], report: Report) -> None:
    report.grievances += 1
    report.rows += len(folder.entries)
    _chain(folder, report)
    grievance, tasks, images = fold(folder.entries)
    for name in MUTABLE:
        if name == "workflow" and name not in grievance:
            continue  # a ledger begun before the version became a part of it
        _compare(report, f"{folder.number} {name}", grievance.get(name), plain(folder.grievance[name]))
    _compare_all(report, folder.number, "task", tasks, folder.tasks)
    _compare_all(report, folder.number, "clock", images, folder.clocks)
    uploads = (entry.facts for entry in folder.entries if entry.action == "upload")
    kept = {row["file"]: (row["sha256"], row.get("audience")) for row in uploads}
    _compare_all(report, folder.number, "file", kept, folder.files)
    calendar = calendar_of(folder.workflow)
    for image in folder.clocks.values():
        report.clocks += 1
        clock = clock_moves.from_row(image)
        if clock.status is ClockStatus.RUNNING and clock_moves.recompute(clock, calendar).due_at != clock.due_at:
            report.drifted(f"{folder.number} 时限 {clock.name} 与按日历重算的不同")
        for rung in clock.rungs:
            _compare(report, f"{folder.number} 督办级 {clock.name}/{rung.index}",
                     (plain(rung.at), plain(rung.fired_at)), folder.rungs.get((clock.id, rung.index)))  # fmt: skip


def _chain(folder: Folder, report: Report) -> None:
    head = GENESIS
    for place, entry in enumerate(folder.entries, 1):
        if entry.seq != place:
            report.broken(f"{folder.number} 台账缺第 {place} 行")
            return
        if entry_hash(folder.id, entry, head) != entry.hash:
            report.broken(f"{folder.number} 台账第 {place} 行被改动")
            return
        head = entry.hash
    if head != folder.head or len(folder.entries) != folder.seq:
        report.broken(f"{folder.number} 台账末尾与诉求不符")


def _compare_all(report: Report, number: str, what: str, folded: Mapping[str, Any], stored: Mapping[str, Any]) -> None:
    for key in folded.keys() | stored.keys():
        _compare(report, f"{number} {what} {key}", folded.get(key), stored.get(key))


def _compare(report: Report, what: str, folded: object, stored: object) -> None:
    if folded != stored:
        report.drifted(f"{what}: 台账与表不一致")


def _documents(session: Session, report: Report) -> None:
    for series, year, drawn, kept in audit.series_gaps(session):
        report.drifted(f"文号 {series} {year} 年: 已取 {drawn} 号，存 {kept} 件")
    for number in audit.broken_lines(session):
        report.drifted(f"文书 {number} 的各条与所发起的任务不符")
    for file in audit.broken_files(session):
        report.drifted(f"文件 {file} 的内容被改动")

"""What `wuye-loop migrate` says of each grievance and of what has no place: for people, spreadsheets and programs."""

import csv
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from wuye_loop.domain.language.workflow import Flow, Workflow
from wuye_loop.domain.step.migration.carry import Carried, Moved
from wuye_loop.domain.step.migration.mapping import MissingTarget, VersionMapping
from wuye_loop.domain.step.migration.remedies import remedy, shown, title_of
from wuye_loop.domain.time.timestamps import as_text

COLUMNS: Final = ("诉求", "原状态", "新状态", "带走的时限", "提醒")
_CSV: Final = (
    "诉求", "原状态", "原状态名称", "新状态", "新状态名称", "时限", "时限名称", "原到期", "新到期", "因此逾期", "提醒",
)  # fmt: skip


def cells(item: Moved, way: VersionMapping) -> tuple[str, ...]:
    """Return one grievance as a line of the table: titles, and times as the office's clock shows them."""
    zone = _zone(way)
    carried = "；".join(f"{_clock_title(clock, way)} {shown(clock.due_at, zone)} 到期" for clock in item.clocks)
    was, now = _state(way.old.workflow, item.from_state), _state(way.new.workflow, item.to_state)
    return item.number, was, now, carried, "；".join(item.warnings)


def write_csv(file: Path, moved: Iterable[Moved], way: VersionMapping) -> None:
    """Write the report as a spreadsheet opens it: UTF-8 with its mark. What is of clocks is listed in their order."""
    with file.open("w", encoding="utf-8-sig", newline="") as opened:
        writer = csv.writer(opened)
        writer.writerow(_CSV)
        writer.writerows(_csv_row(item, way) for item in moved)


def json_row(item: Moved) -> dict[str, Any]:
    """Return one grievance for a program: names as the definitions have them, instants in UTC."""
    return {
        "number": item.number,
        "from": item.from_state,
        "to": item.to_state,
        "clocks": [
            {
                "was": clock.was, "clock": clock.name, "task": clock.task, "started_at": as_text(clock.started_at),
                "was_due_at": as_text(clock.was_due_at), "due_at": as_text(clock.due_at), "overdue": clock.overdue,
                "skipped": clock.skipped, "lost": clock.lost,
            }
            for clock in item.clocks
        ],
        "warnings": item.warnings,
    }  # fmt: skip


# --- what has no place ----------------------------------------------------------------------------------------------


def target_row(target: MissingTarget, way: VersionMapping, count: int, example: str) -> tuple[object, ...]:
    """Return what is missing as a line of the table."""
    return target.what, _named(target, way), target.why, count, example


def target_json(target: MissingTarget, way: VersionMapping, count: int, example: str) -> dict[str, Any]:
    """Return what is missing for a program."""
    return {
        "what": target.what, "name": target.name, "title": title_of(target, way), "why": target.why, "remedy": remedy(target, way),
        "count": count, "example": example,
    }  # fmt: skip


def remedies(missing: Sequence[MissingTarget], way: VersionMapping) -> list[str]:
    """Return what to do about the gaps, once for all of which it is the same."""
    found: dict[str, list[str]] = {}
    for target in missing:
        found.setdefault(remedy(target, way), []).append(f"{target.what} {_named(target, way)}")
    return [f"{'、'.join(named)}：{what}" for what, named in found.items()]


def _named(target: MissingTarget, way: VersionMapping) -> str:
    title = title_of(target, way)
    return f"{title}（{target.name}）" if title else target.name


# --- words ----------------------------------------------------------------------------------------------------------


def _csv_row(item: Moved, way: VersionMapping) -> tuple[str, ...]:
    zone, clocks = _zone(way), item.clocks
    return (
        item.number,
        item.from_state, _state(way.old.workflow, item.from_state),
        item.to_state, _state(way.new.workflow, item.to_state),
        "；".join(f"{clock.task}/{clock.name}" if clock.task else clock.name for clock in clocks),
        "；".join(_clock_title(clock, way) for clock in clocks),
        "；".join(_offset(clock.was_due_at, zone) for clock in clocks),
        "；".join(_offset(clock.due_at, zone) for clock in clocks),
        "；".join("是" if clock.overdue else "否" for clock in clocks),
        "；".join(item.warnings),
    )  # fmt: skip


def _zone(way: VersionMapping) -> ZoneInfo:
    return ZoneInfo(way.new.workflow.calendar.zone)


def _offset(at: datetime, zone: ZoneInfo) -> str:
    return at.astimezone(zone).isoformat(timespec="seconds")


def _state(flow: Flow, name: str) -> str:
    found = flow.states.get(name)
    return found.title if found else name


def _clock_title(clock: Carried, way: VersionMapping) -> str:
    workflow: Workflow = way.new.workflow
    kind = workflow.tasks.get(clock.task) if clock.task else None
    spec = (kind or workflow).clocks.get(clock.name)
    title = spec.title if spec else clock.name
    return f"“{kind.title}”的{title}" if kind else title

"""`wuye-loop migrate`: running grievances go over to another version of the rules, and each is reported."""

import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from threading import Event
from typing import Annotated

import typer
from rich.progress import Progress

from wuye_loop.authoring.checker.check import load
from wuye_loop.cli.database import AsJson, DataDir, settings_for
from wuye_loop.cli.migrate_report import COLUMNS, cells, json_row, remedies, target_json, target_row, write_csv
from wuye_loop.cli.output import Refused, err, out, print_json, print_table
from wuye_loop.cli.serving import open_site
from wuye_loop.domain.rules.rules import Rules
from wuye_loop.domain.step.migration.carry import Moved
from wuye_loop.domain.step.migration.mapping import MissingTarget, VersionMapping
from wuye_loop.edge.site import Site
from wuye_loop.loop import migrate as migration
from wuye_loop.prepare import prepare
from wuye_loop.store.grievance import by_version
from wuye_loop.store.workflows import files, versions

_SHOWN = 40
_STOPPED = 130


class Limits(StrEnum):
    """Which limit a clock goes on with."""

    STORED = "stored"
    NEW = "new"


def migrate(
    old: Annotated[str, typer.Argument(metavar="A", help="原版本：名称@版本")],
    new: Annotated[str, typer.Argument(metavar="B", help="新版本：已发布的，或文件在 WUYE_WORKFLOWS 里、迁时发布")],
    *,
    limits: Annotated[
        Limits, typer.Option("--limits", help="stored 沿用已定的时限；new 按新版重定，从原来的起点算")
    ] = Limits.STORED,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="只看会怎样，什么都不改")] = False,
    table: Annotated[
        Path | None, typer.Option("--csv", metavar="FILE", help="把每件诉求一行的报告写成 CSV 文件")
    ] = None,
    data: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Take running grievances over to another version."""
    with open_site(settings_for(data), publish=False) as site:
        way = _way(site, old, new, limits)
        found = _surveyed(site, way)
        stranded: list[tuple[str, list[MissingTarget]]] = []
        left = 0
        moved = found.moved
        if found.missing:
            _refuse(found, way, as_json=as_json)
        stopped = False
        if not dry_run:
            prepare(site)  # only now: a version that is looked at and refused can still be mended
            way = _way(site, old, new, limits)
            moved, stranded, stopped = _moved(site, way, len(found.moved))
            with site.database.read() as session:
                left = by_version.count(session, old)
    if table is not None:
        write_csv(table, moved, way)
    if as_json:
        print_json(
            {
                "from": old, "to": new, "limits": limits.value, "applied": not dry_run, "moved": [*map(json_row, moved)],
                "stranded": [{"number": number, "gaps": [target.words for target in missing]} for number, missing in stranded],
                "left": left, "stopped": stopped,
            }
        )  # fmt: skip
    else:
        _show(way, moved, stranded, left=left, dry_run=dry_run)
    if stopped:
        raise typer.Exit(_STOPPED)
    if stranded:
        raise typer.Exit(1)


def _way(site: Site, old: str, new: str, limits: Limits) -> VersionMapping:
    """Return the way between two versions, the new one as published, else as its file has it."""
    with site.database.read() as session:
        file = None if new in versions.published(session) else files.find(new, site.settings.workflows)
        rules = None
        if file is not None:
            rules = Rules(load(files.whole_text(file, site.settings.workflows), f"{new}.yaml"))
        return migration.mapping(site.loop, session, old, new, new_limits=limits is Limits.NEW, becomes=rules)


def _surveyed(site: Site, way: VersionMapping) -> migration.Survey:
    with site.database.read() as session:
        total = by_version.count(session, way.old.id)
    with Progress(console=err, disable=not total, transient=True) as shown:
        looking = shown.add_task("逐件核对", total=total)
        return migration.survey(site.loop, site.database, way, lambda done: shown.update(looking, completed=done))


def _refuse(found: migration.Survey, way: VersionMapping, *, as_json: bool) -> None:
    """Say of every missing name how many grievances need it and which is one of them; nothing has been changed."""
    missing = sorted(found.missing.items())
    if as_json:
        print_json({"applied": False, "gaps": [target_json(target, way, *told) for target, told in missing]})
    else:
        rows = (target_row(target, way, *told) for target, told in missing)
        print_table("没有去处", ("", "名称", "原因", "件数", "例如"), rows)
    said = "".join(f"\n· {words}" for words in remedies([target for target, _ in missing], way))
    raise Refused(f"有在办诉求在 {way.new.id} 里没有去处，一件都没有迁。怎么办：{said}")


def _moved(
    site: Site, way: VersionMapping, total: int
) -> tuple[list[Moved], list[tuple[str, list[MissingTarget]]], bool]:
    moved: list[Moved] = []
    stranded: list[tuple[str, list[MissingTarget]]] = []
    with _interruptible() as stop, Progress(console=err, disable=not total, transient=True) as shown:
        going = shown.add_task("迁移", total=total)
        for item in migration.migrate(site.loop, site.database, way, stopped=stop.is_set):
            if isinstance(item, Moved):
                moved.append(item)
            else:
                stranded.append(item)
            shown.update(going, completed=len(moved) + len(stranded))
        return moved, stranded, stop.is_set()


@contextmanager
def _interruptible() -> Iterator[Event]:
    """Give an event that Ctrl-C sets: the grievance under way is finished, then everything stands as it is."""
    stop = Event()
    before = signal.signal(signal.SIGINT, lambda _, __: stop.set())
    try:
        yield stop
    finally:
        signal.signal(signal.SIGINT, before)


def _show(
    way: VersionMapping,
    moved: Sequence[Moved],
    stranded: Sequence[tuple[str, list[MissingTarget]]],
    *,
    left: int,
    dry_run: bool,
) -> None:
    if way.old.id not in way.new.workflow.migrates:
        err.print(f"{way.new.id} 没有写 migrates: {way.old.id}，名称一律照旧", style="yellow")
    if moved:
        rest = f"（只列出前 {_SHOWN} 件，全部见 --csv 或 --json）" if len(moved) > _SHOWN else ""
        rows = (cells(item, way) for item in moved[:_SHOWN])
        print_table(f"{way.old.id} → {way.new.id}{rest}", COLUMNS, rows)
    warned = sum(bool(item.warnings) for item in moved)
    overdue = sum(any(clock.overdue for clock in item.clocks) for item in moved)
    late = f"，{overdue} 件因此逾期" if overdue else ""
    done = "会迁移" if dry_run else "已迁移"
    out.print(f"{done} {len(moved)} 件，其中 {warned} 件有提醒{late}" + ("；什么都没有改" if dry_run else ""))
    for number, missing in stranded:
        err.print(
            f"{number} 没有迁：{'；'.join(target.words for target in missing) or '记录损坏'}", style="red", markup=False
        )
    if left:
        out.print(f"还有 {left} 件在 {way.old.id}；再运行一次即接着办")

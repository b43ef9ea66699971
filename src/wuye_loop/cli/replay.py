"""`wuye-loop replay`: what was recorded, taken through another version of the rules; nothing is changed."""

import os
from datetime import UTC, datetime
from time import perf_counter
from typing import Annotated

import typer
from rich.progress import Progress

from wuye_loop.authoring.checker.check import load
from wuye_loop.cli.check import text_of
from wuye_loop.cli.database import AsJson, DataDir, opened, settings_for
from wuye_loop.cli.output import ZONE, Refused, err, out, print_json, print_table
from wuye_loop.domain.time.bounds import FIRST_YEAR, LAST_YEAR
from wuye_loop.store.keys import keyring
from wuye_loop.store.reads import recorded
from wuye_loop.trial.replay.compare import Kind
from wuye_loop.trial.replay.run import replay as run
from wuye_loop.trial.replay.tally import Group, Tally

_SHOWN = 20
_UNITS = 3
_HOUR = 3600


def replay(
    against: Annotated[
        str, typer.Option("--against", metavar="B", help="另一版流程：名称@版本，或一个还没有发布的文件")
    ],
    since: Annotated[
        datetime | None, typer.Option("--since", formats=["%Y-%m-%d"], metavar="DATE", help="只看这一天起收到的诉求")
    ] = None,
    processes: Annotated[
        int | None, typer.Option("--processes", min=1, max=64, help="用几个进程，默认每个处理器一个")
    ] = None,
    *,
    data: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Play the record again under other rules."""
    if since is not None and not FIRST_YEAR <= since.year <= LAST_YEAR:
        raise Refused(f"--since 应在日历的 {FIRST_YEAR} 至 {LAST_YEAR} 年之内")
    text, name = text_of(against, data)
    workflow = load(text, name)
    start = since.replace(tzinfo=ZONE).astimezone(UTC) if since is not None else None
    began = perf_counter()
    with opened(data) as database:
        with database.read() as session:
            total, _, _ = recorded.summary(session, start)
        if not total:
            raise Refused("没有可以重放的诉求")
        with Progress(console=err, transient=True) as shown:
            going = shown.add_task("重放", total=total)
            tally = run(
                database,
                keyring.rings(settings_for(data)).ring,
                text,
                since=start,
                processes=processes or os.cpu_count() or 1,
                told=lambda done: shown.update(going, completed=done),
            )
    seconds = perf_counter() - began
    if as_json:
        print_json({"against": workflow.id, "since": start, "seconds": round(seconds, 2), **tally.as_json()})
    else:
        _show(tally, workflow.id, seconds)
    if tally.failed:
        raise typer.Exit(1)


def _show(tally: Tally, against: str, seconds: float) -> None:
    for kind in Kind:
        groups = tally.ordered(kind)
        if groups:
            rest = f"（只列出前 {_SHOWN} 种，全部见 --json）" if len(groups) > _SHOWN else ""
            rows = ((what, how, *_cells(group)) for what, how, group in groups[:_SHOWN])
            columns = ("", "不同", "次数", "件数", "因前面的动作", "早（晚）多少", "单位", "例如")
            print_table(f"{kind.chinese}：{tally.kinds[kind]} 件有不同{rest}", columns, rows)
    rate = round(tally.grievances / seconds) if seconds else 0
    out.print(
        f"对照 {against}：诉求 {tally.grievances} 件，台账 {tally.acts} 行，没有不同 {tally.same} 件，"
        f"有不同 {tally.grievances - tally.same - tally.failed - tally.migrated} 件；"
        f"用时 {seconds:.1f} 秒，每秒 {rate} 件"
    )
    if tally.migrated:
        out.print(f"途中迁过版本、没有比较的 {tally.migrated} 件")
    if tally.failed:
        err.print(f"{tally.failed} 件重放不了，例如 {tally.fault}", style="red", markup=False)


def _cells(group: Group) -> tuple[str, ...]:
    units = sorted(group.units.items(), key=lambda item: (-item[1], item[0]))[:_UNITS]
    return (
        str(group.count),
        str(group.grievances),
        str(group.follows or ""),
        _later(group),
        "、".join(f"{unit} {count}" for unit, count in units),
        "、".join(number for number, _, _ in group.examples[:2]),
    )


def _later(group: Group) -> str:
    """Say by how much, on average and at most, in natural days or hours."""
    if group.least is None or group.most is None:
        return ""
    mean, most = group.seconds / group.count, max(abs(group.least), abs(group.most))
    return f"{'晚' if mean > 0 else '早'}平均 {_span(abs(mean))}，最多 {_span(most)}"


def _span(seconds: float) -> str:
    hours = seconds / _HOUR
    return f"{hours / 24:.1f} 天" if hours >= 24 else f"{hours:.1f} 小时"  # noqa: PLR2004 hours of a day

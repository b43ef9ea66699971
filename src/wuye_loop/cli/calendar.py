"""`wuye-loop calendar`: the working days that every deadline is counted in."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import date, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress

from wuye_loop.cli.clock import clock
from wuye_loop.cli.database import AsJson, DataDir, opened, settings_for
from wuye_loop.cli.output import ZONE, Refused, err, group, out, print_json, print_table
from wuye_loop.cli.serving import open_site
from wuye_loop.domain.time.bounds import FIRST_YEAR, LAST_YEAR
from wuye_loop.domain.time.notice import Notice, read_notice
from wuye_loop.domain.time.timestamps import wall
from wuye_loop.edge.site import Site
from wuye_loop.loop.recounting import offices, outstanding, recount
from wuye_loop.store.calendar import moved_clocks, working_days
from wuye_loop.store.calendar.moved_clocks import Move
from wuye_loop.store.calendar.working_days import DayTable, read_table

commands = group()
_SHOWN = 40
_WEEKDAYS = "一二三四五六日"


@commands.command("import")
def import_file(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="CSV（date,works|is_off_day,name）或 JSON")],
    *,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="不询问，直接装入")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="只看会改动哪些时限")] = False,
    data: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """装入放假通知：先列出会变动的在办时限，确认后再改。 / load a notice; shows which deadlines move first."""
    if as_json and not yes and not dry_run:
        raise typer.BadParameter("--json 要和 --yes 或 --dry-run 一起用")
    notice = read_notice(file.read_bytes(), file.name)
    with open_site(settings_for(data)) as site:
        with site.database.read() as session:
            hours, unread = offices(site.loop, session)
            moves = moved_clocks.preview(session, notice, hours)
            table = read_table(session)
            guesses = working_days.provisional_days(session)
        dropped = [day for day in table.replaced(notice) if day not in guesses]
        for name in unread:
            err.print(f"流程 {name} 损坏，按它办理的诉求时限不动；请运行 doctor", style="red", markup=False)
        if not as_json:
            _show(notice, moves, dropped, _standing(table, notice))
        if not dry_run:
            if not yes and not typer.confirm("装入并调整这些时限？", err=True):
                raise Refused("没有装入")
            with site.database.begin() as session:
                working_days.import_notice(session, notice, clock().now())
            moves = _apply(site)
    if as_json:
        print_json(
            {
                "years": sorted(notice.years),
                "days": len(notice.days),
                "off": sum(not day.works for day in notice.days),
                "works": sum(day.works for day in notice.days),
                "applied": not dry_run,
                "moves": [*map(asdict, moves)],
                "dropped": dropped,
            }
        )
    elif not dry_run:
        typer.echo(f"已装入 {len(notice.days)} 天；调整了 {len({move.number for move in moves})} 件诉求的时限")


@commands.command("show")
def show(
    year: Annotated[int | None, typer.Argument(metavar="[YEAR]", help="年份，默认今年")] = None,
    *,
    data: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """显示一年里与周一至周五不同的日子。 / show a year's holidays and make-up days."""
    year = year or clock().now().astimezone(ZONE).year
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise typer.BadParameter(f"年份应在 {FIRST_YEAR} 与 {LAST_YEAR} 之间")
    with opened(data) as database, database.read() as session:
        table = read_table(session)
    days = {day: works for day, works in sorted(table.days.items()) if day.year == year}
    published = year in table.published
    if as_json:
        rows = [{"date": day, "works": works} for day, works in days.items()]
        print_json({"year": year, "published": published, "days": rows})
        return
    if not published:
        err.print(f"{year} 年的放假通知还没有装入，以下是推定，时限标为暂定", style="yellow")
    words = {True: "上班", False: "放假"}
    print_table(
        f"{year} 年",
        ("日期", "星期", ""),
        ((day, _WEEKDAYS[day.weekday()], words[works]) for day, works in days.items()),
    )


def _apply(site: Site) -> list[Move]:
    """Recalculate every grievance whose clocks do not stand as the calendar says; also those of an interrupted import."""
    with site.database.read() as session:
        hours, _ = offices(site.loop, session)
    moves, damaged = outstanding(site.database, hours), list[str]()
    with Progress(console=err, disable=not moves) as shown:
        going = shown.add_task("调整时限", total=len({move.number for move in moves}))
        for done, damaged in recount(site.loop, site.database, moves):  # noqa: B007 the last says all
            shown.update(going, completed=done)
    for number in damaged:
        err.print(f"{number} 的记录损坏，它的时限没有调整；请运行 doctor", style="red", markup=False)
    return moves


def _standing(table: DayTable, notice: Notice) -> int:
    """Return how many days stay as they are of years for which the notice is not whole."""
    named = {day.date for day in notice.days}
    return sum(day.year in notice.doubtful and day not in named for day in table.days)


def _show(notice: Notice, moves: Sequence[Move], dropped: Sequence[date], standing: int) -> None:
    years = "、".join(str(year) for year in sorted(notice.years)) or "没有"
    off = sum(not day.works for day in notice.days)
    out.print(f"放假 {off} 天，调休上班 {len(notice.days) - off} 天；从此视为已公布的年份：{years}")
    for year in notice.doubtful:
        err.print(f"提醒：{year} 年没有写元旦和国庆节，可能不是完整的通知", style="yellow")
    if notice.doubtful and standing:
        err.print(f"不是完整的通知：原有的另外 {standing} 天不动", style="yellow")
    if dropped:
        err.print(f"新通知里没有、因此撤销的日子：{'、'.join(map(str, dropped))}", style="yellow")
    moved = [move for move in moves if move.moves]
    if moved:
        rows = ((move.number, move.clock, _local(move.old_due), _local(move.new_due)) for move in moved[:_SHOWN])
        print_table("会变动的在办时限", ("诉求", "时限", "原到期", "新到期"), rows)
    rest = f"（只列出前 {_SHOWN} 个）" if len(moved) > _SHOWN else ""
    out.print(f"到期时间变动的时限 {len(moved)} 个{rest}；只去掉“暂定”标记或只移动提醒的 {len(moves) - len(moved)} 个")


def _local(at: datetime) -> str:
    return " ".join(map(str, wall(at, ZONE)))

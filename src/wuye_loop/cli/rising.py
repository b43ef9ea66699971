"""`wuye-loop rising`: which matters rose, day by day, in a sheet of complaints: by estate (where it has one) and category."""

from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from wuye_loop.cli.database import AsJson
from wuye_loop.cli.output import Refused, print_json, print_table
from wuye_loop.cli.suggest import ModelFile, WorkflowOption
from wuye_loop.cli.texts import model_at, rules_for, texts
from wuye_loop.domain.suggesting.rising import A_YEAR, rises
from wuye_loop.domain.suggesting.suggestion import guess

if TYPE_CHECKING:
    from datetime import date


def rising(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="CSV、CSV.gz 或 XLSX，要有时间列")],
    model: ModelFile = None,
    workflow: WorkflowOption = None,
    a_year: Annotated[float, typer.Option("--a-year", metavar="N", help="全部加起来，一年至多误报几次")] = A_YEAR,
    *,
    as_json: AsJson = False,
) -> None:
    """Print the alarms that would have been raised, the earliest first."""
    rules, learned = rules_for(workflow), model_at(model)
    days: dict[tuple[str, str], list[date]] = defaultdict(list)
    for text in texts(file):
        if text.at is not None:
            category = guess(rules.scoring, learned, text.title, text.body).category
            days[text.estate or "", category or "其他"].append(text.at.date())
    if not days:
        raise Refused(f"{file}：没有一行写着能读的时间")
    every = [day for came in days.values() for day in came]
    found = rises(days, min(every), max(every), a_year=a_year)
    shown = [
        {
            "day": one.day.isoformat(),
            "estate": one.key[0] or None,
            "category": one.key[1],
            "count": one.count,
            "expected": one.expected,
            "chance": float(f"{one.chance:.2g}"),
        }
        for one in found
    ]
    if as_json:
        for one in shown:
            print_json(one)
        return
    columns = ("到哪天", "小区", "类别", "七天里", "本应", "碰巧的可能")
    print_table(f"{len(every)} 件，{len(days)} 组，{len(shown)} 次", columns, [tuple(one.values()) for one in shown])

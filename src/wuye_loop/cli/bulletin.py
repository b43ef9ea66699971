"""`wuye-loop bulletin`: bulletins of assessments, and whether the figures of somebody's bulletin add up."""

from decimal import Decimal
from pathlib import Path
from typing import Annotated

import orjson
import typer

from wuye_loop.cli.database import AsJson, DataDir, settings_for
from wuye_loop.cli.output import Refused, err, group
from wuye_loop.domain.figures.anomalies import Anomaly, anomalies, spoken
from wuye_loop.domain.figures.published import UnreadableBulletin, read_published

commands = group()


@commands.command("check")
def check_bulletin(
    file: Annotated[
        Path, typer.Argument(metavar="FILE.json", help="一份通报里的数字（JSON，写法见 docs/assessment.md）")
    ],
    *,
    as_json: AsJson = False,
) -> None:
    """核对一份通报：哪个数对不上、应为多少；全对时什么也不说，有不符时退出码为 1。 / check a published bulletin."""
    try:
        bulletin = read_published(file.read_bytes(), str(file))
    except UnreadableBulletin as error:
        raise Refused(str(error)) from None
    for name in bulletin.unknown:
        err.print(f"{file}: 不认识的键“{name[:40]}”，没有核对（提醒）", style="yellow", markup=False)
    found = anomalies(bulletin)
    for one in found:
        typer.echo(_as_json(one) if as_json else spoken(one))
    if found:
        raise typer.Exit(1)


@commands.command("make")
def make_bulletin(
    which: Annotated[str, typer.Argument(metavar="SCHEME", help="考核办法")],
    *,
    period: Annotated[str, typer.Option("--period", metavar="P", help="考核期，如 2026-11")],
    form: Annotated[str, typer.Option("--format", metavar="docx|xlsx|html|json|pdf", help="哪种文件")] = "docx",
    out: Annotated[Path | None, typer.Option("--out", metavar="FILE", help="写到哪里；不写就用通报的名称")] = None,
    data: DataDir = None,
) -> None:
    """做一期通报：打印用的网页、可编辑的 DOCX、可计算的 XLSX、可核对的 JSON、PDF（可选组件）。 / make a period's bulletin."""
    from wuye_loop.cli.serving import open_site  # noqa: PLC0415 `bulletin check` needs no server and no database
    from wuye_loop.domain.grievance.situation import SYSTEM_ACTOR  # noqa: PLC0415 as above
    from wuye_loop.queries.assessment import bulletin  # noqa: PLC0415 as above
    from wuye_loop.queries.assessment.sheets import MEDIA, drawn  # noqa: PLC0415 as above

    if form not in MEDIA:
        raise typer.BadParameter(f"--format 可写 {'、'.join(MEDIA)}")
    with open_site(settings_for(data)) as site, site.database.read() as session:
        made = bulletin.of_period(site.loop, session, SYSTEM_ACTOR, which, period)
    file = out or Path(f"{made.title}.{form}")
    body = drawn(made, form)
    file.write_bytes(body)
    typer.echo(str(file))


def _as_json(one: Anomaly) -> str:
    members = {
        "where": one.where,
        "published": _number(one.published),
        "right": _number(one.right),
        "problem": one.problem,
    }
    return orjson.dumps(members).decode()


def _number(value: Decimal | int | str | None) -> object:
    """Return a figure with the digits it was written with."""
    return orjson.Fragment(f"{value:f}") if isinstance(value, Decimal) else value

"""`wuye-loop credit`: what a unit has, rows added by hand with their reason, and rows ended."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

import typer

from wuye_loop.cli.database import AsJson, DataDir, settings_for
from wuye_loop.cli.output import Refused, group, print_json, print_table
from wuye_loop.cli.serving import open_site
from wuye_loop.domain.grievance.situation import SYSTEM_ACTOR
from wuye_loop.loop.evaluate.credit import add_credit, end_credit
from wuye_loop.queries.assessment import credit as ledgers

commands = group()
Unit = Annotated[str, typer.Argument(metavar="UNIT", help="单位编码")]


@commands.command("show")
def show(
    unit: Unit,
    *,
    on: Annotated[datetime | None, typer.Option("--on", formats=["%Y-%m-%d"], help="哪一天的，默认今天")] = None,
    data: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """一个单位的信用分、等级和每一条记录。 / points, grade and every row."""
    day: date | None = None if on is None else on.date()
    with open_site(settings_for(data)) as site, site.database.read() as session:
        shown = ledgers.of_unit(site.loop, session, SYSTEM_ACTOR, unit, day)
    if as_json:
        print_json(shown)
        return
    for ledger in shown["ledgers"]:
        title = f"{shown['unit_name']} {ledger['title']} {ledger['on']}：{ledger['points']} 分，{ledger['grade'] or '未定级'}"
        rows = (
            (
                row["id"],
                row["since"],
                row["title"],
                row["points"],
                row["until"] or "整改为止",
                _state(row),
                row["cause"],
            )
            for row in ledger["rows"]
        )
        for one in ledger["exits"]:
            case = f"，已立案 {one['grievance']}" if one["grievance"] else ""
            case += f"，已发 {one['document']}" if one["document"] else ""
            typer.echo(f"自 {one['since']} 起应当{one['title']}：{one['brings']}{case}")
        print_table(title, ("编号", "自", "事项", "分", "至", "", "事由"), rows)


def _state(row: dict[str, object]) -> str:
    return "终止记录" if row["ends"] else "计" if row["counts"] else "不再计"


@commands.command("add")
def add(
    unit: Unit,
    item: Annotated[str, typer.Argument(metavar="ITEM", help="考核办法里的信用项")],
    *,
    scheme: Annotated[str, typer.Option("--scheme", metavar="SCHEME", help="考核办法")],
    reason: Annotated[str, typer.Option("--reason", help="为什么")],
    cause: Annotated[str | None, typer.Option("--cause", help="所据的案件或文书；同一事由只记一次")] = None,
    data: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """记一条信用分，写明理由。 / add a row."""
    with open_site(settings_for(data)) as site, site.database.begin() as session:
        site.loop.reference.refresh(session)
        made = add_credit(site.loop, session, scheme, unit, item, reason, SYSTEM_ACTOR, cause)
    if as_json:
        print_json({"id": str(made)})
    else:
        typer.echo(f"已记：{made}")


@commands.command("expire")
def expire(
    row: Annotated[str, typer.Argument(metavar="ROW", help="记录编号（credit show 里的）")],
    *,
    reason: Annotated[str, typer.Option("--reason", help="为什么，如已整改")],
    data: DataDir = None,
) -> None:
    """终止一条记录（已整改、记错了）：另记一行，原来的一行不动。期满的不用终止，按日历不再计。 / end a row."""
    try:
        one = UUID(row)
    except ValueError:
        raise Refused("记录编号写法不对：见 credit show") from None
    with open_site(settings_for(data)) as site, site.database.begin() as session:
        end_credit(site.loop, session, one, reason, SYSTEM_ACTOR)
    typer.echo("已终止")

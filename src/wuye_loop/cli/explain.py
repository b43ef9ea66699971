"""`wuye-loop explain`: why this unit, why this deadline, why this action is blocked."""

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from wuye_loop.app import make_site
from wuye_loop.cli.clock import clock
from wuye_loop.cli.database import AsJson, DataDir, opened, settings_for
from wuye_loop.cli.output import print_json
from wuye_loop.queries.explain.explain import explain as explained


def explain(
    number: Annotated[str, typer.Argument(metavar="NUMBER", help="诉求编号")],
    *,
    viewer: Annotated[
        str | None,
        typer.Option("--as", metavar="UNIT|supervisor", help="只说这个单位（或督办人员）能做什么、被什么挡住"),
    ] = None,
    data: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Say why a grievance is where it is."""
    with opened(data) as database:
        site = make_site(settings_for(data), database, clock=clock())
        with database.read() as session:
            found = explained(site.loop, session, number, viewer)
    if as_json:
        print_json(found)
    else:
        _show(found)


def _show(found: Mapping[str, Any]) -> None:
    typer.echo(f"诉求 {found['number']}")
    sections = (
        ("现状", [found["standing"]]),
        ("为什么是这个单位", [found["unit"]]),
        ("为什么是这个期限", found["deadlines"]),
        ("本轮已结束的时限", found["ended"]),
        (f"动作（{found['as_title']}）" if found["as"] else "动作：谁可以做，被什么挡住", found["actions"]),
    )
    for title, items in sections:
        typer.echo(f"\n{title}")
        for item in items:
            for words in item["words"]:
                typer.echo(f"  {words}")
        if not items:
            typer.echo("  没有")

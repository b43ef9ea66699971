"""`wuye-loop workflow`: which versions are published, who goes by them, and taking one back."""

from typing import Annotated

import typer

from wuye_loop.cli.database import AsJson, DataDir, opened, settings_for
from wuye_loop.cli.output import ZONE, Refused, group, print_json, print_table
from wuye_loop.domain.time.timestamps import as_text, from_text
from wuye_loop.store.workflows import versions
from wuye_loop.store.workflows.files import find

commands = group()


@commands.command("list")
def list_versions(*, data: DataDir = None, as_json: AsJson = False) -> None:
    """列出已发布的版本，和按它办理的诉求数。 / list published versions."""
    with opened(data) as database, database.read() as session:
        rows, use = versions.register(session), versions.in_use(session)
    default = settings_for(data).default_workflow
    found = [
        {
            "id": row.id,
            "default": row.id == default,
            "published_at": as_text(row.published_at),
            "sha256": row.sha256,
            "open": use.get(row.id, versions.Use()).open,
            "closed": use.get(row.id, versions.Use()).closed,
        }
        for row in rows
    ]
    if as_json:
        print_json(found)
        return
    print_table(
        "流程",
        ("版本", "默认", "发布于", "sha256", "在办", "归档"),
        (
            (
                one["id"],
                "是" if one["default"] else "",
                from_text(one["published_at"]).astimezone(ZONE).strftime("%Y-%m-%d %H:%M"),
                one["sha256"][:12],
                one["open"],
                one["closed"],
            )
            for one in found
        ),
    )


@commands.command("remove")
def remove(
    which: Annotated[str, typer.Argument(metavar="NAME@V", help="已发布的流程版本")], *, data: DataDir = None
) -> None:
    """删除一个没有诉求使用的版本；有诉求使用时说出件数和一个编号。 / remove a version that nothing uses."""
    settings = settings_for(data)
    if which == settings.default_workflow:
        raise Refused(f"{which} 是默认流程（WUYE_DEFAULT_WORKFLOW），不能删除")
    with opened(data) as database, database.begin() as session:
        versions.remove(session, which)
    typer.echo(f"已删除 {which}", err=True)
    file = find(which, settings.workflows)
    if file is not None:
        typer.echo(f"文件 {file} 还在：下次启动 up 或 serve 会重新发布，不要它就移走", err=True)

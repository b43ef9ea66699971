"""`wuye-loop data`: where an installation's own database lies, and how to be rid of it."""

from typing import Annotated

import typer

from wuye_loop import postgres
from wuye_loop.cli.database import DataDir, settings_for
from wuye_loop.cli.output import Refused, group

commands = group()


@commands.command("where")
def where(*, data: DataDir = None) -> None:
    """列出数据所在的文件夹，一行一个；内嵌数据库放不进数据目录时也在别处。 / list the folders that hold the data."""
    folder = settings_for(data).data
    if not folder.is_dir():
        raise Refused(f"{folder} 还没有建立")
    for one in (folder.resolve(), *postgres.outside(folder)):
        typer.echo(str(one))


@commands.command("remove")
def remove(
    *, yes: Annotated[bool, typer.Option("--yes", "-y", help="不询问，直接删除")] = False, data: DataDir = None
) -> None:
    """删除数据目录和放在别处的内嵌数据库，不能恢复。 / remove the data for good, wherever it lies."""
    settings = settings_for(data)
    if settings.database_url is not None:
        raise Refused("数据在 WUYE_DATABASE_URL 指向的数据库里，请用它自己的工具删除；这里只删内嵌数据库的数据")
    folder = settings.data
    if not any((folder / name).exists() for name in ("postgres", "postgres.moved", "keys.json")):
        raise Refused(f"{folder} 里没有本程序的数据")
    for one in (folder.resolve(), *postgres.outside(folder)):
        typer.echo(f"将删除 {one}", err=True)
    if not yes and not typer.confirm("全部诉求、密钥和台账都在里面，删除后不能恢复。删除？", err=True):
        raise Refused("没有删除")
    for one in postgres.remove(folder):
        typer.echo(f"已删除 {one}", err=True)

"""`wuye-loop model`: learned models, published like workflows; one of them suggests, an earlier one can be put back."""

from pathlib import Path
from typing import Annotated

import typer

from wuye_loop.cli.clock import clock
from wuye_loop.cli.database import AsJson, DataDir, opened
from wuye_loop.cli.output import Refused, group, print_json, print_table
from wuye_loop.domain.suggesting.model import Model, ModelProblem
from wuye_loop.domain.time.timestamps import as_text
from wuye_loop.store.workflows import models

commands = group()


@commands.command("publish")
def publish(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="learn 写出的模型")],
    which: Annotated[str, typer.Option("--as", metavar="NAME@V", help="名称@版本")],
    *,
    data: DataDir = None,
) -> None:
    """发布一个模型；发布了不等于在用，见 model use。 / publish a model."""
    if "@" not in which:
        raise Refused("--as 要写成 名称@版本，如 town@1")
    try:
        content = file.read_bytes()
        Model.read(content)
    except ModelProblem as problem:
        raise Refused(f"{file}：{problem}") from None
    except OSError as error:
        raise Refused(f"{file}：读不出来（{error.strerror}）") from None
    with opened(data) as database, database.begin() as session:
        fresh = models.publish(session, which, content, clock().now())
    typer.echo(f"已发布 {which}" if fresh else f"{which} 已经发布过，内容相同", err=True)


@commands.command("use")
def use(
    which: Annotated[str, typer.Argument(metavar="NAME@V|none", help="用哪个；none：不用模型，只用流程的字词")],
    *,
    data: DataDir = None,
) -> None:
    """从现在起用这个模型建议类别；换回旧的也是这样。 / choose the model that suggests."""
    with opened(data) as database, database.begin() as session:
        if which == "none":
            models.stop(session)
        else:
            models.choose(session, which, clock().now())
    typer.echo(f"在用：{which}", err=True)


@commands.command("list")
def list_models(*, data: DataDir = None, as_json: AsJson = False) -> None:
    """列出发布过的模型，在用的在前。 / list models."""
    with opened(data) as database, database.read() as session:
        rows = models.register(session)
    found = [
        {
            "id": row.id,
            "in_use": place == 0 and row.chosen_at is not None,
            "sha256": row.sha256,
            "published_at": as_text(row.published_at),
        }
        for place, row in enumerate(rows)
    ]
    if as_json:
        print_json(found)
        return
    columns = ("模型", "在用", "sha256", "发布于")
    print_table(
        "模型",
        columns,
        [(one["id"], "是" if one["in_use"] else "", str(one["sha256"])[:12], one["published_at"]) for one in found],
    )

"""`wuye-loop demo`: a made-up district, its complaints, and thirty days of the closed loop before your eyes."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from wuye_loop import logs
from wuye_loop import settings as environment
from wuye_loop.cli.output import Refused
from wuye_loop.demo import reading
from wuye_loop.demo.doors import PlayFailed
from wuye_loop.demo.reading import NotComplaints
from wuye_loop.demo.scripts import of_file, our_own
from wuye_loop.demo.serving import NoDoor
from wuye_loop.demo.show import Show
from wuye_loop.demo.stage import NoStage
from wuye_loop.settings import Settings
from wuye_loop.store.workflows.files import find

_FEWEST_DAYS, _MOST_DAYS = 3, 120
_BAD_ROWS = "demo-bad-rows.csv"


def demo(
    source: Annotated[
        Path | None, typer.Option("--input", metavar="FILE.csv[.gz]", help="用这些诉求代替虚构的 300 件；全部办到结案")
    ] = None,
    days: Annotated[int, typer.Option("--days", min=_FEWEST_DAYS, max=_MOST_DAYS, help="演多少天")] = 30,
    data: Annotated[Path | None, typer.Option("--data", metavar="DIR", help="数据目录(默认 var/demo)")] = None,
    port: Annotated[int | None, typer.Option("--port", min=0, max=65535, help="端口;0 取一个空闲的")] = None,
    workflow: Annotated[str | None, typer.Option("--workflow", metavar="NAME@V", help="按哪个流程演")] = None,
    *,
    leave: Annotated[bool, typer.Option("--exit", help="演完就结束，不再继续服务")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="最后一行输出一个 JSON 对象，表格改到标准错误")] = False,
) -> None:
    """Play thirty days in a made-up district."""
    logs.configure("WARNING")
    loaded = environment.load()
    folder = data if data is not None else loaded.data / "demo"
    settings = loaded.model_copy(update={"data": folder, "default_workflow": _played(loaded, workflow)})
    show = Show(settings, 0 if leave and port is None else port, leave=leave, as_json=as_json)
    try:
        if source is None:
            script = our_own(days)
        else:
            script, header, bad = of_file(source, days)
            if bad:
                reading.keep_bad(folder / _BAD_ROWS, header, bad)
                words = f"{len(bad)} 行不能用，连同原因记在 {folder / _BAD_ROWS}"
                Console(stderr=True, highlight=False).print(words, style="yellow", markup=False)
        found = show.give(script)
    except (NoStage, NoDoor, PlayFailed, NotComplaints) as error:
        raise Refused(str(error)) from None
    if found.drift or not found.chain_ok:
        raise typer.Exit(1)


def _played(loaded: Settings, workflow: str | None) -> str:
    """Return the workflow that is played. Raises Refused where no file has it."""
    if workflow is None:
        return loaded.default_workflow
    if find(workflow, (*loaded.workflows, environment.shipped("workflows"))) is None:
        raise Refused(f"没有流程 {workflow}；流程写成 名称@版本")
    return workflow

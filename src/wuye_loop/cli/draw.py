"""`wuye-loop draw`: a city's rules as a picture, on request with what is open today."""

from pathlib import Path
from typing import Annotated

import typer

from wuye_loop.authoring.assessment import drawing
from wuye_loop.authoring.assessment.check import load_scheme
from wuye_loop.authoring.checker.check import load
from wuye_loop.authoring.drawing.mermaid import mermaid
from wuye_loop.authoring.drawing.moves import Today
from wuye_loop.authoring.drawing.sheet import svg
from wuye_loop.cli.check import says_scheme, text_of, workflows_for
from wuye_loop.cli.clock import clock
from wuye_loop.cli.database import DataDir, opened
from wuye_loop.domain.grievance.situation import SYSTEM_ACTOR
from wuye_loop.domain.language.workflow import Workflow


def draw(
    which: Annotated[
        str, typer.Argument(metavar="NAME@V|FILE", help="已发布或随程序附带的流程，或一个文件（流程或考核办法）")
    ],
    *,
    as_svg: Annotated[bool, typer.Option("--svg", help="输出 SVG 泳道图和动作表，默认是 Mermaid 文本")] = False,
    live: Annotated[bool, typer.Option("--live", help="标上本安装现在各状态的在办件数和逾期件数")] = False,
    data: DataDir = None,
) -> None:
    """Draw a workflow, or a scheme of assessment."""
    text, name = text_of(which, data)
    if says_scheme(text):
        if live:
            raise typer.BadParameter("--live 只用于流程")
        scheme = load_scheme(text, name)
        workflow = workflows_for(Path(name), data)(scheme.workflow)
        known = drawing.names_of(workflow) if workflow is not None else {}
        typer.echo(drawing.svg(scheme, known) if as_svg else drawing.mermaid(scheme), nl=False)
        return
    workflow = load(text, name)
    today = _today(workflow, data) if live else None
    typer.echo(svg(workflow, today) if as_svg else mermaid(workflow, today), nl=False)


def _today(workflow: Workflow, data: Path | None) -> Today:
    from wuye_loop.store.reads.open_counts import census  # noqa: PLC0415 a drawing without counts needs no database

    now = clock().now()
    with opened(data) as database, database.read() as session:
        return Today.at(now, workflow.calendar.zone, census(session, SYSTEM_ACTOR, workflow.id, now))

"""`wuye-loop simulate`: a year of arrivals under a workflow, with and without a change."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, Final

import typer

from wuye_loop.authoring.checker.check import load as load_workflow
from wuye_loop.cli.check import text_of
from wuye_loop.cli.database import AsJson, DataDir
from wuye_loop.cli.output import Refused, err, out, print_json, print_table
from wuye_loop.cli.spreadsheet import table
from wuye_loop.domain.language.workflow import Workflow
from wuye_loop.domain.rules.rules import Rules
from wuye_loop.trial.simulation.inputs.load import Load, completed, read_load
from wuye_loop.trial.simulation.inputs.load_table import NAMES, load_of_rows
from wuye_loop.trial.simulation.inputs.mistakes import BadSimulation
from wuye_loop.trial.simulation.inputs.places import Places
from wuye_loop.trial.simulation.inputs.staff import Staff, read_staff
from wuye_loop.trial.simulation.question import WhatIf, answered, asked_of, staff_changes, usual_start
from wuye_loop.trial.simulation.results.report import (
    RUNGS,
    UNITS,
    compared,
    mix,
    rung_rows,
    staff_text,
    unit_rows,
    whole_rows,
)
from wuye_loop.trial.simulation.results.summary import Figure
from wuye_loop.trial.simulation.run.run import Scene
from wuye_loop.trial.simulation.scenario import scene_of, usual_seeds

_YAML: Final = (".yaml", ".yml")


def simulate(  # noqa: PLR0913 every option is one
    which: Annotated[str, typer.Argument(metavar="NAME@V|FILE", help="已发布或随程序附带的流程，或一个文件")],
    load: Annotated[
        Path | None, typer.Option("--load", metavar="FILE", help="诉求量：YAML，或 CSV（每行一天的件数，或每行一件）")
    ] = None,
    per_day: Annotated[float | None, typer.Option("--per-day", metavar="N", help="每天多少件（平均）")] = None,
    staff: Annotated[
        Path | None, typer.Option("--staff", metavar="FILE", help="人手和工时（YAML）；没写的由流程推定")
    ] = None,
    limit: Annotated[
        list[str] | None,
        typer.Option(
            "--limit",
            metavar="时限=多长",
            help='如果：handle="3 workdays"，可写多次；只改没有条件的那一条，handle:2="1 workday" 改第 2 条',
        ),
    ] = None,
    staff_change: Annotated[
        list[str] | None, typer.Option("--staff-change", metavar="单位=±N", help="如果：某单位增减几人，可写多次")
    ] = None,
    against: Annotated[
        str | None, typer.Option("--against", metavar="NAME@V|FILE", help="如果：改用另一个流程")
    ] = None,
    days: Annotated[int, typer.Option("--days", help="模拟多少天")] = 365,
    seeds: Annotated[
        int | None, typer.Option("--seeds", help="用几个随机种子，给出低–高范围；默认 2 至 5 个，件数越多越少")
    ] = None,
    start: Annotated[
        str | None, typer.Option("--start", metavar="DATE", help="从哪天开始；默认最近一个已公布放假安排的年份的元旦")
    ] = None,
    *,
    default_staff: Annotated[
        bool, typer.Option("--default-staff", help="只输出推定的人手文件，改好后用 --staff 传回")
    ] = False,
    data: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Simulate a year under a workflow."""
    try:
        workflow = _workflow(which, data)
        arrivals = completed(_load(load, Rules(workflow)), workflow, per_day)
        scene = _scene(workflow, arrivals, staff, _first(start), days)
        if default_staff:
            typer.echo(staff_text(scene), nl=False)
            return
        other = _workflow(against, data) if against is not None else None
        asked = asked_of(scene, other, limit or (), staff_changes(staff_change or ()))
        _answer(asked, seeds if seeds is not None else usual_seeds(scene), as_json=as_json)
    except BadSimulation as error:
        raise Refused(str(error)) from None


def _answer(asked: WhatIf, seeds: int, *, as_json: bool) -> None:
    found = answered(asked, seeds)
    scene, after = asked.scene, found.after
    if as_json:
        given = {
            "days": scene.days,
            "start": scene.first,
            "per_day": scene.load.per_day,
            "mix": mix(scene),
            "assumptions": found.said,
        }
        print_json({**given, "changes": asked.made, "seconds": found.seconds, "base": found.before, "what_if": after})
        return
    _print(scene, found.before)
    if asked.other and after:
        _print(asked.other, after, "如果：", f"如果{asked.changes}：")
        print_table(f"对比：如果{asked.changes}", ("", "现在", "如果", "相差"), compared(found.before, after))
    out.print("说明", style="bold")
    for note in found.said:
        out.print(f"· {note}", markup=False)
    err.print(f"{2 if asked.other else 1} 种情形各 {seeds} 个种子，用时 {found.seconds} 秒", style="green")


def _print(scene: Scene, figures: Figure, what: str = "", heading: str = "") -> None:
    workflow = scene.rules.workflow
    last = date.fromordinal(scene.first.toordinal() + scene.days - 1)
    print_table(
        f"{heading}{workflow.id} {workflow.title}，{scene.first} 至 {last}",
        ("", "平均", "低–高"),
        whole_rows(workflow, figures),
    )
    print_table(f"{what}各单位（用时以工作日计）", UNITS, unit_rows(figures))
    print_table(f"{what}各时限和各级督办（次数为每个种子的平均）", RUNGS, rung_rows(figures))


def _workflow(which: str, data: Path | None) -> Workflow:
    text, name = text_of(which, data)
    return load_workflow(text, name)


def _first(start: str | None) -> date:
    if start is None:
        return usual_start()
    try:
        return datetime.strptime(start, "%Y-%m-%d").replace(tzinfo=UTC).date()
    except ValueError:
        raise BadSimulation(f"--start 要写成 2026-01-01 的样子，不能是“{start[:20]}”") from None


def _load(file: Path | None, rules: Rules) -> Load:
    if file is None:
        return Load()
    if file.suffix.lower() in _YAML:
        return read_load(file.read_bytes(), str(file))
    with table(file, NAMES) as (header, rows):
        return load_of_rows(header, rows, str(file), rules)


def _scene(workflow: Workflow, arrivals: Load, file: Path | None, first: date, days: int) -> Scene:
    staff = Staff()
    if file is not None:
        staff = read_staff(file.read_bytes(), str(file), workflow, Places(workflow, arrivals.streets))
    return scene_of(workflow, arrivals, staff, first, days)

"""`wuye-loop check` and `wuye-loop draw`: a city's rules, proved and drawn."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from wuye_loop.cli.database import AsJson, DataDir, opened, settings_for
from wuye_loop.cli.words import Refused, err, print_json
from wuye_loop.domain.checker import Finding, check, load
from wuye_loop.domain.directory import Directory
from wuye_loop.domain.drawing import mermaid
from wuye_loop.domain.drawing_svg import svg
from wuye_loop.store import workflows
from wuye_loop.store.directory import read_directory


def check_files(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="流程文件（YAML）")],
    *,
    units: Annotated[bool, typer.Option("--units", help="同时核对单位和职责都在本安装的目录里")] = False,
    data: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """检查流程文件：每处问题一行 “文件:行:列: 说明”；有错误时退出码为 1。 / prove workflow files."""
    known = _directory(data) if units else None
    findings: list[Finding] = []
    for file in files:
        findings += check(file.read_bytes(), str(file), known)[1]
    if as_json:
        print_json([asdict(finding) for finding in findings])
    else:
        for finding in findings:
            typer.echo(finding if finding.severity == "error" else f"{finding}（提醒）")
    wrong = sum(finding.severity == "error" for finding in findings)
    if wrong:
        err.print(f"{wrong} 处错误", style="red")
        raise typer.Exit(1)
    err.print(f"{len(files)} 个文件没有错误", style="green")


def draw(
    which: Annotated[str, typer.Argument(metavar="NAME@V|FILE", help="已发布或随程序附带的流程，或一个文件")],
    *,
    as_svg: Annotated[bool, typer.Option("--svg", help="输出 SVG 图，默认是 Mermaid 文本")] = False,
    data: DataDir = None,
) -> None:
    """画出流程图。 / draw a workflow."""
    text, name = _text_of(which, data)
    workflow = load(text, name)
    typer.echo(svg(workflow) if as_svg else mermaid(workflow))


def _directory(data: Path | None) -> Directory:
    with opened(data) as database, database.read() as session:
        return read_directory(session)


def _text_of(which: str, data: Path | None) -> tuple[str | bytes, str]:
    """Find a file by its path, else among the folders of workflows, else among those published."""
    if Path(which).is_file():
        return Path(which).read_bytes(), which
    if "@" not in which or "/" in which:
        raise Refused(f"没有文件 {which}；流程写成 名称@版本，如 kuiwen@1")
    for folder in settings_for(data).workflows:
        for suffix in (".yaml", ".yml"):
            if (file := folder / f"{which}{suffix}").is_file():
                return file.read_bytes(), str(file)
    with opened(data) as database, database.read() as session:
        published = workflows.published(session)
    if which not in published:
        known = "、".join(published)
        raise Refused(f"没有流程 {which}" + (f"；已发布：{known}" if known else "；还没有发布过流程"))
    return published[which], f"{which}.yaml"

"""`wuye-loop check`: a city's rules, proved; and how a command finds a workflow."""

import re
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from wuye_loop.authoring.checker.check import Finding, check, parse
from wuye_loop.cli.database import AsJson, DataDir, opened, settings_for
from wuye_loop.cli.output import Refused, err, print_json
from wuye_loop.domain.language.workflow import Workflow
from wuye_loop.domain.rulefile.extends import EXTENDS, Bases, Extended, bundle, read_whole
from wuye_loop.settings import shipped
from wuye_loop.store.workflows.files import bases, find, text_in

if TYPE_CHECKING:
    from wuye_loop.authoring.assessment.check import Workflows
    from wuye_loop.domain.directory.directory import Directory

_SCHEME: Final = re.compile(rb"(?m)^kind: *[\"']?assessment[\"']? *(?:#.*)?$")


def check_files(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="流程文件（YAML）")],
    *,
    units: Annotated[bool, typer.Option("--units", help="同时核对单位和职责都在本安装的目录里")] = False,
    resolved: Annotated[bool, typer.Option("--resolved", help="输出与底本（extends）合并后的完整定义")] = False,
    sources: Annotated[
        bool, typer.Option("--sources", help="逐条列出规则的出处，和它写在本文件还是底本；没有写出处的在前")
    ] = False,
    data: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Prove workflow files; exit code 1 with an error in any."""
    _refuse_mixed(files, resolved=resolved, sources=sources, as_json=as_json)
    known = _directory(data) if units else None
    findings: list[Finding] = []
    notes: list[Finding] = []
    for file in files:
        text = text_in(file)
        if says_scheme(text):
            from wuye_loop.authoring.assessment.check import check_scheme  # noqa: PLC0415 a tenth of a second that a workflow does without

            findings += check_scheme(text, str(file), bases_of(file, data), workflows_for(file, data), known)[1]
            continue
        workflow, found = check(text, str(file), known, bases_of(file, data))
        findings += found
        notes += _lost(file, workflow, data) if workflow is not None else []
    proved = not any(finding.severity == "error" for finding in findings)
    if resolved and proved:
        typer.echo(_resolved(files[0], data), nl=False)
    elif sources and proved:
        _print_sources(files[0], data, as_json=as_json)
    elif as_json:
        print_json([asdict(finding) for finding in (*findings, *notes)])
    else:
        for finding in findings:
            typer.echo(finding if finding.severity == "error" else f"{finding}（提醒）")
    for note in () if as_json else notes:  # what a city means as often as not: said beside the findings, not among them
        err.print(f"{note}（提醒）", style="yellow", markup=False)
    wrong = sum(finding.severity == "error" for finding in findings)
    if wrong:
        err.print(f"{wrong} 处错误", style="red")
        raise typer.Exit(1)
    err.print(f"{len(files)} 个文件没有错误", style="green")


def _refuse_mixed(files: list[Path], *, resolved: bool, sources: bool, as_json: bool) -> None:
    if resolved and (as_json or len(files) != 1):
        raise typer.BadParameter("--resolved 一次只写一个文件，不能与 --json 同用")
    if sources and (resolved or len(files) != 1):
        raise typer.BadParameter("--sources 一次只看一个文件，不能与 --resolved 同用")


def _directory(data: Path | None) -> "Directory":
    from wuye_loop.store.directory.read import read_directory  # noqa: PLC0415 a file alone is checked without a database

    with opened(data) as database, database.read() as session:
        return read_directory(session)


def _published(data: Path | None) -> Mapping[str, str]:
    from wuye_loop.store.workflows import versions  # noqa: PLC0415 as above

    with opened(data) as database, database.read() as session:
        return versions.published(session)


def _published_here(data: Path | None) -> Mapping[str, str]:
    """Return what is published, where there is an installation to ask."""
    settings = settings_for(data)
    return {} if settings.database_url is None and not settings.data.is_dir() else _published(data)


def _resolved(file: Path, data: Path | None) -> str:
    from wuye_loop.authoring.writer import as_yaml  # noqa: PLC0415 as above

    whole = read_whole(text_in(file), str(file), bases_of(file, data))
    if not isinstance(whole, Extended) or not isinstance(whole.data, dict):
        return as_yaml(whole.data)
    rest = {key: value for key, value in whole.data.items() if key != EXTENDS}
    return f"# {file.name} 与底本 {whole.data[EXTENDS]} 合并而成\n{as_yaml(rest)}"


def _lost(file: Path, workflow: Workflow, data: Path | None) -> list[Finding]:
    """Return a note for each list of the city's that leaves out what its base has."""
    from wuye_loop.authoring.diff.lost_of_base import lost  # noqa: PLC0415 as above

    whole = read_whole(text_in(file), str(file), bases_of(file, data))
    return lost(whole, workflow) if isinstance(whole, Extended) else []


def _print_sources(file: Path, data: Path | None, *, as_json: bool) -> None:
    from wuye_loop.authoring.provenance import provenance  # noqa: PLC0415 as above

    whole = read_whole(text_in(file), str(file), bases_of(file, data))
    rules = provenance(whole, Workflow.model_validate(whole.data))
    if as_json:
        print_json([asdict(rule) for rule in rules])
        return
    for rule in rules:
        typer.echo(rule)
    silent = sum(rule.source is None for rule in rules)
    err.print(f"{len(rules)} 条规则，{silent} 条没有写出处", style="yellow" if silent else "green")


def bases_of(file: Path, data: Path | None) -> Bases:
    """Return how the base of a file is found; an installation is only asked if there is one."""
    return bases(file, settings_for(data).workflows, lambda: _published_here(data))


def says_scheme(text: str | bytes) -> bool:
    """Say whether a file calls itself a scheme of assessment."""
    raw = text.encode(errors="replace") if isinstance(text, str) else text
    return _SCHEME.search(raw) is not None


def workflows_for(file: Path, data: Path | None) -> "Workflows":
    """Return how the workflow that a scheme names is found: above its own folder, in the folders, shipped, published."""

    def found(name: str) -> Workflow | None:
        near = find(name, (file.parent.parent, *settings_for(data).workflows, shipped("workflows")))
        if near is not None:
            return parse(bundle(text_in(near), str(near), bases_of(near, data)), str(near))
        published = _published_here(data)
        return parse(published[name], f"{name}.yaml") if name in published else None

    return found


def text_of(which: str, data: Path | None) -> tuple[str, str]:
    """Find a file by its path, else a version among those published, else among the folders: its text, and its name.

    The text is whole: the base that it extends is behind it. What is published is what grievances run under: a file of
    the same name that differs is told of, and not used. Raises Refused, or YamlDocError for what cannot be read.
    """
    if Path(which).is_file():
        return _whole(Path(which), data)
    if "@" not in which or "/" in which:
        raise Refused(f"没有文件 {which}；流程写成 名称@版本，如 kuiwen@1")
    file = find(which, settings_for(data).workflows)
    published = _published_here(data)
    if which in published:
        if file is not None:
            _tell_apart(which, published[which], *_whole(file, data))
        return published[which], f"{which}.yaml"
    if file is not None:
        return _whole(file, data)
    known = "、".join(published)
    raise Refused(f"没有流程 {which}" + (f"；已发布：{known}" if known else "；还没有发布过流程"))


def _whole(file: Path, data: Path | None) -> tuple[str, str]:
    return bundle(text_in(file), str(file), bases_of(file, data)), str(file)


def _tell_apart(which: str, published: str, text: str, file: str) -> None:
    from wuye_loop.store.workflows.versions import digest_of  # noqa: PLC0415 as above

    if text != published:
        then, now = digest_of(published), digest_of(text)
        words = f"{file} 与已发布的 {which} 不同（已发布的 sha256 是 {then}，文件是 {now}）：这里用已发布的"
        err.print(words, style="yellow", markup=False, soft_wrap=True)

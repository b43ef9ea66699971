"""`wuye-loop diff`: what a new version of the rules changes, and for whom, in words."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from wuye_loop.authoring.assessment.check import load_scheme
from wuye_loop.authoring.assessment.compare import scheme_differences
from wuye_loop.authoring.checker.check import load
from wuye_loop.authoring.diff.compare import Change, differences, grouped
from wuye_loop.cli.check import bases_of, says_scheme, text_of
from wuye_loop.cli.database import AsJson, DataDir
from wuye_loop.cli.output import print_json
from wuye_loop.domain.language.workflow import Workflow
from wuye_loop.domain.rulefile.definition import parse
from wuye_loop.store.workflows.files import text_in

_WHICH = "已发布或随程序附带的流程，或一个文件"


def diff(
    a: Annotated[str, typer.Argument(metavar="A", help=f"旧版：NAME@V 或 FILE，{_WHICH}")],
    b: Annotated[str, typer.Argument(metavar="B", help="新版，写法相同")],
    *,
    exit_code: Annotated[bool, typer.Option("--exit-code", help="有不同时退出码为 1")] = False,
    data: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Say what changes for whom between two versions."""
    if all(Path(which).is_file() and says_scheme(text_in(Path(which))) for which in (a, b)):
        _schemes(a, b, data, exit_code=exit_code, as_json=as_json)
        return
    old, new = _read(a, data), _read(b, data)
    changes = differences(old, new)
    if as_json:
        print_json([asdict(change) for change in changes])
    else:
        _show(f"{old.id} → {new.id}", changes)
    if exit_code and changes:
        raise typer.Exit(1)


def _schemes(a: str, b: str, data: Path | None, *, exit_code: bool, as_json: bool) -> None:
    old, new = (load_scheme(text_in(Path(which)), which, bases_of(Path(which), data)) for which in (a, b))
    changes = scheme_differences(old, new)
    if as_json:
        print_json([asdict(change) for change in changes])
    else:
        typer.echo(f"{old.id} → {new.id}：{f'{len(changes)} 处不同' if changes else '没有不同'}")
        for change in changes:
            typer.echo(f"  - {change.words}")
    if exit_code and changes:
        raise typer.Exit(1)


def _read(which: str, data: Path | None) -> Workflow:
    """Read one side: a file is proved first, what is published was proved then.

    Raises DefinitionError with the findings.
    """
    text, name = text_of(which, data)
    return load(text, name) if Path(which).is_file() else parse(text, name)


def _show(title: str, changes: Sequence[Change]) -> None:
    if not changes:
        typer.echo(f"{title}：没有不同")
        return
    typer.echo(f"{title}：{len({change.words for change in changes})} 处不同")
    for who, found in grouped(changes).items():
        typer.echo(f"\n{who}")
        for change in found:
            typer.echo(f"  - {change.words}")

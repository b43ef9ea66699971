"""`wuye-loop directory`: who there is and where."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from wuye_loop.cli.check import text_of
from wuye_loop.cli.database import AsJson, DataDir, opened, settings_for
from wuye_loop.cli.output import Refused, group, print_json, print_table
from wuye_loop.demo.district import district
from wuye_loop.domain.directory.document import BadDirectory
from wuye_loop.domain.rulefile import reader
from wuye_loop.domain.rulefile.definition import parse
from wuye_loop.domain.sheets import encoding
from wuye_loop.domain.sheets.limits import BadSheet
from wuye_loop.queries.directory import lines_of, roles_of, tree_of
from wuye_loop.store.directory.load import Counts, load_directory
from wuye_loop.store.directory.read import read_directory, read_estates

commands = group()
_TITLES = {"areas": "属地", "units": "单位", "estates": "小区", "people": "人员"}


@commands.command("load")
def load(
    file: Annotated[Path | None, typer.Argument(metavar="[FILE]", help="YAML 或 JSON 目录文件")] = None,
    *,
    demo: Annotated[bool, typer.Option("--demo", help="装入演示用的虚构城区")] = False,
    data: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """装入目录：同编码的整条替换，不删除；停用单位写 active: false。 / load a directory."""
    if (file is None) != demo:
        raise typer.BadParameter("写一个文件，或者写 --demo，二者择一")
    document = read_file(file) if file is not None else district()
    with opened(data) as database, database.begin() as session:
        counts = load_directory(session, document)
    if as_json:
        print_json(asdict(counts))
    else:
        _show(counts)


@commands.command("show")
def show(
    area: Annotated[str | None, typer.Option("--area", metavar="编码", help="只看这个属地和它的下级")] = None,
    which: Annotated[
        str | None,
        typer.Option("--workflow", metavar="NAME@V|FILE", help="按哪个流程说各单位可任的角色；默认是默认流程"),
    ] = None,
    *,
    data: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """目录一览：属地、单位、职责、小区，和每个单位在流程里可任的角色。 / the directory as a tree."""
    settings = settings_for(data)
    text, file = text_of(which or settings.default_workflow, data)
    workflow = parse(text, file)
    with opened(data) as database, database.read() as session:
        directory, estates = read_directory(session), read_estates(session)
    if area is not None and area not in directory.areas:
        raise Refused(f"没有属地 {area}")
    tree = tree_of(directory, estates, roles_of(workflow, directory, estates), area)
    if as_json:
        print_json({"workflow": workflow.id, "areas": tree})
        return
    for line in lines_of(tree):
        typer.echo(line)


def read_file(path: Path) -> Any:
    """Return the plain data of a YAML file, or of a JSON file by its suffix.

    Raises BadDirectory or YamlDocError in words, with line and column.
    """
    raw = path.read_bytes()
    if path.suffix.lower() != ".json":
        if len(raw) > reader.MAX_BYTES:
            raise BadDirectory([f"{path}：YAML 目录最多 {reader.MAX_BYTES // 1024} KiB，更大的请写成 JSON"])
        return reader.read(_decoded(raw, path), str(path)).data
    try:
        return json.loads(_decoded(raw, path), object_pairs_hook=_without_duplicates)
    except json.JSONDecodeError as error:
        raise BadDirectory([f"{path}:{error.lineno}:{error.colno}: 不是合法的 JSON"]) from None
    except RecursionError:
        raise BadDirectory([f"{path}：JSON 嵌套过深"]) from None


def _decoded(raw: bytes, path: Path) -> str:
    """Return the text of a file: UTF-8, or what Chinese systems save in; never mojibake."""
    try:
        return encoding.decoded(raw).removeprefix("\ufeff")
    except BadSheet as error:
        raise BadDirectory([f"{path}：{error}"]) from None


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise BadDirectory([f"JSON 对象中键“{twice[:40]}”重复"])
    return members


def _show(counts: Counts) -> None:
    rows = []
    for name, title in _TITLES.items():
        change = getattr(counts, name)
        rows.append((title, change.added, change.changed, change.same))
    print_table("目录已装入", ("", "新增", "改动", "未变"), rows)
    if counts.grievances:
        typer.echo(f"{counts.grievances} 件在办诉求随属地一并调整")

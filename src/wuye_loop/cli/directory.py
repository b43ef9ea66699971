"""`wuye-loop directory`: who there is and where."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from wuye_loop.cli.database import AsJson, DataDir, opened
from wuye_loop.cli.output import group, print_json, print_table
from wuye_loop.demo.district import district
from wuye_loop.domain.directory.document import BadDirectory
from wuye_loop.domain.rulefile import reader
from wuye_loop.domain.sheets import encoding
from wuye_loop.domain.sheets.limits import BadSheet
from wuye_loop.store.directory.load import Counts, load_directory

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

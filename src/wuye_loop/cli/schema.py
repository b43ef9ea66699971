"""`wuye-loop schema`: what editors need to help with a workflow file."""

import orjson
import typer

from wuye_loop.authoring.schema import json_schema


def schema() -> None:
    """输出流程文件的 JSON Schema，供编辑器提示和校验。 / the JSON Schema of workflow files, for editors."""
    typer.echo(orjson.dumps(json_schema(), option=orjson.OPT_INDENT_2).decode())

"""`wuye-loop schema`: what editors need to help with a workflow file."""

import orjson
import typer

from wuye_loop.authoring.schema import json_schema


def schema() -> None:
    """Print the JSON Schema of workflow files."""
    typer.echo(orjson.dumps(json_schema(), option=orjson.OPT_INDENT_2).decode())

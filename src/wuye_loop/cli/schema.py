"""`wuye-loop schema`: what editors need to help with a workflow file, or with a scheme of assessment."""

from typing import Annotated

import orjson
import typer

from wuye_loop.authoring.assessment.schema import scheme_schema
from wuye_loop.authoring.schema import json_schema


def schema(
    *, assessment: Annotated[bool, typer.Option("--assessment", help="考核办法的，而不是流程的")] = False
) -> None:
    """Print the JSON Schema of workflow files, or of schemes."""
    found = scheme_schema() if assessment else json_schema()
    typer.echo(orjson.dumps(found, option=orjson.OPT_INDENT_2).decode())

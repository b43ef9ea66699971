"""The JSON Schema of schemes, for editors: made from the models, widened for short forms and for a file that extends."""

from typing import Any, Final

from wuye_loop.authoring.schema import extend_schema, take_short_forms
from wuye_loop.domain.assessment.scheme import Scheme

_OWN: Final = ("kind", "name", "version", "title")


def scheme_schema() -> dict[str, Any]:
    """Return the schema (draft 2020-12) of a whole scheme; every sound file is valid."""
    schema = Scheme.model_json_schema(by_alias=True, mode="validation")
    definitions: dict[str, Any] = schema["$defs"]
    grade = definitions["Grade"]["properties"]
    grade["bad"] = {"anyOf": [{"type": "integer", "minimum": 0}, grade["bad"]]}
    grades = definitions["CreditSpec"]["properties"]["grades"]
    ways = grades["additionalProperties"]
    grades["additionalProperties"] = {"anyOf": [ways, ways["items"]]}
    take_short_forms(schema)
    extend_schema(schema, _OWN)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "wuye-loop assessment",
        "description": "一个考核办法；写法见 docs/assessment.md",
        **{key: value for key, value in schema.items() if key not in ("title", "description")},
    }

"""The contract for programs (OpenAPI): what the doors say of themselves, and what every door has in common."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from wuye_loop.api.examples import problems
from wuye_loop.edge import problems as problem_documents
from wuye_loop.edge.actors import SCHEME

# Any request may be malformed, slow, too long or too often; a door for callers may also find no key, one that keeps keys and
# reads nothing, or no database.
_EVERYWHERE = (400, 408, 414, 422, 429, 431)
_WITH_KEY = (401, 403, 503)
_WITH_BODY = (413, 415)
_RETRY = {"description": "几秒后可以重试", "schema": {"type": "integer", "minimum": 1}, "required": True}
_NO_NUL = r"^[^\u0000]*$"


def contract(app: FastAPI) -> dict[str, Any]:
    """Return the contract of an application, made once."""
    if app.openapi_schema is None:
        schema = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
        components = schema.setdefault("components", {})
        components.setdefault("schemas", {})["Problem"] = problem_documents.SCHEMA
        for left in ("HTTPValidationError", "ValidationError"):
            components["schemas"].pop(left, None)  # ours are problem documents
        components["securitySchemes"] = SCHEME
        for path, doors in schema["paths"].items():
            for door in doors.values():
                _complete(door, known=path.startswith("/v1/"))
        app.openapi_schema = schema
    return app.openapi_schema


def _complete(door: dict[str, Any], *, known: bool) -> None:
    """Add to a door what holds for all."""
    statuses = [*_EVERYWHERE, *(_WITH_KEY if known else ()), *(_WITH_BODY if "requestBody" in door else ())]
    said = door["responses"]
    for status, answer in problems(*statuses).items():
        if "application/problem+json" not in said.get(str(status), {}).get("content", {}):
            said[str(status)] = answer
    for status in ("429", "503"):
        if status in said:
            said[status] = {**said[status], "headers": {"Retry-After": _RETRY}}
    door["responses"] = dict(sorted(said.items()))
    if known:
        door["security"] = [{name: []} for name in SCHEME]
    for one in door.get("parameters", []):
        if one["in"] == "query":
            _without_nul(one["schema"])


def _without_nul(schema: dict[str, Any]) -> None:
    """Say of a text that no NUL is taken in it, where nothing narrower is said."""
    for one in (schema, *schema.get("anyOf", ())):
        if one.get("type") == "string" and not {"pattern", "format", "enum"} & one.keys():
            one["pattern"] = _NO_NUL

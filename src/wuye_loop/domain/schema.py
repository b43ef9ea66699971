"""The JSON Schema of workflow files, for editors: made from the models, widened where the language allows a short form."""

from typing import Any

from wuye_loop.domain.effects import effect_params
from wuye_loop.domain.forms import FIELD_TYPES, FieldSpec
from wuye_loop.domain.routing import router_params
from wuye_loop.domain.schema_extending import extend_schema
from wuye_loop.domain.workflow import Workflow

Schema = dict[str, Any]

_SPAN: Schema = {
    "type": "string",
    "pattern": r"^\s*[+-]?[0-9]{1,5} +(minute|hour|day|workhour|workday|month)s?\s*$",
    "description": "一段时间，如 5 workdays、-1 workday、30 minutes",
}
_NAMES: Schema = {
    "anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}],
    "description": "一个名字，或名字的列表",
}
_ONE_OR_MANY = ("limit", "effect")


def json_schema() -> Schema:
    """Return the schema (draft 2020-12) of a whole definition; every sound file is valid, and editors find most slips."""
    schema = Workflow.model_json_schema(by_alias=True, mode="validation")
    definitions: Schema = schema["$defs"]
    definitions["Span"] = _SPAN
    del definitions["TimeUnit"]
    definitions["FieldSpec"] = _field(definitions["FieldSpec"])
    definitions["EffectCall"] = _effect(definitions)
    definitions["RouterCall"] = _router(definitions)
    definitions["Times"] = {"anyOf": [{"type": "integer", "minimum": 1, "maximum": 1000}, definitions["Times"]]}
    _widen(schema)
    extend_schema(schema, ("name", "version", "title"))
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "wuye-loop workflow",
        "description": "一个城市的办理规则；写法见 docs/workflows.md",
        **{key: value for key, value in schema.items() if key not in ("title", "description")},
    }


def _widen(node: Any) -> None:
    """Make the models' schemas say what the language reads: short lists, closed maps of names, spans as text."""
    if isinstance(node, list):
        for item in node:
            _widen(item)
    if not isinstance(node, dict):
        return
    for inner in node.values():
        _widen(inner)
    if "patternProperties" in node:
        node["additionalProperties"] = False
    properties = node.get("properties")
    if node.get("type") == "object" and isinstance(properties, dict):
        for name, part in properties.items():
            properties[name] = _short(name, part)


def _short(name: str, part: Schema) -> Schema:
    """Let a list of names, of limits or of effects be written as its one item; defaults in objects are the model's own."""
    part = {key: value for key, value in part.items() if key != "default" or not isinstance(value, dict)}
    if part.get("type") != "array" or "prefixItems" in part:
        return part
    if part["items"] == {"type": "string"}:
        return _NAMES
    return {"anyOf": [part, part["items"]]} if name in _ONE_OR_MANY else part


def _field(strict: Schema) -> Schema:
    """Return a field's schema: a type's name, a mapping with the type as its key, or everything by name."""
    names = [name + mark for name in FIELD_TYPES for mark in ("", "?")]
    rest = {name: part for name, part in strict["properties"].items() if name != "type"}
    inner: Schema = {
        "anyOf": [
            {"type": "null"},
            {"type": "array"},
            {"type": "object", "properties": rest, "additionalProperties": False},
        ]
    }
    short: Schema = {
        "type": "object",
        "properties": {**rest, **dict.fromkeys(names, inner)},
        "additionalProperties": False,
        "oneOf": [{"required": [name]} for name in names],
    }
    return {
        "description": FieldSpec.__doc__,
        "anyOf": [{"enum": names}, short, {key: value for key, value in strict.items() if key != "description"}],
    }


def _effect(definitions: Schema) -> Schema:
    """Return an effect's schema: a bare name, or one name with its parameters."""
    calls: list[Schema] = []
    bare: list[str] = []
    for name, model in effect_params().items():
        params = _lifted(model.model_json_schema(), definitions)
        if not params.get("required") and not params.get("additionalProperties"):
            bare.append(name)
        if list(params.get("properties", ())) == ["value"]:
            params = {"anyOf": [params["properties"]["value"], params]}
        calls.append(
            {"type": "object", "properties": {name: params}, "required": [name], "additionalProperties": False}
        )
    return {"description": "一个效果：名字，或 {名字: 参数}", "anyOf": [{"enum": bare}, *calls]}


def _router(definitions: Schema) -> Schema:
    """Return a router's schema: its kind decides which parameters it takes."""
    kinds = []
    for kind, model in router_params().items():
        params = _lifted(model.model_json_schema(by_alias=True), definitions)
        properties = {"kind": {"const": kind}, "title": {"type": "string"}, **params.get("properties", {})}
        required = ["kind", *params.get("required", ())]
        kinds.append({"type": "object", "properties": properties, "required": required, "additionalProperties": False})
    return {"description": "一种转办方式", "oneOf": kinds}


def _lifted(schema: Schema, definitions: Schema) -> Schema:
    """Move a model's own definitions to the whole's; what both have is the same."""
    for name, part in schema.pop("$defs", {}).items():
        definitions.setdefault(name, part)
    return schema

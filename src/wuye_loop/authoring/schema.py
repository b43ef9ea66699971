"""The JSON Schema of workflow files, for editors: made from the models, widened where the language allows a short form."""

from collections.abc import Sequence
from inspect import getdoc
from typing import Any, Final

from wuye_loop.domain.language.effects import effect_params
from wuye_loop.domain.language.forms import FIELD_TYPES, FieldSpec
from wuye_loop.domain.language.workflow import Workflow
from wuye_loop.domain.routing.chain import router_params
from wuye_loop.domain.rulefile.extends import EXTENDS, ONE_VALUE

# The schema of a file that extends another: any part may be left out, changed in part, or removed with null.

Schema = dict[str, Any]
_NULL: Final[Schema] = {"type": "null"}
_WHOLE: Final = frozenset({"FieldSpec", "Condition", "EffectCall", "RouterCall"})  # one value each, never in part


def extend_schema(schema: Schema, own: Sequence[str]) -> None:
    """Let the schema of a whole definition take one that extends another, which must itself say only what is `own`."""
    definitions: Schema = schema["$defs"]
    definitions["Whole"] = {
        "required": schema.pop("required"),
        "properties": dict(schema["properties"]),
        "type": "object",
    }
    partly = _Partly(definitions)
    schema["properties"] = {
        name: part if name in (*own, EXTENDS) else partly.of(name, part) for name, part in schema["properties"].items()
    }
    schema["if"] = {"required": [EXTENDS]}
    schema["then"] = {"required": list(own)}
    schema["else"] = {"$ref": "#/$defs/Whole"}


class _Partly:
    """Makes, beside each definition of a mapping, one of the same mapping in part."""

    def __init__(self, definitions: Schema) -> None:
        self._definitions = definitions

    def of(self, name: str, part: Schema) -> Schema:
        """Return the schema of a key's value, or of the part of it that is written, or of null."""
        return {"anyOf": [part if name in ONE_VALUE else self._part(part), _NULL]}

    def _part(self, part: Schema) -> Schema:
        if "anyOf" in part:
            return {**part, "anyOf": [self._part(one) for one in part["anyOf"]]}
        if "$ref" in part:
            return {**part, "$ref": self._named(part["$ref"])}
        part = dict(part)
        for key in ("patternProperties", "properties"):
            if key in part:
                part[key] = {name: self.of(name if key == "properties" else "", one) for name, one in part[key].items()}
        if isinstance(part.get("additionalProperties"), dict):
            part["additionalProperties"] = self.of("", part["additionalProperties"])
        part.pop("required", None)
        return part

    def _named(self, reference: str) -> str:
        name = reference.rpartition("/")[2]
        whole = self._definitions[name]
        if name in _WHOLE or whole.get("type") != "object" or "properties" not in whole:
            return reference
        if f"{name}Part" not in self._definitions:
            self._definitions[f"{name}Part"] = {}  # a definition may come back to itself
            self._definitions[f"{name}Part"] = self._part(whole)
        return f"{reference}Part"


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


def take_short_forms(schema: Schema) -> None:
    """Let a schema take what the language reads beside the whole forms: spans as text, a list of one without brackets."""
    definitions: Schema = schema["$defs"]
    definitions["Span"] = _SPAN
    definitions.pop("TimeUnit", None)
    _widen(schema)


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
        "description": getdoc(FieldSpec),  # the compiler of 3.13 takes indents away, those before it do not
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

"""The schema of a file that extends another: any part may be left out, changed in part, or removed with null."""

from collections.abc import Sequence
from typing import Any, Final

from wuye_loop.domain.extending import EXTENDS, ONE_VALUE

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

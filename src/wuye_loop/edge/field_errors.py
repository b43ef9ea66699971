"""What is wrong with each field of an input, in Chinese, from pydantic's errors and without a piece of that input."""

from collections.abc import Container, Iterator, Mapping, Sequence
from typing import Any

from fastapi import FastAPI

from wuye_loop.domain.errors import BadValue

MAX_FINDINGS = 20

# pydantic's error types. In braces: bounds that come from the schema, never from the input.
_WORDS = {
    "missing": "缺少此项",
    "extra_forbidden": "含有未知字段",
    "string_type": "应为文本",
    "string_too_short": "过短，至少 {min_length} 个字",
    "string_too_long": "过长，最多 {max_length} 个字",
    "string_pattern_mismatch": "格式不符",
    "string_unicode": "含有无法识别的字符",
    "int_type": "应为整数",
    "int_parsing": "应为整数",
    "int_parsing_size": "数值超出范围",
    "int_from_float": "应为整数",
    "float_type": "应为数值",
    "float_parsing": "应为数值",
    "finite_number": "应为有限的数值",
    "decimal_type": "应为数值",
    "decimal_parsing": "应为数值",
    "bool_type": "应为 true 或 false",
    "bool_parsing": "应为 true 或 false",
    "greater_than": "应大于 {gt}",
    "greater_than_equal": "应不小于 {ge}",
    "less_than": "应小于 {lt}",
    "less_than_equal": "应不大于 {le}",
    "multiple_of": "应为 {multiple_of} 的倍数",
    "too_short": "项数过少，至少 {min_length} 项",
    "too_long": "项数过多，最多 {max_length} 项",
    "literal_error": "应为下列之一：{expected}",
    "enum": "应为下列之一：{expected}",
    "union_tag_not_found": "缺少类别，无法判断如何填写",
    "union_tag_invalid": "类别应为下列之一：{expected_tags}",
    "dict_type": "应为对象",
    "model_type": "应为对象",
    "model_attributes_type": "应为对象",
    "mapping_type": "应为对象",
    "list_type": "应为数组",
    "tuple_type": "应为数组",
    "set_type": "应为数组",
    "none_required": "应为空",
    "datetime_type": "应为日期时间（ISO 8601）",
    "datetime_parsing": "应为日期时间（ISO 8601）",
    "datetime_from_date_parsing": "应为日期时间（ISO 8601）",
    "datetime_object_invalid": "日期时间无效",
    "timezone_aware": "日期时间应带时区",
    "timezone_naive": "日期时间不应带时区",
    "date_type": "应为日期（YYYY-MM-DD）",
    "date_parsing": "应为日期（YYYY-MM-DD）",
    "date_from_datetime_parsing": "应为日期（YYYY-MM-DD）",
    "date_from_datetime_inexact": "应为日期（YYYY-MM-DD）",
    "date_past": "应为过去的日期",
    "date_future": "应为将来的日期",
    "datetime_past": "应为过去的时间",
    "datetime_future": "应为将来的时间",
    "time_parsing": "应为时间（HH:MM）",
    "time_delta_parsing": "应为时长（ISO 8601）",
    "uuid_type": "应为 UUID",
    "uuid_parsing": "应为 UUID",
    "url_parsing": "应为网址",
    "url_scheme": "网址的协议不被允许",
    "url_too_long": "网址过长，最多 {max_length} 个字",
    "bytes_type": "应为文本",
    "json_invalid": "不是有效的 JSON",
    "recursion_loop": "嵌套成环",
}
_OTHERWISE = "内容不符合要求"


class Names:
    """The names that an app's own schema makes public; any other name came from the caller and is not repeated."""

    def __init__(self, app: FastAPI) -> None:
        self._app = app
        self._known: frozenset[str] | None = None

    def __contains__(self, name: object) -> bool:
        """Say whether the schema, read once at the first mistake that somebody makes, has a field or parameter so named."""
        if self._known is None:
            self._known = frozenset(_names_in(self._app.openapi())) | {"body", "query", "path", "header", "cookie"}
        return name in self._known


def findings(errors: Sequence[Mapping[str, Any]], names: Container[str]) -> list[dict[str, str]]:
    """Return `{"path": "body.place.address", "problem": "..."}` for the first 20 of pydantic's errors.

    `names` are those that may be shown. A path ends at the last part that the schema knows; list places are shown.
    """
    return [{"path": _path(error.get("loc", ()), names), "problem": _problem(error)} for error in errors[:MAX_FINDINGS]]


def _path(parts: Sequence[str | int], names: Container[str]) -> str:
    return ".".join(str(part) for part in parts if isinstance(part, int) or part in names)


def _problem(error: Mapping[str, Any]) -> str:
    kind, context = error.get("type", ""), error.get("ctx") or {}
    if kind in ("value_error", "assertion_error"):
        # Only words that were written for the client; any other ValueError may quote what it was given.
        inner = context.get("error")
        return str(inner) if isinstance(inner, BadValue) else _OTHERWISE
    words = _WORDS.get(kind, _OTHERWISE)
    try:
        return words.format_map(context)
    except KeyError:  # an error of this type that somebody made without its bounds
        return _OTHERWISE


def _names_in(node: object) -> Iterator[str]:
    """Yield the names of fields and parameters anywhere in an OpenAPI document."""
    if isinstance(node, list):
        for one in node:
            yield from _names_in(one)
    elif isinstance(node, dict):
        properties = node.get("properties")
        if isinstance(properties, dict):
            yield from properties
        if isinstance(node.get("name"), str) and "in" in node:
            yield node["name"]
        for one in node.values():
            yield from _names_in(one)

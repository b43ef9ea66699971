"""Plain data written in the strict dialect of rule files: `read` gives back exactly what was written."""

import re
from typing import Any, Final

import orjson

from wuye_loop.domain.rulefile.scalars import plain

_WIDTH: Final = 110  # what fits a line is written on one
# Surely a plain scalar, also inside brackets: begins with a letter, a digit or an ideograph; no colon, comma, hash, bracket.
_PLAIN: Final = re.compile(r"[-+]?[\w一-鿿](?:[\w一-鿿 .@/()%+·、，。：；？！“”《》〔〕—–-]*[\w一-鿿)%”》〕。])?")


def as_yaml(data: object) -> str:
    """Return mappings, lists, texts, numbers, truth values and None as YAML: short parts on one line, keys in their order."""
    return "\n".join(_lines(data)) + "\n"


def _lines(data: object) -> list[str]:
    """Return a part as lines with no indent of their own."""
    if isinstance(data, dict) and data:
        lines: list[str] = []
        for key, value in data.items():
            lines += _entry(f"{_text(str(key))}:", value, "  ")
        return lines
    if isinstance(data, list) and data:
        lines = []
        for item in data:
            head, *rest = [_flow(item)] if _fits(item, 4) else _lines(item)
            lines += [f"- {head}", *(f"  {line}" for line in rest)]
        return lines
    return [_flow(data)]


def _entry(head: str, value: object, indent: str) -> list[str]:
    if not isinstance(value, dict | list) or not value or (_depth(value) < 3 and _fits(value, len(head))):  # noqa: PLR2004
        return [f"{head} {_flow(value)}"]
    return [head, *(f"{indent}{line}" for line in _lines(value))]


def _fits(value: object, taken: int) -> bool:
    return sum(1 + (not char.isascii()) for char in _flow(value)) + taken <= _WIDTH


def _depth(value: object) -> int:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return 1 + max(map(_depth, inner), default=0) if isinstance(value, dict | list) else 0


def _flow(value: Any) -> str:
    """Return a part on one line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_text(str(key))}: {_flow(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list):
        return f"[{', '.join(map(_flow, value))}]"
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, float):
        shown = repr(value)
        return f"{value:.17f}" if "e" in shown else shown
    return str(value) if isinstance(value, int) else _text(value)


def _text(value: str) -> str:
    """Return a text plain where it cannot be mistaken for anything else, else in double quotes, as JSON writes it."""
    if _PLAIN.fullmatch(value) and isinstance(plain(value), str):
        return value
    return orjson.dumps(value).decode().replace("\x7f", "\\u007f")

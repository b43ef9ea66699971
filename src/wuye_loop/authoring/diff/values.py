"""Values and keys of a definition as people read them: nothing of how they are kept may reach a reader."""

from collections.abc import Callable, Mapping, Sized
from enum import Enum
from typing import Any, Final

from pydantic import BaseModel

from wuye_loop.domain.language.conditions import Condition
from wuye_loop.domain.phrases import Phrase, joined, phrase, respelt
from wuye_loop.domain.time.spans import Span
from wuye_loop.domain.wording.definition import listed, quoted

#: Said where nothing is written: in another language as what is missing, not as what is not so.
NOTHING: Final = Phrase("无", "没有", {})
_LONGEST: Final = 80  # characters of a value: about a line

#: What people call the keys for which no sentence of its own is made.
_KEYS: Final = {
    "document": "随发的文书",
    "source": "出处",
    "text": "正文",
    "title": "标题",
    "at_most": "总上限",
    "effective_from": "施行日期",
    "future": "将来的时刻",
}


def called(key: str) -> str:
    """Return what people call a key, ready to follow a noun; one that has no other name is given as it stands."""
    if key == "document":
        return _KEYS[key]
    return phrase("的{keys}", keys=_KEYS[key]) if key in _KEYS else phrase("的 {key} ", key=key)


def shown(value: object) -> str:
    """Return a value in words, cut short."""
    if isinstance(value, bool):
        return "是" if value else "否"
    if value is None or value == "" or (isinstance(value, Sized) and not len(value)):
        return NOTHING
    return quoted(respelt(plain(value), _cut))


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def plain(value: object) -> str:
    """Return a value in words, in full."""
    said = next((words for kind, words in _SAID if isinstance(value, kind)), str)
    return said(value)


def _part(part: BaseModel) -> str:
    said = {info.alias or name: getattr(part, name) for name, info in type(part).model_fields.items()}
    return _mapping({name: value for name, value in said.items() if value not in (None, (), {})})


def _mapping(values: Mapping[object, object]) -> str:
    return joined((phrase("{key} 为 {value}", key=key, value=plain(value)) for key, value in values.items()), "，")


#: The first kind that a value is of says it.
_SAID: Final[tuple[tuple[Any, Callable[[Any], str]], ...]] = (
    (bool, lambda value: "是" if value else "否"),
    (type(None), lambda _: NOTHING),
    (Span, lambda span: span.chinese),
    (Condition, lambda condition: condition.describe()),
    (Enum, lambda member: str(member.value)),
    (str, lambda text: text),
    (BaseModel, _part),
    (Mapping, _mapping),
    (float, lambda value: f"{value:g}"),
    ((tuple, list, set, frozenset), lambda values: listed(map(plain, values))),
)

"""办理结果: what a grievance may end with, each with how long it is kept in the archive and from when."""

import re
from typing import Annotated, Final, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema

from wuye_loop.domain.language.parts import Names, Part
from wuye_loop.domain.phrases import phrase

#: The field of a form of the main flow whose answer, a choice, is the grievance's result, and where it is stored.
RESULT: Final = "result"
Begins = Literal["closing", "last_rating", "end_of_supervision"]
BEGINS: Final = {"closing": "办结", "last_rating": "最后一次评价", "end_of_supervision": "督办结束"}
FOREVER: Final = "forever"
_UNITS: Final = {"day": "天", "month": "个月", "year": "年"}
_WRITTEN: Final = re.compile(r"([1-9][0-9]{0,3}) +(day|month|year)s?")
_MOST: Final = {"day": 9999, "month": 1200, "year": 100}


def _term(raw: object) -> object:
    found = _WRITTEN.fullmatch(raw) if isinstance(raw, str) else None
    if found is None and raw != FOREVER:
        raise ValueError("要写保管多久，如 10 years、18 months、90 days；永久保管写 forever")
    if found is not None and int(found[1]) > _MOST[found[2]]:
        raise ValueError(f"保管期限最多 {_MOST[found[2]]} {_UNITS[found[2]]}；永久保管写 {FOREVER}")
    return raw


_SHAPE: Final = {"type": "string", "pattern": r"^(forever|[1-9][0-9]{0,3} +(day|month|year)s?)$"}
TermText = Annotated[str, BeforeValidator(_term), WithJsonSchema(_SHAPE)]


class ResultSpec(Part):
    """One result: how long what was said is kept (保管期限), from when, and which final states give it by themselves."""

    keep: TermText
    from_: Begins = Field(default="closing", alias="from")
    in_: Names = Field(default=(), alias="in")

    @property
    def term(self) -> tuple[int, int] | None:
        """Return the months and days that it is kept; None: for ever."""
        found = _WRITTEN.fullmatch(self.keep)
        if found is None:
            return None
        number = int(found[1])
        return {"year": (number * 12, 0), "month": (number, 0), "day": (0, number)}[found[2]]

    @property
    def chinese(self) -> str:
        """Return the term as people read it: 自办结保管 5 年."""
        found = _WRITTEN.fullmatch(self.keep)
        if found is None:
            return "永久保管"
        return phrase("自{begin}保管 {n} {unit}", begin=BEGINS[self.from_], n=found[1], unit=_UNITS[found[2]])


def is_result(name: str, type_: str) -> bool:
    """Say whether a field of a form of the main flow asks for the result."""
    return name == RESULT and type_ in ("choice", "scale")

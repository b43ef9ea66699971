"""A score as a form asks for it and says it: whom it is for, how much or item by item, and which flat speaks."""

from decimal import Decimal, InvalidOperation
from typing import Final

from starlette.datastructures import FormData

from wuye_loop.domain.errors import BadInput
from wuye_loop.loop.evaluate.scores import Said
from wuye_loop.queries.assessment.entering import Asked
from wuye_loop.web.fields import text_of

ITEM: Final = "item-"  # before the place of a checklist's item, in the name of its field
_LONGEST: Final = 60
_DIGITS: Final = 12


def score_of(one: Asked, form: FormData, subject: str) -> Said:
    """Return what a form says of a subject, named as `code|group`. Raises BadInput in words."""
    code, _, peer = subject.partition("|")
    if not any((each.code, each.peer) == (code, peer) for each in one.subjects):
        raise BadInput("请选给谁评分")
    checklist = {name: _number(text_of(form, f"{ITEM}{n}"), name) for n, name in enumerate(one.checklist)}
    score = None if checklist else _number(text_of(form, "score"), "评分")
    flat = text_of(form, "flat")
    if len(flat) > _LONGEST:
        raise BadInput("门牌写得太长")
    return Said(one.input, code, peer or None, score, checklist, flat or None)


def _number(text: str, name: str) -> Decimal:
    try:
        value = Decimal(text) if text.isascii() and 0 < len(text) <= _DIGITS else Decimal("NaN")
    except InvalidOperation:
        value = Decimal("NaN")
    if not value.is_finite() or value != round(value, 4):
        raise BadInput(f"{name}请填数字")
    return value

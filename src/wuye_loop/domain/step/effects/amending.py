"""更正来件: what the effect `correct` does: the order set right by what the form names, inside of a step."""

from collections.abc import Mapping
from typing import Any

from wuye_loop.domain.language.effects import CORRECTABLE
from wuye_loop.domain.privacy.words import Words
from wuye_loop.domain.step.builder import Builder
from wuye_loop.domain.step.correction import HIDDEN, Corrected, set_right
from wuye_loop.domain.step.effects.context import Context

_OF_A_PERSON = ("phone", "address")
_TEXTS = ("title", "body")


def correct(builder: Builder, context: Context, _: Mapping[str, Any]) -> None:
    """更正来件: what the form names is set right; the row keeps old and new, and where it would be routed."""
    made: Corrected = builder.world.correct(builder.world, builder.situation, context.answers)
    set_right(builder, made)
    builder.remarks |= {
        name: made.strike(str(value)) for name, value in context.answers.items() if isinstance(value, Words)
    }
    filled = [name for name in CORRECTABLE if context.answers.get(name)]
    builder.remarks |= {name: HIDDEN for name in filled if name in _OF_A_PERSON}
    builder.remarks |= {name: made.strike(str(context.answers[name])) for name in filled if name in _TEXTS}
    builder.remarks |= made.told

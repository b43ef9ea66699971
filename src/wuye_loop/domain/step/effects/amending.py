"""更正来件: what the effect `correct` does: the order set right by what the form names, inside of a step."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from wuye_loop.domain.grievance.situation import Situation
from wuye_loop.domain.language.effects import CORRECTABLE, OF_A_PERSON, OWN_WORDS
from wuye_loop.domain.privacy.words import Words
from wuye_loop.domain.step.arrival import Alarms
from wuye_loop.domain.step.builder import Builder
from wuye_loop.domain.step.effects.context import Context
from wuye_loop.domain.step.effects.documents import send

#: Fixed at intake: written anew by a correction only.
FIXED: Final = ("kind", "title", "body", "estate_code", "area_code", "area_path", "company_code")
#: What a row says of an identity that was set right.
HIDDEN: Final = "（身份信息，不写出）"
#: Under which name a row says that its routing is proposed and not done.
PROPOSAL: Final = "proposal"


@dataclass(frozen=True, slots=True)
class Corrected:
    """A grievance as it would have come in, on top of what has become of it; `base` has its old changing fields.

    `told` is what a row keeps of it: old and new; `strike` strikes out a text whoever is known by now.
    """

    base: Situation
    after: Situation
    alarms: Alarms
    told: Mapping[str, Any] = field(default_factory=dict)
    strike: Callable[[str], str] = str


def correct(builder: Builder, context: Context, _: Mapping[str, Any]) -> None:
    """更正来件: what the form names is set right; the row keeps old and new, and where it would be routed."""
    made: Corrected = builder.world.correct(builder.world, builder.situation, context.answers)
    set_right(builder, made)
    builder.remarks |= {
        name: made.strike(str(value)) for name, value in context.answers.items() if isinstance(value, Words)
    }
    filled = [name for name in CORRECTABLE if context.answers.get(name)]
    builder.remarks |= {name: HIDDEN for name in filled if name in OF_A_PERSON}
    builder.remarks |= {name: made.strike(str(context.answers[name])) for name in filled if name in OWN_WORDS}
    builder.remarks |= made.told


def set_right(builder: Builder, made: Corrected) -> None:
    """Let the grievance stand as it was set right, and send the alarms that its words raise now."""
    now = made.after.grievance
    builder.set(**{name: getattr(now, name) for name in (*FIXED, "category", "urgency", "flags", "data")})
    for instrument, to in made.alarms:
        send(builder, instrument, to)

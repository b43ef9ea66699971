"""Kinds of grievances: each mix of category, street, urgency, channel and kind that arrives, with its facts."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from wuye_loop.domain.routing.protocol import COMPANY
from wuye_loop.domain.rules.rules import Rules
from wuye_loop.domain.terms import Urgency
from wuye_loop.trial.simulation.chance import shared
from wuye_loop.trial.simulation.inputs.load import UNCLASSED, Load
from wuye_loop.trial.simulation.inputs.places import Places, Street

_BITS: Final = 12
_STEP: Final = (1 << _BITS) - 1
_MIX: Final = 0x9E3779B97F4A7C15  # 2**64 by the golden ratio: spreads a used lot once more
_RANKS: Final = {urgency.value: n for n, urgency in enumerate(Urgency)}
RANKS: Final = len(_RANKS) + 1  # the last is for words that are no urgency


@dataclass(frozen=True, slots=True, eq=False)
class Profile:
    """One mix: the facts that conditions may ask, where it starts, how urgent it is (0 is most)."""

    facts: Mapping[str, Any]
    street: Street
    category: str
    rank: int
    start: str


class Profiles:
    """Every mix of a load; `of` draws one."""

    def __init__(self, rules: Rules, load: Load, places: Places) -> None:
        self._rules = rules
        self._streets = {street.name: street for street in places.streets}
        self._parts = [
            shared(shares) for shares in (load.categories, load.streets, load.urgency, load.channels, load.kinds)
        ]
        self._managed = load.managed
        self._known: dict[tuple[str, str, str, str, str, bool], Profile] = {}

    def of(self, drawn: int) -> Profile:
        """Return the mix for a 64-bit lot."""
        categories, streets, urgencies, channels, kinds = self._parts
        managed = self._managed >= 1 or ((drawn * _MIX) >> 52 & _STEP) / (_STEP + 1) < self._managed
        key = (
            categories[drawn >> 52],
            streets[drawn >> 40 & _STEP],
            urgencies[drawn >> 28 & _STEP],
            channels[drawn >> 16 & _STEP],
            kinds[drawn >> 4 & _STEP],
            managed,
        )
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = self._made(*key)
        return found

    def _made(self, category: str, street: str, urgency: str, channel: str, kind: str, managed: bool) -> Profile:  # noqa: FBT001 the key, spread out
        place = self._streets[street]
        parts = [] if category == UNCLASSED else category.split("/")
        origin, source = self._rules.source_of(channel)
        facts: dict[str, Any] = {
            "channel": channel,
            "kind": kind,
            "urgency": urgency,
            "category": category if parts else None,
            "category_path": ["/".join(parts[: n + 1]) for n in range(len(parts))],
            "area": place.area,
            "areas": [code for code in place.path.split("/") if code],
            "company": COMPANY if managed else None,
            "managed": managed,
            "anonymous": False,
            "origin": origin,
            "answered": source.answered if source else None,
        }
        intake = self._rules.workflow.intake
        facts["urgency"] = next((line.urgency for line in intake.red_lines if line.when.holds(facts)), urgency)
        start = source.start if source and source.start else self._rules.workflow.start
        return Profile(facts, place, category, _RANKS.get(facts["urgency"], len(_RANKS)), start)

"""An action of a flow as every step looks it up: where and by whom, what blocks it, and the ways it may go."""

from dataclasses import dataclass
from typing import Final, Self

from wuye_loop.domain.language.results import RESULT, is_result
from wuye_loop.domain.language.workflow import ActionSpec, EffectCall
from wuye_loop.domain.terms import Audience

_ROUTE: Final = "route"
#: Effects that change what the routers look at.
_FACTS: Final = ("reclassify", "correct", "lift")


@dataclass(frozen=True, slots=True)
class Transition:
    """One way that an action may go: what it does, where it leads (None: it stays), and what follows."""

    effects: tuple[EffectCall, ...]
    to: str | None
    then: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CompiledAction:
    """One action. `plain`: nothing but its state, its role and separation of duties can block it on the main flow."""

    spec: ActionSpec
    from_: frozenset[str]
    by: tuple[str, ...]
    plain: bool
    certain: bool  # which way it goes depends on nothing
    audience: Audience
    transitions: tuple[Transition, ...]
    concludes: bool  # its form asks what the grievance ends with (办理结果)

    @classmethod
    def of(cls, spec: ActionSpec) -> Self:
        """Make an action ready to be looked up."""
        transitions = []
        for way in spec.ways:
            to = way.to if way.to is not None else spec.to
            effects = _facts_first((*spec.effect, *way.effect))
            transitions.append(Transition(effects, to, tuple(way.then or spec.then)))
        bound = (spec.limit, spec.within, spec.before_due, spec.signed_by)
        plain = all(one is None for one in bound) and spec.if_.always
        certain = spec.ways[0].when.always
        concludes = RESULT in spec.needs and is_result(RESULT, spec.needs[RESULT].type)
        return cls(
            spec, frozenset(spec.from_), tuple(spec.by), plain, certain, spec.audience, tuple(transitions), concludes
        )


def _facts_first(effects: tuple[EffectCall, ...]) -> tuple[EffectCall, ...]:
    """Return effects in their order, but what changes the facts before the routing: it goes by what is so in the end."""
    if all(call.name != _ROUTE for call in effects):
        return effects
    return tuple(sorted(effects, key=lambda call: call.name not in _FACTS))

"""The plug point of 问题转办: what a router is asked, and how it answers. Third parties write against this file."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Protocol

from pydantic import BaseModel

from wuye_loop.domain.directory.directory import Directory
from wuye_loop.domain.language.conditions import ALWAYS, Condition
from wuye_loop.domain.language.parts import Part

COMPANY = "company"  # in place of a unit's code: the property company of the grievance's estate
Verdict = Literal["matched", "no-match", "skipped", "asked", "fallback", "desk"]


@dataclass(frozen=True, slots=True)
class Precedent:
    """An earlier ruling on a matter of the same category: who was found to be in charge, and where.

    Its reason stays with the grievance that it was written on.
    """

    ruling: str
    unit: str | None
    area_path: str
    on: str  # the day, as people write it


@dataclass(frozen=True, slots=True)
class RoutingCase:
    """What routers may know of a grievance: facts, never identity; `returned` are units that sent it back this cycle."""

    facts: Mapping[str, object]
    area_path: str
    level: str
    returned: frozenset[str] = frozenset()
    precedents: tuple[Precedent, ...] = ()  # the newest first


class Loads(Protocol):
    """Tells how many open grievances each of these units has; a unit left out has none."""

    def __call__(self, units: Sequence[str]) -> Mapping[str, int]:
        """Return the numbers by unit code."""
        ...


@dataclass(frozen=True, slots=True)
class Trace:
    """What one router said and why, in Chinese, for the ledger; `near` are at most three rules that nearly held."""

    kind: str
    title: str
    outcome: Verdict
    why: str
    unit: str | None = None
    assists: tuple[str, ...] = ()
    near: tuple[str, ...] = ()

    def as_json(self) -> dict[str, object]:
        """Return plain data; what is empty is left out."""
        plain: dict[str, object] = {"kind": self.kind, "title": self.title, "outcome": self.outcome, "why": self.why}
        if self.unit is not None:
            plain["unit"] = self.unit
        if self.assists:
            plain["assists"] = list(self.assists)
        if self.near:
            plain["near"] = list(self.near)
        return plain


@dataclass(frozen=True, slots=True)
class HttpAsk:
    """A question to another system: `send` as JSON to `url`, `timeout` seconds for all of it; `index` in the chain."""

    url: str
    timeout: float
    send: Mapping[str, object]
    fallback: str | None = None
    index: int = -1


@dataclass(frozen=True, slots=True)
class Reply:
    """What another system answered: a unit's code and perhaps its reason; without a unit, `why` is what went wrong."""

    unit: str | None
    why: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """A router's answer: a lead unit with assisting units, a question to be asked first, or neither."""

    unit: str | None
    trace: Trace
    assists: tuple[str, ...] = ()
    ask: HttpAsk | None = None


class Router(Protocol):
    """One kind of router: deterministic, never raising for an odd grievance, never naming a unit that is not `fit`."""

    Params: ClassVar[type[BaseModel]]

    def route(self, params: Any, case: RoutingCase, directory: Directory, loads: Loads) -> Answer:
        """Answer for a grievance; `params` is an instance of `Params`, whose `when` has been seen to hold."""
        ...


class RouterParams(Part):
    """Base of a kind's parameters: closed; `when` says for which grievances the router is tried at all."""

    when: Condition = ALWAYS


def fit(target: str, case: RoutingCase, directory: Directory) -> tuple[str | None, str]:
    """Return the code of the unit that may take the grievance, or None and the reason in Chinese why it may not."""
    code: object = case.facts.get(COMPANY) if target == COMPANY else target
    if not isinstance(code, str) or not code:
        return None, "小区没有登记物业企业"
    known = directory.units.get(code)
    if known is None:
        return None, f"名录中没有单位“{code[:40]}”"
    if not known.active:
        return None, f"{known.name}已停用"
    if code in case.returned:
        return None, f"{known.name}本轮已退回此件"
    return code, ""

"""What a city's identity system says of a person, and what account that makes here: one small file, the first rule that fits."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from wuye_loop.domain.privacy.access.key_rules import SCOPES, misfit
from wuye_loop.domain.terms import ActorKind

_RULE: Final = ("when", "role", "unit", "area", "source", "reveal")
_WHOLE: Final = ("login", "name", "rules")
_ROLES: Final = tuple(kind.value for kind in SCOPES)
_LONGEST: Final = 40
_BRACES, _A_CLAIM = re.compile(r"[{}]"), re.compile(r"\{[^{}]+\}")


@dataclass(frozen=True, slots=True)
class Mapped:
    """The account that somebody is to have."""

    login: str
    name: str
    role: str
    unit: str | None
    area: str | None
    source: str | None
    reveal: bool


@dataclass(frozen=True, slots=True)
class ClaimRule:
    """Which claims must be there, each with one of these values, and what follows; `{claim}` stands for a claim's value."""

    when: Mapping[str, tuple[str, ...]]
    role: str
    unit: str | None
    area: str | None
    source: str | None
    reveal: bool

    def fits(self, claims: Mapping[str, Any]) -> bool:
        """Say whether the claims have, of each named one, one of the values; a claim that is a list has several."""
        return all(not set(values).isdisjoint(values_of(claims, name)) for name, values in self.when.items())


@dataclass(frozen=True, slots=True)
class ClaimRules:
    """The file: which claims are the login and the name, and the rules in order."""

    login: str
    name: str
    rules: tuple[ClaimRule, ...]

    def of(self, claims: Mapping[str, Any]) -> Mapped | None:
        """Return the account that these claims come to; None where no rule fits, or who it is is not said."""
        login, name = _one(claims, self.login), _one(claims, self.name)
        rule = next((one for one in self.rules if one.fits(claims)), None)
        if rule is None or login is None:
            return None
        unit, area, source = (_filled(text, claims) for text in (rule.unit, rule.area, rule.source))
        if "" in (unit, area, source):
            return None
        return Mapped(login, name or login, rule.role, unit, area, source, rule.reveal)


def values_of(claims: Mapping[str, Any], name: str) -> list[str]:
    """Return the values of a claim as texts; `a.b` is claim b within a. Nothing, true and mappings have none."""
    found: Any = claims
    for part in (name,) if name in claims else name.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    every: Iterable[Any] = found if isinstance(found, list | tuple) else (found,)
    return [str(one) for one in every if isinstance(one, str | int) and not isinstance(one, bool)]


def _one(claims: Mapping[str, Any], name: str) -> str | None:
    found = values_of(claims, name)
    return found[0].strip() or None if len(found) == 1 else None


def _filled(text: str | None, claims: Mapping[str, Any]) -> str | None:
    if text is None or not _A_CLAIM.fullmatch(text):
        return text
    return _one(claims, text[1:-1]) or ""


def claim_rules(document: object) -> ClaimRules:
    """Read the file. ValueError in words, with the rule that is wrong."""
    if not isinstance(document, Mapping):
        raise ValueError("要写成 login、name、rules 三项")
    strange = [str(key) for key in document if key not in _WHOLE]
    if strange:
        raise ValueError(f"没有“{strange[0][:_LONGEST]}”，可写：{'、'.join(_WHOLE)}")
    rules = document.get("rules")
    if not isinstance(rules, Sequence) or isinstance(rules, str) or not rules:
        raise ValueError("rules 要写成列表，至少一条，每条如 {when: {groups: 市场监管}, role: unit, unit: market}")
    names = [document.get(key, usual) for key, usual in (("login", "sub"), ("name", "name"))]
    if not all(isinstance(one, str) and one for one in names):
        raise ValueError("login、name 要写声明（claim）的名字")
    return ClaimRules(names[0], names[1], tuple(_rule(place, one) for place, one in enumerate(rules, 1)))


def _rule(place: int, entry: object) -> ClaimRule:
    where = f"rules 第 {place} 条"
    if not isinstance(entry, Mapping):
        raise ValueError(f"{where}：要写成 {{when: …, role: …}}")
    strange = [str(key) for key in entry if key not in _RULE]
    if strange:
        raise ValueError(f"{where}：没有“{strange[0][:_LONGEST]}”，可写：{'、'.join(_RULE)}")
    if entry.get("role") not in _ROLES:
        raise ValueError(f"{where}：role 只能写 {'、'.join(_ROLES)}")
    when = entry.get("when")
    if not isinstance(when, Mapping) or not when:
        raise ValueError(f"{where}：when 要写至少一个声明和它的值；谁都合的一条会把人人放进来")
    asked = {str(name): _texts(values) for name, values in when.items()}
    if not all(asked.values()):
        raise ValueError(f"{where}：when 里的值要写文字，或文字的列表")
    if not isinstance(entry.get("reveal", False), bool):
        raise ValueError(f"{where}：reveal 要写 true 或 false")
    unit, area, source = (None if entry.get(key) is None else str(entry[key]) for key in ("unit", "area", "source"))
    rule = ClaimRule(asked, entry["role"], unit, area, source, entry.get("reveal", False))
    wrong = _wrong(rule)
    if wrong is not None:
        raise ValueError(f"{where}：{wrong}")
    return rule


def _wrong(rule: ClaimRule) -> str | None:
    """Return in words what does not go together in what a rule makes, or None; of what kind a unit is, is seen at a sign-in."""
    if (rule.role == "unit") != (rule.unit is not None) and rule.role != "hotline":
        return "role 是 unit 的要写 unit（哪个单位），别的除热线外不写"
    for name, text in (("unit", rule.unit), ("area", rule.area), ("source", rule.source)):
        if text is not None and _BRACES.search(text) and not _A_CLAIM.fullmatch(text):
            return f"{name} 要么写一个值，要么整个写成 {{声明}}，不能拼起来"
    unit, area, kind = rule.unit is not None, rule.area is not None, ActorKind(rule.role)
    some = "unit" if unit else None
    return misfit(kind, unit=unit, unit_kind=some, area=area, source=rule.source, reveal=rule.reveal, what="账号")


def _texts(values: object) -> tuple[str, ...]:
    every = values if isinstance(values, list | tuple) else (values,)
    return tuple(str(one) for one in every if isinstance(one, str | int) and not isinstance(one, bool) and str(one))

"""The router kinds that come with the house; docs/language.md shows each."""

import re
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Annotated, ClassVar, Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, BeforeValidator, Field, field_validator, model_validator

from wuye_loop.domain.directory.directory import Directory, Unit
from wuye_loop.domain.language.conditions import Condition, ConditionError, fact_info
from wuye_loop.domain.language.parts import Code, Names, Part
from wuye_loop.domain.routing.learned import KIND as LEARNED
from wuye_loop.domain.routing.learned import TITLE as LEARNED_TITLE
from wuye_loop.domain.routing.learned import Learned
from wuye_loop.domain.routing.protocol import (
    Answer,
    HttpAsk,
    Loads,
    Precedent,
    Router,
    RouterParams,
    RoutingCase,
    Trace,
    Verdict,
    fit,
)
from wuye_loop.domain.terms import Level

_MOST_NEAR = 3
_MOST_WORDS = 120
_LONGEST_URL = 500
_PRINTABLE = re.compile(r"[!-~]+")
_LEVELS = {Level.COMMUNITY: "社区", Level.STREET: "街道", Level.DISTRICT: "区县", Level.CITY: "市"}


def _said(kind: str, outcome: Verdict, why: str, unit: str | None = None) -> Trace:
    return Trace(kind, TITLES[kind], outcome, why, unit)


class Target(Part):
    """Who takes it: a unit's code or `company`, with the units that assist."""

    to: Code
    assist: Names = ()


class TableRule(Target):
    """One line of the duty list (职责清单); `item` is the wording of the list."""

    when: Condition
    item: Annotated[str, Field(max_length=200)] | None = None


class TableParams(RouterParams):
    """The lines, in order."""

    rules: Annotated[tuple[TableRule, ...], Field(min_length=1, max_length=2000)]


class KeywordRule(Target):
    """Words, as an re2 pattern over title and body."""

    pattern: str

    @field_validator("pattern")
    @classmethod
    def _readable(cls, pattern: str) -> str:
        try:
            Condition.parse({"text": {"pattern": pattern}})
        except ConditionError as error:
            raise ValueError(error.words) from None
        return pattern

    @cached_property
    def when(self) -> Condition:
        """The condition that the words are found."""
        return Condition.parse({"text": {"pattern": self.pattern}})

    @property
    def item(self) -> None:
        """Words name no line of a duty list."""


Rule = TableRule | KeywordRule


class KeywordParams(RouterParams):
    """The words, in order."""

    rules: Annotated[tuple[KeywordRule, ...], Field(min_length=1, max_length=500)]


class Table:
    """职责清单: the first line that holds and whose unit can take it."""

    Params: ClassVar[type[BaseModel]] = TableParams

    def route(self, params: TableParams, case: RoutingCase, directory: Directory, loads: Loads) -> Answer:
        """Answer from the list alone."""
        del loads
        return _by_rules("table", params.rules, case, directory)


class Keywords:
    """关键词: the first pattern found in title or body. Its trace quotes the pattern, never the complainant's words."""

    Params: ClassVar[type[BaseModel]] = KeywordParams

    def route(self, params: KeywordParams, case: RoutingCase, directory: Directory, loads: Loads) -> Answer:
        """Answer from the text alone."""
        del loads
        return _by_rules("keyword", params.rules, case, directory)


def _by_rules(kind: str, rules: Sequence[Rule], case: RoutingCase, directory: Directory) -> Answer:
    passed: list[str] = []  # held, but the unit cannot take it
    near: list[str] = []
    for place, rule in enumerate(rules, start=1):
        if not rule.when.holds(case.facts):
            if len(near) < _MOST_NEAR:
                near += _nearly(place, rule, case, directory)
            continue
        unit, why_not = fit(rule.to, case, directory)
        if unit is None:
            passed.append(f"第 {place} 条成立，但{why_not}")
            continue
        assists, left_out = _assisting(rule.assist, unit, case, directory)
        held = f"第 {place} 条成立：{_short(rule.item or rule.when.describe())}"
        why = "；".join((*passed, f"{held} → {directory.name_of(unit)}", *left_out))
        trace = Trace(kind, TITLES[kind], "matched", why, unit, assists, tuple(near))
        return Answer(unit, trace, assists)
    why = "；".join(passed) or f"{len(rules)} 条规则都不成立{_absent(rules, case)}"
    return Answer(None, Trace(kind, TITLES[kind], "no-match", why, near=tuple(near)))


def _nearly(place: int, rule: Rule, case: RoutingCase, directory: Directory) -> list[str]:
    """Say what was missing, when all that a rule of several facts asks for but one thing was there."""
    if len(rule.when.fact_names) == 1 or rule.when.missed(case.facts) != 1:
        return []
    return [f"第 {place} 条（{directory.name_of(rule.to)}）{_short(rule.when.unmet(case.facts)[0])}"]


def _absent(rules: Sequence[Rule], case: RoutingCase) -> str:
    """Name the facts that rules ask about and that this grievance does not have at all."""
    asked = sorted({name for rule in rules for name in rule.when.fact_names})
    found = [(name, fact_info(name)) for name in asked if case.facts.get(name) in (None, "")]
    absent = [info.title for name, info in found if info is not None and info.missing is None]
    return f"（诉求没有{'、'.join(absent)}）" if absent else ""


def _assisting(
    targets: Sequence[str], lead: str, case: RoutingCase, directory: Directory
) -> tuple[tuple[str, ...], list[str]]:
    """Return the units that can assist, each once and never the lead, and words for those that cannot."""
    found: dict[str, None] = {}
    left_out = []
    for target in targets:
        unit, why_not = fit(target, case, directory)
        if unit is None:
            left_out.append(f"未列协办：{why_not}")
        elif unit != lead:
            found[unit] = None
    return tuple(found), left_out


def _short(words: str) -> str:
    return words if len(words) <= _MOST_WORDS else words[: _MOST_WORDS - 1] + "…"


class TerritoryParams(RouterParams):
    """属地: the level whose area is asked for, and the duty of the unit looked for there."""

    level: Level | Literal["current"]
    duty: Code = "property-office"


class Territory:
    """属地: the unit with this duty in the grievance's own community, street or district."""

    Params: ClassVar[type[BaseModel]] = TerritoryParams

    def route(self, params: TerritoryParams, case: RoutingCase, directory: Directory, loads: Loads) -> Answer:
        """Answer from the area path."""
        del loads
        which = case.level if params.level == "current" else params.level.value
        area = directory.area_at(case.area_path, which)
        level = _LEVELS.get(Level(which), which) if which in list(Level) else "当前层级"
        if area is None:
            return Answer(None, _said("territory", "no-match", f"诉求的属地没有{level}一级"))
        found = directory.by_duty(params.duty, case.area_path, which)
        if found is None:
            return Answer(None, _said("territory", "no-match", f"{area.name}没有职责为 {params.duty} 的单位"))
        unit, why_not = fit(found.code, case, directory)
        if unit is None:
            return Answer(None, _said("territory", "no-match", f"属地{level}为{area.name}，但{why_not}"))
        why = f"属地{level}为{area.name} → {found.name}"
        return Answer(unit, _said("territory", "matched", why, unit))


class Among(Part):
    """The units to choose among: codes, or all those with a duty on the grievance's area path."""

    codes: Names = ()
    duty: Code | None = None

    @model_validator(mode="after")
    def _one_of(self) -> Self:
        if bool(self.codes) == bool(self.duty):
            raise ValueError("among 要写单位代码的列表，或 {duty: 职责}，二者择一")
        return self


def _among(raw: object) -> object:
    return {"codes": raw} if isinstance(raw, str | list | tuple) else raw


class LeastLoadedParams(RouterParams):
    """最少在办: among whom."""

    among: Annotated[Among, BeforeValidator(_among)]


class LeastLoaded:
    """最少在办: the unit with the fewest open grievances; of equals, the one written first (or the lowest code)."""

    Params: ClassVar[type[BaseModel]] = LeastLoadedParams

    def route(self, params: LeastLoadedParams, case: RoutingCase, directory: Directory, loads: Loads) -> Answer:
        """Answer from the loads; they are not asked for when there is nothing to compare."""
        codes = dict.fromkeys(params.among.codes) or _with_duty(params.among.duty, case, directory)
        able: dict[str, None] = {}
        left_out = []
        for code in codes:
            unit, why_not = fit(code, case, directory)
            if unit is None:
                left_out.append(why_not)
            else:
                able[unit] = None
        if not able:
            why = "；".join(left_out) or f"属地上没有职责为 {params.among.duty} 的单位"
            return Answer(None, _said("least_loaded", "no-match", _short(why)))
        why = "只有一个单位可选"
        unit = next(iter(able))
        if len(able) > 1:
            numbers = loads(tuple(able))
            unit = min(able, key=lambda code: numbers.get(code, 0))
            why = f"{len(able)} 个单位中在办最少（{numbers.get(unit, 0)} 件）"
        why = "；".join((f"{why} → {directory.name_of(unit)}", *left_out[:_MOST_NEAR]))
        return Answer(unit, _said("least_loaded", "matched", why, unit))


def _with_duty(duty: str | None, case: RoutingCase, directory: Directory) -> list[str]:
    """Return the active units with the duty whose area is on the path, or who have none, in the order of their codes."""
    here = {area.code for area in directory.ancestors(case.area_path)}

    def serves(unit: Unit) -> bool:
        return unit.active and duty in unit.duties and (unit.area_code is None or unit.area_code in here)

    return sorted(unit.code for unit in directory.units.values() if serves(unit))


Sendable = Literal["category", "area", "kind", "urgency", "estate", "title"]


class HttpParams(RouterParams):
    """外部系统: where to ask, how long to wait, what to send: a closed list, in which no identity is."""

    url: Annotated[str, Field(max_length=_LONGEST_URL)]
    timeout: Annotated[float, Field(gt=0, le=10, allow_inf_nan=False)] = 2.0
    send: Annotated[tuple[Sendable, ...], Field(min_length=1)] = ("category", "area", "kind", "urgency", "estate")
    fallback: Code | None = None

    @field_validator("url")
    @classmethod
    def _plain(cls, url: str) -> str:
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:
            raise ValueError("url 的主机或端口写得不对") from None
        if parts.scheme not in {"http", "https"} or not parts.hostname or not _PRINTABLE.fullmatch(url):
            raise ValueError("url 要以 http:// 或 https:// 开头，写明主机，不含空格和中文")
        if parts.username is not None or parts.password is not None or parts.fragment or "\\" in url:
            raise ValueError("url 里不能写用户名、密码、# 和反斜线")
        if port == 0:
            raise ValueError("url 的端口要在 1 至 65535 之间")
        return url


class Http:
    """外部系统: another system is asked which unit; a job does it, with no transaction open, then the chain goes on."""

    Params: ClassVar[type[BaseModel]] = HttpParams

    def route(self, params: HttpParams, case: RoutingCase, directory: Directory, loads: Loads) -> Answer:
        """Answer with the question."""
        del directory, loads
        send: dict[str, object] = {name: _sent(case.facts, name) for name in params.send}
        ask = HttpAsk(params.url, params.timeout, send, params.fallback)
        return Answer(None, _said("http", "asked", f"先询问外部系统 {urlsplit(params.url).hostname}"), ask=ask)


def _sent(facts: Mapping[str, object], name: str) -> str | None:
    """Return a fact as text; a title is free text, in which people write their own numbers."""
    value = facts.get(name)
    if not isinstance(value, str):
        return None
    if name != "title":
        return value
    from wuye_loop.domain.privacy.striking import struck  # noqa: PLC0415 its patterns: who proves a file never needs them

    return struck(value)


class PrecedentParams(RouterParams):
    """先例: whether a ruling is followed or only shown, and within which area it holds."""

    follow: bool = False
    level: Level = Level.DISTRICT


class Precedents:
    """先例: what was ruled when units disagreed about such a matter; shown to who routes, or followed."""

    Params: ClassVar[type[BaseModel]] = PrecedentParams

    def route(self, params: PrecedentParams, case: RoutingCase, directory: Directory, loads: Loads) -> Answer:
        """Answer with the newest ruling in the same area whose unit can take it."""
        del loads
        area = directory.area_at(case.area_path, params.level)
        here = [item for item in case.precedents if area is None or item.area_path.startswith(area.path)]
        if not here:
            return Answer(None, _said("precedent", "no-match", "没有同类裁定"))
        words = "；".join(_ruled(item, directory) for item in here[:_MOST_NEAR])
        for item in here if params.follow else ():
            unit, _ = fit(item.unit, case, directory) if item.unit else (None, "")
            if unit is not None:
                why = f"先例：{_ruled(item, directory)} → {directory.name_of(unit)}"
                return Answer(unit, _said("precedent", "matched", why, unit))
        return Answer(None, _said("precedent", "no-match", _short(f"先例 {len(here)} 件供参考：{words}")))


def _ruled(item: Precedent, directory: Directory) -> str:
    unit = f"，由{directory.name_of(item.unit)}承办" if item.unit else ""
    return f"{item.on} 裁定{item.ruling}{unit}"


class DeskParams(RouterParams):
    """人工转办: nothing to say."""


class Desk:
    """人工转办: nobody; a person decides."""

    Params: ClassVar[type[BaseModel]] = DeskParams

    def route(self, params: DeskParams, case: RoutingCase, directory: Directory, loads: Loads) -> Answer:
        """Answer with nobody."""
        del params, case, directory, loads
        return Answer(None, _said("desk", "desk", "由人工转办"))


TITLES = {
    "table": "职责清单",
    "territory": "属地",
    "keyword": "关键词",
    "least_loaded": "最少在办",
    "http": "外部系统",
    "precedent": "先例",
    LEARNED: LEARNED_TITLE,
    "desk": "人工转办",
}
BUILT_IN: Mapping[str, Router] = {
    "table": Table(),
    "territory": Territory(),
    "keyword": Keywords(),
    "least_loaded": LeastLoaded(),
    "http": Http(),
    "precedent": Precedents(),
    LEARNED: Learned(),
    "desk": Desk(),
}

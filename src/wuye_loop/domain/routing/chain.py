"""问题转办: a chain of routers is tried in order, the first answer wins, and every one tried says why."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from importlib.metadata import entry_points
from typing import Any

from pydantic import BaseModel, ValidationError

from wuye_loop.domain.directory.directory import Directory
from wuye_loop.domain.language.conditions import ALWAYS
from wuye_loop.domain.language.workflow import RouterCall
from wuye_loop.domain.routing.kinds import BUILT_IN, TITLES
from wuye_loop.domain.routing.protocol import Answer, HttpAsk, Loads, Reply, Router, RoutingCase, Trace, fit

GROUP = "wuye_loop.routers"


@dataclass(frozen=True, slots=True)
class Choice:
    """How a chain ended: exactly one of `unit`, `ask` (first ask this, then choose again) and `desk` (a person)."""

    unit: str | None
    assists: tuple[str, ...]
    trace: tuple[Trace, ...]
    desk: bool
    ask: HttpAsk | None = None


@cache
def registry() -> Mapping[str, Router]:
    """Return every router by kind: built in, and third parties' (an entry point names a class or an instance).

    ValueError when a third party takes a built-in name: a city's file must mean the same everywhere.
    """
    found: dict[str, Router] = dict(BUILT_IN)
    for point in entry_points(group=GROUP):
        if point.name in BUILT_IN:
            raise ValueError(f"转办方式“{point.name}”是内置的，插件 {point.value} 要换一个名称")
        plugin: Any = point.load()
        found[point.name] = plugin() if isinstance(plugin, type) else plugin
    return found


def router_params() -> dict[str, type[BaseModel]]:
    """Return the parameter model of every kind, for the checker."""
    return {kind: router.Params for kind, router in registry().items()}


def choose(
    calls: Sequence[RouterCall],
    case: RoutingCase,
    directory: Directory,
    loads: Loads,
    *,
    asked: Mapping[int, Reply | str | None] | None = None,
) -> Choice:
    """Try the chain; routers after the one that answers are not tried, and a chain that runs out ends at the desk.

    `asked` holds what other systems replied, by place in the chain; None where there was no reply.
    """
    traces: list[Trace] = []
    for index, call in enumerate(calls):
        answer = _answer(call, case, directory, loads)
        if answer.ask is not None:
            if asked is None or index not in asked:
                traces.append(answer.trace)
                return Choice(None, (), tuple(traces), desk=False, ask=replace(answer.ask, index=index))
            answer = _replied(answer, answer.ask, asked[index], case, directory)
        traces.append(answer.trace)
        if answer.unit is not None or answer.trace.outcome == "desk":
            return Choice(answer.unit, answer.assists, tuple(traces), desk=answer.unit is None)
    traces.append(Trace("desk", TITLES["desk"], "desk", "没有一个转办方式给出单位，由人工转办"))
    return Choice(None, (), tuple(traces), desk=True)


@dataclass(frozen=True, slots=True)
class _Bound:
    """A call with its router and its parameters, read once."""

    router: Router
    params: BaseModel


@lru_cache(maxsize=512)  # a call is found again by identity; reading one costs a hundred times a decision
def _bind(call: RouterCall) -> _Bound | str:
    """Return the call made ready, or words for what keeps it from being used."""
    router = registry().get(call.kind)
    if router is None:
        return f"转办方式“{call.kind}”没有安装"
    try:
        return _Bound(router, router.Params.model_validate(call.params))
    except ValidationError as error:
        # The checker refuses such a file; here it is an old file under a newer plug-in. Grievances must still pass.
        return f"参数有误：{'、'.join('.'.join(map(str, one['loc'])) or '整体' for one in error.errors()[:3])}"


def _answer(call: RouterCall, case: RoutingCase, directory: Directory, loads: Loads) -> Answer:
    """Return one router's answer under the title that the file gives it; a unit that is not fit never passes."""
    title = call.title or TITLES.get(call.kind, call.kind)
    bound = _bind(call)
    if isinstance(bound, str):
        return Answer(None, Trace(call.kind, title, "no-match", bound))
    when = getattr(bound.params, "when", ALWAYS)
    if not when.holds(case.facts):
        return Answer(None, Trace(call.kind, title, "skipped", f"不适用：{'；'.join(when.unmet(case.facts))}"))
    answer = bound.router.route(bound.params, case, directory, loads)
    trace = replace(answer.trace, kind=call.kind, title=call.title or answer.trace.title)
    if answer.unit is not None:
        unit, why_not = fit(answer.unit, case, directory)
        if unit is None:
            return Answer(None, Trace(call.kind, trace.title, "no-match", why_not))
    assists = tuple(code for code in answer.assists if fit(code, case, directory)[0] == code != answer.unit)
    return replace(answer, trace=replace(trace, unit=answer.unit, assists=assists), assists=assists)


def _replied(answer: Answer, ask: HttpAsk, said: Reply | str | None, case: RoutingCase, directory: Directory) -> Answer:
    """Turn another system's reply into an answer: its unit, else the fallback, else nobody."""
    from wuye_loop.domain.privacy.striking import struck  # noqa: PLC0415 its patterns: who proves a file never needs them

    reply = said if isinstance(said, Reply) else Reply(said)
    reason = struck(reply.why)[:200]  # it goes into the ledger, whatever the other system wrote
    trace = answer.trace
    if reply.unit is None:
        problem = reason or "外部系统没有给出有效答复"
    else:
        unit, why_not = fit(struck(reply.unit), case, directory)
        if unit is not None:
            why = f"外部系统答复 → {directory.name_of(unit)}" + (f"，理由：{reason}" if reason else "")
            return Answer(unit, replace(trace, outcome="matched", why=why, unit=unit))
        problem = f"外部系统的答复不能用：{why_not}"
    if ask.fallback is not None:
        unit, why_not = fit(ask.fallback, case, directory)
        if unit is not None:
            why = f"{problem}；改用后备单位 → {directory.name_of(unit)}"
            return Answer(unit, replace(trace, outcome="fallback", why=why, unit=unit))
        problem = f"{problem}；后备单位也不能用：{why_not}"
    return Answer(None, replace(trace, outcome="no-match", why=problem))

"""What people read of a simulation: rows for tables, the assumptions in words, the staff file that was derived."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from wuye_loop.domain.language.workflow import Workflow
from wuye_loop.trial.simulation.inputs.mainline import states_of
from wuye_loop.trial.simulation.inputs.needs import firsts_of
from wuye_loop.trial.simulation.inputs.staff import answers_of, work_of
from wuye_loop.trial.simulation.results.cautions import points
from wuye_loop.trial.simulation.results.summary import Figure
from wuye_loop.trial.simulation.run.run import Scene

Row = tuple[object, ...]
#: The heads of the rows below.
UNITS: Final = (
    "单位", "人数", "利用率", "经办", "期末在办", "最高在办", "用时中位", "用时 P90", "按时率", "低–高", "督办",
)  # fmt: skip
RUNGS: Final = ("时限", "按时率", "低–高", "何时", "督办", "次数", "低–高")
_SHOWN = 30  # changed units that a comparison lists


def whole_rows(workflow: Workflow, figures: Figure) -> Iterator[Row]:
    """Give the rows of the whole: arrived, ended and how, still open, handled again, on time."""
    for title, key in (("收到", "arrived"), ("办结", "closed"), ("期末在办", "open"), ("重办", "again")):
        yield (title, _number(figures[key]["mean"]), _range(figures[key]))
    for name, spread in figures["ends"].items():
        yield (f"其中 {workflow.states[name].title}", _number(spread["mean"]), _range(spread))
    rate = figures["on_time"]
    yield ("按时率", _rate(rate, _seeds(figures)), _rates(rate))


def unit_rows(figures: Figure) -> Iterator[Row]:
    """Give a row for each unit."""
    for unit in figures["units"]:
        yield (
            _called(unit),
            unit["people"],
            _percent(unit["usage"]),
            _number(unit["handled"]["mean"]),
            f"{_number(unit['held']['mean'])}（{_range(unit['held'])}）",
            _number(unit["peak"]["high"]),
            _plain(unit["median_workdays"]),
            _plain(unit["p90_workdays"]),
            _rate(unit["on_time"], _seeds(figures)),
            _rates(unit["on_time"]),
            _number(sum(rung["mean"] for rung in unit["rungs"])),
        )


def rung_rows(figures: Figure) -> Iterator[Row]:
    """Give a row for each clock, and one for each rung of it that fired."""
    for clock in figures["clocks"]:
        if not clock["on_time"]["due"]:
            continue
        first = (
            clock["title"] + ("（考核）" if clock["assessed"] else ""),
            _rate(clock["on_time"], _seeds(figures)),
            _rates(clock["on_time"]),
        )
        rungs = clock["rungs"] or [None]
        for place, rung in enumerate(rungs):
            said = (rung["at"], rung["does"], _number(rung["mean"]), _range(rung)) if rung else ("", "", "", "")
            yield (*(first if place == 0 else ("", "", "")), *said)


def compared(before: Figure, after: Figure) -> Iterator[Row]:
    """Give what is otherwise in the what-if: the whole, every clock, and the units that changed."""
    seeds = _seeds(before)
    for title, key in (("收到", "arrived"), ("办结", "closed"), ("期末在办", "open"), ("重办", "again")):
        yield _pair(title, before[key]["mean"], after[key]["mean"])
    yield _rated("按时率", before["on_time"], after["on_time"], seeds)
    clocks = {clock["clock"]: clock for clock in after["clocks"]}
    for clock in before["clocks"]:
        other = clocks.get(clock["clock"])
        if other and (clock["on_time"]["due"] or other["on_time"]["due"]) and clock["on_time"] != other["on_time"]:
            yield _rated(f"{clock['title']} 按时率", clock["on_time"], other["on_time"], seeds)
            yield _pair(f"{clock['title']} 督办次数", _fired(clock), _fired(other))
    units = {unit["unit"]: unit for unit in after["units"]}
    pairs = [(unit, units[unit["unit"]]) for unit in before["units"] if unit["unit"] in units]
    moved = [pair for pair in pairs if pair[0] != pair[1]]
    moved.sort(key=lambda pair: -abs(pair[1]["held"]["mean"] - pair[0]["held"]["mean"]))
    for one, other in moved[:_SHOWN]:
        name = _called(one)
        if one["people"] != other["people"]:
            yield _pair(f"{name} 人数", one["people"], other["people"])
        yield _rated(f"{name} 按时率", one["on_time"], other["on_time"], seeds)
        if one["held"] != other["held"]:
            yield _pair(f"{name} 期末在办", one["held"]["mean"], other["held"]["mean"])


def mix(scene: Scene) -> dict[str, dict[str, float]]:
    """Return of what the arrivals are made, as shares of one: channels, sources, kinds, urgency, categories, streets."""
    load, rules = scene.load, scene.rules
    parts = ("channels", "kinds", "urgency", "categories", "streets")
    found = {name: _shares(getattr(load, name)) for name in parts}
    origins: dict[str, float] = {}
    for channel, share in found["channels"].items():
        origin = rules.source_of(channel)[0]
        if origin is not None:
            origins[origin] = round(origins.get(origin, 0.0) + share, 4)
    return {**found, "sources": origins}


def _shares(weights: Mapping[str, float]) -> dict[str, float]:
    total = sum(weights.values())
    return {name: round(weight / total, 4) for name, weight in weights.items()}


def mix_words(scene: Scene) -> str:
    """Say in words of what the arrivals are made."""
    found, workflow = mix(scene), scene.rules.workflow
    titles = {"channels": "渠道", "kinds": "类型", "urgency": "紧急程度"}
    said = [f"{title} {_mixed(found[name])}" for name, title in titles.items()]
    origins = {workflow.sources[name].title: share for name, share in found["sources"].items()}
    said += [f"来源 {_mixed(origins)}"] if origins else []
    return f"来件的构成（--load 可改）：{'；'.join(said)}；类别 {len(found['categories'])} 种，街道 {len(found['streets'])} 个"


def _mixed(shares: Mapping[str, float]) -> str:
    return "、".join(f"{name} {share:.0%}" for name, share in shares.items())


def notes(scene: Scene) -> list[str]:
    """Say in words what was assumed: whose people were derived, minutes, shares, answers, what is left out."""
    workflow, staff = scene.rules.workflow, scene.staff
    said = {code for name, unit in staff.units.items() if unit.people is not None for code in scene.places.named(name)}
    derived = [code for code in scene.places.codes if code not in said]
    found = [mix_words(scene)]
    if derived:
        found.append(
            f"{len(derived)} 个单位的人数没有写明，按利用率约 {staff.usage:.0%} 推定（用 --default-staff 输出，改后以 --staff 传回）"
        )
    states = states_of(workflow)
    usual = [f"{state.title}：{workflow.actions[main].title}" for name, state in workflow.states.items()
             if name in states and (main := states[name].main)]  # fmt: skip
    found.append(f"各状态通常的去向：{'；'.join(usual)}")
    aside = {
        action: staff.shares.get(action, share) for state in states.values() for action, share in state.aside.items()
    }
    shares = [f"{workflow.actions[action].title} {share:.0%}" for action, share in aside.items() if share]
    if shares:
        found.append(f"另走一路的占比：{'、'.join(shares)}")
    firsts = [
        f"“{workflow.actions[name].title}”之前先办：{'、'.join(workflow.actions[first].title for first in needed)}"
        for name, needed in firsts_of(workflow).items()
    ]
    found += [f"条件里要求办过别的动作的，先办那些：{'；'.join(firsts)}"] if firsts else []
    times = [f"{workflow.actions[name].title} {work.minutes:g} 分钟" + (f"另等 {work.wait:g} 个工作日" if work.wait else "")
             for name, work in work_of(workflow, staff).items()]  # fmt: skip
    found.append(f"每步用时（平均）：{'、'.join(times)}")
    for action, fields in answers_of(workflow, staff).items():
        for given in fields.values():
            total = sum(given.values())
            mix = "、".join(f"{answer} {share / total:.0%}" for answer, share in given.items())
            found.append(f"“{workflow.actions[action].title}”的结果：{mix}")
    respond = staff.respond
    found.append(f"由诉求人办的环节，{respond.share:.0%} 的人平均 {respond.days:g} 天后答复，其余等到期")
    found.append(
        "先办紧急的，同级先到先办；只在办公时间办理；主流程之外的任务（协办、延期、督办单等）只计次数，不占工时"
    )
    return found


def staff_text(scene: Scene) -> str:
    """Return the staff file that stands for what was derived, to be changed and handed back."""
    workflow, staff = scene.rules.workflow, scene.staff
    lines = [f"# {workflow.id}：每天 {scene.load.per_day:g} 件时推定的人手，改后用 --staff 传回", "units:"]
    lines += [
        f"  {code}: {{people: {scene.people[code]}}}  # {scene.places.titles[code]}" for code in scene.places.codes
    ]
    lines.append("work:  # minutes 每件分钟数，spread 离散程度，wait 另等的工作日")
    for name, work in work_of(workflow, staff).items():
        title = workflow.actions[name].title
        lines.append(
            f"  {name}: {{minutes: {work.minutes:g}, spread: {work.spread:g}, wait: {work.wait:g}}}  # {title}"
        )
    aside = {action: staff.shares.get(action, share) for state in states_of(workflow).values()
             for action, share in state.aside.items()}  # fmt: skip
    lines.append("shares:" + ("" if aside else " {}"))
    lines += [f"  {action}: {share:g}  # {workflow.actions[action].title}" for action, share in aside.items()]
    answers = answers_of(workflow, staff)
    lines.append("answers:" + ("" if answers else " {}"))
    for action, fields in answers.items():
        lines.append(f"  {action}:")
        lines += [f"    {field}: {_mapping(shares)}" for field, shares in fields.items()]
    lines.append(f"respond: {{share: {staff.respond.share:g}, days: {staff.respond.days:g}}}")
    return "\n".join(lines) + "\n"


def _mapping(shares: Mapping[str, float]) -> str:
    return "{" + ", ".join(f"{name}: {share:g}" for name, share in shares.items()) + "}"


def _called(unit: Figure) -> str:
    return unit["unit"] if unit["title"] == unit["unit"] else f"{unit['unit']} {unit['title']}"


def _fired(clock: Figure) -> float:
    rungs: Sequence[Figure] = clock["rungs"]
    return float(round(sum(rung["mean"] for rung in rungs), 1))


def _pair(title: str, one: float, other: float) -> Row:
    """Return a row with the difference of the two numbers as they are shown."""
    change = int(f"{other:.0f}") - int(f"{one:.0f}")
    return (title, _number(one), _number(other), f"{change:+,}" if change else "")


def _rated(title: str, one: Figure, other: Figure, seeds: int) -> Row:
    change = points(one, other)
    said = f"{change:+.1f} 个百分点" if change else ""
    return (title, f"{_rate(one, seeds)} {_rates(one)}", f"{_rate(other, seeds)} {_rates(other)}", said)


def _seeds(figures: Figure) -> int:
    return len(figures["seeds"])


def _number(value: float) -> str:
    return f"{value:,.0f}"


def _plain(value: Any) -> str:
    return "" if value is None else f"{value:g}"


def _range(spread: Figure) -> str:
    low, high = spread["low"], spread["high"]
    return _number(low) if low == high else f"{_number(low)}–{_number(high)}"


def _percent(share: float | None) -> str:
    return "" if share is None else f"{share:.1%}"


def _rate(rate: Figure, seeds: int) -> str:
    """Return a rate with its counts, which are those of all seeds together."""
    total = "合计 " if seeds > 1 else ""
    return "" if rate["rate"] is None else f"{rate['rate']:.1%}（{total}{rate['in_time']:,}/{rate['due']:,}）"


def _rates(rate: Figure) -> str:
    return "" if rate["rate"] is None else f"{rate['low']:.1%}–{rate['high']:.1%}"

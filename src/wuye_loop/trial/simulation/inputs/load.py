"""What arrives: how many a day, when, and of what kind; made up evenly, written as YAML, or taken from a table."""

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Final, Self

from pydantic import Field, model_validator

from wuye_loop.domain.language.conditions import Condition
from wuye_loop.domain.language.workflow import Workflow
from wuye_loop.domain.rules.rules import conditions_in
from wuye_loop.trial.simulation.inputs.mistakes import BadSimulation, GivenPart, read_model

WEEKDAYS: Final = "一二三四五六日"
Weight = Annotated[float, Field(ge=0, le=1e9, allow_inf_nan=False)]
Shares = dict[str, Weight]
MOST_A_DAY: Final = 20_000
_STREETS: Final = {"甲街道": 1.0, "乙街道": 1.0, "丙街道": 1.0, "丁街道": 1.0}
_URGENCY: Final = {"特急": 2.0, "加急": 8.0, "平急": 70.0, "常规": 20.0}
_KINDS: Final = {"投诉": 60.0, "求助": 25.0, "咨询": 10.0, "建议": 5.0}
_CHANNELS: Final = {"电话": 80.0, "网络": 20.0}
_NAMED: Final = 0.2  # share of what comes by channels that sources name, where the hotline sends the rest
# A day's complaints by hour: people complain in the evening as well as at the office.
_HOURS: Final = dict(
    zip(map(str, range(24)), (1, 1, 0, 0, 0, 1, 2, 5, 9, 10, 9, 7, 5, 6, 8, 8, 7, 6, 5, 5, 4, 3, 2, 1), strict=True)
)
UNCLASSED: Final = "未分类"


class Load(GivenPart):
    """Arrivals: the mean of a day, its factors by weekday, month and hour, and shares of what they are."""

    per_day: Annotated[float, Field(gt=0, le=MOST_A_DAY)] | None = None
    weekdays: Shares = Field(default_factory=dict)
    months: Shares = Field(default_factory=dict)
    hours: Shares = Field(default_factory=dict)
    categories: Shares = Field(default_factory=dict)
    streets: Shares = Field(default_factory=dict)
    urgency: Shares = Field(default_factory=dict)
    kinds: Shares = Field(default_factory=dict)
    channels: Shares = Field(default_factory=dict)
    managed: Annotated[float, Field(ge=0, le=1)] = 1.0  # share of grievances whose estate has a property company

    @model_validator(mode="after")
    def _sound(self) -> Self:
        for name, known in (("weekdays", tuple(WEEKDAYS)), ("months", _numbers(1, 12)), ("hours", _numbers(0, 23))):
            strange = [key for key in getattr(self, name) if key not in known]
            if strange:
                raise ValueError(f"{name} 里没有“{strange[0][:20]}”，可写：{'、'.join(known)}")
        for name in ("hours", "categories", "streets", "urgency", "kinds", "channels"):
            shares = getattr(self, name)
            if shares and not sum(shares.values()):
                raise ValueError(f"{name} 的占比都是 0")
        return self

    def factor(self, day: date) -> float:
        """Return how many times the mean this date has."""
        return self.weekdays.get(WEEKDAYS[day.weekday()], 1.0) * self.months.get(str(day.month), 1.0)


def _numbers(first: int, last: int) -> tuple[str, ...]:
    return tuple(map(str, range(first, last + 1)))


def read_load(text: str | bytes, file: str) -> Load:
    """Read a YAML load file."""
    return read_model(text, file, Load)[0]


def completed(load: Load, workflow: Workflow, per_day: float | None) -> Load:
    """Return the load with an even mix over the workflow's own words where it does not say. Raises BadSimulation."""
    wanted = per_day if per_day is not None else load.per_day
    if wanted is None:
        raise BadSimulation("没有写每天多少件：用 --per-day N，或在负荷文件里写 per_day")
    if not 0 < wanted <= MOST_A_DAY:
        raise BadSimulation(f"每天的件数应大于 0，不超过 {MOST_A_DAY}")
    return load.model_copy(
        update={
            "per_day": wanted,
            "hours": load.hours or _HOURS,
            "categories": load.categories or dict.fromkeys(categories_of(workflow), 1.0) or {UNCLASSED: 1.0},
            "streets": load.streets or _STREETS,
            "urgency": load.urgency or _URGENCY,
            "kinds": load.kinds or _KINDS,
            "channels": load.channels or channels_of(workflow),
        }
    )


def channels_of(workflow: Workflow) -> dict[str, float]:
    """Return by which channels orders come: those of the hotline, and beside them those that sources name.

    A source that names no channels takes all others: the hotline's. Where every source names its own, there are no others.
    """
    named = [name for source in workflow.sources.values() for name in source.channels]
    if not named:
        return dict(_CHANNELS)
    if all(source.channels for source in workflow.sources.values()):
        return dict.fromkeys(named, 1.0)
    each = sum(_CHANNELS.values()) * _NAMED / (1 - _NAMED) / len(named)
    return {**_CHANNELS, **dict.fromkeys(named, each)}


def categories_of(workflow: Workflow) -> list[str]:
    """Return the categories that a workflow names: at intake and in any condition, forms and texts apart."""
    found = dict.fromkeys(word.category for word in workflow.intake.categories)
    for condition in conditions_in(workflow):
        found |= dict.fromkeys(_named(condition))
    for call in workflow.routers:
        for rule in call.params.get("rules", ()):
            if isinstance(rule, Mapping) and isinstance(rule.get("when"), Mapping):
                found |= dict.fromkeys(_named(Condition.parse(rule["when"])))
    return list(found)


def _named(condition: Condition) -> list[str]:
    raw = condition.raw.get("category")
    return [item for item in (raw if isinstance(raw, list) else [raw]) if isinstance(item, str)]

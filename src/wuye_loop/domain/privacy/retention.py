"""How long what was said and by whom is kept (保管期限): a small file of rules, the first that fits a grievance counts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from wuye_loop.domain.errors import BadInput
from wuye_loop.domain.time.bounds import same_day

Event = Literal["received", "closed", "last_rating"]


class RetentionRule(BaseModel):
    """One rule: for which sources and results, how many years or months after which event."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    source: Sequence[str] = ()
    result: Sequence[str] = ()
    years: int = Field(0, ge=0, le=100)
    months: int = Field(0, ge=0, le=1200)
    days: int = Field(0, ge=0, le=36500)
    after: Event = "closed"


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")

    retention: Sequence[RetentionRule] = Field(min_length=1)


@dataclass(frozen=True, slots=True)
class Kept:
    """What a rule looks at in a closed grievance: its source, its result, when what happened."""

    number: str
    source: str
    result: str | None
    events: Mapping[str, datetime | None]


def read(text: str) -> Sequence[RetentionRule]:
    """Read the rules of a file. Raises BadInput, in words, for what is no such file."""
    try:
        rules = _File.model_validate(YAML(typ="safe", pure=True).load(text)).retention
    except YAMLError as error:
        raise BadInput(f"保管期限文件不是有效的 YAML：{str(error).splitlines()[0]}") from None
    except ValidationError as error:
        first = error.errors()[0]
        raise BadInput(f"保管期限文件 {'.'.join(map(str, first['loc']))}：{first['msg']}") from None
    for place, rule in enumerate(rules, 1):
        if not (rule.years or rule.months or rule.days):
            raise BadInput(f"保管期限文件第 {place} 条没有写多久（years、months 或 days）")
    return rules


def due(rules: Sequence[RetentionRule], kept: Kept, now: datetime) -> datetime | None:
    """Return until when a closed grievance had to be kept, where that is past; None where it is not, or no rule fits."""
    rule = next((one for one in rules if _fits(one, kept)), None)
    begins = kept.events.get(rule.after) if rule is not None else None
    if rule is None or begins is None:
        return None
    day = same_day(begins.date(), rule.years * 12 + rule.months) + timedelta(days=rule.days)
    until = datetime.combine(day, begins.timetz())
    return until if until <= now else None


def _fits(rule: RetentionRule, kept: Kept) -> bool:
    return (not rule.source or kept.source in rule.source) and (not rule.result or kept.result in rule.result)

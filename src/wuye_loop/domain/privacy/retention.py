"""How long what was said and by whom is kept (保管期限): a small file of rules, the first that fits a grievance counts."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from wuye_loop.domain.errors import BadInput
from wuye_loop.domain.time.bounds import same_day

Event = Literal["received", "closed", "last_rating", "end_of_supervision"]
EVENTS: Final[tuple[Event, ...]] = ("received", "closed", "last_rating", "end_of_supervision")


class RetentionRule(BaseModel):
    """One rule: for which sources and results, how many years or months after which event.

    `by_result`: what the grievance's own workflow says of its result (`results`); where it says nothing the next rule is asked.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    source: Sequence[str] = ()
    result: Sequence[str] = ()
    years: int = Field(0, ge=0, le=100)
    months: int = Field(0, ge=0, le=1200)
    days: int = Field(0, ge=0, le=36500)
    after: Event = "closed"
    by_result: bool = False

    @property
    def timed(self) -> bool:
        """Whether it says itself how long."""
        return bool(self.years or self.months or self.days)


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
    workflow: str = ""


#: What holds where no file of rules is given.
BY_RESULT: Final[Sequence[RetentionRule]] = (RetentionRule(by_result=True),)


@dataclass(frozen=True, slots=True)
class Term:
    """How long a workflow has one of its results kept: months and days, None for ever; and from when."""

    length: tuple[int, int] | None
    after: Event


Results = Mapping[str, Mapping[str, Term]]


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
        if not rule.timed and not rule.by_result:
            raise BadInput(
                f"保管期限文件第 {place} 条没有写多久（years、months 或 days），也没有写 by_result: true（照流程的 results）"
            )
        if rule.by_result and (rule.timed or "after" in rule.model_fields_set):
            raise BadInput(f"保管期限文件第 {place} 条写了 by_result，多久、从何时起算由流程的 results 定，不能再写")
    return rules


def check_results(rules: Sequence[RetentionRule], known: Iterable[str]) -> None:
    """Refuse rules about a result that no published workflow knows: they would never hold of anything. Raises BadInput."""
    names = sorted(set(known))
    for place, rule in enumerate(rules, 1):
        for result in rule.result:
            if result not in names:
                has = f"流程里有：{'、'.join(names)}" if names else "已发布的流程里一个结果也没有"
                raise BadInput(f"保管期限文件第 {place} 条的办理结果“{result}”没有一个流程里有，永远用不上；{has}")


def due(
    rules: Sequence[RetentionRule], kept: Kept, now: datetime, results: Results = MappingProxyType({})
) -> datetime | None:
    """Return until when a closed grievance had to be kept, where that is past; None where it is not, or no rule fits.

    `results` are those of every workflow, by its id and the result's name.
    """
    said = results.get(kept.workflow, {}).get(kept.result or "")
    rule = next((one for one in rules if _fits(one, kept) and (said is not None or not one.by_result)), None)
    if rule is None:
        return None
    term: tuple[int, int] | None = rule.years * 12 + rule.months, rule.days
    after = rule.after
    if rule.by_result and said is not None:
        term, after = said.length, said.after
    begins = kept.events.get(after)
    if term is None or begins is None:
        return None
    months, days = term
    until = datetime.combine(same_day(begins.date(), months) + timedelta(days=days), begins.timetz())
    return until if until <= now else None


def _fits(rule: RetentionRule, kept: Kept) -> bool:
    return (not rule.source or kept.source in rule.source) and (not rule.result or kept.result in rule.result)

"""By which workflow a new grievance goes: rules by source, channel and area, in order; the first that fits."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

_ID: Final = re.compile(r"[a-z][a-z0-9-]{1,39}@[1-9][0-9]{0,3}")
_KEYS: Final = ("source", "channel", "area")
_HOW: Final = "写成 source=12345,channel=电话|微信,area=370703 -> 名称@版本，几条之间用分号；或写一个 YAML 文件的路径"


@dataclass(frozen=True, slots=True)
class WorkflowRule:
    """One rule: the sources, channels and areas (with all below them) that it is for, none written: any; and the workflow."""

    source: tuple[str, ...]
    channel: tuple[str, ...]
    area: tuple[str, ...]
    use: str

    def fits(self, source: str, channel: str, area_path: str) -> bool:
        """Say whether an order of this source and channel, lying there, is meant; `area_path` as areas have it."""
        return (
            (not self.source or source in self.source)
            and (not self.channel or channel in self.channel)
            and (not self.area or not {*self.area}.isdisjoint(area_path.split("/")))
        )


@dataclass(frozen=True, slots=True)
class WorkflowRules:
    """All rules of an installation."""

    rules: tuple[WorkflowRule, ...] = ()

    def of(self, source: str, channel: str, area_path: str) -> str | None:
        """Return the workflow of the first rule that fits, as name@version; None where none does."""
        return next((rule.use for rule in self.rules if rule.fits(source, channel, area_path)), None)

    @property
    def names(self) -> tuple[str, ...]:
        """Every workflow that a rule names."""
        return tuple(dict.fromkeys(rule.use for rule in self.rules))


def of_text(text: str) -> WorkflowRules:
    """Read rules from one line, `channel=联合检查 -> name@2; area=370703 -> other@1`. ValueError in words."""
    return WorkflowRules(tuple(_line(line.strip()) for line in text.split(";") if line.strip()))


def of_document(document: object) -> WorkflowRules:
    """Read rules from a list of mappings: `- {area: "370703", use: name@1}`. ValueError in words."""
    if not isinstance(document, list):
        raise ValueError("要写一个列表，每条如 {channel: 联合检查, use: 名称@版本}")
    return WorkflowRules(tuple(_entry(entry) for entry in document))


def _line(line: str) -> WorkflowRule:
    asked, arrow, use = line.partition("->")
    if not arrow:
        raise ValueError(f"“{line[:60]}”没有写用哪个流程：{_HOW}")
    entry: dict[str, Any] = {"use": use.strip()}
    for part in filter(None, map(str.strip, asked.split(","))):
        key, equals, values = part.partition("=")
        if not equals:
            raise ValueError(f"“{part[:60]}”要写成 {'、'.join(_KEYS)} 之一 = 值：{_HOW}")
        entry[key.strip()] = [value.strip() for value in values.split("|") if value.strip()]
    return _entry(entry)


def _entry(entry: object) -> WorkflowRule:
    if not isinstance(entry, Mapping) or not _ID.fullmatch(str(entry.get("use", ""))):
        raise ValueError("每条要写 use: 名称@版本，版本是数字")
    strange = [str(key) for key in entry if key not in (*_KEYS, "use")]
    if strange:
        raise ValueError(f"没有“{strange[0][:40]}”，可写：{'、'.join(_KEYS)}、use")
    source, channel, area = (_texts(entry.get(key)) for key in _KEYS)
    return WorkflowRule(source, channel, area, str(entry["use"]))


def _texts(value: object) -> tuple[str, ...]:
    if value is None:
        return ()
    every: Iterable[object] = value if isinstance(value, list | tuple) else (value,)
    return tuple(map(str, every))

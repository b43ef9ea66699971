"""Counts of differences over many grievances: small, mergeable across processes, with a few examples of each."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from wuye_loop.trial.replay.compare import Finding, Kind

_EXAMPLES = 5
_UNITS = 10


@dataclass(slots=True)
class Group:
    """Findings that say the same: how many, of how many grievances, in which units, by how much, and a few of them."""

    count: int = 0
    grievances: int = 0
    follows: int = 0
    seconds: int = 0
    least: int | None = None
    most: int | None = None
    units: Counter[str] = field(default_factory=Counter)
    examples: list[tuple[str, str | None, str | None]] = field(default_factory=list)  # number, was, now

    def add(self, number: str, finding: Finding, *, first: bool) -> None:
        """Count one finding; `first` of its kind in its grievance."""
        self.count += 1
        self.grievances += first
        self.follows += finding.follows
        if finding.unit:
            self.units[finding.unit] += 1
        if finding.seconds is not None:
            self._span(finding.seconds, finding.seconds, finding.seconds)
        if first and (len(self.examples) < _EXAMPLES or number < self.examples[-1][0]):
            self.examples = sorted([*self.examples, (number, finding.was, finding.now)], key=_number)[:_EXAMPLES]

    def merge(self, other: "Group") -> None:
        """Take in what another process counted."""
        self.count += other.count
        self.grievances += other.grievances
        self.follows += other.follows
        self.units.update(other.units)
        if other.least is not None and other.most is not None:
            self._span(other.seconds, other.least, other.most)
        self.examples = sorted([*self.examples, *other.examples], key=_number)[:_EXAMPLES]

    def _span(self, seconds: int, least: int, most: int) -> None:
        self.seconds += seconds
        self.least = least if self.least is None else min(self.least, least)
        self.most = most if self.most is None else max(self.most, most)

    def as_json(self) -> dict[str, Any]:
        """Return the group as plain data; how much later is in seconds: the mean, the least, the most."""
        shown: dict[str, Any] = {"count": self.count, "grievances": self.grievances, "follows": self.follows}
        if self.least is not None:
            shown["later_seconds"] = {"mean": round(self.seconds / self.count), "least": self.least, "most": self.most}
        shown["units"] = dict(sorted(self.units.items(), key=lambda item: (-item[1], item[0]))[:_UNITS])
        shown["examples"] = [{"number": number, "was": was, "now": now} for number, was, now in self.examples]
        return shown


def _number(example: tuple[str, str | None, str | None]) -> str:
    return example[0]


@dataclass(slots=True)
class Tally:
    """What a replay came to; `failed` are grievances that could not be taken through, with the fault of one."""

    grievances: int = 0
    acts: int = 0
    same: int = 0
    migrated: int = 0
    failed: int = 0
    fault: str | None = None
    kinds: Counter[Kind] = field(default_factory=Counter)  # grievances with a difference of a kind
    groups: dict[tuple[Kind, str, str], Group] = field(default_factory=dict)

    def add(self, number: str, acts: int, findings: Sequence[Finding]) -> None:
        """Count one grievance."""
        self.grievances += 1
        self.acts += acts
        if not findings:
            self.same += 1
            return
        seen: set[tuple[Kind, str, str]] = set()
        for finding in findings:
            key = (finding.kind, finding.what, finding.how)
            group = self.groups.get(key)
            if group is None:
                group = self.groups[key] = Group()
            group.add(number, finding, first=key not in seen)
            seen.add(key)
        self.kinds.update({kind for kind, _, _ in seen})

    def skip(self) -> None:
        """Count a grievance that went over to another version on its way: it has no single version to compare with."""
        self.grievances += 1
        self.migrated += 1

    def fail(self, number: str, error: Exception) -> None:
        """Count a grievance that could not be taken through."""
        self.grievances += 1
        self.failed += 1
        self.fault = self.fault or f"{number}: {type(error).__name__}: {error}"

    def merge(self, other: "Tally") -> None:
        """Take in what another process counted."""
        self.grievances += other.grievances
        self.acts += other.acts
        self.same += other.same
        self.migrated += other.migrated
        self.failed += other.failed
        self.fault = self.fault or other.fault
        self.kinds.update(other.kinds)
        for key, group in other.groups.items():
            self.groups.setdefault(key, Group()).merge(group)

    def ordered(self, kind: Kind) -> list[tuple[str, str, Group]]:
        """Return the groups of a kind, the most frequent first."""
        found = [(what, how, group) for (one, what, how), group in self.groups.items() if one is kind]
        return sorted(found, key=lambda item: (-item[2].count, item[0], item[1]))

    def as_json(self) -> dict[str, Any]:
        """Return the whole as plain data."""
        return {
            "grievances": self.grievances,
            "rows": self.acts,
            "same": self.same,
            "migrated": self.migrated,
            "failed": self.failed,
            "fault": self.fault,
            "differences": {
                kind.value: {
                    "grievances": self.kinds[kind],
                    "count": sum(group.count for _, _, group in self.ordered(kind)),
                    "groups": [
                        {"what": what, "how": how, **group.as_json()} for what, how, group in self.ordered(kind)
                    ],
                }
                for kind in Kind
            },
        }

"""What a verification found."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

_SHOWN = 50


@dataclass(slots=True)
class Report:
    """What a verification found; `drift` counts values that differ from the fold of their ledger.

    `again` grievances were looked at a second time; `known` are words that were said before: what they say is not counted
    once more.
    """

    grievances: int = 0
    rows: int = 0
    clocks: int = 0
    drift: int = 0
    damaged: int = 0
    erased: int = 0
    chain_ok: bool = True
    anchors: int | None = None
    problems: list[str] = field(default_factory=list)
    again: int = 0
    known: frozenset[str] = frozenset()

    @classmethod
    def from_json(cls, said: Mapping[str, Any]) -> Self:
        """Read what `as_json` wrote."""
        return cls(**said)

    @property
    def ok(self) -> bool:
        """Say whether nothing is wrong."""
        return self.chain_ok and not self.drift and not self.damaged

    def broken(self, words: str) -> None:
        """Note a row that was edited, lost or moved."""
        if words not in self.known:
            self.chain_ok = False
            self._say(words)

    def drifted(self, words: str) -> None:
        """Note a value that differs."""
        if words not in self.known:
            self.drift += 1
            self._say(words)

    def unreadable(self, words: str) -> None:
        """Note a record that cannot be read at all; the others are looked at all the same."""
        if words not in self.known:
            self.damaged += 1
            self._say(words)

    def merge(self, other: "Report") -> None:
        """Add what another process found in its share."""
        self.grievances += other.grievances
        self.rows += other.rows
        self.clocks += other.clocks
        self.drift += other.drift
        self.damaged += other.damaged
        self.erased += other.erased
        self.again += other.again
        self.chain_ok = self.chain_ok and other.chain_ok
        self.problems = (self.problems + other.problems)[:_SHOWN]

    @property
    def findings(self) -> int:
        """How many were found; of a broken chain, as many as are told."""
        return max(len(self.problems), self.drift + self.damaged)

    def _say(self, words: str) -> None:
        if len(self.problems) < _SHOWN:
            self.problems.append(words)

    def as_json(self) -> dict[str, Any]:
        """Return the report as plain data."""
        return {
            "grievances": self.grievances,
            "rows": self.rows,
            "clocks": self.clocks,
            "drift": self.drift,
            "damaged": self.damaged,
            "erased": self.erased,
            "chain_ok": self.chain_ok,
            "anchors": self.anchors,
            "problems": self.problems,
        }

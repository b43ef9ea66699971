"""What a condition of a measure may ask about: facts that are stored of a grievance, and what clocks and ratings add."""

from typing import Final

#: Each is a column or a kept fact of the grievance; the store says where it lies.
FACTS: Final = (
    "kind", "category", "urgency", "channel", "source", "origin", "state", "stage", "level", "final", "cycle", "urged",
    "followers", "anonymous", "repeat", "estate_kind", "lead_unit",
)  # fmt: skip
OF_CLOCKS: Final = frozenset({"assessed", "ended", "on_time"})
OF_RATINGS: Final = frozenset({"contacted"})

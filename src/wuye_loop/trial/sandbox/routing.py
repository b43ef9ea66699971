"""Where a sandbox routes: the workflow's own chain over what is in memory, loads, earlier rulings, others' replies."""

from collections import Counter
from collections.abc import Mapping, Sequence

from wuye_loop.domain.grievance.situation import Situation, World
from wuye_loop.domain.routing.chain import Choice, choose
from wuye_loop.domain.routing.protocol import Precedent, Reply
from wuye_loop.domain.step.records import PrecedentDraft
from wuye_loop.domain.step.routing import routing_case


class Switchboard:
    """What routers ask beside the grievance itself. `replies` are other systems' answers by URL; none: no answer came."""

    def __init__(self, replies: Mapping[str, str]) -> None:
        self.replies = dict(replies)
        self._loads: Counter[str] = Counter()
        self._precedents: list[tuple[str | None, Precedent]] = []  # with the category; the newest first

    def choose(self, world: World, situation: Situation) -> Choice:
        """Try the routers of the world's rules in order."""
        category = situation.grievance.category
        case = routing_case(world, situation, tuple(one for ruled, one in self._precedents if ruled == category))
        asked: dict[int, Reply | str | None] = {}
        while True:
            choice = choose(world.rules.workflow.routers, case, world.directory, self._loads_of, asked=asked)
            if choice.ask is None:
                return choice
            asked[choice.ask.index] = self.replies.get(choice.ask.url)

    def count(self, situation: Situation, change: int) -> None:
        """Count an open grievance with its lead unit, or no longer."""
        grievance = situation.grievance
        if grievance.lead_unit is not None and not grievance.final:
            self._loads[grievance.lead_unit] += change

    def keep(self, ruled: PrecedentDraft, world: World, area_path: str) -> None:
        """Keep a ruling: the routers see it the next time."""
        on = world.calendar.local_date(ruled.at).isoformat()
        precedent = Precedent(ruled.ruling, ruled.to_unit, area_path, on)
        self._precedents.insert(0, (ruled.category, precedent))

    def _loads_of(self, units: Sequence[str]) -> Mapping[str, int]:
        return {unit: self._loads[unit] for unit in units}

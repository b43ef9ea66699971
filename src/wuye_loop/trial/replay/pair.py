"""Two versions side by side: what a rung, an action, a task of the one is in the other."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, NamedTuple

from wuye_loop.domain.grievance.ledger import FOLLOW, OPEN, RUNG
from wuye_loop.domain.language.forms import FieldSpec
from wuye_loop.domain.language.workflow import Flow, RungSpec, StepSpec
from wuye_loop.domain.rules.rules import Rules
from wuye_loop.domain.step.migration.mapping import VersionMapping
from wuye_loop.queries.supervision import rung_title

#: Where a rung stands: kind of task (None: the main flow), clock, index in its ladder.
Place = tuple[str | None, str, int]
#: How the action is called that opens a kind of task.
#: By how many followers a row that is no decision changes a grievance.
FOLLOWERS = {"follower_joined": 1, "follower_left": -1}
_ASIDE = frozenset(
    {"receive", "calendar", "reveal", "migrate", "upload", "correct", "supplement", *FOLLOWERS}
)  # rows that no rule decides


class RungName(NamedTuple):
    """What makes a rung the same in two versions: its clock (as the newer one calls it), when, and what it does."""

    clock: str
    at: str
    does: tuple[object, ...]
    words: str


class Known(NamedTuple):
    """What an action is in the newer version, and which fields of a recorded form are asked for (None: all of them).

    `checked`: what was filled in then is right here too, for both versions ask the same whatever the facts are.
    `names_others`: the form names other grievances. `opens`: the kind of task that it opens. `aside`: no decision of the
    rules, or a rung's.
    """

    spec: StepSpec | None
    asked: frozenset[str] | None
    checked: bool
    names_others: bool
    opens: str | None
    aside: bool

    def form(self, facts: Mapping[str, Any]) -> dict[str, Any]:
        """Return what was filled in then, as far as the form is asked here."""
        if self.asked is None:
            return dict(facts)
        return {key: value for key, value in facts.items() if key in self.asked}


class Pair:
    """The version that a grievance was handled under, and the one that it is tried under."""

    def __init__(self, old: Rules, new: Rules) -> None:
        self.old, self.new = old, new
        self.mapping = VersionMapping(old, new)
        self.same_routers = old.workflow.routers == new.workflow.routers
        was, now = old.workflow.intake, new.workflow.intake
        self.same_words = (was.categories, was.weigh) == (now.categories, now.weigh)
        self._known: dict[tuple[str, str | None], Known] = {}

    @cached_property
    def was(self) -> Mapping[Place, RungName]:
        """Every rung of the old version, its clock under its new name."""
        return _rungs(self.old, self.mapping)

    @cached_property
    def now(self) -> Mapping[Place, RungName]:
        """Every rung of the new version."""
        return _rungs(self.new, None)

    @cached_property
    def became(self) -> Mapping[Place, Place]:
        """Where each rung of the old version stands in the new one; those that are gone are left out."""
        free = {name[:3]: place for place, name in reversed([*self.now.items()])}
        return {place: free[name[:3]] for place, name in self.was.items() if name[:3] in free}

    @cached_property
    def kept(self) -> frozenset[Place]:
        """Where the rungs stand in the new version that the old one had too."""
        return frozenset(self.became.values())

    @cached_property
    def groups(self) -> tuple[Mapping[Place, int], Mapping[Place, int]]:
        """The rungs of the old and of the new version, numbered: those that are the same have the same number."""
        numbers: dict[tuple[object, ...], int] = {}
        was, now = (
            {place: numbers.setdefault(name[:3], len(numbers)) for place, name in rungs.items()}
            for rungs in (self.was, self.now)
        )
        return was, now

    @cached_property
    def group_names(self) -> tuple[Mapping[int, RungName], Mapping[int, RungName]]:
        """What the rungs of a number are called in the old and in the new version."""
        was, now = self.groups
        return {was[place]: name for place, name in self.was.items()}, {
            now[place]: name for place, name in self.now.items()
        }

    def known(self, action: str, kind: str | None) -> Known:
        """Return what an action is here; of its form, only what both versions have is asked."""
        found = self._known.get((action, kind))
        if found is None:
            forms = [spec.needs for rules in (self.old, self.new) if (spec := step_of(rules, action, kind)) is not None]
            asked = frozenset.intersection(*map(frozenset, forms)) if forms else None
            names_others = any(field.type == "grievance" for form in forms for field in form.values())
            opens = action.removeprefix(OPEN) if action.startswith(OPEN) else None
            aside = action in _ASIDE or action.startswith((RUNG, FOLLOW))
            found = Known(step_of(self.new, action, kind), asked, _checked(forms), names_others, opens, aside)
            self._known[action, kind] = found
        return found

    def titles(self, action: str, kind: str | None) -> str:
        """Return what people call an action, of the new version, else the old, else its name."""
        spec = step_of(self.new, action, kind) or step_of(self.old, action, kind)
        return spec.title if spec is not None else action


def _checked(forms: Sequence[Mapping[str, FieldSpec]]) -> bool:
    """Say whether what was right in the one form is right in the other; units come and go, whatever a form says."""
    return (
        len(forms) > 1
        and forms[0] == forms[1]
        and all(field.type != "unit" and _by_itself(field) for field in forms[0].values())
    )


def _by_itself(field: FieldSpec) -> bool:
    """Say whether only the form itself decides whether a field is asked, not where the grievance stands."""
    return field.when is None or all(name.startswith("form.") for name in field.when.fact_names)


def step_of(rules: Rules, action: str, kind: str | None) -> StepSpec | None:
    """Return what an action of a flow, or `open:kind`, is in these rules."""
    if action.startswith(OPEN):
        task = rules.workflow.tasks.get(action.removeprefix(OPEN))
        return task.open if task else None
    flow = flow_named(rules, kind)
    return flow.actions.get(action) if flow else None


def flow_named(rules: Rules, kind: str | None) -> Flow | None:
    """Return the main flow, or that of a kind of task; None where these rules have no such kind."""
    return rules.workflow if kind is None else rules.workflow.tasks.get(kind)


def _rungs(rules: Rules, mapping: VersionMapping | None) -> dict[Place, RungName]:
    found: dict[Place, RungName] = {}
    flows: list[tuple[str | None, Flow]] = [(None, rules.workflow), *rules.workflow.tasks.items()]
    for kind, flow in flows:
        for name, clock in flow.clocks.items():
            called = mapping.clock(name) if mapping else name
            where = f"{kind}/{called}" if kind else called
            for index, spec in enumerate(clock.ladder):
                words = f"{_when(spec)}：{rung_title(rules, kind, spec)}"
                does = (spec.do, spec.act, spec.open, spec.document)
                found[kind, name, index] = RungName(where, str(spec.at), does, words)
    return found


def _when(spec: RungSpec) -> str:
    offset = spec.offset
    if offset is None:
        return "到期"
    return f"到期前 {offset.chinese[1:]}" if offset.n < 0 else f"到期后 {offset.chinese}"

"""What conditions may ask about a grievance (conditions.FACTS), taken from its situation."""

import unicodedata
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from operator import attrgetter
from typing import Any, Final

from wuye_loop.domain.grievance.situation import EMPTY, GrievanceState, Situation, TaskState, World
from wuye_loop.domain.time.clock_moves import is_overdue

_ABSENT: Final = object()


class Facts(Mapping[str, Any]):
    """The facts of a situation, each looked up when it is asked: a decision asks a few of the many there are.

    They are those of the moment they are asked in.
    """

    __slots__ = ("_text", "form", "situation", "task", "world")

    def __init__(self, world: World, situation: Situation, task: TaskState | None, form: Mapping[str, Any]) -> None:
        self.world = world
        self.situation = situation
        self.task = task
        self.form = form
        self._text: str | None = None

    @property
    def text(self) -> str:
        """Title and body, folded; kept, because it never changes and every keyword asks for it."""
        if self._text is None:
            grievance = self.situation.grievance
            self._text = f"{_folded(grievance.title)}\n{_folded(grievance.body)}"
        return self._text

    def get(self, key: str, default: Any = None) -> Any:
        """Return one fact, or the default where there is none of that name."""
        of_grievance = _OF_GRIEVANCE.get(key)
        if of_grievance is not None:
            return of_grievance(self.situation.grievance)
        found, member = _reading(key)
        if found is not None:
            return found(self, member, default)
        if self.task is not None and (key in self.task.counts or self._own(key)):
            return self.task.counts.get(key, default)
        return self.situation.grievance.counts.get(key, default)  # named as facts are: done.sign, tasks.assist

    def _own(self, key: str) -> bool:
        """Say whether a count is of the task's own actions: in its conditions done.x is never the main flow's x."""
        family, _, name = key.partition(".")
        kind = self.task.kind if self.task is not None else ""
        return family == "done" and name in self.world.rules.workflow.tasks[kind].actions

    def __getitem__(self, key: str) -> Any:
        """Return one fact; KeyError where there is none of that name."""
        found = self.get(key, _ABSENT)
        if found is _ABSENT:
            raise KeyError(key)
        return found

    def __iter__(self) -> Iterator[str]:
        """Yield the names of all facts."""
        return iter(self.every())

    def __len__(self) -> int:
        """Return how many facts there are."""
        return len(self.every())

    def every(self) -> dict[str, Any]:
        """Return all that may be asked by name."""
        grievance, task = self.situation.grievance, self.task
        facts = {name: read(grievance) for name, read in _OF_GRIEVANCE.items()}
        facts["lead_final"] = self["lead_final"]
        facts |= grievance.counts
        facts |= _family("data", grievance.data)
        facts |= _family("earlier", grievance.data.get("earlier", EMPTY))
        for item in self.situation.tasks.values():
            if not item.final:
                name = f"open.{item.kind}"
                facts[name] = facts.get(name, 0) + 1
        for clocks in self.situation.going().values():
            for clock in clocks.values():
                if is_overdue(clock, self.world.now):
                    facts[f"overdue.{clock.name}"] = True
        if task is not None:
            facts = {**{name: value for name, value in facts.items() if not self._own(name)}, **task.counts}
            facts["document"] = task.document
            facts |= _family("data", task.data)
        facts |= _family("form", self.form)
        facts |= {name: read(self, "", None) for name, read in _TEXTS.items()}
        return facts | _family("extra", grievance.extra)


def _family(name: str, values: Mapping[str, Any]) -> dict[str, Any]:
    return {f"{name}.{key}": value for key, value in values.items()}


def facts_of(
    world: World, situation: Situation, task: TaskState | None = None, form: Mapping[str, Any] | None = None
) -> Facts:
    """Return the facts of a situation, as a task's own conditions and those of a form see them."""
    return Facts(world, situation, task, form or EMPTY)


# --- what each fact is ----------------------------------------------------------------------------------------------

_OF_GRIEVANCE: Final[Mapping[str, Callable[[GrievanceState], Any]]] = {
    "source": attrgetter("source"),
    "channel": attrgetter("channel"),
    "kind": attrgetter("kind"),
    "urgency": attrgetter("urgency"),
    "category": attrgetter("category"),
    "area": attrgetter("area_code"),
    "level": attrgetter("level"),
    "estate": attrgetter("estate_code"),
    "company": attrgetter("company_code"),
    "managed": lambda grievance: grievance.company_code is not None,
    "anonymous": attrgetter("anonymous"),
    "state": attrgetter("state"),
    "stage": attrgetter("stage"),
    "cycle": attrgetter("cycle"),
    "lead": attrgetter("lead_unit"),
    "followers": attrgetter("followers"),
    "urged": attrgetter("urged"),
    "repeat": lambda grievance: grievance.data.get("repeat", 0),
    "estate_kind": lambda grievance: grievance.data.get("estate_kind"),
    "origin": lambda grievance: grievance.data.get("origin"),
    "answered": lambda grievance: grievance.data.get("answered", "complainant"),
}

Found = Callable[[Facts, str, Any], Any]  # (facts, the name after the dot, what stands for its absence)


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text)


def _category_path(facts: Facts, _: str, __: Any) -> list[str]:
    category = facts.situation.grievance.category
    parts = category.split("/") if category else []
    return ["/".join(parts[: n + 1]) for n in range(len(parts))]


def _lead_final(facts: Facts, _: str, __: Any) -> bool:
    return facts.world.lead is not None and facts.world.lead.final


def _document(facts: Facts, _: str, default: Any) -> Any:
    return facts.task.document if facts.task is not None else default


def _open(facts: Facts, kind: str, default: Any) -> Any:
    return facts.situation.open_tasks(kind) or default


def _overdue(facts: Facts, name: str, default: Any) -> Any:
    now = facts.world.now
    for clocks in facts.situation.going().values():
        if name in clocks and is_overdue(clocks[name], now):
            return True
    return default


def _data(facts: Facts, name: str, default: Any) -> Any:
    if facts.task is not None and name in facts.task.data:
        return facts.task.data[name]
    return facts.situation.grievance.data.get(name, default)


def _age(facts: Facts, _: str, __: Any) -> int:
    world = facts.world
    return world.calendar.workdays_between(facts.situation.grievance.received_at, world.now)


def _workday(facts: Facts, _: str, __: Any) -> bool:
    calendar = facts.world.calendar
    return calendar.is_workday(calendar.local_date(facts.world.now))


_TEXTS: Final[Mapping[str, Found]] = {
    "title": lambda facts, _, __: _folded(facts.situation.grievance.title),
    "body": lambda facts, _, __: _folded(facts.situation.grievance.body),
    "text": lambda facts, _, __: facts.text,
    "areas": lambda facts, _, __: [code for code in facts.situation.grievance.area_path.split("/") if code],
    "category_path": _category_path,
    "age_workdays": _age,
    "workday": _workday,
    "hour": lambda facts, _, __: facts.world.calendar.local(facts.world.now).hour,
}
_OTHERS: Final[Mapping[str, Found]] = {**_TEXTS, "lead_final": _lead_final, "document": _document}


@lru_cache(maxsize=4096)
def _reading(name: str) -> tuple[Found | None, str]:
    """Return what finds a fact of this name and what follows its dot; counts are found by their whole name."""
    family, dot, member = name.partition(".")
    return (_FAMILIES.get(family), member) if dot else (_OTHERS.get(name), "")


_FAMILIES: Final[Mapping[str, Found]] = {
    "earlier": lambda facts, name, default: facts.situation.grievance.data.get("earlier", EMPTY).get(name, default),
    "open": _open,
    "overdue": _overdue,
    "data": _data,
    "form": lambda facts, name, default: facts.form.get(name, default),
    "extra": lambda facts, name, default: facts.situation.grievance.extra.get(name, default),
}

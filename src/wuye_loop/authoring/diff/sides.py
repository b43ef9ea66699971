"""What a comparison of two definitions works with: both sides, their words, and which old name became which new one."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Any, Final, Self

from wuye_loop.authoring.diff.aligned import copied, keyed, renamed, told_apart
from wuye_loop.authoring.diff.values import called, shown
from wuye_loop.domain.language.parts import Part
from wuye_loop.domain.language.workflow import Flow, Migration, TaskKind, Workflow
from wuye_loop.domain.phrases import phrase, respelt
from wuye_loop.domain.wording.definition import Wording, quoted

RED: Final = "红线"
RUNNING: Final = "运行中的诉求"
SIGHT: Final = "公开范围"
EVERYBODY: Final = "各方"
SYSTEM: Final = "系统"
CLERK: Final = "规则维护人员"
_NAMED: Final = ("states", "clocks", "actions", "roles", "instruments", "sources", "labels", "tasks", "ratings")
_TIGHT: Final = re.compile(r"(?<=[0-9A-Za-z])(?=改为|改转|移到|且|时)")
_LOOSE: Final = re.compile(r" +(?=[，；：、。）”]|$)")  # a number's or a code's space, before a mark or at the end


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that changes: for whom, what it is about, a stable kind, where it stands in either file, in words."""

    who: str
    what: str
    kind: str
    path_a: str | None
    path_b: str | None
    words: str


@dataclass(frozen=True)
class Sides:
    """The two definitions as they are compared: with B's names where its file maps them, equal titles told apart.

    Keys of A's states, clocks and roles are A's own; whatever mentions one has B's name for it. `files` is what is written.
    """

    a: Workflow
    b: Workflow
    files: tuple[Workflow, Workflow]
    in_a: Wording
    in_b: Wording
    in_either: Wording  # knows B's names, and those that A alone has
    moved: Migration

    @classmethod
    def of(cls, one: Workflow, other: Workflow) -> Self:
        """Line up two definitions as their files have them."""
        moved = other.migrates.get(one.id, Migration())
        a, b = told_apart(renamed(one, other, moved), other, moved)
        old = keyed(a, b, moved)
        either = copied(b, **{key: {**getattr(old, key), **getattr(b, key)} for key in _NAMED})
        return cls(a, b, (one, other), Wording(old), Wording(b), Wording(either), moved)

    def role(self, name: str) -> str:
        """Return the title by which a role of either side is known; B's own where it has the role."""
        return self.in_b.role(name) if name in self.b.roles else self.in_a.role(name)

    @property
    def resident(self) -> str:
        """How the complainant is called."""
        roles = (*self.b.roles.values(), *self.a.roles.values())
        return next((role.title for role in roles if role.is_ == "complainant"), "诉求人")

    @property
    def leads(self) -> list[str]:
        """The titles of the roles that the lead unit plays; the system's where none is named."""
        found = [role.title for role in (*self.b.roles.values(), *self.a.roles.values()) if role.unit == "lead"]
        return list(dict.fromkeys(found)) or [SYSTEM]


@dataclass(frozen=True)
class Place:
    """A flow of both sides: the main one (no kind), or that of a kind of task."""

    sides: Sides
    kind: str | None = None

    @property
    def flows(self) -> tuple[Flow, Flow]:
        """The flow on either side."""
        return self.sides.a.flow(self.kind), self.sides.b.flow(self.kind)

    @property
    def of(self) -> str:
        """What stands before the name of a part: nothing, or the task's title."""
        return phrase("{task}任务的", task=self.sides.in_b.task(self.kind)) if self.kind else ""

    @property
    def path(self) -> str:
        """Where the flow stands in a file."""
        return f"tasks.{self.kind}." if self.kind else ""

    @property
    def written(self) -> tuple[Flow, Flow]:
        """The flow as either file has it."""
        old, new = self.sides.files
        return old.flow(self.kind), new.flow(self.kind)

    @property
    def states(self) -> Mapping[str, str]:
        """The states of A that B's file maps to others."""
        return self.sides.moved.states if self.kind is None else self.sides.moved.tasks.get(self.kind, {})

    def roles(self, names: Iterable[str]) -> list[str]:
        """Return the titles of those whom role names mean here; holder and opener are resolved to the task's own."""
        found: list[str] = []
        for name in names:
            if name in ("holder", "opener") and self.kind:
                found += self._party(name)
            else:
                found.append(self.sides.role(name))
        return list(dict.fromkeys(found))

    def _party(self, name: str) -> list[str]:
        kind = self.sides.b.tasks.get(self.kind or "") or self.sides.a.tasks[self.kind or ""]
        if name == "opener":
            return self._openers(kind)
        if kind.holder in self.sides.b.roles or kind.holder in self.sides.a.roles:
            return [self.sides.role(kind.holder)]
        return (
            self._openers(kind)
            if kind.holder == "opener"
            else [phrase("{title}任务的持有单位", title=quoted(kind.title))]
        )

    def _openers(self, kind: TaskKind) -> list[str]:
        return [self.sides.role(by) for by in kind.open.by if by != "system"] or [
            phrase("{title}任务的发起单位", title=quoted(kind.title))
        ]


def told(
    who: Iterable[str], what: str, kind: str, words: str, path_a: str | None = None, path_b: str | None = None
) -> Iterator[Change]:
    """Yield a change for each of those whom it concerns."""
    said = respelt(words, lambda text: _TIGHT.sub(" ", _LOOSE.sub("", text)))
    for title in dict.fromkeys(who):
        yield Change(title, what, kind, path_a, path_b, said)


def paired(
    old: Mapping[str, Any], new: Mapping[str, Any], moved: Mapping[str, str]
) -> tuple[list[tuple[str, str]], list[str], list[str]]:
    """Return which names of A and B belong together, which are gone and which are new."""
    pairs = [(name, moved.get(name, name)) for name in old if moved.get(name, name) in new]
    taken = {name for _, name in pairs}
    gone = [name for name in old if moved.get(name, name) not in new]
    return pairs, gone, [name for name in new if name not in taken]


def compared(pairs: Iterable[tuple[str, str]]) -> set[tuple[str, str]]:
    """Return one pair for each name of B: of several that became one, the one that kept its name, else the first."""
    found: dict[str, str] = {}
    for a, b in pairs:
        if b not in found or a == b:
            found[b] = a
    return {(a, b) for b, a in found.items()}


def pairs_of(groups: Iterable[Iterable[str]]) -> set[frozenset[str]]:
    """Return every two names that stand in one group."""
    return {frozenset(pair) for group in groups for pair in combinations(dict.fromkeys(group), 2)}


def rest(old: Part, new: Part, seen: Iterable[str], what: str, who: Iterable[str], path: str) -> Iterator[Change]:
    """Yield what differs in the keys that no sentence of its own was made for, so that nothing goes unsaid."""
    titles = list(who)
    for name, info in type(old).model_fields.items():
        before, after = getattr(old, name), getattr(new, name)
        if name in seen or before == after:
            continue
        key = info.alias or name
        audience = [CLERK] if name == "source" else titles
        words = phrase(
            "{what}{called}由{before}改为{after}",
            what=what,
            called=called(key),
            before=shown(before),
            after=shown(after),
        )
        yield from told(audience, what, f"{key}-changed", words, f"{path}.{key}", f"{path}.{key}")

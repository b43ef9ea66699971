"""What changes in the states of a flow: which there are, who holds the grievance in them, who sees it."""

from collections.abc import Iterator

from wuye_loop.authoring.diff.sides import EVERYBODY, RUNNING, Change, Place, compared, paired, rest, told
from wuye_loop.authoring.diff.values import NOTHING
from wuye_loop.domain.language.workflow import State
from wuye_loop.domain.phrases import joined, phrase
from wuye_loop.domain.wording.definition import quoted

_STATE = frozenset({"title", "stage", "holder", "watched_by", "final", "parked"})


def states(place: Place) -> Iterator[Change]:
    """Yield what changes in the states of a flow; one that vanishes is dangerous for whoever is in it."""
    old, new = (flow.states for flow in place.flows)
    pairs, gone, fresh = paired(old, new, place.states)
    for name in gone:
        title = phrase("{of}状态{title}", of=place.of, title=quoted(old[name].title))
        words = phrase("{title}没有了：停在这里的要在 migrates 里写明去处", title=title)
        yield from told([RUNNING], title, "state-removed", words, _path(place, name))
        yield from told(
            _holders(place, old[name]), title, "state-removed", phrase("不再有{title}", title=title), _path(place, name)
        )
    for name in fresh:
        spec = new[name]
        title = phrase("{of}状态{title}", of=place.of, title=quoted(spec.title))
        held = phrase("，由{who}持有", who=joined(_holders(place, spec))) if spec.holder else ""
        words = phrase("新增{title}{held}，是终态" if spec.final else "新增{title}{held}", title=title, held=held)
        yield from told(_holders(place, spec), title, "state-added", words, None, _path(place, name))
    for a, b in pairs:
        if a != b:
            was, now = place.written[0].states[a].title, place.written[1].states[b].title
            words = phrase(
                "停在{of}状态{was}（{a}）的，转到{now}（{b}）", of=place.of, was=quoted(was), a=a, now=quoted(now), b=b
            )
            yield from told([RUNNING], was, "state-mapped", words, _path(place, a), _path(place, b))
        if (a, b) in compared(pairs):
            yield from _state(place, a, b, old[a], new[b])
    first = next(iter(old))
    if place.states.get(first, first) != next(iter(new)):
        words = phrase(
            "{of}起始状态由{old_title}改为{new_title}",
            of=place.of or "新诉求",
            old_title=quoted(next(iter(old.values())).title),
            new_title=quoted(next(iter(new.values())).title),
        )
        yield from told([EVERYBODY], "起始状态", "start-changed", words, f"{place.path}states", f"{place.path}states")


def _path(place: Place, name: str) -> str:
    return f"{place.path}states.{name}"


def _holders(place: Place, spec: State) -> list[str]:
    return place.roles([spec.holder]) if spec.holder else [EVERYBODY]


def holders(place: Place, names: Iterator[str]) -> list[str]:
    """Return the titles of those who hold the grievance or the task in any of the states, on either side."""
    found: list[str] = []
    old, new = (flow.states for flow in place.flows)
    for name in names:
        spec = new.get(name) or old.get(name)
        if spec is not None and not spec.final:
            found += place.roles([spec.holder or ("holder" if place.kind else "system")])
    return list(dict.fromkeys(found)) or [EVERYBODY]


def _state(place: Place, a: str, b: str, old: State, new: State) -> Iterator[Change]:
    title = phrase("{of}状态{title}", of=place.of, title=quoted(new.title))
    paths = (_path(place, a), _path(place, b))
    who = list(dict.fromkeys([*_holders(place, old), *_holders(place, new)]))
    if old.title != new.title and a == b:
        yield from told(
            who,
            title,
            "renamed",
            phrase(
                "{of}状态{old_title}改称{new_title}",
                of=place.of,
                old_title=quoted(old.title),
                new_title=quoted(new.title),
            ),
            *paths,
        )
    if old.holder != new.holder:
        before, after = (
            place.sides.in_a.roles(filter(None, [old.holder])),
            place.sides.in_b.roles(filter(None, [new.holder])),
        )
        yield from told(
            who,
            title,
            "holder-changed",
            phrase("{title}由{before}持有改为由{after}持有", title=title, before=before, after=after),
            *paths,
        )
    if old.stage != new.stage:
        names = [stage.chinese if stage else NOTHING for stage in (old.stage, new.stage)]
        yield from told(
            who,
            title,
            "stage-changed",
            phrase(
                "{title}由环节{old_names}改到{new_names}",
                title=title,
                old_names=quoted(names[0]),
                new_names=quoted(names[1]),
            ),
            *paths,
        )
    yield from _watchers(place, old, new, title, paths)
    if old.final != new.final:
        words = (
            phrase("{title}改为终态：停在这里的视为已结", title=title)
            if new.final
            else phrase("{title}不再是终态：停在这里的又成了未结", title=title)
        )
        yield from told([RUNNING, *who], title, "final-changed", words, *paths)
    if old.parked != new.parked:
        words = phrase("{title}改为有意不计时" if new.parked else "{title}不再是有意不计时的状态", title=title)
        yield from told(who, title, "parked-changed", words, *paths)
    yield from rest(old, new, _STATE, title, who, paths[1])


def _watchers(place: Place, old: State, new: State, title: str, paths: tuple[str, str]) -> Iterator[Change]:
    before, after = old.watched_by, new.watched_by
    for who in place.roles(name for name in after if name not in before):
        yield from told([who], title, "sees", phrase("因关注看得到在{title}的诉求", title=title), *paths)
    for who in place.roles(name for name in before if name not in after):
        yield from told([who], title, "sees-not", phrase("不再因关注看到在{title}的诉求", title=title), *paths)

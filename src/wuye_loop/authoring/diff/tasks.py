"""What changes in the kinds of task: which can be opened, by whom, who holds them, and the flow of each."""

from collections.abc import Callable, Iterator

from wuye_loop.authoring.diff.actions import actions, step
from wuye_loop.authoring.diff.clocks import clocks
from wuye_loop.authoring.diff.sides import RUNNING, SYSTEM, Change, Place, Sides, pairs_of, rest, told
from wuye_loop.authoring.diff.states import states
from wuye_loop.domain.language.workflow import TaskKind
from wuye_loop.domain.phrases import joined, phrase
from wuye_loop.domain.wording.definition import Wording, listed, offset, quoted

_KIND = frozenset(
    {
        "title",
        "open",
        "holder",
        "fallback",
        "single",
        "on_parent",
        "opener_decides",
        "pauses",
        "separate",
        "states",
        "clocks",
        "actions",
    }
)
_PARTS: tuple[Callable[[Place], Iterator[Change]], ...] = (states, clocks, actions)


def flow(place: Place) -> Iterator[Change]:
    """Yield what changes in one flow: its states, clocks and actions."""
    for part in _PARTS:
        yield from part(place)


def tasks(sides: Sides) -> Iterator[Change]:
    """Yield what changes in the kinds of task; one that vanishes is dangerous for those that are open."""
    old, new = sides.a.tasks, sides.b.tasks
    for name, kind in old.items():
        if name in new:
            continue
        path = f"tasks.{name}"
        words = phrase("任务{title}没有了：未办结的这种任务在新版里无处可去", title=quoted(kind.title))
        yield from told([RUNNING], kind.title, "task-removed", words, path)
        for who in _openers(sides, kind):
            said = (
                phrase("不再自动开{title}", title=quoted(kind.title))
                if who == SYSTEM
                else phrase("不能再发起{title}", title=quoted(kind.title))
            )
            yield from told([who], kind.title, "task-removed", said, path)
    for name, kind in new.items():
        path = f"tasks.{name}"
        if name not in old:
            yield from _added(Place(sides, name), kind, path)
        elif kind != old[name]:
            yield from _task(Place(sides, name), old[name], kind, path)


def _openers(sides: Sides, kind: TaskKind) -> list[str]:
    return list(dict.fromkeys(sides.role(name) for name in kind.open.by))


def _added(place: Place, kind: TaskKind, path: str) -> Iterator[Change]:
    """Yield a new kind of task to those who open it and to those who decide: who, by when, and what they may do."""
    openers = _openers(place.sides, kind)
    deciders: dict[str, list[str]] = {}
    for action in kind.actions.values():
        for who in place.roles(name for name in action.by if name != "system"):
            deciders.setdefault(who, []).append(quoted(action.title))
    may = [phrase("{who}可以做{titles}", who=who, titles=listed(titles)) for who, titles in deciders.items()]
    apart = place.sides.in_b.apart(kind.separate)
    said = joined(filter(None, [_opening(place.sides.in_b, kind), *_limits(place, kind), *may, apart]), "；")
    for who in openers:
        form = "由系统开任务{title}：{said}" if who == SYSTEM else "可以发起任务{title}：{said}"
        yield from told([who], kind.title, "task-added", phrase(form, title=quoted(kind.title), said=said), None, path)
    others = [who for who in [*place.roles(["holder"]), *deciders] if who not in openers]
    yield from told(
        others,
        kind.title,
        "task-added",
        phrase("新增任务{title}：{said}", title=quoted(kind.title), said=said),
        None,
        path,
    )


def _opening(words: Wording, kind: TaskKind) -> str:
    by = phrase("由{roles}发起", roles=words.roles(kind.open.by)) if kind.open.by else "只随逐条交办的文书发起"
    fallback = phrase("（没有时由{role}）", role=words.role(kind.fallback)) if kind.fallback else ""
    times = phrase("，{times}", times=words.times(kind.open.limit)) if kind.open.limit else ""
    within = phrase("，{within}之内", within=kind.open.within.chinese) if kind.open.within else ""
    return phrase(
        "{where}{by}{within}{times}，由{role}办理{fallback}",
        where=_where(words, kind),
        by=by,
        within=within,
        times=times,
        role=words.role(kind.holder),
        fallback=fallback,
    )


def _where(words: Wording, kind: TaskKind) -> str:
    return phrase("在{states}", states=words.states(kind.open.from_)) if kind.open.from_ else ""


def _limits(place: Place, kind: TaskKind) -> Iterator[str]:
    words = place.sides.in_b
    for clock in kind.clocks.values():
        limits = joined((words.limit(limit, clock.starts) for limit in clock.limit), "，")
        silent = [
            phrase("{offset}{rung}", offset=offset(rung.at), rung=words.rung(rung, place.kind))
            for rung in clock.ladder
            if rung.act
        ]
        yield joined([phrase("{title} {limits}", title=clock.title, limits=limits), *silent], "，")


def _task(place: Place, old: TaskKind, new: TaskKind, path: str) -> Iterator[Change]:
    sides, title = place.sides, phrase("{title}任务", title=quoted(new.title))
    who = _openers(sides, new)
    if old.title != new.title:
        yield from told(
            who,
            title,
            "renamed",
            phrase("任务{old_title}改称{new_title}", old_title=quoted(old.title), new_title=quoted(new.title)),
            path,
            path,
        )
    if old.holder != new.holder:
        words = phrase(
            "{title}由{old_role}办理改为由{new_role}办理",
            title=title,
            old_role=sides.in_a.role(old.holder),
            new_role=sides.in_b.role(new.holder),
        )
        both = [sides.role(old.holder), sides.role(new.holder)]
        yield from told([*both, *who], title, "task-holder-changed", words, path, path)
    if old.fallback != new.fallback:
        before, after = (
            words.role(kind.fallback) if kind.fallback else "诉求的持有单位"
            for words, kind in ((sides.in_a, old), (sides.in_b, new))
        )
        said = phrase(
            "{title}找不到上一级单位时，由{before}办理改为由{after}办理", title=title, before=before, after=after
        )
        yield from told(who, title, "task-holder-changed", said, path, path)
    if old.single != new.single:
        words = phrase("{title}同时最多一件未结" if new.single else "{title}不再限于同时一件", title=title)
        yield from told(who, title, "single-changed", words, path, path)
    yield from _following(old, new, (title, who, path))
    if old.opener_decides != new.opener_decides:
        words = phrase(
            "{title}的发起方也可以自己决定" if new.opener_decides else "{title}不能由发起方自己决定", title=title
        )
        yield from told(who, title, "opener-decides-changed", words, path, path)
    if old.pauses != new.pauses:
        before, after = (
            listed(quoted(flow.clocks[name].title) for name in kind.pauses if name in flow.clocks) or "没有时限"
            for flow, kind in ((sides.a, old), (sides.b, new))
        )
        words = phrase("{title}未结时停住的由{before}改为{after}", title=title, before=before, after=after)
        yield from told(who, title, "pauses-changed", words, path, path)
    yield from _apart(sides, old, new, (title, who, path))
    if old.open != new.open:
        yield from step(place, old.open, new.open, quoted(new.open.title), (f"{path}.open", f"{path}.open"))
        seen = set(type(new.open).model_fields) - {"source"}
        yield from rest(old.open, new.open, seen, quoted(new.open.title), who, f"{path}.open")
    yield from flow(place)
    yield from rest(old, new, _KIND, title, who, path)


_WHEN = {"final": "办结", "merge": "并案", "suspend": "挂起", "leave": "离开能发起的状态"}
_THEN = {"withdraw": "撤回", "pause": "暂停", "keep": "照旧办理"}


def _following(old: TaskKind, new: TaskKind, told_to: tuple[str, list[str], str]) -> Iterator[Change]:
    """Yield what becomes of an open task when its grievance goes where it is no longer asked for."""
    title, who, path = told_to
    for key, when in _WHEN.items():
        before, after = getattr(old.on_parent, key), getattr(new.on_parent, key)
        if before != after:
            words = phrase(
                "诉求{when}时，未结的{title}由{old_then}改为{new_then}",
                when=when,
                title=title,
                old_then=_THEN[before],
                new_then=_THEN[after],
            )
            yield from told(who, title, "on-parent-changed", words, path, path)


def _apart(sides: Sides, old: TaskKind, new: TaskKind, told_to: tuple[str, list[str], str]) -> Iterator[Change]:
    """Yield whom a kind of task keeps apart now, or no longer, by pairs."""
    title, who, path = told_to
    before, after = pairs_of(old.separate), pairs_of(new.separate)
    at = f"{path}.separate"
    for pair in sorted(before ^ after, key=sorted):
        one, other = sorted(map(sides.role, pair))
        said = {"title": title, "one": quoted(one), "other": quoted(other)}
        if pair in after:
            words = phrase("同一件{title}的{one}与{other}必须是不同的单位", **said)
            yield from told(who, title, "separation-added", words, None, at)
        else:
            words = phrase("同一件{title}的{one}与{other}可以是同一个单位", **said)
            yield from told(who, title, "separation-removed", words, at)

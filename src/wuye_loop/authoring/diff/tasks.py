"""What changes in the kinds of task: which can be opened, by whom, who holds them, and the flow of each."""

from collections.abc import Callable, Iterator

from wuye_loop.authoring.diff.actions import actions, step
from wuye_loop.authoring.diff.clocks import clocks
from wuye_loop.authoring.diff.sides import RUNNING, SYSTEM, Change, Place, Sides, pairs_of, rest, told
from wuye_loop.authoring.diff.states import states
from wuye_loop.domain.language.workflow import TaskKind
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
        words = f"任务{quoted(kind.title)}没有了：未办结的这种任务在新版里无处可去"
        yield from told([RUNNING], kind.title, "task-removed", words, path)
        for who in _openers(sides, kind):
            said = f"不再自动开{quoted(kind.title)}" if who == SYSTEM else f"不能再发起{quoted(kind.title)}"
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
    may = [f"{who}可以做{listed(titles)}" for who, titles in deciders.items()]
    apart = place.sides.in_b.apart(kind.separate)
    said = "；".join(filter(None, [_opening(place.sides.in_b, kind), *_limits(place, kind), *may, apart]))
    for who in openers:
        head = "由系统开任务" if who == SYSTEM else "可以发起任务"
        yield from told([who], kind.title, "task-added", f"{head}{quoted(kind.title)}：{said}", None, path)
    others = [who for who in [*place.roles(["holder"]), *deciders] if who not in openers]
    yield from told(others, kind.title, "task-added", f"新增任务{quoted(kind.title)}：{said}", None, path)


def _opening(words: Wording, kind: TaskKind) -> str:
    by = f"由{words.roles(kind.open.by)}发起" if kind.open.by else "只随逐条交办的文书发起"
    fallback = f"（没有时由{words.role(kind.fallback)}）" if kind.fallback else ""
    times = f"，{words.times(kind.open.limit)}" if kind.open.limit else ""
    within = f"，{kind.open.within.chinese}之内" if kind.open.within else ""
    return f"{_where(words, kind)}{by}{within}{times}，由{words.role(kind.holder)}办理{fallback}"


def _where(words: Wording, kind: TaskKind) -> str:
    return f"在{words.states(kind.open.from_)}" if kind.open.from_ else ""


def _limits(place: Place, kind: TaskKind) -> Iterator[str]:
    words = place.sides.in_b
    for clock in kind.clocks.values():
        limits = "，".join(words.limit(limit, clock.starts) for limit in clock.limit)
        silent = [f"{offset(rung.at)}{words.rung(rung, place.kind)}" for rung in clock.ladder if rung.act]
        yield f"{clock.title} {limits}" + (f"，{'，'.join(silent)}" if silent else "")


def _task(place: Place, old: TaskKind, new: TaskKind, path: str) -> Iterator[Change]:
    sides, title = place.sides, f"{quoted(new.title)}任务"
    who = _openers(sides, new)
    if old.title != new.title:
        yield from told(who, title, "renamed", f"任务{quoted(old.title)}改称{quoted(new.title)}", path, path)
    if old.holder != new.holder:
        words = f"{title}由{sides.in_a.role(old.holder)}办理改为由{sides.in_b.role(new.holder)}办理"
        both = [sides.role(old.holder), sides.role(new.holder)]
        yield from told([*both, *who], title, "task-holder-changed", words, path, path)
    if old.fallback != new.fallback:
        before, after = (
            words.role(kind.fallback) if kind.fallback else "诉求的持有单位"
            for words, kind in ((sides.in_a, old), (sides.in_b, new))
        )
        said = f"{title}找不到上一级单位时，由{before}办理改为由{after}办理"
        yield from told(who, title, "task-holder-changed", said, path, path)
    if old.single != new.single:
        words = f"{title}{'同时最多一件未结' if new.single else '不再限于同时一件'}"
        yield from told(who, title, "single-changed", words, path, path)
    yield from _following(old, new, (title, who, path))
    if old.opener_decides != new.opener_decides:
        words = f"{title}{'的发起方也可以自己决定' if new.opener_decides else '不能由发起方自己决定'}"
        yield from told(who, title, "opener-decides-changed", words, path, path)
    if old.pauses != new.pauses:
        before, after = (
            listed(quoted(flow.clocks[name].title) for name in kind.pauses if name in flow.clocks) or "没有时限"
            for flow, kind in ((sides.a, old), (sides.b, new))
        )
        words = f"{title}未结时停住的由{before}改为{after}"
        yield from told(who, title, "pauses-changed", words, path, path)
    yield from _apart(sides, old, new, (title, who, path))
    if old.open != new.open:
        yield from step(place, old.open, new.open, f"“{new.open.title}”", (f"{path}.open", f"{path}.open"))
        seen = set(type(new.open).model_fields) - {"source"}
        yield from rest(old.open, new.open, seen, f"“{new.open.title}”", who, f"{path}.open")
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
            words = f"诉求{when}时，未结的{title}由{_THEN[before]}改为{_THEN[after]}"
            yield from told(who, title, "on-parent-changed", words, path, path)


def _apart(sides: Sides, old: TaskKind, new: TaskKind, told_to: tuple[str, list[str], str]) -> Iterator[Change]:
    """Yield whom a kind of task keeps apart now, or no longer, by pairs."""
    title, who, path = told_to
    before, after = pairs_of(old.separate), pairs_of(new.separate)
    at = f"{path}.separate"
    for pair in sorted(before ^ after, key=sorted):
        one, other = sorted(map(sides.role, pair))
        both = f"同一件{title}的{quoted(one)}与{quoted(other)}"
        if pair in after:
            yield from told(who, title, "separation-added", f"{both}必须是不同的单位", None, at)
        else:
            yield from told(who, title, "separation-removed", f"{both}可以是同一个单位", at)

"""What changes in clocks: limits by case, start rules, the states they run and pause in, the rungs of their ladders."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from wuye_loop.authoring.diff.cases import Line, Turn, turns
from wuye_loop.authoring.diff.sides import CLERK, RUNNING, SYSTEM, Change, Place, compared, paired, rest, told
from wuye_loop.authoring.diff.states import holders
from wuye_loop.authoring.diff.values import shown
from wuye_loop.domain.language.workflow import ClockSpec, Limit, RungSpec
from wuye_loop.domain.phrases import joined, phrase
from wuye_loop.domain.time.calendar import Starts
from wuye_loop.domain.time.spans import Span, TimeUnit
from wuye_loop.domain.wording.definition import PER, STARTS, Wording, offset, quoted

_CLOCK = frozenset({"title", "during", "paused", "starts", "per", "limit", "ladder", "assessed", "when"})
_MINUTES = {
    TimeUnit.MINUTE: 1, TimeUnit.HOUR: 60, TimeUnit.WORKHOUR: 60, TimeUnit.DAY: 1440, TimeUnit.WORKDAY: 1440,
    TimeUnit.MONTH: 43_200,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Length:
    """What a limit comes to: how long (or until which stored date), counted from when."""

    span: Span | None
    until: str | None
    starts: Starts
    of: str | None = None
    min: int | None = None
    max: int | None = None


def clocks(place: Place) -> Iterator[Change]:
    """Yield what changes in the clocks of a flow; one that vanishes is dangerous for whatever it runs for."""
    old, new = (flow.clocks for flow in place.flows)
    pairs, gone, fresh = paired(old, new, place.sides.moved.clocks)
    for name in gone:
        title = phrase("{of}{title}", of=place.of, title=quoted(old[name].title))
        words = phrase("时限{title}没有了：正在走的要在 migrates 里写明并入哪个时限", title=title)
        yield from told([RUNNING], title, "clock-removed", words, _path(place, name))
        who = holders(place, iter(old[name].during))
        yield from told(who, title, "clock-removed", phrase("不再有时限{title}", title=title), _path(place, name))
    for name in fresh:
        yield from _added(place, name, new[name])
    for a, b in pairs:
        if a != b:
            was, now = place.written[0].clocks[a].title, place.written[1].clocks[b].title
            words = phrase("正在走的{was}（{a}）改按{now}（{b}）", was=quoted(was), a=a, now=quoted(now), b=b)
            yield from told([RUNNING], now, "clock-mapped", words, _path(place, a), _path(place, b))
        if old[a] != new[b] and (a, b) in compared(pairs):
            yield from _clock(place, old[a], new[b], (_path(place, a), _path(place, b)), same=a == b)


def _path(place: Place, name: str) -> str:
    return f"{place.path}clocks.{name}"


def _title(place: Place, spec: ClockSpec) -> str:
    """Return how a clock is called: `办理时限`, and with its task where it has one."""
    return (
        phrase("{task}任务的{title}", task=place.sides.in_b.task(place.kind), title=spec.title)
        if place.kind
        else spec.title
    )


def _added(place: Place, name: str, spec: ClockSpec) -> Iterator[Change]:
    words = place.sides.in_b
    limits = joined((words.limit(limit, spec.starts) for limit in spec.limit), "；")
    meant = phrase("只管{said}，", said=said) if (said := words.condition(spec.when)) else ""
    said = phrase(
        "新增时限{title}：{meant}{limits}，在{states}走",
        title=quoted(_title(place, spec)),
        meant=meant,
        limits=limits,
        states=words.states(spec.during, place.kind),
    )
    yield from told(holders(place, iter(spec.during)), spec.title, "clock-added", said, None, _path(place, name))


def _clock(place: Place, old: ClockSpec, new: ClockSpec, paths: tuple[str, str], *, same: bool) -> Iterator[Change]:
    title = _title(place, new)
    who = holders(place, iter([*old.during, *new.during]))
    if old.title != new.title and same:
        yield from told(
            who,
            title,
            "renamed",
            phrase("时限{old_title}改称{title}", old_title=quoted(_title(place, old)), title=quoted(title)),
            *paths,
        )
    if old.when != new.when:
        was, now = (
            words.condition(spec.when) or "全部诉求"
            for words, spec in ((place.sides.in_a, old), (place.sides.in_b, new))
        )
        said = phrase("{title}：由管{was}改为管{now}；已经起算的不变", title=title, was=was, now=now)
        yield from told(who, title, "clock-when-changed", said, f"{paths[0]}.when", f"{paths[1]}.when")
    yield from _limits(place, old, new, title, who, paths)
    yield from _states(
        place,
        old.during,
        new.during,
        title,
        ("{title}：在{states}也走", "{title}：在{states}不再走"),
        who,
        (*paths, "during"),
    )
    yield from _states(
        place,
        old.paused,
        new.paused,
        title,
        ("{title}：在{states}暂停", "{title}：在{states}不再暂停"),
        who,
        (*paths, "paused"),
    )
    if old.per != new.per:
        yield from told(
            who,
            title,
            "per-changed",
            phrase("{title}：由{old_per}改为{new_per}", title=title, old_per=PER[old.per], new_per=PER[new.per]),
            *paths,
        )
    if old.assessed != new.assessed:
        words = phrase("{title}计入按时率" if new.assessed else "{title}不再计入按时率", title=title)
        yield from told(who, title, "assessed-changed", words, *paths)
    yield from _ladder(place, old, new, title, paths)
    yield from rest(old, new, _CLOCK, title, who, paths[1])


def _states(
    place: Place,
    old: Sequence[str],
    new: Sequence[str],
    title: str,
    forms: tuple[str, str],
    who: Sequence[str],
    paths: tuple[str, str, str],
) -> Iterator[Change]:
    fresh, gone = [name for name in new if name not in old], [name for name in old if name not in new]
    where = (f"{paths[0]}.{paths[2]}", f"{paths[1]}.{paths[2]}")
    if fresh:
        words = phrase(forms[0], title=title, states=place.sides.in_b.states(fresh, place.kind))
        yield from told(who, title, f"{paths[2]}-added", words, *where)
    if gone:
        words = phrase(forms[1], title=title, states=place.sides.in_a.states(gone, place.kind))
        yield from told(who, title, f"{paths[2]}-removed", words, *where)


# --- limits ---------------------------------------------------------------------------------------------------------


def _limits(
    place: Place, old: ClockSpec, new: ClockSpec, title: str, who: Sequence[str], paths: tuple[str, str]
) -> Iterator[Change]:
    before, after = _lines(old), _lines(new)
    several = len(before) > 1 or len(after) > 1
    for turn in turns(before, after):
        words = _moved(place, turn, title, _case(place.sides.in_either, turn, several=several))
        yield from told(who, title, _kind(turn), words, f"{paths[0]}.limit", f"{paths[1]}.limit")
    sources = [shown([limit.source for limit in spec.limit if limit.source]) for spec in (old, new)]
    if sources[0] != sources[1]:
        words = phrase(
            "{title}各条的出处由{old_sources}改为{new_sources}",
            title=title,
            old_sources=sources[0],
            new_sources=sources[1],
        )
        yield from told([CLERK], title, "source-changed", words, f"{paths[0]}.limit", f"{paths[1]}.limit")


def _lines(spec: ClockSpec) -> list[Line]:
    return [
        Line(limit.when, Length(limit.is_, limit.until, limit.starts or spec.starts, limit.of, limit.min, limit.max))
        for limit in spec.limit
    ]


def _case(words: Wording, turn: Turn, *, several: bool) -> str:
    said = joined(words.clause(fact, matcher) for fact, matcher in turn.case.items())
    return said or ("其他" if several else "")


def _moved(place: Place, turn: Turn, title: str, case: str) -> str:
    """Say how a limit moves: its length, else its start alone."""
    was, now = turn.before, turn.after
    said = {"title": title, "old": _long(place.sides.in_a, was), "new": _long(place.sides.in_b, now)}
    other = was is not None and now is not None and was.starts is not now.starts
    if other:
        said |= {"start": STARTS[was.starts], "starts": STARTS[now.starts]}
    if other and replace(was, starts=now.starts) == now:
        form = "{title}：{case}由{start}改为{starts}" if case else "{title}：由{start}改为{starts}"
    elif other:
        form = "{title}：由{old}改为{new}，由{start}改为{starts}"
        form = "{title}：{case}由{old}改为{new}，由{start}改为{starts}" if case else form
    else:
        form = "{title}：{case}由{old}改为{new}" if case else "{title}：由{old}改为{new}"
    return phrase(form, case=case, **said)


def _long(words: Wording, length: Length | None) -> str:
    if length is None:
        return "没有时限"
    said = words.long(
        Limit.model_construct(is_=length.span, until=length.until, of=length.of, min=length.min, max=length.max)
    )
    return phrase(" {said}", said=said) if length.span is not None else said


def _kind(turn: Turn) -> str:
    was, now = turn.before, turn.after
    if was is None or now is None or was.span is None or now.span is None:
        return "limit-changed"
    if was.span == now.span:
        return "start-rule-changed"
    shorter = was.span.n * _MINUTES[was.span.unit] > now.span.n * _MINUTES[now.span.unit]
    return "limit-shorter" if shorter else "limit-longer"


# --- ladders --------------------------------------------------------------------------------------------------------


def _ladder(place: Place, old: ClockSpec, new: ClockSpec, title: str, paths: tuple[str, str]) -> Iterator[Change]:
    was, now = [list(map(_effective, spec.ladder)) for spec in (old, new)]
    gone = [rung for rung in old.ladder if _effective(rung) not in now]
    fresh = [rung for rung in new.ladder if _effective(rung) not in was]
    where = (f"{paths[0]}.ladder", f"{paths[1]}.ladder")
    for kind, alike in (("rung-moved", _same_deed), ("rung-changed", _same_time)):
        for before in list(gone):
            after = next((rung for rung in fresh if alike(before, rung)), None)
            if after is None:
                continue
            gone.remove(before)
            fresh.remove(after)
            words = phrase("{title}：{turned}", title=title, turned=_turned(place, before, after, kind))
            who, said = _addressed(place, [before, after]), kind
            if kind == "rung-moved" and before.at == after.at:  # nothing but where the rule comes from
                who, said = [CLERK], "source-changed"
            yield from told(who, title, said, words, *where)
    for rung in gone:
        words = phrase(
            "{title}：{offset}不再{rung}",
            title=title,
            offset=offset(rung.at),
            rung=place.sides.in_a.rung(rung, place.kind),
        )
        yield from told(_addressed(place, [rung]), title, "rung-removed", words, where[0])
    for rung in fresh:
        words = phrase(
            "{title}：{offset}另{rung}",
            title=title,
            offset=offset(rung.at),
            rung=place.sides.in_b.rung(rung, place.kind),
        )
        yield from told(_addressed(place, [rung]), title, "rung-added", words, None, where[1])


def _effective(rung: RungSpec) -> RungSpec:
    """Return a rung as it is compared: in whatever order it names people, and nobody where nothing is sent to anybody."""
    to = rung.to if rung.do or rung.open else ()
    return rung.model_copy(update={"to": tuple(sorted(to)), "copy_to": tuple(sorted(rung.copy_to))})


def _same_deed(one: RungSpec, other: RungSpec) -> bool:
    return _effective(one.model_copy(update={"at": other.at, "source": other.source})) == _effective(other)


def _same_time(one: RungSpec, other: RungSpec) -> bool:
    return one.at == other.at


def _turned(place: Place, before: RungSpec, after: RungSpec, kind: str) -> str:
    was, now = place.sides.in_a.rung(before, place.kind), place.sides.in_b.rung(after, place.kind)
    if kind == "rung-moved":
        if before.at == after.at:
            return phrase(
                "{offset}这一级的出处由{old_source}改为{new_source}",
                offset=offset(after.at),
                old_source=shown(before.source),
                new_source=shown(after.source),
            )
        return phrase(
            "{now}由{old_offset}移到{new_offset}",
            now=quoted(now),
            old_offset=offset(before.at),
            new_offset=offset(after.at),
        )
    return phrase("{offset}由{was}改为{now}", offset=offset(after.at), was=quoted(was), now=quoted(now))


def _addressed(place: Place, rungs: Iterable[RungSpec]) -> list[str]:
    names = [name for rung in rungs for name in (*rung.to, *rung.copy_to)]
    return place.roles(names) or [SYSTEM]

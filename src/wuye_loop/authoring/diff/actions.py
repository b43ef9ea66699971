"""What changes in actions and in how tasks are opened: who may, from where, on which condition, with what result."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial

from wuye_loop.authoring.diff.aligned import same_titled
from wuye_loop.authoring.diff.cases import Line, turns
from wuye_loop.authoring.diff.effects import effects, in_full, whole
from wuye_loop.authoring.diff.forms import Asked, fields, seen
from wuye_loop.authoring.diff.sides import CLERK, SIGHT, SYSTEM, Change, Place, Sides, paired, rest, told
from wuye_loop.authoring.diff.values import shown
from wuye_loop.domain.language.conditions import Condition
from wuye_loop.domain.language.workflow import ActionSpec, Branch, EffectCall, StepSpec
from wuye_loop.domain.phrases import joined, phrase
from wuye_loop.domain.wording.definition import AUDIENCES, Wording, quoted

InWords = Callable[[Wording, EffectCall], str]

_STEP = frozenset(
    {"title", "by", "from_", "needs", "if_", "limit", "before_due", "signed_by", "effect", "audience", "text"}
)
_ACTION = _STEP | {"to", "within", "then", "outcomes"}


def actions(place: Place) -> Iterator[Change]:
    """Yield what changes in the actions of a flow."""
    old, new = (flow.actions for flow in place.flows)
    pairs, gone, fresh = paired(old, new, {})
    twins = list(same_titled(old, new).items())
    for a, b in twins:
        words = phrase("{named}在文件里的名称由 {a} 改为 {b}", named=_named(place, old[a]), a=a, b=b)
        yield from told([CLERK], _named(place, old[a]), "action-name", words, _path(place, a), _path(place, b))
    for name in gone:
        if name not in {a for a, _ in twins}:
            yield from _lost(place, old[name], name)
    for name in fresh:
        if name not in {b for _, b in twins}:
            yield from _gained(place, new[name], name)
    for a, b in (*pairs, *twins):
        if old[a] != new[b]:
            yield from _action(place, a, b, old[a], new[b])


def _path(place: Place, name: str) -> str:
    return f"{place.path}actions.{name}"


def _named(place: Place, spec: ActionSpec) -> str:
    return phrase("{of}{title}", of=place.of, title=quoted(spec.title))


def _lost(place: Place, spec: ActionSpec, name: str) -> Iterator[Change]:
    what = _named(place, spec)
    for who in place.roles(spec.by):
        words = phrase("不再自动做{what}", what=what) if who == SYSTEM else phrase("不能再做{what}", what=what)
        yield from told([who], what, "action-lost", words, _path(place, name))


def _gained(place: Place, spec: ActionSpec, name: str) -> Iterator[Change]:
    what, words = _named(place, spec), place.sides.in_b
    where = phrase("在{states}", states=words.states(spec.from_, place.kind)) if spec.from_ else ""
    way = joined((words.way(way, spec.to, place.kind) for way in spec.ways), "；")
    for who in place.roles(spec.by):
        form = "由系统做{what}：{where}，{way}" if who == SYSTEM else "可以做{what}：{where}，{way}"
        said = phrase(form, what=what, where=where, way=way)
        yield from told([who], what, "action-gained", said, None, _path(place, name))


def _action(place: Place, a: str, b: str, old: ActionSpec, new: ActionSpec) -> Iterator[Change]:
    what, sides = _named(place, new), place.sides
    yield from step(place, old, new, what, (_path(place, a), _path(place, b)))
    who = _doers(place, old, new)
    if old.within != new.within:
        before = old.within.chinese if old.within else "不限"
        after = new.within.chinese if new.within else "不限"
        words = phrase(
            "{what}的期限（从进入状态起）由{before}改为{after}", what=what, before=_spaced(before), after=_spaced(after)
        )
        yield from told(who, what, "within-changed", words, _path(place, a), _path(place, b))
    for turn in turns(_ways(old), _ways(new)):
        when = joined(sides.in_either.clause(fact, matcher) for fact, matcher in turn.case.items())
        head = (
            phrase("{what}，{when}", what=what, when=when)
            if when
            else (phrase("{what}，其他情形", what=what) if old.outcomes or new.outcomes else what)
        )
        before, after = _led(sides.in_a, turn.before, old, place.kind), _led(sides.in_b, turn.after, new, place.kind)
        if before == after:  # the same doings, that take something else
            before = _led(sides.in_a, turn.before, old, place.kind, in_words=partial(in_full, fields=old.needs))
            after = _led(sides.in_b, turn.after, new, place.kind, in_words=partial(in_full, fields=new.needs))
        words = phrase("{head}：由{before}改为{after}", head=head, before=before, after=after)
        yield from told(who, what, "outcome-changed", words, _path(place, a), _path(place, b))
    yield from rest(old, new, _ACTION, what, who, _path(place, b))


def _spaced(words: str) -> str:
    return words if words == "不限" else phrase(" {words}", words=words)


def _ways(spec: ActionSpec) -> list[Line]:
    """Return the ways an action may end, as lines whose values compare across the two sides."""
    lines = []
    for way in spec.ways:
        to = way.to if way.to is not None else spec.to
        value = Branch(to=to, effect=tuple(map(whole, way.effect)), then=way.then or spec.then)
        lines.append(Line(way.when, value))
    return lines


def _led(
    words: Wording, way: Branch | None, spec: ActionSpec, kind: str | None, in_words: InWords | None = None
) -> str:
    return "“不能做”" if way is None else words.way(way, spec.to, kind, in_words and partial(in_words, words))


def _doers(place: Place, old: StepSpec, new: StepSpec) -> list[str]:
    """Return the titles of those who could and still can."""
    still = [name for name in new.by if name in old.by]
    return place.roles(still or new.by or old.by)


def step(place: Place, old: StepSpec, new: StepSpec, what: str, paths: tuple[str, str]) -> Iterator[Change]:
    """Yield what changes in what actions and openings have in common."""
    sides = place.sides
    who = _doers(place, old, new)
    if old.title != new.title:
        yield from told(
            who,
            what,
            "renamed",
            phrase(
                "{of}{old_title}改称{new_title}", of=place.of, old_title=quoted(old.title), new_title=quoted(new.title)
            ),
            *paths,
        )
    yield from _who(place, old, new, what, paths)
    yield from _from(place, old, new, what, who, paths)
    yield from _conditions(sides, old.if_, new.if_, what, who, paths)
    if old.limit != new.limit:
        words = phrase(
            "{what}的次数由{old_times}改为{new_times}",
            what=what,
            old_times=sides.in_a.times(old.limit),
            new_times=sides.in_b.times(new.limit),
        )
        yield from told(who, what, "times-changed", words, *paths)
    if old.before_due != new.before_due:
        yield from told(who, what, "before-due-changed", _before_due(sides, old, new, what), *paths)
    if old.signed_by != new.signed_by:
        said = [
            phrase("{signed_by}本人签批", signed_by=quoted(one.signed_by)) if one.signed_by else "不用签批"
            for one in (old, new)
        ]
        yield from told(
            who,
            what,
            "signed-by-changed",
            phrase("{what}由{old_said}改为{new_said}", what=what, old_said=said[0], new_said=said[1]),
            *paths,
        )
    asked = Asked(what, who, f"{paths[1]}.needs", (old.audience, new.audience))
    yield from fields(sides, old.needs, new.needs, asked)
    yield from effects(sides, old.effect, new.effect, what, (old.needs, new.needs), paths)
    yield from _read(sides, old, new, what, paths)


def _read(sides: Sides, old: StepSpec, new: StepSpec, what: str, paths: tuple[str, str]) -> Iterator[Change]:
    """Yield who reads what an action leaves, and what it says to the complainant."""
    if old.audience != new.audience:
        words = phrase(
            "{what}的台账记录由{old_audiences}可看改为{new_audiences}可看",
            what=what,
            old_audiences=AUDIENCES[old.audience],
            new_audiences=AUDIENCES[new.audience],
        )
        seers, sight = seen(sides, old.audience, new.audience)
        yield from told(
            [SIGHT, *seers],
            what,
            "audience-changed",
            phrase("{said}：{sight}", said=words, sight=sight) if sight else words,
            *paths,
        )
    if old.text != new.text:
        words = phrase(
            "{what}时诉求人读到的话由{old_text}改为{new_text}",
            what=what,
            old_text=shown(old.text),
            new_text=shown(new.text),
        )
        yield from told([sides.resident], what, "text-changed", words, *paths)


def _who(place: Place, old: StepSpec, new: StepSpec, what: str, paths: tuple[str, str]) -> Iterator[Change]:
    before, after = old.by, new.by
    for who in place.roles(name for name in before if name not in after):
        words = phrase("不再自动做{what}", what=what) if who == SYSTEM else phrase("不能再做{what}", what=what)
        yield from told([who], what, "action-lost", words, *paths)
    for who in place.roles(name for name in after if name not in before):
        words = phrase("由系统做{what}", what=what) if who == SYSTEM else phrase("也可以做{what}", what=what)
        yield from told([who], what, "action-gained", words, *paths)


def _from(
    place: Place, old: StepSpec, new: StepSpec, what: str, who: Sequence[str], paths: tuple[str, str]
) -> Iterator[Change]:
    # The states of an opening are the grievance's own, whatever the task.
    main = not isinstance(new, ActionSpec)
    kind = None if main else place.kind
    before, after = old.from_, new.from_
    if bool(before) != bool(after):
        words = phrase(
            "{what}由{old_where}可做改为{new_where}可做",
            what=what,
            old_where=_where(place.sides.in_a, old, kind),
            new_where=_where(place.sides.in_b, new, kind),
        )
        yield from told(who, what, "from-changed", words, *paths)
        return
    fresh, gone = [name for name in after if name not in before], [name for name in before if name not in after]
    if fresh:
        words = phrase("{what}在{states}也可以做", what=what, states=place.sides.in_b.states(fresh, kind))
        yield from told(who, what, "from-added", words, *paths)
    if gone:
        words = phrase("{what}在{states}不能再做", what=what, states=place.sides.in_a.states(gone, kind))
        yield from told(who, what, "from-removed", words, *paths)


def _where(words: Wording, spec: StepSpec, kind: str | None) -> str:
    return phrase("在{states}", states=words.states(spec.from_, kind)) if spec.from_ else "任何状态"


def _conditions(
    sides: Sides, old: Condition, new: Condition, what: str, who: Sequence[str], paths: tuple[str, str]
) -> Iterator[Change]:
    before, after = sides.in_a.clauses(old), sides.in_b.clauses(new)
    was, now = old.raw, new.raw
    for fact in {**was, **now}:
        if fact not in now:
            words = phrase("{what}不再要求{before}", what=what, before=before[fact])
        elif fact not in was:
            words = phrase("{what}另要求{after}", what=what, after=after[fact])
        elif was[fact] != now[fact]:
            words = phrase("{what}的条件由{before}改为{after}", what=what, before=before[fact], after=after[fact])
        else:
            continue
        yield from told(who, what, "condition-changed", words, f"{paths[0]}.if", f"{paths[1]}.if")


def _before_due(sides: Sides, old: StepSpec, new: StepSpec, what: str) -> str:
    if new.before_due is None:
        return phrase("{what}不再限于{clock}到期之前", what=what, clock=sides.in_a.clock(old.before_due or ""))
    after = sides.in_b.clock(new.before_due)
    if old.before_due is None:
        return phrase("{what}只能在{after}到期之前", what=what, after=after)
    return phrase(
        "{what}由{clock}到期之前可做改为{after}到期之前可做",
        what=what,
        clock=sides.in_a.clock(old.before_due),
        after=after,
    )

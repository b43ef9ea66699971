"""What changes for the whole: roles, duties kept apart, sources, joins, office hours, names."""

from collections.abc import Iterator

from wuye_loop.authoring.diff.forms import Asked, fields
from wuye_loop.authoring.diff.sides import (
    CLERK,
    EVERYBODY,
    RUNNING,
    SYSTEM,
    Change,
    Sides,
    compared,
    paired,
    pairs_of,
    rest,
    told,
)
from wuye_loop.authoring.diff.values import shown
from wuye_loop.domain.language.intake import SourceSpec
from wuye_loop.domain.language.workflow import Join, Role, Standing, Workflow
from wuye_loop.domain.phrases import Phrase, phrase
from wuye_loop.domain.wording.definition import ANSWERED, LEVELS, Wording, listed, quoted

_TOLD_ELSEWHERE = frozenset(
    {"states", "clocks", "actions", "tasks", "documents", "instruments", "ratings", "routers", "roles", "separate"}
)
_HERE = frozenset(
    {"intake", "sources", "joins", "standing", "results", "replies", "family", "levels", "calendar", "labels", "title"}
)
#: What is no rule: who a file is, and how it came to be.
_NO_RULE = frozenset({"name", "version", "extends", "migrates"})


def roles(sides: Sides) -> Iterator[Change]:
    """Yield what changes in roles: who plays them, and how they are called."""
    old, new = sides.a.roles, sides.b.roles
    pairs, gone, fresh = paired(old, new, sides.moved.roles)
    for name in gone:
        title = old[name].title
        words = phrase("角色{title}没有了：以它的身份办过的、等着它办的都要另有着落", title=quoted(title))
        yield from told([RUNNING], title, "role-removed", words, f"roles.{name}")
        yield from told([title], title, "role-removed", "不再是本流程的角色", f"roles.{name}")
    for name in fresh:
        title = new[name].title
        words = phrase("新增角色{title}：{unit}", title=quoted(title), unit=sides.in_b.unit(new[name]))
        yield from told([title], title, "role-added", words, None, f"roles.{name}")
    for a, b in pairs:
        paths = f"roles.{a}", f"roles.{b}"
        if a != b:
            was, now = sides.files[0].roles[a].title, sides.files[1].roles[b].title
            words = phrase(
                "以{was}（{a}）的身份办过的，算作{now}（{b}）办过的", was=quoted(was), a=a, now=quoted(now), b=b
            )
            yield from told([RUNNING], now, "role-mapped", words, *paths)
        if (a, b) in compared(pairs):
            yield from _role(sides, old[a], new[b], paths)


def _role(sides: Sides, old: Role, new: Role, paths: tuple[str, str]) -> Iterator[Change]:
    title = new.title
    if old.title != title:
        yield from told(
            [title],
            title,
            "renamed",
            phrase("角色{old_title}改称{title}", old_title=quoted(old.title), title=quoted(title)),
            *paths,
        )
    if (old.is_, old.unit) != (new.is_, new.unit):
        words = phrase(
            "{title}由{old_unit}改为{new_unit}",
            title=quoted(title),
            old_unit=sides.in_a.unit(old),
            new_unit=sides.in_b.unit(new),
        )
        yield from told([title], title, "role-unit-changed", words, *paths)
    yield from rest(old, new, {"title", "is_", "unit"}, phrase("角色{title}", title=quoted(title)), [title], paths[1])


def separation(sides: Sides) -> Iterator[Change]:
    """Yield which roles must become, or need no longer be, different bodies."""
    old = pairs_of(sides.a.separate)
    new = pairs_of(sides.b.separate)
    for pair in sorted(new - old, key=sorted):
        one, other = sorted(map(sides.role, pair))
        words = phrase("{one}与{other}必须是不同的单位", one=quoted(one), other=quoted(other))
        yield from told([one, other], "职责分离", "separation-added", words, None, "separate")
    for pair in sorted(old - new, key=sorted):
        one, other = sorted(map(sides.role, pair))
        words = phrase("{one}与{other}可以是同一个单位", one=quoted(one), other=quoted(other))
        yield from told([one, other], "职责分离", "separation-removed", words, "separate")


def sources(sides: Sides) -> Iterator[Change]:
    """Yield what changes in where grievances come from."""
    old, new = sides.a.sources, sides.b.sources
    for name in {**old, **new}:
        path, found = f"sources.{name}", new.get(name) or old[name]
        who = [sides.role(by) for by in found.by] or [SYSTEM]
        if name not in new:
            yield from told(
                who, found.title, "source-removed", phrase("不再有来源{title}", title=quoted(found.title)), path
            )
        elif name not in old:
            words = phrase(
                "新增来源{title}，答复对象：{answered}", title=quoted(found.title), answered=ANSWERED[found.answered]
            )
            yield from told(who, found.title, "source-added", words, None, path)
        else:
            yield from _source(sides, old[name], new[name], who, path)


def _source(sides: Sides, old: SourceSpec, new: SourceSpec, who: list[str], path: str) -> Iterator[Change]:
    title = phrase("来源{title}", title=quoted(new.title))
    if old.title != new.title:
        yield from told(
            who,
            new.title,
            "renamed",
            phrase("来源{old_title}改称{new_title}", old_title=quoted(old.title), new_title=quoted(new.title)),
            path,
            path,
        )
    if old.answered != new.answered:
        words = phrase(
            "{title}的答复对象由{old_answered}改为{new_answered}",
            title=title,
            old_answered=ANSWERED[old.answered],
            new_answered=ANSWERED[new.answered],
        )
        yield from told([*who, sides.resident], title, "answered-changed", words, path, path)
    if set(old.channels) != set(new.channels):
        words = phrase(
            "{title}的渠道由{old_channels}改为{new_channels}",
            title=title,
            old_channels=listed(old.channels) or "其余渠道",
            new_channels=listed(new.channels) or "其余渠道",
        )
        yield from told(who, title, "channels-changed", words, path, path)
    for role in (role for role in new.by if role not in old.by):
        yield from told(
            [sides.role(role)], title, "by-added", phrase("可以自己送入{title}的诉求", title=title), path, path
        )
    for role in (role for role in old.by if role not in new.by):
        yield from told(
            [sides.role(role)], title, "by-removed", phrase("不能再自己送入{title}的诉求", title=title), path, path
        )
    if old.start != new.start:
        first = next(iter(sides.a.states))
        said = (
            sides.in_a.state(old.start or sides.moved.states.get(first, first)),
            sides.in_b.state(new.start or next(iter(sides.b.states))),
        )
        yield from told(
            who,
            title,
            "start-changed",
            phrase(
                "{title}的诉求由从{old_said}开始改为从{new_said}开始", title=title, old_said=said[0], new_said=said[1]
            ),
            path,
            path,
        )
    yield from fields(sides, old.needs, new.needs, Asked(phrase("{title}收件", title=title), who, f"{path}.needs"))
    yield from rest(old, new, {"title", "answered", "channels", "by", "start", "needs"}, title, who, path)


def automatic(sides: Sides) -> Iterator[Change]:
    """Yield what changes in what the system does or derives by itself: joins, the standing of the whole, families."""
    yield from _joins(sides)
    was, now = (
        [_standing(words, one) for one in side.standing]
        for words, side in ((sides.in_a, sides.a), (sides.in_b, sides.b))
    )
    rules = [[(one.when, one.is_) for one in side.standing] for side in (sides.a, sides.b)]
    if was != now and rules[0] != rules[1]:
        words = phrase("整体情况的说法由{was}改为{now}", was=shown(was), now=shown(now))
        yield from told([EVERYBODY], "整体情况", "standing-changed", words, "standing", "standing")
    for key, title in (("joins", "会合"), ("standing", "整体情况的说法")):
        sources = [[one.source for one in getattr(side, key) if one.source] for side in (sides.a, sides.b)]
        if sources[0] != sources[1]:
            words = phrase(
                "{title}各条的出处由{old_sources}改为{new_sources}",
                title=title,
                old_sources=shown(sources[0]),
                new_sources=shown(sources[1]),
            )
            yield from told([CLERK], title, "source-changed", words, key, key)
    moves, makes = sides.a.family.moves, sides.b.family.moves
    for lead in {**moves, **makes}:
        if moves.get(lead) == makes.get(lead):
            continue
        act = sides.in_either.action(lead)
        words = phrase("主件{act}时，并入的诉求不再跟着走", act=act)
        if lead in makes:
            words = phrase("主件{act}时，并入的诉求由系统做{does}", act=act, does=sides.in_b.action(makes[lead]))
        yield from told([SYSTEM], "群诉", "family-changed", words, "family", "family")


def _joins(sides: Sides) -> Iterator[Change]:
    """Yield joins that come or go; one that only reads otherwise, because something has another title, is the same."""
    told_in = ((sides.in_a, sides.a), (sides.in_b, sides.b))
    old, new = ({_join(words, join): (join.when, join.act) for join in side.joins} for words, side in told_in)
    for said, rule in old.items():
        if said not in new and rule not in new.values():
            yield from told([SYSTEM], "会合", "join-removed", phrase("不再在{said}", said=said), "joins")
    for said, rule in new.items():
        if said not in old and rule not in old.values():
            yield from told([SYSTEM], "会合", "join-added", phrase("一旦{said}", said=said), None, "joins")


def _join(words: Wording, join: Join) -> str:
    return phrase("{condition}时做{action}", condition=words.condition(join.when), action=words.action(join.act))


def _standing(words: Wording, one: Standing) -> str:
    when = words.condition(one.when)
    return (
        phrase("{when}时为{said}", when=when, said=quoted(one.is_))
        if when
        else phrase("其他为{said}", said=quoted(one.is_))
    )


def house(sides: Sides) -> Iterator[Change]:
    """Yield what changes in office hours, levels and names, and any key that no other sentence tells of."""
    old, new = sides.a, sides.b
    for name, title in (("zone", "时区"), ("hours", "办公时间"), ("quiet", "免打扰时段")):
        before, after = getattr(old.calendar, name), getattr(new.calendar, name)
        if before != after:
            words = phrase("{title}由{before}改为{after}", title=title, before=shown(before), after=shown(after))
            yield from told([EVERYBODY], title, f"{name}-changed", words, f"calendar.{name}", f"calendar.{name}")
    if old.levels != new.levels:
        said = [listed(LEVELS[level] for level in levels) for levels in (old.levels, new.levels)]
        words = phrase("属地层级由{old_said}改为{new_said}", old_said=said[0], new_said=said[1])
        yield from told([EVERYBODY], "属地层级", "levels-changed", words, "levels", "levels")
    if old.title != new.title:
        words = phrase("流程{old_title}改称{new_title}", old_title=quoted(old.title), new_title=quoted(new.title))
        yield from told([CLERK], "名称", "title-changed", words, "title", "title")
    for name in {**old.labels, **new.labels}:
        if old.labels.get(name) != new.labels.get(name):
            words = _labelled(name, old.labels.get(name), new.labels.get(name))
            yield from told([EVERYBODY], "名称", "label-changed", words, "labels", "labels")
    seen = _TOLD_ELSEWHERE | _HERE | _NO_RULE
    yield from rest(old, new, set(Workflow.model_fields) & seen, "流程", [CLERK], "")
    told_of = {"moves", "zone", "hours", "quiet"}
    for name, title in (("family", "群诉"), ("calendar", "办公时间")):
        yield from rest(getattr(old, name), getattr(new, name), told_of, title, [CLERK], name)


def _labelled(name: str, old: str | None, new: str | None) -> Phrase:
    if old is None or new is None:
        return (
            phrase("字段 {name} 有了名称{new}", name=name, new=quoted(new))
            if new
            else phrase("字段 {name} 不再有名称{old}", name=name, old=quoted(old or ""))
        )
    return phrase("字段{old}（{name}）改称{new}", old=quoted(old), name=name, new=quoted(new))

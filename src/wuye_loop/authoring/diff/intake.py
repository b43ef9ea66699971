"""What changes when a grievance arrives: red lines first, then what suggests a category, attaches, or looks alike.

Every line that goes or comes is told by itself and in full: a red line that is lost must not be overlooked.
"""

import re
from collections.abc import Iterable, Iterator, Sequence

from wuye_loop.authoring.diff.sides import CLERK, RED, SYSTEM, Change, Sides, rest, told
from wuye_loop.authoring.diff.values import shown
from wuye_loop.domain.language.conditions import Condition
from wuye_loop.domain.language.intake import Attach, Keyword, RedLine, Weigh
from wuye_loop.domain.wording.definition import Wording, listed, quoted

_TEXTS = frozenset({"text", "title", "body"})
_PLAIN = re.compile(r"[\w ]+")
_PATHS = {"red": "intake.red_lines", "categories": "intake.categories", "attach": "intake.attach"}


def intake(sides: Sides) -> Iterator[Change]:
    """Yield what changes when a grievance arrives."""
    old, new = sides.a.intake, sides.b.intake
    yield from _red_lines(sides, old.red_lines, new.red_lines)
    was, now = list(map(_keyword, old.categories)), list(map(_keyword, new.categories))
    yield from _lines("分类关键词", "categories", was, now)
    if _weighed(old.weigh) != _weighed(new.weigh):
        words = f"建议类别由{quoted(_weighed(old.weigh))}改为{quoted(_weighed(new.weigh))}"
        yield from told([SYSTEM], "分类关键词", "categories-changed", words, "intake.weigh", "intake.weigh")
    was = [_attached(sides.in_a, one) for one in old.attach]
    now = [_attached(sides.in_b, one) for one in new.attach]
    yield from _lines("附入规则", "attach", was, now)
    if [one.source for one in old.attach] != [one.source for one in new.attach] and was == now:
        yield from _sources("附入规则", old.attach, new.attach, _PATHS["attach"])
    if (old.duplicates.window, old.duplicates.similarity) != (new.duplicates.window, new.duplicates.similarity):
        said = [f"{one.window.chinese}、相似度 {one.similarity:g}" for one in (old.duplicates, new.duplicates)]
        words = f"疑似重复的提示由 {said[0]} 改为 {said[1]}"
        yield from told([SYSTEM], "疑似重复", "duplicates-changed", words, "intake.duplicates", "intake.duplicates")
    yield from rest(old.duplicates, new.duplicates, {"window", "similarity"}, "疑似重复", [SYSTEM], "intake.duplicates")
    if old.text != new.text:
        words = f"收件时诉求人读到的话由{shown(old.text)}改为{shown(new.text)}"
        yield from told([sides.resident], "收件", "text-changed", words, "intake.text", "intake.text")
    yield from rest(
        old, new, {"weigh", "categories", "red_lines", "attach", "duplicates", "text"}, "收件", [SYSTEM], "intake"
    )


def _red_lines(sides: Sides, old: Sequence[RedLine], new: Sequence[RedLine]) -> Iterator[Change]:
    """Yield every red line that goes, comes to something else, or is new; all that hold count, so order is nothing."""
    path, was, now = _PATHS["red"], _keyed(old), _keyed(new)
    lost = [word for word in red_words(old) if not any(other in word for other in red_words(new))]
    if lost:
        words = f"原来算红线、现在不算的词：{listed(lost)}"
        yield from told([RED], "红线", "red-words-lost", words, path, path)
    for key in (key for key in was if key not in now):
        words = f"去掉了红线：{_line(sides.in_a, was[key].when)}（原为{_alarm(sides.in_a, was[key])}）"
        yield from told([RED], "红线", "red-line-removed", words, path)
    for key in (key for key in was if key in now):
        yield from _red_line(sides, was[key], now[key], path)
    for key in (key for key in now if key not in was):
        words = f"增加了红线：{_line(sides.in_b, now[key].when)}（{_alarm(sides.in_b, now[key])}）"
        yield from told([RED], "红线", "red-line-added", words, None, path)


def red_words(lines: Iterable[RedLine]) -> list[str]:
    """Return the plain words that red lines look for; what is a pattern and no list of words is passed over."""
    patterns = [
        str(matcher["pattern"])
        for one in lines
        for fact, matcher in one.when.raw.items()
        if fact in _TEXTS and isinstance(matcher, dict) and "pattern" in matcher
    ]
    return [word for pattern in patterns for word in pattern.split("|") if word and _PLAIN.fullmatch(word)]


def _keyed(lines: Iterable[RedLine]) -> dict[tuple[str, int], RedLine]:
    """Return red lines by their condition; one that is written twice has a number of its own."""
    found: dict[tuple[str, int], RedLine] = {}
    for one in lines:
        found[one.when.source, sum(key[0] == one.when.source for key in found)] = one
    return found


def _red_line(sides: Sides, old: RedLine, new: RedLine, path: str) -> Iterator[Change]:
    line = _line(sides.in_b, new.when)
    if (old.stated, old.not_) != (new.stated, new.not_):
        words = f"红线（{line}）的字词由{quoted(_said(old))}改为{quoted(_said(new))}"
        yield from told([RED], "红线", "red-line-changed", words, path, path)
    if (old.urgency, old.notice, set(old.to)) != (new.urgency, new.notice, set(new.to)):
        words = f"红线（{line}）由{quoted(_alarm(sides.in_a, old))}改为{quoted(_alarm(sides.in_b, new))}"
        yield from told([RED], "红线", "red-line-changed", words, path, path)
    elif old.source != new.source:
        yield from _sources(f"红线（{line}）", [old], [new], path)


_STATED = {None: "出现就算", "told": "说成事实才算", "now": "说成眼前的事实才算", "threat": "说成事实或扬言才算"}


def _said(one: RedLine) -> str:
    """Say how the words of a red line must be said, and what is not read."""
    return _STATED[one.stated] + (f"，不看{one.not_}" if one.not_ else "")


def _line(words: Wording, when: Condition) -> str:
    return words.condition(when) or "全部诉求"


def _alarm(words: Wording, one: RedLine) -> str:
    sent = f"，向{words.roles(one.to)}发{words.instrument(one.notice)}" if one.notice else ""
    return f"提为{one.urgency}{sent}"


def _lines(title: str, name: str, was: Sequence[str], now: Sequence[str]) -> Iterator[Change]:
    path, kind = _PATHS[name], f"{name}-changed"
    gone, fresh = [one for one in was if one not in now], [one for one in now if one not in was]
    for said in gone:
        yield from told([SYSTEM], title, kind, f"{title}：去掉{quoted(said)}", path)
    for said in fresh:
        yield from told([SYSTEM], title, kind, f"{title}：增加{quoted(said)}", None, path)
    if not gone and not fresh and was != now:
        yield from told([SYSTEM], title, kind, f"{title}：换了先后次序", path, path)


def _keyword(one: Keyword) -> str:
    """Say one line of words in full; what is not written in it is not said."""
    said = f"{one.pattern} → {one.category}"
    said += f"，{one.weight:g} 分" if one.weight != 1 else ""
    said += f"，标题 {one.title:g} 倍" if one.title is not None else ""
    return said + (f"，不看{one.not_}" if one.not_ else "")


def _weighed(weigh: Weigh | None) -> str:
    return (
        "最先匹配的一条"
        if weigh is None
        else f"分数最高的一类（标题 {weigh.title:g} 倍，不到 {weigh.floor:g} 分不建议）"
    )


def _attached(words: Wording, one: Attach) -> str:
    return (
        f"{words.condition(one.when)}的附到{words.field(one.to.partition('.')[2])}所指的诉求，做{words.action(one.act)}"
    )


def _sources(
    what: str, old: Iterable[RedLine | Attach], new: Iterable[RedLine | Attach], path: str
) -> Iterator[Change]:
    before, after = ([one.source for one in side if one.source] for side in (old, new))
    words = f"{what}的出处由{shown(before)}改为{shown(after)}"
    yield from told([CLERK], "出处", "source-changed", words, path, path)

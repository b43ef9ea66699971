"""What changes when a grievance arrives: red lines first, then what suggests a category, attaches, or looks alike.

Every line that goes or comes is told by itself and in full: a red line that is lost must not be overlooked.
"""

import re
from collections.abc import Iterable, Iterator, Sequence

from wuye_loop.authoring.diff.sides import CLERK, RED, SYSTEM, Change, Sides, rest, told
from wuye_loop.authoring.diff.values import shown
from wuye_loop.domain.language.conditions import Condition
from wuye_loop.domain.language.intake import Attach, Keyword, RedLine, Weigh
from wuye_loop.domain.phrases import joined, phrase
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
        words = phrase(
            "建议类别由{old_weighed}改为{new_weighed}",
            old_weighed=quoted(_weighed(old.weigh)),
            new_weighed=quoted(_weighed(new.weigh)),
        )
        yield from told([SYSTEM], "分类关键词", "categories-changed", words, "intake.weigh", "intake.weigh")
    was = [_attached(sides.in_a, one) for one in old.attach]
    now = [_attached(sides.in_b, one) for one in new.attach]
    yield from _lines("附入规则", "attach", was, now)
    if [one.source for one in old.attach] != [one.source for one in new.attach] and was == now:
        yield from _sources("附入规则", old.attach, new.attach, _PATHS["attach"])
    if (old.duplicates.window, old.duplicates.similarity) != (new.duplicates.window, new.duplicates.similarity):
        said = [
            phrase("{window}、相似度 {similarity}", window=one.window.chinese, similarity=f"{one.similarity:g}")
            for one in (old.duplicates, new.duplicates)
        ]
        words = phrase("疑似重复的提示由 {old_said} 改为 {new_said}", old_said=said[0], new_said=said[1])
        yield from told([SYSTEM], "疑似重复", "duplicates-changed", words, "intake.duplicates", "intake.duplicates")
    yield from rest(old.duplicates, new.duplicates, {"window", "similarity"}, "疑似重复", [SYSTEM], "intake.duplicates")
    if old.text != new.text:
        words = phrase(
            "收件时诉求人读到的话由{old_text}改为{new_text}", old_text=shown(old.text), new_text=shown(new.text)
        )
        yield from told([sides.resident], "收件", "text-changed", words, "intake.text", "intake.text")
    yield from rest(
        old, new, {"weigh", "categories", "red_lines", "attach", "duplicates", "text"}, "收件", [SYSTEM], "intake"
    )


def _red_lines(sides: Sides, old: Sequence[RedLine], new: Sequence[RedLine]) -> Iterator[Change]:
    """Yield every red line that goes, comes to something else, or is new; all that hold count, so order is nothing."""
    path, was, now = _PATHS["red"], _keyed(old), _keyed(new)
    lost = [word for word in red_words(old) if not any(other in word for other in red_words(new))]
    if lost:
        words = phrase("原来算红线、现在不算的词：{lost}", lost=listed(lost))
        yield from told([RED], "红线", "red-words-lost", words, path, path)
    for key in (key for key in was if key not in now):
        words = phrase(
            "去掉了红线：{line}（原为{alarm}）",
            line=_line(sides.in_a, was[key].when),
            alarm=_alarm(sides.in_a, was[key]),
        )
        yield from told([RED], "红线", "red-line-removed", words, path)
    for key in (key for key in was if key in now):
        yield from _red_line(sides, was[key], now[key], path)
    for key in (key for key in now if key not in was):
        words = phrase(
            "增加了红线：{line}（{alarm}）", line=_line(sides.in_b, now[key].when), alarm=_alarm(sides.in_b, now[key])
        )
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
        words = phrase(
            "红线（{line}）的字词由{old_said}改为{new_said}",
            line=line,
            old_said=quoted(_said(old)),
            new_said=quoted(_said(new)),
        )
        yield from told([RED], "红线", "red-line-changed", words, path, path)
    if (old.urgency, old.notice, set(old.to)) != (new.urgency, new.notice, set(new.to)):
        words = phrase(
            "红线（{line}）由{old_alarm}改为{new_alarm}",
            line=line,
            old_alarm=quoted(_alarm(sides.in_a, old)),
            new_alarm=quoted(_alarm(sides.in_b, new)),
        )
        yield from told([RED], "红线", "red-line-changed", words, path, path)
    elif old.source != new.source:
        yield from _sources(phrase("红线（{line}）", line=line), [old], [new], path)


_STATED = {None: "出现就算", "told": "说成事实才算", "now": "说成眼前的事实才算", "threat": "说成事实或扬言才算"}


def _said(one: RedLine) -> str:
    """Say how the words of a red line must be said, and what is not read."""
    said = _STATED[one.stated]
    return phrase("{said}，不看{words}", said=said, words=one.not_) if one.not_ else said


def _line(words: Wording, when: Condition) -> str:
    return words.condition(when) or "全部诉求"


def _alarm(words: Wording, one: RedLine) -> str:
    if not one.notice:
        return phrase("提为{urgency}", urgency=one.urgency)
    to, notice = words.roles(one.to), words.instrument(one.notice)
    return phrase("提为{urgency}，向{roles}发{notice}", urgency=one.urgency, roles=to, notice=notice)


def _lines(title: str, name: str, was: Sequence[str], now: Sequence[str]) -> Iterator[Change]:
    path, kind = _PATHS[name], f"{name}-changed"
    gone, fresh = [one for one in was if one not in now], [one for one in now if one not in was]
    for said in gone:
        yield from told([SYSTEM], title, kind, phrase("{title}：去掉{said}", title=title, said=quoted(said)), path)
    for said in fresh:
        yield from told(
            [SYSTEM], title, kind, phrase("{title}：增加{said}", title=title, said=quoted(said)), None, path
        )
    if not gone and not fresh and was != now:
        yield from told([SYSTEM], title, kind, phrase("{title}：换了先后次序", title=title), path, path)


def _keyword(one: Keyword) -> str:
    """Say one line of words in full; what is not written in it is not said."""
    said = [phrase("{pattern} → {category}", pattern=one.pattern, category=one.category)]
    said += [phrase("{n} 分", n=f"{one.weight:g}")] if one.weight != 1 else []
    said += [phrase("标题 {n} 倍", n=f"{one.title:g}")] if one.title is not None else []
    said += [phrase("不看{words}", words=one.not_)] if one.not_ else []
    return joined(said, "，")


def _weighed(weigh: Weigh | None) -> str:
    return (
        "最先匹配的一条"
        if weigh is None
        else phrase(
            "分数最高的一类（标题 {title} 倍，不到 {floor} 分不建议）",
            title=f"{weigh.title:g}",
            floor=f"{weigh.floor:g}",
        )
    )


def _attached(words: Wording, one: Attach) -> str:
    return phrase(
        "{condition}的附到{field}所指的诉求，做{action}",
        condition=words.condition(one.when),
        field=words.field(one.to.partition(".")[2]),
        action=words.action(one.act),
    )


def _sources(
    what: str, old: Iterable[RedLine | Attach], new: Iterable[RedLine | Attach], path: str
) -> Iterator[Change]:
    before, after = ([one.source for one in side if one.source] for side in (old, new))
    words = phrase("{what}的出处由{before}改为{after}", what=what, before=shown(before), after=shown(after))
    yield from told([CLERK], "出处", "source-changed", words, path, path)

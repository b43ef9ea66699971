"""What is stated and what is only denied, feared, supposed or long past: red lines alarm for what happens, not what might."""

import re
from collections.abc import Iterable, Iterator
from typing import Literal

from wuye_loop.domain.expressions import expression

#: How words must be said: told as a fact; as a fact of now; as a threat, which may stand under a condition.
Stated = Literal["told", "now", "threat"]

_ENDS = "。！？!?；;\n"  # of a sentence
_STOPS = _ENDS + "，,、：:"

# Supposed: anywhere before the words in their sentence, unless the sentence has come to a fact in between.
_SUPPOSED = expression(
    r"一旦|万一|如果|如若|如遇|倘若|若|要是|假如|假设|假使|设想|试想|只要|哪天|哪怕|即使|即便|一但|每当|真要|非要|难道|是否|会不会"
    r"|等到|最终|迟早|早晚会?|随时|要等|如(?!今|何|期|实|此|下|同|意)"
)
# Feared or prevented: close before the words, within their clause.
_FEARED = expression(
    r"可能|也许|或许|容易|极易|易(?=发|引|燃|造|导|着|起)|恐|怕|担心|担忧|(?<!消)防|避免|杜绝|以免|免得|消除|排除|减少|降低|提心吊胆"
    r"|隐患|风险|危险|(?<![委员协议])会|将|类似|例如|诸如|等于|好比|如同|应急|处置|演练|应对|新闻|报道|听说|据说|传言"
)
# Said to be caused or met: of a thing that happens, or of what things lead to in general; what is told of now decides.
_CAUSED = expression(r"导致|造成|引发|引起|诱发|遇到?")
_DENIED = expression(
    r"(?:没有|没|未|不是|并非|并不|不会|不曾|从不|从未|禁止|严禁|不得|不准|不要|勿|拒绝|谎报|虚假)(?:.{0,2}|(?:发生|出现).{0,3})$"
)
# Supposed by what follows: 起火的隐患, 爆炸怎么办, 着火引起……将是.
_AFTER = expression(
    r"隐患|风险|危险|可能|的话|怎么办|咋办|怎么逃|时(?:怎|如何|逃|消防)|后果|逃生|报警器|报警系统|自动|警报|险|事故将|将会|将|不堪设想"
    r"|防控|预防|物品|的时候|谁负责|谁来|可不少|案例|现象|频发|问题|等安全|未能及时|猛于虎|无情|^(?:地?点(?!了)|原因|时[,，])"
)
_NOW = expression(r"现在|正在|刚才|刚刚|此刻|马上|今天|今日|今晚|今早|今晨|昨晚|昨夜|快来|救命|救人")
# Told of another time or place whatever else the sentence says.
_ELSEWHERE = expression(
    r"^.{0,2}(?:事件|案例|时就|的新闻)|^.{0,6}至.{0,8}扑灭|又一个|好几个|各地|附近小区|其他小区|新闻|报道"
)
# Told of the past, or of what happens in general or elsewhere.
_PAST = expression(
    r"年|月|期间|当时|曾|以前|之前|前几|历经|历了|历史|次|[0-9一二两三四五六七八九十]起|多起|接二连三|频发|屡|经常|频繁|多发|有时|数次|以来|各地|事件|事故|案例|现象|报道"
    r"|看到|附近小区|好几个|平均|近期|时代|又一个|某小区|司空见惯|想法|概率|占到"
)
# A day by its date, or the press, anywhere in the sentence: what is told so is told afterwards.
_AFTERWARDS = expression(
    r"记者|播报|[0-9]{4}年|(?:[0-9]{1,2}|元|[一二三四五六七八九十]{1,2})月(?:[0-9]{1,2}|[一二三四五六七八九十]{1,3})[日号]"
)
# Of what comes again and again: no single case is told, whatever else the sentence says of now.
_AGAIN = expression(r"多次|屡次|屡屡|数次|频繁|经常|时常|常常|多发")
# Over: told soon after, also in the next sentence.
_OVER = expression(r"(?:被|已|才|及时|把火|将火|火势?)[^，。,！!？?；;未没不]{0,6}(?:扑灭|灭了|熄灭|救出|解救|放出)")
# A feud that is told from its beginning: who did it is 他 by now, the time stands sentences before, and it came to more than once.
_SAME_PERSON = expression(r"^(?:他们?|她们?|其|对方)")
_BEGUN = expression(r"去年|前年|今年.{0,3}(?:春节|元旦|[0-9一二三四五六七八九十]{1,2}月)|[0-9]{1,2}月|年前|期间")
_REPEATED = expression(r"连续.{0,4}(?:次|天)|多次|屡次|一再|变本加厉|长期|数次")
_TOLD = expression(r"现在|目前|正在|已经|刚才|刚刚|今天|昨天|昨晚|今早|凌晨|当场|突然|终于")
_FACT_AFTER = expression(r"^(?:了|后|，?(?:现场|浓烟|有人|快来|救命))")
_NEAR = 8  # characters before the words in which fear and denial count
_FOLLOWING = 10  # characters after them
_NOW_BEFORE, _NOW_AFTER = 24, 16  # characters in which a word of now speaks of the words found
_SOON = 80  # characters after them in which they are told to be over
_STORY = 120  # characters before them in which a feud is told


def stated(pattern_found: Iterable[tuple[int, int]], text: str, how: Stated) -> Iterator[str]:
    """Yield the words at these places of the text that are said so, each as it stands there."""
    for start, end in pattern_found:
        if not _taken_back(text, start, end, how):
            yield text[start:end]


def _taken_back(text: str, start: int, end: int, how: Stated) -> bool:
    sentence = _since(text, start, _ENDS)
    rest = re.split(f"[{_ENDS}]", text[end : end + 60], maxsplit=1)[0]
    if text[:start].endswith(("“", '"')) and text[end:].startswith(("”", '"')):
        return True  # the word is named, not said
    near = re.split(f"[{_STOPS}]", sentence)[-1][-_NEAR:]
    if _DENIED.search(near):
        return True
    now = _NOW.search(sentence[-_NOW_BEFORE:]) or _NOW.search(rest[:_NOW_AFTER])
    if how != "told" and _of_another_time(text, start, end, sentence, rest, now=bool(now)):
        return True
    return how != "threat" and _supposed(sentence, near, rest, now=bool(now))


def _of_another_time(text: str, start: int, end: int, sentence: str, rest: str, *, now: bool) -> bool:
    """Whether the words are told of the past, of another place, of what comes again and again, or as over."""
    if _ELSEWHERE.search(rest[:20]) or _ELSEWHERE.search(sentence[-20:]):
        return True
    if _AGAIN.search(text[start:end]) or _AGAIN.search(sentence[-4:]):
        return True
    after = text[end : end + _SOON]
    return not now and (
        _PAST.search(f"{sentence[-40:]}{rest[:15]}") is not None
        or _AFTERWARDS.search(sentence) is not None
        or _OVER.search(after) is not None
        or (_SAME_PERSON.search(sentence) is not None and _feud(text[max(0, start - _STORY) : start], after))
    )


def _feud(before: str, after: str) -> bool:
    return _BEGUN.search(before) is not None and _REPEATED.search(before + after) is not None


def _supposed(sentence: str, near: str, rest: str, *, now: bool) -> bool:
    """Whether the words are feared, prevented or supposed: by what stands before them, or by what follows."""
    told = list(_TOLD.finditer(sentence))
    supposed = list(_SUPPOSED.finditer(sentence))
    if supposed and not (told and told[-1].start() > supposed[-1].start()):
        return True
    if _FEARED.search(near) and not _TOLD.search(near):
        return True
    if _CAUSED.search(near) and not now and not _TOLD.search(near):
        return True
    following = re.split(f"[{_STOPS}]", rest[:_FOLLOWING], maxsplit=1)[0]
    return _AFTER.search(following) is not None and _FACT_AFTER.search(rest) is None


def _since(text: str, place: int, stops: str) -> str:
    """Return what stands before a place, back to the last of these stops."""
    begin = max((text.rfind(stop, 0, place) for stop in stops), default=-1)
    return text[begin + 1 : place]

"""Made-up complaints: every estate, name and number is invented, and the words are our own."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from wuye_loop.demo.chance import Chance
from wuye_loop.demo.invented.matters import ENDINGS, MATTERS, OPENINGS, RED_LINES, Matter

ZONE: Final = ZoneInfo("Asia/Shanghai")
CHANNELS: Final = ("电话", "电话", "电话", "微信小程序", "网络", "来访", "社区上报")
_SURNAMES: Final = "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦尤许何吕施张孔曹严华金魏陶姜"
_GIVEN: Final = (
    "建国", "秀英", "志强", "雨桐", "海燕", "明远", "桂兰", "子涵", "文博", "晓梅", "立新", "佳宁", "德顺", "春霞",
)  # fmt: skip
_NOWHERE: Final = ("御水湾三期", "老棉纺厂宿舍", "滨江一号", "供销社家属院", "阳光里二期")
_TWINS: Final = 0.05  # of all: a neighbour reports the same matter again within two days
_NO_ESTATE, _UNKNOWN_ESTATE, _RED, _ANONYMOUS, _CLASSED, _RANKED = 0.07, 0.05, 0.035, 0.12, 0.5, 0.2
# Shares of a day's complaints by hour: people complain in the evening as well as at the office.
_HOURS: Final = (7, 8, 8, 9, 9, 9, 10, 10, 11, 12, 13, 14, 14, 15, 15, 16, 17, 18, 19, 19, 20, 20, 21, 22)


@dataclass(frozen=True, slots=True)
class Complaint:
    """One complaint before it reaches the loop: when it comes (aware), and the form as a hotline would push it."""

    external_id: str
    arrives: datetime
    form: Mapping[str, Any]
    twin_of: str | None = None  # the external id of the same matter, told by a neighbour


def made_up(
    chance: Chance, number: int, first: date, days: int, estates: Sequence[Mapping[str, Any]]
) -> list[Complaint]:
    """Return so many complaints, in the order of their arrival, over the days from `first`; the same for the same chance.

    `estates` are entries of a directory document. About one in twenty is a neighbour's second report of a matter.
    """
    originals = max(1, round(number * (1 - _TWINS)))
    found = [_original(chance, n, _arrival(chance, n, first, days), estates) for n in range(originals)]
    last = datetime.combine(first + timedelta(days=days - 1), time(22, 30), ZONE)
    placed = [item for item in found if item.form["place"].get("estate", "").startswith("E")]
    for n in range(number - originals):
        known = chance.pick(placed or found, "twin", n)
        found.append(_twin(chance, n, known, last))
    return sorted(found, key=lambda item: (item.arrives, item.external_id))


def _arrival(chance: Chance, n: int, first: date, days: int) -> datetime:
    # More in the first half than in the second, so that at the end most are closed and some are on their way.
    day = int(days * 0.95 * chance.roll("day", n) ** 1.7)
    hour = chance.pick(_HOURS, "hour", n)
    return datetime.combine(first + timedelta(days=day), time(hour, chance.between(0, 59, "minute", n)), ZONE)


def _original(chance: Chance, n: int, arrives: datetime, estates: Sequence[Mapping[str, Any]]) -> Complaint:
    # A third of all estates make most of the trouble.
    pool = estates[:: max(1, len(estates) // 40)] if chance.happens(0.6, "pool", n) else estates
    estate = chance.pick(pool, "estate", n)
    red = chance.happens(_RED, "red", n)
    matter = chance.pick(RED_LINES, "red line", n) if red else _matter(chance, n)
    title, body = chance.pick(matter.words, "words", n)
    slots = _slots(chance, n, estate)
    opening, ending = chance.pick(OPENINGS, "opening", n), chance.pick(ENDINGS, "ending", n)
    form: dict[str, Any] = {
        "external_id": f"{arrives:%Y%m%d}{n:06d}",
        "channel": chance.pick(CHANNELS, "channel", n),
        "kind": chance.pick(matter.kinds, "kind", n),
        "title": title.format(**slots),
        "body": f"{opening.format(**slots)}{body.format(**slots)}{ending.format(**slots)}",
        "occurred_at": (arrives - timedelta(hours=chance.between(1, 60, "since", n))).isoformat(),
        "place": _place(chance, n, estate, slots),
        "complainant": _person(chance, n),
    }
    if matter.category and not red and chance.happens(_CLASSED, "classed", n):
        form["category"] = matter.category
    if chance.happens(_RANKED, "ranked", n):
        form["urgency"] = chance.pick(("加急", "平急", "平急", "常规"), "urgency", n)
    return Complaint(form["external_id"], arrives, form)


def _matter(chance: Chance, n: int) -> Matter:
    at = chance.roll("matter", n) * sum(matter.share for matter in MATTERS)
    for matter in MATTERS:
        at -= matter.share
        if at < 0:
            return matter
    return MATTERS[-1]


def _slots(chance: Chance, n: int, estate: Mapping[str, Any]) -> dict[str, object]:
    return {
        "estate": estate["name"],
        "b": chance.between(1, 28, "building", n),
        "u": chance.between(1, 4, "stair", n),
        "f": chance.between(2, 26, "floor", n),
        "d": chance.between(2, 15, "for days", n),
        "m": chance.between(2, 9, "for months", n),
        "y": chance.between(120, 980, "yuan", n),
    }


def _place(chance: Chance, n: int, estate: Mapping[str, Any], slots: Mapping[str, object]) -> dict[str, str]:
    address = f"{slots['b']}号楼{slots['u']}单元"
    lot = chance.roll("place", n)
    if lot < _NO_ESTATE:  # the caller gave neither estate nor street
        return {}
    if lot < _NO_ESTATE + _UNKNOWN_ESTATE:
        place = {"estate": chance.pick(_NOWHERE, "nowhere", n), "address": address}
        return place if chance.happens(0.5, "lost", n) else {**place, "area_code": str(estate["area"])[:9]}
    return {"estate": estate["code"] if chance.happens(0.6, "coded", n) else estate["name"], "address": address}


def _person(chance: Chance, n: int) -> dict[str, Any]:
    if chance.happens(_ANONYMOUS, "anonymous", n):
        return {"anonymous": True}
    name = chance.pick(_SURNAMES, "surname", n) + chance.pick(_GIVEN, "given", n)
    person: dict[str, Any] = {"name": name, "phone": f"1380000{chance.between(0, 9999, 'phone', n):04d}"}
    return {**person, "confidential": True} if chance.happens(0.1, "confidential", n) else person


def _twin(chance: Chance, n: int, known: Complaint, last: datetime) -> Complaint:
    """Return the same matter told again, by another person, in nearly the same words."""
    arrives = min(known.arrives + timedelta(minutes=chance.between(20, 900, "later", n)), last)
    external_id = f"{known.external_id}R{n:02d}"
    form = {
        **known.form,
        "external_id": external_id,
        "channel": chance.pick(CHANNELS, "twin channel", n),
        "title": known.form["title"],
        "body": f"{known.form['body']}邻居们都很着急。",
        "complainant": _person(chance, 10_000 + n),
    }
    return Complaint(external_id, max(arrives, known.arrives), form, known.external_id)

"""Definition tests of a scheme: given figures, what must come out: scores, places, lists, what they bring. Played in memory."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Annotated, Any, Final
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from wuye_loop.domain.assessment.credit import CreditRow, balance, until
from wuye_loop.domain.assessment.leaving import fallen_since, last_days
from wuye_loop.domain.assessment.points import Figure, Score, combined, score, score_of_parts, with_composites
from wuye_loop.domain.assessment.ranks import Key, Placed, on_lists, ranked
from wuye_loop.domain.assessment.scheme import Number, Period, Scheme
from wuye_loop.domain.rulefile.findings import nearest
from wuye_loop.domain.rulefile.reader import YamlDoc

KEY = "assessment"


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Deed(_Part):
    """A row of credit: which item, from which day on; until when, where it ended before its term."""

    item: str
    since: Annotated[date, Field(strict=False)]
    until: Annotated[date | None, Field(strict=False)] = None


class Given(_Part):
    """A subject: its group, its figures (a number, or a numerator and a base), the lists it was on, the latest first, its credit.

    `scores` are what it had in the periods that this one is made from, the oldest first.
    """

    peer: str = ""
    scores: Annotated[tuple[Number, ...], Field(strict=False)] = ()
    figures: dict[str, Number | Annotated[tuple[Number, Number], Field(strict=False)]] = Field(default_factory=dict)
    earlier: dict[str, tuple[bool, ...]] = Field(default_factory=dict)
    in_year: dict[str, int] = Field(default_factory=dict)
    credit: tuple[Deed, ...] = ()


class Expected(_Part):
    """What a subject must come to; what is not written may be anything."""

    score: Number | None = None
    rank: int | None = None
    lists: tuple[str, ...] | None = None
    brings: tuple[str, ...] | None = None
    points: Number | None = None
    grade: str | None = None
    leaves: Annotated[date | None, Field(strict=False)] = None


class SchemeTest(_Part):
    """One test: a period of the scheme with given figures, or credit on a day; expected results."""

    name: str
    period: str | None = None
    on: Annotated[date | None, Field(strict=False)] = None
    given: dict[str, Given]
    expect: dict[str, Expected]


class SchemeScript(_Part):
    """A file of tests: which scheme, and the tests."""

    assessment: str
    tests: Annotated[tuple[SchemeTest, ...], Field(min_length=1)]


@dataclass(frozen=True, slots=True)
class Tried:
    """What came of a test: its name, and every difference with its place in the file."""

    name: str
    failures: tuple[str, ...]

    @property
    def passed(self) -> bool:
        """Whether everything came out as expected."""
        return not self.failures


_SHAPES: Final = {
    "missing": "没有写",
    "extra_forbidden": "是不认识的键",
    "tuple_type": "要写成列表，如 [a, b]",
    "dict_type": "要写成“键: 值”",
}


def is_scheme_script(data: object) -> bool:
    """Say whether a file holds tests of a scheme."""
    return isinstance(data, dict) and KEY in data and "tests" in data


def read_scheme_script(doc: YamlDoc) -> SchemeScript:
    """Read a file of tests. Raises ValueError, with the place."""
    try:
        return SchemeScript.model_validate(doc.data)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        path = first["loc"]
        mark = doc.mark(path)
        place = ".".join(map(str, path))
        words = _SHAPES.get(first["type"], "写法不对")
        raise ValueError(f"{doc.file}:{mark.line}:{mark.column}: {place} {words}") from None


def run_scheme_tests(scheme: Scheme, script: SchemeScript, doc: YamlDoc) -> list[Tried]:
    """Play every test of a file."""
    return [_play(scheme, test, doc, place) for place, test in enumerate(script.tests)]


def _play(scheme: Scheme, test: SchemeTest, doc: YamlDoc, place: int) -> Tried:
    at = ("tests", place)
    unread = (*_unread(test, doc, at), *_unknown_names(scheme, test, doc, at))
    if unread:
        return Tried(test.name, unread)
    if test.on is not None:
        return Tried(test.name, tuple(_credit(scheme, test, test.on, doc, at)))
    spec = scheme.periods.get(test.period or "")
    if spec is None:
        return Tried(
            test.name,
            (_told(doc, (*at, "period"), f"没有考核期“{test.period}”{nearest(test.period or '', scheme.periods)}"),),
        )
    failures = list(_misgiven(scheme, spec, test, doc, at))
    missing = {name: one.missing for name, one in scheme.inputs.items()}
    figures = {subject: _figures(scheme, given) for subject, given in test.given.items()}
    totals = {
        subject: (
            score(spec, each, missing) if spec.from_ is None else _of_parts(spec, test.given[subject].scores)
        ).total
        for subject, each in figures.items()
    }
    tie = spec.rank.ties
    placed = [
        Placed(
            subject, test.given[subject].peer, total, figures[subject][tie].value if tie in figures[subject] else None
        )
        for subject, total in totals.items()
        if total is not None
    ]
    places = ranked(placed, spec.rank.within)
    earlier = {
        name: {_key(subject, one): one.earlier.get(name, ()) for subject, one in test.given.items()}
        for name in spec.lists
    }
    in_year = {
        name: {_key(subject, one): one.in_year.get(name, 0) for subject, one in test.given.items()}
        for name in spec.lists
    }
    lists = on_lists(spec.lists, placed, earlier, in_year)
    for subject, expected in test.expect.items():
        here = (*at, "expect", subject)
        if subject not in test.given:
            failures.append(_told(doc, here, f"given 里没有“{subject}”"))
            continue
        key = _key(subject, test.given[subject])
        on = tuple(lists.get(key, ()))
        found: dict[str, Any] = {
            "score": totals[subject], "rank": places.get(key), "lists": on,
            "brings": tuple(dict.fromkeys(each for name in on for each in spec.lists[name].brings)),
        }  # fmt: skip
        for name, wanted in expected.model_dump(exclude_unset=True, exclude=set(_OF_CREDIT)).items():
            if found[name] != wanted:
                failures.append(_told(doc, (*here, name), f"{name} 应为 {_words(wanted)}，实为 {_words(found[name])}"))
    return Tried(test.name, tuple(failures))


_OF_CREDIT: Final = ("points", "grade", "leaves")
_STANDS: Final = (*_OF_CREDIT, "brings")
_SCORED: Final = ("score", "rank", "lists")
_FIGURES: Final = ("peer", "figures", "scores", "earlier", "in_year")


def _unread(test: SchemeTest, doc: YamlDoc, at: tuple[str | int, ...]) -> Iterator[str]:
    """Say what a test has that only the other kind looks at: it would pass whatever stood there."""
    if (test.period is None) == (test.on is None):
        yield _told(doc, at, "一个测试写 period（算哪个考核期）、on（看哪一天的信用分）之一")
        return
    kind, given, expected = ("on", _FIGURES, _SCORED) if test.on is not None else ("period", ("credit",), _OF_CREDIT)
    for side, entries, names in (("given", test.given, given), ("expect", test.expect, expected)):
        for subject, one in entries.items():
            for name in names:
                if name in one.model_fields_set:
                    words = f"写 {kind} 的测试不看 {name}：请另写一个测试"
                    yield _told(doc, (*at, side, subject, name), words)


def _unknown_names(scheme: Scheme, test: SchemeTest, doc: YamlDoc, at: tuple[str | int, ...]) -> Iterator[str]:
    """Say which lists and consequences the scheme has not: a misspelt one would be no list, on which nobody is."""
    spec = scheme.periods.get(test.period or "")
    lists = spec.lists if spec is not None else {}
    asked: list[tuple[tuple[str | int, ...], str, Iterable[str], Iterable[str]]] = []
    for subject, given in test.given.items() if spec is not None else ():
        asked += [
            ((*at, "given", subject, key), "榜单", names, lists)
            for key, names in (("earlier", given.earlier), ("in_year", given.in_year))
        ]
    for subject, expected in test.expect.items():
        here = (*at, "expect", subject)
        asked.append(((*here, "brings"), "处置", expected.brings or (), scheme.consequences))
        asked += [((*here, "lists"), "榜单", expected.lists or (), lists)] if spec is not None else []
    for place, what, names, known in asked:
        for name in names:
            if name not in known:
                yield _told(doc, place, f"没有{what}“{name}”{nearest(name, known)}")


def _credit(scheme: Scheme, test: SchemeTest, on: date, doc: YamlDoc, at: tuple[str | int, ...]) -> Iterator[str]:
    """Say what differs in balances, grades, and since when somebody is to leave."""
    spec = scheme.credit
    if spec is None:
        yield _told(doc, (*at, "on"), "这个办法没有信用分")
        return
    for subject, given in test.given.items():
        here = (*at, "given", subject, "credit")
        for place, deed in enumerate(given.credit):
            if deed.item not in spec.items:
                words = f"没有信用项“{deed.item}”{nearest(deed.item, spec.items)}"
                yield _told(doc, (*here, place, "item"), words)
    for subject, expected in test.expect.items():
        if subject not in test.given:
            yield _told(doc, (*at, "expect", subject), f"given 里没有“{subject}”")
            continue
        rows = [
            CreditRow(
                UUID(int=n), subject, one.item, spec.items[one.item].points, one.since,
                one.until or until(spec.items[one.item], one.since),
            )
            for n, one in enumerate(test.given[subject].credit)
            if one.item in spec.items
        ]  # fmt: skip
        stands = balance(spec, rows, on)
        ends = last_days(scheme, min((row.since for row in rows), default=on), on)
        leaves = fallen_since(spec, rows, on, ends)
        found: dict[str, Any] = {
            "points": stands.points, "grade": stands.grade, "leaves": leaves,
            "brings": spec.exit.brings if spec.exit is not None and leaves is not None else (),
        }  # fmt: skip
        for name, wanted in expected.model_dump(exclude_unset=True, include=set(_STANDS)).items():
            if found[name] != wanted:
                words = f"{name} 应为 {_words(wanted)}，实为 {_words(found[name])}"
                yield _told(doc, (*at, "expect", subject, name), words)


def _misgiven(scheme: Scheme, spec: Period, test: SchemeTest, doc: YamlDoc, at: tuple[str | int, ...]) -> Iterator[str]:
    """Say which figures of a test its period has not: by their names, and whether it is made from figures or from others."""
    known = (*scheme.measures, *scheme.inputs)
    other, words = ("figures", "各期的得分写 scores") if spec.from_ is not None else ("scores", "它的数写 figures")
    made = f"由“{spec.from_}”各期合成" if spec.from_ is not None else "不由别的考核期合成"
    for subject, given in test.given.items():
        here = (*at, "given", subject)
        if other in given.model_fields_set:
            yield _told(doc, (*here, other), f"这个考核期{made}：{words}")
        for name in given.figures:
            if name not in known:
                yield _told(doc, (*here, "figures", name), f"没有指标“{name}”{nearest(name, known)}")


def _of_parts(spec: Period, scores: tuple[Decimal, ...]) -> Score:
    if not scores:
        return score_of_parts(spec, None)
    top, base = combined(spec, scores)
    return score_of_parts(spec, Figure(Fraction(top), Fraction(base), percent=False))


def _key(subject: str, given: Given) -> Key:
    return subject, given.peer


def _figures(scheme: Scheme, given: Given) -> dict[str, Figure]:
    found = {}
    for name, value in given.figures.items():
        measure = scheme.measures.get(name)
        if isinstance(value, tuple):
            percent = measure is None or measure.per is None
            found[name] = Figure(Fraction(value[0]), Fraction(value[1]), percent=percent)
        elif measure is not None and measure.rate is None:
            found[name] = Figure(Fraction(value))
        else:
            found[name] = Figure(Fraction(value), Fraction(100))
    return with_composites(scheme.measures, found)


def _told(doc: YamlDoc, path: tuple[str | int, ...], words: str) -> str:
    mark = doc.mark(path)
    return f"{doc.file}:{mark.line}:{mark.column}: {words}"


def _words(value: object) -> str:
    if value is None:
        return "空白"
    if isinstance(value, tuple):
        return "、".join(map(str, value)) or "没有"
    return f"{value:f}" if isinstance(value, Decimal) else str(value)

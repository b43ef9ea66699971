"""Definition tests of a scheme: given figures, what must come out: scores, places, lists. Played in memory."""

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from wuye_loop.domain.assessment.points import Figure, score, with_composites
from wuye_loop.domain.assessment.ranks import Key, Placed, on_lists, ranked
from wuye_loop.domain.assessment.scheme import Number, Scheme
from wuye_loop.domain.rulefile.findings import nearest
from wuye_loop.domain.rulefile.reader import YamlDoc

KEY = "assessment"


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Given(_Part):
    """A subject: its group, its figures (a number, or a numerator and a base), and the lists it was on, the latest first."""

    peer: str = ""
    figures: dict[str, Number | Annotated[tuple[Number, Number], Field(strict=False)]] = Field(default_factory=dict)
    earlier: dict[str, tuple[bool, ...]] = Field(default_factory=dict)
    in_year: dict[str, int] = Field(default_factory=dict)


class Expected(_Part):
    """What a subject must come to; what is not written may be anything."""

    score: Number | None = None
    rank: int | None = None
    lists: tuple[str, ...] | None = None


class SchemeTest(_Part):
    """One test: a period of the scheme, given figures, expected results."""

    name: str
    period: str
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
        raise ValueError(f"{doc.file}:{mark.line}:{mark.column}: {place} 写法不对") from None


def run_scheme_tests(scheme: Scheme, script: SchemeScript, doc: YamlDoc) -> list[Tried]:
    """Play every test of a file."""
    return [_play(scheme, test, doc, place) for place, test in enumerate(script.tests)]


def _play(scheme: Scheme, test: SchemeTest, doc: YamlDoc, place: int) -> Tried:
    at = ("tests", place)
    spec = scheme.periods.get(test.period)
    if spec is None:
        return Tried(
            test.name,
            (_told(doc, (*at, "period"), f"没有考核期“{test.period}”{nearest(test.period, scheme.periods)}"),),
        )
    failures: list[str] = []
    known = {*scheme.measures, *scheme.inputs, *(f"of:{one}" for one in scheme.periods)}
    for subject, given in test.given.items():
        failures += [
            _told(doc, (*at, "given", subject, "figures", name), f"没有指标“{name}”{nearest(name, known)}")
            for name in given.figures
            if name not in known
        ]
    missing = {name: one.missing for name, one in scheme.inputs.items()}
    figures = {subject: _figures(scheme, given) for subject, given in test.given.items()}
    totals = {subject: score(spec, each, missing).total for subject, each in figures.items()}
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
        found: dict[str, Any] = {"score": totals[subject], "rank": places.get(key), "lists": tuple(lists.get(key, ()))}
        for name, wanted in expected.model_dump(exclude_unset=True).items():
            if found[name] != wanted:
                failures.append(_told(doc, (*here, name), f"{name} 应为 {_words(wanted)}，实为 {_words(found[name])}"))
    return Tried(test.name, tuple(failures))


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

"""通报: what a bulletin says of a period, as words and tables; the sheets draw it as HTML, DOCX or XLSX.

Everything is read from what was frozen, of the period itself and of those it is compared with.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Final
from uuid import UUID

from sqlalchemy.orm import Session

from wuye_loop.domain.assessment import periods as calendar
from wuye_loop.domain.assessment.credit import CreditRow, balance
from wuye_loop.domain.assessment.points import Figure, with_composites
from wuye_loop.domain.assessment.scheme import BREAKDOWNS, SUBJECTS, Appeals, Consequence, Every, Section
from wuye_loop.domain.errors import NotFound
from wuye_loop.domain.figures.exact import half_up
from wuye_loop.domain.grievance.situation import Actor
from wuye_loop.domain.terms import Stage
from wuye_loop.loop.engine import Loop
from wuye_loop.loop.evaluate.schedule import Place
from wuye_loop.loop.figures import scoring
from wuye_loop.queries.assessment import tables
from wuye_loop.store.assessment import credit_rows, periods, voices
from wuye_loop.store.assessment.periods import Assessment, FigureRow, ResultRow


class Change(str):
    """By how much a figure differs, in words that stand in a column of figures: +1.25%, −3.00 点, 持平."""

    __slots__ = ()


Cell = str | int | Decimal | None
_PREVIOUS: Final[Mapping[Every, str]] = {
    "day": "前一日", "week": "上周", "month": "上月", "quarter": "上季度", "half_year": "上一个半年", "year": "上年",
}  # fmt: skip
_COUNTED: Final = {"company": "家"}  # the others are counted 个


@dataclass(frozen=True, slots=True)
class Sheet:
    """One table: its title, its columns, its rows; a number is printed as it stands, None is blank."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    section: Section | None = None  # which of a template's tables it is


@dataclass(frozen=True, slots=True)
class Bulletin:
    """A bulletin: who issues it, its number and title, what it says, its tables, and when it was published."""

    office: str
    number: str | None
    title: str
    opening: tuple[str, ...]
    sheets: tuple[Sheet, ...]
    closing: tuple[str, ...]
    dated: str
    draft: bool = field(default=False)
    period: str = ""  # by its code
    rates: tuple[tuple[str, Figure], ...] = ()  # those that the opening tells with their counts
    within: bool = True  # whether places are within each group


def by_id(loop: Loop, session: Session, actor: Actor, one: UUID) -> Bulletin:
    """Return the bulletin of an assessment. Raises NotFound, also for one that is not published for who only reads those."""
    row = periods.by_id(session, one)
    if row is None:
        raise NotFound("没有这份通报")
    place, found = tables.found(session, actor, row.name, row.period, row.revision)
    return _bulletin(loop, session, place, found)


def of_period(loop: Loop, session: Session, actor: Actor, which: str, code: str) -> Bulletin:
    """Return the bulletin of a period, of its newest revision. Raises NotFound where nothing is closed."""
    place, found = tables.found(session, actor, which, code)
    return _bulletin(loop, session, place, found)


def _bulletin(loop: Loop, session: Session, place: Place, one: Assessment) -> Bulletin:
    loop.reference.refresh(session)
    results = periods.results(session, one.id)
    figures = periods.figures(session, one.id)
    names = tables.names_in(session, results)
    spec = place.spec.bulletin
    title = f"{place.scheme.title}{calendar.spoken(one.period)}{spec.title if spec is not None else ''}"
    day = _day(place, one)
    overall = totals(place, figures, whole=True)
    earlier = _before(session, place, one)
    before = _Past(earlier, _then(session, place, one, earlier))
    stands = _standing(loop, session, place, one)
    sheets = list(_Tables(loop, session, place, one, results, figures, names, overall, before, stands).all())
    return Bulletin(
        office=_office(loop, session, place),
        number=one.bulletin,
        title=title + (f"（更正，第 {one.revision} 版）" if one.revision > 1 else ""),
        opening=(
            *_opening(place, one, results, overall, before),
            *_most_of(place, figures),
            *_collected(loop, session, place, one),
            *_graded(place, stands),
        ),
        sheets=tuple(sheets),
        closing=tuple(_closing(place, one)),
        dated=f"{day.year}年{day.month}月{day.day}日",
        draft=one.state != "published",
        period=one.period,
        rates=tuple(
            (place.scheme.measures[name].title, figure)
            for name, figure in overall.items()
            if place.scheme.measures[name].rate is not None and figure.value is not None
        ),
        within=place.spec.rank.within == "peers",
    )


def _office(loop: Loop, session: Session, place: Place) -> str:
    """Return who issues it: the unit of the role that decides, else the scheme's own title."""
    rules = loop.reference.rules(session, place.scheme.workflow)
    deciding = place.scheme.appeals.decided_by if place.scheme.appeals is not None else ()
    for name in (*deciding, "command"):
        role = rules.workflow.roles.get(name)
        if role is not None:
            unit = role.unit if isinstance(role.unit, str) else None
            return (
                loop.reference.directory.name_of(unit) or role.title
                if unit in loop.reference.directory.units
                else role.title
            )
    return place.scheme.title


# --- figures over everybody -----------------------------------------------------------------------------------------


def totals(place: Place, figures: Iterable[FigureRow], *, whole: bool = False) -> dict[str, Figure]:
    """Return each measure over all subjects: the sum of their counts, never the mean of their rates.

    `whole`: each one that the period asks, also where nobody has a case; a count is 0 then, a rate has no base.
    """
    found: dict[str, Figure] = {}
    for name in scoring.asked(place.scheme, place.spec) if whole else ():
        asked = place.scheme.measures[name]
        bare = asked.count is not None and asked.per is None
        found[name] = Figure(Fraction(0), None if bare else Fraction(0), 0, percent=asked.per is None)
    for row in figures:
        measure = place.scheme.measures.get(row.measure)
        if measure is None:
            continue
        one = scoring.figure_of(place.scheme, row)
        have = found.get(row.measure)
        base = one.denominator
        if have is not None:
            base = None if base is None or have.denominator is None else base + have.denominator
            one = Figure(one.numerator + have.numerator, base, one.excluded + have.excluded, one.percent)
        found[row.measure] = one
    found = with_composites(place.scheme.measures, found)
    return {name: found[name] for name in place.scheme.measures if name in found}


def _opening(
    place: Place, one: Assessment, results: Sequence[ResultRow], overall: Mapping[str, Figure], before: "_Past"
) -> Iterable[str]:
    orders = sum(row.orders for row in results)
    of = _COUNTED.get(place.scheme.subjects.are, "个")
    who = f"{of}{SUBJECTS[place.scheme.subjects.are]}"
    several = len({row.subject for row in results})
    if orders == 0:
        yield f"{calendar.spoken(one.period)}没有诉求：考核对象 {several} {who}，均无工单。"
    else:
        yield f"{calendar.spoken(one.period)}，{several} {who}共涉及诉求 {orders} 件。"
    word = _PREVIOUS[place.spec.every]
    for name, figure in overall.items():
        measure = place.scheme.measures[name]
        if measure.growth is None:
            yield told(
                measure.title,
                figure,
                before.figures.get(name),
                word,
                compare=before.period is not None,
                composite=bool(measure.composite),
            )
    if before.period is None:
        yield f"没有{word}的考核，不作比较。"
    scored = [row for row in results if row.total is not None]
    if scored:
        best = max(row.total for row in scored if row.total is not None)
        worst = min(row.total for row in scored if row.total is not None)
        yield f"计分 {len(scored)} {of}，最高 {best:f} 分，最低 {worst:f} 分。"


def told(title: str, now: Figure, then: Figure | None, word: str, *, compare: bool, composite: bool = False) -> str:
    """Say a figure in words, against an earlier one: a rate by percentage points, a count by so many and per cent."""
    earlier = then if compare and then is not None and then.value is not None else None
    if now.denominator is None:
        return f"{title} {_bare(now.numerator)} 件{_more(now, earlier, word)}。"
    value = now.value
    if value is None:
        return f"{title}没有基数，不计。"
    if not now.percent:
        return f"{title} {half_up(value, 2):f}。"
    # What is composed of rates has no cases of its own: its parts are told with theirs.
    base = "" if composite else f"（{_bare(now.numerator)}／{_bare(now.denominator)}）"
    return f"{title} {half_up(value, 2):f}%{base}{_points(value, earlier, word)}。"


def _more(now: Figure, then: Figure | None, word: str) -> str:
    if then is None:
        return ""
    gap = now.numerator - then.numerator
    if gap == 0:
        return f"，与{word}持平"
    way, rise = ("增加", "上升") if gap > 0 else ("减少", "下降")
    rate = f"（{rise} {half_up(abs(gap) * 100 / then.numerator, 2):f}%）" if then.numerator else ""
    return f"，比{word}{way} {_bare(abs(gap))} 件{rate}"


def _points(value: Fraction, then: Figure | None, word: str) -> str:
    """Say by how many percentage points a rate differs, as it is printed: a reader who subtracts finds the same."""
    if then is None or then.value is None:
        return ""
    gap = half_up(value, 2) - half_up(then.value, 2)
    return f"，比{word}{'上升' if gap > 0 else '下降'} {abs(gap):f} 个百分点" if gap else f"，与{word}持平"


def _then(session: Session, place: Place, one: Assessment, then: Assessment | None) -> dict[str, Figure]:
    """Return each measure over all subjects in an earlier period; all of them where it was of the same version."""
    return totals(place, periods.sums(session, then.id), whole=then.scheme == one.scheme) if then is not None else {}


@dataclass(frozen=True, slots=True)
class _Past:
    """An earlier period that is closed, and its measures over all subjects; nothing where there is none."""

    period: Assessment | None
    figures: Mapping[str, Figure]


def _day(place: Place, one: Assessment) -> date:
    """Return the day that a bulletin bears: of its publication, else of the closing."""
    return place.scheme.day_of(one.published_at or one.closed_at or one.ends)


def _before(session: Session, place: Place, one: Assessment) -> Assessment | None:
    span = calendar.before(place.spec, place.stretch, place.scheme.calendar.zone)
    found = periods.find(session, one.name, span.code)
    return found if found is not None and found.state != "due" else None


# --- tables ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Tables:
    """The tables of one bulletin, drawn up in the order of its template; those with nothing in them are left out."""

    loop: Loop
    session: Session
    place: Place
    one: Assessment
    results: Sequence[ResultRow]
    figures: Sequence[FigureRow]
    names: Mapping[str, str]
    overall: Mapping[str, Figure]
    before: "_Past"
    stands: Sequence["_Stands"]

    def all(self) -> Iterable[Sheet]:
        """Yield them."""
        if (
            self.one.revision > 1
            and (told := _corrected(self.session, self.place, self.one, self.results, self.names)) is not None
        ):
            yield told
        template = self.place.scheme.template_of(self.place.part)
        for section in template.sections:
            title = template.titles.get(section)
            for sheet in self._of(section):
                if sheet is not None and sheet.rows:
                    named = sheet if title is None or section == "lists" else replace(sheet, title=title)
                    yield replace(named, section=section)

    def _of(self, section: Section) -> Iterable[Sheet | None]:
        place, names = self.place, self.names
        if section == "lists":
            return _lists(place, self.results, names)
        if section in BREAKDOWNS:
            then = self.before.period
            earlier = periods.figures(self.session, then.id, "") if then is not None else []
            most = place.scheme.template_of(place.part).most
            return [_parted(section, self.figures, earlier, most, _PREVIOUS[place.spec.every])]
        made: Mapping[str, Callable[[], Sheet | None]] = {
            "scores": lambda: _scores(place, self.results, names),
            "brought": lambda: _brought(self.session, place, names),
            "figures": lambda: _figures(place, self.results, self.figures, names),
            "compare": lambda: _compare(self.session, place, self.one, self.overall, self.before),
            "funnel": lambda: _funnel(self.figures),
            "trend": lambda: _trend(self.session, place, self.one, self.overall),
            "credit": lambda: _credit(place, self.stands, _day(place, self.one)),
            "deeds": lambda: _deeds(self.loop, self.session, place, self.one),
            "apart": lambda: _apart(place, self.results, names),
        }
        return [made[section]()]


def _scores(place: Place, results: Sequence[ResultRow], names: Mapping[str, str]) -> Sheet | None:
    rows = [row for row in results if row.total is not None]
    if not rows:
        return None
    made = place.spec.from_ is not None  # of other periods: their mean is the score itself
    titles = [] if made else [str(item["title"]) for item in rows[0].items]
    order = sorted(
        rows, key=lambda row: (row.peer if place.spec.rank.within == "peers" else "", row.rank or 0, row.subject)
    )
    cells = [
        (
            names.get(row.peer), row.rank, names.get(row.subject, row.subject), row.total,
            *(None if item["points"] is None else half_up(Decimal(str(item["points"])), 2) for item in row.items[: len(titles)]),
            row.orders,
        )
        for row in order
    ]  # fmt: skip
    return _grouped("得分和名次", ("名次", "考核对象", "得分", *titles, "工单"), cells)


def _figures(
    place: Place, results: Sequence[ResultRow], figures: Sequence[FigureRow], names: Mapping[str, str]
) -> Sheet | None:
    asked = scoring.asked(place.scheme, place.spec)
    by_key = scoring.by_subject(place.scheme, figures)
    shown = [row for row in results if any(name in by_key.get((row.subject, row.peer), {}) for name in asked)]
    if not shown or not asked:
        return None
    measures = place.scheme.measures
    cells = [
        (
            names.get(row.peer),
            names.get(row.subject, row.subject),
            *(_cell(place, name, by_key.get((row.subject, row.peer), {}).get(name)) for name in asked),
        )
        for row in sorted(shown, key=lambda row: (row.peer, row.subject))
    ]
    head = ("考核对象", *(_column(measures[name].title, name, place) for name in asked))
    return _grouped("各项指标", head, cells)


def _column(title: str, name: str, place: Place) -> str:
    measure = place.scheme.measures[name]
    return f"{title}（%）" if measure.count is None else title


def _cell(place: Place, name: str, figure: Figure | None) -> Cell:
    """Return a figure of a table; of a plain count that found nothing there are none."""
    measure = place.scheme.measures[name]
    if figure is None and measure.count is not None and measure.per is None:
        return 0
    return _printed(figure)


def _printed(figure: Figure | None) -> Cell:
    if figure is None or figure.value is None:
        return None
    if figure.denominator is None and figure.numerator.denominator == 1:
        return int(figure.numerator)
    return half_up(figure.value, 2)


def _funnel(figures: Sequence[FigureRow]) -> Sheet | None:
    counts = {
        row.measure.removeprefix("stage:"): int(row.numerator) for row in figures if row.measure.startswith("stage:")
    }
    if not counts:
        return None
    top = sum(counts.values())
    rows = [
        (
            stage.chinese,
            counts.get(stage.value, 0),
            half_up(Fraction(counts.get(stage.value, 0) * 100, top), 2) if top else None,
        )
        for stage in Stage
    ]
    return Sheet("六个环节（本期的诉求，封账时在哪一步）", ("环节", "件数", "占比（%）"), tuple(rows))


_PARTED: Final[Mapping[Section, tuple[str, str]]] = {
    "by_category": ("诉求类别", "未分类"), "by_kind": ("诉求类型", "未写明"), "by_channel": ("受理渠道", "未写明"),
    "by_urgency": ("紧急程度", "未写明"),
}  # fmt: skip


def _parts(section: Section, figures: Iterable[FigureRow]) -> dict[str, int]:
    """Return how many grievances each value has, most of them first; those without one are the last of their number."""
    key, (_, none) = f"{section}:", _PARTED[section]
    found = [(row.measure.removeprefix(key), int(row.numerator)) for row in figures if row.measure.startswith(key)]
    return {value or none: n for value, n in sorted(found, key=lambda one: (-one[1], not one[0], one[0]))}


def _parted(
    section: Section, figures: Iterable[FigureRow], earlier: Iterable[FigureRow], most: int, word: str
) -> Sheet | None:
    """Return the period's grievances by what they are, each with its share and, where there was one, the period before."""
    now, then = _parts(section, figures), _parts(section, earlier)
    if not now:
        return None
    whole, title = sum(now.values()), _PARTED[section][0]
    every = list(dict.fromkeys((*now, *then)))  # those that have none any more are the last
    lines = [(value, now.get(value, 0), then.get(value, 0)) for value in every[:most]]
    rest = every[most:]
    if rest:
        others = (sum(now.get(value, 0) for value in rest), sum(then.get(value, 0) for value in rest))
        lines.append((f"其余 {len(rest)} 项", *others))
    lines.append(("合计", whole, sum(then.values())))
    rows = [
        (value, n, half_up(Fraction(n * 100, whole), 2), *((was, _grown(n, was)) if then else ()))
        for value, n, was in lines
    ]
    head = (title, "件数", "占比（%）", *((word, "环比") if then else ()))
    return Sheet(f"按{title}（本期收到的）", head, tuple(rows))


def _grown(now: int, then: int) -> Cell:
    if not then:
        return None
    rate = half_up(Fraction((now - then) * 100, then), 2)
    return Change(f"{rate:+f}%" if rate else "持平")


_MOST: Final = 3  # values that the opening names


def _most_of(place: Place, figures: Sequence[FigureRow]) -> Iterable[str]:
    """Say which values of the first breakdown most grievances have."""
    for section in place.scheme.template_of(place.part).sections:
        if section in BREAKDOWNS and (now := _parts(section, figures)):
            named = list(now.items())[:_MOST]
            share = half_up(Fraction(sum(n for _, n in named) * 100, sum(now.values())), 2)
            said = "、".join(f"{value} {n} 件" for value, n in named)
            more = f"，合计占 {share:f}%" if len(now) > len(named) > 1 else ""
            yield f"收到的诉求按{_PARTED[section][0]}，{'最多的是' if len(now) > 1 else '都是'}{said}{more}。"
            return


def _corrected(
    session: Session, place: Place, one: Assessment, results: Sequence[ResultRow], names: Mapping[str, str]
) -> Sheet | None:
    """Return who has another score, place or list than in the revision before, and which."""
    pairs = tables.differing(session, one, results)
    moved = any(was.lists != now.lists for was, now in pairs)
    rows = [
        (
            names.get(now.peer), names.get(now.subject, now.subject), was.total, now.total, was.rank, now.rank,
            *((_moved(place, was.lists, now.lists),) if moved else ()),
        )
        for was, now in pairs
    ]  # fmt: skip
    head = ("考核对象", "原得分", "现得分", "原名次", "现名次", *(("榜单",) if moved else ()))
    return _grouped(f"更正：与第 {one.revision - 1} 版不同的", head, rows) if rows else None


def _moved(place: Place, was: Sequence[str], now: Sequence[str]) -> str | None:
    """Say which lists somebody is on now and was not, and the other way round."""
    words = [f"列入“{spec.title}”" for name, spec in place.spec.lists.items() if name in now and name not in was]
    words += [f"不再列入“{spec.title}”" for name, spec in place.spec.lists.items() if name in was and name not in now]
    return "、".join(words) or None


def _compare(
    session: Session, place: Place, one: Assessment, now: Mapping[str, Figure], before: "_Past"
) -> Sheet | None:
    """Return each measure over everybody beside the period before (环比) and the same of the year before (同比)."""
    earlier = _year_before(session, place, one)
    year = _Past(earlier, _then(session, place, one, earlier))
    sides = [
        (past.figures, titles)
        for past, titles in ((before, (_PREVIOUS[place.spec.every], "环比")), (year, ("上年同期", "同比")))
        if past.period is not None
    ]
    if not sides:
        return None
    rows = []
    for name, figure in now.items():
        measure = place.scheme.measures[name]
        cells = [cell for then, _ in sides for cell in (_printed(then.get(name)), _changed(figure, then.get(name)))]
        if measure.growth is None and any(cell is not None for cell in (_printed(figure), *cells)):
            rows.append((_column(measure.title, name, place), _printed(figure), *cells))
    head = ("指标", "本期", *(title for _, titles in sides for title in titles))
    return Sheet("和".join(titles[1] for _, titles in sides), head, tuple(rows))


def _changed(now: Figure, then: Figure | None) -> Cell:
    """Return by how much a figure differs: a rate by points, a count by per cent; None where there is nothing to compare."""
    if then is None or then.value is None or now.value is None:
        return None
    if now.percent and now.denominator is not None:
        gap = half_up(now.value, 2) - half_up(then.value, 2)
        return Change(f"{gap:+f} 点" if gap else "持平")
    if not then.value:
        return None
    rate = half_up((now.value - then.value) * 100 / then.value, 2)
    return Change(f"{rate:+f}%" if rate else "持平")


def _year_before(session: Session, place: Place, one: Assessment) -> Assessment | None:
    span = calendar.year_before(place.spec, place.stretch, place.scheme.calendar.zone)
    found = periods.find(session, one.name, span.code) if span is not None else None
    return found if found is not None and found.state != "due" else None


def _brought(session: Session, place: Place, names: Mapping[str, str]) -> Sheet | None:
    """Return what the lists have brought to whom."""
    found: dict[tuple[str, str, str], list[str]] = {}
    for one in voices.consequences(session, place.scheme.name, place.stretch.code):
        spec, listed = place.scheme.consequences.get(one.consequence), place.spec.lists.get(one.list)
        if spec is not None and listed is not None:
            found.setdefault((one.peer, one.subject, listed.title), []).append(_what(place, spec, one.document))
    rows = [
        (names.get(peer), names.get(subject, subject), listed, "、".join(what))
        for (peer, subject, listed), what in found.items()
    ]
    return _grouped("处置", ("考核对象", "榜单", "处置"), rows)


def _what(place: Place, spec: Consequence, number: str | None) -> str:
    """Say what somebody got: what the file calls it, with the document's number."""
    if spec.issue is not None:
        return f"{spec.title or spec.issue.document}（{number}）"
    return spec.title or (_item_title(place, spec.credit) if spec.credit is not None else "立案整改")


def _item_title(place: Place, name: str) -> str:
    credit = place.scheme.credit
    return f"信用分：{credit.items[name].title}" if credit is not None and name in credit.items else name


@dataclass(frozen=True, slots=True)
class _Stands:
    """How the credit of one unit stands."""

    name: str
    points: Decimal
    grade: str | None
    counting: int


def _standing(loop: Loop, session: Session, place: Place, one: Assessment) -> list[_Stands]:
    """Return the credit of each subject with a row on the day of the bulletin, the best first; none where it is not shown."""
    spec = place.scheme.credit
    if spec is None or "credit" not in place.scheme.template_of(place.part).sections:
        return []
    day, rows = _day(place, one), defaultdict[str, list[CreditRow]](list)
    for told in credit_rows.rows_of(session, place.scheme.name):
        if told.row.since <= day and _is_subject(loop, place, told.row.unit):
            rows[told.row.unit].append(told.row)
    units = loop.reference.directory.units
    found = []
    for code, each in rows.items():
        stands = balance(spec, each, day)
        found.append(_Stands(units[code].name, stands.points, stands.grade, len(stands.counting)))
    return sorted(found, key=lambda each: (-each.points, each.name))


def _is_subject(loop: Loop, place: Place, code: str) -> bool:
    known = loop.reference.directory.units.get(code)
    return known is not None and place.scheme.subjects.are_units_of(known.kind)


def _credit(place: Place, stands: Sequence[_Stands], day: date) -> Sheet | None:
    if place.scheme.credit is None:
        return None
    cells = tuple((each.name, each.points, each.grade, each.counting) for each in stands)
    return Sheet(f"信用分（{day.year}年{day.month}月{day.day}日）", ("考核对象", "信用分", "等级", "在计记录"), cells)


def _graded(place: Place, stands: Sequence[_Stands]) -> Iterable[str]:
    """Say how many have which grade, the best first."""
    if stands and place.scheme.credit is not None:
        of = _COUNTED.get(place.scheme.subjects.are, "个")
        many = Counter(each.grade for each in stands)
        said = "、".join(f"{grade} 级 {many[grade]} {of}" for grade in place.scheme.credit.grades if many[grade])
        yield f"有信用记录的 {len(stands)} {of}{'：' if said else ''}{said}。"


def _deeds(loop: Loop, session: Session, place: Place, one: Assessment) -> Sheet | None:
    """Return the rows of credit that were entered in the period, the oldest first: who, for what, how many points."""
    if place.scheme.credit is None:
        return None
    items, units = place.scheme.credit.items, loop.reference.directory.units
    rows = []
    for told in _entered(loop, session, place, one):
        row = told.row
        if row.unit in units:
            title = items[row.item].title if row.item in items else row.item
            done = f"{title}（终止）" if row.ends is not None else title
            points = None if row.ends is not None else row.points
            rows.append((_said(place.scheme.day_of(told.at)), units[row.unit].name, done, points))
    return Sheet("本期信用记录", ("日期", "考核对象", "事项", "分"), tuple(rows))


def _entered(loop: Loop, session: Session, place: Place, one: Assessment) -> list[credit_rows.Told]:
    """Return the rows of credit of subjects that were entered in the period, where its bulletin shows them."""
    if place.scheme.credit is None or "deeds" not in place.scheme.template_of(place.part).sections:
        return []
    rows = credit_rows.entered(session, place.scheme.name, one.starts, one.ends)
    return [each for each in rows if _is_subject(loop, place, each.row.unit)]


def _collected(loop: Loop, session: Session, place: Place, one: Assessment) -> Iterable[str]:
    """Say how many rows of credit were entered in the period, where its bulletin shows them."""
    if place.scheme.credit is not None and "deeds" in place.scheme.template_of(place.part).sections:
        rows = [each.row for each in _entered(loop, session, place, one) if each.row.ends is None]
        bad = sum(row.points < 0 for row in rows)
        said = f"{len(rows)} 条：加分 {len(rows) - bad} 条，扣分 {bad} 条" if rows else "0 条"
        yield f"新记信用记录 {said}。"


def _said(day: date) -> str:
    return f"{day.month}月{day.day}日"


def _trend(session: Session, place: Place, one: Assessment, now: Mapping[str, Figure]) -> Sheet | None:
    past = periods.earlier(session, one.name, one.part, one.starts, place.scheme.template_of(place.part).trend - 1)
    if not past:
        return None
    columns = [name for name in now if place.scheme.measures[name].growth is None]
    rows = []
    for each in reversed(past):
        then = _then(session, place, one, each)
        rows.append((calendar.spoken(each.period), *(_printed(then.get(name)) for name in columns)))
    rows.append((calendar.spoken(one.period), *(_printed(now.get(name)) for name in columns)))
    head = ("考核期", *(_column(place.scheme.measures[name].title, name, place) for name in columns))
    return Sheet("近几期", head, tuple(rows)) if columns else None


def _lists(place: Place, results: Sequence[ResultRow], names: Mapping[str, str]) -> list[Sheet]:
    sheets = []
    for name, spec in place.spec.lists.items():
        rows = [
            (names.get(row.peer), names.get(row.subject, row.subject), row.total, row.rank)
            for row in results
            if name in row.lists
        ]
        sheets.append(_grouped(spec.title, ("考核对象", "得分", "名次"), rows))
    return sheets


def _grouped(title: str, columns: tuple[str, ...], rows: Sequence[tuple[Cell, ...]]) -> Sheet:
    """Return a table whose rows begin with their group; where there is but one, it stands in the heading instead."""
    groups = {row[0] for row in rows}
    if len(groups) > 1:
        return Sheet(title, ("分组", *columns), tuple(rows))
    (only,) = groups or {None}
    return Sheet(f"{title}（{only}）" if only is not None else title, columns, tuple(row[1:] for row in rows))


def _apart(place: Place, results: Sequence[ResultRow], names: Mapping[str, str]) -> Sheet | None:
    rows = [
        (names.get(row.peer), names.get(row.subject, row.subject), why)
        for row in results
        if (why := tables.apart(place, row)) is not None
    ]
    return _grouped("另列（不计分、不排名）", ("考核对象", "原因"), rows)


def _closing(place: Place, one: Assessment) -> Iterable[str]:
    rates = [measure.title for name, measure in place.scheme.measures.items() if measure.rate is not None
             and name in scoring.asked(place.scheme, place.spec)]  # fmt: skip
    if rates:
        yield f"{'、'.join(rates)}按件数计算，四舍五入；没有基数的留空，各栏之和不必等于 100。"
    scored = bool(place.spec.items) or place.spec.from_ is not None
    if scored and place.scheme.appeals is not None and one.state == "published":
        yield f"对得分有异议的，可在公布之日起 {place.scheme.appeals.within.chinese}内申诉{_silence(place.scheme.appeals)}。"
    if one.reason is not None:
        earlier = f"至第 {one.revision - 1} 版" if one.revision > 2 else ""  # noqa: PLR2004 the first stands for itself
        yield f"本版为更正：{one.reason.partition('：')[0]}。第 1 版{earlier}仍可查阅。"


def _silence(rule: Appeals) -> str:
    if rule.decides is None:
        return ""
    ends = {"kept": "维持原分", "upheld": "视为成立", "above": "交上一级裁定"}[rule.silence]
    return f"；自提出之日起 {rule.decides.chinese}内裁定，逾期未裁定的{ends}"


def _bare(value: Fraction) -> str:
    return f"{half_up(value, 4).normalize():f}"

"""What became of frozen figures: whether they are still what was frozen, and which would come out otherwise today, and why."""

from dataclasses import dataclass

from sqlalchemy.orm import Session

from wuye_loop.domain.assessment.periods import spoken
from wuye_loop.loop.engine import Loop
from wuye_loop.loop.evaluate import schedule
from wuye_loop.loop.figures import scoring
from wuye_loop.store.assessment import cases, measures, periods
from wuye_loop.store.assessment.periods import Assessment, FigureRow


@dataclass(frozen=True, slots=True)
class Drift:
    """Looked at how many periods; what is broken (the stored rows are not what was hashed), what drifted since."""

    periods: int
    broken: list[str]
    drifted: list[str]


def looked_over(loop: Loop, session: Session) -> Drift:
    """Look at every frozen period: its hash, and the newest revision's figures recounted from what is stored now.

    A period that cannot be read is told of among the broken, and the others are looked at all the same.
    """
    every = periods.every(session, published=False)
    broken: list[str] = []
    drifted: list[str] = []
    newest: set[tuple[str, str]] = set()
    for one in every:
        try:
            with session.begin_nested():
                if periods.digest_of(session, one) != one.digest or periods.miscounted(session, one.id):
                    broken.append(f"{_named(one)}：存下的得分和数字与封账时的哈希不符")
                if one.revision == 1 and (one.name, one.period) not in newest:
                    drifted += _drifted(loop, session, one)
        except Exception as error:  # noqa: BLE001 whatever is wrong with one period, it is told, and the others go on
            broken.append(f"{one.scheme} {one.period}：读不出来（{type(error).__name__}）")
        newest.add((one.name, one.period))
    return Drift(len(every), broken, drifted)


def _drifted(loop: Loop, session: Session, one: Assessment) -> list[str]:
    place = schedule.place_of(session, one.name, one.period)
    ground = scoring.grounded(loop, session, place.scheme, place.stretch)
    figures = scoring.counted(session, place.scheme, place.part, ground, place.stretch)
    now = {(row.subject, row.peer, row.measure): row for row in figures}
    frozen = periods.figures(session, one.id)
    then = {(row.subject, row.peer, row.measure): row for row in frozen if row.measure in place.scheme.measures}
    told = []
    for key in sorted({*now, *then}):
        old, new = then.get(key), now.get(key)
        if _same(old, new):
            continue
        subject, peer, name = key
        measure = place.scheme.measures[name]
        counted = place.scheme.measures[measure.growth] if measure.growth is not None else measure
        was = periods.cases(session, one.id, subject, peer, name)
        is_ = measures.cases_of(session, name, counted, ground, subject, peer)
        changed = sorted(case for case in {*was, *is_} if was.get(case) != is_.get(case))
        why = cases.what_happened(session, changed, one.closed_at) if one.closed_at is not None else []
        said = f"：{'、'.join(why)}" if why else ""
        told.append(f"{_named(one)} {subject} {measure.title}：封账时 {_shown(old)}，现在 {_shown(new)}{said}")
    return told


def _same(old: FigureRow | None, new: FigureRow | None) -> bool:
    return _counts(old) == _counts(new)


def _counts(row: FigureRow | None) -> tuple[object, ...]:
    """Return what is compared: of no row, as of one that counted nothing."""
    return (0, 0, 0) if row is None else (row.numerator, row.denominator or 0, row.count)


def _shown(row: FigureRow | None) -> str:
    if row is None:
        return "没有"
    top = f"{row.numerator.normalize():f}"
    return top if row.denominator is None else f"{top}/{row.denominator.normalize():f}"


def _named(one: Assessment) -> str:
    return f"{one.scheme} {spoken(one.period)}（第 {one.revision} 版）"

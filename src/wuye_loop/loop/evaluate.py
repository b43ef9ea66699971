"""评价考核: close periods when their time has come, publish them, and let what the lists bring come in as grievances and credit.

Every step is one transaction under the period's row lock; what a list brings is noted before it is done, in the same
transaction, so that it happens once however many do it at the same time.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import partial
from hashlib import blake2b
from operator import itemgetter
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy.orm import Session

from wuye_loop.domain.assessment import periods as calendar
from wuye_loop.domain.assessment.credit import CARRIED, CreditRow, balance, carried, until
from wuye_loop.domain.assessment.leaving import fallen_since, last_days, lost_more_than
from wuye_loop.domain.assessment.periods import BadPeriod, Stretch
from wuye_loop.domain.assessment.scheme import PEOPLE, Consequence, InputSpec, Opening, Period, Scheme
from wuye_loop.domain.errors import BadInput, Conflict, Forbidden, NotFound, WuyeError
from wuye_loop.domain.grievance import roles
from wuye_loop.domain.grievance.order import EXTERNAL_ID_MOST, TITLE_MOST, IntakeForm
from wuye_loop.domain.grievance.situation import SYSTEM_ACTOR, Actor
from wuye_loop.domain.language.documents import number_in
from wuye_loop.domain.rules.rules import Rules
from wuye_loop.domain.step.documents import Paper, PaperLine
from wuye_loop.domain.terms import ActorKind
from wuye_loop.jobs import Job, Jobs
from wuye_loop.loop import collect, engine
from wuye_loop.loop.engine import Loop
from wuye_loop.loop.figures import scoring
from wuye_loop.store.assessment import credit_rows, periods, schemes, voices
from wuye_loop.store.assessment.periods import Assessment, LeftOut, Numbered, ResultRow
from wuye_loop.store.database import Database
from wuye_loop.store.grievance import document_numbers

_log = structlog.get_logger("wuye_loop.assessment")
#: A scheme that was published long ago is caught up with from here on, not from the beginning of the record.
_MOST_BEHIND = 400
_NAMED = 8  # items of a checklist that a refusal names


@dataclass(frozen=True, slots=True)
class Place:
    """A period of a scheme, found by its code: the scheme, the part, the window."""

    scheme: Scheme
    part: str
    stretch: Stretch

    @property
    def spec(self) -> Period:
        """What the scheme says of it."""
        return self.scheme.periods[self.part]


def place_of(session: Session, which: str, code: str) -> Place:
    """Return the period of a scheme that a code names; a closed one by the version that it was closed by.

    Raises NotFound for an unknown scheme, BadInput for a code that names none of its periods.
    """
    scheme = schemes.named(session, which)
    try:
        every = calendar.kind_of(code)
        part = next((name for name, one in scheme.periods.items() if one.every == every), None)
        if part is None:
            raise BadInput(f"{scheme.title}没有这种考核期")
        stretch = calendar.window(scheme.periods[part], code, scheme.calendar.zone)
    except BadPeriod as error:
        raise BadInput(str(error)) from None
    found = periods.find(session, scheme.name, code)
    if found is not None and found.state != "due" and found.scheme != scheme.id:
        scheme = schemes.named(session, found.scheme)
    return Place(scheme, part, stretch)


def closes_at(loop: Loop, session: Session, scheme: Scheme, spec: Period, stretch: Stretch) -> datetime:
    """Return when a period closes: at its end, or so long after."""
    if spec.closes is None:
        return stretch.ends
    return loop.reference.calendar(session, scheme.calendar).shift(stretch.ends, spec.closes)


# --- the schedule ---------------------------------------------------------------------------------------------------


def schedule(loop: Loop, session: Session, every: Sequence[tuple[Scheme, datetime]]) -> int:
    """Add the periods of schemes that have begun by now and are not in the schedule; return how many."""
    loop.reference.refresh(session)
    now, added = loop.clock.now(), 0
    for scheme, since in every:
        if not is_ours(loop, scheme):
            continue
        zone = scheme.calendar.zone
        for part, spec in scheme.periods.items():
            last = periods.latest_scheduled(session, scheme.name, part)
            if last is None:
                at = calendar.containing(spec, since, zone)
            else:
                at = calendar.after(spec, calendar.window(spec, last.period, zone), zone)
            for _ in range(_MOST_BEHIND):
                if at.starts > now:
                    break
                added += periods.schedule(session, _row(loop, session, Place(scheme, part, at)))
                at = calendar.after(spec, at, zone)
    return added


def is_ours(loop: Loop, scheme: Scheme) -> bool:
    """Say whether a scheme is of the city that this installation works for: of its workflow, whatever the version."""
    return scheme.workflow.partition("@")[0] == loop.default_workflow.partition("@")[0]


def _row(loop: Loop, session: Session, place: Place) -> Assessment:
    at, scheme = place.stretch, place.scheme
    due = closes_at(loop, session, scheme, place.spec, at)
    return Assessment(
        loop.ids.new(), scheme.name, scheme.id, place.part, at.code, 1, "due", at.starts, at.ends, due
    )  # fmt: skip


def close_due(loop: Loop, database: Database, *, jobs: Jobs | None = None) -> int:
    """Close every period whose time has come, the oldest first, each in a transaction of its own; return how many.

    Any number may do it at once. One that cannot be closed or published is logged and passed over; why is kept, and it is
    tried again later and later. What is closed stays so where its publication fails.
    """
    jobs = jobs or Jobs()
    with database.begin() as session:
        every = schemes.newest(session)
        schedule(loop, session, every)
        waiting = periods.due(session, loop.clock.now())
    done = sum(_done(loop, database, jobs, one) for one in waiting)
    looks: list[Callable[[], object]] = [
        lambda: database.write(lambda session: by_rungs(loop, session, every)),
        lambda: end_silences(loop, database, jobs),
        *(partial(send_away, loop, database, scheme, jobs) for scheme, _ in every),
    ]
    for look in looks:
        try:
            look()
        except Exception:  # noqa: BLE001 whatever it is, it is logged, and the others go on
            _log.exception("look_failed")
    return done


def _done(loop: Loop, database: Database, jobs: Jobs, one: UUID) -> bool:
    """Close a period, and publish it where it does that by itself; say whether it was done, and done here."""
    try:
        with database.begin() as session:
            found = _close_one(loop, session, one)
        if found is None or found.spec.publishes != "at_close":
            return found is not None
        with database.begin() as session:
            made = _publish_one(loop, session, one, found)
            jobs.defer(session, made or ())
    except Exception as error:  # noqa: BLE001 whatever it is, it is logged, and the others go on
        _log.exception("period_not_closed", assessment=str(one))
        words = error.detail if isinstance(error, WuyeError) else f"系统内部错误（{type(error).__name__}）"
        with database.begin() as session:
            periods.not_done(session, one, words, loop.clock.now())
        return False
    return made is not None


def _close_one(loop: Loop, session: Session, one: UUID) -> Place | None:
    """Freeze a period; return its place, also of one that is closed and still to be published. None: others have it."""
    row = periods.locked(session, one, wait=False)
    if row is None or row.state == "published" or row.closes_at > loop.clock.now():
        return None
    place = place_of(session, row.name, row.period)
    if row.state == "due":
        _freeze(loop, session, row, place)
    elif place.spec.publishes != "at_close":
        return None  # somebody else has closed it meanwhile
    return place


def _publish_one(loop: Loop, session: Session, one: UUID, place: Place) -> Sequence[Job] | None:
    row = periods.locked(session, one, wait=False)
    if row is None or row.state != "closed":
        return None
    return publish(loop, session, place.scheme.name, row.period, SYSTEM_ACTOR)


def close(loop: Loop, session: Session, which: str, code: str, actor: Actor) -> Assessment:
    """封账: freeze a period's figures now. Raises Forbidden, Conflict before its end or when it is closed already."""
    place = place_of(session, which, code)
    admit(loop, session, place.scheme, actor)
    if loop.clock.now() < place.stretch.ends:
        raise Conflict("考核期还没有结束，不能封账")
    row = _locked(loop, session, place)
    if row.state != "due":
        raise Conflict("这一期已经封账；更正请通过申诉另出一版")
    _freeze(loop, session, row, place)
    return _found(session, place)


def _freeze(loop: Loop, session: Session, row: Assessment, place: Place) -> None:
    made = scoring.drafted(loop, session, place.scheme, place.part, place.stretch, into=row.id)
    by_itself = place.spec.publishes == "at_close"
    periods.freeze(session, replace(row, scheme=place.scheme.id), made.results, loop.clock.now(), publishes=by_itself)


def _locked(loop: Loop, session: Session, place: Place, *, shared: bool = False) -> Assessment:
    """Return the newest revision of a period under its lock; one that nobody has scheduled yet is added.

    `shared` keeps it open for others that share: voices of many come in at once, and closing waits for them.
    """
    if place.stretch.starts > loop.clock.now():
        raise Conflict("这一期还没有开始")
    found = periods.find(session, place.scheme.name, place.stretch.code)
    if found is None:
        periods.schedule(session, _row(loop, session, place))
        found = _found(session, place)
    row = periods.locked(session, found.id, shared=shared)
    assert row is not None  # noqa: S101 assessments are never removed
    return row


def _found(session: Session, place: Place) -> Assessment:
    found = periods.find(session, place.scheme.name, place.stretch.code)
    if found is None:
        raise NotFound("这一期还没有考核")
    return found


# --- publication and what it brings ---------------------------------------------------------------------------------


def publish(loop: Loop, session: Session, which: str, code: str, actor: Actor) -> list[Job]:
    """公布: number the bulletin and bring what the lists bring. Raises Forbidden, Conflict before it is closed, or twice."""
    place = place_of(session, which, code)
    admit(loop, session, place.scheme, actor)
    row = _locked(loop, session, place)
    if row.state == "due":
        raise Conflict("这一期还没有封账，不能公布")
    if row.state == "published":
        raise Conflict("这一期已经公布")
    now = loop.clock.now()
    periods.mark_published(session, row.id, now, _bulletin(session, place, now))
    return _bring(loop, session, place, row)


def _bulletin(session: Session, place: Place, now: datetime) -> Numbered | None:
    """Draw the bulletin's number from its series, in the year of publication."""
    spec = place.spec.bulletin
    if spec is None or spec.series is None:
        return None
    year = now.astimezone(ZoneInfo(place.scheme.calendar.zone)).year
    n = document_numbers.next_number(session, spec.series, year)
    number = number_in(spec.series, year, n)
    return Numbered(number, spec.series, year, n)


def _bring(loop: Loop, session: Session, place: Place, row: Assessment) -> list[Job]:
    results = periods.results(session, row.id)
    jobs: list[Job] = []
    fresh: list[str] = []
    notices: dict[tuple[str, str], list[tuple[int, str]]] = defaultdict(list)
    for one in results:
        from_last = _from_last(results, one)
        for listed in one.lists:
            for name in place.spec.lists[listed].brings:
                made = _once(loop, session, place, one, listed, name, from_last)
                if made is None:
                    continue
                fresh.append(made.key)
                jobs += made.jobs
                if made.opened is not None:
                    unit, number = made.opened
                    notices[name, unit].append((from_last, number))
    for (name, unit), numbers in notices.items():
        jobs += _notice(
            loop, session, place.scheme, name, unit, [number for _, number in sorted(numbers, key=itemgetter(0))]
        )
    voices.vouch_for_brought(session, fresh)
    return jobs


@dataclass(frozen=True, slots=True)
class _Brought:
    """What a consequence brought to one subject: its row's key, jobs, and which unit opened a grievance of which number."""

    key: str
    jobs: Sequence[Job] = ()
    opened: tuple[str, str] | None = None


def _notice(
    loop: Loop, session: Session, scheme: Scheme, name: str, unit: str, numbers: Sequence[str]
) -> Sequence[Job]:
    """Issue the document that goes with what a consequence opened, where the file asks for one: the worst come first."""
    opening = scheme.consequences[name].open
    spec = opening.notice if opening is not None else None
    if spec is None:
        return ()
    lines = [PaperLine(number, form=dict(spec.form)) for number in numbers]
    paper = Paper(spec.document, lines, spec.text)
    return engine.issue(loop, session, Actor(ActorKind.UNIT, unit=unit), paper).jobs


def _once(
    loop: Loop, session: Session, place: Place, one: ResultRow, listed: str, name: str, from_last: int
) -> _Brought | None:
    """Bring one consequence to one subject; None where that was done for this period before."""
    key = {
        "name": place.scheme.name, "period": place.stretch.code, "subject": one.subject, "peer": one.peer,
        "consequence": name,
    }  # fmt: skip
    fresh = voices.brought(session, {**key, "list": listed, "at": loop.clock.now()})
    if fresh is None:
        return None
    spec = place.scheme.consequences[name]
    if spec.open is not None:
        jobs, opened = _open(loop, session, place, one, spec.open, key, from_last)
        return _Brought(fresh, jobs, opened)
    row = _credit(loop, session, place, one, spec, listed)
    if row is not None:
        voices.tie(session, key, credit_id=row)
    return _Brought(fresh)


def _open(
    loop: Loop, session: Session, place: Place, one: ResultRow, spec: Opening, key: Mapping[str, str], from_last: int
) -> tuple[Sequence[Job], tuple[str, str]]:
    words = _words(session, place, one, from_last)
    estate = voices.estate_of(session, one.subject, one.peer, place.stretch.starts, place.stretch.ends)
    area = one.subject if place.scheme.subjects.are in ("street", "community") else one.peer
    said = f"{words['subject']}，得分 {words['total']}，名次 {words['rank']}。"
    return _opened(loop, session, place.scheme, spec, key, words, said, (estate, area))


def _opened(
    loop: Loop, session: Session, scheme: Scheme, spec: Opening, key: Mapping[str, str], words: Mapping[str, Any],
    said: str, where: tuple[str | None, str],
) -> tuple[Sequence[Job], tuple[str, str]]:  # fmt: skip
    """Open what a consequence says, filled with words, at an estate or in an area."""
    # By the scheme's own workflow: the installation's may be an older version that does not know the source.
    rules = loop.reference.rules(session, scheme.workflow)
    title = spec.title.format(**words)[:TITLE_MOST]
    told = {
        "external_id": _named_by(key),
        "kind": spec.kind,
        "title": title,
        "body": f"{title}：{said}",
        "extra": {name: _filled(value, words) for name, value in spec.extra.items()},
    }
    unit, outcome = sent_in(loop, session, rules, (spec.source or "", spec.by), told, *where)
    voices.tie(session, key, grievance=outcome.number)
    return outcome.jobs, (unit, outcome.number)


def _named_by(key: Mapping[str, str]) -> str:
    """Return by which id a consequence's grievance is known: two that differ anywhere are never taken for one."""
    whole = ":".join(("考核", *key.values()))
    if len(whole) <= EXTERNAL_ID_MOST:
        return whole
    return f"考核:{blake2b(whole.encode(), digest_size=16).hexdigest()}"


def sent_in(
    loop: Loop, session: Session, rules: Rules, by: tuple[str, str | None], told: Mapping[str, Any],
    estate: str | None, area: str = "",
) -> tuple[str, engine.StepResult]:  # fmt: skip
    """Send in what an order says, by a workflow's source and role (none: the first that the source names), at a place.

    Return the unit that the role stands for there, and what came of it. Raises Conflict where there is no such unit.
    """
    source = rules.workflow.sources[by[0]]
    unit = _opener(session, loop, rules, by[1] or source.by[0], estate, area)
    channel = source.channels[0] if source.channels else source.title
    place = {"estate": estate} if estate is not None else {"area_code": area or None}
    form = IntakeForm.model_validate({**told, "channel": channel, "place": place})
    by_file = replace(loop, default_workflow=rules.workflow.id)
    return unit, collect.collect(by_file, session, form, Actor(ActorKind.UNIT, unit=unit))


def _opener(session: Session, loop: Loop, rules: Rules, name: str, estate: str | None, area: str) -> str:
    """Return the unit that a role stands for at a place, as for any grievance there. Raises Conflict where there is none."""
    path = voices.path_of(session, estate, area)
    level = rules.workflow.levels[0].value
    unit = roles.unit_at(rules.roles[name], loop.reference.directory, path, level)
    if unit is None:
        raise Conflict(f"目录里没有“{rules.workflow.roles[name].title}”，不能立案整改")
    return unit


def _words(session: Session, place: Place, one: ResultRow, from_last: int) -> dict[str, Any]:
    names = voices.names_of(session, [one.subject, one.peer])
    return {
        "period": calendar.spoken(place.stretch.code), "code": place.stretch.code, "rank": one.rank,
        "from_last": from_last, "total": "" if one.total is None else f"{one.total:f}",
        "subject": names.get(one.subject, one.subject), "peer": names.get(one.peer, one.peer),
    }  # fmt: skip


def _filled(value: int | str, words: Mapping[str, Any]) -> Any:
    """Return what a field of the form is filled with: one of the words by its name, else the value itself."""
    return words.get(value, value) if isinstance(value, str) else value


def _from_last(results: Sequence[ResultRow], one: ResultRow) -> int:
    worse = [row for row in results if row.peer == one.peer and row.total is not None and row.total < (one.total or 0)]
    return len(worse) + 1


# --- credit ---------------------------------------------------------------------------------------------------------


def _credit(loop: Loop, session: Session, place: Place, one: ResultRow, spec: Consequence, listed: str) -> UUID | None:
    cause = f"{place.stretch.code} {place.spec.lists[listed].title} {one.peer}".strip()
    return _add(loop, session, place.scheme, Deed(one.subject, spec.credit or "", cause, one.peer), SYSTEM_ACTOR)


@dataclass(frozen=True, slots=True)
class Deed:
    """What brings a row of credit: whose it is, which item, the cause that makes it happen once, and in which area."""

    unit: str
    item: str
    cause: str
    area: str = ""


def _add(
    loop: Loop, session: Session, scheme: Scheme, deed: Deed, actor: Actor, reason: str | None = None
) -> UUID | None:
    """Add a row, and with it what the company's managers have of it; None when this cause has its row already."""
    if scheme.credit is None or deed.item not in scheme.credit.items:
        raise BadInput("考核办法里没有这个信用项")
    spec, now = scheme.credit.items[deed.item], loop.clock.now()
    since = now.astimezone(ZoneInfo(scheme.calendar.zone)).date()
    row = CreditRow(loop.ids.new(), deed.unit, deed.item, spec.points, since, until(spec, since), None, deed.cause)
    rows = [row]
    if scheme.credit.carries is not None:
        share = scheme.credit.carries.share
        rows += [carried(row, loop.ids.new(), one, share) for one in _managers(loop, deed.unit, deed.area)]
    fresh = [credit_rows.add(session, scheme.name, one, reason=reason, actor=actor.as_json(), now=now) for one in rows]
    return row.id if fresh[0] else None


def _managers(loop: Loop, company: str, area: str) -> list[str]:
    """Return the units under a company that work in an area: all of them where none is named, and who has no area."""
    directory = loop.reference.directory
    here = directory.areas[area].path if area in directory.areas else ""

    def path(code: str | None) -> str:
        return directory.areas[code].path if code in directory.areas else here

    below = [one for one in directory.units.values() if one.active and one.parent_code == company]
    return sorted(one.code for one in below if path(one.area_code).startswith(here))


def add_credit(
    loop: Loop, session: Session, which: str, unit: str, item: str, reason: str, actor: Actor, cause: str | None = None
) -> UUID:
    """Add a row of credit by hand, with the reason; the cause (a case, a document) makes it happen once.

    Raises Forbidden, NotFound for an unknown unit, Conflict when this cause has its row already.
    """
    scheme = schemes.named(session, which)
    admit(loop, session, scheme, actor)
    if unit not in loop.reference.directory.units:
        raise NotFound("没有这个单位")
    made = _add(loop, session, scheme, Deed(unit, item, cause or f"手工 {loop.ids.new()}"), actor, reason)
    if made is None:
        raise Conflict("这个事由已经记过")
    return made


def end_credit(loop: Loop, session: Session, one: UUID, reason: str, actor: Actor) -> None:
    """End a row that counts until it is rectified, or that was wrong. Raises NotFound, Forbidden, Conflict."""
    found = credit_rows.find(session, one)
    if found is None or found[1].ends is not None:
        raise NotFound("没有这条信用记录")
    name, row = found
    scheme = schemes.named(session, name)
    admit(loop, session, scheme, actor)
    if not _end(loop, session, scheme, row, reason, actor):
        raise Conflict("这条信用记录已经终止")


def _end(loop: Loop, session: Session, scheme: Scheme, row: CreditRow, reason: str, actor: Actor) -> bool:
    """End a row, and with it what the company's managers have of it."""
    now = loop.clock.now()
    day = now.astimezone(ZoneInfo(scheme.calendar.zone)).date()
    with_it = credit_rows.of_cause(session, scheme.name, row.item, f"{row.cause}{CARRIED}{row.unit}")
    done = []
    for one in (row, *with_it):
        end = CreditRow(loop.ids.new(), one.unit, one.item, Decimal(0), day, None, one.id, f"终止 {one.id}")
        done.append(credit_rows.add(session, scheme.name, end, reason=reason, actor=actor.as_json(), now=now))
    return done[0]


def by_rungs(loop: Loop, session: Session, every: Sequence[tuple[Scheme, datetime]]) -> int:
    """Add the rows of credit that fired rungs bring (整改不到位): once for each rung of each grievance."""
    added = 0
    for scheme, _ in every:
        items = {} if scheme.credit is None else scheme.credit.items
        for name, item in items.items():
            if item.when is None:
                continue
            for row in voices.fired(session, scheme.name, item.when.rung, name):
                deed = Deed(row.subject, name, f"{row.grievance} #{row.seq}", row.peer)
                made = _add(loop, session, scheme, deed, SYSTEM_ACTOR)
                added += made is not None
    return added


# --- 清退 ----------------------------------------------------------------------------------------------------------

#: Under which name what a fall brought is noted among the consequences of lists.
LEAVING = "exit"


def send_away(loop: Loop, database: Database, scheme: Scheme, jobs: Jobs) -> int:
    """Bring what credit.exit says to each unit that has fallen so far, once for each fall; return to how many.

    Looked at on a new day and after a new row of credit. What cannot be brought is logged, and tried at the next look.
    """
    spec = scheme.credit.exit if scheme.credit is not None else None
    if spec is None or not is_ours(loop, scheme):
        return 0
    now = loop.clock.now()
    today = now.astimezone(ZoneInfo(scheme.calendar.zone)).date()
    with database.begin() as session:
        loop.reference.refresh(session)
        needed, last = credit_rows.to_look(session, scheme.id, scheme.name, today, now)
        if not needed:
            return 0
        fallen = _fallen(loop, session, scheme, today)
    done = sum(_sent_away(loop, database, scheme, jobs, unit, day) for unit, day in fallen)
    with database.begin() as session:
        credit_rows.looked(session, scheme.id, today, last)
    return done


def _fallen(loop: Loop, session: Session, scheme: Scheme, today: date) -> list[tuple[str, date]]:
    """Return the units that are to leave, since when, and for which not everything was brought yet."""
    assert scheme.credit is not None  # noqa: S101 asked by who calls
    first = credit_rows.first_day(session, scheme.name)
    if first is None:
        return []
    ends = last_days(scheme, first, today)
    ways = scheme.credit.exit.when if scheme.credit.exit is not None else ()
    back = min((ends[way.of][: way.running][-1] for way in ways if way.of and ends.get(way.of)), default=today)
    veto = [one.item for one in scheme.credit.veto]
    units = loop.reference.directory.units
    found = []
    for code in credit_rows.low(session, scheme.name, lost_more_than(scheme.credit), veto, back, today):
        unit = units.get(code)
        if unit is None or not unit.active or unit.kind != scheme.subjects.are:
            continue  # a manager's rows are his company's
        rows = [one.row for one in credit_rows.rows_of(session, scheme.name, code)]
        day = fallen_since(scheme.credit, rows, today, ends)
        if day is not None and not _was_sent(session, scheme, code, day):
            found.append((code, day))
    return found


def _was_sent(session: Session, scheme: Scheme, unit: str, day: date) -> bool:
    """Say whether what this fall brings was brought: since its first day, whatever the version then was."""
    brings = scheme.credit.exit.brings if scheme.credit is not None and scheme.credit.exit is not None else ()
    had = {row.consequence for row in voices.left(session, scheme.name, unit, LEAVING) if row.period >= day.isoformat()}
    return set(brings) <= had


def _sent_away(loop: Loop, database: Database, scheme: Scheme, jobs: Jobs, unit: str, day: date) -> bool:
    try:
        with database.begin() as session:
            made, brought = _leave(loop, session, scheme, unit, day)
            jobs.defer(session, made)
    except Exception:  # noqa: BLE001 whatever it is, it is logged, and the others go on
        _log.exception("exit_not_opened", scheme=scheme.id, unit=unit)
        return False
    return brought


def _leave(loop: Loop, session: Session, scheme: Scheme, unit: str, day: date) -> tuple[list[Job], bool]:
    """Bring to one unit what its fall brings, each thing unless that was done; the jobs, and whether anything was."""
    assert scheme.credit is not None and scheme.credit.exit is not None  # noqa: S101, PT018 asked by who calls
    spec, now = scheme.credit.exit, loop.clock.now()
    rows = [one.row for one in credit_rows.rows_of(session, scheme.name, unit)]
    stands = balance(scheme.credit, rows, now.astimezone(ZoneInfo(scheme.calendar.zone)).date())
    code, called = day.isoformat(), loop.reference.directory.name_of(unit) or unit
    words = {
        "period": calendar.spoken(code), "code": code, "rank": "", "from_last": "", "peer": "", "subject": called,
        "total": f"{stands.points.normalize():f}", "grade": stands.grade or "",
    }  # fmt: skip
    grade = f"，等级 {stands.grade}" if stands.grade else ""
    said = f"{called}，信用分 {words['total']} 分{grade}，自{words['period']}起达到“{spec.title}”的条件。"
    jobs: list[Job] = []
    fresh: list[str] = []
    for name in spec.brings:
        key = {"name": scheme.name, "period": code, "subject": unit, "peer": "", "consequence": name}
        entry = voices.brought(session, {**key, "list": LEAVING, "at": now})
        if entry is None:
            continue
        fresh.append(entry)
        one = scheme.consequences[name]
        if one.open is not None:
            estate = voices.estate_of(session, unit, "", now - timedelta(days=365), now)
            known = loop.reference.directory.units.get(unit)
            area = (known.area_code if known is not None else None) or ""
            more, (by, number) = _opened(loop, session, scheme, one.open, key, words, said, (estate, area))
            jobs += [*more, *_notice(loop, session, scheme, name, by, [number])]
        else:
            row = _add(loop, session, scheme, Deed(unit, one.credit or "", f"{code} {spec.title}"), SYSTEM_ACTOR)
            if row is not None:
                voices.tie(session, key, credit_id=row)
    voices.vouch_for_brought(session, fresh)
    return jobs, bool(fresh)


# --- voices and appeals ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Said:
    """A score that somebody enters: for whom, by which input, how much or which items, and whose voice it is.

    `unit` is whose voice it is in a list that is typed in; who comes with a key of his own speaks for himself.
    """

    input: str
    subject: str
    peer: str | None
    score: Decimal | None
    checklist: Mapping[str, Decimal]
    flat: str | None = None
    unit: str | None = None


def enter(loop: Loop, session: Session, which: str, code: str, said: Said, actor: Actor) -> bool:
    """Enter a score; the same voice may change it until the period is closed. True when the voice is new.

    Raises Forbidden for who may not, Conflict after closing, BadInput for what is out of range.
    """
    return _Desk(loop, session, which, code, actor).enter(said)


def names_of_voice(loop: Loop, scheme: Scheme, name: str, who: str) -> list[bytes]:
    """Return the digests by which a voice of an input is kept: keyed, because all flats can be hashed in no time."""
    return list(loop.keyring.index.every(f"voice\0{scheme.name}\0{name}\0{who.strip()}".encode()))


def scored_until(loop: Loop, session: Session, place: Place, spec: InputSpec, closes: datetime) -> datetime:
    """Return until when an input of a period that closes then takes scores."""
    if spec.until is None:
        return closes
    limit = loop.reference.calendar(session, place.scheme.calendar).shift(place.stretch.ends, spec.until)
    return min(limit, closes)


def may_enter(loop: Loop, session: Session, scheme: Scheme, spec: InputSpec, path: str, actor: Actor) -> bool:
    """Say whether somebody may enter scores of an input for what lies at a path of areas."""
    try:
        _may_enter(loop, session, scheme, spec.by, path, actor, None)
    except Forbidden:
        return False
    return True


def enter_list(
    loop: Loop, session: Session, which: str, code: str, every: Sequence[Said], actor: Actor
) -> list[bool | str]:
    """Enter the scores of a list; for each whether its voice is new, or in words why it was not taken.

    Raises what holds for all of them: NotFound for the scheme, BadInput for the period, Conflict before it has begun.
    """
    desk = _Desk(loop, session, which, code, actor)
    told: list[bool | str] = []
    for said in every:
        try:
            told.append(desk.enter(said))
        except (BadInput, Conflict, Forbidden, NotFound) as error:  # decided before anything is written
            told.append(error.detail)
    return told


class _Desk:
    """Where scores of one period are entered: under the period's lock, what holds for all of them looked up once."""

    def __init__(self, loop: Loop, session: Session, which: str, code: str, actor: Actor) -> None:
        self._loop, self._session, self._actor = loop, session, actor
        self._place = place_of(session, which, code)
        self._row = _locked(loop, session, self._place, shared=True)
        roster = scoring.roster_of(loop, session, self._place.scheme)
        self._groups = scoring.groups(roster)
        self._paths = {(one.code, one.peer): one.scored_at for one in roster}
        self._ends: dict[str, datetime] = {}

    def enter(self, said: Said) -> bool:
        """Enter one score."""
        scheme, loop = self._place.scheme, self._loop
        spec = scheme.inputs.get(said.input)
        if spec is None:
            raise BadInput("考核办法里没有这个评分")
        now = loop.clock.now()
        if self._row.state != "due" or now >= self._end(said.input, spec):
            raise Conflict("评分已经截止")
        peer = _peer(self._groups, said.subject, said.peer)
        unit = _may_enter(loop, self._session, scheme, spec.by, self._paths[said.subject, peer], self._actor, said.unit)
        if unit == said.subject:
            raise Forbidden("不能给自己评分")
        value, detail = _scored(spec, said)
        who = said.flat if spec.voices is not None and spec.voices.one_per == "flat" else unit
        if not who:
            raise BadInput("要写明是哪一户（flat）", fields=[{"path": "flat", "problem": "不能为空"}])
        key = {
            "name": scheme.name, "period": self._place.stretch.code, "input": said.input, "subject": said.subject,
            "peer": peer,
        }  # fmt: skip
        names = names_of_voice(loop, scheme, said.input, who)
        return voices.enter(self._session, key, names, value, detail, now)

    def _end(self, name: str, spec: InputSpec) -> datetime:
        if name not in self._ends:
            self._ends[name] = scored_until(self._loop, self._session, self._place, spec, self._row.closes_at)
        return self._ends[name]


def _scored(spec: InputSpec, said: Said) -> tuple[Decimal, dict[str, str]]:
    sheet = spec.sheet
    if not sheet:
        value = said.score
        if value is None or not spec.scale.min <= value <= spec.scale.max:
            words = f"评分要在 {spec.scale.min:f} 与 {spec.scale.max:f} 之间"
            raise BadInput(words, fields=[{"path": "score", "problem": words}])
        return value, {}
    if set(said.checklist) != set(sheet):
        words = _to_score(sheet, said.checklist)
        raise BadInput(words, fields=[{"path": "checklist", "problem": words}])
    for name, value in said.checklist.items():
        if not 0 <= value <= sheet[name]:
            words = f"{name}要在 0 与 {sheet[name]:f} 之间"
            raise BadInput(words, fields=[{"path": f"checklist.{name}", "problem": words}])
    width = spec.scale.max - spec.scale.min
    full = sum(sheet.values(), Decimal(0))
    value = spec.scale.min + sum(said.checklist.values(), Decimal(0)) * width / full
    return value, {name: f"{value:f}" for name, value in said.checklist.items()}


def _to_score(sheet: Mapping[str, Decimal], said: Mapping[str, Decimal]) -> str:
    """Say which items of a checklist are missing, or are none of it."""
    missing, more = [one for one in sheet if one not in said], [one for one in said if one not in sheet]
    told = [f"还缺：{_some(missing)}"] if missing else []
    return "；".join(["要逐项评分", *told, *([f"没有这些项：{_some(more)}"] if more else [])])


def _some(names: Sequence[str]) -> str:
    return "、".join(names[:_NAMED]) + (f" 等 {len(names)} 项" if len(names) > _NAMED else "")


def _may_enter(
    loop: Loop, session: Session, scheme: Scheme, by: Sequence[str], path: str, actor: Actor, named: str | None
) -> str | None:
    """Return the unit that enters; None for people's voices, which come through the hotline or are typed in."""
    typed_in = actor.kind in (ActorKind.SYSTEM, ActorKind.ADMIN)
    if named is not None and not typed_in:
        raise Forbidden("不能替别的单位评分")
    if typed_in and named is None:
        return actor.unit or actor.kind.value
    if actor.kind is ActorKind.HOTLINE and set(PEOPLE) & set(by):
        return actor.unit or actor.kind.value
    unit = named or actor.unit
    rules = loop.reference.rules(session, scheme.workflow)
    for name in by:
        if name not in PEOPLE and unit is not None and unit in _units(loop, rules, name, path):
            return unit
    raise Forbidden("这项评分不由这个单位来评" if named else "这项评分不由您来评")


def _units(loop: Loop, rules: Rules, role: str, path: str) -> list[str]:
    """Return the units that a role stands for at a place: those whose area covers it, or lies in it."""
    spec = rules.workflow.roles.get(role)
    unit = getattr(spec, "unit", None)
    if isinstance(unit, str):
        return [unit]
    duty, areas = getattr(unit, "duty", None), loop.reference.directory.areas
    found = []
    for one in loop.reference.directory.units.values():
        own = areas[one.area_code].path if one.area_code in areas else ""
        if one.active and duty in one.duties and (own.startswith(path) or path.startswith(own)):
            found.append(one.code)
    return found


def _peer(groups: Mapping[str, Sequence[str]], subject: str, peer: str | None) -> str:
    """Return the group in which a subject is scored. Raises NotFound, BadInput where it has several and none is named."""
    peers = groups.get(subject)
    if not peers:
        raise NotFound("没有这个考核对象")
    if peer is not None and peer in peers:
        return peer
    if peer is not None or len(peers) > 1:
        raise BadInput(f"请写明在哪一组（peer）：{'、'.join(peers)}", fields=[{"path": "peer", "problem": "要写明"}])
    return peers[0]


def appeal(
    loop: Loop,
    session: Session,
    which: str,
    code: str,
    actor: Actor,
    reason: str,
    measure: str | None,
    grievance: str | None,
    peer: str | None = None,
    subject: str | None = None,
) -> UUID:
    """申诉: the subject itself asks that a case be taken out, or a measure's points restored.

    Raises Forbidden, Conflict when the time is over, BadInput for a measure that is none.
    """
    place = place_of(session, which, code)
    rule = place.scheme.appeals
    if rule is None:
        raise Conflict("这个考核办法没有规定申诉")
    if actor.unit is None:
        raise Forbidden("由考核对象自己申诉")
    whose = subject or actor.unit
    if whose not in voices.own(session, actor.unit):
        raise Forbidden("由考核对象自己申诉")
    group = _peer(scoring.groups(scoring.roster_of(loop, session, place.scheme)), whose, peer)
    if measure is not None and measure not in place.scheme.measures:
        raise BadInput("没有这个指标", fields=[{"path": "measure", "problem": "没有这个指标"}])
    if measure is None and grievance is None:
        raise BadInput("请写明哪一件（grievance）或哪个指标（measure）")
    row = _locked(loop, session, place)
    if row.published_at is not None:
        limit = loop.reference.calendar(session, place.scheme.calendar).shift(row.published_at, rule.within)
        if loop.clock.now() > limit:
            raise Conflict("申诉期限已过")
    now = loop.clock.now()
    due = None
    if rule.decides is not None:
        due = loop.reference.calendar(session, place.scheme.calendar).shift(now, rule.decides)
    made = voices.Appealed(
        loop.ids.new(), place.scheme.name, code, row.revision, whose, group, measure, grievance, reason, actor.unit,
        now, due_at=due,
    )  # fmt: skip
    voices.file_appeal(session, made)
    return made.id


def decide(
    loop: Loop, session: Session, which: str, code: str, one: UUID, actor: Actor, *, upheld: bool, note: str | None
) -> list[Job]:
    """Decide an appeal. Upheld before the freeze, the case is left out; after it, another revision is made.

    Raises Forbidden (also for the appellant), NotFound, Conflict when it was decided.
    """
    place = place_of(session, which, code)
    found = voices.appeal_for_update(session, one)
    if found is None or (found.name, found.period) != (place.scheme.name, code):
        admit(loop, session, place.scheme, actor)
        raise NotFound("没有这件申诉")
    if not may_decide(loop, session, place.scheme, found, actor):
        raise Forbidden("逾期未裁定，已交上一级" if found.raised_at is not None else "考核由主管部门办理")
    if found.decided_at is not None:
        raise Conflict("这件申诉已经裁定")
    if found.unit == actor.unit:
        raise Forbidden("不能裁定自己的申诉")
    return _ruled(loop, session, place, found, upheld=upheld, note=note)


def _ruled(
    loop: Loop, session: Session, place: Place, found: voices.Appealed, *, upheld: bool, note: str | None
) -> list[Job]:
    row = _locked(loop, session, place)
    voices.decide_appeal(session, found.id, upheld=upheld, note=note, now=loop.clock.now())
    if not upheld or row.state == "due":
        return []
    return _revise(loop, session, place, row, found)


def end_silences(loop: Loop, database: Database, jobs: Jobs) -> int:
    """Let each appeal that nobody decided in time become what its scheme says; return how many.

    Each in a transaction of its own, once however many do it. What cannot be carried out is logged and tried an hour later.
    """
    now = loop.clock.now()
    with database.read() as session:
        late = voices.appeals_due(session, now)
    done = 0
    for one in late:
        try:
            with database.begin() as session:
                loop.reference.refresh(session)
                made = _silent(loop, session, one)
                jobs.defer(session, made or ())
        except Exception:  # noqa: BLE001 whatever it is, it is logged, and the others go on
            _log.exception("appeal_not_ended", appeal=str(one))
            with database.begin() as session:
                voices.appeal_later(session, one, now)
        else:
            done += made is not None
    return done


def _silent(loop: Loop, session: Session, one: UUID) -> list[Job] | None:
    """Do what silence means for an appeal; None where others have done it, or it was decided meanwhile."""
    found, now = voices.appeal_for_update(session, one, wait=False), loop.clock.now()
    if found is None or found.decided_at is not None or found.due_at is None or now < found.due_at:
        return None
    place = place_of(session, found.name, found.period)
    rule = place.scheme.appeals
    if rule is None:
        raise Conflict("这个考核办法没有规定申诉")
    if found.raised_at is None and rule.silence == "above" and rule.above is not None:
        due = loop.reference.calendar(session, place.scheme.calendar).shift(now, rule.above.decides)
        voices.raise_appeal(session, one, now, due)
        return []
    upheld = (rule.above.silence if rule.above is not None else rule.silence) == "upheld"
    words = f"逾期未裁定，按办法{'视为成立' if upheld else '维持原分'}"
    return _ruled(loop, session, place, found, upheld=upheld, note=words)


def _revise(loop: Loop, session: Session, place: Place, row: Assessment, upheld: voices.Appealed) -> list[Job]:
    """Make the next revision from the frozen figures: nothing but what the appeal takes out is different."""
    before = periods.results(session, row.id)
    ids = voices.ids_of(session, [upheld.grievance] if upheld.grievance else [])
    case = ids.get(upheld.grievance or "")
    if upheld.grievance is not None and case is None:
        return []  # nothing of this name was counted
    now = loop.clock.now()
    made = replace(
        row, id=loop.ids.new(), revision=row.revision + 1, closed_at=now, reason=f"申诉成立：{upheld.id}",
        published_at=now if row.state == "published" else None, digest=None,
    )  # fmt: skip
    mended = place.scheme.measures[upheld.measure].composite if upheld.measure else {}
    names = [*mended] or ([upheld.measure] if upheld.measure else list(place.scheme.measures))
    rates = [name for name in names if place.scheme.measures[name].rate is not None]
    periods.copied(session, row, made, LeftOut(upheld.subject, upheld.peer, names, rates, case))
    orders = {(one.subject, one.peer): one.orders for one in before}
    figures = periods.figures(session, made.id)
    results = scoring.judged(session, place.scheme, place.part, place.stretch, list(orders), orders, figures)
    periods.revised(session, made, results)
    if made.state != "published":
        return []
    _restore(loop, session, place, before, results)
    return _bring(loop, session, place, made)


def _restore(
    loop: Loop, session: Session, place: Place, before: Sequence[ResultRow], after: Sequence[ResultRow]
) -> None:
    """End the credit that lists brought to whom they do not hold any more."""
    now_on: dict[tuple[str, str], set[str]] = {(one.subject, one.peer): set(one.lists) for one in after}
    gone: dict[tuple[str, str], set[str]] = defaultdict(set)
    for one in before:
        key = (one.subject, one.peer)
        gone[key] = set(one.lists) - now_on.get(key, set())
    for row in voices.consequences(session, place.scheme.name, place.stretch.code):
        if row.credit_id is not None and row.list in gone.get((row.subject, row.peer), ()):
            found = credit_rows.find(session, row.credit_id)
            if found is not None:
                _end(loop, session, place.scheme, found[1], "申诉成立，名次更正", SYSTEM_ACTOR)


# --- who may --------------------------------------------------------------------------------------------------------


def may_decide(loop: Loop, session: Session, scheme: Scheme, found: voices.Appealed, actor: Actor) -> bool:
    """Say whether somebody may decide an appeal: once it went up, only those above (and who runs the installation)."""
    loop.reference.refresh(session)
    above = scheme.appeals.above if scheme.appeals is not None else None
    if found.raised_at is None or above is None:
        try:
            admit(loop, session, scheme, actor)
        except Forbidden:
            return False
        return True
    if actor.kind in (ActorKind.SYSTEM, ActorKind.ADMIN):
        return True
    rules = loop.reference.rules(session, scheme.workflow)
    return actor.unit is not None and any(actor.unit in _units(loop, rules, role, "") for role in above.decided_by)


def admit(loop: Loop, session: Session, scheme: Scheme, actor: Actor) -> None:
    """Let those pass who run an assessment: over the whole of its area, or by the role that decides. Raises Forbidden."""
    loop.reference.refresh(session)
    if actor.kind in (ActorKind.SYSTEM, ActorKind.ADMIN):
        return
    if actor.kind is ActorKind.SUPERVISOR and actor.area_path.count("/") <= 1:
        return
    rules = loop.reference.rules(session, scheme.workflow)
    deciding = scheme.appeals.decided_by if scheme.appeals is not None else ()
    if actor.unit is not None and any(actor.unit in _units(loop, rules, role, "") for role in deciding):
        return
    raise Forbidden("考核由主管部门办理")

"""Replay every ledger and compare it with what the tables say; the register, numbered documents and files too."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from functools import cache, partial
from multiprocessing.util import Finalize
from typing import Any

from sqlalchemy.exc import NoResultFound, SQLAlchemyError
from sqlalchemy.orm import Session

from wuye_loop.domain.errors import Erased, SealBroken, WuyeError
from wuye_loop.domain.grievance.ledger import GENESIS, Chain, is_keyed
from wuye_loop.domain.grievance.order_image import FIXED, texts_of
from wuye_loop.domain.grievance.situation import MUTABLE, plain
from wuye_loop.domain.privacy.sealing import KeyRing
from wuye_loop.domain.privacy.words import ERASED, Opener
from wuye_loop.domain.time import clock_moves
from wuye_loop.domain.time.calendar import WorkCalendar
from wuye_loop.domain.time.clock_moves import ClockStatus
from wuye_loop.loop.custody.destruction import APPROVED, PROPOSED, as_approved, as_held, as_proposed
from wuye_loop.loop.engine import Loop
from wuye_loop.loop.figures import scoring, tallying
from wuye_loop.loop.uncollected import uncollected
from wuye_loop.queries.verification.course import Course, Piece, What, program_of, spans
from wuye_loop.queries.verification.folds import Fold, fold
from wuye_loop.queries.verification.mark import Mark
from wuye_loop.queries.verification.report import Report
from wuye_loop.queries.verification.spread import BESIDE, spread
from wuye_loop.store import registry, retention
from wuye_loop.store import tallying as sums
from wuye_loop.store.database import Database
from wuye_loop.store.grievance import identity
from wuye_loop.store.grievance.writer import highest, with_row
from wuye_loop.store.reads import audit, summary
from wuye_loop.store.reads.audit import Folder
from wuye_loop.store.reads.recorded import WHOLE, Share
from wuye_loop.store.reference_cache import Reference

CalendarOf = Callable[[str], WorkCalendar]
_BEFORE_VERSIONS = tuple(name for name in MUTABLE if name != "workflow")
_NEVER = (None, None)  # a rung without a row will not fire, and did not
_FEW = 1000  # starting a process costs as much as this many grievances
_SHARES = 8  # of each process at least: none waits long for the last one
_LEAST = 500  # grievances of a piece, unless fewer are asked for: as many as are read at once
_SIZE = 2000  # grievances of a piece: a second or two are lost, or waited for, by who stops


def verify(
    loop: Loop,
    database: Database,
    *,
    since: datetime | None = None,
    processes: int = 1,
    progress: Callable[[int], None] | None = None,
    mark: Mark | None = None,
    size: int = _SIZE,
) -> Report:
    """Replay the ledgers, all of them or those written to since then, in as many processes as are wanted.

    A record that cannot be read is told of and counted, and the others are looked at all the same. What pieces of so many
    grievances come to is kept in the mark. Where it was taken up, what is done is not done again, only what was written
    there since is looked at once more.
    """
    report = Report()
    with database.read_at_once() as session:
        many = audit.count(session)
        parts = processes if processes > 1 and many > _FEW else 1
        if mark is not None and mark.taken_up and mark.course is not None:
            course, done = mark.course, mark.done
            for one in done.values():
                report.merge(one)
            _gone(session, course, done, report)
        else:
            size = min(size, max(_LEAST, -(-many // (parts * _SHARES)))) if parts > 1 else size
            course, done = Course.of(session, program_of(database), loop.clock.now(), since, size), {}
            if mark is not None:
                mark.begin(course)
    told = progress or (lambda _: None)
    told(report.grievances)

    def keep(n: int | None, found: Report) -> None:
        # What is beside is looked at anew by whoever takes it up, but where something was found: that was so.
        if mark is not None and n is not None and not (n == BESIDE and found.ok):
            mark.keep(n, found)
        report.merge(found)
        told(report.grievances)

    jobs, known = _jobs(course, done), frozenset(report.problems)
    beside = None if BESIDE in done else partial(_beside, loop, database)
    if parts > 1:
        spread(parts, jobs, partial(_in_process, database.url, loop.keyring, since, known), beside, keep)
        return report
    for n, piece in jobs:
        keep(n, _look(database, loop.reference, loop.keyring, since, known, piece))
    if beside is not None:
        keep(BESIDE, beside())
    return report


def _jobs(course: Course, done: Mapping[int, Report]) -> list[tuple[int | None, Piece]]:
    """Return the pieces that are to be looked at, with their places; without one, what is looked at again by whoever takes it up.

    First what is not done; then, of what was done before, what was written to since; then what has come in since.
    """
    pieces = course.pieces()
    left: list[tuple[int | None, Piece]] = [(n, piece) for n, piece in enumerate(pieces) if n not in done]
    again = [Piece(What.AGAIN, share, course.written) for share, _ in spans(pieces, done)]
    return left + [(None, piece) for piece in (*again, *course.rest())]


def _gone(session: Session, course: Course, done: Mapping[int, Report], report: Report) -> None:
    """Compare how many grievances were looked at with how many there are still: none ever goes."""
    if course.since is not None:
        return
    for share, places in spans(course.pieces(), done):
        were, are = sum(done[n].grievances for n in places), audit.count_in(session, share)
        if are < were:
            report.broken(f"已核对过的诉求少了 {were - are} 件：核对中断以后被删")


def _beside(loop: Loop, database: Database) -> Report:
    """Compare what is not of one grievance: documents by their numbers, the reach of keys, the register, the sums."""
    report = Report()
    with database.read_at_once() as session:
        for what, look in (
            ("文书", _documents),
            ("管辖范围", _reach),
            ("登记簿", partial(_register, chain=Chain(loop.keyring.chain))),
            ("看板的合计", partial(_sums, loop)),
        ):
            try:
                look(session, report=report)
            except SQLAlchemyError:
                raise
            except Exception as error:  # noqa: BLE001 whatever is wrong with it, it is told, and the rest is looked at
                report.unreadable(f"{what}读不出来（{type(error).__name__}）")
    return report


@cache
def _kept(url: str) -> tuple[Database, Reference]:
    """Return what a process of its own keeps from share to share: its connection, and the rules that it has read."""
    database = Database(url, pool_size=1, statement_timeout_ms=0)
    Finalize(None, database.dispose, exitpriority=0)
    return database, Reference()


def _in_process(url: str, keyring: KeyRing, since: datetime | None, known: frozenset[str], piece: Piece) -> Report:
    database, reference = _kept(url)
    return _look(database, reference, keyring, since, known, piece)


def _look(
    database: Database,
    reference: Reference,
    keyring: KeyRing,
    since: datetime | None,
    known: frozenset[str],
    piece: Piece,
) -> Report:
    """Look at one piece; `reference` is what is known of rules and calendars already."""
    if piece.what is What.FILES:
        report = Report()
        with database.read() as session:
            _files(session, report, piece.share)
        return report
    if piece.what is What.GRIEVANCES:
        return share_of(database, reference, keyring, Report(), piece.share, since=since)
    found = share_of(database, reference, keyring, Report(known=known), piece.share, written=piece.written)
    # They are counted already.
    return replace(found, grievances=0, rows=0, clocks=0, erased=0, again=found.grievances, known=frozenset())


def share_of(
    database: Database,
    reference: Reference,
    keyring: KeyRing,
    report: Report,
    share: Share,
    *,
    since: datetime | None = None,
    written: int | None = None,
) -> Report:
    """Replay the ledgers of one share of the grievances, as `audit.folders` gives them; return the report."""
    calendars: dict[str, WorkCalendar] = {}
    chain = Chain(keyring.chain)
    with uncollected(), database.read_at_once() as session:
        reference.refresh(session)

        def calendar_of(workflow: str) -> WorkCalendar:
            if workflow not in calendars:
                rules = reference.rules(session, workflow)
                calendars[workflow] = reference.calendar(session, rules.workflow.calendar)
            return calendars[workflow]

        for folder in audit.folders(session, share, since, written):
            report.grievances += 1
            try:
                _verify_one(folder, calendar_of, chain, keyring, report)
            except Exception as error:  # noqa: BLE001 whatever is wrong with one record, it is told, and the others go on
                report.unreadable(f"{folder.number} 的记录读不出来（{type(error).__name__}）")
    return report


def _verify_one(folder: Folder, calendar_of: CalendarOf, chain: Chain, keyring: KeyRing, report: Report) -> None:
    report.rows += len(folder.entries)
    _chain(folder, chain, report)
    told = fold(folder.entries)
    # A ledger begun before the version became a part of it does not say it.
    names = MUTABLE if "workflow" in told.grievance else _BEFORE_VERSIONS
    _compare_named(report, folder.number, names, told.grievance, folder.grievance)
    if folder.grievance["area_path"] != folder.area_path:
        report.drifted(f"{folder.number} area_path: 与组织目录不一致")
    _person_and_order(folder, told, keyring, report)
    words = Opener(keyring, folder.id, folder.sealed)
    told.files = {key: words(file) for key, file in told.files.items()}
    for what in ("task", "clock", "document", "rating", "precedent", "file"):
        _compare_all(report, folder.number, what, getattr(told, f"{what}s"), getattr(folder, f"{what}s"))
    _clocks(folder, calendar_of(folder.workflow), report)


def _clocks(folder: Folder, calendar: WorkCalendar, report: Report) -> None:
    """Compare each clock with its rungs, and a running one with what the calendar makes of it."""
    clocks: dict[str, clock_moves.Clock] = {}
    for key, image in folder.clocks.items():
        report.clocks += 1
        if _rests(image) and folder.highest[key] is None:
            continue
        clock = clock_moves.from_row(image)
        clocks[key] = clock
        if highest(clock) != folder.highest[key]:
            report.drifted(f"{folder.number} 时限 {clock.name} 的督办级与台账不一致")
        if clock.status is ClockStatus.RUNNING and clock_moves.due_under(calendar, clock) != clock.due_at:
            report.drifted(f"{folder.number} 时限 {clock.name} 与按日历重算的不同")
    _rungs(folder, clocks, report)


def _rests(image: Mapping[str, Any]) -> bool:
    """Say whether nothing of a clock fired and nothing will: it has no row of a rung, and no highest one."""
    return image["status"] != ClockStatus.RUNNING and all(
        isinstance(rung, list) and not any(rung[1:3]) for rung in image["rungs"]
    )


def _rungs(folder: Folder, clocks: Mapping[str, clock_moves.Clock], report: Report) -> None:
    """Compare when rungs fire with their clocks; also those of no clock, which a sweep would look at for ever.

    Clocks of before 2026-12 have a row for every rung that is to come, not for the next alone.
    """
    planned = {
        (key, rung.index): (rung.at, rung.fired_at)
        for key, clock in clocks.items()
        for rung in clock.rungs
        if rung.at is not None or rung.fired_at is not None
    }
    wanted = {(key, index) for key, clock in clocks.items() for index in with_row(clock)}
    if wanted == folder.rungs.keys() and all(planned.get(key, _NEVER) == times for key, times in folder.rungs.items()):
        return
    for key in wanted | folder.rungs.keys():
        there = folder.clocks.get(key[0])
        name = there["name"] if there is not None else "（没有这个时限）"
        _compare(
            report,
            folder.number,
            ("督办级", f"{name}/{key[1]}"),
            planned.get(key, _NEVER),
            folder.rungs.get(key, _NEVER),
        )


def _chain(folder: Folder, chain: Chain, report: Report) -> None:
    head = GENESIS
    for place, entry in enumerate(folder.entries, 1):
        if entry.seq != place:
            report.broken(f"{folder.number} 台账缺第 {place} 行")
            return
        if not chain.begins(folder.id, entry, head):
            report.broken(f"{folder.number} 台账第 {place} 行被改动")
            return
        if is_keyed(head) and not is_keyed(entry.hash):
            report.broken(f"{folder.number} 台账第 {place} 行没有密钥的封印")
            return
        head = chain.follows(entry.hash) if is_keyed(entry.hash) else entry.hash
    if head != folder.head or len(folder.entries) != folder.seq:
        report.broken(f"{folder.number} 台账末尾与诉求不符")
    elif not is_keyed(head):
        report.broken(f"{folder.number} 台账没有密钥的封印（不是升级前留下的，就是被换过）")


def _person_and_order(folder: Folder, told: Fold, keyring: KeyRing, report: Report) -> None:
    """Compare what came in with what its ledger vouches for, and the sealed complainant with its digest."""
    _compare_named(report, folder.number, FIXED, told.order, {name: plain(folder.order[name]) for name in FIXED})
    if folder.sealed is None:
        report.drifted(f"{folder.number} 诉求人的封存记录不见了")
        return
    try:
        key = keyring.data_key(folder.id, folder.sealed)
        person = identity.opened_by(key, folder.sealed)
    except Erased:
        report.erased += 1
        if not told.erased:
            report.broken(f"{folder.number} 的密钥被销毁，而台账没有销毁的记录")
        elif (folder.order["title"], folder.order["body"]) != (ERASED, ERASED):
            report.drifted(f"{folder.number} 已销毁，而标题或内容里有字")
        return
    except SealBroken as error:
        report.drifted(f"{folder.number} 诉求人: {error.detail}")
        return
    if told.erased:
        report.drifted(f"{folder.number} 台账记着已销毁，而密钥还在")
    if not key.made(texts_of(folder.order), str(told.order.get("texts"))):
        report.drifted(f"{folder.number} 标题、内容、地址或附加字段: 台账与表不一致")
    phone, kept = person.get("phone"), folder.phone_hash
    if not (kept is not None and keyring.blinded(str(phone), kept) if phone else kept is None):
        report.drifted(f"{folder.number} 电话索引: 与封存的电话不符")


def _compare_all(report: Report, number: str, what: str, folded: Mapping[str, Any], stored: Mapping[str, Any]) -> None:
    if folded != stored:
        for key in folded.keys() | stored.keys():
            _compare(report, number, (what, key), folded.get(key), stored.get(key))


def _compare_named(
    report: Report, number: str, names: Iterable[str], folded: Mapping[str, Any], stored: Mapping[str, Any]
) -> None:
    """Compare what both say under some names; a fold that does not say it says None."""
    for name in names:
        if folded.get(name) != stored[name]:
            report.drifted(f"{number} {name}: 台账与表不一致")


def _compare(report: Report, number: str, what: tuple[str, str], folded: object, stored: object) -> None:
    """Note a value that differs; what it is, and its name, become words only then."""
    if folded != stored:
        report.drifted(f"{number} {what[0]} {what[1]}: 台账与表不一致")


def _documents(session: Session, report: Report) -> None:
    for series, year, drawn, kept in audit.series_gaps(session):
        report.drifted(f"文号 {series} {year} 年: 已取 {drawn} 号，存 {kept} 件")
    for table, many in audit.orphans(session):
        report.drifted(f"{table} 表有 {many} 行不属于任何记录")
    for number in audit.papers_of_both(session):
        report.drifted(f"文书 {number} 属于诉求，却写着考核的期、标题或发文单位")
    for number in audit.broken_lines(session):
        report.drifted(f"文书 {number} 的各条与所发起的任务不符")


def _files(session: Session, report: Report, share: Share = WHOLE) -> None:
    for file in audit.broken_files(session, share):
        report.drifted(f"文件 {file} 的内容被改动")


def _reach(session: Session, report: Report) -> None:
    for what, one in audit.beyond_their_area(session):
        report.drifted(f"{what} {one} 的管辖范围与它的属地不符")
    for number, what in audit.strayed_beside(session):
        report.drifted(f"{number} 的{what}与诉求的属地、小区、时间或行号不符")


def _sums(loop: Loop, session: Session, report: Report) -> None:
    try:
        kept = summary.mark_of(session).kept
    except NoResultFound:
        report.drifted("看板合计到哪里的那一行不见了")
        return
    if not kept:
        return  # and nothing published need be read for it
    try:
        good = tallying.good_of(scoring.compiled(loop, session))
    except WuyeError:
        return  # told of already; boards count anew until it can be read
    if strayed := sums.strayed(session, good):
        report.drifted(f"看板的合计有 {strayed} 处与重新点数不符")


def _register(session: Session, chain: Chain, report: Report) -> None:
    """Compare the register with what it vouches for."""
    head = GENESIS
    known: dict[str, dict[str, Any]] = {kind: {} for kind in (*registry.WORDS, PROPOSED, APPROVED)}
    for place, note in enumerate(registry.notes(session), 1):
        if note.n != place or not registry.follows(chain, note, head):
            report.broken(f"登记簿第 {place} 行被改动，或缺了一行")
            return
        head = chain.follows(note.hash)
        if note.kind in known:
            known[note.kind][note.key] = note.image
        elif note.kind == registry.STRAYED:
            kind, _, key = note.key.partition(" ")
            report.drifted(f"{registry.WORDS[kind]} {key}: 登记簿第 {place} 行记着，变更之前已与登记簿不一致")
    if head == GENESIS:
        report.broken("登记簿是空的")
        return
    if registry.head(session) != head:
        report.broken("登记簿末尾缺了行")
    _custody(session, known, report)
    for kind, stands in registry.AS_THEY_STAND.items():
        there = stands(session)
        for key in sorted(known[kind].keys() | there.keys()):
            if known[kind].get(key, {}) != there.get(key, {}):
                report.drifted(f"{registry.WORDS[kind]} {key}: 与登记簿不一致")


def _custody(session: Session, known: Mapping[str, Mapping[str, Mapping[str, Any]]], report: Report) -> None:
    """Compare what the law holds back, and what was proposed and approved to be destroyed, with the register's newest of each."""
    entered, held = known[registry.HELD], retention.holds(session)
    for number in sorted(entered.keys() | held.keys()):
        if not as_held(held.get(number), entered.get(number, {})):
            report.drifted(f"{number} 的依法保留: 与登记簿不一致")
    lists = {str(one.id): one for one in retention.lists(session)}
    for key in sorted(known[PROPOSED].keys() | lists.keys()):
        one = lists.get(key)
        if one is None:
            report.drifted(f"销毁清单 {key}: 登记簿里有，表里不见了")
        elif not as_proposed(one, known[PROPOSED].get(key, {})) or not as_approved(one, known[APPROVED].get(key, {})):
            report.drifted(f"销毁清单 {key}: 与登记簿不一致")

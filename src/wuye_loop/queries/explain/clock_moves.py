"""What held or moved a deadline, line by line as the ledger has it: each sentence tells what was true at that time."""

from datetime import datetime

from wuye_loop.domain.rules.rules import Rules
from wuye_loop.domain.time import clock_moves
from wuye_loop.domain.time.calendar import WorkCalendar
from wuye_loop.domain.time.clock_moves import AdjustKind, Adjustment, Clock
from wuye_loop.domain.wording.definition import STARTS
from wuye_loop.domain.wording.time import office_day_seconds, spoken
from wuye_loop.queries.explain.history import CALENDAR, MIGRATED, deed, doer
from wuye_loop.queries.explain.telling import Telling
from wuye_loop.store.reads.grievances import LedgerRow

_STOPS = (AdjustKind.PAUSE, AdjustKind.END)
_DAY = 86_400


def moves(tell: Telling) -> list[str]:
    """Say what held, resumed, ended, extended or took over the clock, who did it, and how far each moved the due instant."""
    words: list[str] = []
    before: Clock | None = None
    left = {row.seq: image for row, image in tell.past.images(tell.clock)}
    for row in tell.past.rows:
        if row.seq in left:
            after = clock_moves.from_row(left[row.seq])
            words += _told(tell, row, before, after)
            before = after
        elif before is not None and row.action == MIGRATED:  # it went over as it was
            words.append(_migrated(tell, row, before, before))
    return words


def _told(tell: Telling, row: LedgerRow, before: Clock | None, after: Clock) -> list[str]:
    """Say what one row did to the clock; one that started it, or fired a rung of it, did nothing of the kind."""
    if before is not None and row.action == MIGRATED:
        return [_migrated(tell, row, before, after), *_adjusted(tell, row, before, after, moving=False)]
    words = _adjusted(tell, row, before, after)
    if before is not None and not words and before.due_at != after.due_at:
        head = "装入放假通知后重算过" if row.action == CALENDAR else deed(row, tell.rules_then.of_row(row.seq))
        words.append(f"{tell.at(row.at)} {head}：{_moved(tell, before.due_at, after.due_at)}。")
    return words


def _moved(tell: Telling, before: datetime, after: datetime) -> str:
    return f"到期由 {tell.at(before, due=True)} 变为 {tell.at(after, due=True)}"


# --- taken over by another version ----------------------------------------------------------------------------------


def _migrated(tell: Telling, row: LedgerRow, before: Clock, after: Clock) -> str:
    """Say what another version of the rules made of the clock: it never starts anew."""
    was, now = tell.rules_then.of_row(row.seq - 1).workflow, tell.rules_then.of_row(row.seq).workflow
    if _limit(before) != _limit(after):
        parts = [f"时限由 {_limit_words(before)}改为 {_limit_words(after)}，仍从原来的起点算"]
    else:
        parts = ["沿用原来的时限"]
    if before.due_at == after.due_at:
        parts.append("到期不变")
    else:
        hours = "按新版的办公时间重算，" if was.calendar != now.calendar else ""
        parts.append(f"{hours}{_moved(tell, before.due_at, after.due_at)}")
        if after.due_at < row.at <= before.due_at:
            parts.append("当时即已逾期")
    return f"{tell.at(row.at)} 由 {row.facts['from']} 换为 {row.facts['to']}：{'，'.join(parts)}。"


def _limit(clock: Clock) -> tuple[object, ...]:
    return clock.limit, clock.until, clock.starts


def _limit_words(clock: Clock) -> str:
    return f"{clock.limit.chinese}（{STARTS[clock.starts]}）" if clock.limit else "约定的日期"


# --- held, resumed, extended ----------------------------------------------------------------------------------------


def _adjusted(tell: Telling, row: LedgerRow, before: Clock | None, after: Clock, *, moving: bool = True) -> list[str]:
    """Say of each adjustment that a row made what it was, and, where it is `moving`, how far it moved the due instant."""
    rules, calendar = tell.rules_then.of_row(row.seq), tell.rules_then.calendar(row.seq)
    known = len(before.adjustments) if before else 0
    by = f"，因{deed(row, rules)}（{doer(row, rules, tell.world.directory.name_of)}）"
    words = []
    for place, one in enumerate(after.adjustments[known:], known):
        if one.kind is AdjustKind.CARRY:
            continue
        due = _due(before, after, place, calendar), _due(before, after, place + 1, calendar)
        moved = f"，{_moved(tell, *due)}" if moving and due[0] != due[1] else ""
        words.append(f"{tell.at(one.at)} {_said(one, after, after.adjustments[:place], rules, calendar)}{by}{moved}。")
    return words


def _due(before: Clock | None, after: Clock, count: int, calendar: WorkCalendar) -> datetime:
    """Return the due instant after so many adjustments: as the ledger has it, and reckoned only within one row."""
    if count == len(after.adjustments):
        return after.due_at
    if before is not None and count == len(before.adjustments):
        return before.due_at
    return clock_moves.due_of(
        after.limit, after.until, after.starts, after.started_at, after.adjustments[:count], calendar
    ).at


def _said(one: Adjustment, clock: Clock, before: tuple[Adjustment, ...], rules: Rules, calendar: WorkCalendar) -> str:
    if one.kind is AdjustKind.PAUSE:
        return "暂停"
    if one.kind is AdjustKind.END:
        return "离开计时的状态，剩余的时间留着"
    if one.kind is AdjustKind.EXTEND:
        return f"延长 {one.span.chinese}" if one.span else "改到约定的日期"
    stood = _stood_since(before)
    if stood is None:
        return "接着走"
    if clock.limit is not None and clock.limit.working:
        day = office_day_seconds(rules.workflow.calendar)
        return f"接着走，停了 {spoken(calendar.working_seconds(stood, one.at), day, whole=True)}"
    return f"接着走，停了 {spoken(int((one.at - stood).total_seconds()), _DAY, '天', whole=True)}"


def _stood_since(before: tuple[Adjustment, ...]) -> datetime | None:
    """Return since when a clock stood still: held and then ended, since it was held."""
    since: datetime | None = None
    for one in before:
        if one.kind is AdjustKind.RESUME:
            since = None
        elif one.kind in _STOPS:
            since = since or one.at
    return since

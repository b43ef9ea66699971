"""Checks clocks: every open state is under one, each can run out, and each rung of its ladder can do what it says."""

import json

from wuye_loop.authoring.checker.cases import Cases
from wuye_loop.authoring.checker.conditions import cases_of
from wuye_loop.authoring.checker.extra_fields import check_extra
from wuye_loop.authoring.checker.scene import FlowPlace, Scene
from wuye_loop.authoring.checker.system_forms import not_for_system
from wuye_loop.domain.language.forms import FieldSpec
from wuye_loop.domain.language.workflow import ClockSpec, Limit, RungSpec, TaskKind
from wuye_loop.domain.rulefile.findings import listed, quoted
from wuye_loop.domain.rulefile.reader import Path
from wuye_loop.domain.terms import Stage
from wuye_loop.domain.time.calendar import Starts
from wuye_loop.domain.time.spans import Span, TimeUnit

# The least and the most minutes that one of a unit may last: a workday may follow a holiday of nine days.
_LEAST = {
    TimeUnit.MINUTE: 1,
    TimeUnit.HOUR: 60,
    TimeUnit.WORKHOUR: 60,
    TimeUnit.DAY: 1440,
    TimeUnit.WORKDAY: 1440,
    TimeUnit.MONTH: 28 * 1440,
}
_MOST = {
    TimeUnit.MINUTE: 1,
    TimeUnit.HOUR: 60,
    TimeUnit.WORKHOUR: 12 * 1440,
    TimeUnit.DAY: 1440,
    TimeUnit.WORKDAY: 12 * 1440,
    TimeUnit.MONTH: 31 * 1440,
}
_REST = 12 * 1440  # minutes that may be over of a limit's first day, and of a holiday that it must not end on


def check_clocks(scene: Scene) -> None:
    """Note open states under no clock, clocks that never run, limits that are no limits, ladders that cannot act."""
    cases = cases_of(scene)
    for place in scene.places:
        _check_cover(scene, place)
        _check_meant(scene, cases, place)
        for name, clock in place.flow.clocks.items():
            path = (*place.path, "clocks", name)
            _check_states(scene, place, clock, path)
            _check_limits(scene, place, clock, path)
            _check_ladder(scene, cases, place, clock, path)
            _check_per(scene, place, clock, (*path, "per"))
            _check_climb(scene, place, clock, path)
    for kind, task in scene.workflow.tasks.items():
        _check_pauses(scene, kind, task)
    for step in scene.steps:
        within = getattr(step.step, "within", None)
        if within is not None and within.n < 1:
            scene.findings.error((*step.path, "within"), "no-time", "within 至少是 1：从进入状态时算起")


def _check_pauses(scene: Scene, kind: str, task: TaskKind) -> None:
    """Check which clocks a kind of task holds: they are the grievance's, and something ends the task where nobody answers."""
    for index, name in enumerate(task.pauses):
        if name not in scene.workflow.clocks:
            scene.findings.unknown(("tasks", kind, "pauses", index), "时限", name, scene.workflow.clocks)
    acting = any(rung.act for clock in task.clocks.values() for rung in clock.ladder)
    if task.pauses and not acting:
        words = (
            f"任务 {kind} 开着的时候 {'、'.join(task.pauses)} 停住，而没有人答复时没有一级 act 了结它：时限会一直停下去。"
            "请在任务的时限里写一级 act"
        )
        scene.findings.error(("tasks", kind, "pauses"), "never-goes-on", words)
    if task.pauses and task.open.limit is None:
        words = f"任务 {kind} 让 {'、'.join(task.pauses)} 停住，而能发起多少次没有限制：请在 open 里写 limit"
        scene.findings.warn(("tasks", kind, "pauses"), "no-limit", words)


def _check_cover(scene: Scene, place: FlowPlace) -> None:
    watched = {state for clock in place.flow.clocks.values() for state in clock.during}
    for name, state in place.flow.states.items():
        if state.final or state.parked or name in watched:
            continue
        words = f"状态{quoted(name)}不在任何时限之内：拖多久都没有人知道。写进某个时限的 during，或写 parked: true"
        scene.findings.error((*place.path, "states", name), "no-clock", words, key=True)


def _check_meant(scene: Scene, cases: Cases, place: FlowPlace) -> None:
    """Remark on open states in which some matters are under no clock, because none is meant for them."""
    for name, state in place.flow.states.items():
        conditions = [clock.when for clock in place.flow.clocks.values() if name in clock.during]
        if state.final or state.parked or not conditions or any(one.always for one in conditions):
            continue
        verdict = cases.judge(conditions, {})
        if verdict is None or verdict.open_case is not None:
            case = f"，例如 {verdict.open_case}" if verdict is not None else ""
            words = (
                f"状态{quoted(name)}里的时限都写了 when，有的诉求在这里不受任何时限约束{case}："
                "拖多久都没有人知道，除非它们不会到这里，或一到就由系统办走"
            )
            scene.findings.warn((*place.path, "states", name), "no-clock-for", words, key=True)


def _check_states(scene: Scene, place: FlowPlace, clock: ClockSpec, path: Path) -> None:
    states = place.flow.states
    if not clock.during:
        scene.findings.error((*path, "during"), "never-runs", "during 是空的：这个时限永远不会开始", key=True)
    for key, names in (("during", clock.during), ("paused", clock.paused)):
        for index, name in enumerate(names):
            if name in states and states[name].final:
                words = f"状态{quoted(name)}是终态，时限到那里就结束了，不能写在 {key} 里"
                scene.findings.error((*path, key, index), "final-timed", words)
    for index, name in enumerate(clock.paused):
        if name in clock.during:
            words = f"状态{quoted(name)}同时写在 during 和 paused 里：计时还是暂停？"
            scene.findings.error((*path, "paused", index), "both", words)


def _check_per(scene: Scene, place: FlowPlace, clock: ClockSpec, path: Path) -> None:
    """Check that what a clock is counted by can change: the level by climbing, the assignment by routing."""
    effects = {"level": ("climb",), "assignment": ("route", "assign")}.get(clock.per, ())
    if not effects:
        return
    if place.kind is not None:
        words = f"per: {clock.per} 只能写在主流程的时限里：层级和主办单位是诉求的，不是任务的"
        scene.findings.error(path, "per-place", words)
    elif not any(call.call.name in effects for call in scene.calls):
        what = "没有一个操作升级（效果 climb）" if clock.per == "level" else "没有一个操作派单（效果 route 或 assign）"
        words = f"{what}，per: {clock.per} 与 per: cycle 没有分别：请写上那个操作的效果，或改写 cycle"
        scene.findings.error(path, "idle-per", words)


def _check_limits(scene: Scene, place: FlowPlace, clock: ClockSpec, path: Path) -> None:
    own = scene.workflow.tasks[place.kind].open.needs if place.kind is not None else {}
    for index, limit in enumerate(clock.limit):
        at = (*path, "limit", index)
        if limit.is_ is not None and limit.is_.n < 1:
            scene.findings.error((*at, "is"), "no-time", "时限至少是 1")
        _check_natural(scene, clock, limit, at)
        for key, named in (("is", limit.of), ("until", limit.until)):
            if named is not None and named.startswith("extra."):
                _check_ordered(scene, (*at, key), named, limit)
        if limit.until is None or limit.until.startswith("extra."):
            continue
        family, _, name = limit.until.partition(".")
        spec = scene.stored.get(name) or own.get(name)
        dates = [key for key, field in {**scene.stored, **own}.items() if field is not None and _runs_to(field)]
        if family != "data" or (name not in scene.stored and name not in own):
            words = f"until 要写 data.名字，名字由效果 set 存下：没有{quoted(limit.until)}。可用：{listed(f'data.{one}' for one in dates) or '（没有）'}"
            scene.findings.error((*at, "until"), "unknown-name", words)
        elif spec is None or not _runs_to(spec) or spec.optional or spec.when is not None:
            words = f"{limit.until} 要来自必填的 date 字段，现在不是：没有日期就无法计时"
            scene.findings.error((*at, "until"), "wrong-field", words)


def _check_natural(scene: Scene, clock: ClockSpec, limit: Limit, at: Path) -> None:
    """Remark on natural days that are counted from a workday because the clock says so, not the limit."""
    natural = limit.is_ is not None and limit.is_.unit is TimeUnit.DAY and limit.starts is None
    if natural and "starts" in clock.model_fields_set and clock.starts is Starts.NEXT_WORKDAY:
        words = (
            "自然日沿用了这个时限的 starts: next workday，要等到下一个工作日才算第 1 天，遇上长假会晚好几天："
            "真是这样就在这一条写明 starts: next workday，从次日算起请写 starts: next day"
        )
        scene.findings.warn((*at, "is"), "days-from-workday", words)


def _runs_to(field: FieldSpec) -> bool:
    """Say whether a clock can run to what a field holds: a date, or a moment that is still to come."""
    return field.type == "date" or (field.type == "time" and field.future)


def _check_ordered(scene: Scene, path: Path, named: str, limit: Limit) -> None:
    """Check a limit that the order says: a form of some source asks for it, as a number or as a date."""
    check_extra(scene, path, named, ())
    name, counted = named.partition(".")[2], limit.of is not None
    asked = [source.needs[name] for source in scene.workflow.sources.values() if name in source.needs]
    wrong = next((spec for spec in asked if not (spec.type == "int" if counted else _runs_to(spec))), None)
    if wrong is not None:
        wanted = "int 字段（多少）" if counted else "date 字段，或 time: {future: true} 字段（哪一天、什么时候）"
        words = f"{named} 在来源的登记表里是 {wrong.type}，要是 {wanted}"
        scene.findings.error(path, "wrong-field", words)


def _check_ladder(scene: Scene, cases: Cases, place: FlowPlace, clock: ClockSpec, path: Path) -> None:
    if not clock.ladder and path[-1] not in scene.asked_overdue:
        scene.findings.warn(path, "no-ladder", "这个时限没有 ladder：到期时什么也不会发生", key=True)
    seen: set[RungSpec] = set()
    for index, rung in enumerate(clock.ladder):
        at = (*path, "ladder", index)
        if rung in seen:
            scene.findings.error(at, "twice", "这一级与前面的一级完全相同")
        seen.add(rung)
        if not (rung.do or rung.act or rung.open):
            words = "这一级什么也不做：要写 do（发通知）、act（系统执行操作）或 open（开任务）"
            scene.findings.error(at, "idle-rung", words)
        if rung.document is not None and rung.open is None:
            scene.findings.error((*at, "document"), "idle-key", "document 要和 open 一起写：文书随任务签发", key=True)
        _check_act(scene, place, clock, rung, at)
        _check_open(scene, rung, at)
        if index:
            _check_order(scene, clock.ladder[index - 1], rung, at)
        _check_early(scene, cases, clock, rung, at)


def _check_climb(scene: Scene, place: FlowPlace, clock: ClockSpec, path: Path) -> None:
    """Find a clock of intake, or one that counts in on-time rates, whose ladder only ever reminds: nothing ever climbs."""
    states = scene.workflow.states
    intake = any(states[name].stage is Stage.COLLECT for name in clock.during if name in states)
    if place.kind is not None or not clock.ladder or not (clock.assessed or intake):
        return
    papers = {name for name, one in scene.workflow.instruments.items() if one.document is not None}
    if any(rung.act or rung.open or papers & {*rung.do} for rung in clock.ladder):
        return
    words = (
        "这个时限到期以后只有通知，没有人办就一直停在那里。"
        "请在 ladder 里再写一级：open（书面督办，发给没有办的那一方自己）或 act（系统执行操作）"
    )
    scene.findings.warn((*path, "ladder"), "only-reminds", words, key=True)


def _check_act(scene: Scene, place: FlowPlace, clock: ClockSpec, rung: RungSpec, at: Path) -> None:
    action = place.flow.actions.get(rung.act or "")
    if action is None:
        return
    not_for_system(scene, (*at, "act"), f"操作 {rung.act} 要由系统执行", action.by)
    if clock.during and not set(action.from_) & set(clock.during):
        words = f"操作 {rung.act} 只能从 {'、'.join(action.from_) or '（没有）'} 做，而时限只在 {'、'.join(clock.during)} 里走：永远做不成"
        scene.findings.error((*at, "act"), "idle-rung", words)


def _check_open(scene: Scene, rung: RungSpec, at: Path) -> None:
    """Check what a rung opens; where the grievance stands then binds people who open such a task, and no ladder."""
    kind = scene.workflow.tasks.get(rung.open or "")
    if kind is None:
        return
    not_for_system(scene, (*at, "open"), f"任务 {rung.open} 要由系统开", kind.open.by, "open.by")
    if rung.document is None:
        return
    document = scene.workflow.documents.get(rung.document)
    if document is not None and document.by:
        not_for_system(scene, (*at, "document"), f"文书{quoted(rung.document)}要由系统签发", document.by)
    field = kind.open.needs.get("document")
    if document is not None and field is not None and field.choices and rung.document not in field.choices:
        words = f"任务 {rung.open} 的 document 只能是 {'、'.join(field.choices)}"
        scene.findings.error((*at, "document"), "wrong-document", words)


def _bounds(span: Span | None) -> tuple[int, int]:
    """Return the least and the most minutes after the due instant; negative before it."""
    if span is None or span.n == 0:
        return (0, 0)
    some, many = abs(span.n) * _LEAST[span.unit], abs(span.n) * _MOST[span.unit]
    return (some, many) if span.n > 0 else (-many, -some)


def _check_order(scene: Scene, before: RungSpec, rung: RungSpec, at: Path) -> None:
    one, other = before.offset, rung.offset
    if one is not None and other is not None and one.unit is other.unit:
        wrong = one.n > other.n
    else:
        wrong = _bounds(one)[0] > _bounds(other)[1]
    if wrong:
        words = f"督办各级要按时间先后写：{_at(rung)} 早于前一级的 {_at(before)}"
        scene.findings.error((*at, "at"), "out-of-order", words)


def _check_early(scene: Scene, cases: Cases, clock: ClockSpec, rung: RungSpec, at: Path) -> None:
    """Find a warning as long as its limit: it would stand at the start or before it, and is never given.

    Where only some limits are too short for it, that is how urgent matters go without it; but as long as one to the
    minute it looks as if it were given.
    """
    offset = rung.offset
    spans = [limit.is_ for limit in clock.limit]
    if offset is None or offset.n >= 0 or not spans or any(span is None or span.n < 1 for span in spans):
        return
    limits = [(limit, limit.is_) for limit in clock.limit if limit.is_ is not None]
    early = [limit for limit, span in limits if _too_early(offset, span, limit.starts or clock.starts)]
    if len(early) == len(limits):
        words = f"提前量 {_at(rung)} 不短于时限本身（{'、'.join(map(str, spans))}）：这一级永远不会发生"
        scene.findings.error((*at, "at"), "too-early", words)
        return
    for limit, span in limits:
        if _as_long(offset, span) and limit in early and cases.together(limit.when, rung.when):
            words = (
                f"提前量 {_at(rung)} 与其中一条时限（{_when(limit)}{span}）一样长：那种诉求的这一级正在起算时，不会发生"
            )
            scene.findings.warn((*at, "at"), "too-early", words)


def _too_early(offset: Span, span: Span, starts: Starts) -> bool:
    """Say whether a rung so long before due stands, whatever the day, at the start of such a limit or before it.

    Days counted from the next day on, and months, leave the rest of the first day over, or the days of a holiday.
    """
    ahead = abs(offset.n)
    days = span.unit in (TimeUnit.DAY, TimeUnit.WORKDAY) and starts in (Starts.NEXT_DAY, Starts.NEXT_WORKDAY)
    rest = days or span.unit is TimeUnit.MONTH
    if span.unit is offset.unit:
        return ahead > span.n if rest else ahead >= span.n
    return ahead * _LEAST[offset.unit] >= span.n * _MOST[span.unit] + (_REST if rest else 0)


def _as_long(offset: Span, span: Span) -> bool:
    """Say whether both are written as the same time: in one unit, or in units that always last as long."""
    even = (TimeUnit.MINUTE, TimeUnit.HOUR, TimeUnit.DAY)
    if span.unit is not offset.unit and not (span.unit in even and offset.unit in even):
        return False
    return abs(offset.n) * _LEAST[offset.unit] == span.n * _LEAST[span.unit]


def _when(limit: Limit) -> str:
    """Return a limit's condition as it is written, in brackets with what follows."""
    written = json.dumps(limit.when.raw, ensure_ascii=False, default=dict).replace('"', "")
    return f"when: {written}，" if limit.when.raw else "不写 when 的，"


def _at(rung: RungSpec) -> str:
    return "due" if rung.offset is None else str(rung.offset)

"""Compares what a test expects with how a grievance of the sandbox stands; every difference in words, with its place."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from wuye_loop.domain.errors import WuyeError
from wuye_loop.domain.grievance.ledger import OPEN
from wuye_loop.domain.grievance.permissions import open_blocked, openings, options
from wuye_loop.domain.grievance.roles import task_holder
from wuye_loop.domain.grievance.situation import TaskState
from wuye_loop.domain.language.results import RESULT
from wuye_loop.domain.time.clock_moves import ClockStatus
from wuye_loop.trial.definition_tests.document import Paper, TaskThen, Then
from wuye_loop.trial.definition_tests.forms import filed
from wuye_loop.trial.definition_tests.sees import reads, sees
from wuye_loop.trial.definition_tests.time import is_at, offset_name, rung_name
from wuye_loop.trial.sandbox.case import Case, Fired
from wuye_loop.trial.sandbox.sandbox import Sandbox

PAUSED = "paused"
_SHOWN = 12
Place = tuple[str | int, ...]
Differences = Iterator[tuple[Place, str]]

#: Expectations that are compared as they are: key, what people call it, where it stands.
_PLAIN: Mapping[str, tuple[str, Callable[[Case], object]]] = {
    "state": ("状态", lambda case: case.state),
    "stage": ("环节", lambda case: case.situation.grievance.stage),
    "lead": ("主办单位", lambda case: case.situation.grievance.lead_unit),
    "level": ("层级", lambda case: case.situation.grievance.level),
    "cycle": ("办理轮次", lambda case: case.situation.grievance.cycle),
    "category": ("类别", lambda case: case.situation.grievance.category),
    "urgency": ("紧急程度", lambda case: case.situation.grievance.urgency),
    "result": ("办理结果", lambda case: case.situation.grievance.data.get(RESULT)),
    "final": ("是否终态", lambda case: case.situation.grievance.final),
    "followers": ("跟随的诉求数", lambda case: case.situation.grievance.followers),
    "urged": ("催办次数", lambda case: case.situation.grievance.urged),
}


@dataclass(frozen=True)
class Look:
    """One grievance of a sandbox, looked at; times are told as the wall of the town shows them."""

    sandbox: Sandbox
    case: Case

    def differences(self, then: Then) -> Differences:
        """Give every difference with its path under `then`; `refused` is the runner's to judge."""
        written = then.model_fields_set
        for name, (title, value) in _PLAIN.items():
            if name in written:
                yield from _same((name,), title, getattr(then, name), value(self.case))
        if "standing" in written:
            yield from _same(("standing",), "整体情况", then.standing, self.sandbox.standing(self.case.number))
        if "holder" in written:
            yield from self._holder(then.holder)
        if then.replies is not None:
            now = [one.title for one in self.sandbox.replies(self.case.number)]
            yield from _among(("replies",), "答复参考", then.replies, now)
            if not then.replies and now:
                yield ("replies",), f"不应有答复参考，实有：{'、'.join(now)}"
        if then.flags is not None:
            yield from _among(("flags",), "标记", then.flags, self.case.situation.grievance.flags)
        yield from self._data(then.data)
        yield from self._due(then.due)
        yield from self._fired(then)
        yield from self._notices(then)
        yield from self._documents(then)
        yield from self._tasks(then.tasks)
        yield from self._excluded(then.excluded)
        yield from self._ratings(then)
        yield from self._told(then)
        yield from self._nothing(then)
        yield from self._allowed(then)
        yield from self._not_allowed(then)
        yield from self._sees(then.sees)

    # --- one kind of expectation each ---

    def _holder(self, expected: str | None) -> Differences:
        grievance = self.case.situation.grievance
        if expected is None or expected not in (grievance.holder_unit, grievance.holder_role):
            if expected is None and grievance.holder_unit is None:
                return
            came = grievance.holder_unit or grievance.holder_role
            yield ("holder",), f"持有单位应为 {_said(expected)}，实为 {_said(came)}"

    def _data(self, expected: Mapping[str, Any]) -> Differences:
        for name, value in expected.items():
            came = self.case.situation.grievance.data.get(name)
            yield from _same(("data", name), f"所存的 {name}", _as_stored(value, came), came)

    def _due(self, expected: Mapping[str, str | None]) -> Differences:
        clocks = self.case.clocks()
        for name, wanted in expected.items():
            status, at = clocks.get(name, (ClockStatus.ENDED, None))
            if wanted is None:
                if status is ClockStatus.RUNNING:
                    yield ("due", name), f"时限 {name} 应不在计时，实际到期时刻为 {self.wall(at)}"
            elif wanted == PAUSED:
                if status is not ClockStatus.PAUSED:
                    yield ("due", name), f"时限 {name} 应在暂停，实为{_status(status, self.wall(at))}"
            elif status is not ClockStatus.RUNNING:
                yield ("due", name), f"时限 {name} 应于 {wanted} 到期，实为{_status(status, self.wall(at))}"
            elif not self.at(at, wanted):
                yield ("due", name), f"时限 {name} 应于 {wanted} 到期，实为 {self.wall(at)}"

    def _fired(self, then: Then) -> Differences:
        fired = self.case.fired(self.sandbox.rules.workflow)
        for index, item in enumerate(then.fired):
            for name, wanted in item.items():
                same = [one for one in fired if rung_name(name) in names_of(one)]
                if not same:
                    yield ("fired", index), f"应已触发 {name}，没有触发。已触发：{self._rungs(fired)}"
                elif wanted is not None and not any(self.at(one.at, wanted) for one in same):
                    when = "、".join(self.wall(one.at) for one in same)
                    yield ("fired", index, name), f"{name} 应于 {wanted} 触发，实于 {when}"
        for index, name in enumerate(then.not_fired):
            at = [self.wall(one.at) for one in fired if rung_name(name) in names_of(one)]
            if at:
                yield ("not_fired", index), f"不应触发 {name}，已于 {'、'.join(at)} 触发"

    def _notices(self, then: Then) -> Differences:
        sent = self.case.sent()
        for index, wanted in enumerate(then.notices):
            same = [(at, one) for at, one in sent if one.instrument == wanted.send]
            to = set(self._units(wanted.to))
            found = [
                one
                for at, one in same
                if (to <= set(one.units) if to or "to" not in wanted.model_fields_set else not one.units)
                and (wanted.at is None or self.at(at, wanted.at))
                and (wanted.not_before is None or self.at(one.not_before, wanted.not_before))
            ]
            if not found:
                came = "；".join(
                    f"{self.wall(at)} 致 {'、'.join(one.units) or '无人'}"
                    + (f"（{self.wall(one.not_before)} 发出）" if one.not_before > at else "")
                    for at, one in same
                )
                others = "、".join(dict.fromkeys(one.instrument for _, one in sent)) or "没有通知"
                yield ("notices", index), f"应有通知 {wanted.send}，实有：{came or others}"

    def _documents(self, then: Then) -> Differences:
        for index, item in enumerate(then.documents):
            wanted = item if isinstance(item, Paper) else None
            named = None if wanted is not None else item
            found = [
                one
                for one in self.case.documents
                if (named is None or named in (one.number, one.kind))
                and (wanted is None or wanted.kind in (None, one.kind))
                and (wanted is None or wanted.number in (None, one.number))
                and (wanted is None or wanted.to is None or one.addressee in self._units((wanted.to,)))
                and (wanted is None or wanted.copies is None or self._copied(wanted.copies, one.copies))
            ]
            if not found:
                came = "；".join(
                    f"{one.kind} {one.number} 致 {one.addressee}"
                    + (f" 抄送 {'、'.join(one.copies)}" if one.copies else "")
                    for one in self.case.documents
                )
                what = named or "、".join(filter(None, (wanted.kind, wanted.number))) if wanted else named
                yield ("documents", index), f"应有文书 {what or ''}，实有：{came or '没有文书'}"

    def _tasks(self, expected: Mapping[str, TaskThen | None]) -> Differences:
        for kind, wanted in expected.items():
            every = self.case.tasks(kind)
            place: Place = ("tasks", kind)
            if wanted is None:
                if every:
                    yield place, f"不应有任务 {kind}，实有 {len(every)} 件，最新的处于 {every[-1].state}"
            elif not every and wanted.count != 0:
                yield place, f"应有任务 {kind}，一件也没有"
            else:
                yield from self._task(place, wanted, every)

    def _task(self, place: Place, wanted: TaskThen, every: list[TaskState]) -> Differences:
        written = wanted.model_fields_set
        if "count" in written:
            yield from _same((*place, "count"), "任务件数", wanted.count, len(every))
        if "open" in written:
            yield from _same((*place, "open"), "未结任务件数", wanted.open, sum(not one.final for one in every))
        if not every:
            return
        newest = every[-1]
        if "state" in written:
            yield from _same((*place, "state"), f"任务 {newest.kind} 的状态", wanted.state, newest.state)
        if "holder" in written:
            units = self._units((wanted.holder,)) if wanted.holder is not None else ()
            holder = task_holder(self.sandbox.world(self.case.number), self.case.situation, newest)
            if holder not in (units or (None,)):
                yield ((*place, "holder"), f"任务 {newest.kind} 应由 {_said(wanted.holder)} 持有，实为 {_said(holder)}")
        if "document" in written:
            yield from _same((*place, "document"), "任务的文书", wanted.document, newest.document)
        if "number" in written:
            yield from _same((*place, "number"), "任务的文号", wanted.number, newest.document_number)
        for name, value in wanted.data.items():
            came = newest.data.get(name)
            yield from _same((*place, "data", name), f"任务所填的 {name}", _as_stored(value, came), came)

    def _excluded(self, expected: Mapping[str, str | bool] | None) -> Differences:
        if expected is None:
            return
        came = self.case.situation.grievance.data.get("excluded", {})
        if not expected and came:
            yield ("excluded",), f"不应剔除，实际不计入：{'、'.join(came)}"
        for figure, wanted in expected.items():
            if (figure in came) is (wanted is False):
                words = "应计入" if wanted is False else "应不计入"
                yield ("excluded", figure), f"{figure} {words}，实际不计入的有：{'、'.join(came) or '没有'}"
            elif isinstance(wanted, str):
                yield from _same(("excluded", figure), f"{figure} 剔除的理由", wanted, came[figure])

    def _ratings(self, then: Then) -> Differences:
        if then.ratings is None:
            return
        came = [{**one.answers, "of": one.of_unit, "by": one.rater, "cycle": one.cycle} for one in self.case.ratings]
        if len(came) != len(then.ratings):
            yield ("ratings",), f"应有 {len(then.ratings)} 次评价，实有 {len(came)} 次"
            return
        for index, (wanted, real) in enumerate(zip(then.ratings, came, strict=True)):
            for name, value in wanted.items():
                yield from _same(("ratings", index, name), f"第 {index + 1} 次评价的 {name}", value, real.get(name))

    def _told(self, then: Then) -> Differences:
        told = self.case.told(self.sandbox.rules.workflow)
        for index, text in enumerate(then.told):
            if not any(text in one for one in told):
                yield ("told", index), f"诉求人应读到“{text}”，读到的是：{'；'.join(told) or '没有'}"

    def _nothing(self, then: Then) -> Differences:
        """Give what happened where an empty list says that nothing of the kind did."""
        workflow = self.sandbox.rules.workflow
        kinds: Mapping[str, tuple[str, Callable[[], Iterable[str]]]] = {
            "flags": ("标记", lambda: self.case.situation.grievance.flags),
            "fired": ("触发", lambda: [_rung(one) for one in self.case.fired(workflow)]),
            "notices": ("通知", lambda: dict.fromkeys(one.instrument for _, one in self.case.sent())),
            "documents": ("文书", lambda: [f"{one.kind} {one.number}" for one in self.case.documents]),
            "told": ("诉求人读到的话", lambda: self.case.told(workflow)),
        }
        for name, (title, came) in kinds.items():
            empty = name in then.model_fields_set and not getattr(then, name)
            if empty and (found := list(came())):
                yield (name,), f"不应有{title}，实有：{'、'.join(found)}"

    def _copied(self, expected: Iterable[str], copies: Iterable[str]) -> bool:
        """Say whether the copies went to these units among others; to nobody where none are expected."""
        wanted = set(self._units(expected))
        return wanted <= set(copies) if wanted else not set(copies)

    def _allowed(self, then: Then) -> Differences:
        for by, names in then.allowed.items():
            try:
                open_now = self._lawful(by)
            except WuyeError as error:
                if names:  # nobody may do nothing
                    yield ("allowed", by), error.detail
                continue
            if not names and (free := [name for name, why in open_now.items() if why is None]):
                yield ("allowed", by), f"{by} 现在应什么也不能做，实际能：{'、'.join(free)}"
            for index, name in enumerate(names):
                why = open_now.get(name, "没有这个动作，或不是这个角色的")
                if why is not None:
                    yield ("allowed", by, index), f"{by} 现在应能“{name}”，实际不能：{why}"

    def _not_allowed(self, then: Then) -> Differences:
        for by, blocked in then.not_allowed.items():
            try:
                open_now = self._lawful(by)
            except WuyeError:
                continue  # the role stands for nobody now: it may do nothing
            for index, name in enumerate(blocked):
                words = blocked[name] if isinstance(blocked, dict) else ""
                place: Place = ("not_allowed", by, name if isinstance(blocked, dict) else index)
                why = open_now.get(name, "")
                if why is None:
                    yield place, f"{by} 现在不应能“{name}”，实际能"
                elif words not in why:
                    yield (
                        place,
                        f"{by} 不能“{name}”的理由应有“{words}”，实为：{why or '没有这个动作，或不是这个角色的'}",
                    )

    def _sees(self, expected: Mapping[str, bool | tuple[str, ...]]) -> Differences:
        for by, wanted in expected.items():
            place: Place = ("sees", by)
            if isinstance(wanted, bool):
                if sees(self.sandbox, self.case, by) is not wanted:
                    units = (
                        f"。看得到的单位：{'、'.join(self.case.situation.grievance.units) or '没有'}" if wanted else ""
                    )
                    words = "应看得到这件诉求，实际看不到" if wanted else "应看不到这件诉求，实际看得到"
                    yield place, f"{by} {words}{units}"
                continue
            title, came = reads(self.sandbox, self.case, by)
            if set(came) != set(wanted):
                last = f"“{title}”所填的" if title else "所填的"
                yield place, f"{by} 应读到{last} {'、'.join(wanted) or '没有'}，实际读到 {'、'.join(came) or '没有'}"

    def _lawful(self, by: str) -> dict[str, str | None]:
        """Return by name what an actor could do now, and in words what blocks it (None: nothing)."""
        case, world = self.case, self.sandbox.world(self.case.number)
        actor = self.sandbox.actor(by, number=case.number)
        found: dict[str, str | None] = {
            item["action"]: item["blocked"] for item in options(world, case.situation, actor)
        }
        for item in openings(world, case.situation, actor):
            found[f"{OPEN}{item['task']}"] = open_blocked(
                world, case.situation, item["task"], world.rules.workflow.tasks[item["task"]], actor
            )
        for task in case.situation.tasks.values():
            for item in options(world, case.situation, actor, task):
                name = f"{task.kind}/{item['action']}"
                if found.get(name, "") is not None:
                    found[name] = item["blocked"]
        return found

    # --- words ---

    def _units(self, names: Iterable[str]) -> tuple[str, ...]:
        """Return the units that names stand for now: codes as they are, roles as the grievance has them."""
        found: dict[str, None] = {}
        for name in names:
            if name in self.sandbox.rules.workflow.roles:
                found |= dict.fromkeys(self.sandbox.units(name, self.case.number))
            else:
                found[name] = None
        return tuple(found)

    def _rungs(self, fired: Iterable[Fired]) -> str:
        every = [f"{_rung(one)}（{self.wall(one.at)}）" for one in fired]
        return "、".join(every[-_SHOWN:]) or "没有"

    def wall(self, at: datetime | None) -> str:
        """Return an instant as the town's wall shows it; seconds only where there are some."""
        if at is None:
            return "—"
        local = self.sandbox.calendar.local(at)
        return f"{local:%Y-%m-%d %H:%M:%S}" if local.second else f"{local:%Y-%m-%d %H:%M}"

    def at(self, at: datetime | None, wanted: str) -> bool:
        """Say whether an instant is the one that is written; a date alone means any time of that day, 24:00 included."""
        return at is not None and is_at(self.wall(at), wanted)


def _rung(fired: Fired) -> str:
    return f"{fired.name}/{offset_name(fired.spec.at)}"


def names_of(fired: Fired) -> set[str]:
    """Return the names by which a test may call a rung that fired: `handle`, `handle/due`, `handle/red_card`, `red_card`."""
    own = {fired.name, f"{fired.name}/{fired.spec.at}", f"{fired.name}/{fired.index + 1}"}
    return own | {name for did in fired.did for name in (did, f"{fired.name}/{did}")}


def _same(place: Place, title: str, expected: object, came: object) -> Differences:
    if expected != came:
        yield place, f"{title}应为 {_said(expected)}，实为 {_said(came)}"


def _as_stored(expected: object, came: object) -> object:
    """Return what is expected, as it was stored where it names files."""
    return came if isinstance(came, list) and filed(expected) == came else expected


def _among(place: Place, title: str, expected: Iterable[str], came: Iterable[str]) -> Differences:
    every = list(came)
    for index, item in enumerate(expected):
        if item not in every:
            yield (*place, index), f"{title}里应有 {item}，实有：{'、'.join(every) or '没有'}"


def _said(value: object) -> str:
    if value is None:
        return "无"
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _status(status: ClockStatus, at: str) -> str:
    return {ClockStatus.RUNNING: f"计时中，{at} 到期", ClockStatus.PAUSED: "暂停", ClockStatus.ENDED: "不在计时"}[
        status
    ]

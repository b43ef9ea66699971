"""A town in memory in which one version of the rules runs: what definition tests, replay and what-if questions stand on.

    town = Sandbox(rules, now=instant)
    number = town.receive({"category": "电梯"})
    town.act("dispatcher", "accept")            # a role of the workflow, or a unit's code
    town.act("handler", "sign")
    town.open_task("handler", "extension", {"days": 3, "reason": "备件"})
    town.advance(instant_or_span)               # every rung that falls due on the way fires at its own instant
    town.case().state, town.case().due(), town.standing()

Nothing is stored but in the sandbox; the same calls give the same ids, numbers and ledger. The decisions are the
machine's own: what is refused here is refused in production, with the same words.
"""

import heapq
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from wuye_loop.domain.errors import IllegalAction, NotFound, WuyeError
from wuye_loop.domain.grievance.facts import facts_of
from wuye_loop.domain.grievance.ledger import Chain
from wuye_loop.domain.grievance.order import IntakeForm
from wuye_loop.domain.grievance.replies import offered
from wuye_loop.domain.grievance.roles import units_of
from wuye_loop.domain.grievance.situation import (
    SYSTEM_ACTOR,
    Actor,
    Brief,
    Command,
    Situation,
    TaskState,
    World,
    never_urged,
)
from wuye_loop.domain.language.documents import ReplyText
from wuye_loop.domain.privacy.macs import MacKeys
from wuye_loop.domain.rules.rules import Rules
from wuye_loop.domain.step import actions, rungs
from wuye_loop.domain.step.arrival import arrived, attaching, ended, first_look, see_sender
from wuye_loop.domain.step.correction import of_nobody
from wuye_loop.domain.step.documents import Paper, decided, drawn
from wuye_loop.domain.step.posting import posted
from wuye_loop.domain.step.records import Posted, Step
from wuye_loop.domain.time.calendar import WorkCalendar
from wuye_loop.domain.time.spans import Span
from wuye_loop.loop.feedback import way_on
from wuye_loop.trial.sandbox.actors import actor_for
from wuye_loop.trial.sandbox.case import Case
from wuye_loop.trial.sandbox.idle_rungs import why_idle
from wuye_loop.trial.sandbox.intake import HOTLINE, ORDER, read_order, sender_for
from wuye_loop.trial.sandbox.routing import Switchboard
from wuye_loop.trial.town.town import Town, calendar_of, town_of

_CHAIN = Chain(MacKeys.of(bytes(32)))  # nothing that is tried out is kept: anybody may know its key


class Sandbox:
    """Grievances of one workflow in memory, with a clock that is turned by hand.

    `directory` and `calendar` stand in for what a site has; without them they are derived (see town_of) or have no
    holidays. `replies` answers routers that ask other systems, by URL: a unit's code; without an answer they fall back.
    """

    def __init__(
        self,
        rules: Rules,
        *,
        now: datetime,
        town: Town | None = None,
        calendar: WorkCalendar | None = None,
        replies: Mapping[str, str] | None = None,
    ) -> None:
        self.rules = rules
        self.town = town or town_of(rules)
        self.calendar = calendar or calendar_of(rules.workflow.calendar, now.date())
        self.now = now
        self.cases: dict[str, Case] = {}
        self._last_of: dict[tuple[str, str], str] = {}  # by phone and estate
        self._by_id: dict[UUID, str] = {}
        self._ids = 0
        self._numbers: Counter[tuple[str, int]] = Counter()
        self._switchboard = Switchboard(replies or {})
        self.post: str | None = None  # of whoever acts from now on, within the unit
        self._externals: dict[tuple[str, str], str] = {}  # source and external id of an order: the grievance it became
        self._persons: Counter[tuple[str, str]] = Counter()
        self._due: list[tuple[datetime, str]] = []  # when a case's next rung fires; stale entries are passed over
        self._last = ""

    # --- doing ---

    def receive(
        self,
        order: Mapping[str, Any] | IntakeForm = ORDER,
        *,
        by: Actor = HOTLINE,
        data: Mapping[str, Any] | None = None,
    ) -> str:
        """Take in an order as `POST /v1/grievances` has it and return its number; what is left out has a default.

        Without a `place` it lies in the town's first estate. `by` is who sends it: a hotline, or a unit where the
        source allows it; `data` is stored as if an earlier action had. An order that attaches (催办) gives the number
        of the earlier grievance. Raises BadInput for an order that cannot be read, Forbidden for a wrong sender.
        """
        form = order if isinstance(order, IntakeForm) else read_order(self.town, order, len(self._externals) + 1)
        estate = self.town.estate(form.place.estate)
        person = (form.complainant.phone or "", estate.code if estate else "")
        source = by.source or f"unit:{by.unit}"
        world = self._world()
        situation = arrived(
            world,
            form,
            id=world.new_id(),
            number=f"WY{self.calendar.local_date(self.now):%y%m%d}-{len(self._externals) + 1:08d}",
            source=source,
            estate=estate,
            repeats=self._persons[person] if all(person) else 0,
            earlier=self._earlier(person) if all(person) else None,
            reporter=by.unit,
        )
        see_sender(world, situation, by)
        situation, notices, facts = first_look(world, situation, form)
        situation = self._attached(world, situation, form, by)
        if situation.grievance.number in self.cases:
            return situation.grievance.number
        if data:
            grievance = replace(situation.grievance, data={**situation.grievance.data, **data})
            situation = replace(situation, grievance=grievance)
        facts["routing"] = [trace.as_json() for trace in world.choose(situation).trace]
        case = Case(situation)
        self.cases[case.number] = case
        self._externals[source, form.external_id] = case.number
        self._by_id[situation.grievance.id] = case.number
        self._persons[person] += 1
        self._last_of[person] = case.number
        self._last = case.number
        self._take(case, actions.receive(world, situation, by, facts, notices))
        return case.number

    def _earlier(self, person: tuple[str, str]) -> dict[str, Any] | None:
        """Return how the last earlier grievance of a phone and an estate stands, as a site finds it out."""
        last = self.cases.get(self._last_of.get(person, ""))
        return ended(last.situation.grievance, (one.facts for one in last.entries)) if last is not None else None

    def act(
        self, by: str | Actor, action: str, form: Mapping[str, Any] | None = None, *, number: str | None = None
    ) -> Step:
        """Take an action on a grievance (the last received, unless one is named).

        `by` is a role of the workflow, a unit's code, or `system`. Raises what production answers: IllegalAction,
        Forbidden, BadForm, Conflict; the refusal is kept in the case.
        """
        return self._do(number, lambda case: self._decided(case, by, action, form or {}, None))

    def on_task(
        self,
        by: str | Actor,
        kind: str,
        action: str,
        form: Mapping[str, Any] | None = None,
        *,
        n: int | None = None,
        number: str | None = None,
    ) -> Step:
        """Take an action on a task of a kind: the nth opened, else an open one that `by` holds, else the newest open.

        `by` may also be `holder` or `opener`. Raises NotFound where there is no such task, else as `act` does.
        """

        def acted(case: Case) -> Step:
            return self._decided(case, by, action, form or {}, self.task(kind, by=by, n=n, number=case.number))

        return self._do(number, acted)

    def open_task(
        self, by: str | Actor, kind: str, form: Mapping[str, Any] | None = None, *, number: str | None = None
    ) -> Step:
        """Open a task of a kind on a grievance. Raises as `act` does."""

        def opened(case: Case) -> Step:
            world = self._world(case)
            return actions.decide_open(world, case.situation, kind, self._actor(by, world, case, None), form or {})

        return self._do(number, opened)

    def issue(self, by: str | Actor, paper: Paper) -> str:
        """Issue a document with lines, each of which opens a task on the grievance it names; return its number.

        All of it or nothing. Raises NotFound for a grievance that is not here, else as `act` does.
        """
        cases = [self.case(number) for number in paper.by_grievance]
        first = self._world(cases[0])
        actor = self._actor(by, first, cases[0], None)
        numbers = self._numbers.copy()
        try:
            document = drawn(paper, actor, first, cases[0].situation, self._next_number)
            steps = [
                step
                for case, lines in zip(cases, paper.by_grievance.values(), strict=True)
                for _, step in decided(
                    self._world(case), case.situation, actor, paper, lines, document, first=case is cases[0]
                )
            ]
        except WuyeError as refusal:
            self._numbers = numbers
            cases[0].refusal = refusal
            raise
        for step in steps:
            case = self.cases[step.situation.grievance.number]
            case.refusal = None
            self._take(case, step)
        return document.number

    def advance(self, to: datetime | Span) -> int:
        """Move the clock to an instant, or by a span of the calendar, and fire every rung due on the way, in order.

        Each fires at its own instant, as a site that sweeps without delay would. Return how many fired. ValueError for
        an instant in the past.
        """
        target = to if isinstance(to, datetime) else self.calendar.shift(self.now, to)
        if target < self.now:
            raise ValueError("时间不能倒流")
        fired = 0
        while self._due and self._due[0][0] <= target:
            at, number = heapq.heappop(self._due)
            case = self.cases.get(number)
            if case is None or case.due_next != at:
                continue
            self.now = max(self.now, at)
            try:
                fired += self._fire(case)
            except WuyeError:
                heapq.heappush(self._due, (at, number))  # it stays due, as on a site
                raise
        self.now = target
        return fired

    def forget(self, number: str) -> None:
        """Drop a grievance that is not needed any more; its numbers and ids are not used again."""
        case = self.cases.pop(number)
        self._switchboard.count(case.situation, -1)
        self._by_id.pop(case.situation.grievance.id)

    # --- reading ---

    def case(self, number: str | None = None) -> Case:
        """Return a grievance (the last received, unless one is named); NotFound where there is none."""
        found = self.cases.get(number if number is not None else self._last)
        if found is None:
            raise NotFound("沙盒里没有这件诉求")
        return found

    def world(self, number: str | None = None) -> World:
        """Return what decisions about a grievance may ask now, for permits, views and facts."""
        return self._world(self.case(number))

    def actor(self, by: str | Actor, *, number: str | None = None, task: TaskState | None = None) -> Actor:
        """Return who acts when `by` is written; BadInput in words when it stands for nobody now."""
        case = self.case(number)
        return self._actor(by, self._world(case), case, task)

    def sender(self, by: str) -> Actor:
        """Return who sends an order in when `by` is written: a unit, by its code or a role; else the hotline."""
        return sender_for(self.rules, self.town, by)

    def task(
        self, kind: str, *, by: str | Actor | None = None, n: int | None = None, number: str | None = None
    ) -> TaskState:
        """Return a task: the nth of its kind, else an open one held by `by`, else the newest open, else the newest."""
        every = self.case(number).tasks(kind)
        if n is not None:
            every = every[n - 1 : n]
        if not every:
            raise NotFound(f"没有“{kind}”任务")
        still_open = [task for task in every if not task.final]
        named = by.unit if isinstance(by, Actor) else by
        units = {named, *(self.units(named, number) if named else ())}
        held = [task for task in still_open if task.holder_unit in units]
        return (held or still_open or every)[-1]

    def units(self, role: str, number: str | None = None) -> tuple[str, ...]:
        """Return the units that a role stands for on a grievance now."""
        case = self.case(number)
        return units_of(role, self._world(case), case.situation)

    def standing(self, number: str | None = None) -> str | None:
        """Return how the whole stands (`standing` of the workflow): the first whose condition holds, or None."""
        case = self.case(number)
        facts = facts_of(self._world(case), case.situation)
        return next((one.is_ for one in self.rules.workflow.standing if one.when.holds(facts)), None)

    def replies(self, number: str | None = None) -> list[ReplyText]:
        """Return the texts that are offered for an answer to the public now."""
        case = self.case(number)
        return offered(self._world(case), case.situation)

    # --- inside ---

    def _attached(self, world: World, situation: Situation, form: IntakeForm, by: Actor) -> Situation:
        """Return where the earlier grievance stands that an order was added to, or the new one, flagged if it should."""
        rule, named = attaching(world, situation, form)
        if rule is None:
            return situation
        source = situation.grievance.source
        earlier = self._externals.get((source, named or ""), named if named in self.cases else None)
        while earlier is not None and (lead := self.cases[earlier].lead) is not None:
            earlier = lead  # a merged one is urged through the one that it follows
        if earlier is not None:
            with suppress(IllegalAction):
                return self.act(by, rule.act, number=earlier).situation
        flags = (*situation.grievance.flags, "unattached")
        return replace(situation, grievance=replace(situation.grievance, flags=flags))

    def _new_id(self) -> UUID:
        self._ids += 1
        return UUID(int=self._ids)

    def _next_number(self, series: str, year: int) -> int:
        self._numbers[series, year] += 1
        return self._numbers[series, year]

    def _world(self, case: Case | None = None, others: Mapping[str, Brief] | None = None) -> World:
        lead = self.cases.get(case.lead) if case is not None and case.lead is not None else None
        world = World(
            rules=self.rules,
            now=self.now,
            calendar=self.calendar,
            directory=self.town.directory,
            new_id=self._new_id,
            choose=lambda situation: self._switchboard.choose(world, situation),
            next_number=self._next_number,
            files=frozenset,  # every id that is written counts as an uploaded file
            urged_since=case.urged_since if case is not None else never_urged,
            others=others or {},
            lead=_brief(lead) if lead is not None else None,
            correct=partial(of_nobody, self.town.estate),
        )
        return world

    def _actor(self, by: str | Actor, world: World, case: Case, task: TaskState | None) -> Actor:
        actor = by if isinstance(by, Actor) else actor_for(by, world, case.situation, task)
        return replace(actor, posts=frozenset({self.post})) if self.post is not None else actor

    def _decided(
        self, case: Case, by: str | Actor, action: str, form: Mapping[str, Any], task: TaskState | None
    ) -> Step:
        named = {value for value in form.values() if isinstance(value, str) and value in self.cases}
        world = self._world(case, {number: _brief(self.cases[number]) for number in named})
        actor = self._actor(by, world, case, task)
        return actions.decide(world, case.situation, Command(action, actor, form, task.id if task else None))

    def _do(self, number: str | None, ask: Callable[[Case], Step]) -> Step:
        case = self.case(number)
        try:
            step = ask(case)
        except WuyeError as refusal:
            case.refusal = refusal
            raise
        case.refusal = None
        self._take(case, step)
        return step

    def _fire(self, case: Case) -> int:
        fired = 0
        while (due := rungs.next_due_rung(case.situation, self.now)) is not None:
            world, before = self._world(case), case.situation
            step = rungs.decide_rung(world, before, *due)
            if step is None:
                break
            case.idle |= why_idle(world, before, step)
            self._take(case, step)
            fired += 1
        return fired

    def _take(self, case: Case, decided: Step) -> None:
        before, due_before = case.situation, case.due_next
        step = posted(before, decided, _CHAIN)
        self._switchboard.count(before, -1)
        case.take(step)
        self._switchboard.count(case.situation, 1)
        if case.due_next is not None and case.due_next != due_before:
            heapq.heappush(self._due, (case.due_next, case.number))
        for ruled in step.precedents:
            self._switchboard.keep(ruled, self._world(case), case.situation.grievance.area_path)
        for other_id, change in step.joins:
            self._join(case, other_id, change)
        if case.situation.grievance.followers:
            self._follow(case, before, step)

    def _join(self, case: Case, other_id: UUID, change: int) -> None:
        """Count a follower on the grievance that it was merged into, or taken from."""
        other = self.cases[self._by_id[other_id]]
        case.lead = other.number if change > 0 else None
        action = "follower_joined" if change > 0 else "follower_left"
        followers = other.situation.grievance.followers + change
        step = actions.note(self._world(other), other.situation, action, {"follower": case.number}, followers=followers)
        self._take(other, step)

    def _follow(self, lead: Case, before: Situation, step: Posted) -> None:
        """Let followers make the moves of their lead that the file says are theirs too, and leave when it is final."""
        done = not before.grievance.final and lead.situation.grievance.final
        family = self.rules.workflow.family.moves
        moves = [family[entry.action] for entry in step.entries if entry.task_id is None and entry.action in family]
        if not moves and not done:
            return
        for follower in [case for case in self.cases.values() if case.lead == lead.number]:
            way = way_on(self.rules, follower.state) if done and not moves else None
            ways = moves if way is None else [way]
            for action in ways:
                with suppress(IllegalAction):  # it stands elsewhere by now: nothing to follow
                    self.act(SYSTEM_ACTOR, action, number=follower.number)


def _brief(case: Case) -> Brief:
    grievance = case.situation.grievance
    return Brief(
        grievance.id, grievance.number, grievance.state, grievance.final, grievance.merged_into, grievance.followers,
        grievance.lead_unit,
    )  # fmt: skip

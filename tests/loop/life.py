"""The random life of a town: what people, clocks and faults do to it, step by step, and the model after them."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

import orjson
from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule
from sqlalchemy.orm import Session
from tests.loop import kuiwen_model as model
from tests.loop.kuiwen_model import Case, Who
from tests.loop.life_checks import WHO, Checked
from tests.site import BAD, GOOD, MONDAY, again, order

from wuye_loop.domain.errors import NotFound, Stale, WuyeError
from wuye_loop.domain.grievance.order import IntakeForm
from wuye_loop.domain.grievance.situation import Actor
from wuye_loop.loop import collect, escalate, feedback, handle
from wuye_loop.loop.engine import StepResult, Terms
from wuye_loop.ports import SeededIds
from wuye_loop.store.grievance.locking import Ticket

Work = Callable[[Session, Ticket | None, int | None], StepResult]

FAULTS = ("none", "none", "none", "none", "lost reply", "crash", "stale")
WILD = (False, False, False, False, True)
STEPS = (
    ("forward",) * 6 + ("act",) * 6 + ("act_on_task",) * 3 + ("open_task",) * 3 + ("jump",) * 2 + ("push", "restart")
)
#: state -> the action that a grievance travels on by
FORWARD = {
    "received": "accept", "routing": "route", "assigned": "sign", "handling": "finish", "supervised": "finish",
    "suspended": "resume", "reviewing": "approve", "callback": "call_back", "rating": "rate", "closed": "reopen",
}  # fmt: skip
MOST_CASES = 4
EMPTIED = "ledger, complainant, rung, clock, rating, document, task, grievance, document_series, idempotency_key, procrastinate_jobs"


class Crash(Exception):
    """Planted between the last statement and the commit."""


class Life(Checked):
    """One example is one town's life; the database is emptied between examples."""

    def __init__(self) -> None:
        super().__init__()
        self.pushed = 0

    @initialize(data=st.data())
    def begin(self, data: st.DataObject) -> None:
        self.town.clock.set(MONDAY)
        type(self).town = again(self.town, SeededIds(1))  # the same life has the same numbers when it is lived again
        with self.town.database.begin() as session:
            connection = session.connection()
            connection.exec_driver_sql("SET LOCAL session_replication_role = replica")
            connection.exec_driver_sql(f"TRUNCATE {EMPTIED} CASCADE")
        self.push(data)
        self.push(data)

    @rule(data=st.data(), steps=st.lists(st.sampled_from(STEPS), min_size=4, max_size=12))
    def live(self, data: st.DataObject, steps: list[str]) -> None:
        """Let a few things happen, one after another; after each the model and the database must agree."""
        for step in steps:
            getattr(self, step)(data)
            self.database_is_model()
            self.rungs_fire_once_and_never_early()
            self.open_grievances_have_holder_and_clock()

    # --- what may happen ---

    def push(self, data: st.DataObject) -> None:
        """Take in an order; when the answer is lost the hotline sends it again, and gets the same one."""
        if len(self.cases) == MOST_CASES:
            return
        category = data.draw(st.sampled_from(["电梯", "违规收费", "物业服务"]))
        estate = data.draw(st.sampled_from(["E1", "E2"]))
        self.pushed += 1
        loop, actor = self.town.site.loop, self.town.actors["hotline"]
        form = IntakeForm.model_validate(order(f"x{self.pushed}", category=category, place={"estate": estate}))

        def work(session: Session, ticket: Ticket | None, _: int | None) -> StepResult:
            return collect.collect(loop, session, form, actor, ticket=ticket)

        first = self.commit(work, None)
        assert first.status == 201
        if data.draw(st.booleans()):
            second = self.commit(work, None)
            assert (second.status, orjson.loads(second.body)) == (200, orjson.loads(first.body))
        self.cases[first.number] = Case(first.number, estate, category, self.town.now)

    def act(self, data: st.DataObject) -> None:
        wild, fault = data.draw(st.sampled_from(WILD)), data.draw(st.sampled_from(FAULTS))
        case = self.cases[data.draw(st.sampled_from(list(self.cases)))]
        choices = [
            (action, name)
            for action, (sources, by, _) in model.MOVES.items()
            for name, who in WHO.items()
            if wild or (case.state in sources and case.plays(who, by))
        ]
        if not choices:
            return
        self.take(data, case, *data.draw(st.sampled_from(choices)), fault)

    def forward(self, data: st.DataObject) -> None:
        """Take the action by which a grievance travels on, after whatever it waits for."""
        case = self.cases[data.draw(st.sampled_from(list(self.cases)))]
        for place, task in enumerate(case.tasks):
            if task.kind == "assist" and task.open and case.state in ("handling", "supervised"):
                self.take_on_task(case, place, "sign" if task.state == "asked" else "done", task.holder or "", "none")
                return
        by = model.MOVES[FORWARD[case.state]][1] if case.state in FORWARD else ""
        names = [name for name, who in WHO.items() if case.plays(who, by)]
        if names:
            self.take(
                data, case, FORWARD[case.state], data.draw(st.sampled_from(names)), data.draw(st.sampled_from(FAULTS))
            )

    def take(self, data: st.DataObject, case: Case, action: str, name: str, fault: str) -> None:
        form = self.form(data, action)
        lawful = self.may(case, action, WHO[name], form)
        actor, loop = self.town.actors[name], self.town.site.loop

        def work(session: Session, ticket: Ticket | None, seq: int | None) -> StepResult:
            return handle.act(loop, session, case.number, action, actor, form, Terms(seq, ticket))

        if self.attempt(work, actor, case, lawful, fault, action) is not None:
            self.apply(case, action, form)

    def open_task(self, data: st.DataObject) -> None:
        wild, fault = data.draw(st.sampled_from(WILD)), data.draw(st.sampled_from(FAULTS))
        case = self.cases[data.draw(st.sampled_from(list(self.cases)))]
        choices = [
            (kind, name)
            for kind, (by, sources) in model.OPENINGS.items()
            for name, who in WHO.items()
            if wild or (case.state in sources and case.plays(who, by))
        ]
        if not choices:
            return
        kind, name = data.draw(st.sampled_from(choices))
        form, days = self.opening(data, kind)
        lawful = self.may_open(case, kind, WHO[name])
        actor, loop = self.town.actors[name], self.town.site.loop

        def work(session: Session, ticket: Ticket | None, seq: int | None) -> StepResult:
            return handle.open_task(loop, session, case.number, kind, actor, form, Terms(seq, ticket))

        if self.attempt(work, actor, case, lawful, fault, kind) is not None:
            holder = form.get("unit") or {"supervision_order": case.lead or case.holder}.get(kind)
            holder = holder or model.SUPERIOR.get(WHO[name].unit or "")
            case.open_task(kind, holder, WHO[name].unit, days)

    def act_on_task(self, data: st.DataObject) -> None:
        wild, fault = data.draw(st.sampled_from(WILD)), data.draw(st.sampled_from(FAULTS))
        having = [case for case in self.cases.values() if case.tasks]
        if not having:
            return
        case = data.draw(st.sampled_from(having))
        place = data.draw(st.sampled_from(range(len(case.tasks))))
        task = case.tasks[place]
        choices = [
            (action, name)
            for (kind, action), (sources, by, _) in model.TASK_MOVES.items()
            for name, who in WHO.items()
            if kind == task.kind and (wild or (task.state in sources and case.plays(who, by, task)))
        ]
        if not choices:
            return
        self.take_on_task(case, place, *data.draw(st.sampled_from(choices)), fault)

    def take_on_task(self, case: Case, place: int, action: str, name: str, fault: str) -> None:
        task = case.tasks[place]
        form = model.TASK_FORMS.get(action, {})
        lawful = self.may_on_task(case, task, action, WHO[name])
        actor, loop = self.town.actors[name], self.town.site.loop
        task_id = self.town.scalar(
            "SELECT t.id FROM task t JOIN grievance g ON g.id = t.grievance_id WHERE g.number = %(number)s AND t.n = %(n)s",
            number=case.number, n=place + 1,
        )  # fmt: skip

        def work(session: Session, ticket: Ticket | None, seq: int | None) -> StepResult:
            return handle.act_on_task(loop, session, task_id, action, actor, form, Terms(seq, ticket))

        if self.attempt(work, actor, case, lawful, fault, f"{task.kind}.{action}") is not None:
            task.state = model.TASK_MOVES[task.kind, action][2]
            if (task.kind, action) == ("suspension", "approve"):
                case.count("suspend")
                case.enter("suspended", self.town.now)

    def jump(self, data: st.DataObject) -> None:
        """Time jumps, forth or back, and sweepers look: what is due fires, once, whoever looks how often."""
        hours = data.draw(st.sampled_from([1, 3, 9, 24, 30, 72, 24 * 8, -2, -30]))
        self.town.clock.advance(timedelta(hours=hours))
        self.sweep()
        if data.draw(st.booleans()):
            assert self.town.sweep() == escalate.Swept(0, 0)

    def restart(self, _: st.DataObject) -> None:
        type(self).town = again(self.town, self.town.site.loop.ids)

    # --- taking a step, with what may go wrong ---

    def attempt(self, work: Work, actor: Actor, case: Case, lawful: bool, fault: str, what: str) -> StepResult | None:  # noqa: FBT001
        """Do the work as the fault says; return the outcome when the model must follow."""
        before = self.picture(case.number)
        try:
            outcome = self.faulty(work, actor, case, fault)
        except WuyeError as error:
            self.refused(error, case, self.who(actor), what, lawful=lawful)
            outcome = None
        except Crash:
            outcome = None
        else:
            assert lawful, (what, actor.kind, actor.unit, case)
        after = self.picture(case.number)
        if outcome is None:
            assert after == before
            return None
        self.unmoved(before, after, what)
        return outcome

    @staticmethod
    def refused(refusal: WuyeError, case: Case, who: Who, what: str, *, lawful: bool) -> None:
        """Check that what was refused was not lawful, or stale, and that who may not know of it is told nothing."""
        assert not lawful or isinstance(refusal, Stale), (what, who, case, type(refusal).__name__, refusal.detail)
        assert case.seen_by(who) or isinstance(refusal, NotFound), (what, who, refusal)

    def faulty(self, work: Work, actor: Actor, case: Case, fault: str) -> StepResult:
        if fault == "crash":
            with self.town.database.begin() as session:
                work(session, None, None)
                raise Crash
        if fault == "stale":
            outcome = self.commit(work, None, seq=int(self.town.grievance(case.number).seq) - 1)
            raise AssertionError("a stale caller acted", outcome)
        if fault == "lost reply":
            assert actor.key_id is not None
            ticket = Ticket.of(
                actor.key_id,
                f"POST {case.number}",
                str(self.town.site.loop.ids.new()),
                b"asked",
                self.town.site.loop.keyring.index,
            )
            first = self.commit(work, ticket)
            second = self.commit(work, ticket)
            assert second.replayed
            assert (second.status, second.body) == (first.status, first.body)
            return first
        return self.commit(work, None)

    def commit(self, work: Work, ticket: Ticket | None, *, seq: int | None = None) -> StepResult:
        with self.town.database.begin() as session:
            outcome = work(session, ticket, seq)
            self.town.site.jobs.defer(session, outcome.jobs)
        for job in outcome.jobs:
            if job.name == "close_followers":
                self.close_followers(outcome.number)
        return outcome

    def close_followers(self, number: str) -> None:
        lead = self.town.grievance(number)
        self.town.run(lambda session: feedback.close_followers(self.town.site.loop, session, lead.id))
        self.later = number

    later: str | None = None

    def follow(self, now_final: Case) -> None:
        """Move the followers of a case that ended to their own callback."""
        if self.later == now_final.number and now_final.state in model.FINAL:
            for other in self.cases.values():
                if other.merged_into == now_final.number and other.state == "merged":
                    other.count("close_merged")
                    other.enter("callback", self.town.now)
        self.later = None

    def sweep(self) -> None:
        town = self.town
        was = {number: len(town.folder(number).entries) for number in self.cases}
        due = town.rows(
            "SELECT r.clock_id, r.idx, g.number, t.n FROM rung r JOIN clock c ON c.id = r.clock_id"
            " JOIN grievance g ON g.id = c.grievance_id LEFT JOIN task t ON t.id = c.task_id"
            " WHERE r.fired_at IS NULL AND r.at <= %(now)s",
            now=town.now,
        )
        swept = town.sweep()
        assert swept.failed == 0
        fired = set(map(tuple, town.rows("SELECT clock_id, idx FROM rung WHERE fired_at IS NOT NULL")))
        missed = [row for row in due if (row.clock_id, row.idx) not in fired]
        assert swept.fired >= len(due) - len(missed)
        left = town.scalar("SELECT count(*) FROM rung WHERE fired_at IS NULL AND at <= %(now)s", now=town.now)
        assert left == 0
        moved = set()
        for number, case in self.cases.items():
            folder, state = town.folder(number), case.state
            places = {key: image["n"] - 1 for key, image in folder.tasks.items()}
            for entry in folder.entries[was[number] :]:
                if entry.action.startswith("rung:"):
                    task = places[str(entry.task_id)] if entry.task_id else None
                    case.rung(entry.action.removeprefix("rung:"), entry.facts["rung"], task, town.now)
            if case.state != state:
                moved.add(number)
        for row in missed:  # an earlier rung moved it out of the clock's states, or ended it and its task
            assert town.scalar("SELECT status FROM clock WHERE id = %(id)s", id=row.clock_id) == "ended"
            assert row.number in moved
            assert row.n is None or self.cases[row.number].tasks[row.n - 1].over
        for row in town.rows(
            "SELECT args->>'lead' FROM procrastinate_jobs WHERE task_name = 'close_followers' ORDER BY id"
        ):
            number = town.scalar("SELECT number FROM grievance WHERE id = %(id)s", id=row[0])
            with town.database.begin() as session:
                feedback.close_followers(town.site.loop, session, row[0])
            self.later = number
            self.follow(self.cases[number])

    # --- what the model does ---

    def apply(self, case: Case, action: str, form: Mapping[str, Any]) -> None:
        now, target = self.town.now, model.MOVES[action][2]
        previous = case.cycle_done.get("call_back", 0)
        case.count(action)
        getattr(self, f"_{action}", lambda *_: None)(case, form)
        if action == "call_back" and (form["outcome"] != "无人接听" or previous >= 2):
            target = "rating"
        if action == "rate":
            target = self.rated(case, form)
        lost = case.lead is None and (action == "reopen" or (action == "rate" and target != "closed"))
        target = "routing" if lost else target
        if action == "unmerge":
            target, case.back = case.back, None
        if target is not None:
            case.enter(target, now)
        if action == "accept" or lost:
            case.count("route") if case.route(now, None) else None
        self.follow(case)

    def _route(self, case: Case, form: Mapping[str, Any]) -> None:
        case.route(self.town.now, form.get("unit"))

    def _merge(self, case: Case, form: Mapping[str, Any]) -> None:
        case.merged_into, case.back = form["into"], case.state
        self.cases[form["into"]].followers += 1

    def _unmerge(self, case: Case, _: Mapping[str, Any]) -> None:
        self.cases[case.merged_into or ""].followers -= 1
        case.merged_into = None

    def _urge(self, case: Case, _: Mapping[str, Any]) -> None:
        case.urged += 1

    def _send_back(self, case: Case, _: Mapping[str, Any]) -> None:
        if case.lead is not None:
            case.returned.add(case.lead)
        case.lead = None

    _release_supervised = _send_back

    def _hand_over(self, case: Case, form: Mapping[str, Any]) -> None:
        case.lead = form["unit"]
        case.hold()

    def _reopen(self, case: Case, _: Mapping[str, Any]) -> None:
        case.new_cycle()

    def rated(self, case: Case, form: Mapping[str, Any]) -> str:
        case.ratings[case.cycle] = form["satisfied"]
        if form["satisfied"] == "满意" or case.cycle > 2:
            return "closed"
        target = {1: "handling", 2: "supervised"}[case.cycle]
        case.new_cycle()
        return target

    # --- forms ---

    def form(self, data: st.DataObject, action: str) -> dict[str, Any]:
        if action == "merge":
            return {"into": data.draw(st.sampled_from([*self.cases, *reversed(self.cases)])), "reason": "同一件事"}
        if action == "route":
            unit = data.draw(st.sampled_from([None, "housing", "office-1", "company-1", "command-office"]))
            return {"unit": unit} if unit else {}
        if action == "hand_over":
            return {"unit": data.draw(st.sampled_from(["housing", "office-2", "property-centre"])), "reason": "不力"}
        if action == "call_back":
            return {"outcome": data.draw(st.sampled_from(["接通", "无人接听", "拒绝回访"]))}
        if action == "rate":
            return dict(data.draw(st.sampled_from([GOOD, BAD])))
        return model.FORMS.get(action, {})

    def opening(self, data: st.DataObject, kind: str) -> tuple[dict[str, Any], int]:
        if kind == "extension":
            return {"days": data.draw(st.integers(1, 10)), "reason": "等配件"}, 0
        if kind == "suspension":
            calendar = self.calendar()
            # A wall clock that was put back is behind what the ledger has seen, and that is what a step goes by.
            ((last,),) = self.town.rows("SELECT max(at) FROM ledger")
            today = calendar.local_date(max(self.town.now, last))
            days = (today - calendar.local_date(MONDAY)).days + data.draw(st.integers(0, 9))
            return {"until": str(calendar.local_date(MONDAY) + timedelta(days=days)), "reason": "要大修"}, days
        if kind == "assist":
            return {"unit": data.draw(st.sampled_from(["housing", "company-1"]))}, 0
        return {"document": data.draw(st.sampled_from(["督办单", "挂牌督办", "三重督办通知单"]))}, 0

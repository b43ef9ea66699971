"""What must hold after every step of a random life, and what the model allows in it."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, ClassVar

from hypothesis.stateful import RuleBasedStateMachine, invariant
from tests.loop import kuiwen_model as model
from tests.loop.kuiwen_model import Case, TaskModel, Who
from tests.site import MONDAY, Town

from wuye_loop.domain.grievance.situation import Actor
from wuye_loop.domain.time.clock_moves import ClockStatus
from wuye_loop.queries.verification import verify as audit

Picture = dict[str, tuple[str, str, int]]

WHO = {
    "hotline": Who("hotline", source="12345"),
    "other-hotline": Who("other-hotline", source="other"),
    "supervisor": Who("supervisor", area="3707", supervises=True),
    "supervisor-2": Who("supervisor-2", area="370702", supervises=True),
    "auditor": Who("auditor", area=""),
    **{
        code: Who(code, unit=code)
        for code in (
            "property-centre",
            "command-office",
            "market",
            "housing",
            "office-1",
            "office-2",
            "company-1",
            "company-2",
        )
    },
}


class Checked(RuleBasedStateMachine):
    """A town, the model of its grievances, and how to compare the two."""

    town: ClassVar[Town]

    def __init__(self) -> None:
        super().__init__()
        self.cases: dict[str, Case] = {}

    # --- what the model allows ---

    def who(self, actor: Actor) -> Who:
        return next(who for name, who in WHO.items() if self.town.actors[name] == actor)

    def calendar(self) -> Any:
        with self.town.database.read() as session:
            rules = self.town.site.loop.reference.rules(session, "kuiwen@1")
            return self.town.site.loop.reference.calendar(session, rules.workflow.calendar)

    def may(self, case: Case, action: str, who: Who, form: Mapping[str, Any]) -> bool:  # noqa: PLR0911
        sources, by, _ = model.MOVES[action]
        if case.state not in sources or not case.plays(who, by):
            return False
        if model.too_often(action, case) or model.too_late(action, case, self.town.now, self.calendar()):
            return False
        if action == "merge":
            into = self.cases.get(form["into"])
            free = into is not None and into is not case and into.merged_into is None and into.state not in model.FINAL
            return free and not case.followers
        if action == "close_merged":
            return self.cases[case.merged_into or ""].state in model.FINAL
        if action in ("route", "hand_over"):
            return form["unit"] not in model.FIXED if "unit" in form else bool(case.routed()[0])
        if action == "finish":
            return not any(task.kind == "assist" and task.open for task in case.tasks)
        return True

    def may_open(self, case: Case, kind: str, who: Who) -> bool:
        by, sources = model.OPENINGS[kind]
        if case.state not in sources or not case.plays(who, by):
            return False
        if kind in ("extension", "suspension"):
            counts = case.cycle_opened if kind == "extension" else case.opened
            alone = not any(task.kind == kind and task.open for task in case.tasks)
            handle_clock = [
                one for one in self.town.clocks(case.number, "handle") if one.status is not ClockStatus.ENDED
            ]
            in_time = bool(handle_clock) and self.town.now <= handle_clock[-1].due_at
            return alone and in_time and counts.get(kind, 0) < {"extension": 2, "suspension": 1}[kind]
        return case.opened.get(kind, 0) < {"assist": 8, "supervision_order": 20}[kind]

    def may_on_task(self, case: Case, task: TaskModel, action: str, who: Who) -> bool:
        sources, by, _ = model.TASK_MOVES[task.kind, action]
        if task.over or task.state not in sources or not case.seen_by(who) or not case.plays(who, by, task):
            return False
        if (task.kind, action) == ("extension", "approve"):
            return case.state in ("routing", "assigned", "handling", "supervised", "suspended", "merged")
        if (task.kind, action) == ("suspension", "approve"):
            calendar = self.calendar()
            until = calendar.local_date(MONDAY) + timedelta(days=task.days)
            return case.state in ("handling", "supervised") and bool(calendar.close_of(until) > self.town.now)
        return True

    # --- invariants ---

    def picture(self, number: str) -> Picture:
        """Return what of a grievance's clocks must not move by itself, and its seq."""
        rows = self.town.rows(
            "SELECT c.id, c.due_at, c.status, c.run, g.seq, g.head FROM grievance g"
            " LEFT JOIN clock c ON c.grievance_id = g.id WHERE g.number = %(number)s",
            number=number,
        )
        shown = {str(row.id): (str(row.due_at), str(row.status), row.run) for row in rows}
        return shown | {"seq": (bytes(rows[0].head).hex(), "", rows[0].seq)}

    def unmoved(self, before: Picture, after: Picture, what: str) -> None:
        """No clock is moved by touching: only by an approved extension, or by the time that it stood still."""
        for key, (due, status, _) in before.items():
            if key != "seq" and after[key][0] != due and what != "extension.approve":
                assert status != "running", (what, before[key], after[key])

    def database_is_model(self) -> None:
        if not self.cases:
            return
        numbers = dict(self.town.rows("SELECT id, number FROM grievance"))
        assert sorted(numbers.values()) == sorted(self.cases)
        ratings: dict[Any, dict[int, str]] = {}
        for row in self.town.rows("SELECT grievance_id, cycle, satisfied FROM rating"):
            ratings.setdefault(row[0], {})[row[1]] = row[2]
        tasks: dict[Any, list[Any]] = {}
        for row in self.town.rows("SELECT grievance_id, kind, state, holder_unit FROM task ORDER BY grievance_id, n"):
            tasks.setdefault(row[0], []).append(tuple(row[1:]))
        for row in self.town.rows("SELECT * FROM grievance"):
            held = (
                row.state, row.stage, row.final, row.lead_unit, row.holder_unit, row.cycle, row.urged,
                numbers.get(row.merged_into), row.followers, tuple(tasks.get(row.id, ())),
                tuple(sorted(ratings.get(row.id, {}).items())),
            )  # fmt: skip
            assert held == self.cases[row.number].facts()

    @invariant()
    def tables_are_the_fold_of_an_unbroken_ledger(self) -> None:
        report = audit.verify(self.town.site.loop, self.town.database)
        assert report.ok, report.problems

    def rungs_fire_once_and_never_early(self) -> None:
        fired = self.town.rows("SELECT clock_id, idx, at, fired_at FROM rung WHERE fired_at IS NOT NULL")
        assert all(row.at <= row.fired_at for row in fired)
        told = self.town.scalar("SELECT count(*) FROM ledger WHERE action LIKE 'rung:%%'")
        assert told == len(fired)

    def open_grievances_have_holder_and_clock(self) -> None:
        lost = self.town.rows(
            "SELECT g.number, g.state FROM grievance g WHERE NOT g.final AND (g.holder_role IS NULL"
            " OR (g.holder_unit IS NULL AND g.state <> 'rating')"
            " OR (g.state <> 'merged' AND NOT EXISTS (SELECT 1 FROM clock c WHERE c.grievance_id = g.id"
            "     AND c.task_id IS NULL AND c.status = 'running'"
            "     AND (c.due_at > %(now)s OR EXISTS (SELECT 1 FROM rung r WHERE r.clock_id = c.id AND r.fired_at IS NOT NULL)"
            "          OR EXISTS (SELECT 1 FROM rung r WHERE r.clock_id = c.id AND r.at IS NOT NULL)))))",
            now=self.town.now,
        )
        assert lost == []

"""How a grievance moves in a run: actions with their outcomes and effects, states with their holders and clocks."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from wuye_loop.domain.rules.flow import BACK
from wuye_loop.trial.simulation.chance import TOP
from wuye_loop.trial.simulation.minutes import DAY, OfficeMinutes
from wuye_loop.trial.simulation.run.assigning import Assigning
from wuye_loop.trial.simulation.run.clocks import Clockwork
from wuye_loop.trial.simulation.run.desk import Agenda, Desk, QueuedCase
from wuye_loop.trial.simulation.run.flow import ActionLine, ClockLine, Flow, StateLine, Way

MOST_ACTIONS: Final = 12  # that follow one another at once
STEP: Final = 5  # office minutes: how finely stays are counted
_FIXED, _LEAD, _FOUND, _END = 0, 1, 2, 3
_MOST_KNOWN: Final = 10_000
_NOTHING: Final = object()
#: The clocks that end, are held and run when one state follows another; how its holder is found, or who it is.
Change = tuple[Sequence[ClockLine], Sequence[ClockLine], Sequence[ClockLine], int, Desk | None]


class Moving:
    """Moves grievances: `over` is told of each that reaches its end."""

    def __init__(self, flow: Flow, office: OfficeMinutes, agenda: Agenda) -> None:
        self._flow = flow
        self._office = office
        self._spent = office.office_at
        self._agenda = agenda
        self._first: dict[int, Change] = {}  # what the first state does
        self.cycles = 0  # handled once more
        self.closed: dict[str, int] = {}
        self.live: dict[int, QueuedCase] = {}

    def settle(self, clockwork: Clockwork, assigning: Assigning, over: Callable[[QueuedCase, StateLine], None]) -> None:
        """Take what is built upon this one's facts."""
        self._clockwork = clockwork
        self._assigning = assigning
        self._over = over
        roles = self._flow.workflow.roles
        self._holders: list[tuple[int, Desk | None]] = []
        for state in self._flow.states.values():
            unit = roles[state.holder].unit if state.holder in roles else None
            fixed = assigning.fixed(unit)
            self._holders.append((_LEAD if unit == "lead" else _FIXED if unit is None or fixed else _FOUND, fixed))

    # --- states -----------------------------------------------------------------------------------------------------

    def enter(self, case: QueuedCase, state: StateLine) -> None:  # noqa: C901, PLR0912 millions of calls: not cut into more
        """Enter a state: clocks, holder; the end of it all where it is final."""
        old = case.state
        if state is old:
            return
        clockwork, now, desk = self._clockwork, self._agenda.now, case.desk
        if old is None:
            change = self._first.get(state.index)
        else:
            if old.simple:
                spent = self._spent
                if spent[now] - spent[case.entered] < old.quick.get(case.profile, 0):
                    quick = (desk or clockwork.nobody).quick
                    quick[old.index] = quick.get(old.index, 0) + 1
                else:
                    clockwork.leave(case, old, now)
            change = old.moves.get(state.index)
        ends, held, runs, how, holder = change or self._change(old, state)
        for line in ends:
            clockwork.stop(case, line)
        for line in held:
            clockwork.hold(case, line)
        case.previous = old
        case.state = state
        case.entered = now
        if how == _END:
            self._finish(case, state)
            return
        if how == _LEAD:
            holder = case.lead or desk  # nobody is assigned yet: whoever held it goes on holding it
        elif how == _FOUND:
            holder = self._assigning.unit_of(state.holder, case) or desk
        if holder is not desk:
            if desk is not None:
                self._leave(case, desk)
            case.desk = holder
            case.since = now
            if holder is not None:
                holder.held += 1
                if holder.held > holder.peak:  # noqa: PLR1730 max() takes thrice as long, here two million times
                    holder.peak = holder.held
        for line in runs:
            clockwork.run(case, line)

    def _change(self, old: StateLine | None, state: StateLine) -> Change:
        """Look up for good what happens when one state follows another."""
        how, holder = self._holders[state.index]
        found = *self._clockwork.change(old, state), _END if state.final else how, holder
        (self._first if old is None else old.moves)[state.index] = found
        return found

    def _leave(self, case: QueuedCase, desk: Desk) -> None:
        desk.held -= 1
        desk.taken += 1
        spent, stays = desk.office.office_at, desk.stays
        step = (spent[self._agenda.now] - spent[case.since]) // STEP
        stays[step] = stays.get(step, 0) + 1

    def _finish(self, case: QueuedCase, state: StateLine) -> None:
        for timer in case.timers.values():
            if timer.stopped is None:
                timer.desk = case.desk
            self._clockwork.count(case, timer)
        case.timers.clear()
        if case.desk is not None:
            self._leave(case, case.desk)
            case.desk = None
        case.pending = None
        del self.live[case.n]
        self.closed[state.name] = self.closed.get(state.name, 0) + 1
        if state.choices:
            self._over(case, state)

    # --- actions ----------------------------------------------------------------------------------------------------

    def carry_out(self, case: QueuedCase, action: ActionLine, by_hand: bool) -> None:  # noqa: FBT001 often called
        """Take an action, and everything that follows from it at once."""
        target = action.target
        if target is not None:
            action.taken += 1
            if action.counted:
                self._remember(case, action)
            self.enter(case, target)
            return
        follow = self._take(case, action, by_hand)
        taken = 0
        while follow and taken < MOST_ACTIONS:
            taken += 1
            next_action, follow = follow[0], follow[1:]
            if self.system_may(case, next_action):
                more = self._take(case, next_action, by_hand=False)
                follow = (*follow, *more) if follow else more
        if self._flow.joins:
            self.join(case)

    def join(self, case: QueuedCase) -> None:
        """Let the system take what a join's condition asks for, while one holds."""
        for _ in range(MOST_ACTIONS if self._flow.joins else 0):
            name = case.state.name if case.state else None
            here = [join for join in self._flow.joins if join[1].system and name in join[1].froms]
            if not here:
                return
            facts = self.facts(case)
            action = next((act for when, act in here if when.holds(facts) and self.lawful(case, act)), None)
            if action is None:
                return
            self._take(case, action, by_hand=False)

    def system_may(self, case: QueuedCase, action: ActionLine) -> bool:
        """Say whether the system may take an action now."""
        state = case.state
        return (
            action.system
            and state is not None
            and state.name in action.froms
            and (action.free or self.lawful(case, action))
        )

    def lawful(self, case: QueuedCase, action: ActionLine) -> bool:
        """Say whether nothing but the state and the role speaks against an action."""
        if not self.allowed(case, action, case.counts):
            return False
        return action.guard is None or action.guard.holds(self.facts(case))

    def allowed(self, case: QueuedCase, action: ActionLine, counts: Mapping[str, Any]) -> bool:
        """Say whether an action may still be taken: not yet often enough by these counts, and in time."""
        if action.times is not None and counts:
            kind = "cycle_done" if action.times.per == "cycle" else "done"
            if counts.get(f"{kind}.{action.name}", 0) >= action.times.times:
                return False
        if action.within is not None and self._agenda.now > action.within(case.entered):
            return False
        if action.before_due is not None:
            timer = case.timers.get(action.before_due)
            if timer is None or timer.ended or self._agenda.now > timer.due:
                return False
        return True

    def _take(self, case: QueuedCase, action: ActionLine, by_hand: bool) -> Sequence[ActionLine]:  # noqa: FBT001 often called
        """Take one action; return what the system takes next."""
        way = self._way(case, action) if action.asks else action.ways[0]
        if way is None:
            return ()
        for name in way.effects:
            if name in ("route", "assign"):
                if not self._assign(case, by_hand=by_hand, routed=name == "route"):
                    return ()  # left at the desk
            else:
                self._affect(case, name)
        action.taken += 1
        if action.counted:
            self._remember(case, action)
        state = case.previous if way.to == BACK else way.target
        if state is not None:
            self.enter(case, state)
        return way.follow

    def _remember(self, case: QueuedCase, action: ActionLine) -> None:
        counts = case.counts
        if not counts:
            case.counts = dict.fromkeys(action.counted, 1)
            return
        for key in action.counted:
            counts[key] = counts.get(key, 0) + 1

    def _way(self, case: QueuedCase, action: ActionLine) -> Way | None:
        """Return the first way whose condition holds; the same facts lead the same way."""
        values = [self._fact(case, name) for name in action.asked]
        for _, answers in action.answers:
            values.append(answers[case.draw() >> TOP])
        key = tuple(values)
        if key in action.known:
            return action.known[key]
        names = (*action.asked, *(name for name, _ in action.answers))
        facts = {name: value for name, value in zip(names, key, strict=True) if value is not _NOTHING}
        fitting = (way for way in action.ways if way.when is None or way.when.holds(facts))
        if len(action.known) >= _MOST_KNOWN:
            action.known.clear()
        action.known[key] = found = next(fitting, None)
        return found

    def _fact(self, case: QueuedCase, name: str) -> object:
        """Return one fact, the common ones without making all the others; _NOTHING where it is unknown."""
        if name == "cycle":
            return case.cycle
        if name == "lead":
            return case.lead.code if case.lead else None
        if name.startswith(("done.", "cycle_done.")):
            return case.counts.get(name, _NOTHING)
        found = self.facts(case).get(name, _NOTHING)
        return tuple(found) if isinstance(found, list) else found

    def _assign(self, case: QueuedCase, *, by_hand: bool, routed: bool) -> bool:
        """Give it to a unit: by the routers, else, where a person does it, by hand."""
        desk = self._assigning.route(case) if routed else None
        if desk is None and not by_hand:
            return False
        case.lead = desk if desk is not None else self._assigning.by_hand(case, case.draw())
        case.assigned += 1
        return True

    def _affect(self, case: QueuedCase, name: str) -> None:
        if name == "release" and case.lead is not None:
            case.returned = (*case.returned, case.lead.code)
            case.lead = None
        elif name == "new_cycle":
            for timer in case.timers.values():
                if timer.stopped is None:
                    timer.desk = case.desk
                    timer.stopped = self._agenda.now
                self._clockwork.count(case, timer)
            case.timers.clear()
            case.cycle += 1
            self.cycles += 1
            case.returned = ()
            case.counts = {key: value for key, value in case.counts.items() if not key.startswith("cycle_done.")}
        elif name == "climb":
            case.level = self._assigning.climbed(case.level)

    def facts(self, case: QueuedCase) -> dict[str, Any]:
        """Return every fact that conditions may ask of a grievance here."""
        state, now = case.state, self._agenda.now
        return {
            **case.profile.facts,
            **case.counts,
            "state": state.name if state else None,
            "stage": state.stage if state else None,
            "cycle": case.cycle,
            "level": case.level,
            "lead": case.lead.code if case.lead else None,
            "hour": now % DAY // 60,
            "workday": self._works(now // DAY),
            "age_workdays": self._office.between(case.received, now) // self._office.a_day,
            **{f"overdue.{name}": True for name, timer in case.timers.items() if now > timer.due and not timer.ended},
        }

    def _works(self, day: int) -> bool:
        return self._office.between(day * DAY, min(self._office.end, day * DAY + DAY)) > 0

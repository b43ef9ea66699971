"""How people work in a run: queues before units, work within office hours, complainants who answer or do not."""

from typing import Final

from wuye_loop.trial.simulation.chance import TOP, WHOLE, lengths, others
from wuye_loop.trial.simulation.inputs.staff import Respond
from wuye_loop.trial.simulation.minutes import DAY, OfficeMinutes
from wuye_loop.trial.simulation.run.assigning import Assigning
from wuye_loop.trial.simulation.run.desk import Agenda, Desk, QueuedCase
from wuye_loop.trial.simulation.run.flow import ActionLine, Flow, Rung, StateLine
from wuye_loop.trial.simulation.run.moving import Moving
from wuye_loop.trial.simulation.run.preparing import Preparing

_PUT_OFF: Final = 2  # nobody at home: once more after this part of a day


class Working:
    """Brings grievances before the people who work on them, and carries out what these do."""

    def __init__(
        self,
        flow: Flow,
        office: OfficeMinutes,
        agenda: Agenda,
        moving: Moving,
        assigning: Assigning,
        preparing: Preparing,
        respond: Respond,
    ) -> None:
        self._flow = flow
        self._office = office
        self._agenda = agenda
        self._moving = moving
        self._assigning = assigning
        self._preparing = preparing
        self._answering = int(respond.share * WHOLE)
        self._answers_in = lengths(respond.days * DAY, 1.0)
        self._by_clock = {name for line in flow.clocks if line.acting for name in line.during}

    def begin(self, case: QueuedCase) -> None:
        """Queue a grievance before who works in its state, or wait for the complainant, the system, a clock."""
        state = case.state
        if state is None or state.final:
            return
        case.token += 1
        case.pending = None
        action = state.plain
        if action is None:
            action, desk = self._chosen(case, state)
        else:
            desk = case.desk if state.own else self._assigning.unit_of(state.worker, case) or case.desk
        if action is None or desk is None:
            return
        case.pending = action
        if not desk.queued and desk.busy < desk.people:
            now = self._agenda.now
            if desk.office.open_at[now] == now:
                self._take_up(desk, case, action)
                return
        desk.queued += 1
        desk.queue[case.profile.rank].append((case, case.token))
        if not desk.waking:
            self._wake(desk)

    def _chosen(self, case: QueuedCase, state: StateLine) -> tuple[ActionLine | None, Desk | None]:
        """Return what is done next by the shares, and by which unit; nothing where the complainant is asked."""
        choices = state.choices
        action = choices[0][1] if choices else None
        if len(choices) > 1:
            at = case.next
            case.next = at + 1
            drawn = case.block[at if at < case.stop else others(at, case.stop)]
            for upto, one in choices:
                if drawn < upto:
                    action = one
                    break
        if action is not None and (state.careful or not (action.free or self._moving.lawful(case, action))):
            return self._prepared(case, state, action)
        if state.worker is None:
            self._ask(case, state, action)
            return None, None
        return action, case.desk if state.own else self._assigning.unit_of(state.worker, case) or case.desk

    def _prepared(self, case: QueuedCase, state: StateLine, drawn: ActionLine) -> tuple[ActionLine | None, Desk | None]:
        """Return what is done next, and by which unit; nothing where others are asked, or nothing is lawful (yet)."""
        piece = self._preparing.piece(case, state, drawn)
        if piece is None:
            if state.timed:
                self._later(case)
            return None, None
        case.first = piece.first
        if piece.hand.outside:
            self._ask(case, state, piece.action)
            return None, None
        return piece.action, piece.hand.desk

    def _take_up(self, desk: Desk, case: QueuedCase, action: ActionLine) -> None:
        """Begin the work; written out where it is done two million times a year."""
        among = action.minutes
        if action.by_category:
            among = action.by_category.get(case.profile.category, among)
        agenda, office, at = self._agenda, desk.office, case.next
        case.next = at + 1
        minutes = among[case.block[at if at < case.stop else others(at, case.stop)] >> TOP] or 1
        if case.first:
            minutes += sum(self._minutes(case, step) for step in case.first)
        desk.busy += 1
        desk.minutes += minutes
        wanted = office.office_at[agenda.now] + minutes
        end = office.wall_at[wanted] if wanted < office.known else office.end
        noted = agenda.noted.get(end)
        if noted is None:
            agenda.at(end, self._worked, desk, case, case.token)
        else:
            noted.append((self._worked, desk, case, case.token))

    @staticmethod
    def _minutes(case: QueuedCase, action: ActionLine) -> int:
        among = action.by_category.get(case.profile.category, action.minutes)
        return among[case.draw() >> TOP] or 1

    def _worked(self, desk: Desk, case: QueuedCase, token: int) -> None:
        desk.busy -= 1
        action = case.pending
        if action is not None and case.token == token:
            if case.first and self._moved_before(case):
                self.begin(case)
            elif action.wait is None:
                self._done(case, action)
            else:
                later = self._office.add(self._agenda.now, action.wait[case.draw() >> TOP])
                self._agenda.at(later, self._act, case, token)
        if desk.queued:
            self._next(desk)

    def _next(self, desk: Desk) -> None:
        """Let free people take the most urgent, oldest grievances; nobody begins anything out of hours."""
        now = self._agenda.now
        if desk.office.open_at[now] != now:
            self._wake(desk)
            return
        for line in desk.queue:
            while line and desk.busy < desk.people:
                desk.queued -= 1
                case, token = line.popleft()
                if case.token == token and case.pending is not None:
                    self._take_up(desk, case, case.pending)

    def _wake(self, desk: Desk) -> None:
        if not desk.waking:
            opens = desk.office.open_at[self._agenda.now]
            if opens != self._agenda.now:
                desk.waking = True
                self._agenda.at(opens, self._opened, desk)

    def _opened(self, desk: Desk, _: None, __: None) -> None:
        desk.waking = False
        self._next(desk)

    def _moved_before(self, case: QueuedCase) -> bool:
        """Take what comes just before the action that is pending; say whether the grievance is elsewhere then."""
        state, steps, case.first = case.state, case.first, ()
        for step in steps:
            if state is not None and state.name in step.froms:
                self._moving.carry_out(case, step, by_hand=True)
            if case.state is not state:
                return True
        return False

    def _act(self, case: QueuedCase, token: int, _: None) -> None:
        if case.token == token and case.pending is not None:
            if case.first and self._moved_before(case):
                self.begin(case)
            else:
                self._done(case, case.pending)

    def _done(self, case: QueuedCase, action: ActionLine) -> None:
        """Take the action that was worked for, and go on; what did not move is tried again half a day later."""
        state, case.pending, taken = case.state, None, action.taken
        if action.guard is None or action.guard.holds(self._moving.facts(case)):
            self._moving.carry_out(case, action, True)  # noqa: FBT003 often called
        if case.state is not state or (action.keeps and action.taken > taken):
            self.begin(case)
        else:
            action.failed += action.taken == taken
            self._later(case)

    def _later(self, case: QueuedCase) -> None:
        later = self._office.add(self._agenda.now, self._office.a_day // _PUT_OFF)
        self._agenda.at(later, self._again, case, case.token)

    def _again(self, case: QueuedCase, token: int, _: None) -> None:
        if case.token == token:
            self.begin(case)

    def ring(self, case: QueuedCase, rung: Rung) -> None:
        """Take the action of a rung, if the system may; who works on it goes on if it stays theirs to finish."""
        action = self._flow.actions[rung.act or ""]
        state, desk, pending = case.state, case.desk, case.pending
        if rung.when is not None and not rung.when.holds(self._moving.facts(case)):
            return
        if not self._moving.system_may(case, action):
            return
        self._moving.carry_out(case, action, by_hand=False)
        if case.state is state or case.state is None:
            if state is not None and state.careful and pending is None:  # what was done may have been what was missing
                self.begin(case)
            return
        if pending is None or case.desk is not desk or case.state.name not in pending.froms:
            case.first = ()
            self.begin(case)

    # --- complainants -----------------------------------------------------------------------------------------------

    def _ask(self, case: QueuedCase, state: StateLine, action: ActionLine | None) -> None:
        """Let the complainant answer after some days, or leave it to the clock; no clock helps a unit that asks."""
        answers, later = case.draw() < self._answering, case.draw()
        if action is not None and (answers or state.worker is not None or state.name not in self._by_clock):
            case.pending = action
            self._agenda.at(self._agenda.now + self._answers_in[later >> TOP], self._act, case, case.token)

    def ask_again(self, case: QueuedCase, state: StateLine) -> None:
        """Let some come back with a new ground after the end, as often as the staff file says."""
        drawn = case.draw()
        for upto, action in state.choices:
            if drawn < upto:
                case.token += 1
                later = self._agenda.now + self._answers_in[case.draw() >> TOP]
                self._agenda.at(later, self._come_back, case, case.token, action)
                return

    def _come_back(self, case: QueuedCase, token: int, action: ActionLine) -> None:
        state = case.state
        if state is None or case.token != token or not self._moving.lawful(case, action):
            return
        live = self._moving.live
        live[case.n] = case
        self._moving.carry_out(case, action, by_hand=True)
        if case.state is state:  # it could not come back after all
            live.pop(case.n, None)
            return
        self._moving.closed[state.name] -= 1
        self.begin(case)

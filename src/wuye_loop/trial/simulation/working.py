"""How people work in a run: queues before units, work within office hours, complainants who answer or do not."""

from typing import Final

from wuye_loop.trial.simulation.assigning import Assigning
from wuye_loop.trial.simulation.chance import TOP, WHOLE, lengths, others
from wuye_loop.trial.simulation.desk import Agenda, Case, Desk
from wuye_loop.trial.simulation.flow import ActionLine, Flow, Rung, StateLine
from wuye_loop.trial.simulation.minutes import DAY, OfficeMinutes
from wuye_loop.trial.simulation.moving import Moving
from wuye_loop.trial.simulation.staff import Respond

_PUT_OFF: Final = 2  # nobody at home: once more after this part of a day


class Working:
    """Brings grievances before the people who work on them, and carries out what these do."""

    def __init__(
        self, flow: Flow, office: OfficeMinutes, agenda: Agenda, moving: Moving, assigning: Assigning, respond: Respond
    ) -> None:
        self._flow = flow
        self._office = office
        self._agenda = agenda
        self._moving = moving
        self._assigning = assigning
        self._answering = int(respond.share * WHOLE)
        self._answers_in = lengths(respond.days * DAY, 1.0)
        self._by_clock = {name for line in flow.clocks if line.acting for name in line.during}

    def begin(self, case: Case) -> None:
        """Queue a grievance before who works in its state, or wait for the complainant, the system, a clock."""
        state = case.state
        if state is None or state.final:
            return
        case.token += 1
        case.pending = None
        if state.worker is None:
            self._ask(case, state)
            return
        action = state.plain or self._choice(case, state)
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

    def _take_up(self, desk: Desk, case: Case, action: ActionLine) -> None:
        """Begin the work; written out where it is done two million times a year."""
        among = action.minutes
        if action.by_category:
            among = action.by_category.get(case.profile.category, among)
        agenda, office, at = self._agenda, desk.office, case.next
        case.next = at + 1
        minutes = among[case.block[at if at < case.stop else others(at, case.stop)] >> TOP] or 1
        desk.busy += 1
        desk.minutes += minutes
        wanted = office.office_at[agenda.now] + minutes
        end = office.wall_at[wanted] if wanted < office.known else office.end
        noted = agenda.noted.get(end)
        if noted is None:
            agenda.at(end, self._worked, desk, case, case.token)
        else:
            noted.append((self._worked, desk, case, case.token))

    def _worked(self, desk: Desk, case: Case, token: int) -> None:
        desk.busy -= 1
        action = case.pending
        if action is not None and case.token == token:
            if action.wait is None:
                self._done(case, action, token)
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

    def _act(self, case: Case, token: int, _: None) -> None:
        if case.token == token and case.pending is not None:
            self._done(case, case.pending, token)

    def _done(self, case: Case, action: ActionLine, token: int) -> None:
        """Take the action that was worked for, and go on; what did not move is tried again half a day later."""
        state, case.pending = case.state, None
        if action.guard is None or action.guard.holds(self._moving.facts(case)):
            self._moving.carry_out(case, action, True)  # noqa: FBT003 often called
        if case.state is not state:
            self.begin(case)
        else:
            later = self._office.add(self._agenda.now, self._office.a_day // _PUT_OFF)
            self._agenda.at(later, self._again, case, token)

    def _again(self, case: Case, token: int, _: None) -> None:
        if case.token == token:
            self.begin(case)

    def ring(self, case: Case, rung: Rung) -> None:
        """Take the action of a rung, if the system may; who works on it goes on if it stays theirs to finish."""
        action = self._flow.actions[rung.act or ""]
        state, desk, pending = case.state, case.desk, case.pending
        if rung.when is not None and not rung.when.holds(self._moving.facts(case)):
            return
        if not self._moving.system_may(case, action):
            return
        self._moving.carry_out(case, action, by_hand=False)
        if case.state is state or case.state is None:
            return
        if pending is None or case.desk is not desk or case.state.name not in pending.froms:
            self.begin(case)

    # --- complainants -----------------------------------------------------------------------------------------------

    def _ask(self, case: Case, state: StateLine) -> None:
        """Let the complainant answer after some days, or leave it to the clock."""
        action = self._choice(case, state)
        answers, later = case.draw() < self._answering, case.draw()
        if action is not None and (answers or state.name not in self._by_clock):
            case.pending = action
            self._agenda.at(self._agenda.now + self._answers_in[later >> TOP], self._act, case, case.token)

    def ask_again(self, case: Case, state: StateLine) -> None:
        """Let some come back with a new ground after the end, as often as the staff file says."""
        drawn = case.draw()
        for upto, action in state.choices:
            if drawn < upto:
                case.token += 1
                later = self._agenda.now + self._answers_in[case.draw() >> TOP]
                self._agenda.at(later, self._come_back, case, case.token, action)
                return

    def _come_back(self, case: Case, token: int, action: ActionLine) -> None:
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

    def _choice(self, case: Case, state: StateLine) -> ActionLine | None:
        """Return the action that is taken: by its share, and only if it is lawful."""
        choices = state.choices
        if not choices:
            return None
        action = choices[0][1]
        if len(choices) > 1:
            at = case.next
            case.next = at + 1
            drawn = case.block[at if at < case.stop else others(at, case.stop)]
            for upto, one in choices:
                if drawn < upto:
                    action = one
                    break
        if action.free or self._moving.lawful(case, action):
            return action
        return next((one for _, one in choices if self._moving.lawful(case, one)), None)

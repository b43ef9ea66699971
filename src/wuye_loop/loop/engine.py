"""Take one step: lock, decide, write. Ledger, clocks, tasks and the kept answer go in the same transaction."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final, TypeVar
from uuid import UUID

import orjson
from sqlalchemy.orm import Session

from wuye_loop.domain.errors import Erased, KeyReused, NotFound, RecordDamaged, Stale
from wuye_loop.domain.grievance.ledger import Chain
from wuye_loop.domain.grievance.situation import EMPTY, SYSTEM_ACTOR, Actor, Brief, Command, Situation, World
from wuye_loop.domain.grievance.views import grievance_view
from wuye_loop.domain.privacy.access.reveals import RevealBounds
from wuye_loop.domain.privacy.sealing import DataKey, KeyRing
from wuye_loop.domain.privacy.words import sealed_words
from wuye_loop.domain.routing.protocol import Reply
from wuye_loop.domain.routing.workflow_choice import WorkflowRules
from wuye_loop.domain.rules.rules import Rules
from wuye_loop.domain.step import actions, documents, rungs
from wuye_loop.domain.step.correction import asked as asked_to_correct
from wuye_loop.domain.step.correction import proposed
from wuye_loop.domain.step.documents import Paper
from wuye_loop.domain.step.effects.amending import Corrected
from wuye_loop.domain.step.numbering import Numbers, Series
from wuye_loop.domain.step.posting import posted
from wuye_loop.domain.step.records import Posted, Step
from wuye_loop.domain.time.calendar import WorkCalendar
from wuye_loop.jobs import ASK_ROUTER, CLOSE_FOLLOWERS, NOTIFY, Job
from wuye_loop.loop import routing, under_lock
from wuye_loop.loop.correcting import Correcting
from wuye_loop.loop.striking import Striker
from wuye_loop.ports import Clock, Ids
from wuye_loop.store import deferring
from wuye_loop.store.deferring import Deferred
from wuye_loop.store.grievance import attachments, document_numbers, identity, intake, locking, related, writer
from wuye_loop.store.grievance.locking import Locked, Stored, Ticket
from wuye_loop.store.keys.keyring import Rings
from wuye_loop.store.reference_cache import Reference

NUMBER = re.compile(r"WY\d{6}-[0-9A-Z]{8}")  # how grievances are numbered: the day, and what nobody can guess
T = TypeVar("T")
Render = Callable[[World, Situation, Step], bytes]


@dataclass(frozen=True, slots=True)
class Loop:
    """What the loop runs on: time, ids, keys, and what is kept of rules, calendars and directory."""

    clock: Clock
    ids: Ids
    rings: Rings
    reference: Reference
    default_workflow: str = "kuiwen@2"
    workflow_by: WorkflowRules = field(default_factory=WorkflowRules)
    reveals: RevealBounds = field(default_factory=RevealBounds)
    clock_bound: timedelta | None = None  # how far the clock may be from the database's; None: it is moved on purpose

    @property
    def keyring(self) -> KeyRing:
        """The keys as they are now: another process may have added some."""
        return self.rings.ring

    @property
    def chain(self) -> Chain:
        """The chain that every ledger row goes into."""
        return Chain(self.keyring.chain)

    def calendar(self, session: Session, rules: Rules | None = None) -> WorkCalendar:
        """Return the working calendar of a workflow; of none: of the default one, by which spans in a question count."""
        if rules is None:
            rules = self.reference.rules(session, self.default_workflow)
        return self.reference.calendar(session, rules.workflow.calendar)


@dataclass(frozen=True, slots=True)
class Terms:
    """On which terms a caller acts: at which seq, else it is Stale, and under which Idempotency-Key."""

    seq: int | None = None
    ticket: Ticket | None = None


ANY: Final = Terms()


@dataclass(frozen=True, slots=True)
class StepResult:
    """What a step came to: the rendered answer, and the jobs it leaves."""

    body: bytes
    status: int = 200
    jobs: Sequence[Job] = ()
    number: str = ""
    seq: int = 0
    replayed: bool = False
    step: Posted | None = field(default=None, compare=False)


def world_of(loop: Loop, session: Session, locked: Locked, **ports: Any) -> World:
    """Return what a decision about this grievance may ask."""
    rules, calendar = rules_of(loop, session, locked)
    if "redact" not in ports:
        ports |= _struck_by(loop, session, locked)
    now = loop.clock.now()
    return World(
        rules=rules,
        # Clocks of several machines differ a little, and one may be set back: a ledger's time never is.
        now=max(now, locked.last_at) if locked.last_at is not None else now,
        calendar=calendar,
        directory=loop.reference.directory,
        new_id=loop.ids.new,
        **ports,
    )


def rules_of(loop: Loop, session: Session, locked: Locked) -> tuple[Rules, WorkCalendar]:
    """Return what a grievance goes by, and what is kept of rules, calendars and directory as it was when it was read."""
    loop.reference.refresh(session, locked.epochs)
    try:
        rules = loop.reference.rules(session, locked.situation.grievance.workflow)
    except NotFound:
        raise RecordDamaged("这件诉求所用的流程版本不在库里；请管理员运行 doctor，从备份恢复") from None
    return rules, loop.reference.calendar(session, rules.workflow.calendar)


Looked = tuple[Locked, World]


def seen(loop: Loop, session: Session, number: str, actor: Actor) -> Looked:
    """Return a grievance as it stands, unlocked, with the world it stands in.

    What of its tasks and clocks is damaged is left out. Raises NotFound where the actor sees no such grievance.
    """
    locked = under_lock.read(loop.keyring, session, number, actor, lenient=True)
    if locked is None:
        raise NotFound
    return locked, world_of(loop, session, locked)


def answer_of(session: Session, world: World, situation: Situation, actor: Actor) -> dict[str, Any]:
    """Return what a step answers: the grievance as it is then, to its sender with the id that they gave it."""
    return shown_to(actor, world, situation, partial(intake.external_id, session))


def shown_to(
    actor: Actor, world: World, situation: Situation, external_id: Callable[[str, str], str | None]
) -> dict[str, Any]:
    """Return the same; `external_id` gives what its sender calls a grievance, by number and sender."""
    shown, grievance = grievance_view(world, situation), situation.grievance
    if grievance.source != actor.sender:
        return shown
    theirs = external_id(grievance.number, actor.sender)
    return shown if theirs is None else {**shown, "external_id": theirs}


def _struck_by(loop: Loop, session: Session, locked: Locked, others: Iterable[Brief] = ()) -> dict[str, Any]:
    """Return the ports by which a world strikes identities out: of what is written, and of what was."""
    scenes = [(locked.situation.grievance, locked.sealed)]
    return _ports(loop, Striker(loop, session, scenes, [other.id for other in others]), locked)


def _ports(loop: Loop, striker: Striker, own: Locked) -> dict[str, Any]:
    """Return the same for a striker that strikes more than this grievance's people; what is written is sealed by its key."""
    seal = _Sealer(loop, own)
    return {
        "redact": lambda text: seal(striker(text)),
        "redact_reply": lambda text: seal(striker.reply(text)),
        "unnamed": striker.unnamed,
    }


def answering(
    loop: Loop, session: Session, locked: Locked, asked: Mapping[int, Reply | str | None] | None = None, **ports: Any
) -> World:
    """Return the world of a decision whose every question is answered from this session.

    Raises RecordDamaged where the grievance stands in a state that its rules do not have.
    """
    world = world_of(
        loop,
        session,
        locked,
        next_number=partial(document_numbers.next_number, session),
        files=partial(attachments.known, session, locked.situation.grievance.id),
        urged_since=partial(_urged_since, loop, session, locked),
        **ports,
    )
    know_state(world, locked)
    return routing.answering(session, world, asked)


def _urged_since(loop: Loop, session: Session, locked: Locked, since: datetime) -> int:
    """Count how often the complainant has urged since an instant; their phone is sought by every key of the index."""
    grievance_id = locked.situation.grievance.id
    try:
        phone = identity.opened(loop.keyring, grievance_id, locked.sealed).get("phone") if locked.sealed else None
    except Erased:
        phone = None
    return related.urged_since(session, grievance_id, loop.keyring.blinds(phone) if phone else (), since)


def know_state(world: World, locked: Locked) -> None:
    """Refuse what stands where its rules have no state.

    Raises RecordDamaged.
    """
    if locked.situation.grievance.state not in world.rules.workflow.states:
        raise RecordDamaged("这件诉求所处的状态不在它的流程里；请管理员运行 doctor 和 verify，从备份恢复")


def take(
    loop: Loop,
    session: Session,
    number: str,
    command: Command,
    render: Render,
    terms: Terms = ANY,
    asked: Mapping[int, Reply | str | None] | None = None,
) -> StepResult:
    """Take an action on a grievance or one of its tasks.

    Raises NotFound (also for what is outside the actor's jurisdiction), Stale, KeyReused, and what actions.decide does.
    """
    others = _others(session, number, command)
    locked = begun(loop, session, number, command.actor, terms, command.task_id)
    if isinstance(locked, StepResult):
        return locked
    lead = related.lead_of(session, locked.situation.grievance, lock=True)
    struck = _struck_by(loop, session, locked, others.values())
    world = answering(loop, session, locked, asked, others=others, lead=lead, **struck)
    if command.task_id is not None and command.task_id not in locked.situation.tasks:
        raise NotFound
    correcting = _Corrects(loop, session, locked, command)
    step = actions.decide(replace(world, correct=correcting), locked.situation, command)
    return _write(loop, session, world, locked, step, render, terms, correcting=correcting.by)


class _Corrects:
    """Sets the order right where an action's effect says so, by the words of the form as they came; `by` has done it."""

    def __init__(self, loop: Loop, session: Session, locked: Locked, command: Command) -> None:
        self._loop, self._session, self._locked, self._command = loop, session, locked, command
        self.by: Correcting | None = None

    def __call__(self, world: World, situation: Situation, answers: Mapping[str, Any]) -> Corrected:
        self.by = Correcting(self._loop.keyring, self._session, self._locked)
        form = asked_to_correct({name: self._command.form.get(name) for name in answers})
        world = replace(world, model=self._loop.reference.model(self._session))
        return proposed(world, self.by.made(world, situation, form))


def open_task(
    loop: Loop,
    session: Session,
    number: str,
    kind: str,
    actor: Actor,
    form: Mapping[str, Any],
    render: Render,
    terms: Terms = ANY,
) -> StepResult:
    """Open a task of a kind on a grievance. Raises as take does."""
    locked = begun(loop, session, number, actor, terms)
    if isinstance(locked, StepResult):
        return locked
    world = answering(loop, session, locked)
    step = actions.decide_open(world, locked.situation, kind, actor, form)
    return _write(loop, session, world, locked, step, render, terms, status=201)


def begun(
    loop: Loop, session: Session, number: str, actor: Actor, terms: Terms, task_id: UUID | None = None
) -> Locked | StepResult:
    """Return a grievance under its lock, or what was answered to the same ticket before."""
    locked = under_lock.lock(loop.keyring, session, number, actor, task_id=task_id, ticket=terms.ticket)
    if locked is None:
        return out_of_sight(session, terms)
    replay = replayed(locked.stored, terms.ticket)
    if replay is not None:
        return replay
    seq = locked.situation.grievance.seq
    if terms.seq not in (None, seq):
        raise Stale("诉求已有新的变化，请重新读取", seq=seq)
    return locked


def issue(loop: Loop, session: Session, actor: Actor, paper: Paper, *, ticket: Ticket | None = None) -> StepResult:
    """Issue one document with lines: each line opens a task on the grievance it names; all of it or nothing.

    Raises NotFound for a grievance out of sight, Conflict where the files of two lines give it different series, and
    what actions.decide does.
    """
    by_number = paper.by_grievance
    named = related.briefs(session, list(by_number), actor)
    # Under the locks: of two equal requests at once the second finds here what the first has done.
    replay = replayed(locking.kept(session, ticket), ticket) if ticket is not None else None
    if replay is not None:
        return replay
    if set(named) != set(by_number):
        raise NotFound
    scenes = _scenes(loop, session, list(by_number), actor)
    drawn = documents.drawn(
        paper, actor, scenes[0][0], scenes[0][1].situation, partial(document_numbers.next_number, session)
    )
    documents.one_series(paper.kind, [world.rules for world, _ in scenes])
    decided: list[tuple[World, Locked, list[tuple[int, Step]]]] = []
    for (world, locked), lines in zip(scenes, by_number.values(), strict=True):
        first = not decided
        steps = documents.decided(world, locked.situation, actor, paper, lines, drawn, first=first)
        decided.append((world, locked, steps))
    body = documents.receipt(drawn, [(locked.situation, steps) for _, locked, steps in decided])
    jobs: list[Job] = []
    for place, (world, locked, steps) in enumerate(decided):
        step = posted(locked.situation, actions.joined([step for _, step in steps]), loop.chain)
        writer.write(session, locked.situation, step, ticket=None if place else ticket, reply=body, status=201)
        jobs += jobs_of(world, step, locked.situation)
    papers = [(n, locked.situation.grievance.id, step.opened) for _, locked, steps in decided for n, step in steps]
    document_numbers.add_lines(session, drawn.number, papers)
    return StepResult(body, 201, jobs, drawn.number)


def _scenes(loop: Loop, session: Session, numbers: Sequence[str], actor: Actor) -> list[tuple[World, Locked]]:
    """Lock grievances that one document names; what it says of any of the complainants is struck out everywhere."""
    every = [under_lock.lock(loop.keyring, session, number, actor) for number in numbers]
    found = [locked for locked in every if locked is not None]
    if len(found) != len(numbers):
        raise NotFound
    struck = Striker(loop, session, [(one.situation.grievance, one.sealed) for one in found])
    return [(answering(loop, session, locked, **_ports(loop, struck, locked)), locked) for locked in found]


class _Unwritten:
    """Steps of several grievances that are decided and not written yet.

    What asks about other grievances than the one that is decided goes through `before`, and finds them written, and with
    them what was decided before and is being written elsewhere: `settled` waits for that.
    """

    def __init__(self, session: Session, settled: Callable[[], None]) -> None:
        self._session, self._settled = session, settled
        self.steps: list[tuple[Situation, Posted]] = []

    def add(self, before: Situation, step: Posted) -> None:
        """Remember a step."""
        self.steps.append((before, step))

    def write(self) -> None:
        """Write what is remembered."""
        self._settled()
        if self.steps:
            writer.write_all(self._session, self.steps)
            self.steps = []

    def before(self, ask: Callable[..., T]) -> Callable[..., T]:
        """Return a question that is asked after everything is written."""

        def asked(*args: Any) -> T:
            self.write()
            return ask(*args)

        return asked


@dataclass(frozen=True, slots=True)
class Fired:
    """What the due rungs of several grievances came to: for each its result, and how many fired.

    `steps` and the numbers that were `counted` are still to be written, in the same transaction.
    """

    done: Sequence[tuple[StepResult, int]]
    steps: Sequence[tuple[Situation, Posted]]
    counted: Numbers

    @property
    def jobs(self) -> list[Job]:
        """The jobs it leaves."""
        return [job for outcome, _ in self.done for job in outcome.jobs]

    def statements(self, jobs: Sequence[Deferred]) -> list[tuple[str, dict[str, Any]]]:
        """Return what writes it with these jobs: for `straight.end`."""
        every = document_numbers.statements(self.counted)
        if self.steps:
            return every + writer.statements([(before, step, None) for before, step in self.steps], jobs)
        return [*every, deferring.statement(jobs)] if jobs else every


def fire_due(
    loop: Loop,
    session: Session,
    numbers: Sequence[str],
    drawn: Mapping[Series, int] | None = None,
    settled: Callable[[], None] = lambda: None,
) -> Fired:
    """Fire, in order, every rung of these grievances that is really due as seen under its lock.

    Grievances that somebody else has locked are left to them; the others are locked and read in one statement, and what
    they come to is to be written in one. `drawn` are numbers of series that a transaction before this one draws, and
    `settled` waits until it has ended.
    """
    unwritten = _Unwritten(session, settled)
    joined: set[UUID] = set()
    done: list[tuple[StepResult, int]] = []
    writer.by_index(session)
    mine = under_lock.lock_free(loop.keyring, session, numbers)
    counted = document_numbers.numbers(
        session, partial(_series, loop, session, list(mine.values())), drawn or {}, settled
    )
    for number in numbers:
        locked = mine.get(number)
        if locked is not None and locked.situation.grievance.id in joined:  # it has changed since it was read
            unwritten.write()
            locked = under_lock.lock(loop.keyring, session, number, SYSTEM_ACTOR)
        if locked is None:
            continue
        world = answering(loop, session, locked)
        world.choose, world.urged_since = unwritten.before(world.choose), unwritten.before(world.urged_since)
        world.next_number = counted
        steps = _due(world, locked.situation, loop.clock.now())
        if not steps:
            continue
        step = posted(locked.situation, actions.joined(steps), loop.chain)
        unwritten.add(locked.situation, step)
        if step.joins:
            unwritten.write()
            _join_all(loop, session, step)
            joined.update(other_id for other_id, _ in step.joins)
        grievance = step.situation.grievance
        jobs = jobs_of(world, step, locked.situation)
        done.append((StepResult(b"", jobs=jobs, number=number, seq=grievance.seq, step=step), len(steps)))
    return Fired(done, unwritten.steps, counted)


def _series(loop: Loop, session: Session, every: Sequence[Locked]) -> set[str]:
    """Return the series that steps of these grievances can draw numbers from."""
    versions = {locked.situation.grievance.workflow for locked in every}
    files = [loop.reference.rules(session, version).workflow for version in versions]
    return {kind.series for file in files for kind in file.documents.values()}


def _due(world: World, situation: Situation, now: datetime) -> list[Step]:
    """Decide the rungs that are due, one after another."""
    steps: list[Step] = []
    while (due := rungs.next_due_rung(situation, now)) is not None:
        step = rungs.decide_rung(world, situation, *due)
        if step is None:
            break
        steps.append(step)
        situation = step.situation
    return steps


def amend(
    loop: Loop,
    session: Session,
    number: str,
    decided: Callable[[World, Situation], Step | None],
    actor: Actor = SYSTEM_ACTOR,
) -> bool:
    """Write what a decision makes of a grievance that the actor sees, under its lock; False when it makes nothing.

    Raises NotFound.
    """
    locked = under_lock.lock(loop.keyring, session, number, actor)
    if locked is None:
        raise NotFound
    step = decided(world_of(loop, session, locked), locked.situation)
    if step is None:
        return False
    writer.write(session, locked.situation, posted(locked.situation, step, loop.chain))
    return True


def no_answer(_: World, __: Situation, ___: Step) -> bytes:
    """Render nothing: nobody asked."""
    return b""


class _Sealer:
    """Seals texts of a grievance; its key is opened when there is a text."""

    def __init__(self, loop: Loop, locked: Locked) -> None:
        self._loop, self._locked = loop, locked
        self._key: DataKey | None = None

    def __call__(self, text: str) -> str:
        if self._key is None:
            self._key = _key_of(self._loop.keyring, self._locked)
        return sealed_words(text, self._key)


def _key_of(keyring: KeyRing, locked: Locked) -> DataKey:
    """Return the key that a grievance's texts are sealed by; Erased when it was destroyed: nothing can be said any more."""
    if locked.sealed is None:
        raise Erased("这件诉求的密钥已销毁，不能再填写文字")
    return keyring.data_key(locked.situation.grievance.id, locked.sealed)


def out_of_sight(session: Session, terms: Terms) -> StepResult:
    """Answer a caller who sees no such grievance: NotFound, but for a retry whose first try took it out of sight."""
    ticket = terms.ticket
    outcome = replayed(locking.kept(session, ticket), ticket) if ticket is not None else None
    if outcome is None:
        raise NotFound
    return outcome


def replayed(stored: Stored | None, ticket: Ticket | None) -> StepResult | None:
    """Answer a kept ticket as the first time; None where nothing is kept. Raises KeyReused for another request's ticket."""
    if ticket is None or stored is None:
        return None
    if not ticket.asked(stored.digest):
        raise KeyReused("这个 Idempotency-Key 已用于另一个请求")
    return StepResult(stored.body, stored.status, replayed=True)


def _others(session: Session, number: str, command: Command) -> dict[str, Brief]:
    """Lock the other grievances that a form names together with the grievance itself, in the order of ids."""
    named = named_beside(number, command.form)
    return related.briefs(session, [number, *sorted(named)], command.actor) if named else {}


def named_beside(number: str, form: Mapping[str, Any]) -> set[str]:
    """Return the numbers of other grievances that a form names."""
    return {value for value in form.values() if isinstance(value, str) and NUMBER.fullmatch(value)} - {number}


def _write(
    loop: Loop,
    session: Session,
    world: World,
    locked: Locked,
    decided: Step,
    render: Render,
    terms: Terms = ANY,
    status: int = 200,
    correcting: Correcting | None = None,
) -> StepResult:
    before = locked.situation if correcting is None else correcting.base(locked.situation)
    step = posted(before, decided, loop.chain, correcting.beside() if correcting is not None else EMPTY)
    body = render(world, step.situation, step)
    writer.write(session, before, step, ticket=terms.ticket, reply=body, status=status)
    if correcting is not None:
        correcting.write()
    _join_all(loop, session, step)
    grievance = step.situation.grievance
    return StepResult(body, status, jobs_of(world, step, before), grievance.number, grievance.seq, step=step)


def _join_all(loop: Loop, session: Session, step: Posted) -> None:
    for other_id, change in step.joins:
        _join(loop, session, other_id, change, step.situation.grievance.number)


def _join(loop: Loop, session: Session, other_id: UUID, change: int, follower: str) -> None:
    """Count a follower on the lead grievance, with a ledger row of its own."""
    action = "follower_joined" if change > 0 else "follower_left"

    def counted(world: World, situation: Situation) -> Step:
        followers = situation.grievance.followers + change
        return actions.note(world, situation, action, {"follower": follower}, followers=followers)

    amend(loop, session, locking.number_of(session, other_id), counted)


def jobs_of(world: World, step: Posted, before: Situation) -> tuple[Job, ...]:
    """Return the jobs a step leaves: notices, a question to another system, what the followers of a matter do now."""
    grievance = step.situation.grievance
    jobs = [
        Job(
            NOTIFY,
            {
                "number": grievance.number,
                "instrument": notice.instrument,
                "title": notice.title,
                "unit": unit,
                "urgent": notice.urgent,
            },
            notice.not_before if notice.not_before > step.entries[0].at else None,
        )
        for notice in step.notices
        for unit in notice.units
    ]
    jobs.extend(Job(ASK_ROUTER, {"number": grievance.number, "ask": _ask(ask)}) for ask in step.asks)
    if grievance.followers:
        jobs.extend(_for_followers(step, before, world.rules.workflow.family.moves))
    return tuple(jobs)


def _for_followers(step: Posted, before: Situation, moves: Mapping[str, str]) -> list[Job]:
    grievance = step.situation.grievance
    theirs = [moves[entry.action] for entry in step.entries if entry.task_id is None and entry.action in moves]
    jobs = [Job(CLOSE_FOLLOWERS, {"lead": str(grievance.id), "action": action}) for action in theirs]
    if not theirs and grievance.final and not before.grievance.final:
        jobs.append(Job(CLOSE_FOLLOWERS, {"lead": str(grievance.id)}))
    return jobs


def _ask(ask: Any) -> dict[str, Any]:
    row: dict[str, Any] = orjson.loads(orjson.dumps({name: getattr(ask, name) for name in ask.__slots__}))
    return row

"""What a run is made of: units with their people and queues, grievances on their way, clocks, and the agenda."""

from collections import deque
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final

from wuye_loop.trial.simulation.chance import LOTS, others
from wuye_loop.trial.simulation.inputs.profiles import RANKS, Profile
from wuye_loop.trial.simulation.minutes import OfficeMinutes
from wuye_loop.trial.simulation.run.flow import ActionLine, ClockLine, StateLine

if TYPE_CHECKING:
    from array import array

MOST_RUNGS: Final = 64  # of one clock
Do = Callable[[Any, Any, Any], None]


class Agenda:
    """What is to happen at which minute; nothing at or after `last` is kept."""

    def __init__(self, last: int) -> None:
        self.now = 0
        self.last = last
        self.noted: dict[int, list[tuple[Do, Any, Any, Any]]] = {}  # by minute

    def at(self, minute: int, do: Do, first: Any, second: Any = None, third: Any = None) -> None:
        """Do it at a minute, after everything else that was noted for that minute before."""
        noted = self.noted.get(minute)
        if noted is None:
            if minute >= self.last:
                return
            self.noted[minute] = [(do, first, second, third)]
        else:
            noted.append((do, first, second, third))

    def through(self, begin: int, end: int) -> None:
        """Let everything happen that is noted from one minute until before another."""
        noted = self.noted
        for minute in range(begin, end):
            happens = noted.get(minute)
            if happens is not None:
                self.now = minute
                for do, first, second, third in happens:  # what happens now may note more for now
                    do(first, second, third)
                del noted[minute]


class Desk:
    """A unit: its people as a resource with office hours, the queue before them, and what is counted of it."""

    __slots__ = (
        "busy", "code", "due", "held", "in_time", "minutes", "office", "peak", "people", "queue", "queued", "quick",
        "rungs", "series", "stays", "taken", "waking",
    )  # fmt: skip

    def __init__(self, code: str, people: int, office: OfficeMinutes, clocks: int) -> None:
        self.code = code
        self.people = people
        self.office = office
        self.busy = 0
        self.queued = 0
        self.queue: list[deque[tuple[QueuedCase, int]]] = [
            deque() for _ in range(RANKS)
        ]  # by urgency, each with its token
        self.waking = False  # the next opening is noted
        self.held = 0
        self.peak = 0
        self.minutes = 0
        self.taken = 0
        self.stays: dict[int, int] = {}  # office minutes from receipt to handing on, in steps -> how many
        self.due = [0] * clocks
        self.in_time = [0] * clocks
        self.quick: dict[int, int] = {}  # times a state was left soon enough for all its simple clocks, by state
        self.rungs = [0] * (clocks * MOST_RUNGS)
        self.series: list[int] = []  # held at the end of each week


class Timer:
    """One clock of a grievance, running or stopped."""

    __slots__ = (
        "desk", "due", "ended", "key", "line", "office", "start", "stopped",
    )  # fmt: skip

    def __init__(self, line: ClockLine, key: object, start: int, due: int, office: bool) -> None:  # noqa: FBT001 millions are made
        self.line = line
        self.key = key
        self.start = start
        self.due = due
        self.office = office
        self.stopped: int | None = None
        self.ended = False
        self.desk: Desk | None = None


class QueuedCase:
    """One grievance on its way."""

    __slots__ = (
        "assigned", "block", "counts", "cycle", "desk", "entered", "first", "lead", "level", "n", "next", "pending",
        "previous", "profile", "received", "returned", "since", "state", "stop", "timers", "token",
    )  # fmt: skip

    def __init__(self, n: int, profile: Profile, block: "array[int]", place: int, now: int, level: str) -> None:
        self.n = n
        self.profile = profile
        self.block = block
        self.next = place + 1  # the first lot chose the profile
        self.stop = place + LOTS
        self.received = now
        self.entered = now
        self.since = now
        self.level = level
        self.cycle = 1
        self.assigned = 0
        self.token = 0
        self.state: StateLine | None = None
        self.previous: StateLine | None = None
        self.desk: Desk | None = None
        self.lead: Desk | None = None
        self.pending: ActionLine | None = None
        self.first: Sequence[ActionLine] = ()  # what is done just before what is pending
        self.timers: dict[str, Timer] = {}
        self.counts: dict[str, int] = {}
        self.returned: tuple[str, ...] = ()

    def draw(self) -> int:
        """Return the next lot of 64 bits."""
        at = self.next
        self.next = at + 1
        return self.block[at if at < self.stop else others(at, self.stop)]

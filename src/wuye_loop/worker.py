"""The worker: sweeps deadlines, runs jobs, tidies up. Any number of them may run on one database."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from datetime import date, timedelta
from functools import partial
from time import monotonic
from typing import Any
from uuid import UUID

import structlog
from procrastinate import App, PsycopgConnector, RetryStrategy

from wuye_loop import jobs as names
from wuye_loop import outbound
from wuye_loop.domain.errors import ClockOff, WuyeError
from wuye_loop.domain.routing.protocol import HttpAsk, Reply
from wuye_loop.edge.site import Site
from wuye_loop.jobs import Job
from wuye_loop.loop import assign, escalate, feedback, rising
from wuye_loop.loop.custody import anchors
from wuye_loop.loop.evaluate import closing
from wuye_loop.loop.figures import tallying
from wuye_loop.store import housekeeping

_log = structlog.get_logger("wuye_loop.worker")
_TIDY_SECONDS = 60.0
_STALLED_SECONDS = 30
_SAY_SECONDS = 60.0
_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 30.0
_RETRY = RetryStrategy(max_attempts=8, exponential_wait=4)


class Worker:
    """Runs until told to stop; then finishes what it has begun."""

    def __init__(self, site: Site, *, run_jobs: bool = True) -> None:
        self.site = site
        self._run_jobs = run_jobs
        self._risen: date | None = None  # the day on which what rises was last looked for
        self._said = -_SAY_SECONDS  # when the log was last told of a clock that is off
        self._told = -_SAY_SECONDS  # and of sums that cannot be folded

    def _app(self) -> App:
        """Return a job engine of this database that knows our jobs."""
        app = App(connector=PsycopgConnector(conninfo=self.site.database.conninfo, min_size=1, max_size=4))
        for name, work in (
            (names.NOTIFY, self.notify),
            (names.ASK_ROUTER, self.ask),
            (names.CLOSE_FOLLOWERS, self.follow),
        ):
            app.task(name=name, queue=names.QUEUES[name], retry=_RETRY)(work)
        return app

    async def run(self, stop: asyncio.Event) -> None:
        """Sweep, run jobs and tidy up until `stop` is set."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._every(self.site.settings.sweep_seconds, stop, self._sweep))
            group.create_task(self._every(self.site.settings.sweep_seconds, stop, self._fold))
            if self._run_jobs:
                group.create_task(self._jobs(stop))
            if self.site.settings.anchor_minutes:
                group.create_task(self._every(self.site.settings.anchor_minutes * 60, stop, self._anchor))

    async def _jobs(self, stop: asyncio.Event) -> None:
        """Run jobs until `stop` is set. Where the engine falls over, as it does without its database, it is set up anew."""
        pause = _FIRST_PAUSE
        while not stop.is_set():
            began = monotonic()
            try:
                await self._engine(stop)
            except Exception:  # noqa: BLE001 whatever it is, it is logged, and the engine comes again
                _log.exception("jobs_interrupted")
            pause = _FIRST_PAUSE if monotonic() - began > _STALLED_SECONDS else min(pause * 2, _LONGEST_PAUSE)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), pause)

    async def _engine(self, stop: asyncio.Event) -> None:
        """Run jobs until `stop` is set, or until the engine gives up; what it has begun is finished."""
        await asyncio.to_thread(self._park)
        app = self._app()
        async with app.open_async():
            running = asyncio.create_task(
                app.run_worker_async(
                    queues=sorted(set(names.QUEUES.values())),
                    concurrency=2,
                    install_signal_handlers=False,
                    delete_jobs="successful",
                    shutdown_graceful_timeout=15,
                )
            )
            tidying = asyncio.create_task(self._every(_TIDY_SECONDS, stop, partial(self._tidy, app)))
            stopping = asyncio.create_task(stop.wait())
            await asyncio.wait((running, stopping), return_when=asyncio.FIRST_COMPLETED)
            for task in (running, tidying, stopping):
                task.cancel()
            outcome, *_ = await asyncio.gather(running, tidying, stopping, return_exceptions=True)
        if isinstance(outcome, Exception):
            raise outcome

    @staticmethod
    async def _every(seconds: float, stop: asyncio.Event, work: Callable[[], Awaitable[None]]) -> None:
        """Do the work, again and again; a failure is logged and the next round tries again."""
        while not stop.is_set():
            try:
                await work()
            except Exception:  # noqa: BLE001 whatever it is, it is logged, and the next round comes
                _log.exception("round_failed")
            try:
                await asyncio.wait_for(stop.wait(), seconds)
            except TimeoutError:
                continue

    async def _sweep(self) -> None:
        try:
            swept = await asyncio.to_thread(escalate.sweep, self.site.loop, self.site.database, jobs=self.site.jobs)
        except ClockOff as error:
            if monotonic() - self._said >= _SAY_SECONDS:
                _log.error("clock_off", words=error.detail)
                self._said = monotonic()
            return
        self._said = -_SAY_SECONDS
        if swept.fired or swept.failed:
            _log.info("swept", fired=swept.fired, failed=swept.failed)
        closed = await asyncio.to_thread(closing.close_due, self.site.loop, self.site.database, jobs=self.site.jobs)
        if closed:
            _log.info("periods_closed", closed=closed)
        await self._look_for_what_rises()

    async def _look_for_what_rises(self) -> None:
        """Take in what has risen, once a day: counts are by days."""
        today = self.site.loop.clock.now().date()
        if today == self._risen:
            return
        opened = await asyncio.to_thread(rising.open_due, self.site.loop, self.site.database, jobs=self.site.jobs)
        self._risen = today
        if opened:
            _log.info("rising_opened", opened=opened)

    async def _fold(self) -> None:
        """Fold what changed into the sums that boards read; beside the sweep, which is not to wait for it."""
        try:
            await asyncio.to_thread(tallying.fold, self.site.loop, self.site.database)
        except WuyeError as error:  # a definition that cannot be read: boards count anew until it can
            if monotonic() - self._told >= _SAY_SECONDS:
                _log.error("sums_wait", words=error.detail)
                self._told = monotonic()

    async def _anchor(self) -> None:
        """Set down how every ledger stands; what is logged is a copy that lies elsewhere."""
        made = await asyncio.to_thread(anchors.anchor, self.site.loop, self.site.database, self.site.settings.anchors)
        if made is not None:
            _log.info("anchored", n=made.n, heads=len(made.heads), hash=made.hash)

    async def _tidy(self, app: App) -> None:
        """Give back jobs whose worker died, and forget kept answers that are older than promised."""
        await asyncio.to_thread(self._park)
        manager = app.job_manager
        for job in await manager.get_stalled_jobs(seconds_since_heartbeat=_STALLED_SECONDS):
            _log.warning("job_stalled", job=job.id, task=job.task_name)
            await manager.retry_job(job)
        before = self.site.loop.clock.now() - timedelta(days=self.site.settings.idempotency_days)
        await asyncio.to_thread(self._forget, before)

    def _park(self) -> None:
        """Put aside jobs that cannot be read: each would bring the engine down, and all others with it."""
        with self.site.database.begin() as session:
            parked = housekeeping.park_unreadable_jobs(session)
        for job in parked:
            _log.error("job_unreadable", job=job)

    def _forget(self, before: Any) -> None:
        with self.site.database.begin() as session:
            housekeeping.forget_answers(session, before)

    # --- the jobs; each in a thread of its own, its transaction its own ---

    def notify(self, number: str, instrument: str, title: str, unit: str, urgent: bool) -> None:  # noqa: FBT001
        """Send a notice by every notifier there is."""
        name = self.site.loop.reference.directory.name_of(unit) or unit
        notice = outbound.Notice(number, instrument, title, unit, name, urgent, f"{title}:诉求 {number}")
        for notifier in outbound.notifiers().values():
            notifier.send(notice)

    def ask(self, number: str, ask: dict[str, Any], replies: dict[str, Any] | None = None) -> None:
        """Ask another system with no transaction open, then go on with the routing in one."""
        question = HttpAsk(**ask)
        allowed = frozenset(self.site.settings.router_hosts)
        with outbound.asking_client() as client:
            reply = outbound.ask_http(question, client, allowed)
        known: dict[int, Reply | str | None] = {int(key): value for key, value in (replies or {}).items()}
        known[question.index] = reply
        with self.site.database.begin() as session:
            outcome = assign.route_with(self.site.loop, session, number, known)
            if outcome is not None:
                said = {str(key): value.unit if isinstance(value, Reply) else value for key, value in known.items()}
                self.site.jobs.defer(session, [_with_replies(job, said) for job in outcome.jobs])

    def follow(self, lead: str, action: str | None = None) -> None:
        """Let the followers of a grievance go on as it did."""
        with self.site.database.begin() as session:
            for outcome in feedback.close_followers(self.site.loop, session, UUID(lead), action):
                self.site.jobs.defer(session, outcome.jobs)


def _with_replies(job: Job, replies: dict[str, Any]) -> Job:
    if job.name != names.ASK_ROUTER:
        return job
    return Job(job.name, {**job.args, "replies": replies}, job.not_before)

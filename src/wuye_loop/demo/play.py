"""The play: day after day the clock goes on, ladders fire when they are due, and people come to work."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from typing import Any, Final

from wuye_loop.demo import assessing, centre, hotline, oversight, units
from wuye_loop.demo.casting import asked, known
from wuye_loop.demo.clock import PlayedClock
from wuye_loop.demo.doors import PlayFailed
from wuye_loop.demo.everybody import PLAYED, Everybody
from wuye_loop.demo.invented.complaints import ZONE, Complaint
from wuye_loop.demo.scene import Scene
from wuye_loop.demo.scripts import FIRST_DAY, Script
from wuye_loop.domain.rules.rules import Rules
from wuye_loop.domain.time.calendar import WorkCalendar
from wuye_loop.edge.site import Site
from wuye_loop.loop import escalate
from wuye_loop.loop.evaluate import closing
from wuye_loop.store.grievance import due_rungs
from wuye_loop.store.reads import totals

SCHEME: Final = "kuiwen"  # of the district that is played
_MORNING: Final = time(9, 40)
_MOST_EXTRA: Final = 60  # days after the last one, to work off what is left

Act = Callable[[], Awaitable[None]]


class Play:
    """Plays a script on an installation whose clock is `clock`; everything the players do goes through the doors."""

    def __init__(self, site: Site, clock: PlayedClock, scene: Scene, calendar: WorkCalendar, rules: Rules) -> None:
        self.site, self.clock, self.scene, self.calendar = site, clock, scene, calendar
        self._rules, self.known = rules, known(rules.workflow)
        self._everybody = Everybody(
            scene, rules.workflow, site.loop.reference.directory, PLAYED if self.known else frozenset()
        )
        self.fired = 0
        self._came = 0

    async def run(self, script: Script, told: Callable[[date, bool], None]) -> None:
        """Play all days; `told` hears of each day that is over, and whether it was a working day.

        Raises PlayFailed when a door answers what no player may cause, or when work is left that nobody can do.
        """
        for n in range(script.days + (_MOST_EXTRA if script.to_the_end else 0)):
            self.scene.hurry = n >= script.days
            if self.scene.hurry and not await self._left():
                return
            day = FIRST_DAY + timedelta(days=n)
            working = self.calendar.is_workday(day)
            await self._play(day, script.complaints, working=working)
            await self._month(day)
            await self._assessed()
            self.scene.day += working
            told(day, working)
        if script.to_the_end and await self._left():
            raise PlayFailed(f"过了 {_MOST_EXTRA} 天仍有诉求没有办结")

    async def _month(self, day: date) -> None:
        """Let the owners speak on the last day of a month, before it is over."""
        if self.known and (day + timedelta(days=1)).day == 1:
            await assessing.speak(self.scene, SCHEME, f"{day:%Y-%m}")

    async def _assessed(self) -> None:
        """Close and publish what is due, each in its time: a day's analysis stands in the next day's evening, not all at the end."""
        if self.known:
            await asyncio.to_thread(closing.close_due, self.site.loop, self.site.database, jobs=self.site.jobs)

    async def until_morning(self) -> None:
        """Let the hours pass until an office opens again: who comes to look finds people at work, not midnight."""
        day = self.calendar.local_date(self.clock.now())
        while not self.calendar.is_workday(day):
            day += timedelta(days=1)
        await self._until(datetime.combine(day, _MORNING, ZONE))

    async def _play(self, day: date, complaints: Sequence[Complaint], *, working: bool) -> None:
        self.scene.today, self.scene.slot = day, 0
        for at, act in self._acts(complaints, working=working):
            await self._until(datetime.combine(day, at, ZONE))
            self.scene.now = self.clock.now()
            self.scene.slot += 1
            await act()
        await self._until(datetime.combine(day + timedelta(days=1), time(0), ZONE))

    def _acts(self, complaints: Sequence[Complaint], *, working: bool) -> Iterator[tuple[time, Act]]:
        if not working:
            return self._day_off(complaints)
        return self._working_day(complaints) if self.known else self._day_by_the_file(complaints)

    def _day_by_the_file(self, complaints: Sequence[Complaint]) -> Iterator[tuple[time, Act]]:
        """Play a working day under rules that nobody here knows by heart: everybody goes by what the file says."""
        everybody = self._everybody
        for at in (time(8, 40), time(10, 20), time(13, 50), time(16, 10)):
            yield at, lambda: self._arrive(complaints)
            yield at, everybody.go_on
            yield at, self._tasks
        yield time(16, 40), everybody.special
        yield time(22, 30), lambda: self._arrive(complaints)

    async def _tasks(self) -> None:
        """Let whoever holds a task work on it."""
        await self._everybody.tasks(await asyncio.to_thread(self._holders))

    def _holders(self) -> list[str]:
        with self.site.database.read() as session:
            return totals.holders(session)

    def _working_day(self, complaints: Sequence[Complaint]) -> Iterator[tuple[time, Act]]:
        scene = self.scene
        yield time(8, 40), lambda: self._arrive(complaints)
        yield time(8, 55), lambda: centre.dispatch(scene)
        yield time(9, 30), lambda: units.work(scene, scene.busy())
        yield time(10, 20), self._duty
        yield from self._watch(time(11, 20), complaints)
        yield time(13, 50), lambda: centre.dispatch(scene)
        yield time(14, 30), lambda: units.work(scene, scene.busy())
        yield time(15, 20), self._oversee
        yield time(16, 10), lambda: centre.review(scene)
        yield time(16, 50), self._residents
        yield time(17, 5), self._everybody.special
        yield time(17, 20), self._tasks
        yield from self._watch(time(19, 20), complaints)
        yield from self._watch(time(22, 30), complaints)

    def _day_off(self, complaints: Sequence[Complaint]) -> Iterator[tuple[time, Act]]:
        if not self.known:
            for at in (time(10, 20), time(22, 30)):
                yield at, lambda: self._arrive(complaints)
            return
        for at in (time(10, 20), time(15, 20), time(20), time(22, 30)):
            yield from self._watch(at, complaints)

    def _watch(self, at: time, complaints: Sequence[Complaint]) -> Iterator[tuple[time, Act]]:
        """值班: what comes in and cannot wait is accepted, signed for and done within two hours, on any day."""
        yield at, lambda: self._arrive(complaints)
        for minutes, act in ((15, self._accept_critical), (35, self._duty), (80, self._duty)):
            yield (datetime.combine(date.min, at) + timedelta(minutes=minutes)).time(), act

    async def _until(self, at: datetime) -> None:
        """Let time pass: every ladder rung fires at its own instant, in order."""
        while True:
            due = await asyncio.to_thread(self._next_due)
            if due is None or due > at:
                break
            self.clock.set(max(due, self.clock.now()))
            swept = await asyncio.to_thread(escalate.sweep, self.site.loop, self.site.database, jobs=self.site.jobs)
            if swept.failed or not swept.fired:
                raise PlayFailed(f"{due.isoformat()} 到期的督办级没有触发")
            self.fired += swept.fired
        self.clock.set(max(at, self.clock.now()))

    def _next_due(self) -> datetime | None:
        with self.site.database.read() as session:
            return due_rungs.next_due(session)

    async def _arrive(self, complaints: Sequence[Complaint]) -> None:
        now, first = self.clock.now(), self._came
        while self._came < len(complaints) and complaints[self._came].arrives <= now:
            self._came += 1
        came = complaints[first : self._came]
        await hotline.push(self.scene, [replace(one, form=asked(self._rules, one.form)) for one in came])

    async def _accept_critical(self) -> None:
        if any(case.state in ("received", "routing") for case in self.scene.critical()):
            await centre.dispatch(self.scene, critical=True)

    async def _duty(self) -> None:
        """Let those on duty work on what cannot wait: the leads and the companies that help them."""
        critical = self.scene.critical()
        who = {unit for case in critical for unit in (case.lead, case.company) if unit}
        await units.work(self.scene, sorted(who), critical=True)

    async def _oversee(self) -> None:
        await oversight.decide(self.scene)
        await oversight.supervise(self.scene)

    async def _residents(self) -> None:
        await hotline.press(self.scene)
        await hotline.ask(self.scene)
        await hotline.reopen(self.scene)

    async def _left(self) -> bool:
        """Say whether anything is still open: a grievance, or a task of one."""
        return await asyncio.to_thread(self._open)

    def _open(self) -> bool:
        with self.site.database.read() as session:
            return totals.anything_open(session)


def actors(document: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Return the units of a directory document that play a part, by code: all but the communities' stations."""
    return {unit["code"]: unit for unit in document["units"] if unit["kind"] != "community"}

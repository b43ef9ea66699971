"""One run of the demonstration: a stage, a play, its tables, and an open door for whoever wants to try."""

import asyncio
import signal
import sys
from dataclasses import dataclass
from datetime import date, datetime, time
from time import perf_counter
from typing import Any

import orjson
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from uvicorn.loops.auto import auto_loop_factory

from wuye_loop.demo import assessing, report, results, stage, visitors
from wuye_loop.demo.casting import cast_for
from wuye_loop.demo.chance import Chance
from wuye_loop.demo.clock import PlayedClock
from wuye_loop.demo.doors import Doors
from wuye_loop.demo.invented.complaints import ZONE
from wuye_loop.demo.play import SCHEME, Play, actors
from wuye_loop.demo.results import Summary
from wuye_loop.demo.scene import Scene
from wuye_loop.demo.scripts import FIRST_DAY, SEED, Script
from wuye_loop.demo.serving import KEPT_SECONDS, bound, serving
from wuye_loop.domain.rules.rules import Rules
from wuye_loop.domain.time.calendar import WorkCalendar
from wuye_loop.edge.site import Site
from wuye_loop.settings import Settings
from wuye_loop.worker import Worker

_PAPER = 120  # columns, where the output is not a terminal


@dataclass(slots=True)
class Show:
    """How a run is wanted: on which port, whether it ends by itself, whether a program reads it."""

    settings: Settings
    port: int | None
    leave: bool
    as_json: bool

    @property
    def console(self) -> Console:
        """Where tables go: a program that reads stdout gets the one object there."""
        console = Console(stderr=self.as_json, highlight=False)
        return console if console.is_terminal else Console(stderr=self.as_json, highlight=False, width=_PAPER)

    def give(self, script: Script) -> Summary:
        """Play on a fresh database, report, and go on serving unless it is to end; return what it came to.

        Raises NoStage, NoDoor, PlayFailed.
        """
        began = perf_counter()
        clock = beginning()
        with stage.opened(self.settings, clock) as site:
            return self.on(site, clock, script, began)

    def on(self, site: Site, clock: PlayedClock, script: Script, began: float) -> Summary:
        """Do the same on an installation without grievances whose time is `clock`."""
        document = cast_for(_rules(site)[0].workflow)
        units = actors(document)
        scene = Scene(Doors(stage.cast(site, document, units)), Chance(SEED), FIRST_DAY, units, clock.now())
        with asyncio.Runner(loop_factory=auto_loop_factory()) as runner:
            return runner.run(self._run(site, clock, scene, script, began))

    async def _run(self, site: Site, clock: PlayedClock, scene: Scene, script: Script, began: float) -> Summary:
        door = bound(self.settings.host, self.settings.port, self.port)
        people: dict[str, Any] = {}
        async with serving(site, door, people) as address:
            if not self.leave:
                report.promise(self.console, address)
            async with scene.doors.at(address, KEPT_SECONDS / 2):
                rules, calendar = _rules(site)
                order = rules.workflow.tasks.get("supervision_order")
                papers = order.open.needs.get("document") if order is not None else None
                scene.heaviest = papers.choices[-1] if papers is not None and papers.choices else ""
                play = Play(site, clock, scene, calendar, rules)
                await self._play(play, script)
                found = await asyncio.to_thread(results.gather, site, perf_counter() - began)
                await report.show(self.console, found, scene, rules.workflow, mapped=script.to_the_end)
                if play.known:
                    await assessing.show(
                        self.console,
                        site,
                        scene,
                        SCHEME,
                        f"{FIRST_DAY:%Y-%m}",
                        f"{clock.now():%Y-%m}",
                        self.settings.data,
                    )
            if self.leave and not self.settings.database_url:
                report.leave_word(self.console, self.settings.data, next(iter(scene.cases), "编号"))
            if self.as_json:
                sys.stdout.write(f"{orjson.dumps(found.summary.as_json()).decode()}\n")
                sys.stdout.flush()
            if not self.leave:
                await play.until_morning()
                later = visitors.later(site, clock.run())
                people.update(
                    await asyncio.to_thread(visitors.welcome, site, scene, address),
                    later=later,
                    admit=visitors.admit(site),
                )
                stop = asyncio.Event()
                for number in (signal.SIGINT, signal.SIGTERM):
                    asyncio.get_running_loop().add_signal_handler(number, stop.set)
                report.invite(self.console, address, scene)
                await Worker(site).run(stop)
        return found.summary

    async def _play(self, play: Play, script: Script) -> None:
        columns = (
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
        )
        with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
            bar = progress.add_task("开演", total=script.days)

            def told(day: date, working: bool) -> None:  # noqa: FBT001 as Play calls it
                number = (day - FIRST_DAY).days + 1
                words = f"{day:%m月%d日} {'工作日' if working else '休息日'}"
                progress.update(bar, description=words, completed=number, total=max(number, script.days))

            await play.run(script, told)


def beginning() -> PlayedClock:
    """Return the time at which every play begins: early in the morning of the first day."""
    return PlayedClock(datetime.combine(FIRST_DAY, time(7), ZONE))


def _rules(site: Site) -> tuple[Rules, WorkCalendar]:
    with site.database.read() as session:
        site.loop.reference.refresh(session)
        rules = site.loop.reference.rules(session, site.loop.default_workflow)
        return rules, site.loop.reference.calendar(session, rules.workflow.calendar)

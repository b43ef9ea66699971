"""`wuye-loop demo`: a made-up district, its complaints, and thirty days of the closed loop before your eyes."""

import asyncio
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time
from pathlib import Path
from time import perf_counter
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from uvicorn.loops.auto import auto_loop_factory

from wuye_loop import logs
from wuye_loop import settings as environment
from wuye_loop.cli.words import Refused, print_json
from wuye_loop.demo import reading, report, results, stage
from wuye_loop.demo.chance import Chance
from wuye_loop.demo.clock import PlayedClock
from wuye_loop.demo.complaints import ZONE, made_up
from wuye_loop.demo.district import district
from wuye_loop.demo.doors import Doors, PlayFailed
from wuye_loop.demo.play import FIRST_DAY, Play, Script, actors
from wuye_loop.demo.reading import BadRow, NotComplaints
from wuye_loop.demo.scene import Scene
from wuye_loop.demo.serving import KEPT_SECONDS, NoDoor, bound, serving
from wuye_loop.demo.stage import NoStage
from wuye_loop.domain.calendar import WorkCalendar
from wuye_loop.domain.rules import Rules
from wuye_loop.edge.site import Site
from wuye_loop.settings import Settings
from wuye_loop.worker import Worker

_SEED = 20_260_914
_COMPLAINTS, _USUAL_DAYS = 300, 30
_FEWEST_DAYS, _MOST_DAYS = 3, 120
_SHARE_OF_DAYS = 2 / 3  # complaints of a file arrive within this share of the days
_PAPER = 120  # columns, where the output is not a terminal
_BAD_ROWS = "demo-bad-rows.csv"


def demo(  # noqa: PLR0913: the options of a command
    source: Annotated[
        Path | None,
        typer.Option("--input", metavar="FILE.csv[.gz]", help="用这些诉求代替虚构的 300 件；全部办到结案"),
    ] = None,
    days: Annotated[int, typer.Option("--days", min=_FEWEST_DAYS, max=_MOST_DAYS, help="演多少天")] = 30,
    data: Annotated[Path | None, typer.Option("--data", metavar="DIR", help="数据目录(默认 var/demo)")] = None,
    port: Annotated[int | None, typer.Option("--port", min=0, max=65535, help="端口;0 取一个空闲的")] = None,
    *,
    leave: Annotated[bool, typer.Option("--exit", help="演完就结束，不再继续服务")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="最后一行输出一个 JSON 对象，表格改到标准错误")] = False,
) -> None:
    """演示：在虚构的城区里，把 30 天的诉求从收集走到评价；不碰真实数据。 / play thirty days in a made-up district."""
    logs.configure("WARNING")
    loaded = environment.load()
    folder = data if data is not None else loaded.data / "demo"
    settings = loaded.model_copy(update={"data": folder})
    show = Show(settings, 0 if leave and port is None else port, leave=leave, as_json=as_json)
    try:
        show.give(source, days)
    except (NoStage, NoDoor, PlayFailed, NotComplaints) as error:
        raise Refused(str(error)) from None


@dataclass(slots=True)
class Show:
    """One run of the command: read, play, report, and go on serving."""

    settings: Settings
    port: int | None
    leave: bool
    as_json: bool

    @property
    def console(self) -> Console:
        """Where tables go: a program that reads stdout gets the one object there."""
        console = Console(stderr=self.as_json, highlight=False)
        return console if console.is_terminal else Console(stderr=self.as_json, highlight=False, width=_PAPER)

    def give(self, source: Path | None, days: int) -> None:
        """Play on a fresh database. Raises NoStage, PlayFailed, NotComplaints."""
        began = perf_counter()
        clock = PlayedClock(datetime.combine(FIRST_DAY, time(7), ZONE))
        chance, document = Chance(_SEED), district()
        script, bad = _script(source, days, chance, document["estates"])
        with stage.opened(self.settings, clock) as site:
            self._tell_bad(bad)
            units = actors(document)
            keys = stage.cast(site, document, units)
            scene = Scene(Doors(keys), chance, FIRST_DAY, units)
            with asyncio.Runner(loop_factory=auto_loop_factory()) as runner:
                runner.run(self._run(site, clock, scene, script, began))

    async def _run(self, site: Site, clock: PlayedClock, scene: Scene, script: Script, began: float) -> None:
        door = bound(self.settings.host, self.settings.port, self.port)
        async with serving(site, door) as address:
            async with scene.doors.at(address, KEPT_SECONDS / 2):
                rules, calendar = _rules(site)
                await self._play(Play(site, clock, scene, calendar), script)
                found = await asyncio.to_thread(results.gather, site, perf_counter() - began)
                await report.show(self.console, found, scene, rules.workflow)
            if self.as_json:
                print_json(found.summary.as_json())
            if not self.leave:
                clock.run()
                stop = asyncio.Event()
                for number in (signal.SIGINT, signal.SIGTERM):
                    asyncio.get_running_loop().add_signal_handler(number, stop.set)
                report.invite(self.console, address, scene)
                await Worker(site).run(stop)

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

            def told(day: object, working: bool) -> None:  # noqa: FBT001: as Play calls it
                progress.update(bar, description=f"{day:%m月%d日} {'工作日' if working else '休息日'}", advance=1)

            await play.run(script, told)

    def _tell_bad(self, bad: list[BadRow]) -> None:
        if not bad:
            return
        path = self.settings.data / _BAD_ROWS
        reading.keep_bad(path, bad)
        Console(stderr=True).print(f"[yellow]{len(bad)} 行不能用[/],连同原因记在 {path}", highlight=False)


def _rules(site: Site) -> tuple[Rules, WorkCalendar]:
    with site.database.read() as session:
        site.loop.reference.refresh(session)
        rules = site.loop.reference.rules(session, site.loop.default_workflow)
        return rules, site.loop.reference.calendar(session, rules.workflow.calendar)


def _script(
    source: Path | None, days: int, chance: Chance, estates: Sequence[Mapping[str, Any]]
) -> tuple[Script, list[BadRow]]:
    """Return what is played: our own complaints, or those of a file, which are all played to their end."""
    if source is None:
        number = round(_COMPLAINTS * days / _USUAL_DAYS)
        return Script(made_up(chance, number, FIRST_DAY, days, estates), days), []
    rows, bad = reading.read(source)
    if not rows:
        raise NotComplaints(f"{source} 里没有一行可用的诉求")
    begins = datetime.combine(FIRST_DAY, time(8), ZONE)
    arriving = max(1, round(days * _SHARE_OF_DAYS))
    return Script(reading.as_complaints(rows, chance, begins, arriving, estates), days, to_the_end=True), bad

"""`up`, `serve`, `work`: the server, the worker, or both with their database in one command."""

import asyncio
import gc
import signal
import socket
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Final

import structlog
import typer
import uvicorn
from prometheus_client import start_http_server
from rich.console import Console
from sqlalchemy.orm import Session
from uvicorn.loops.auto import auto_loop_factory

from wuye_loop import logs, metrics
from wuye_loop.app import create_app, make_site
from wuye_loop.cli.clock import clock
from wuye_loop.cli.database import DataDir, settings_for
from wuye_loop.cli.output import Refused
from wuye_loop.edge.connections import server
from wuye_loop.edge.site import Site
from wuye_loop.ports import Clock, SettableClock
from wuye_loop.prepare import prepare
from wuye_loop.settings import Settings, unheed_libpq
from wuye_loop.store import rehearsals
from wuye_loop.store.database import open_database

_err = Console(stderr=True)
_log = structlog.get_logger("wuye_loop.serving")

Port = Annotated[int | None, typer.Option(help="端口;0 取一个空闲的")]
Host = Annotated[str | None, typer.Option(help="监听地址")]


@contextmanager
def open_site(settings: Settings, *, publish: bool = True, watched: bool = False) -> Iterator[Site]:
    """Open the database, bring it up to date, publish the workflow files if that is wanted, and give the installation."""
    time = SettableClock() if settings.rehearsal else clock()
    with open_database(settings, watched=watched) as database:
        site = make_site(settings, database, clock=time)
        if settings.rehearsal:
            with database.begin() as session:
                _rehearse(session, time)
        if publish:
            prepare(site)
        yield site


def _rehearse(session: Session, time: Clock) -> None:
    """Mark the database as rehearsed, and go on from where the last rehearsal stood.

    Raises Refused when it holds real grievances: a moved clock would fire their ladders.
    """
    if not rehearsals.begin(session):
        raise Refused("这个库里有真实诉求，不能演练；请用 --data 另指一个空目录")
    latest = rehearsals.latest(session)
    if isinstance(time, SettableClock) and latest is not None and latest > time.now():
        time.set(latest)


async def run(site: Site, *, door: socket.socket | None, work: bool) -> None:
    """Serve at the door if there is one, work if told to, until SIGTERM or Ctrl-C; what has begun is finished."""
    _settle()
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    try:
        async with asyncio.TaskGroup() as group:
            if work:
                from wuye_loop.worker import Worker  # noqa: PLC0415 what only serves needs none of what it works with

                group.create_task(Worker(site).run(stop))
            if door is not None:
                group.create_task(_serve(server(create_app(site), site.settings), door, stop))
    finally:
        await site.database.dispose_async()


#: The event loop lets one connection in at each door in each of its rounds, and a round is long when many are at work:
#: behind two hundred who come at once, the hotline's next connection would wait for two hundred rounds.
_DOORS: Final = 16


def _door(settings: Settings) -> socket.socket:
    """Take the port before anything is announced.

    Raises Refused in words when somebody else has it.
    """
    try:
        return socket.create_server((settings.host, settings.port), backlog=512)
    except OSError as error:
        raise Refused(
            f"无法监听 {settings.host}:{settings.port}：{error.strerror}；可用 --port 另选，0 取空闲的"
        ) from None


def _run(work: Coroutine[None, None, None]) -> None:
    """Run on uvloop where there is one: it costs less per step than the standard event loop."""
    with asyncio.Runner(loop_factory=auto_loop_factory()) as runner:
        runner.run(work)


def _settle() -> None:
    """Take what start-up made out of the garbage collector's sight: a full collection would stop requests for 100 ms."""
    gc.collect()
    gc.freeze()
    gc.enable()


async def _serve(serving: uvicorn.Server, door: socket.socket, stop: asyncio.Event) -> None:
    """Serve until a signal, which uvicorn catches and passes on when it is done; then everything stops."""
    await serving.serve(sockets=[door, *(door.dup() for _ in range(_DOORS - 1))])
    stop.set()


def _configured(
    data: Path | None, host: str | None = None, port: int | None = None, *, rehearsal: bool = False
) -> Settings:
    """Return the settings, with logs set up as they say."""
    gc.disable()  # until what start-up makes has settled: it all stays
    settings = _settings(data, host, port, rehearsal=rehearsal)
    logs.configure(settings.log_level)
    unheeded = unheed_libpq()
    if unheeded:
        _log.warning("libpq_variables_unheeded", names=unheeded)
    return settings


def _settings(data: Path | None, host: str | None, port: int | None, *, rehearsal: bool = False) -> Settings:
    changes: dict[str, object] = {"host": host, "port": port, "rehearsal": rehearsal or None}
    given = {key: value for key, value in changes.items() if value is not None}
    return settings_for(data).model_copy(update=given)


def up(
    port: Port = None,
    data: DataDir = None,
    host: Host = None,
    *,
    rehearsal: Annotated[bool, typer.Option("--rehearsal", help="演练：可拨动的时钟；绝不用于真实诉求")] = False,
) -> None:
    """Serve, sweep and work, with our own database where there is no other."""
    settings = _configured(data, host, port, rehearsal=rehearsal)
    with _door(settings) as door, open_site(settings, watched=True) as site:
        _err.print(f"[bold]wuye-loop[/] http://{settings.host}:{door.getsockname()[1]}/docs")
        if rehearsal:
            _err.print("[yellow]演练模式[/]：POST /v1/rehearsal/clock 可拨动时钟")
        _run(run(site, door=door, work=True))


def serve(port: Port = None, data: DataDir = None, host: Host = None) -> None:
    """Serve, and nothing else."""
    settings = _configured(data, host, port)
    with _door(settings) as door, open_site(settings, watched=True) as site:
        _err.print(f"[bold]wuye-loop[/] http://{settings.host}:{door.getsockname()[1]}/docs")
        _run(run(site, door=door, work=False))


def work(data: DataDir = None) -> None:
    """Sweep and work, and do not serve."""
    settings = _configured(data)
    with open_site(settings, watched=True) as site:
        if settings.metrics_port is not None:
            start_http_server(settings.metrics_port, settings.host, registry=metrics.REGISTRY)
        _run(run(site, door=None, work=True))

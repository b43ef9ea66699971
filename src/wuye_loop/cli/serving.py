"""`up`, `serve`, `work`: the server, the worker, or both with their database in one command."""

import asyncio
import gc
import signal
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
import uvicorn
from rich.console import Console

from wuye_loop import logs
from wuye_loop.app import create_app, make_site
from wuye_loop.cli.database import DataDir, settings_for
from wuye_loop.edge.site import Site
from wuye_loop.ports import Clock, SettableClock, SystemClock
from wuye_loop.prepare import prepare
from wuye_loop.settings import Settings
from wuye_loop.store.database import open_database
from wuye_loop.worker import Worker

_err = Console(stderr=True)

Port = Annotated[int | None, typer.Option(help="端口;0 取一个空闲的")]
Host = Annotated[str | None, typer.Option(help="监听地址")]


@contextmanager
def open_site(settings: Settings) -> Iterator[Site]:
    """Open the database, bring it up to date, publish the shipped workflows, and give the installation."""
    clock: Clock = SettableClock() if settings.rehearsal else SystemClock()
    with open_database(settings) as database:
        database.check_durability()
        site = make_site(settings, database, clock=clock)
        prepare(site)
        yield site


async def run(site: Site, *, serve: bool, work: bool) -> None:
    """Run the server, the worker or both until SIGTERM or Ctrl-C; what has begun is finished."""
    _settle()
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    try:
        async with asyncio.TaskGroup() as group:
            if work:
                group.create_task(Worker(site).run(stop))
            if serve:
                group.create_task(_serve(_server(site), stop))
    finally:
        await site.database.dispose_async()


def _server(site: Site) -> uvicorn.Server:
    settings = site.settings
    return uvicorn.Server(
        uvicorn.Config(
            create_app(site),
            host=settings.host,
            port=settings.port,
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,  # nobody's word about an address is taken; no decision rests on one
            timeout_graceful_shutdown=10,
            timeout_keep_alive=30,
        )
    )


def _run(work: Coroutine[None, None, None]) -> None:
    """Run on uvloop where there is one: a fifth of a step's processor time is the event loop's."""
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        runner.run(work)


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop  # noqa: PLC0415 not on every system
    except ImportError:
        return None
    return uvloop.new_event_loop


def _settle() -> None:
    """Take what start-up made out of the garbage collector's sight: a full collection would stop requests for 100 ms."""
    gc.collect()
    gc.freeze()


async def _serve(server: uvicorn.Server, stop: asyncio.Event) -> None:
    """Serve until a signal, which uvicorn catches and passes on when it is done; then everything stops."""
    await server.serve()
    stop.set()


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
    """启动全部：服务、督办扫描与内嵌数据库。"""
    settings = _settings(data, host, port, rehearsal=rehearsal)
    logs.configure(settings.log_level)
    with open_site(settings) as site:
        _err.print(f"[bold]wuye-loop[/] http://{settings.host}:{settings.port}/docs")
        if rehearsal:
            _err.print("[yellow]演练模式[/]:POST /v1/rehearsal/clock 可拨动时钟")
        _run(run(site, serve=True, work=True))


def serve(port: Port = None, data: DataDir = None, host: Host = None) -> None:
    """只启动服务；督办扫描由 work 进程承担。"""
    settings = _settings(data, host, port)
    logs.configure(settings.log_level)
    with open_site(settings) as site:
        _run(run(site, serve=True, work=False))


def work(data: DataDir = None) -> None:
    """只启动督办扫描与后台任务；可在多台机器上各起若干个。"""
    settings = _settings(data, None, None)
    logs.configure(settings.log_level)
    with open_site(settings) as site:
        _run(run(site, serve=False, work=True))

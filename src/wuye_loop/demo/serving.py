"""The doors of a play: the same server as `serve`, in the player's own event loop."""

import asyncio
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final

from wuye_loop.app import create_app
from wuye_loop.edge import connections
from wuye_loop.edge.site import Site

KEPT_SECONDS: Final = 120  # an idle connection; a client must let go of it earlier than that
_LOOK = 0.01  # seconds between two looks whether the server has started


class NoDoor(Exception):
    """The address cannot be listened on; the message says why, in words."""


def bound(host: str, usual: int, wanted: int | None) -> socket.socket:
    """Return a listening socket on the wanted port, else on the usual one, else, where that is taken, on a free one.

    Raises NoDoor when the wanted one cannot be had.
    """
    if wanted is not None:
        try:
            return socket.create_server((host, wanted))
        except OSError as error:
            raise NoDoor(f"无法监听 {host}:{wanted}:{error.strerror};请用 --port 另选一个端口,0 是任意空闲的") from None
    try:
        return socket.create_server((host, usual))
    except OSError:
        return bound(host, usual, 0)


@asynccontextmanager
async def serving(site: Site, door: socket.socket, people: Mapping[str, Any] | None = None) -> AsyncIterator[str]:
    """Serve while the block runs, and give the address; what has begun is finished. The socket is closed at the end.

    `people` are who may enter the pages with one click.
    """
    app = create_app(site)
    app.state.visitors = people
    server = connections.server(app, site.settings, idle_seconds=KEPT_SECONDS)
    # `serve` would install signal handlers of its own; `_serve` is the same without them.
    running = asyncio.create_task(server._serve(sockets=[door]))  # noqa: SLF001
    try:
        while not server.started and not running.done():  # noqa: ASYNC110 uvicorn tells nobody when it has started
            await asyncio.sleep(_LOOK)
        host, port = door.getsockname()[:2]
        yield f"http://{host}:{port}"
    finally:
        server.should_exit = True
        await running
        door.close()

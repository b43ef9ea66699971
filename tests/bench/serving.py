"""One server process of the program, as a site runs it, and what it used of the processor."""

import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")


@contextmanager
def server(url: str, data: Path) -> Iterator[tuple[int, int]]:
    """Run `wuye-loop serve` on a free port; give the port and the process id."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    program = Path(sys.executable).with_name("wuye-loop")
    environment = {
        **os.environ,
        "WUYE_DATABASE_URL": re.sub(r"^postgresql\+psycopg", "postgresql", url),
        "WUYE_DATA": str(data),
        "WUYE_LOG_LEVEL": "WARNING",
        "WUYE_POOL_SIZE": "16",
    }
    process = subprocess.Popen([str(program), "serve", "--port", str(port)], env=environment)
    try:
        _wait(port, process)
        yield port, process.pid
    finally:
        process.terminate()
        process.wait(20)


def _wait(port: int, process: "subprocess.Popen[bytes]") -> None:
    for _ in range(300):
        if process.poll() is not None:
            raise RuntimeError(f"the server ended with {process.returncode}")
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise RuntimeError("the server did not start within 30 s")


def cpu_seconds(pid: int) -> float | None:
    """Return the processor time a process has used; None where the machine does not tell."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()
    except OSError:
        return None
    return (int(fields[11]) + int(fields[12])) / _TICKS

"""How a peer is driven: it is told over its standard input how many steps to take, and answers how long they took.

Runs in the peer's own environment, of which nothing but the peer and the database's driver is known.
"""

import json
import sys
import time
from collections.abc import Callable


def serve(step: Callable[[str], object], names: list[str]) -> None:
    """Say that all is prepared, and take as many steps as each line asks for, each with the next name."""
    rest = iter(names)
    answer({"ready": len(names)})
    for line in sys.stdin:
        mine = [next(rest) for _ in range(int(line))]
        began, cpu = time.perf_counter(), time.process_time()
        for name in mine:
            step(name)
        answer({"seconds": time.perf_counter() - began, "cpu": time.process_time() - cpu})


def answer(said: object) -> None:
    """Write one line, at once."""
    sys.stdout.write(json.dumps(said) + "\n")
    sys.stdout.flush()

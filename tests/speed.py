"""Costs in processor time, as multiples of a fixed piece of work measured beside them: machines differ, and are busy."""

import json
import time
from collections.abc import Callable
from functools import cache

_ROWS = [{"n": n, "title": "三号楼电梯停运" * 8, "place": {"estate": "E1", "area": [n, n + 1]}} for n in range(2000)]


def cost(work: Callable[[], object], times: int = 3) -> float:
    """Return the processor seconds of the quickest of some runs: others use the same processors at the same time."""
    taken = []
    for _ in range(times):
        began = time.process_time()
        work()
        taken.append(time.process_time() - began)
    return min(taken)


@cache
def yardstick() -> float:
    """Return what a fixed piece of work costs here and now: some 6 ms where this was written."""
    return cost(lambda: sorted(json.loads(json.dumps(_ROWS)), key=lambda row: -row["n"]), 9)

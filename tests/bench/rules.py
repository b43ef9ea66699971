"""`python -m tests.bench.rules`: what checking the shipped rule files costs, and a large made-up one, in CPU seconds."""

import statistics
import time
from collections.abc import Callable

from tests.authoring.checker.test_speed import large
from wuye_loop.authoring.checker.check import check
from wuye_loop.domain.rulefile import extends
from wuye_loop.settings import shipped
from wuye_loop.store.workflows.files import whole_text

ROUNDS = 5


def main() -> None:
    """Print the medians of a few rounds, each with nothing kept from the round before."""
    folder = shipped("workflows")
    files = sorted(folder.glob("*@*.yaml"))
    newest = {path.stem.partition("@")[0]: path for path in files if not path.stem.startswith("standard")}
    big = large(200, 1000)

    def cities() -> None:
        for path in newest.values():
            workflow, findings = check(whole_text(path, [folder]), path.name)
            assert workflow is not None, findings

    def one() -> None:
        workflow, findings = check(big, "large.yaml")
        assert workflow is not None, findings

    print(f"{'、'.join(path.stem for path in newest.values())}: {_median(cities):.3f} s CPU in all")  # noqa: T201
    print(f"200 states, 1,000 actions ({len(big) // 1000} kB): {_median(one):.3f} s CPU")  # noqa: T201


def _median(work: Callable[[], None]) -> float:
    times = []
    for _ in range(ROUNDS):
        extends._read_base.cache_clear()
        begun = time.process_time()
        work()
        times.append(time.process_time() - begun)
    return statistics.median(times)


if __name__ == "__main__":
    main()

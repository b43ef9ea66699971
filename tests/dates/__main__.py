"""`make dates`: the fast tests and the demonstration with the clock set elsewhere, by libfaketime.

Every process, the database server among them, tells the same shifted time, which runs on from there. The monotonic clock
stays as it is: what waits, waits as long as ever.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from tests import ROOT
from wuye_loop import postgres

INSTALL = "apt-get install faketime gcc"
_LIBRARIES = ("/usr/lib/*/faketime/libfaketimeMT.so.1", "/usr/lib*/faketime/libfaketimeMT.so.1")
_LEFT = re.compile(r"(?:sem\.)?faketime_(?:shm|sem)_(\d+)")
_ELSEWHERE = {"TZ": "America/New_York", "LC_ALL": "C"}

#: What asks the machine for the time, by itself or through a program that it starts.
TIMELY = ("tests/cli", "tests/demo", "tests/store", "tests/serving", "tests/postgres")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Date:
    """An instant to begin at, why it is among them, and what else is different then."""

    at: str
    why: str
    environment: Mapping[str, str] = field(default_factory=dict)

    @property
    def offset(self) -> float:
        """Seconds from the machine's time to it."""
        return datetime.fromisoformat(self.at).timestamp() - time.time()  # noqa: TID251 what is shifted is this


DATES = (
    Date("2026-11-29T10:00+08:00", "a Sunday the 29th"),
    Date("2026-12-31T23:30+08:00", "half an hour before a year that is not published", _ELSEWHERE),
    Date("2027-01-01T00:10+08:00", "ten minutes into it, the year before in UTC"),
    Date("2028-02-29T12:00+08:00", "a leap day"),
    Date("2026-02-16T18:00+08:00", "the eve of Spring Festival"),
    Date("2026-10-10T09:00+08:00", "a Saturday that makes up for a holiday"),
    Date("2031-05-10T15:00+08:00", "a year whose notice is unknown", _ELSEWHERE),
)
#: The two most different: a year's last minutes seen from the day before, and years after every notice.
QUICK = (DATES[1], DATES[6])


def main(words: Sequence[str]) -> int:
    """Run all on every date, or with `--quick` the tests that touch time on two; return 0 when all of it is green."""
    quick = "--quick" in words
    rest = [word for word in words if word != "--quick"]
    began, failed = time.monotonic(), 0
    with _preload() as preload:
        for date in QUICK if quick else DATES:
            environment = _environment(date, preload)
            _sweep()
            _say(f"== {date.at} {date.why} {dict(date.environment) or ''}".rstrip())
            failed += not _tests(environment, [*rest, *(TIMELY if quick else ())])
            failed += not (quick or _demo(environment))
    _say(f"{'red' if failed else 'green'} after {time.monotonic() - began:.0f} s")
    return 1 if failed else 0


def _tests(environment: Mapping[str, str], words: Sequence[str]) -> bool:
    command = [sys.executable, "-m", "pytest", "-q", "-m", "not proof", "-n", "4"]
    done = subprocess.run([*command, "--dist", "loadfile", *words], cwd=ROOT, env=environment, check=False)
    return done.returncode == 0


def _demo(environment: Mapping[str, str]) -> bool:
    with tempfile.TemporaryDirectory(prefix="wuye-dates-") as folder:
        command = [sys.executable, "-c", "from wuye_loop.cli import main; main()", "demo", "--exit", "--json"]
        done = subprocess.run(
            [*command, "--data", folder], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
        )
        for elsewhere in postgres.outside(Path(folder)):
            shutil.rmtree(elsewhere)
    said = (done.stdout.splitlines() or [""])[-1]
    if done.returncode or not said.startswith("{"):
        _say(f"demo: {done.stdout}\n{done.stderr}")
        return False
    found = json.loads(said)
    _say("demo: " + ", ".join(f"{name} {found[name]}" for name in ("grievances", "closed", "drift", "seconds")))
    return bool(found["drift"] == 0 and found["chain_ok"])


def _say(words: str) -> None:
    sys.stdout.write(f"{words}\n")
    sys.stdout.flush()  # between the lines of the tests, which write to the same place


def _environment(date: Date, preload: str) -> dict[str, str]:
    own = {name: value for name, value in os.environ.items() if not name.startswith(("WUYE_", "LC_", "LANG"))}
    shift = {"LD_PRELOAD": preload, "FAKETIME": f"{date.offset:+.3f}s", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
    return own | {"LC_ALL": "C.UTF-8"} | shift | dict(date.environment)


@contextmanager
def _preload() -> Iterator[str]:
    """Give what LD_PRELOAD says: libfaketime and the mends it needs, compiled into a folder that every account may enter."""
    faketime = next((str(file) for pattern in _LIBRARIES for file in sorted(Path("/").glob(pattern[1:]))), None)
    compiler = shutil.which("cc") or shutil.which("gcc")
    if faketime is None or compiler is None:
        missing = "libfaketime" if faketime is None else "a C compiler"
        sys.exit(f"make dates: {missing} is missing / 缺少 {missing}：{INSTALL}")
    with tempfile.TemporaryDirectory(prefix="wuye-faketime-") as folder:
        Path(folder).chmod(0o755)
        mends = Path(folder) / "mends.so"
        source = Path(__file__).with_name("mends.c")
        subprocess.run([compiler, "-shared", "-fPIC", "-O2", "-Wall", "-o", str(mends), str(source)], check=True)
        mends.chmod(0o755)
        _sweep()
        try:
            yield f"{mends}:{faketime}"
        finally:
            _sweep()


def _sweep() -> None:
    """Remove what processes that were killed left of libfaketime: one that gets the same number would not start."""
    for left in Path("/dev/shm").glob("*faketime_*"):  # noqa: S108 where libfaketime keeps its own
        match = _LEFT.fullmatch(left.name)
        if match and not Path(f"/proc/{match[1]}").exists():
            left.unlink(missing_ok=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

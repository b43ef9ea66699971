"""`make fresh`: the README's two commands in fresh clones, in folders and under accounts that are not the usual ones.

As root, for it changes accounts, and alone, for what anybody else leaves meanwhile counts as left behind. What is committed
is cloned; each clone, its data and whatever its database server keeps elsewhere are removed again.
"""

import os
import pwd
import shutil
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests import ROOT

COMMANDS = (("make", "demo", "ARGS=--exit"), ("make", "test"))
#: Where servers, tests and demonstrations could leave something.
SHARED = (Path("/var/lib"), Path("/var/tmp"), Path("/tmp"))  # noqa: S108 looked at, not written to
SOURCES = ("src", "tests", "migrations", "workflows", "docs", ".git")


@dataclass(frozen=True, slots=True)
class Clone:
    """A place to clone to, and who works there how."""

    name: str
    under: Path = Path("/tmp")  # noqa: S108 a folder of its own is made there
    folder: str = "wuye-loop"
    user: str = "root"
    mask: int = 0o022
    without: Sequence[str] = ()
    read_only: bool = False
    environment: Mapping[str, str] = field(default_factory=dict)


#: Those of one line work at the same time.
TURNS = (
    (Clone("root's home", under=Path("/root")),),
    (Clone("odd path", folder='it\'s 100% "奎文" $HOME `x` 直通车'),),
    (Clone("no HOME, closed umask", without=("HOME",), mask=0o077),),
    (Clone("ordinary user, read-only sources", user="nobody", read_only=True),),
    (
        Clone("one user", user="nobody", folder="a folder", mask=0o077),
        Clone("another at the same time", user="daemon", without=("HOME",)),
    ),
)


def main(words: Sequence[str]) -> int:
    """Work in every clone, or in those whose name holds one of the words; return 0 when all is well."""
    if os.geteuid() != 0:
        sys.exit("make fresh: 要以 root 运行，因为要换用户 / run as root, for it changes accounts")
    failed = 0
    for turn in TURNS:
        wanted = [clone for clone in turn if not words or any(word in clone.name for word in words)]
        if wanted:
            failed += _turn(wanted)
    _say("red" if failed else "green")
    return 1 if failed else 0


def _turn(clones: Sequence[Clone]) -> int:
    before = set(_shared())
    folders = [Path(tempfile.mkdtemp(prefix="fresh-", dir=clone.under)) for clone in clones]
    made = [_clone(clone, folder) for clone, folder in zip(clones, folders, strict=True)]
    failed = 0
    for command in COMMANDS:
        began = time.monotonic()
        running = [_start(clone, place, command) for clone, place in zip(clones, made, strict=True)]
        for clone, process in zip(clones, running, strict=True):
            said, _ = process.communicate()
            failed += process.returncode != 0
            _say(f"{clone.name}: {' '.join(command)}: {process.returncode} after {time.monotonic() - began:.0f} s")
            _say("\n".join(said.splitlines()[-(40 if process.returncode else 1) :]))
    for clone, place in zip(clones, made, strict=True):
        data = (".venv/bin/wuye-loop", "data", "remove", "--yes", "--data", "var/demo")
        process = _start(clone, place, data)
        _say(process.communicate()[0].strip())
        failed += process.returncode != 0
    for folder in folders:
        shutil.rmtree(folder)
    left = sorted(set(_shared()) - before)
    if left:
        _say(f"left behind: {', '.join(map(str, left))}")
    return failed + len(left)


def _clone(clone: Clone, folder: Path) -> Path:
    place = folder / clone.folder
    subprocess.run(["git", "clone", "-q", "--no-hardlinks", str(ROOT), str(place)], check=True)
    uid = pwd.getpwnam(clone.user).pw_uid
    for path in (folder, place, *place.rglob("*")):
        os.chown(path, uid, -1, follow_symlinks=False)
    if clone.read_only:
        for path in (one for source in SOURCES for one in (place / source, *(place / source).rglob("*"))):
            path.chmod(path.stat().st_mode & ~(stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH))
    return place


def _start(clone: Clone, place: Path, command: Sequence[str]) -> "subprocess.Popen[str]":
    account = pwd.getpwnam(clone.user)
    # ARGS: which clones were asked for is not what their own commands are asked.
    ours = ("PYTHON", "WUYE_", "VIRTUAL_ENV", "PYENV", "MAKE", "MFLAGS", "ARGS")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    environment |= {"USER": clone.user, "LOGNAME": clone.user, "HOME": str(place.parent), **clone.environment}
    if clone.user != "root":
        environment["PATH"] = "/usr/local/bin:/usr/bin:/bin"
    return subprocess.Popen(
        command,
        cwd=place,
        env={name: value for name, value in environment.items() if name not in clone.without},
        user=account.pw_uid,
        group=account.pw_gid,
        extra_groups=[],
        umask=clone.mask,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def _shared() -> Iterator[Path]:
    for folder in SHARED:
        yield from folder.glob("wuye-*")


def _say(words: str) -> None:
    sys.stdout.write(f"{words}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

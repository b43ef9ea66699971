import os
import pwd
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict


class PostgresError(Exception):
    """The embedded server cannot do what is asked; the message says why and what to do, in words."""


class Child(TypedDict, total=False):
    """What every program of the server is started with."""

    user: int
    group: int
    extra_groups: list[int]
    cwd: str
    env: dict[str, str]
    start_new_session: bool


@dataclass(frozen=True, slots=True)
class Account:
    """The operating-system account the server runs as: our own, or an unprivileged one when we are root."""

    name: str
    uid: int
    gid: int

    @property
    def is_ours(self) -> bool:
        """Whether the server runs as the account we run as ourselves."""
        return self.uid == os.geteuid()

    def child(self) -> Child:
        """Return the arguments of subprocess that start a program as this account, apart from our terminal."""
        child: Child = {
            "cwd": "/",  # our own folder may be closed to it
            # Nothing of ours: PGPORT, PGOPTIONS, LC_MESSAGES and the like would change what the server does.
            "env": {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC", **_clock_set_elsewhere()},
            "start_new_session": True,  # Ctrl-C in the terminal is for us; we then stop the server in order
        }
        return child if self.is_ours else {**child, "user": self.uid, "group": self.gid, "extra_groups": []}

    def run(self, command: Sequence[str | Path]) -> subprocess.CompletedProcess[str]:
        """Run a program as this account to its end; its output as text, its exit status for the caller to judge."""
        try:
            return subprocess.run(  # noqa: S603 the programs are PostgreSQL's own, chosen by us
                [str(part) for part in command],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                check=False,
                **self.child(),
            )
        except PermissionError as error:
            return subprocess.CompletedProcess(list(map(str, command)), 126, "", str(error))

    def owns(self, path: Path) -> None:
        """Give a path that we made to this account."""
        if not self.is_ours:
            os.chown(path, self.uid, self.gid)

    def reaches(self, folder: Path) -> bool:
        """Whether this account can enter the folder: asked by trying, so that no kind of permission is overlooked."""
        return self.run(["/bin/sh", "-c", 'cd "$1"', "sh", folder]).returncode == 0


def _clock_set_elsewhere() -> dict[str, str]:
    """Return what tells libfaketime in which time we run, if we do: a server beside us must tell the same."""
    names = ("LD_PRELOAD", "FAKETIME", "FAKETIME_DONT_FAKE_MONOTONIC") if "FAKETIME" in os.environ else ()
    return {name: os.environ[name] for name in names if name in os.environ}


def ourselves() -> Account:
    """Return the account this process runs as, whether or not a server could run as it."""
    return Account("", os.geteuid(), os.getegid())


def server_account(cluster: Path) -> Account:
    """Return the account for a cluster: ours, or for root the cluster's owner, else an unprivileged one that exists."""
    if os.geteuid() != 0:
        return _named(os.geteuid())
    if cluster.exists() and (owner := cluster.stat().st_uid) != 0:
        return _named(owner)
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        account = Account(entry.pw_name, entry.pw_uid, entry.pw_gid)
        if not account.is_ours and account.run(["/bin/sh", "-c", ":"]).returncode == 0:
            return account
    raise PostgresError(
        "PostgreSQL 不能以 root 运行，而这里不能换用 postgres 或 nobody 账号。"
        "/ PostgreSQL refuses to run as root, and here it can run neither as postgres nor as nobody; "
        "run as an ordinary user, or set WUYE_DATABASE_URL."
    )


def _named(uid: int) -> Account:
    try:
        entry = pwd.getpwuid(uid)
    except KeyError:
        raise PostgresError(
            f"用户编号 {uid} 在本机没有名字，PostgreSQL 无法以它运行。"
            f"/ user id {uid} has no name on this machine, and PostgreSQL needs one; "
            "add it to /etc/passwd, or set WUYE_DATABASE_URL."
        ) from None
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)

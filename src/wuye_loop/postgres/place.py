import hashlib
import logging
import os
import stat
from dataclasses import dataclass
from pathlib import Path

from wuye_loop.postgres.account import Account, PostgresError, server_account

_log = logging.getLogger(__name__)

# Where root keeps a cluster that its unprivileged account could not reach under the data folder; the first is never
# swept by the system, so it comes first.
ELSEWHERE = (Path("/var/lib"), Path("/var/tmp"), Path("/tmp"))  # noqa: S108 the folder made there is private


@dataclass(frozen=True, slots=True)
class Place:
    """Where one data folder's server lives, and as whom it runs."""

    data: Path
    cluster: Path
    programs: Path
    account: Account

    @property
    def log(self) -> Path:
        """What the server writes about itself; opened by us and handed down, so it stays with the data."""
        return self.data / "postgres.log"

    @property
    def starting(self) -> Path:
        """Lock file held while the server is started or stopped."""
        return self.data / "postgres.start"

    @property
    def users(self) -> Path:
        """Lock file shared by all who use the server; who gets it alone is the last one out."""
        return self.data / "postgres.users"

    def written_by(self) -> int | None:
        """Return the major version that wrote the data, or None when there is none yet."""
        try:
            return int((self.cluster / "PG_VERSION").read_text())
        except FileNotFoundError:
            return None
        except PermissionError:
            raise PostgresError(
                f"{self.cluster} 属于另一个用户，请以其所有者运行。"
                f"/ {self.cluster} belongs to another user; run as its owner."
            ) from None


def place(data: Path) -> Place:
    """Return the place for a data folder, which is made if it is missing; no other folder's permissions are changed."""
    try:
        # Others may pass through to the cluster inside, but not look around.
        data.mkdir(mode=0o711, parents=True, exist_ok=True)
    except OSError as error:
        raise PostgresError(
            f"无法建立数据目录 {data} / cannot make the data folder {data}: {error.strerror}"
        ) from error
    data = data.resolve()
    moved = data / "postgres.moved"
    if moved.is_file():
        return _moved(data, moved)
    cluster = data / "postgres"
    account = server_account(cluster)
    if account.is_ours or account.reaches(data):
        return Place(data, cluster, data / "postgres.programs", account)
    if (cluster / "PG_VERSION").exists():
        raise PostgresError(
            f"账号 {account.name} 进不了 {data}，而数据在那里。"
            f"/ the database is in {cluster}, but the account {account.name} that must run it cannot enter {data}; "
            "run as the owner of the data, or open the way to it."
        )
    return _move(data, moved, account)


def for_us_alone(path: str, flags: int) -> int:
    """Open a file, made if need be, that no other account may read; for `open(..., opener=)`."""
    return os.open(path, flags, 0o600)


def _move(data: Path, moved: Path, account: Account) -> Place:
    digest = hashlib.sha256(os.fsencode(data)).hexdigest()[:16]
    for base in ELSEWHERE:
        folder = base.resolve() / f"wuye-loop-{digest}"
        if not (base.is_dir() and os.access(base, os.W_OK) and account.reaches(base)):
            continue
        folder.mkdir(mode=0o711, exist_ok=True)
        _ours(folder)
        moved.write_text(f"{folder}\n")
        _log.warning(
            "root 运行时数据库须由账号 %s 打开，而它进不了 %s，故数据库放在 %s "
            "/ the database runs as %s, which cannot enter %s: it is kept in %s",
            *(account.name, data, folder) * 2,
        )
        return Place(data, folder / "postgres", folder / "programs", account)
    raise PostgresError(
        f"账号 {account.name} 进不了 {data}，也没有别处可放数据库。"
        f"/ the account {account.name} cannot enter {data}, and there is no other place for the database; "
        "choose another WUYE_DATA, or set WUYE_DATABASE_URL."
    )


def _moved(data: Path, pointer: Path) -> Place:
    folder = Path(pointer.read_text().strip())
    cluster = folder / "postgres"
    if not folder.is_dir():
        raise PostgresError(
            f"{pointer} 指向 {folder}，但那里已没有数据库。"
            f"/ {pointer} says that the database is in {folder}, but it is gone; "
            "restore it, or delete the pointer to begin with an empty one."
        )
    _ours(folder)
    return Place(data, cluster, folder / "programs", server_account(cluster))


def _ours(folder: Path) -> None:
    # The name can be guessed, and anyone may make folders under /tmp: what another made is not trusted.
    entry = folder.lstat()
    if not stat.S_ISDIR(entry.st_mode) or entry.st_uid != os.geteuid() or entry.st_mode & 0o022:
        raise PostgresError(
            f"{folder} 不是本程序所建，拒绝使用。/ {folder} was not made by us and is not used; look who made it."
        )

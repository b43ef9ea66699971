import hashlib
import logging
import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from wuye_loop.postgres.account import Account, PostgresError, server_account

_log = logging.getLogger(__name__)

_ENTERED = 0o711  # others may pass through to the cluster inside, but not look around

_PROGRAMS = "-programs"

# Where root keeps a cluster that its unprivileged account could not reach under the data folder; the first is never
# swept by the system, so it comes first.
ELSEWHERE = (Path("/var/lib"), Path("/var/tmp"), Path("/tmp"))  # noqa: S108 the folder made there is private


@dataclass(frozen=True, slots=True)
class Place:
    """Where one data folder's server lives, and as whom it runs."""

    data: Path
    cluster: Path
    programs: Path  # where programs that cannot run from where they lie are copied to; not made before
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
        _make(data)
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
        return Place(data, cluster, _programs(data), account)
    if (cluster / "PG_VERSION").exists():
        raise PostgresError(
            f"账号 {account.name} 进不了 {data}，而数据在那里。"
            f"/ the database is in {cluster}, but the account {account.name} that must run it cannot enter {data}; "
            "run as the owner of the data, or open the way to it."
        )
    return _move(data, moved, account)


def plain(path: Path) -> bool:
    """Whether programs run from this path: initdb puts it between double quotes and hands it to a shell."""
    return re.search(r"""["$`\\\n]""", str(path)) is None


def outside(data: Path) -> list[Path]:
    """Return the folders beyond a data folder that hold something of it: a database or programs kept elsewhere."""
    data = data.resolve()
    pointer = data / "postgres.moved"
    named = [Path(pointer.read_text().strip())] if pointer.is_file() else []
    found = dict.fromkeys([*named, *_elsewhere(data), *_elsewhere(data, _PROGRAMS)])
    return [folder for folder in found if folder.is_dir() and _is_ours(folder)]


def for_us_alone(path: str, flags: int) -> int:
    """Open a file, made if need be, that no other account may read; for `open(..., opener=)`."""
    return os.open(path, flags, 0o600)


def own(folder: Path) -> None:
    """Make a folder of ours and what is missing above it; PostgresError where somebody else's lies there."""
    _make(folder)
    if not _is_ours(folder):
        raise PostgresError(
            f"{folder} 不是本程序所建，拒绝使用。/ {folder} was not made by us and is not used; look who made it."
        )


def _make(folder: Path) -> None:
    """Make a folder and what is missing above it, open to pass through whatever the umask is."""
    for missing in reversed([one for one in (folder, *folder.parents) if not one.exists()]):
        missing.mkdir(exist_ok=True)
        missing.chmod(_ENTERED)


def _elsewhere(data: Path, what: str = "") -> Iterator[Path]:
    digest = hashlib.sha256(os.fsencode(data)).hexdigest()[:16]
    for base in ELSEWHERE:
        yield base.resolve() / f"wuye-loop-{digest}{what}"


def _programs(data: Path) -> Path:
    inside = data / "postgres.programs"
    if plain(inside):
        return inside
    return next((one for one in _elsewhere(data, _PROGRAMS) if os.access(one.parent, os.W_OK)), inside)


def _move(data: Path, moved: Path, account: Account) -> Place:
    for folder in _elsewhere(data):
        base = folder.parent
        if not (base.is_dir() and os.access(base, os.W_OK) and account.reaches(base)):
            continue
        own(folder)
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
    own(folder)
    return Place(data, cluster, folder / "programs", server_account(cluster))


def _is_ours(folder: Path) -> bool:
    # The name can be guessed, and anyone may make folders under /tmp: what another made is not trusted.
    entry = folder.lstat()
    return stat.S_ISDIR(entry.st_mode) and entry.st_uid == os.geteuid() and not entry.st_mode & 0o022

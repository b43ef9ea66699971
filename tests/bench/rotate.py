"""How long new master keys take over N sealed complainants (100,000) while orders come in: `python -m tests.bench.rotate [N]`.

One order is taken in by the program and its row copied N times by SQL; each copy has a complainant sealed of its own, put in by
COPY. Then a thread takes in orders one after the other, before and while the keys are rotated: the two are told side by side.
"""

import sys
import tempfile
import threading
import time
from pathlib import Path
from statistics import median
from typing import Any

from sqlalchemy.orm import Session

from tests.database import clone, server, template
from tests.site import Town, build, order
from wuye_loop.domain.grievance.order import IntakeForm
from wuye_loop.loop import collect
from wuye_loop.loop.custody import rewrapping
from wuye_loop.store.database import Database
from wuye_loop.store.grievance import identity
from wuye_loop.store.keys import keyring

_COPIES = """
INSERT INTO grievance SELECT (jsonb_populate_record(g, jsonb_build_object(
  'id', gen_random_uuid(), 'number', 'B' || n, 'external_id', 'b' || n))).* FROM grievance g, generate_series(1, %(count)s) n
WHERE g.external_id = 'first'
"""
_COLUMNS = ("grievance_id", "key_id", "alg", "wrapped_key", "nonce", "ciphertext", "phone_hash")
_BEFORE = 20.0  # seconds of orders before the keys are rotated


def main(count: int = 100_000) -> None:
    """Load, rotate, print."""
    with server() as url, template(url) as made, clone(made, 1) as own, tempfile.TemporaryDirectory() as data:
        database = Database(own, pool_size=8, statement_timeout_ms=0)
        town = build(database, data=Path(data))
        took_in(town, "first")
        began = time.perf_counter()
        database_load(town, count)
        _say(f"{count} 件装好，用时 {time.perf_counter() - began:.0f} 秒")
        _rotated(town, count)
        database.dispose()


def database_load(town: Town, count: int) -> None:
    """Copy the first grievance so often, each copy with a complainant sealed under its own data key."""
    ring = town.site.loop.keyring
    person = {"name": "张三丰", "address": "3 号楼 2 单元 501", "title": "电梯停运", "body": "停了两天" * 20}

    def work(session: Session) -> None:
        connection = session.connection()
        connection.exec_driver_sql(_COPIES, {"count": count})
        ids = connection.exec_driver_sql("SELECT id FROM grievance WHERE external_id <> 'first'").scalars().all()
        cursor: Any = connection.connection.driver_connection.cursor()  # type: ignore[union-attr]
        with cursor, cursor.copy(f"COPY complainant ({', '.join(_COLUMNS)}) FROM STDIN") as copy:
            for n, one in enumerate(ids):
                phone = f"139{n:08d}"
                sealed = identity.seal(ring.new_key(one), person | {"phone": phone}, ring.blind(phone))
                copy.write_row((one, *(sealed[name] for name in _COLUMNS[1:])))
        connection.exec_driver_sql("ANALYZE")

    town.run(work)


def _rotated(town: Town, count: int) -> None:
    path, stop, taken = Path(town.site.settings.keys), threading.Event(), list[tuple[float, float]]()

    def orders() -> None:
        for n in range(1_000_000):
            if stop.is_set():
                return
            began = time.perf_counter()
            took_in(town, f"w{n}")
            taken.append((began, time.perf_counter() - began))

    thread = threading.Thread(target=orders)
    thread.start()
    time.sleep(_BEFORE)
    name = keyring.add(path)
    time.sleep(3)
    keyring.activate(path, name)
    time.sleep(3)
    ring, began = keyring.rings(town.site.settings).ring, time.perf_counter()
    done = rewrapping.rewrap_all(ring, town.database)
    ended = time.perf_counter()
    stop.set()
    thread.join()
    before = [spent for at, spent in taken if at < began]
    during = [spent for at, spent in taken if began <= at < ended]
    _say(
        f"重新封存 {done.rows} 件，{done.seconds:.0f} 秒，每秒 {done.rows / done.seconds:.0f} 件；打不开 {len(done.broken)}"
    )
    _say(
        f"收件的中位用时，换钥期间是此前的 {median(during) / median(before):.1f} 倍，最慢 {max(during):.2f} 秒；期间收件 {len(during)} 件"
    )
    left = town.scalar("SELECT count(*) FROM complainant WHERE key_id <> %(active)s", active=ring.active)
    _say(f"还在旧密钥之下的 {left} 件（共 {count + 1 + len(taken)} 件）")


def took_in(town: Town, external_id: str) -> None:
    """Take in one order."""
    form = IntakeForm.model_validate(order(external_id))
    town.run(lambda session: collect.collect(town.site.loop, session, form, town.actors["hotline"]))


def _say(words: str) -> None:
    sys.stdout.write(f"{words}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))

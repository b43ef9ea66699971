"""Sets down, outside of the database, how every ledger and the register stand (锚): what is removed or rewritten later shows.

A line of the file is one anchor: the heads of what changed since the one before, sealed with a key of the chain.
"""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from wuye_loop.domain.errors import BadInput
from wuye_loop.domain.grievance.ledger import Chain
from wuye_loop.domain.time.timestamps import as_text
from wuye_loop.loop.engine import Loop
from wuye_loop.store import anchoring, registry
from wuye_loop.store.anchoring import Last
from wuye_loop.store.database import Database


@dataclass(frozen=True, slots=True)
class Anchor:
    """One anchor: the seq and head of each ledger by its grievance's number, and the row and head of the register."""

    n: int
    at: str
    before: str
    heads: Mapping[str, tuple[int, str]]
    register: tuple[int, str]
    hash: str

    def stated(self) -> bytes:
        """Return the bytes that the digest is made over."""
        row = {"n": self.n, "at": self.at, "before": self.before, "heads": self.heads, "register": self.register}
        return b"anchor" + orjson.dumps(row, option=orjson.OPT_SORT_KEYS)


def anchor(loop: Loop, database: Database, file: Path) -> Anchor | None:
    """Make an anchor of what changed since the last one; None where nothing did, or another process is at it.

    The line is on the disk before the database knows of it: an anchor that only the file has is none too few.
    """
    chain = loop.chain
    with database.begin() as session:
        if not anchoring.turn(session):
            return None
        last, upto = anchoring.last(session), anchoring.upto(session)
        # A copy restored on another server counts its transactions anew.
        since = last.upto if last is not None and last.upto <= upto else 0
        heads = {number: (seq, head.hex()) for number, seq, head in anchoring.changed(session, since)}
        register = registry.newest(session)
        rows = register.n if register is not None else 0
        if not heads and last is not None and rows == last.register:
            return None
        made = Anchor(
            (last.n if last is not None else 0) + 1, as_text(loop.clock.now()), last.hash.hex() if last else "",
            heads, (register.n, chain.follows(register.hash).hex()) if register is not None else (0, ""), "",
        )  # fmt: skip
        digest = chain.keys.mac(made.stated())
        made = Anchor(made.n, made.at, made.before, made.heads, made.register, digest.hex())
        _append(file, made)
        anchoring.add(session, Last(made.n, upto, digest, rows), loop.clock.now(), len(heads))
    return made


def _append(file: Path, made: Anchor) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    row = {
        "n": made.n, "at": made.at, "before": made.before, "heads": made.heads, "register": made.register,
        "hash": made.hash,
    }  # fmt: skip
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        os.write(descriptor, orjson.dumps(row) + b"\n")
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def read(file: Path, chain: Chain) -> Iterator[Anchor]:
    """Yield the anchors of a file, in its order. Raises BadInput, with the line, for one that was not made by this chain."""
    with file.open("rb") as lines:
        for place, line in enumerate(lines, 1):
            found = _read(line)
            if found is None or not chain.keys.made(found.stated(), bytes.fromhex(found.hash)):
                raise BadInput(f"锚文件 {file} 第 {place} 行被改动或已损坏")
            yield found


def _read(line: bytes) -> Anchor | None:
    try:
        row: dict[str, Any] = orjson.loads(line)
        heads = {number: (int(seq), str(head)) for number, (seq, head) in row["heads"].items()}
        n, head = row["register"]
        bytes.fromhex(row["hash"])
        return Anchor(row["n"], row["at"], row["before"], heads, (n, head), row["hash"])
    except (ValueError, KeyError, TypeError, AttributeError):
        return None

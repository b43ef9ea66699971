"""How one verification goes: with what it began, and where what it looks at is cut into pieces."""

from collections.abc import Container, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import pairwise
from typing import Any, Final, NamedTuple, Self
from uuid import UUID

from sqlalchemy.orm import Session

from wuye_loop import __version__
from wuye_loop.domain.time.timestamps import as_text, from_text
from wuye_loop.store import anchoring, registry
from wuye_loop.store.database import Database
from wuye_loop.store.reads import audit
from wuye_loop.store.reads.recorded import Share

#: How long after it began a verification may be taken up: less than a day, so that a nightly one takes up none of the night
#: before, whose mark somebody may have put back.
BOUND: Final = timedelta(hours=20)
_FORMAT = 1
_FILES = 500  # of a piece: what is in them is read


class What(StrEnum):
    """What a piece is of."""

    GRIEVANCES = "grievances"
    FILES = "files"
    AGAIN = "again"


class Piece(NamedTuple):
    """A part of what is looked at: which ids, and, of those that are looked at again, from which transaction on written."""

    what: What
    share: Share
    written: int | None = None


@dataclass(frozen=True, slots=True)
class Course:
    """One verification: when it began, by which program, on which database, and as the register stood.

    `written`: every transaction before this one had ended when it began. `grievances` and `files` are the ids at which
    pieces begin, but for the first, and last the id past all that there were.
    """

    begun: str
    program: str
    database: str
    since: str | None
    written: int
    register: tuple[int, str]
    grievances: tuple[str, ...]
    files: tuple[str, ...]

    @classmethod
    def of(cls, session: Session, program: str, now: datetime, since: datetime | None, size: int) -> Self:
        """Return the course of a verification that begins now, in pieces of so many grievances."""
        newest = registry.newest(session)
        return cls(
            as_text(now), program, audit.whose(session), as_text(since) if since else None, anchoring.upto(session),
            (newest.n, newest.hash.hex()) if newest is not None else (0, ""),
            tuple(map(str, audit.cuts(session, "grievance", size))), tuple(map(str, audit.cuts(session, "attachment", _FILES))),
        )  # fmt: skip

    @classmethod
    def from_json(cls, said: Mapping[str, Any]) -> Self:
        """Read what `as_json` wrote. Raises ValueError, KeyError or TypeError for what it did not."""
        if said["format"] != _FORMAT:
            raise ValueError("another format")
        n, head = said["register"]
        lists = {name: tuple(said[name]) for name in ("grievances", "files")}
        return cls(**{**{key: said[key] for key in said if key != "format"}, **lists, "register": (n, head)})

    def as_json(self) -> dict[str, Any]:
        """Return it as plain data."""
        return {"format": _FORMAT, **asdict(self)}

    def pieces(self) -> list[Piece]:
        """Return what is looked at of what there was when it began, in order: a piece is known by its place here."""
        return [
            Piece(what, Share(*ends))
            for what, cuts in ((What.GRIEVANCES, self.grievances), (What.FILES, self.files))
            for ends in pairwise((None, *map(UUID, cuts)))
        ]

    def rest(self) -> list[Piece]:
        """Return what is looked at of what has come in since."""
        return [
            Piece(What.GRIEVANCES, Share(UUID(self.grievances[-1]), None)),
            Piece(What.FILES, Share(UUID(self.files[-1]), None)),
        ]

    def stale(self, session: Session, program: str, now: datetime) -> str | None:
        """Say why this verification cannot be taken up on this database now; None where it can."""
        begun = from_text(self.begun)
        if self.program != program:
            return f"那次用的是另一版程序（{self.program}）"
        if not begun <= now <= begun + BOUND:
            return f"那次核对不是最近 {BOUND // timedelta(hours=1)} 小时之内开始的"
        if self.database != audit.whose(session) or self.written > anchoring.upto(session):
            return "那次核对的是另一个数据库"
        n, head = self.register
        note = registry.row(session, n) if n else None
        if n and (note is None or note.hash.hex() != head):
            return f"登记簿第 {n} 行与那次开始时不同：数据库换过，或登记簿被改过"
        return None


def program_of(database: Database) -> str:
    """Return which program this is: its version, and that of the tables it knows."""
    return f"{__version__}/{database.head_revision()}"


def spans(pieces: Sequence[Piece], done: Container[int]) -> list[tuple[Share, list[int]]]:
    """Return the parts of the grievances that lie in pieces that are done, with the places of these; neighbours are one."""
    found: list[tuple[Share, list[int]]] = []
    for n, piece in enumerate(pieces):
        if n not in done or piece.what is not What.GRIEVANCES:
            continue
        if found and found[-1][0].beyond == piece.share.first:
            share, places = found.pop()
            found.append((Share(share.first, piece.share.beyond), [*places, n]))
        else:
            found.append((piece.share, [n]))
    return found

"""How far a verification has come, set down in a file outside of the database, so that it can be taken up where it stopped.

The first line says what it began with, each other what one piece came to. Each is sealed with a key of the chain, over the
line before: who can write to the database, or makes up a file, makes no verification pass over anything. Who keeps a mark and
puts it back is told of by when it began, and has less than a day.
"""

import fcntl
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from time import monotonic
from typing import Any, BinaryIO, Final

import orjson

from wuye_loop.domain.errors import BadInput
from wuye_loop.domain.grievance.ledger import Chain
from wuye_loop.queries.verification.course import Course
from wuye_loop.queries.verification.report import Report

#: Its name in the data folder.
NAME: Final = "verify.mark"
_SEALED = b"wuye-loop/verify"
_SYNC_SECONDS = 5.0  # what a power cut may cost; a process that dies loses nothing that was written


class Mark:
    """The mark of a verification: its course, and the reports of the pieces that are done, by their places.

    A file that cannot be written stops no verification: `lost` then says why it cannot be taken up.
    """

    def __init__(self, file: Path, chain: Chain) -> None:
        self.file, self._chain = file, chain
        self.course: Course | None = None
        self.done: dict[int, Report] = {}
        self.taken_up = False
        self.lost: OSError | None = None
        self._head = b""
        self._open: BinaryIO | None = None
        self._synced = 0.0

    @contextmanager
    def turn(self) -> Iterator[bool]:
        """Hold the only right to write the mark; False where another verification has it."""
        descriptor: int | None = None
        ours = True
        try:
            self.file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            descriptor = os.open(self.file.with_name(self.file.name + ".lock"), os.O_WRONLY | os.O_CREAT, 0o600)
            fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)  # no child inherits it when it is forked, as flock's
        except BlockingIOError:
            ours = False
        except OSError as error:
            self.lost = error
        try:
            yield ours
        finally:
            self._close()
            if descriptor is not None:
                os.close(descriptor)

    def take_up(self) -> bool:
        """Read what is done; False where nothing is to be taken up. Raises BadInput, in words, for what nobody here wrote.

        A line that breaks off is of a piece that was not done.
        """
        self.leave()
        try:
            return self._read()
        except BadInput:
            self.leave()
            raise

    def leave(self) -> None:
        """Take up nothing after all; what is kept stays until the first piece of another is done."""
        self._close()
        self.course, self.done, self.taken_up, self._head = None, {}, False, b""

    def begin(self, course: Course) -> None:
        """Note what a verification begins with; what is kept of another stays until the first piece is done."""
        self.leave()
        self.course = course

    def keep(self, piece: int, report: Report) -> None:
        """Set down what a piece came to."""
        if self.lost is None and self._open is None and self.course is not None:
            self._synced = monotonic()
            with self._writing():
                descriptor = os.open(self.file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
                self._open = os.fdopen(descriptor, "wb")
            self._add({"course": self.course.as_json()})
        self.done[piece] = report
        self._add({"piece": piece, "report": report.as_json()})

    def remove(self) -> None:
        """Forget it: the verification is over."""
        self._close()
        with self._writing():
            self.file.unlink(missing_ok=True)

    def _read(self) -> bool:
        try:
            lines = self.file.read_bytes().split(b"\n")[:-1]
        except FileNotFoundError:
            return False
        except OSError as error:
            self.lost = error
            return False
        kept = 0
        for place, line in enumerate(lines, 1):
            said, sealed = _line(line)
            if said is None or not self._chain.keys.made(self._stated(said), sealed):
                raise BadInput(f"进度文件 {self.file} 第 {place} 行被改动或已损坏")
            self._take(said, place)
            self._head = sealed
            kept += len(line) + 1
        if self.course is None:
            return False
        self.taken_up = True
        if self.lost is not None:
            return True  # nobody says that no other writes to it
        with self._writing():
            self._open = self.file.open("r+b")
            self._open.truncate(kept)
            self._open.seek(kept)
        return True

    def _take(self, said: Mapping[str, Any], place: int) -> None:
        try:
            if place == 1:
                self.course = Course.from_json(said["course"])
            else:
                self.done[said["piece"]] = Report.from_json(said["report"])
        except (KeyError, TypeError, ValueError):
            raise BadInput(f"进度文件 {self.file} 第 {place} 行不是这一版程序写的") from None

    def _add(self, said: Mapping[str, Any]) -> None:
        if self._open is None:
            return
        sealed = self._chain.keys.mac(self._stated(said))
        with self._writing():
            self._open.write(orjson.dumps({"said": said, "hash": sealed.hex()}) + b"\n")
            self._open.flush()
            if monotonic() - self._synced > _SYNC_SECONDS:
                os.fsync(self._open.fileno())
                self._synced = monotonic()
        self._head = sealed

    def _stated(self, said: Mapping[str, Any]) -> bytes:
        return _SEALED + self._head + orjson.dumps(said, option=orjson.OPT_SORT_KEYS)

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            self.lost, self._open = error, None

    def _close(self) -> None:
        if self._open is not None:
            with self._writing():
                self._open.close()
        self._open = None


def _line(text: bytes) -> tuple[dict[str, Any] | None, bytes]:
    try:
        row = orjson.loads(text)
        said: dict[str, Any] = row["said"]
        return dict(said), bytes.fromhex(row["hash"])
    except (ValueError, KeyError, TypeError, AttributeError):
        return None, b""

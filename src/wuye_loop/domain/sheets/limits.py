"""How much of a sheet is read: a file of half a megabyte may unpack into a gigabyte."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

MIB: Final = 1024 * 1024


class BadSheet(ValueError):
    """A file that cannot be read as a sheet; the message says why, in words, with the place."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """What is read at most: bytes unpacked (and how many times the packed), shared texts, rows, columns, cells, seconds."""

    unpacked: int = 1024 * MIB
    times: int = 100
    always: int = 64 * MIB  # so much may any file unpack to, however small it is packed
    shared: int = 64 * MIB
    rows: int = 1_048_576
    columns: int = 512
    cells: int = 50_000_000
    cell: int = 100_000  # characters
    record: int = 1_000_000  # characters between two quotes that may yet be closed
    seconds: float = 900.0


class Meter:
    """Counts what one reading has taken, and ends it in words at its bounds; `tick` gives seconds."""

    def __init__(self, bounds: Bounds, tick: Callable[[], float]) -> None:
        self.bounds = bounds
        self._tick = tick
        self._began = tick()
        self._rows = self._cells = 0

    def row(self, cells: int) -> None:
        """Count a row of so many cells."""
        self._rows += 1
        self._cells += cells
        if self._rows > self.bounds.rows:
            raise BadSheet(f"超过 {self.bounds.rows} 行，请分成几个文件")
        if self._cells > self.bounds.cells:
            raise BadSheet(f"超过 {self.bounds.cells} 格，请分成几个文件")
        if not self._rows % 512:
            self.time()

    def time(self) -> None:
        """Look at how long the reading has taken."""
        if self._tick() - self._began > self.bounds.seconds:
            raise BadSheet(f"读了 {self.bounds.seconds:g} 秒还没有读完，请分成几个文件")

    def unpacked(self, size: int, packed: int) -> None:
        """See to the size that something unpacks to."""
        most = min(self.bounds.unpacked, max(self.bounds.always, self.bounds.times * packed))
        if size > most:
            raise BadSheet(f"解开后超过 {most // MIB} MiB，是压缩前的许多倍，不像是表格；请分成几个文件")

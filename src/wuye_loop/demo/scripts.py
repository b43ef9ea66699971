"""What can be played: our own complaints, or those of a file."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from pathlib import Path
from typing import Final

from wuye_loop.demo import reading
from wuye_loop.demo.chance import Chance
from wuye_loop.demo.district import district
from wuye_loop.demo.invented.complaints import ZONE, Complaint, made_up
from wuye_loop.demo.reading import NotComplaints
from wuye_loop.domain.sheets.refused import RefusedRow

#: A Sunday on which offices work, to make up for 国庆. The thirty days from here hold 中秋, 国庆 and a Saturday's work.
FIRST_DAY: Final = date(2026, 9, 20)
SEED: Final = 20_260_914
_COMPLAINTS, _USUAL_DAYS = 300, 30
_ARRIVING = 2 / 3  # of the days: within these the complaints of a file come


@dataclass(frozen=True, slots=True)
class Script:
    """What is played: the complaints in the order of their arrival, how many days, and whether it goes on to the end."""

    complaints: Sequence[Complaint]
    days: int
    to_the_end: bool = False


def our_own(days: int, number: int | None = None) -> Script:
    """Return so many made-up complaints over these days: ten a day unless it is said otherwise."""
    wanted = round(_COMPLAINTS * days / _USUAL_DAYS) if number is None else number
    return Script(made_up(Chance(SEED), wanted, FIRST_DAY, days, district()["estates"]), days)


def of_file(path: Path, days: int) -> tuple[Script, tuple[str, ...], list[RefusedRow]]:
    """Return the complaints of a file, all to be played to their end, its header, and the rows that cannot be.

    Raises NotComplaints, in words, for a file that holds none.
    """
    rows, bad, header = reading.read(path)
    if not rows:
        raise NotComplaints(f"{path} 里没有一行可用的诉求")
    begins = datetime.combine(FIRST_DAY, time(8), ZONE)
    arriving = max(1, round(days * _ARRIVING))
    complaints = reading.as_complaints(rows, Chance(SEED), begins, arriving, district()["estates"])
    return Script(complaints, days, to_the_end=True), header, bad

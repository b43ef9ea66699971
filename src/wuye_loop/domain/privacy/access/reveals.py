"""How often somebody may look at who complained, when that is alarming, and what counts as a reason."""

from dataclasses import dataclass
from datetime import timedelta

LEAST_REASON = 10  # characters


@dataclass(frozen=True, slots=True)
class RevealBounds:
    """So many a person and day; so many within a while raise the alarm; `reasons` may be given as they stand."""

    per_day: int = 50
    alarm: int = 10
    window: timedelta = timedelta(minutes=10)
    reasons: tuple[str, ...] = ()


def reason_problem(reason: str, reasons: tuple[str, ...]) -> str | None:
    """Return in words what is wrong with a reason: neither on the list nor ten characters of something."""
    if reason in reasons:
        return None
    said = "".join(reason.split())
    if len(said) < LEAST_REASON or len(set(filter(str.isalnum, said))) < 2:  # noqa: PLR2004 one sign over and over says nothing
        listed = f"，或照写：{'、'.join(reasons)}" if reasons else ""
        return f"理由至少写 {LEAST_REASON} 个字{listed}"
    return None

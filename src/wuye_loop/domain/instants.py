"""How an instant is written: RFC 3339, UTC, always six decimals, so that equal instants are equal bytes."""

from datetime import UTC, datetime


def as_text(at: datetime) -> str:
    """Return `2026-11-21T01:02:03.000004Z` for an aware instant."""
    return (
        at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f") + "Z"
        if at.tzinfo is not UTC
        else (at.isoformat(timespec="microseconds")[:-6] + "Z")
    )


def from_text(text: str) -> datetime:
    """Read what as_text wrote, and any RFC 3339 instant with an offset.

    Raises ValueError for a text without an offset.
    """
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        msg = "时间要带时区"
        raise ValueError(msg)
    return at.astimezone(UTC)

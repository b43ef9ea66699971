"""What could not be carried out is tried again later, and never put off for longer than it may be, whatever stands there."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, or_


def ready(retry_at: Any, now: datetime, longest: timedelta) -> ColumnElement[bool]:
    """Return the condition under which a row is not put off any more."""
    return or_(retry_at.is_(None), retry_at <= now, retry_at > now + longest)

"""One damaged record never blinds a list: it is shown as damaged, as far as it can be told, and the rest goes on."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

import structlog
from sqlalchemy.exc import SQLAlchemyError

from wuye_loop import metrics
from wuye_loop.domain.errors import WuyeError
from wuye_loop.domain.time.timestamps import as_text

_log = structlog.get_logger("wuye_loop.damage")
T = TypeVar("T")


def shown(
    where: str, view: Callable[[T], dict[str, Any]], keys: str, names: Mapping[str, str] | None = None
) -> Callable[[T], dict[str, Any]]:
    """Return a view that never fails on what a record holds: a damaged one comes as `keys` with `damaged` true.

    `keys` are those of the view, apart by spaces; what the row calls otherwise is in `names`, by key. `where` is a label of
    the metric. What the database itself refuses is passed on.
    """

    def one(row: T) -> dict[str, Any]:
        try:
            return view(row)
        except SQLAlchemyError:
            raise
        except Exception as error:  # noqa: BLE001 whatever somebody wrote there, the list goes on
            note(where, error)
            called = names or {}
            return {key: _plain(getattr(row, called.get(key, key), None)) for key in keys.split()} | {"damaged": True}

    return one


def note(where: str, error: Exception) -> None:
    """Count a damaged record and leave a line in the log; what it holds is not repeated."""
    metrics.damaged_records_total.labels(where).inc()
    _log.error("record_damaged", where=where, exc_info=None if isinstance(error, WuyeError) else error)


def _plain(value: object) -> object:
    """Return what JSON carries of a value that is shown though something beside it is damaged."""
    try:
        return (
            as_text(value) if isinstance(value, datetime) else str(value) if isinstance(value, UUID) else _scalar(value)
        )
    except (ValueError, OverflowError):
        return None


def _scalar(value: object) -> object:
    return value if isinstance(value, str | int | float | bool) else None

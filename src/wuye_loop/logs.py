"""One JSON object per line, in UTC. The last net under identity: what looks like it is struck out of every value."""

import logging
import sys
from collections.abc import Mapping
from typing import Any, TextIO

import orjson
import re2
import structlog
from structlog.typing import EventDict, WrappedLogger

STRUCK = "***"

# Narrower than domain/privacy/striking: ids and instants, which logs are full of, must stay legible.
_NEVER_LOGGED = re2.compile(
    r"wyl_[a-z]+_[A-Za-z0-9_\-]+"  # API keys, whole or cut
    r"|[A-Za-z0-9._%+\-]{1,64}@[A-Za-z0-9\-]+(?:\.[A-Za-z0-9\-]+)+"
    r"|\b\d{6}(?:19|20)\d{9}[\dXx]\b"
    r"|\b(?:\+?86[ \-]?)?1[3-9]\d{9}\b"
    r"|\b1[3-9]\d[ \-]\d{4}[ \-]\d{4}\b"
    r"|\b0\d{2,3}-\d{7,8}\b"
    r"|\b\d{16,19}\b"
)
# The file of a workflow looks like an address, and nobody has one that ends so.
_RULES_FILE = re2.compile(r"[a-z][a-z0-9-]{1,39}@[1-9][0-9]{0,3}\.ya?ml")
_MOBILES = range(13_000_000_000, 20_000_000_000)
_MAX_FRAMES = 12
_INT64 = 2**63  # what the JSON writer takes


def configure(level: str = "INFO", stream: TextIO | None = None) -> None:
    """Send structlog and the standard library's loggers to one stream (default: standard error) as JSON lines."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        fold_exception,
        strike_identity,
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            structlog.stdlib.PositionalArgumentsFormatter(),
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared, processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, _to_line]
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    # uvicorn's own access line shows paths and query strings; ours (edge.requests) shows the route's template.
    access = logging.getLogger("uvicorn.access")
    access.handlers.clear()
    access.propagate = False
    # These name every address they call, with its query.
    for name in ("httpx", "httpcore"):
        logging.getLogger(name).setLevel(logging.WARNING)
    for name in ("uvicorn", "uvicorn.error"):
        logging.getLogger(name).handlers.clear()
        logging.getLogger(name).propagate = True


def strike_identity(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Structlog processor: put *** for phones, id cards, cards, e-mails and API keys in every value, however deep."""
    return {key: value if key.startswith("_") else _struck(value) for key, value in event.items()}


def fold_exception(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Structlog processor: keep an exception's type and frames, never its words.

    A database error's message holds the row, a parser's the input.
    """
    error = _exception(event.pop("exc_info", None))
    if error is None:
        return event
    chain: list[str] = []
    while error is not None and len(chain) < _MAX_FRAMES:
        chain.append(f"{type(error).__module__}.{type(error).__qualname__}")
        trace = error.__traceback__
        frames = []
        while trace is not None:
            code = trace.tb_frame.f_code
            frames.append(f"{code.co_filename}:{trace.tb_lineno} {code.co_qualname}")
            trace = trace.tb_next
        event.setdefault("frames", frames[-_MAX_FRAMES:])
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    event["exception"] = chain
    return event


def _exception(info: object) -> BaseException | None:
    if isinstance(info, BaseException):
        return info
    if isinstance(info, tuple):
        return info[1] if isinstance(info[1], BaseException) else None
    return sys.exc_info()[1] if info else None


def _struck(value: Any) -> Any:
    match value:
        case str():
            # re2 reads UTF-8; a lone surrogate becomes a question mark.
            return _NEVER_LOGGED.sub(_stand_in, value.encode("utf-8", "replace").decode())
        case bool() | float() | None:
            return value
        case int():
            return STRUCK if value in _MOBILES else value if -_INT64 <= value < _INT64 else str(value)
        case Mapping():
            return {str(_struck(key)): _struck(one) for key, one in value.items()}
        case list() | tuple() | set() | frozenset():
            return [_struck(one) for one in value]
        case _:
            return _struck(str(value))


def _stand_in(found: Any) -> str:
    return str(found[0]) if _RULES_FILE.fullmatch(found[0]) else STRUCK


def _to_line(_logger: WrappedLogger, _method: str, event: EventDict) -> str:
    return orjson.dumps(event, default=str, option=orjson.OPT_NON_STR_KEYS).decode()

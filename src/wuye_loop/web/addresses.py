"""Addresses: which are our own, and those of lists, the same question with another page or another answer to a filter."""

import re
from typing import Final
from urllib.parse import quote, urlencode

from fastapi import Request

_PLAIN: Final = re.compile(r"(?:/[\w.~-]+)+", re.ASCII)
_LONGEST_TOKEN: Final = 64
LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})


def path_of(request: Request) -> str:
    """Return the path that was asked for, as in the request's address; a plain one is not taken apart for it."""
    path: str = request.scope["path"]
    return path if _PLAIN.fullmatch(path) else request.url.path


def inside(to: str) -> str:
    """Return a way on within our own pages, whatever was asked for."""
    return to if to.startswith("/") and not to.startswith(("//", "/\\")) and to.isprintable() else "/"


def taken(once: str) -> str:
    """Return what names a form that was taken in the address of its answer: the browser then drops what it kept of it."""
    return f"&once={quote(once[:_LONGEST_TOKEN])}" if once else ""


def next_page(request: Request, cursor: str | None) -> str | None:
    """Return the address of the next page of the list that was asked for; None where it ends."""
    return asked(request, cursor=cursor) if cursor is not None else None


def asked(request: Request, **changes: str | None) -> str:
    """Return the address of the present list with some answers changed; None leaves one out, and pages begin anew."""
    kept = {name: value for name, value in request.query_params.items() if name != "cursor" and value}
    kept |= {name: value for name, value in changes.items() if value is not None}
    for name, value in changes.items():
        if value is None:
            kept.pop(name, None)
    return f"{request.url.path}?{urlencode(kept)}" if kept else request.url.path


def as_code(address: str, *, error: str, scale: int, border: int) -> str:
    """Return an address as a code (二维码) to be photographed, as a data URI; `error`: how much of it may be covered."""
    import segno  # noqa: PLC0415 when the first code is drawn

    drawn: str = segno.make(address, error=error).svg_data_uri(scale=scale, border=border)
    return drawn

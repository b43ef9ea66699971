"""A short table as it is stored, as a file for a spreadsheet: every cell is text or a number, and no cell is a formula."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

import anyio.to_thread
from fastapi import Request, Response

from wuye_loop.web import language
from wuye_loop.web.addresses import asked
from wuye_loop.web.rows import Kind, sheet_of

MEDIA: Final = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


async def file_of(how: Kind, name: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> Response:
    """Return the file; `name` is that of the file, without an ending. A cell that is None is empty.

    Drawn in a thread of its own: thousands of rows would stop every other request.
    """
    columns = [language.say(column) for column in columns]
    body = await anyio.to_thread.run_sync(_drawn, how, columns, rows)
    return Response(body, headers=taken_away(name, how), media_type=MEDIA[how])


def taken_away(name: str, how: Kind) -> dict[str, str]:
    """Return the headers of an answer that is kept as a file, and nowhere else."""
    return {
        "Content-Disposition": f'attachment; filename="{name}.{how}"',
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
    }


def _drawn(how: Kind, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> bytes:
    sheet, kept = sheet_of(how), list(rows)
    return sheet.begin(columns, kept) + sheet.more(kept) + sheet.end()


def files(request: Request, path: str) -> list[tuple[str, str]]:
    """Return the files that the list of an address can be had as: name and address, with the filters that are asked."""
    query = asked(request).partition("?")[2]
    return [(how.upper(), f"{path}.{how}" + (f"?{query}" if query else "")) for how in ("csv", "xlsx")]

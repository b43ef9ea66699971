"""装入: a table of the directory or a notice of holidays, looked at first, then carried out by what the commands call.

Nothing is kept between the two: what was read of the file goes along in the page, and is checked anew when it comes back.
"""

from collections import Counter
from collections.abc import Mapping
from time import perf_counter
from typing import Annotated, Any, Final, Literal

import anyio.to_thread
from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy.orm import Session
from starlette.datastructures import FormData

from wuye_loop.domain.directory.changes import changes_of
from wuye_loop.domain.directory.document import BadDirectory, DirectoryDocument, EntryProblem, read_document
from wuye_loop.domain.directory.table import MOST_ROWS, SECTIONS, Column, DirectoryTable, read_table, rows_of
from wuye_loop.domain.errors import BadInput
from wuye_loop.domain.sheets.limits import BadSheet
from wuye_loop.edge.transact import read
from wuye_loop.store.directory.load import Counts, load_directory
from wuye_loop.store.directory.read import open_work, read_entries
from wuye_loop.store.keys import accounts
from wuye_loop.web import sheets
from wuye_loop.web.carrying import packed, unpacked, version_of
from wuye_loop.web.fields import text_of, uploads
from wuye_loop.web.language import present
from wuye_loop.web.rendering import page
from wuye_loop.web.routes import PageRoute
from wuye_loop.web.rows import Kind
from wuye_loop.web.visitors import Loader, Visit

router = APIRouter(route_class=PageRoute, include_in_schema=False)
SectionName = Literal["areas", "units", "estates", "people"]
_SHOWN: Final = 200  # rows of each list
_WORDS: Final = {"added": "新增", "changed": "改动", "ended": "停用", "resumed": "恢复"}


class _Rehearsed(Exception):
    """Ends a transaction in which everything went well, so that nothing of it stays."""

    def __init__(self, counts: Counts) -> None:
        super().__init__()
        self.counts = counts


@router.get("/admin/directory/import")
async def start(here: Loader, what: Annotated[SectionName, Query()] = "units") -> Response:
    """Show the form that a table is sent with."""
    return page("staff/loading.html", _context(here, what))


def _head(column: Column) -> str:
    """Return the head of a column, as a table that is sent may have it: a translation of its title could not be read again."""
    return column.key if present().english else column.title


def _context(here: Visit, what: str, **more: Any) -> dict[str, Any]:
    empty: dict[str, Any] = {
        "what": what, "section": SECTIONS[what], "sections": SECTIONS, "head": _head, "words": None, "problems": None, "tried": None,
        "notes": (), "most": _SHOWN, "rows": MOST_ROWS,
    }  # fmt: skip
    return here.frame("admin") | empty | more


@router.get("/admin/directory/{what}.{how}")
async def file(here: Loader, what: SectionName, how: Kind) -> Response:
    """Give what is stored of one kind as a table that can be changed and sent again."""
    _, stored = await read(here.site, read_entries)
    columns = [_head(column) for column in SECTIONS[what].columns]
    return await sheets.file_of(how, what, columns, rows_of(what, getattr(stored, what), keys=present().english))


@router.post("/admin/directory/import")
async def look(request: Request, here: Loader) -> Response:
    """Read a table, and show what is wrong with it or what loading it would change; nothing is kept."""
    form = await request.form()
    what = _section(form)
    sent = uploads("file", form)
    if len(sent) != 1:
        return page("staff/loading.html", _context(here, what, words="请选一个文件，只选一个"), 422)
    content, name = await sent[0].read(), sent[0].filename or ""
    try:
        table = await anyio.to_thread.run_sync(read_table, what, content, name, perf_counter)
    except BadSheet as error:
        return page("staff/loading.html", _context(here, what, words=error.args[0], file=name), 422)
    try:
        tried = await anyio.to_thread.run_sync(_tried, here, what, table)
    except BadDirectory as error:
        wrong = _told(what, error, table)
        return page("staff/loading.html", _context(here, what, problems=wrong, notes=table.notes, file=name), 422)
    return page("staff/loading.html", _context(here, what, tried=tried, notes=table.notes, file=name))


def _section(form: FormData) -> str:
    what = text_of(form, "what")
    if what not in SECTIONS:
        raise BadInput("没有说是哪一种表")
    return what


def _tried(here: Visit, what: str, table: DirectoryTable) -> dict[str, Any]:
    """Load a table in a transaction that is rolled back; return what it would change. Raises BadDirectory."""
    document = _document(what, table)
    database = here.site.database
    with database.read() as session:
        version, stored = read_entries(session)
        changes = changes_of(stored, document)
        touched = [one for one in changes if one.what != "added"]
        work = open_work(
            session,
            [one.key for one in touched if one.section == "units"],
            [one.key for one in touched if one.section == "estates"],
        )
    counts = _rehearsed(here, document, version)
    return {
        "n": Counter(_WORDS[one.what] for one in changes),
        "same": getattr(counts, what).same,
        "changes": [(_WORDS[one.what], one, work.get((one.section, one.key), 0)) for one in changes[:_SHOWN]],
        "total": len(changes),
        "followed": counts.grievances,
        "packed": packed({what: table.entries}),
        "version": version,
    }


def _document(what: str, table: DirectoryTable) -> DirectoryDocument:
    """Return a table as a document. Raises BadDirectory with every row's faults: a cell's own before what lacks for it."""
    bad = {problem.place for problem in table.problems}
    try:
        document = read_document({what: table.entries})
    except BadDirectory as error:
        more = [one for one in error.problems if not (isinstance(one, EntryProblem) and one.place in bad)]
        raise BadDirectory([*table.problems, *more]) from None
    if table.problems:
        raise BadDirectory(table.problems)
    return document


def _rehearsed(here: Visit, document: DirectoryDocument, version: int) -> Counts:
    def work(session: Session) -> None:
        raise _Rehearsed(load_directory(session, document, version))

    try:
        here.site.database.write(work)
    except _Rehearsed as done:
        return done.counts
    raise AssertionError  # the work above raises


def _told(what: str, error: BadDirectory, table: DirectoryTable) -> list[dict[str, Any]]:
    """Return what is wrong, each with the line of the file, in its order; keys of entries are told as columns."""
    rows = []
    for problem in error.problems:
        line = table.lines[problem.place] if isinstance(problem, EntryProblem) else None
        said = problem.said if isinstance(problem, EntryProblem) else str(problem)
        key, space, rest = said.partition(" ")
        titled = SECTIONS[what].title_of(key)
        if isinstance(problem, EntryProblem) and problem.first is not None:
            said = f"{said}，第 {table.lines[problem.first]} 行已经写过"
        entry = table.entries[problem.place] if isinstance(problem, EntryProblem) else {}
        rows.append(
            {
                "line": line,
                "code": str(entry.get("code") or entry.get("unit") or "")[:40],
                "name": str(entry.get("name") or "")[:40],
                "column": titled if space and titled != key else "",
                "said": rest if space and titled != key else said,
            }
        )
    once = {tuple(row.values()): row for row in rows}  # two wrong words in one cell are one fault
    return sorted(once.values(), key=lambda row: row["line"] or 0)


@router.post("/admin/directory/import/load")
async def load(request: Request, here: Loader) -> Response:
    """Load what was looked at, by the function that the command calls; the register names who did.

    Raises Stale where the directory has changed meanwhile, BadInput for what was not read by `look`.
    """
    form = await request.form()
    what, version, document = _section(form), version_of(form), unpacked(form)
    try:
        counts = await anyio.to_thread.run_sync(_loaded, here, document, version)
    except BadDirectory as error:
        words = f"没有装入：{error.problems[0]}"
        return page("staff/loading.html", _context(here, what, words=words), 422)
    done = getattr(counts, what)
    return RedirectResponse(f"/admin/directory?loaded={what}&added={done.added}&changed={done.changed}", 303)


def _loaded(here: Visit, document: Mapping[str, Any], version: int) -> Counts:
    site = here.site
    with site.database.begin() as session:
        counts = load_directory(session, document, version)
        by = here.person.account
        accounts.note(session, by.id, "directory loaded", by.login, here.times.now, site.loop.ids)
        return counts

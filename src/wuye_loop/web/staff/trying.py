"""试一版规则: a draft is checked, compared in words with a published version, and the last weeks are played again under it.

Nothing is kept and nothing is published: that takes the command line, and whoever reviews what goes there.
"""

from datetime import timedelta
from functools import partial
from threading import Lock
from typing import Annotated, Any, Final

import anyio.to_thread
from fastapi import APIRouter, Query, Request, Response
from sqlalchemy.orm import Session

from wuye_loop.domain.errors import BadInput, Conflict, WuyeError
from wuye_loop.domain.terms import ActorKind
from wuye_loop.edge.transact import read
from wuye_loop.queries import workflows
from wuye_loop.store.reads import recorded
from wuye_loop.web.fields import text_of
from wuye_loop.web.language import say
from wuye_loop.web.rendering import page
from wuye_loop.web.routes import PageRoute
from wuye_loop.web.visitors import Visit, only

router = APIRouter(route_class=PageRoute, include_in_schema=False)
#: A replay reads what every unit did, whatever the reader's own area.
Admin = Annotated[Visit, only(ActorKind.ADMIN)]
_SHAPE: Final = r"^[a-z][a-z0-9-]{1,39}@[1-9][0-9]{0,3}$"
_DAYS: Final = {"7": 7, "30": 30, "90": 90}
_MOST: Final = 20_000  # grievances that one page plays again
_SHOWN: Final = 12  # groups of each kind
_NAME: Final = "草稿.yaml"
_HOUR, _DAY = 3600, 86_400
_turn = Lock()  # one replay at a time in a process: it takes a processor for itself


@router.get("/rules/try")
async def show(here: Admin, start: Annotated[str, Query(alias="from", pattern=_SHAPE, max_length=50)] = "") -> Response:
    """Show the form, with the text of a published version to begin from."""
    found = await read(here.site, partial(_texts, here, start or here.site.loop.default_workflow))
    return page("staff/trying.html", _context(here, found, draft=found["text"]))


def _context(here: Visit, found: dict[str, Any], **more: Any) -> dict[str, Any]:
    empty: dict[str, Any] = {
        "days": "30",
        "words": None,
        "findings": [],
        "groups": None,
        "n": 0,
        "tally": None,
        "kinds": [],
    }
    return here.frame("rules") | empty | found | more


def _texts(here: Visit, start: str, session: Session) -> dict[str, Any]:
    loop = here.site.loop
    one = workflows.definition(loop, session, start)
    return {
        "text": one["text"],
        "start": one["id"],
        "versions": [each["id"] for each in workflows.listed(loop, session)],
    }


@router.post("/rules/try")
async def attempt(request: Request, here: Admin) -> Response:
    """Check a draft, say what it changes, and play the last weeks again under it."""
    form = await request.form()
    draft, against = text_of(form, "draft").replace("\r\n", "\n"), text_of(form, "against")
    days = text_of(form, "days") if text_of(form, "days") in _DAYS else "30"
    found = await read(here.site, partial(_texts, here, against))
    kept = {"draft": draft, "days": days}
    try:
        tried = await anyio.to_thread.run_sync(partial(_tried, here, draft, found["text"], _DAYS[days]))
    except WuyeError as error:
        return page("staff/trying.html", _context(here, found, words=error.detail, **kept), error.status)
    return page("staff/trying.html", _context(here, found, **kept, **tried), 422 if tried["tally"] is None else 200)


def _tried(here: Visit, draft: str, published: str, days: int) -> dict[str, Any]:
    """Return findings, and, for a draft without errors, the changes in words and what was recorded under it.

    Raises BadInput for too much to play, Conflict while another replay runs.
    """
    from wuye_loop.authoring.checker.check import check, load  # noqa: PLC0415 tried by few; who is served does without
    from wuye_loop.authoring.diff.compare import differences, grouped  # noqa: PLC0415 the same
    from wuye_loop.trial.replay.compare import Kind  # noqa: PLC0415 the same
    from wuye_loop.trial.replay.run import replay  # noqa: PLC0415 the same

    workflow, findings = check(draft, _NAME)
    listed = [{"line": one.line, "words": one.message, "error": one.severity == "error"} for one in findings]
    if workflow is None:
        return {"findings": listed, "tally": None}
    since = here.times.now - timedelta(days=days)
    with here.site.database.read() as session:
        total, _, _ = recorded.summary(session, since)
    if total > _MOST:
        raise BadInput(f"近 {days} 天有 {total} 件，页面一次最多重放 {_MOST} 件：请选短一些，或用命令 wuye-loop replay")
    changes = differences(load(published, "现行.yaml"), workflow)
    if not _turn.acquire(blocking=False):
        raise Conflict("有一次重放正在进行，请等它做完再试")
    try:
        tally = replay(here.site.database, here.site.loop.keyring, draft, since=since)
    finally:
        _turn.release()
    return {
        "findings": listed,
        "groups": grouped(changes),
        "n": len({one.words for one in changes}),
        "tally": tally,
        "kinds": [
            {
                "title": kind.chinese,
                "n": tally.kinds[kind],
                "rows": [_row(what, how, group) for what, how, group in tally.ordered(kind)[:_SHOWN]],
            }
            for kind in Kind
        ],
    }


def _row(what: str, how: str, group: Any) -> dict[str, Any]:
    later = None
    if group.least is not None:
        mean = group.seconds / group.count
        later = say("晚平均 {span}" if mean > 0 else "早平均 {span}", span=_span(abs(mean)))
    return {
        "what": what,
        "how": how,
        "n": group.grievances,
        "later": later,
        "examples": [one[0] for one in group.examples[:2]],
    }


def _span(seconds: float) -> str:
    return say("{n} 天", n=f"{seconds / _DAY:.1f}") if seconds >= _DAY else say("{n} 小时", n=f"{seconds / _HOUR:.1f}")

"""试算一年: what a year under a version, a draft or other limits and people comes to, as `wuye-loop simulate` prints it.

It runs in a process of its own, one at a time, bounded in cases and seconds; nothing is read but the text of a version.
"""

import signal
import subprocess
import sys
from datetime import timedelta
from functools import partial
from threading import Lock
from typing import Annotated, Any, Final

import anyio.to_thread
import orjson
from fastapi import APIRouter, Query, Request, Response
from sqlalchemy.orm import Session
from starlette.datastructures import FormData

from wuye_loop.domain.errors import BadInput, Conflict, WuyeError
from wuye_loop.domain.terms import ActorKind
from wuye_loop.edge.transact import read
from wuye_loop.queries import workflows
from wuye_loop.store.reads import recorded
from wuye_loop.web import charts
from wuye_loop.web.fields import text_of
from wuye_loop.web.rendering import page
from wuye_loop.web.routes import PageRoute
from wuye_loop.web.visitors import Visit, only

router = APIRouter(route_class=PageRoute, include_in_schema=False)
Admin = Annotated[Visit, only(ActorKind.ADMIN)]
_SHAPE: Final = r"^[a-z][a-z0-9-]{1,39}@[1-9][0-9]{0,3}$"
_COMMAND: Final = (sys.executable, "-P", "-s", "-E", "-m", "wuye_loop.trial.simulation.aside")
_ENVIRONMENT: Final = {"LANG": "C.UTF-8"}  # and none of ours: it may hold a key
_REFUSED: Final = 3
_SECONDS: Final = 60.0  # by the wall, for 30 of a processor
_RECENT: Final = 30
_DAYS: Final = ("90", "180", "365")
_USUAL: Final = "180"
_MOST_A_DAY: Final = 20_000.0
_MOST_LINES: Final = 20
_SHOWN: Final = 30  # rows of a table, and notes
_WIDTH, _HEIGHT, _BAR = 358.0, 150.0, 190.0
_turn = Lock()


@router.get("/rules/simulate")
async def show(here: Admin, start: Annotated[str, Query(alias="from", pattern=_SHAPE, max_length=50)] = "") -> Response:
    """Show the form: a published version, as many a day as came of late."""
    found = await read(here.site, partial(_given, here, start or here.site.loop.default_workflow))
    return page("staff/simulating.html", _context(here, found))


@router.post("/rules/simulate")
async def attempt(request: Request, here: Admin) -> Response:
    """Simulate what the form says."""
    form = await request.form()
    found = await read(here.site, partial(_given, here, text_of(form, "against")))
    kept = _kept(form, found)
    try:
        question = _question(kept, found["text"])
        answer = await anyio.to_thread.run_sync(simulated, question)
    except WuyeError as error:
        return page("staff/simulating.html", _context(here, found | kept, words=error.detail), error.status)
    return page("staff/simulating.html", _context(here, found | kept, answer=_drawn(answer)))


def _context(here: Visit, found: dict[str, Any], **more: Any) -> dict[str, Any]:
    empty: dict[str, Any] = {"words": None, "answer": None, "draft": "", "days": _USUAL, "limits": "", "people": ""}
    return here.frame("rules") | empty | {"choices": _DAYS, "shown": _SHOWN} | found | more


def _given(here: Visit, start: str, session: Session) -> dict[str, Any]:
    loop = here.site.loop
    one = workflows.definition(loop, session, start)
    total, _, _ = recorded.summary(session, here.times.now - timedelta(days=_RECENT))
    return {
        "text": one["text"],
        "start": one["id"],
        "versions": [each["id"] for each in workflows.listed(loop, session)],
        "per_day": f"{max(1, round(total / _RECENT))}",
    }


def _kept(form: FormData, found: dict[str, Any]) -> dict[str, str]:
    """Return what was filled in, as it is shown again; a draft that is the version itself is none."""
    draft = text_of(form, "draft").replace("\r\n", "\n")
    days = text_of(form, "span")
    return {
        "draft": "" if draft.strip() == found["text"].strip() else draft,
        "per_day": text_of(form, "per_day") or found["per_day"],
        "days": days if days in _DAYS else _USUAL,
        "limits": text_of(form, "limits"),
        "people": text_of(form, "people"),
    }


def _question(kept: dict[str, str], text: str) -> dict[str, Any]:
    """Return the question as the process takes it. Raises BadInput."""
    try:
        per_day = float(kept["per_day"])
    except ValueError:
        per_day = 0.0
    if not 0 < per_day <= _MOST_A_DAY:
        raise BadInput(f"每天多少件要写一个数，大于 0，不超过 {_MOST_A_DAY:,.0f}")
    lines = {name: [line.strip() for line in kept[name].splitlines() if line.strip()] for name in ("limits", "people")}
    if any(len(each) > _MOST_LINES for each in lines.values()):
        raise BadInput(f"一次最多改 {_MOST_LINES} 处")
    return {"text": text, "other": kept["draft"] or None, "per_day": per_day, "days": int(kept["days"]), **lines}


def simulated(question: dict[str, Any]) -> dict[str, Any]:
    """Ask the process and return its answer.

    Raises BadInput in words, for what cannot be simulated or takes too long; Conflict while another one runs.
    """
    if not _turn.acquire(blocking=False):
        raise Conflict("有一次试算正在进行，请等它做完再试")
    try:
        done = subprocess.run(  # noqa: S603 our own module
            _COMMAND, input=orjson.dumps(question), capture_output=True, env=_ENVIRONMENT, timeout=_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        raise BadInput(_TOO_LONG) from None
    finally:
        _turn.release()
    if done.returncode == _REFUSED:
        raise BadInput(done.stdout.decode(errors="replace")[:2000])
    if done.returncode in _STOPPED or b"MemoryError" in done.stderr:
        raise BadInput(_TOO_LONG)
    if done.returncode:
        msg = f"the process that simulates ended with {done.returncode}: {done.stderr[-2000:].decode(errors='replace')}"
        raise RuntimeError(msg)
    answer: dict[str, Any] = orjson.loads(done.stdout)
    return answer


_STOPPED: Final = (-signal.SIGXCPU, -signal.SIGKILL)  # its own bound of processor time, or the system's of memory
_TOO_LONG: Final = "算得太久，已经停下，没有结果：请把件数或天数写少些，或用命令 wuye-loop simulate"


def _drawn(answer: dict[str, Any]) -> dict[str, Any]:
    """Return the answer with its charts: what is open week by week, and how much of each limit is kept."""
    now, other = answer["now"], answer["if"]
    series = [side["open_by_week"] for side in (now, other) if side]
    top = charts.ceiling(max((round(n) for weeks in series for n in weeks), default=0))
    weeks = len(series[0])
    gap = _WIDTH / max(weeks - 1, 1)
    curves = [charts.curve([round(n) for n in each], top, _WIDTH, _HEIGHT) for each in series]
    theirs = {clock["title"]: clock for clock in other["clocks"]} if other else {}
    return answer | {
        "top": top,
        "width": _WIDTH,
        "height": _HEIGHT,
        "curves": curves,
        "labels": [(round(n * gap, 1), n + 1) for n in range(0, weeks, max(1, weeks // 6))],
        "weeks": list(zip(*series, strict=False)),
        "bar": _BAR,
        "clocks": [
            {
                "title": clock["title"],
                "assessed": clock["assessed"],
                "sides": [
                    {
                        "rate": one["rate"],
                        "due": one["due"],
                        "in_time": one["in_time"],
                        "width": round(_BAR * one["rate"], 1),
                    }
                    for one in (clock, theirs.get(clock["title"]))
                    if one is not None
                ],
            }
            for clock in now["clocks"][:_SHOWN]
        ],
    }

"""诉求页: one grievance: to which stage it has come, why it is due when it is, what may be done now and what may not."""

from collections.abc import Mapping
from datetime import date
from functools import partial
from types import MappingProxyType
from typing import Annotated, Any
from uuid import UUID

import orjson
from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy.orm import Session

from wuye_loop.domain.errors import BadValue, IllegalAction
from wuye_loop.domain.grievance.order import RESIDENTS
from wuye_loop.domain.language.workflow import Workflow
from wuye_loop.domain.privacy.access.key_rules import REVEAL
from wuye_loop.domain.privacy.text import clean
from wuye_loop.domain.routing.words import decisive, router_words
from wuye_loop.domain.terms import ActorKind, Stage
from wuye_loop.domain.time.timestamps import from_text, wall
from wuye_loop.edge.revealing import revealed
from wuye_loop.edge.transact import read
from wuye_loop.edge.uploading import keep
from wuye_loop.loop import attachments
from wuye_loop.loop.engine import seen
from wuye_loop.queries import choices
from wuye_loop.queries import grievance as grievances
from wuye_loop.queries.explain.why import why_due
from wuye_loop.queries.surroundings import around
from wuye_loop.queries.timeline import timeline
from wuye_loop.web.codes import query_code
from wuye_loop.web.fields import Attempt, fields_of, picked, text_of
from wuye_loop.web.lists import unit_names
from wuye_loop.web.rendering import page
from wuye_loop.web.routes import PageRoute
from wuye_loop.web.visitors import Here, Visit

router = APIRouter(route_class=PageRoute, include_in_schema=False)
Number = Annotated[str, Path(max_length=40, pattern=r"^[\w〔〕.-]+$")]

_LONGEST_STRIP = 16  # days that fit beside one another
_TOKEN_BYTES = 12
_LONGEST_REASON = 500
_DISPATCHING = (ActorKind.HOTLINE,)


@router.get("/g/{number}")
async def show(request: Request, here: Here, number: Number) -> Response:
    """Show a grievance."""
    return await shown(request, here, number)


async def shown(
    request: Request, here: Visit, number: str, attempt: Attempt | None = None, status: int = 200
) -> Response:
    """Return the page of a grievance, with a form that was refused as it was filled in."""
    found = await here.read(partial(_gather, here, number, attempt, dict(request.query_params)))
    back = (
        "desk" if here.actor.kind is ActorKind.HOTLINE else "inbox" if here.actor.kind is ActorKind.UNIT else "search"
    )
    done = request.query_params.get("done")
    context = here.frame(back) | found
    context |= {
        "attempt": attempt,
        "done": found["titles"].get(done) if done else None,
        "once": here.site.loop.ids.token(_TOKEN_BYTES),
        "may_upload": here.actor.kind in (ActorKind.HOTLINE, ActorKind.UNIT, ActorKind.SUPERVISOR),
        "may_reveal": REVEAL in here.actor.scopes,
    }
    return page("staff/grievance.html", context, status)


def _gather(
    here: Visit, number: str, attempt: Attempt | None, asked: Mapping[str, str], session: Session
) -> dict[str, Any]:
    loop, actor = here.site.loop, here.actor
    looked = seen(loop, session, number, actor)
    record = grievances.grievance(loop, session, number, actor, looked)
    tasks = grievances.tasks(loop, session, number, actor, looked)
    clocks = grievances.clocks(loop, session, number, actor, looked)
    rows = timeline(loop, session, number, actor, looked)
    offer = choices.offered_with_tasks(loop, session, number, actor)
    reasons = [] if actor.kind in _DISPATCHING else why_due(loop, session, number, actor, looked)
    alike = record.get("duplicate_candidates", [])
    rules = loop.reference.rules(session, record["workflow"])
    named = around(loop, session, actor, [number, *(item["number"] for item in alike)])
    acts = [_drawn(item, f"do-{item['action']}", attempt, asked) for item in offer["actions"]]
    opens = [_drawn(item, f"open-{item['task']}", attempt) for item in offer["tasks"]]
    for task in tasks:
        offers = [] if task["final"] else offer["on_tasks"].get(UUID(task["id"]), [])
        paper = {"paper": task.get("document_number")}  # of two orders each says which it is
        task["acts"] = [_drawn(item, f"task-{task['id']}-{item['action']}", attempt) | paper for item in offers]
        task["clock"] = _task_clock(here, task["id"], clocks)
    return {
        "one": record,
        "near": named.get(number, {}),
        "stages": _stages(record["stage"], rows),
        "due": _due(here, reasons, clocks),
        "acts": acts,
        "opens": opens,
        "tasks": tasks,
        "rows": rows,
        "tally": {name: sum(row["audience"] == name for row in rows) for name in ("public", "units", "internal")},
        "routing": _routing(here, grievances.routing(loop, session, number, actor, looked), rules.workflow),
        "files": attachments.listed(loop, session, number, actor),
        "filer": "诉求人" if looked[0].situation.grievance.source == RESIDENTS else "热线",
        "alike": [item | named[item["number"]] for item in alike if item["number"] in named],
        "units": unit_names(loop),
        "titles": _titles(loop, session, record["workflow"]),
        "code": query_code(loop.keyring, number) if actor.kind is ActorKind.HOTLINE else None,
    }  # fmt: skip


def _drawn(
    offer: dict[str, Any], form: str, attempt: Attempt | None, asked: Mapping[str, str] = MappingProxyType({})
) -> dict[str, Any]:
    mine = attempt if attempt is not None and attempt.form == form else None
    if attempt is None:
        mine = picked(form, offer, asked)
    return offer | {"id": form, "fields": fields_of(offer, mine), "attempt": mine}


def _titles(loop: Any, session: Session, workflow: str) -> dict[str, str]:
    """Return what was done, by the name that stands in the address after it: a known name, never a text of the address."""
    rules = loop.reference.rules(session, workflow).workflow
    found = {name: spec.title for name, spec in rules.actions.items()}
    for kind, spec in rules.tasks.items():
        found |= {f"{kind}.{name}": action.title for name, action in spec.actions.items()}
        found[kind] = spec.open.title
    return {**found, "file": "上传文件"}


def _stages(stage: str, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the six stages: which are past, which is now, and when each was entered last."""
    entered: dict[str, dict[str, Any]] = {}
    for row in reversed(rows):
        if row["to_stage"] and row["to"] != row["from"]:
            entered[row["to_stage"]] = row
    order = [item.value for item in Stage]
    return [
        {
            "title": item.chinese,
            "now": item.value == stage,
            "past": item.value in entered and order.index(item.value) < order.index(stage),
            "row": entered.get(item.value),
            "only_late": item is Stage.ESCALATE,
        }
        for item in Stage
    ]


def _due(here: Visit, reasons: list[dict[str, Any]], clocks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the running clocks of the grievance itself, the one due first in front: how long, until when, and why."""
    running = [one for one in clocks if one["status"] != "ended" and one["task"] is None]
    told = {one["clock"]: one for one in reasons if one["task"] is None}
    found = []
    for clock in sorted(running, key=lambda one: (one["status"] != "running", one["due_at"])):
        working = bool(clock.get("working"))
        reason = told.get(clock["clock"])
        badge = here.times.badge(
            clock["due_at"], seconds=clock["remaining_seconds"], working=working, held=clock["status"] == "paused"
        )
        found.append({**clock, "badge": badge, "reason": reason, "strip": _strip(here, clock, reason)})
    return found


def _strip(here: Visit, clock: dict[str, Any], reason: dict[str, Any] | None) -> list[dict[str, Any]]:
    """Return the days of a limit in working days, where they are few enough to stand in one row."""
    if reason is None or not reason["counted"] or clock["status"] != "running":
        return []
    zone = here.times.calendar.zone
    first, _ = wall(from_text(clock["started_at"]), zone, due=False)
    last, _ = wall(from_text(clock["due_at"]), zone)
    if (last - first).days >= _LONGEST_STRIP or first > last:
        return []
    return here.times.strip(first, last, [date.fromisoformat(day) for day in reason["counted"]], last)


def _task_clock(here: Visit, task: str, clocks: list[dict[str, Any]]) -> dict[str, Any] | None:
    mine = [one for one in clocks if one["task"] == task]
    if not mine:
        return None
    newest = next((one for one in mine if one["status"] == "running"), mine[-1])
    working = bool(newest.get("working"))
    badge = None
    if newest["status"] == "running":
        badge = here.times.badge(newest["due_at"], seconds=newest["remaining_seconds"], working=working)
    return newest | {"badge": badge}


def _routing(here: Visit, decisions: list[dict[str, Any]], workflow: Workflow) -> list[dict[str, Any]]:
    directory = here.site.loop.reference.directory
    sources = {name: source.title for name, source in workflow.sources.items()}

    def said(trace: list[Mapping[str, Any]]) -> list[str]:
        return [router_words(item, directory, sources) for item in trace]

    found = []
    for one in decisions:
        settled, passed = decisive(one["trace"])
        found.append(one | {"words": said(settled), "passed": said(passed)})
    return found


# --- files and identity ---------------------------------------------------------------------------------------------


@router.post("/g/{number}/files")
async def upload(request: Request, here: Here, number: Number) -> Response:
    """Keep a file with the grievance."""
    form = await request.form()
    sent = form.get("file")
    if sent is None or isinstance(sent, str):
        raise IllegalAction("请先选一个文件")
    await keep(request, number, here.actor, await sent.read(), sent.filename or "")
    return RedirectResponse(f"/g/{number}?done=file", 303)


@router.get("/files/{file_id}")
async def download(here: Here, file_id: UUID) -> Response:
    """Give a file; pictures are shown, everything else is saved."""
    found = await read(here.site, partial(_file, here, file_id))
    shown_here = found.media_type.startswith("image/")
    headers = {
        "Content-Disposition": "inline" if shown_here else f'attachment; filename="{file_id}.pdf"',
        "Content-Security-Policy": "sandbox",
        "Cache-Control": "private, no-store",
    }
    return Response(found.content, headers=headers, media_type=found.media_type)


def _file(here: Visit, file_id: UUID, session: Session) -> Any:
    return attachments.download(here.site.loop, session, here.actor, file_id)


@router.post("/g/{number}/identity")
async def identity(request: Request, here: Here, number: Number) -> Response:
    """Open who complained, once, on this page alone; the reason and the one who asked stand in the ledger."""
    try:
        reason = clean(text_of(await request.form(), "reason"), max_len=_LONGEST_REASON)
    except BadValue as error:
        raise IllegalAction(str(error)) from None
    if not reason:
        raise IllegalAction("请写明为什么要看")
    outcome = await revealed(request, number, here.actor, reason)
    shown = orjson.loads(outcome.body)
    context = {"number": number, "who": shown["complainant"], "mark": shown["watermark"], "reason": reason}
    return page("staff/identity.html", here.frame("inbox") | context)

"""办理进度: one sentence that says how it stands, the promised day, what happened; urging, adding, rating, reopening."""

from functools import partial
from typing import Annotated, Any, Final

from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy.orm import Session

from wuye_loop.domain.errors import IllegalAction, NotFound, TooMany, WuyeError
from wuye_loop.domain.grievance.situation import Actor
from wuye_loop.domain.terms import Audience, Stage
from wuye_loop.edge.sign_in import Tries
from wuye_loop.edge.site import Site, kept_of, site_of
from wuye_loop.edge.transact import outcome_of, read
from wuye_loop.edge.uploading import keep
from wuye_loop.loop import attachments, handle
from wuye_loop.loop.engine import Looked, Loop, StepResult, Terms
from wuye_loop.queries import choices
from wuye_loop.queries import grievance as grievances
from wuye_loop.queries.looking import looked_ahead
from wuye_loop.queries.surroundings import around
from wuye_loop.queries.timeline import timeline
from wuye_loop.store.reads.surroundings import source_of
from wuye_loop.web import codes, fields
from wuye_loop.web.fields import Attempt, fields_of, text_of, uploads
from wuye_loop.web.language import say
from wuye_loop.web.refusals import REFUSED, attempted
from wuye_loop.web.resident.following import Following
from wuye_loop.web.resident.looks import resident, shown
from wuye_loop.web.routes import ResidentRoute
from wuye_loop.web.times import Times, times
from wuye_loop.web.visitors import tries_of

router = APIRouter(route_class=ResidentRoute, include_in_schema=False)
Number = Annotated[str, Path(max_length=40, pattern=r"^[\w〔〕.-]+$")]
Code = Annotated[str, Path(max_length=12)]
Name = Annotated[str, Path(max_length=40, pattern=r"^[a-z][a-z0-9_]*$")]

_A_DAY: Final = 2  # times that one may urge in a day
_LONGEST_NUMBER: Final = 40
_NEXT: Final = {
    Stage.COLLECT: "决定是否受理，转给管这件事的单位",
    Stage.ASSIGN: "单位签收，开始办理",
    Stage.HANDLE: "办完后书面答复，回访，请您评价",
    Stage.ESCALATE: "督办单位盯着办完，再答复您",
    Stage.FEEDBACK: "审核答复，给您回访，请您评价",
    Stage.EVALUATE: "请您评价，然后归档",
}


@router.get("/p")
async def ask(request: Request) -> Response:
    """Ask for the number and the query code."""
    return shown(request, "resident/find.html", number="", words=None)


@router.post("/p")
async def find(request: Request) -> Response:
    """Open the grievance that a number and its code name; the same words whatever is wrong."""
    form = await request.form()
    number, code = text_of(form, "number").upper()[:_LONGEST_NUMBER], text_of(form, "code").upper()
    site = site_of(request)
    try:
        await _opened(request, site, number, code)
    except NotFound:
        return shown(request, "resident/find.html", 404, number=number, words="编号或查询码不对，请核对后再查。")
    except TooMany as error:
        return shown(request, "resident/find.html", 429, number=number, words=error.detail)
    return RedirectResponse(f"/p/{number}/{codes.query_code(site.loop.keyring, number)}", 303)


async def _opened(request: Request, site: Site, number: str, code: str) -> Actor:
    """Return the complainant of the grievance that this code opens.

    Raises NotFound, the same for an unknown number and a wrong code; TooMany for a number on which many were tried: not
    for an address, behind which a whole town may stand.
    """
    tries, tried = _tried(request, number)
    source = await read(site, partial(source_of, number=number))
    if not codes.opens(site.loop.keyring, number, code) or source is None:
        tries.failed(tried)
        raise NotFound
    return resident(source)


def _tried(request: Request, number: str) -> tuple[Tries, str]:
    """Return the count of wrong codes and its name for a number. Raises TooMany."""
    tries, tried = tries_of(request), f"code {number}"
    tries.check(tried, "这个编号试错的次数太多，请十分钟后再查，或拨打 12345")
    return tries, tried


@router.get("/p/{number}/{code}")
async def progress(request: Request, number: Number, code: Code) -> Response:
    """Show how a grievance stands."""
    site = site_of(request)
    tries, tried = _tried(request, number)
    if not codes.opens(site.loop.keyring, number, code):
        tries.failed(tried)
        raise NotFound
    try:  # nearly all whom a page is shown have filed on one
        found = await _following(request).shown(number)
    except NotFound:
        found = await _read(site, number, await _opened(request, site, number, code), None)
    return _shown(request, code, found)


def _following(request: Request) -> Following:
    site = site_of(request)

    def made(session: Session, number: str, looked: Looked) -> dict[str, Any]:
        return _shows(site, session, number, resident(), looked, None)

    return kept_of(request, "following", lambda: Following(site, made))


async def _progress(
    request: Request, site: Site, number: str, code: str, actor: Actor, attempt: Attempt, status: int
) -> Response:
    return _shown(request, code, await _read(site, number, actor, attempt), attempt, status)


async def _read(site: Site, number: str, actor: Actor, attempt: Attempt | None) -> dict[str, Any]:
    return await read(site, partial(_gather, site, number, actor, attempt), reader=actor)


def _shown(
    request: Request, code: str, found: dict[str, Any], attempt: Attempt | None = None, status: int = 200
) -> Response:
    asked = request.query_params
    return shown(
        request,
        "resident/progress.html",
        status,
        code=code,
        new=asked.get("new"),
        left=asked.get("left"),
        done=asked.get("done"),
        attempt=attempt,
        **found,
    )


def _gather(site: Site, number: str, actor: Actor, attempt: Attempt | None, session: Session) -> dict[str, Any]:
    (looked,) = looked_ahead(site.loop, session, [number], actor)
    if isinstance(looked, WuyeError):
        raise looked
    return _shows(site, session, number, actor, looked, attempt)


def _shows(
    site: Site, session: Session, number: str, actor: Actor, looked: Looked, attempt: Attempt | None
) -> dict[str, Any]:
    loop = site.loop
    one = grievances.grievance(loop, session, number, actor, looked)
    present = times(loop, session)
    rows = timeline(loop, session, number, actor, looked)
    offers = [item for item in _own(loop, session, number, actor, one["workflow"], looked) if not item["blocked"]]
    clocks = grievances.clocks(loop, session, number, actor, looked)
    running = sorted((clock for clock in clocks if clock["status"] == "running" and not clock["task"]), key=_due_at)
    return {
        "one": one,
        "near": around(loop, session, actor, [number]).get(number, {}),
        "times": present,
        "rows": rows,
        "now": _now(one),
        "next": None if one["final"] else _NEXT[Stage(one["stage"])],
        "promise": _promise(one, running, present),
        "offers": [_drawn(item, attempt) for item in offers],
        "urged_today": _today(rows, present),
        "a_day": _A_DAY,
        "files": attachments.listed(loop, session, number, actor, looked),
        "helpers": len({task["holder_unit"] for task in one["open_tasks"] if task["holder_unit"]} - {one["lead_unit"]}),
    }


def _due_at(clock: dict[str, Any]) -> str:
    return str(clock["due_at"])


def _own(
    loop: Loop, session: Session, number: str, actor: Actor, workflow: str, looked: Looked | None = None
) -> list[dict[str, Any]]:
    """Return the actions that are the complainant's own; what only a hotline's seat does is not among them."""
    offer = choices.offered(loop, session, number, actor, looked)
    roles = loop.reference.rules(session, workflow).workflow.roles
    own = {name for name, role in roles.items() if role.is_ == "complainant"}
    return [item for item in offer["actions"] if own & set(item["by"])]


def _drawn(item: dict[str, Any], attempt: Attempt | None) -> dict[str, Any]:
    mine = attempt if attempt is not None and attempt.form == item["action"] else None
    stays = item["to"] is None
    return item | {"fields": fields_of(item, mine), "attempt": mine, "urges": stays and len(item["form"].specs) <= 1}


def _now(one: dict[str, Any]) -> str:
    """Return in one plain sentence how a grievance stands."""
    unit = one["lead_unit_name"] or "承办单位"
    if one["final"]:
        return f"{one['state_title']}。"
    return {
        Stage.COLLECT: "已经收到，正在决定是否受理。",
        Stage.ASSIGN: f"已经受理，转给{unit}，等它签收。"
        if one["lead_unit_name"]
        else "已经受理，正在定由哪个单位办。",
        Stage.HANDLE: f"{unit}正在办理。",
        Stage.ESCALATE: f"{unit}没有按期办完，上级正在督办。",
        Stage.FEEDBACK: f"{unit}已经办完并写了答复，正在审核、回访。",
        Stage.EVALUATE: "办完了，请您评价。",
    }[Stage(one["stage"])]


def _promise(one: dict[str, Any], running: list[dict[str, Any]], present: Times) -> str | None:
    """Return until when the next word is promised: the longest clock that runs is the one for the whole."""
    if one["final"] or not running or Stage(one["stage"]) is Stage.EVALUATE:
        return None
    last = running[-1]
    if last["overdue"]:
        return say("本该 {when} 前办完，已经晚了，正在督办", when=present.promise(last["due_at"]))
    return say("{when} 前{what}", when=present.promise(last["due_at"]), what=last["title"].replace("时限", ""))


def _today(rows: list[dict[str, Any]], present: Times) -> int:
    return sum("urge" in row["action"] and present.is_today(row["at"]) for row in rows)


@router.post("/p/{number}/{code}/{action}")
async def act(request: Request, number: Number, code: Code, action: Name) -> Response:
    """Take one of the complainant's own actions: urge, rate, reopen; or add photos."""
    site, form = site_of(request), await request.form()
    actor = await _opened(request, site, number, code)
    specs: dict[str, Any] = {}
    try:
        if action == "photo":
            done = await _add(request, number, actor, form)
            return RedirectResponse(f"/p/{number}/{code}?done={done}", 303)
        offer = await read(site, partial(_allowed, site, number, actor, action), reader=actor)
        specs = offer["form"].specs
        answers = fields.answers(specs, form, site.loop.reference.directory)
        terms = Terms(fields.seq_of(form))
        await outcome_of(site, partial(_act, site, number, actor, action, answers, terms))
    except REFUSED as error:
        return await _progress(request, site, number, code, actor, attempted(action, error, specs, form), error.status)
    return RedirectResponse(f"/p/{number}/{code}?done=1", 303)


def _allowed(site: Site, number: str, actor: Actor, action: str, session: Session) -> dict[str, Any]:
    """Return the offer of one of the complainant's own actions. Raises IllegalAction."""
    workflow = grievances.grievance(site.loop, session, number, actor)["workflow"]
    offer = next((one for one in _own(site.loop, session, number, actor, workflow) if one["action"] == action), None)
    if offer is None or offer["blocked"]:
        raise IllegalAction("现在不能这样办，下面是最新的情况")
    if "urge" in action:
        rows = timeline(site.loop, session, number, actor)
        if _today(rows, times(site.loop, session)) >= _A_DAY:
            raise IllegalAction("今天已经催过两次，单位都收到了；明天还可以再催")
    return offer


def _act(
    site: Site, number: str, actor: Actor, action: str, answers: dict[str, Any], terms: Terms, session: Session
) -> StepResult:
    return handle.act(site.loop, session, number, action, actor, answers, terms)


async def _add(request: Request, number: str, actor: Actor, form: Any) -> str:
    chosen = uploads("photo", form)
    if not chosen:
        raise IllegalAction("请先选照片")
    for file in chosen:
        await keep(request, number, actor, await file.read(), file.filename or "", Audience.PUBLIC)
    return "photo"

"""What a person filled in: checked against the form, struck of identities, its names and dates looked at."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from wuye_loop.domain.errors import BadForm
from wuye_loop.domain.grievance.facts import facts_of
from wuye_loop.domain.grievance.situation import EMPTY, TaskState, World
from wuye_loop.domain.language.forms import Form, FormProblem
from wuye_loop.domain.step.builder import Builder
from wuye_loop.domain.terms import Audience
from wuye_loop.domain.time.bounds import EARLIEST, LAST_AGREED
from wuye_loop.domain.time.timestamps import as_text


def answered(builder: Builder, form: Form, raw: Mapping[str, Any], task: TaskState | None) -> dict[str, Any]:
    """Check a submitted form; free text is struck of identities before it may reach the ledger."""
    if not form.specs and not raw:
        return {}
    facts = facts_of(builder.world, builder.situation, task) if form.conditional else EMPTY
    try:
        answers: dict[str, Any] = form.validate(dict(raw), facts)
    except FormProblem as problem:
        raise BadForm("表单填写有误", fields=problem.fields) from None
    world = builder.world
    for name, kind in form.refined:
        value = answers.get(name)
        if value is None:
            continue
        if kind == "text":
            public = form.specs[name].audience is Audience.PUBLIC
            answers[name] = world.redact_reply(str(value)) if public else world.redact(str(value))
        elif kind == "unit" and world.directory.unit(str(value)) is None:
            raise BadForm("没有这个单位", fields=[{"path": name, "problem": "没有这个单位，或它已停用"}])
        elif kind == "file" and not set(value) <= world.files(value):
            raise BadForm("没有这个文件", fields=[{"path": name, "problem": "请先上传文件，再填它的编号"}])
        elif kind == "date":
            _ahead(world, name, date.fromisoformat(str(value)))
        elif kind == "time":
            at = datetime.fromisoformat(str(value))
            answers[name] = _to_come(world, name, at) if form.specs[name].future else _past(world, name, at)
    return answers


def _ahead(world: World, name: str, day: date) -> None:
    """Refuse a day that is over, and one so far off that a ladder after it would leave the calendar."""
    if day < world.calendar.local_date(world.now):
        raise BadForm("日期已过", fields=[{"path": name, "problem": "日期不能早于今天"}])
    if day.year > LAST_AGREED:
        raise BadForm("日期太远", fields=[{"path": name, "problem": f"日期不能晚于 {LAST_AGREED} 年"}])


def _to_come(world: World, name: str, at: datetime) -> str:
    """Return when something is to be, which is after now; what has no zone is the city's own time."""
    at = world.zoned(at)
    if at <= world.now or at.year > LAST_AGREED:
        raise BadForm("时刻不对", fields=[{"path": name, "problem": f"要是以后的时刻，且不晚于 {LAST_AGREED} 年"}])
    return as_text(at)


def _past(world: World, name: str, at: datetime) -> str:
    """Return when something was, which is not after now; what has no zone is the city's own time."""
    at = world.zoned(at)
    if not EARLIEST <= at <= world.now:
        raise BadForm("时刻不对", fields=[{"path": name, "problem": "要是已经过去的时刻，且不早于 1990 年"}])
    return as_text(at)

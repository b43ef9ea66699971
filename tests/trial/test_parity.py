"""What the sandbox says is what a site does: one story told to both, compared row by row."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from tests.site import BAD, DIRECTORY, FINISH, MONDAY, SEND_BACK, Town, order, rules_of, town_on

from wuye_loop.domain.directory.document import read_document
from wuye_loop.domain.grievance.ledger import Entry
from wuye_loop.domain.grievance.order import IntakeForm
from wuye_loop.domain.grievance.situation import Actor
from wuye_loop.domain.terms import ActorKind
from wuye_loop.domain.time.spans import Span
from wuye_loop.loop import collect, handle
from wuye_loop.store.database import Database
from wuye_loop.trial.sandbox.sandbox import Sandbox
from wuye_loop.trial.town.town import calendar_of, town_of

SUPERVISOR = Actor(ActorKind.SUPERVISOR, area_path="3707/")  # the site's key is over an area, of no unit
#: (who on the site, who in the sandbox, action, form), or how long to wait.
STORY: tuple[tuple[str, str, str, Mapping[str, Any]] | str, ...] = (
    ("property-centre", "dispatcher", "accept", {}),
    "1 workday",
    ("market", "handler", "send_back", SEND_BACK),
    ("property-centre", "dispatcher", "route", {"unit": "housing"}),
    ("housing", "handler", "sign", {}),
    "9 workdays",
    ("supervisor", "supervisor", "hand_over", {"unit": "market", "reason": "改派"}),
    ("company-1", "company-1", "assist/sign", {}),
    ("company-1", "company-1", "assist/done", {"result": "已配合"}),
    ("market", "handler", "finish", FINISH),
    ("property-centre", "dispatcher", "approve", {}),
    ("hotline", "resident", "rate", BAD),
    "30 days",
)


def row(entry: Entry) -> tuple[Any, ...]:
    """Return of a ledger row what does not hang on ids and keys."""
    actor = {key: value for key, value in entry.actor.items() if key != "key"}
    return (
        entry.seq,
        entry.at,
        entry.action,
        actor,
        entry.from_state,
        entry.to_state,
        dict(entry.facts),
        entry.audience,
    )


def on_site(town: Town) -> list[Entry]:
    form = IntakeForm.model_validate(order())
    made = town.run(lambda session: collect.collect(town.site.loop, session, form, town.actors["hotline"]))
    for item in STORY:
        if isinstance(item, str):
            town.advance(_calendar(town).shift(town.now, Span.parse(item)))
            continue
        who, _, action, answers = item
        _act(town, made.number, who, action, answers)
    return list(town.folder(made.number).entries)


def _calendar(town: Town) -> Any:
    rules = rules_of("kuiwen@1")
    return town.run(lambda session: town.site.loop.reference.calendar(session, rules.workflow.calendar))


def _act(town: Town, number: str, who: str, action: str, answers: Mapping[str, Any]) -> None:
    actor = town.actors[who]
    kind, task_action = action.split("/") if "/" in action else ("", action)
    if not kind:
        town.run(lambda session: handle.act(town.site.loop, session, number, action, actor, answers))
        return
    tasks = town.rows("SELECT id FROM task WHERE kind = %(kind)s AND NOT final ORDER BY n DESC", kind=kind)
    town.run(lambda session: handle.act_on_task(town.site.loop, session, tasks[0].id, task_action, actor, answers))


def in_memory() -> tuple[Sandbox, list[Entry]]:
    rules = rules_of("kuiwen@1")
    qingming = [date(2026, 4, day) for day in (4, 5, 6)]
    calendar = calendar_of(rules.workflow.calendar, MONDAY.date(), qingming)
    box = Sandbox(rules, now=MONDAY, town=town_of(rules, read_document(DIRECTORY)), calendar=calendar)
    box.receive(order())
    for item in STORY:
        if isinstance(item, str):
            box.advance(Span.parse(item))
            continue
        _, who, action, answers = item
        by = SUPERVISOR if who == "supervisor" else who
        kind, _, task_action = action.rpartition("/")
        if kind:
            box.on_task(by, kind, task_action, answers)
        else:
            box.act(by, action, answers)
    return box, box.case().entries


def test_the_sandbox_writes_the_ledger_that_a_site_writes(database: Database) -> None:
    with town_on(database) as town:
        real = on_site(town)
        box, imagined = in_memory()
        assert [row(entry) for entry in imagined] == [row(entry) for entry in real]
        assert len(real) > 20
        numbers = [found.number for found in town.rows("SELECT number FROM document ORDER BY issued_at, number")]
        assert sorted(document.number for document in box.case().documents) == sorted(numbers)
        assert sorted((one.instrument, unit) for one in box.case().notices for unit in one.units) == sorted(
            town.notices()
        )

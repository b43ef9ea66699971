"""What effects do with papers: numbered documents, notices, ratings, and what does not count in a figure."""

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from wuye_loop.domain.grievance.roles import unit_of, units_of
from wuye_loop.domain.grievance.situation import TaskState
from wuye_loop.domain.language.documents import number_in
from wuye_loop.domain.step.builder import Builder
from wuye_loop.domain.step.effects.context import Context
from wuye_loop.domain.step.records import DocumentDraft, RatingDraft

COMPLAINANT = "complainant"  # the rater of the rating that a workflow writes first


def notify(builder: Builder, context: Context, params: Mapping[str, Any]) -> None:
    """Send an instrument's notice."""
    names = params["to"]
    send(builder, params["instrument"], [names] if isinstance(names, str) else names, context.task)


def send(
    builder: Builder, instrument: str, names: Iterable[str], task: TaskState | None = None, copies: Iterable[str] = ()
) -> None:
    """Send an instrument to the units that roles stand for, as a numbered document to each where the file says so.

    Who gets a copy gets the notice, and stands on the document among the copies.
    """
    spec = builder.world.rules.workflow.instruments.get(instrument)
    if not builder.tells and (spec is None or spec.document is None):
        return
    to, cc = _units(builder, names, task), _units(builder, copies, task)
    if not to and builder.grievance.holder_unit:
        to = (builder.grievance.holder_unit,)  # nobody is assigned yet: whoever holds it is told
    builder.notify(instrument, dict.fromkeys((*to, *cc)))
    if spec is None or spec.document is None:
        return
    numbers = [issue(builder, spec.document, unit, cc, None) for unit in to]
    builder.remarks["documents"] = [*builder.remarks.get("documents", ()), *numbers]


def _units(builder: Builder, names: Iterable[str], task: TaskState | None = None) -> tuple[str, ...]:
    found = (unit for name in names for unit in units_of(name, builder.world, builder.situation, task))
    return tuple(dict.fromkeys(found))


def document(builder: Builder, context: Context, params: Mapping[str, Any]) -> None:
    """Issue a numbered document."""
    name = params.get("to")
    addressee = unit_of(name, builder.world, builder.situation, context.task) if name else None
    issue(builder, params["kind"], addressee, (), context.task.id if context.task else None)


def issue(builder: Builder, kind: str, addressee: str | None, copies: tuple[str, ...], task_id: UUID | None) -> str:
    """Draw a document's number from its series (gap-free per series and year), add it to the step, return the number."""
    spec = builder.world.rules.workflow.documents[kind]
    year = builder.world.calendar.local_date(builder.world.now).year
    n = builder.world.next_number(spec.series, year)
    number = number_in(spec.series, year, n)
    cc = dict.fromkeys((*_units(builder, spec.copies), *copies))
    cc.pop(addressee or "", None)
    draft = DocumentDraft(
        number, kind, spec.series, year, n, task_id, addressee, tuple(cc), spec.text, builder.world.now
    )
    builder.documents = [*builder.documents, draft]
    builder.remarks["document"] = number
    return number


def rate(builder: Builder, context: Context, params: Mapping[str, Any]) -> None:
    """评价: one rating per cycle and rater (on a task: per task); first and final are both kept.

    Without a name it is the first rating of the file; that one is the complainant's wherever it is written.
    """
    ratings = builder.world.rules.workflow.ratings
    first = next(iter(ratings), "")
    name = params.get("rating") or first
    rater = COMPLAINANT if name == first else name
    if context.task is not None:
        rater = f"{name}:{context.task.n}"
    spec = ratings.get(name)
    of_unit = unit_of(spec.of, builder.world, builder.situation, context.task) if spec else None
    satisfied = context.answers.get("satisfied")
    draft = RatingDraft(
        builder.grievance.cycle,
        rater,
        of_unit if of_unit or context.task else _handled_by(builder),
        {key: value for key, value in context.answers.items() if key != "comment"},
        str(satisfied) if satisfied is not None else None,
        builder.world.now,
    )
    builder.ratings = [*builder.ratings, draft]


def _handled_by(builder: Builder) -> str | None:
    """Return the unit that handled the grievance: its own lead, else that of the one it was merged into."""
    lead = builder.world.lead
    return builder.grievance.lead_unit or (lead.lead_unit if lead is not None else None)


def exclude(builder: Builder, context: Context, params: Mapping[str, Any]) -> None:
    """剔除: this grievance does not count in a figure (申诉成立, 不合理诉求); the reason is kept beside it."""
    reason = context.value(builder, params["reason"]) if params.get("reason") else None
    excluded = {**builder.grievance.data.get("excluded", {}), params["figure"]: reason}
    builder.set(data={**builder.grievance.data, "excluded": excluded})

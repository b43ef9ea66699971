"""One document with many lines (限期整改通知书, 联席会议纪要): numbered once, each line opens a task on a grievance."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import orjson

from wuye_loop.domain.errors import BadForm, Conflict, Forbidden, IllegalAction, WuyeError
from wuye_loop.domain.grievance.roles import acting_role, units_of
from wuye_loop.domain.grievance.situation import Actor, Situation, World
from wuye_loop.domain.language.documents import DocumentKind, number_in
from wuye_loop.domain.rules.rules import Rules
from wuye_loop.domain.step import actions
from wuye_loop.domain.step.records import DocumentDraft, Line, Step


@dataclass(frozen=True, slots=True)
class PaperLine:
    """What one line says: which grievance, which unit is to do it, the form of the task it opens."""

    grievance: str
    unit: str | None = None
    form: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Paper:
    """A document as it was drawn up: its kind, its own text, its lines in order."""

    kind: str
    lines: Sequence[PaperLine]
    text: str | None = None

    @cached_property
    def by_grievance(self) -> Mapping[str, Sequence[tuple[int, PaperLine]]]:
        """The lines with their numbers from 1, by the grievance they name, in the order of its first line."""
        found: dict[str, list[tuple[int, PaperLine]]] = {}
        for n, line in enumerate(self.lines, start=1):
            found.setdefault(line.grievance, []).append((n, line))
        return found


def drawn(
    paper: Paper, actor: Actor, world: World, situation: Situation, next_number: Callable[[str, int], int]
) -> DocumentDraft:
    """Draw the document's number; it is carried by the first line's grievance.

    Raises IllegalAction where the file has no such document, Forbidden for who may not issue it.
    """
    spec = _spec(world.rules, paper.kind)
    if acting_role(spec.by, actor, world, situation) is None:
        raise Forbidden("您的角色不能签发这种文书")
    year = world.calendar.local_date(world.now).year
    n = next_number(spec.series, year)
    number = number_in(spec.series, year, n)
    units = {line.unit for line in paper.lines if line.unit}
    addressee = next(iter(units)) if len(units) == 1 else next(iter(_units(spec.to, world, situation)), None)
    copies = tuple(unit for unit in _units(spec.copies, world, situation) if unit != addressee)
    text = world.redact(paper.text) if paper.text else spec.text
    return DocumentDraft(number, paper.kind, spec.series, year, n, None, addressee, copies, text, world.now)


def one_series(kind: str, rules: Sequence[Rules]) -> None:
    """See that every line's file numbers this document from the same series.

    Raises Conflict.
    """
    if len({_spec(one, kind).series for one in rules}) > 1:
        raise Conflict("这些诉求所用的流程版本文号不同，请分开签发")


def decided(
    world: World,
    situation: Situation,
    actor: Actor,
    paper: Paper,
    lines: Sequence[tuple[int, PaperLine]],
    document: DocumentDraft,
    *,
    first: bool,
) -> list[tuple[int, Step]]:
    """Decide the lines that name one grievance, each on what the one before left. Raises as machine.decide does."""
    found: list[tuple[int, Step]] = []
    for n, item in lines:
        draft = document if first and not found else None
        line = Line(paper.kind, document.number, item.unit, item.form, document.copies, draft)
        try:
            if item.unit is not None and world.directory.unit(item.unit) is None:
                raise BadForm("没有这个单位", fields=[{"path": "unit", "problem": "没有这个单位，或它已停用"}])
            step = actions.decide_line(world, situation, actor, line)
        except WuyeError as error:
            if len(paper.lines) > 1:
                error.detail = f"第 {n} 条：{error.detail}"
            error.extra["line"] = n
            raise
        situation = step.situation
        found.append((n, step))
    return found


def receipt(document: DocumentDraft, decided: Sequence[tuple[Situation, Sequence[tuple[int, Step]]]]) -> bytes:
    """Return the answer: the document's number, and for each line the task it opened and on which grievance."""
    lines = [
        {
            "n": n,
            "grievance": situation.grievance.number,
            "task": str(step.opened),
            "unit": step.situation.tasks[step.opened].holder_unit if step.opened else None,
        }
        for situation, steps in decided
        for n, step in steps
    ]
    lines.sort(key=lambda line: int(str(line["n"])))
    return orjson.dumps({"number": document.number, "kind": document.kind, "lines": lines})


def _spec(rules: Rules, kind: str) -> DocumentKind:
    spec = rules.workflow.documents.get(kind)
    if spec is None or spec.opens is None:
        raise IllegalAction("流程里没有这种逐条发起任务的文书")
    return spec


def _units(names: Sequence[str], world: World, situation: Situation) -> dict[str, None]:
    return dict.fromkeys(unit for name in names for unit in units_of(name, world, situation))

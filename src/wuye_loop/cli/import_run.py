"""One import: the rows of a sheet taken in batch by batch, each row's fate written down, none counted twice."""

import csv
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import blake2b
from http import HTTPStatus
from itertools import islice
from pathlib import Path
from typing import IO, Any, Final, Self

import orjson
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from wuye_loop.cli.order_rows import BadRow, OrderRow, order_of
from wuye_loop.cli.output import ZONE
from wuye_loop.cli.spreadsheet import BadFile, private
from wuye_loop.domain.errors import Conflict, Unavailable, WuyeError
from wuye_loop.domain.grievance.order import Correction
from wuye_loop.domain.grievance.situation import Actor
from wuye_loop.domain.sheets.cells import id_text, safe
from wuye_loop.domain.sheets.delimited import SheetLine
from wuye_loop.domain.sheets.refused import RefusedRow
from wuye_loop.domain.sheets.sheet import Sheet, is_blank_line
from wuye_loop.domain.terms import ActorKind
from wuye_loop.edge.site import Site
from wuye_loop.edge.transact import taken_in
from wuye_loop.loop.collect import Incoming, collect, digest_of
from wuye_loop.loop.correct import correct
from wuye_loop.loop.engine import StepResult

_BATCH: Final = 50  # rows between two reports of progress; whoever stops the import takes the same rows up again
_COLUMNS: Final = ("row", "external_id", "number", "status", "flags", "reason")
_STATUS: Final = {HTTPStatus.CREATED: "new", HTTPStatus.OK: "known"}


@dataclass(slots=True)
class Tally:
    """How many rows there were, and what became of them: rows = new + known (same) + refused (bad) + blank."""

    rows: int = 0
    new: int = 0
    same: int = 0
    bad: int = 0
    blank: int = 0
    flagged: int = 0
    corrected: int = 0  # of the known ones: superseded by what the file says now
    routing: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of one row."""

    line: int
    external_id: str
    status: str
    number: str = ""
    flags: tuple[str, ...] = ()
    reason: str = ""
    unit: str | None = None  # whom the routers would give it to


class Report:
    """A table of every row's fate, readable by its owner alone; without a path it keeps nothing."""

    def __init__(self, path: Path | None) -> None:
        self._file: IO[str] | None = private(path) if path is not None else None
        self._writer = csv.writer(self._file) if self._file is not None else None
        if self._writer is not None:
            self._writer.writerow(_COLUMNS)

    def add(self, fate: Fate) -> None:
        """Write one row."""
        if self._writer is not None:
            self._writer.writerow(
                [fate.line, safe(fate.external_id), fate.number, fate.status, ";".join(fate.flags), fate.reason]
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()


class _DryRun(Exception):
    """Ends a transaction in which everything went well, so that nothing of it stays."""


@dataclass(slots=True)
class Import:
    """What an import goes by, and what it has come to so far."""

    site: Site
    actor: Actor
    columns: Mapping[str, str]
    usual: Mapping[str, str]  # channel and kind where a row does not say
    bad: BadFile
    report: Report
    rounded: bool = False
    dry: bool = False
    supersede: bool = False
    tally: Tally = field(default_factory=Tally)
    _seen: dict[str, bytes] = field(default_factory=dict)  # of a dry run: earlier batches have left nothing behind

    def run(self, sheet: Sheet) -> Iterator[int]:
        """Take every row in; yield how many are done after each batch."""
        lines = sheet.lines(self.columns["external_id"], timed=False)
        while batch := list(islice(lines, _BATCH)):
            forms: list[tuple[SheetLine, OrderRow]] = []
            fates: list[Fate] = []
            for line in batch:
                self.tally.rows += 1
                if is_blank_line(line):
                    fates.append(Fate(line.number, "", "blank"))
                    continue
                try:
                    forms.append((line, self._order(sheet, line)))
                except BadRow as error:
                    fates.append(self._refused(line, sheet, str(error)))
            fates += self._taken(sheet, forms)
            for fate in sorted(fates, key=lambda fate: fate.line):
                self._count(fate)
            yield len(batch)

    def _order(self, sheet: Sheet, line: SheetLine) -> OrderRow:
        if line.trouble is not None:
            raise BadRow(line.trouble)
        return order_of(
            sheet.row(line),
            self.columns,
            channel=self.usual["channel"],
            kind=self.usual["kind"],
            zone=ZONE,
            rounded=self.rounded,
        )

    def _refused(self, line: SheetLine, sheet: Sheet, reason: str) -> Fate:
        self.bad.add(RefusedRow(line.number, line.cells, reason))
        cell = sheet.row(line).get(self.columns["external_id"], "") if len(line.cells) == len(sheet.header) else ""
        return Fate(line.number, id_text(cell)[:64], "refused", reason=reason)

    def _count(self, fate: Fate) -> None:
        tally = self.tally
        tally.new += fate.status == "new"
        tally.same += fate.status in ("known", "corrected")
        tally.corrected += fate.status == "corrected"
        tally.bad += fate.status == "refused"
        tally.blank += fate.status == "blank"
        tally.flagged += bool(fate.flags) and fate.status != "known"  # a known one was counted when it came
        if fate.status == "new":
            tally.routing[fate.unit or ""] += 1
        self.report.add(fate)

    def _taken(self, sheet: Sheet, forms: list[tuple[SheetLine, OrderRow]]) -> list[Fate]:
        """Take a batch in, or try it; each row's fate is known after its own transaction."""
        found = self._tried(forms) if self.dry else self._written(forms)
        return [
            fate if isinstance(fate, Fate) else self._refused(line, sheet, fate)
            for (line, _), fate in zip(forms, found, strict=True)
        ]

    def _written(self, forms: list[tuple[SheetLine, OrderRow]]) -> Iterator[Fate | str]:
        orders = [Incoming(order.form, order.flags) for _, order in forms]
        outcomes = taken_in(self.site, orders, self.actor, self.site.database.write)
        for (line, order), outcome in zip(forms, outcomes, strict=True):
            if isinstance(outcome, StepResult):
                yield self._fate(line, order, outcome)
            elif isinstance(outcome, SQLAlchemyError | Unavailable):  # no fault of the row
                raise outcome
            elif self.supersede and isinstance(outcome, Conflict) and outcome.extra.get("number"):
                yield self._corrected(line, order, str(outcome.extra["number"]))
            else:
                yield outcome.detail

    def _corrected(self, line: SheetLine, order: OrderRow, number: str) -> Fate | str:
        try:
            with self.site.database.begin() as session:
                return self._superseded(session, line, order, number)
        except WuyeError as error:
            return error.detail

    def _tried(self, forms: list[tuple[SheetLine, OrderRow]]) -> list[Fate | str]:
        """Take a batch in in one transaction that is rolled back; return each row's fate, or why it would be refused."""
        found: list[Fate | str] = []
        with suppress(_DryRun), self.site.database.begin() as session:
            for line, order in forms:
                try:
                    found.append(self._one(session, line, order))
                except Unavailable:  # no fault of the row
                    raise
                except WuyeError as error:
                    found.append(error.detail)
            raise _DryRun
        return found

    def _one(self, session: Session, line: SheetLine, order: OrderRow) -> Fate:
        form = order.form
        digest = blake2b(form.model_dump_json().encode(), digest_size=16).digest()
        if form.external_id in self._seen:
            if self._seen[form.external_id] != digest:
                raise Conflict("同一来源的这个外部编号已用于另一件诉求")
            return Fate(line.number, form.external_id, "known")
        try:
            outcome = collect(self.site.loop, session, form, self.actor, flags=order.flags)
        except Conflict as error:
            if not self.supersede or not error.extra.get("number"):
                raise
            return self._superseded(session, line, order, str(error.extra["number"]))
        self._seen[form.external_id] = digest
        return self._fate(line, order, outcome)

    def _fate(self, line: SheetLine, order: OrderRow, outcome: StepResult) -> Fate:
        receipt: dict[str, Any] = orjson.loads(outcome.body)
        new, attached = outcome.status == HTTPStatus.CREATED, receipt.get("attached_to")
        return Fate(
            line.number,
            order.form.external_id,
            _STATUS[HTTPStatus(outcome.status)],
            "" if self.dry and new else str(attached or receipt["number"]),
            () if attached else tuple(receipt.get("flags", ())),
            unit=next((trace["unit"] for trace in receipt.get("routing", ()) if trace.get("unit")), None),
        )

    def _superseded(self, session: Session, line: SheetLine, order: OrderRow, number: str) -> Fate:
        """Correct a known grievance by what the row says; what the row leaves empty stays."""
        form = order.form
        told: dict[str, Any] = {"reason": "按表更正", "title": form.title, "body": form.body, "kind": form.kind}
        told |= {name: value for name in ("category", "occurred_at") if (value := getattr(form, name)) is not None}
        if place := form.place.model_dump(exclude_none=True):
            told["place"] = place
        if form.complainant.phone:
            told["phone"] = form.complainant.phone
        outcome = correct(
            self.site.loop,
            session,
            number,
            Correction.model_validate(told),
            Actor(ActorKind.ADMIN),
            digest=digest_of(self.site.loop, form),
        )
        if not self.dry:
            self.site.jobs.defer(session, outcome.jobs)
        shown: dict[str, Any] = orjson.loads(outcome.body)
        return Fate(line.number, form.external_id, "corrected", number, tuple(shown["flags"]))

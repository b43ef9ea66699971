"""What changes seldom and is asked on every step: rules, calendars, directory. Kept until their epoch moves."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy import text
from sqlalchemy.exc import NoResultFound
from sqlalchemy.orm import Session

from wuye_loop.domain.directory.directory import Directory
from wuye_loop.domain.errors import NotFound
from wuye_loop.domain.language.workflow import OfficeHours
from wuye_loop.domain.rulefile.definition import parse
from wuye_loop.domain.rules.rules import Rules
from wuye_loop.domain.suggesting.model import Model
from wuye_loop.domain.time.calendar import WorkCalendar
from wuye_loop.store import straight
from wuye_loop.store.calendar.working_days import read_calendar
from wuye_loop.store.directory.read import read_directory
from wuye_loop.store.workflows import models

Epochs = tuple[int, int, int]  # directory, calendar, workflows
_Dated = tuple[date, int, str]  # in force from, version, name@version
#: What `refresh` asks, to be asked ahead.
EPOCHS: straight.Asked = ("SELECT directory, calendar, workflows FROM epoch WHERE id = 1", {})
_NEVER: Epochs = (-1, -1, -1)


class Reference:
    """One per process. `refresh` is a comparison of three numbers unless something was loaded or published."""

    def __init__(self) -> None:
        self._epochs = _NEVER
        self._directory = Directory((), ())
        self._calendars: dict[tuple[str, tuple[str, ...]], WorkCalendar] = {}
        self._rules: dict[str, Rules] = {}
        self._model: tuple[Model | None] | None = None  # None until it was asked for

        #: Versions of a workflow's name: those with a day from which they are in force (and itself), those without.
        self._dated: dict[str, tuple[list[_Dated], list[_Dated]]] = {}

    def refresh(self, session: Session, epochs: Epochs | None = None) -> None:
        """Read again what has changed since it was read; `epochs` are the present ones, if the caller knows them."""
        if epochs is None:
            found = straight.rows(session, *EPOCHS)
            if not found:
                raise NoResultFound("epoch")
            epochs = (found[0][0], found[0][1], found[0][2])
        if epochs == self._epochs:
            return
        if epochs[0] != self._epochs[0]:
            self._directory = read_directory(session)
        if epochs[1] != self._epochs[1]:
            self._calendars = {}
        if epochs[2] != self._epochs[2]:
            self._model = None

            self._dated = {}
        if epochs[2] != self._epochs[2] and self._rules:
            known = set(session.execute(text("SELECT id FROM workflow")).scalars())
            self._rules = {name: rules for name, rules in self._rules.items() if name in known}
        self._epochs = epochs

    @property
    def directory(self) -> Directory:
        """The directory as last read."""
        return self._directory

    def calendar(self, session: Session, hours: OfficeHours) -> WorkCalendar:
        """Return the working calendar with these office hours."""
        key = (hours.zone, hours.hours)
        found = self._calendars.get(key)
        if found is None:
            found = self._calendars[key] = read_calendar(session, hours.zone, hours.hours)
        return found

    def model(self, session: Session) -> Model | None:
        """Return the learned model that suggests now, if one was chosen."""
        if self._model is None:
            self._model = (models.in_use(session),)
        return self._model[0]

    def in_force(self, session: Session, workflow_id: str, at: datetime) -> str:
        """Return the version of a workflow by which a grievance goes that comes in then, in the city's own time.

        That is the one asked for, unless another version of its name says from which day it is in force (`effective_from`):
        then the latest of them that has begun.
        """
        dated = self._dated.get(workflow_id)
        if dated is None:
            name = workflow_id.partition("@")[0]
            ids = session.execute(text("SELECT id FROM workflow WHERE starts_with(id, :name)"), {"name": f"{name}@"})
            every = [self.rules(session, one).workflow for one in ids.scalars()]
            asked = [
                (one.effective_from or date.min, one.version, one.id)
                for one in every
                if one.effective_from is not None or one.id == workflow_id
            ]
            plain = [(date.min, one.version, one.id) for one in every if one.effective_from is None]
            dated = self._dated[workflow_id] = sorted(asked), sorted(plain)
        asked, plain = dated
        if len(asked) <= 1 and asked[:1] != [] and asked[0][0] == date.min:
            return workflow_id
        zone = ZoneInfo(self.rules(session, workflow_id).workflow.calendar.zone)
        today = at.astimezone(zone).date()
        begun = [one for one in asked if one[0] <= today] or plain or asked[:1]
        return begun[-1][2] if begun else workflow_id

    def rules(self, session: Session, workflow_id: str) -> Rules:
        """Return a published workflow, compiled. A published version never changes, so it is kept until it is removed.

        Raises NotFound when no such version is published.
        """
        found = self._rules.get(workflow_id)
        if found is None:
            row = session.execute(text("SELECT text FROM workflow WHERE id = :id"), {"id": workflow_id}).first()
            if row is None:
                raise NotFound("没有发布过这个流程版本")
            found = self._rules[workflow_id] = Rules(parse(row.text, f"{workflow_id}.yaml"))
        return found

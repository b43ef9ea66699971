"""Everybody's part under rules that no player knows by heart: the usual way on, and whatever is special to the city."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

from wuye_loop.demo.doors import together
from wuye_loop.demo.scene import HOTLINE, SUPERVISOR, Case, Scene
from wuye_loop.domain.directory.directory import Directory
from wuye_loop.domain.language.forms import FieldSpec
from wuye_loop.domain.language.workflow import DutyUnit, EstateUnit, Role, Workflow
from wuye_loop.trial.simulation.inputs.mainline import states_of

#: Kinds of task that the players of the own script see to.
PLAYED: Final = frozenset({"extension", "suspension", "assist", "supervision_order", "question"})
_ACTS, _ASIDE, _SPECIAL, _OPTIONAL, _FIRST, _TRUE = 0.6, 0.06, 0.12, 0.4, 0.75, 0.9
_MEETS: Final = 3  # working days from one meeting to the next
_SELDOM: Final = 0.02  # in a play whose own script fills the days
_WORDS: Final = "已到现场核实，情况属实，正在按职责落实，有结果及时告知。"
_UNASKED: Final = ("grievance", "file")  # what is never filled in: forms that must have them are left alone


class Everybody:
    """Plays all roles of a workflow by what its file says of them; tasks of the kinds in `others` are not touched."""

    def __init__(
        self, scene: Scene, workflow: Workflow, directory: Directory, others: frozenset[str] = frozenset()
    ) -> None:
        self._scene, self._workflow, self._directory = scene, workflow, directory
        self._others = others
        self._share = _SELDOM if others else _SPECIAL
        self._usual = states_of(workflow)
        self._departments = [code for code, unit in scene.units.items() if unit["kind"] == "department"]

    async def go_on(self) -> None:
        """Let whoever has a grievance take it on as is usual; some days nobody gets to it."""
        rows = await self._scene.doors.all(SUPERVISOR, "/v1/grievances")
        await together(self._case(row) for row in rows if not row["final"])

    async def special(self) -> None:
        """Let those who may open what is special to the city, here and there."""
        kinds = [kind for kind in self._workflow.tasks if kind not in self._others]
        if not kinds:
            return
        rows = await self._scene.doors.all(SUPERVISOR, "/v1/grievances")
        for row in rows:  # one after the other: papers are numbered as they are issued
            if not row["final"]:
                await self._opens(row, kinds)

    async def tasks(self, holders: Iterable[str]) -> None:
        """Let units work on the tasks that they hold, and supervisors on the orders that were answered."""
        if self._others.issuperset(self._workflow.tasks):
            return
        chosen = [unit for unit in holders if unit in self._scene.units]
        boxes = await together(self._scene.doors.all(unit, "/v1/inbox") for unit in chosen)
        items = [
            (unit, item["task_id"], item["kind"], item["number"])
            for unit, box in zip(chosen, boxes, strict=True)
            for item in box
            if item["type"] == "task" and item["kind"] not in self._others
        ]
        gathered = {paper.gathers for paper in self._workflow.documents.values()}
        for item in items:
            if self._scene.hurry or item[2] not in gathered:
                await self._task(*item)
        if "supervision_order" not in self._others:
            orders = await self._scene.doors.all(SUPERVISOR, "/v1/supervision/orders", state="answered")
            await together(self._task(SUPERVISOR, one["id"], "supervision_order", one["grievance"]) for one in orders)
        if self._scene.day % _MEETS == 0:
            await self._meetings(items)

    # --- one grievance ---

    async def _case(self, row: Mapping[str, Any]) -> None:
        scene, number = self._scene, str(row["number"])
        case, usual = scene.cases[number], self._usual.get(row["state"])
        if not scene.hurry and not scene.chance.happens(_ACTS, "acts", case.key, row["state"], self._when):
            return
        for who in self._who(row, usual.worker if usual is not None else None):
            free = await scene.doors.free(who, f"/v1/grievances/{number}")
            action = self._chosen(case, free, usual.actions if usual is not None else ())
            if action is None:
                continue
            form = self._form(case, self._workflow.actions[action].needs, action)
            if form is None:
                continue
            answer = await scene.doors.tried(who, f"/v1/grievances/{number}/actions/{action}", form)
            if answer is not None:
                case.learn(answer)
                return

    def _chosen(self, case: Case, free: Sequence[str], usual: Sequence[str]) -> str | None:
        """Return the usual action where it may be taken; now and then another that is offered."""
        known = [action for action in usual if action in free]
        if not known:
            return None
        chance = self._scene.chance
        if len(known) > 1 and not self._scene.hurry and chance.happens(_ASIDE, "aside", case.key, self._when):
            return chance.pick(known[1:], "which", case.key, self._when)
        return known[0]

    def _who(self, row: Mapping[str, Any], worker: str | None) -> list[str]:
        """Return who may take a grievance on, the likeliest first: the holder, whoever usually does, the people who call."""
        found = [row["holder_unit"]]
        role = self._workflow.roles.get(worker or "")
        found += [self._unit(role, row)] if role is not None else []
        return [who for who in dict.fromkeys((*found, HOTLINE)) if who == HOTLINE or who in self._scene.units]

    def _unit(self, role: Role, row: Mapping[str, Any]) -> str | None:
        """Return the unit that a role stands for on a grievance of the list; None where it is not one of these players."""
        where = role.unit
        if isinstance(where, EstateUnit):
            return self._scene.cases[str(row["number"])].company
        if isinstance(where, DutyUnit):
            area = self._directory.areas.get(row["area"] or "")
            levels = [str(one) for one in self._workflow.levels] if where.level == "current" else [str(where.level)]
            found = (self._directory.by_duty(where.duty, area.path, level) for level in levels) if area else ()
            return next((unit.code for unit in found if unit is not None), None)
        if where == "lead":
            return str(row["lead_unit"]) if row["lead_unit"] else None
        return where if isinstance(where, str) and where in self._scene.units else None

    # --- what is special ---

    async def _opens(self, row: Mapping[str, Any], kinds: Sequence[str]) -> None:
        scene, number = self._scene, str(row["number"])
        case = scene.cases[number]
        wanted = [kind for kind in kinds if scene.chance.happens(self._share, "opens", kind, case.key, scene.day)]
        roles = {name for kind in wanted for name in self._workflow.tasks[kind].open.by}
        openers = [self._unit(self._workflow.roles[name], row) for name in sorted(roles & set(self._workflow.roles))]
        for who in dict.fromkeys((*openers, row["holder_unit"], row["lead_unit"], SUPERVISOR)):
            if not wanted or (who != SUPERVISOR and who not in scene.units):
                continue
            free = await scene.doors.may_open(who, number)
            for kind in [kind for kind in wanted if kind in free]:
                form = self._form(case, self._workflow.tasks[kind].open.needs, kind)
                if form is not None and await scene.doors.tried(who, f"/v1/grievances/{number}/tasks/{kind}", form):
                    case.count("special")
                    return

    async def _task(self, who: str, task: str, kind: str, number: str) -> None:
        scene, case = self._scene, self._scene.cases[number]
        if not scene.hurry and not scene.chance.happens(_ACTS, "task", case.key, kind, who, self._when):
            return
        free = await scene.doors.free(who, f"/v1/tasks/{task}")
        if not free:
            return
        first = scene.hurry or scene.chance.happens(_FIRST, "first", case.key, kind, self._when)
        action = free[0] if first else scene.chance.pick(free, "task action", case.key, kind, self._when)
        form = self._form(case, self._workflow.tasks[kind].actions[action].needs, action)
        if form is not None:
            await scene.doors.tried(who, f"/v1/tasks/{task}/actions/{action}", form)

    async def _meetings(self, items: Sequence[tuple[str, str, str, str]]) -> None:
        """Let whoever holds what a document gathers issue it, with one line for each matter."""
        for name, paper in self._workflow.documents.items():
            if paper.opens is None or paper.gathers is None:
                continue
            waiting: dict[str, dict[str, None]] = {}
            for unit, _, kind, number in items:
                if kind == paper.gathers:
                    waiting.setdefault(unit, {})[number] = None
            needs = self._workflow.tasks[paper.opens].open.needs
            for unit, numbers in waiting.items():
                lines = [(number, self._form(self._scene.cases[number], needs, name)) for number in numbers]
                body = {
                    "kind": name,
                    "text": "会议研究了下列事项，逐条交办。",
                    "lines": [{"grievance": number, "form": form} for number, form in lines if form is not None],
                }
                if body["lines"]:
                    await self._scene.doors.tried(unit, "/v1/documents", body)

    # --- forms ---

    @property
    def _when(self) -> str:
        return f"{self._scene.today} {self._scene.slot}"

    def _form(self, case: Case, needs: Mapping[str, FieldSpec], what: str) -> dict[str, Any] | None:
        """Return a form filled in by the types of its fields; None where it asks what nobody here can give."""
        filled: dict[str, Any] = {}
        for name, spec in needs.items():
            asked = spec.when is None or spec.when.holds({f"form.{key}": value for key, value in filled.items()})
            if not asked:
                continue
            if spec.type in _UNASKED:
                if not spec.optional:
                    return None
                continue
            if spec.optional and not self._scene.chance.happens(
                _OPTIONAL, "optional", what, name, case.key, self._when
            ):
                continue
            filled[name] = self._value(case, name, spec, what)
        return filled

    def _value(self, case: Case, name: str, spec: FieldSpec, what: str) -> Any:
        chance, question = self._scene.chance, (what, name, case.key, self._when)
        if spec.choices:
            first = self._scene.hurry or chance.happens(_FIRST, "first", *question)
            return spec.choices[0] if first else chance.pick(spec.choices, *question)
        low = max(spec.min or 0, 1)
        given: Mapping[str, Callable[[], Any]] = {
            "int": lambda: chance.between(low, max(low, min(spec.max or 5, low + 4)), *question),
            "bool": lambda: chance.happens(_TRUE, *question),
            "date": (self._scene.today + timedelta(days=chance.between(5, 10, *question))).isoformat,
            "time": (self._scene.now + timedelta(hours=20 if spec.future else -1)).isoformat,
            "unit": lambda: chance.pick(self._departments, *question),
        }
        return given[spec.type]() if spec.type in given else _WORDS[: spec.max or len(_WORDS)]

"""Takes running grievances from one version of the rules to another: asked first, then one by one, each by itself."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

from sqlalchemy.orm import Session

from wuye_loop.domain.errors import Conflict, NotFound, RecordDamaged
from wuye_loop.domain.grievance.situation import SYSTEM_ACTOR, Situation, World
from wuye_loop.domain.rules.rules import Rules
from wuye_loop.domain.step.migration.carry import Moved, migrated
from wuye_loop.domain.step.migration.mapping import MissingTarget, NotMigratable, VersionMapping
from wuye_loop.domain.step.records import Step
from wuye_loop.loop import engine, under_lock
from wuye_loop.loop.engine import Loop
from wuye_loop.store.database import Database
from wuye_loop.store.grievance import by_version

Told = Callable[[int], None]


@dataclass(slots=True)
class Survey:
    """What would become of the running grievances; where `missing` is not empty, nothing may begin."""

    moved: list[Moved] = field(default_factory=list)
    missing: dict[MissingTarget, tuple[int, str]] = field(
        default_factory=dict
    )  # how many, and the number of one of them

    def note(self, number: str, found: list[MissingTarget]) -> None:
        """Note what one grievance lacks."""
        for target in found:
            count, example = self.missing.get(target, (0, number))
            self.missing[target] = (count + 1, example)


def mapping(
    loop: Loop, session: Session, old: str, new: str, *, new_limits: bool = False, becomes: Rules | None = None
) -> VersionMapping:
    """Return the way between two published versions; `becomes` is the new one where it is not published yet.

    Raises NotFound where one of them is not published, Conflict where they are the same.
    """
    if old == new:
        raise Conflict("新旧版本是同一个")
    loop.reference.refresh(session)
    return VersionMapping(_rules(loop, session, old), becomes or _rules(loop, session, new), new_limits)


def survey(loop: Loop, database: Database, way: VersionMapping, told: Told = lambda _: None) -> Survey:
    """Look at every running grievance of the old version without changing any."""
    found = Survey()
    with database.read() as session:
        loop.reference.refresh(session)
        total = 0
        for number in by_version.numbers(session, way.old.id):
            try:
                locked = under_lock.read(loop.keyring, session, number, SYSTEM_ACTOR)
            except RecordDamaged:  # it stays where it is; the move itself names it
                continue
            if locked is None or locked.situation.grievance.final:
                continue
            world = _under(loop, session, engine.world_of(loop, session, locked), way)
            try:
                found.moved.append(migrated(world, locked.situation, way)[1])
            except NotMigratable as error:
                found.note(number, error.missing)
            total += 1
            told(total)
    return found


def move(loop: Loop, session: Session, number: str, way: VersionMapping) -> Moved | None:
    """Take one grievance over under its lock; None when it is over, or was taken over before.

    Raises NotMigratable when it has been moved since to where nothing leads on.
    """
    report: list[Moved] = []

    def decided(world: World, situation: Situation) -> Step | None:
        if situation.grievance.final or situation.grievance.workflow != way.old.id:
            return None
        step, moved = migrated(_under(loop, session, world, way), situation, way)
        report.append(moved)
        changed = [key for key, item in step.situation.clocks.items() if situation.clocks.get(key) is not item]
        by_version.clear(session, [key for key in changed if key in situation.clocks])
        return step

    engine.amend(loop, session, number, decided)
    return report[0] if report else None


def migrate(
    loop: Loop, database: Database, way: VersionMapping, *, stopped: Callable[[], bool] = lambda: False
) -> Iterator[Moved | tuple[str, list[MissingTarget]]]:
    """Take over every running grievance of the old version, each in a transaction of its own; yield what became of each.

    One that has come to where nothing leads on since it was asked is passed over and yielded with what it lacks; a damaged
    one with nothing.
    Ends early once `stopped` says so; to begin again is to go on.
    """
    with database.read() as session:
        numbers = list(by_version.numbers(session, way.old.id))
    for number in numbers:
        if stopped():
            return
        try:
            with database.begin() as session:
                moved = move(loop, session, number, way)
        except NotMigratable as error:
            yield number, error.missing
            continue
        except RecordDamaged:
            yield number, []
            continue
        if moved is not None:
            yield moved


def _under(loop: Loop, session: Session, world: World, way: VersionMapping) -> World:
    """Return the world as the new version sees it."""
    calendar = loop.reference.calendar(session, way.new.workflow.calendar)
    return replace(world, rules=way.new, calendar=calendar)


def _rules(loop: Loop, session: Session, workflow: str) -> Rules:
    try:
        return loop.reference.rules(session, workflow)
    except NotFound:
        raise NotFound(
            f"没有发布过流程 {workflow}：把 {workflow}.yaml 放进 WUYE_WORKFLOWS 的目录，再运行一次本命令；"
            "已发布的见 wuye-loop workflow list"
        ) from None

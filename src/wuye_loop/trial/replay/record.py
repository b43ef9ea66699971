"""What a record says to a replay: how it came in, who acted, how it was routed, when each rung fired and each clock ran."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from uuid import UUID

from wuye_loop.domain.errors import WuyeError
from wuye_loop.domain.grievance.ledger import GENESIS, RUNG
from wuye_loop.domain.grievance.situation import ANY_POST, Actor, Brief, GrievanceState, Situation
from wuye_loop.domain.routing.chain import Choice
from wuye_loop.domain.suggesting.suggestion import SUGGESTION
from wuye_loop.domain.terms import ActorKind
from wuye_loop.domain.time.timestamps import as_text
from wuye_loop.loop.engine import NUMBER
from wuye_loop.store.reads.recorded import FIXED, Act, Recorded
from wuye_loop.trial.replay.pair import Pair, Place

#: Stands for another grievance that is named or followed: only whether it is over matters.
OTHER = UUID(int=1)
#: Stands for the grievance itself: nothing that is decided depends on the id.
ITSELF = UUID(int=0)
_LONG_AGO = datetime.fromtimestamp(0, UTC)


def no_loads(units: Sequence[str]) -> Mapping[str, int]:  # noqa: ARG001 the routers call it so
    """Know of no open grievances: how many a unit had then is not recorded."""
    return {}


def choice_of(act: Act) -> Choice:
    """Return what the routers decided in a recorded row."""
    if act.facts.get("routed") is False:
        return Choice(None, (), (), desk=True)
    answered = [one for one in act.facts.get("routing", ()) if one.get("unit") and one["outcome"] != "no-match"]
    if not answered:
        return Choice(None, (), (), desk=True)
    return Choice(answered[-1]["unit"], tuple(answered[-1].get("assists", ())), (), desk=False)


def others_of(act: Act) -> dict[str, Brief]:
    """Return the other grievances that a recorded form names."""
    others = {}
    for value in act.facts.values():
        if isinstance(value, str) and NUMBER.fullmatch(value):
            others[value] = Brief(OTHER, value, "", final=False, merged_into=None)
    return others


def actor_of(act: Act, recorded: Recorded) -> Actor:
    """Return who acted; what the ledger does not keep of a key is what it must have been to act at all."""
    kind, unit, _ = act.actor
    return _actor(kind, unit, recorded.fixed["source"])


@lru_cache(maxsize=4096)  # a city has some hundred units
def _actor(name: str, unit: str | None, source: str) -> Actor:
    kind = ActorKind(name)
    own = source if kind is ActorKind.HOTLINE else None
    return Actor(kind, unit, "", source=own, posts=frozenset({ANY_POST}))


def why(error: WuyeError) -> str:
    """Return in words why an action is refused: field by field where its form is."""
    fields = error.extra.get("fields")
    if isinstance(fields, list | tuple) and fields:
        return "；".join(f"{one['path']}：{one['problem']}" for one in fields)
    return error.detail


def fires(recorded: Recorded, pair: Pair) -> dict[tuple[Place, str], tuple[datetime, int]]:
    """Return when each rung was recorded to fire, by where it stands in the other version and when its clock was due."""
    found: dict[tuple[Place, str], tuple[datetime, int]] = {}
    for act in recorded.rungs:
        task = recorded.tasks.get(act.task) if act.task is not None else None
        place = pair.became.get((task.kind if task else None, act.action.removeprefix(RUNG), act.facts["rung"]))
        if place is not None:
            found[place, act.facts["due"]] = (act.at, act.seq)
    return found


def ran(recorded: Recorded, pair: Pair, until: datetime) -> dict[tuple[str | None, str, str], datetime]:
    """Return until when each recorded clock ran, by its flow, the name it has now and when it was due."""
    found = {}
    for clock in recorded.clocks:
        task = recorded.tasks.get(clock.task) if clock.task is not None else None
        key = (task.kind if task else None, pair.mapping.clock(clock.name), as_text(clock.due_at))
        found[key] = clock.ended_at or until + timedelta(microseconds=1)
    return found


def arrived(recorded: Recorded, pair: Pair) -> Situation:
    """Return the grievance as it came in: what its first row says, under the other version's first state."""
    fixed, image = recorded.fixed, recorded.intake
    grievance = _blank(pair.new.id, pair.new.workflow.start, pair.new.workflow.levels[0].value).copy()
    for name in FIXED:
        setattr(grievance, name, fixed[name])
    grievance.number = recorded.number
    grievance.state_since = fixed["received_at"]
    grievance.category = image["category"]
    by_model = (image["data"].get(SUGGESTION) or {}).get("by") == "model"  # its numbers are the same under any file
    if recorded.suggested and not pair.same_words and not by_model:
        grievance.category = pair.new.suggest(str(fixed["title"]), str(fixed["body"]))
    grievance.urgency = image["urgency"]
    grievance.data = image["data"]
    if image["flags"]:
        grievance.flags = tuple(image["flags"])
    return Situation(grievance, {}, {})


@lru_cache(maxsize=64)
def _blank(workflow: str, state: str, level: str) -> GrievanceState:
    """Return a grievance of these rules of which nothing is known: to be copied, which is a tenth of making it."""
    return GrievanceState(
        id=ITSELF,
        number="",
        workflow=workflow,
        source="",
        channel="",
        kind="",
        title="",
        body="",
        received_at=_LONG_AGO,
        estate_code=None,
        area_code=None,
        area_path="",
        company_code=None,
        anonymous=False,
        category=None,
        urgency="",
        state=state,
        stage="collect",
        state_since=_LONG_AGO,
        final=False,
        cycle=1,
        level=level,
        lead_unit=None,
        holder_unit=None,
        holder_role=None,
        units=(),
        counts={},
        data={},
        did={},
        merged_into=None,
        followers=0,
        urged=0,
        flags=(),
        due_at=None,
        due_clock=None,
        closed_at=None,
        seq=0,
        head=GENESIS,
    )

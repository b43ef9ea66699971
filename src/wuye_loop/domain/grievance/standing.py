"""Whether a grievance is over, merged or at rest, and what became of a task because of it, in words."""

from collections.abc import Mapping
from typing import Any, Final, Literal

from wuye_loop.domain.grievance.situation import GrievanceState
from wuye_loop.domain.rules.rules import Rules

Because = Literal["final", "merge", "suspend", "leave"]
#: Where a task's data keep what became of it because of its grievance: no form field can have this name.
FOLLOWED: Final = "@parent"

_WHY: Final[Mapping[str, str]] = {
    "final": "诉求已办结",
    "merge": "诉求已并案",
    "suspend": "诉求已挂起",
    "leave": "诉求已转入别的环节",
    "open": "诉求恢复办理",
}
_DID: Final[Mapping[str, str]] = {"withdraw": "任务已撤回", "pause": "任务暂停", "resume": "任务恢复"}
_STATE: Final[Mapping[str, str]] = {"withdraw": "已撤回", "pause": "暂停中"}


def because(rules: Rules, grievance: GrievanceState) -> Because | None:
    """Return why tasks have to follow their grievance now: it is over, merged, or at rest; None where it goes on."""
    if grievance.final:
        return "final"
    if grievance.merged_into is not None:
        return "merge"
    return "suspend" if grievance.state in rules.resting else None


def followed(data: Mapping[str, Any]) -> dict[str, str] | None:
    """Return what became of a task because of its grievance, with its words; None where nothing did."""
    kept = data.get(FOLLOWED)
    if not isinstance(kept, Mapping):
        return None
    did, why = str(kept["did"]), str(kept["because"])
    return {
        "did": did,
        "because": why,
        "title": _STATE.get(did, did),
        "text": f"{_WHY.get(why, why)}，{_DID.get(did, did)}",
    }


def deed(did: str, why: str) -> str:
    """Return in words what the ledger says of a task that followed: `任务已撤回（诉求已并案）`."""
    return f"{_DID.get(did, did)}（{_WHY.get(why, why)}）"


def withdrawn(data: Mapping[str, Any]) -> bool:
    """Say whether a task was withdrawn because of its grievance."""
    kept = data.get(FOLLOWED)
    return isinstance(kept, Mapping) and kept.get("did") == "withdraw"

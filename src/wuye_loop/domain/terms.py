"""The words of the field, one per thing: English in code, Chinese in what people read."""

from dataclasses import dataclass
from enum import StrEnum


class Stage(StrEnum):
    """The six stages of the closed loop, in the order a grievance travels."""

    COLLECT = "collect"
    ASSIGN = "assign"
    HANDLE = "handle"
    ESCALATE = "escalate"
    FEEDBACK = "feedback"
    EVALUATE = "evaluate"

    @property
    def chinese(self) -> str:
        """The stage's name as the 奎文 article writes it."""
        return _STAGES[self]


_STAGES = {
    Stage.COLLECT: "统一收集",
    Stage.ASSIGN: "问题转办",
    Stage.HANDLE: "单位承办",
    Stage.ESCALATE: "升级督办",
    Stage.FEEDBACK: "意见反馈",
    Stage.EVALUATE: "评价考核",
}


class Kind(StrEnum):
    """What the complainant wants (诉求类型), as the hotlines exchange it."""

    ENQUIRY = "咨询"
    HELP = "求助"
    COMPLAINT = "投诉"
    REPORT = "举报"
    SUGGESTION = "建议"
    THANKS = "感谢"
    OTHER = "其他"


class Urgency(StrEnum):
    """How urgent a grievance is (紧急程度), most urgent first."""

    CRITICAL = "特急"
    URGENT = "加急"
    NORMAL = "平急"
    ROUTINE = "常规"


class Audience(StrEnum):
    """Who may read a ledger row or a form field; each also reads what the next wider one may."""

    INTERNAL = "internal"  # dispatchers, supervisors, auditors
    UNITS = "units"  # and the units that work on the grievance
    PUBLIC = "public"  # and the complainant, through the hotline


class ActorKind(StrEnum):
    """What kind of key (or the system itself) acts."""

    HOTLINE = "hotline"
    UNIT = "unit"
    SUPERVISOR = "supervisor"
    ADMIN = "admin"
    SECURITY = "security"
    AUDITOR = "auditor"
    SYSTEM = "system"


class Level(StrEnum):
    """The levels of an area (属地), smallest first."""

    COMMUNITY = "community"
    STREET = "street"
    DISTRICT = "district"
    CITY = "city"


@dataclass(frozen=True, slots=True)
class Tally:
    """How many grievances are open in a state, and how many of them are overdue."""

    open: int
    overdue: int

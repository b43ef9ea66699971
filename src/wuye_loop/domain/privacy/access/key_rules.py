"""What a key may be: for each role, whether it names a unit, an area, a source, and whether it may open identities."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

from wuye_loop.domain.terms import ActorKind

REVEAL: Final = "identity:reveal"
COMPANY: Final = "company"
UNIT_SOURCE: Final = "unit:"  # what units register themselves has a source that begins so; no hotline may read it
LONGEST_SOURCE: Final = 64

#: 三权: no person should have two of them, and one over HTTP takes a second person.
POWERS: Final = (ActorKind.ADMIN, ActorKind.SECURITY, ActorKind.AUDITOR)
SCOPES: Final[Mapping[ActorKind, tuple[str, ...]]] = MappingProxyType(
    {
        ActorKind.HOTLINE: ("intake", "act", REVEAL),
        ActorKind.UNIT: ("act",),
        ActorKind.SUPERVISOR: ("act", "supervise"),
        ActorKind.ADMIN: ("admin", "act"),
        ActorKind.SECURITY: ("keys",),
        ActorKind.AUDITOR: ("read",),
    }
)


@dataclass(frozen=True, slots=True)
class Fit:
    """What goes with a role: a unit it must, may or must not name, whether that may be a company, and the rest."""

    unit: Literal["must", "may", "no"]
    company: bool = False
    area: bool = False
    source: bool = False
    reveal: bool = False


FITS: Final[Mapping[ActorKind, Fit]] = MappingProxyType(
    {
        ActorKind.HOTLINE: Fit("may", source=True, reveal=True),
        ActorKind.UNIT: Fit("must", company=True, reveal=True),
        ActorKind.SUPERVISOR: Fit("may", area=True),
        ActorKind.ADMIN: Fit("no", area=True),
        ActorKind.SECURITY: Fit("no"),
        ActorKind.AUDITOR: Fit("may", area=True),
    }
)
_NAMES: Final = {
    ActorKind.HOTLINE: "热线",
    ActorKind.UNIT: "单位",
    ActorKind.SUPERVISOR: "督办",
    ActorKind.ADMIN: "系统管理员",
    ActorKind.SECURITY: "安全管理员",
    ActorKind.AUDITOR: "审计",
}


def misfit(
    kind: ActorKind,
    *,
    unit: bool,
    unit_kind: str | None,
    area: bool,
    source: str | None,
    reveal: bool,
    what: str = "密钥",
) -> str | None:
    """Return in words what does not go with a role, or None.

    `unit_kind` is the kind of the active unit that is named, None where it is unknown or none is; `reveal` says that
    identities may be opened; `what` is made, a key or an account.
    """
    fit, name = FITS[kind], f"{_NAMES[kind]}{what}"
    company = unit_kind == COMPANY
    sees = {ActorKind.HOTLINE: "它看得到什么由来源定", ActorKind.SECURITY: "它不看诉求"}
    findings = (
        (unit and fit.unit == "no", f"{name}不属于哪个单位，不要写单位"),
        (not unit and fit.unit == "must", f"{name}要写明是哪个单位"),
        (unit and unit_kind is None, "没有这个单位，或它已停用"),
        (company and reveal, f"物业企业的{what}不能查看诉求人身份"),
        (company and not fit.company, f"物业企业不能有{name}，只能有单位{what}"),
        (area and not fit.area, f"{name}不写属地：{sees.get(kind, '它看得到什么由单位定')}"),
        (reveal and not fit.reveal, f"{name}不能查看诉求人身份，只有热线和承办单位的可以"),
    )
    words = next((said for wrong, said in findings if wrong), None)
    return words if words is not None or source is None else _source_problem(name, source, fit)


def _source_problem(name: str, source: str, fit: Fit) -> str | None:
    if not fit.source:
        return f"{name}没有来源，来源只属于热线"
    if not source or source != source.strip() or len(source) > LONGEST_SOURCE or not source.isprintable():
        return f"来源要写 1 至 {LONGEST_SOURCE} 个字，首尾没有空格，没有控制字符"
    if source.startswith(UNIT_SOURCE):
        return f"来源不能以“{UNIT_SOURCE}”开头：那是单位自己登记的"
    return None


def takes_two(kind: ActorKind, *, reveal: bool) -> bool:
    """Say whether such a key takes a second person over HTTP: the three powers, hotlines, whatever opens identities.

    A hotline reads all that its source sent, and learns whether a phone number has complained before.
    """
    return kind in POWERS or kind is ActorKind.HOTLINE or reveal

"""Whether a directory has the units that a scheme needs when its time comes: who opens, issues, gets, scores and decides."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from wuye_loop.domain.assessment.scheme import PEOPLE, SUBJECT, Consequence, Scheme
from wuye_loop.domain.directory.directory import Directory
from wuye_loop.domain.grievance.roles import issuing_role
from wuye_loop.domain.language.workflow import DutyUnit, Role, Workflow
from wuye_loop.domain.rules.roles import CompiledRole

_NAMED: Final = 5  # places that a finding names


@dataclass(frozen=True, slots=True)
class Need:
    """Where a file needs which roles, one of them at least, and for what; a copy goes to whom there is."""

    at: tuple[str | int, ...]
    roles: tuple[str, ...]
    what: str
    copy: bool = False


@dataclass(frozen=True, slots=True)
class Lack:
    """What a directory lacks: where the file asks for it, in words; grave where something cannot be carried out anywhere."""

    at: tuple[str | int, ...]
    words: str
    grave: bool


def lacking(scheme: Scheme, workflow: Workflow, directory: Directory) -> Iterator[Lack]:
    """Yield what a scheme asks that no unit of the directory is there for."""
    for need in _needs(scheme, workflow):
        roles = [workflow.roles[name] for name in need.roles if name in workflow.roles]
        found = [_places(role, directory) for role in roles]
        if not roles or None in found:
            continue  # somebody is there wherever it is; or it is a name that the checker has told of
        partly = [one for one in found if one]
        without = set.intersection(*map(set, partly)) if partly else set()
        titles = "、".join(f"“{role.title}”" for role in roles)
        fails = "不发" if need.copy else "办不了"
        if not partly:
            yield Lack(need.at, f"目录里没有{titles}{_codes(roles)}：{need.what}{fails}", grave=not need.copy)
        elif without:
            names = [partly[0][code] for code in sorted(without)]
            some = "、".join(names[:_NAMED]) + (f" 等 {len(names)} 处" if len(names) > _NAMED else "")
            yield Lack(need.at, f"{some}没有{titles}：在那里{need.what}{fails}", grave=False)


def _needs(scheme: Scheme, workflow: Workflow) -> Iterator[Need]:
    for name, one in scheme.consequences.items():
        yield from _of_consequence(("consequences", name), one, workflow)
    for name, asked in scheme.inputs.items():
        by = tuple(role for role in asked.by if role not in PEOPLE)
        if by and len(by) == len(asked.by):
            yield Need(("inputs", name, "by"), by, f"“{asked.title}”")
    rule = scheme.appeals
    if rule is not None and rule.silence == "above" and rule.above is not None:
        yield Need(("appeals", "above", "decided_by"), rule.above.decided_by, "逾期未裁定的申诉交上去以后")


def _of_consequence(at: tuple[str, str], one: Consequence, workflow: Workflow) -> Iterator[Need]:
    title = f"处置“{one.title or at[1]}”"
    if one.open is not None:
        source = workflow.sources.get(one.open.source or "")
        by = one.open.by or next(iter(source.by if source is not None else ()), None)
        if by is not None:
            yield Need((*at, "open"), (by,), f"{title}立案")
    if one.issue is not None:
        document = workflow.documents.get(one.issue.document)
        by = issuing_role(document.by if document is not None else (), one.issue.by)
        if by is not None:
            yield Need((*at, "issue", "by"), (by,), f"{title}签发{one.issue.document}")
        if SUBJECT not in one.issue.to:
            yield Need((*at, "issue", "to"), one.issue.to, f"{title}的{one.issue.document}送达")
        for name in one.issue.copies:
            if name != SUBJECT:
                yield Need((*at, "issue", "copies"), (name,), f"{title}的{one.issue.document}抄送", copy=True)


def _places(role: Role, directory: Directory) -> dict[str, str] | None:
    """Return the areas in which nobody is found for a role, with their names; none at all where it is nowhere; None: all is well."""
    made = CompiledRole.of(role)
    if made.code is not None:
        return None if _is_there(directory, made.code) else {}
    if not isinstance(made.placed, DutyUnit):
        return None  # the checker refuses what only a grievance could tell
    duty, level = made.placed.duty, made.placed.level
    holders = {unit.area_code for unit in directory.units.values() if unit.active and duty in unit.duties}
    if not holders:
        return {}
    areas = [one for one in directory.areas.values() if level in ("current", one.level)]
    return {one.code: one.name for one in areas if level != "current" and one.code not in holders} or None


def _is_there(directory: Directory, code: str) -> bool:
    unit = directory.units.get(code)
    return unit is not None and unit.active


def _codes(roles: Iterable[Role]) -> str:
    known = [code for role in roles if (code := CompiledRole.of(role).code) is not None]
    return f"（{'、'.join(known)}）" if known else ""

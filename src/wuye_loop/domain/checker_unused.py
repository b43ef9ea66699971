"""Checks names that a file defines and nothing uses, and duties that are written in two ways.

Who sends and who complains need no mention, nor whoever holds a kind of task: the role is how people call them.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from string import digits

from rapidfuzz import fuzz

from wuye_loop.domain.checker_finding import quoted
from wuye_loop.domain.checker_routers import DUTY, Part, named
from wuye_loop.domain.checker_scene import Scene
from wuye_loop.domain.workflow import Role, TaskUnit
from wuye_loop.domain.yamldoc import Path

_ALIKE = 90  # of 100: two duties so alike are likely one, miswritten
_DEFINED = {"roles": "角色", "instruments": "督办手段"}  # documents are issued by people, by their names


def check_unused(scene: Scene, parts: Sequence[Part]) -> None:
    """Note roles and instruments that nothing names, and odd duties; `parts` are the parameters of the routers."""
    data = scene.findings.data
    used = set(_texts(data))
    held = {name for name, role in scene.workflow.roles.items() if _needs_no_mention(role)}
    for part, what in _DEFINED.items():
        defined = data.get(part) if isinstance(data, dict) else None
        for name in defined if isinstance(defined, dict) else ():
            if name not in used and name not in held and scene.findings.wrote((part, name)):
                words = f"{what}{quoted(name)}没有一处用到：是写漏了，还是可以删去？"
                scene.findings.warn((part, name), "unused", words, key=True)
    if scene.directory is None:  # else each duty is looked up there
        _check_duties(scene, [(path, name) for path, what, name in named(scene, parts) if what == DUTY])


def _needs_no_mention(role: Role) -> bool:
    return role.is_ is not None or role.unit == "assist" or isinstance(role.unit, TaskUnit)


def _texts(node: object) -> Iterator[str]:
    """Give every text that stands as a value anywhere in a definition; what stands as a key is a name being defined."""
    if isinstance(node, dict):
        for inner in node.values():
            yield from _texts(inner)
    elif isinstance(node, list):
        for inner in node:
            yield from _texts(inner)
    elif isinstance(node, str):
        yield node


def _check_duties(scene: Scene, duties: Sequence[tuple[Path, str]]) -> None:
    """Find a duty that stands once and is nearly, but not quite, one that stands elsewhere."""
    times = Counter(name for _, name in duties)
    told: set[str] = set()
    for path, name in duties:
        near = next((other for other in times if other != name and _miswritten(name, other)), None)
        if times[name] == 1 and near is not None and near not in told and scene.findings.wrote(path):
            told.add(name)
            words = f"职责{quoted(name)}只在这里写到，而别处有 {near}：是不是同一个？"
            scene.findings.warn(path, "alike", words)


def _miswritten(one: str, other: str) -> bool:
    """Say whether two names are likely one; those that are numbered apart are two."""
    return fuzz.ratio(one, other) >= _ALIKE and one.strip(digits) != other.strip(digits)

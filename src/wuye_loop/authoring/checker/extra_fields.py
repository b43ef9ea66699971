"""Checks what is asked of an order's `extra`: where every source has a form, what no form names is never there."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from wuye_loop.authoring.checker.cases import as_asked
from wuye_loop.authoring.checker.scene import Scene
from wuye_loop.domain.language.intake import SourceSpec
from wuye_loop.domain.rulefile.findings import alike, nearest, quoted
from wuye_loop.domain.rulefile.reader import Path


def check_extra(
    scene: Scene, path: Path, fact: str, values: Iterable[tuple[Path, object]], raw: Mapping[str, Any] | None = None
) -> None:
    """Note a field that no form asks for, and answers that no form offers.

    A source without a form takes whatever the hotline sends: there it is no error, and only what looks like a slip of
    the pen is remarked on. `raw` is the whole condition: one that asks the origin is about these sources only.
    """
    sources = _meant(scene, raw or {})
    forms = [source.needs for source in sources if source.needs]
    if not forms:
        return
    note = scene.findings.error if len(forms) == len(sources) else scene.findings.warn
    member = fact.partition(".")[2]
    asked = [form[member] for form in forms if member in form]
    if not asked:
        names = list(dict.fromkeys(name for form in forms for name in form))
        if len(forms) == len(sources) or alike(member, names):
            words = f"来源的登记表（needs）里没有{quoted(member)}{nearest(member, names)}"
            note((*path, fact) if raw is not None else path, "unknown-name", words, key=raw is not None)
        return
    if any(spec.type not in ("choice", "scale", "bool") for spec in asked):
        return
    closed = list(dict.fromkeys(value for spec in asked for value in _answers(spec.type, spec.choices)))
    for place, value in values:
        if value is not None and as_asked(fact, value, closed) not in closed:
            said = str(value).lower() if isinstance(value, bool) else str(value)
            choices = [str(one).lower() if isinstance(one, bool) else str(one) for one in closed]
            words = f"登记表里的{quoted(member)}没有选项{quoted(said)}，永远不成立{nearest(said, choices)}"
            note(place, "unknown-value", words)


def _answers(kind: str, choices: Sequence[str]) -> Sequence[object]:
    return (True, False) if kind == "bool" else choices


def _meant(scene: Scene, raw: Mapping[str, Any]) -> list[SourceSpec]:
    """Return the sources that a condition is about: those whose origin it names, else all."""
    origin = raw.get("origin")
    names = [origin] if isinstance(origin, str) else origin
    every = scene.workflow.sources
    if isinstance(names, list):
        return [every[name] for name in names if isinstance(name, str) and name in every]
    return list(every.values())

"""Forms drawn from a workflow's fields, and their answers read back as the loop takes them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from starlette.datastructures import FormData, UploadFile

from wuye_loop.domain.directory.directory import Directory
from wuye_loop.domain.language.forms import FieldSpec

_LINE: Final = 120  # characters that one line holds; a longer answer gets a box
_LONGEST: Final = 4000
_TITLE: Final = 30  # characters of a complaint that make its title
_FEW: Final = 6  # choices that are shown side by side
_LONGEST_SEQ: Final = 10


@dataclass(frozen=True, slots=True)
class FormField:
    """One field as a page draws it; `look` is line, box, number, date, time, choice, list, truth, unit or file."""

    name: str
    title: str
    look: str
    required: bool
    choices: tuple[str, ...] = ()
    low: int | None = None
    high: int | None = None
    when: str | None = None
    reader: str | None = None
    value: str = ""
    problem: str | None = None
    replies: tuple[Mapping[str, Any], ...] = ()  # texts that it may be filled with: title, text


@dataclass(frozen=True, slots=True)
class Attempt:
    """What somebody sent that was refused: which form, what was in it, what is wrong with it.

    Without `words` nothing was sent yet: the form is open with what was put into it.
    """

    form: str
    words: str
    values: Mapping[str, str] = field(default_factory=dict)
    problems: Mapping[str, str] = field(default_factory=dict)


_LOOKS: Final = {"int": "number", "bool": "truth", "date": "date", "time": "time", "unit": "unit", "file": "file"}
_READERS: Final = {"internal": "诉求人和协办单位看不到", "public": "诉求人看得到"}


def fields_of(offer: Mapping[str, Any], attempt: Attempt | None = None) -> list[FormField]:
    """Return the fields of an action's form, with what was sent before and is wrong with it."""
    specs: Mapping[str, FieldSpec] = offer["form"].specs
    return [_drawn(name, spec, offer, attempt) for name, spec in specs.items()]


def picked(form: str, offer: Mapping[str, Any], asked: Mapping[str, str]) -> Attempt | None:
    """Return the form with the offered text in it that an address asks for (`form`, `field`, `reply`); None for no such."""
    field, turn, texts = asked.get("field", ""), asked.get("reply", ""), offer.get("replies", ())
    if asked.get("form") != form or not (turn.isascii() and turn.isdigit() and len(turn) < _FEW):
        return None
    here = [one for one in texts if field in one["fields"]]
    return Attempt(form, "", {field: here[int(turn)]["text"]}) if int(turn) < len(here) else None


def _drawn(name: str, spec: FieldSpec, offer: Mapping[str, Any], attempt: Attempt | None) -> FormField:
    when = offer["whens"].get(name)
    return FormField(
        name=name,
        title=offer["titles"][name],
        look=_look(spec),
        required=not spec.optional and when is None,
        choices=spec.choices,
        low=spec.min if spec.type != "int" or spec.min is not None else 0,
        high=spec.max or (_LONGEST if spec.type == "text" else None),
        when=when,
        reader=_READERS.get(spec.audience.value) if spec.audience else None,
        value=attempt.values.get(name, "") if attempt else "",
        problem=attempt.problems.get(name) if attempt else None,
        replies=tuple(one for one in offer.get("replies", ()) if name in one["fields"]),
    )


def _look(spec: FieldSpec) -> str:
    if spec.type in ("choice", "scale"):
        return "choice" if len(spec.choices) <= _FEW else "list"
    if spec.type == "text":
        return "line" if spec.max is not None and spec.max <= _LINE else "box"
    return _LOOKS.get(spec.type, "line")


def answers(specs: Mapping[str, FieldSpec], form: FormData, directory: Directory) -> dict[str, Any]:
    """Return what a page sent for these fields, typed as JSON would carry it; what was left empty is left out.

    A text that cannot be read as its type is passed on as it is: the form's own check says what is wrong with it.
    """
    found: dict[str, Any] = {}
    for name, spec in specs.items():
        sent = form.get(name)
        if isinstance(sent, str) and sent.strip():
            found[name] = _read(spec, sent, directory)
    return found


def _read(spec: FieldSpec, sent: str, directory: Directory) -> object:
    if spec.type == "bool":
        return {"true": True, "false": False}.get(sent, sent)
    if spec.type == "int":
        digits = sent.strip()
        return int(digits) if digits.isascii() and digits.lstrip("-").isdigit() and len(digits) < _FEW * 2 else sent
    if spec.type == "unit":
        return unit_named(directory, sent)
    if spec.type == "grievance":
        return sent.strip().upper()
    return sent


def unit_named(directory: Directory, sent: str) -> str:
    """Return the code of the unit that was named by its code or its name; what nobody knows is passed on."""
    wanted = sent.strip()
    if wanted in directory.units:
        return wanted
    return next((unit.code for unit in directory.units.values() if unit.active and unit.name == wanted), wanted)


def uploads(name: str, form: FormData) -> list[UploadFile]:
    """Return the files that were chosen for a field; an empty choice is none."""
    return [item for item in form.getlist(name) if isinstance(item, UploadFile) and item.filename]


def kept(names: Iterable[str], form: FormData) -> dict[str, str]:
    """Return what was sent for these fields, to be shown again."""
    return {name: sent for name in names if isinstance(sent := form.get(name), str)}


def text_of(form: FormData, name: str) -> str:
    """Return what was sent for a field; an empty text for none."""
    sent = form.get(name)
    return sent.strip() if isinstance(sent, str) else ""


def seq_of(form: FormData) -> int | None:
    """Return the state a page was made from; None where the form does not say, or says no number."""
    sent = text_of(form, "seq")
    return int(sent) if sent.isascii() and sent.isdigit() and len(sent) < _LONGEST_SEQ else None


def title_of(body: str) -> str:
    """Return the beginning of a complaint as its title."""
    line = body.replace("\n", " ")
    return line if len(line) <= _TITLE else f"{line[: _TITLE - 1]}…"

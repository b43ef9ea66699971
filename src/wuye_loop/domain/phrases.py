"""Texts that are put together of parts and still know how: another language puts the same parts in its own order."""

from collections.abc import Callable, Iterable, Mapping
from typing import Self


class Phrase(str):
    """A Chinese text with its form, `{what}由{old}改为{new}`, and its parts by name: texts, or phrases themselves."""

    __slots__ = ("form", "parts")
    form: str
    parts: Mapping[str, str]

    def __new__(cls, text: str, form: str, parts: Mapping[str, str]) -> Self:
        """Make one of a text that says the parts in that form."""
        made = super().__new__(cls, text)
        made.form, made.parts = form, parts
        return made

    def __getnewargs__(self) -> tuple[str, str, Mapping[str, str]]:  # type: ignore[override]
        """Return what a copy is made of."""
        return str(self), self.form, self.parts


def phrase(form: str, **parts: object) -> Phrase:
    """Return a text in a form of ours, `新增角色{role}`, with its parts."""
    said = {name: part if isinstance(part, str) else str(part) for name, part in parts.items()}
    return Phrase(form.format(**said), form, said)


def respelt(text: str, spelling: Callable[[str], str]) -> str:
    """Return a text as Chinese spells it; in another language it is what it was."""
    said = spelling(text)
    return Phrase(said, text.form, text.parts) if isinstance(text, Phrase) else said


def joined(words: Iterable[str], sign: str = "、") -> str:
    """Return texts as a list, with a sign between them; one alone is that text itself."""
    found = list(words)
    if len(found) == 1:
        return found[0]
    parts = {f"n{n}": one for n, one in enumerate(found)}
    return Phrase(sign.join(found), sign.join(f"{{{name}}}" for name in parts), parts) if found else ""


def folded(words: Iterable[str], form: str) -> str:
    """Return texts as a list whose sign is a word, each pair in a form such as `{one}或{other}`."""
    found = list(words)
    said = found[0] if found else ""
    for other in found[1:]:
        said = phrase(form, one=said, other=other)
    return said

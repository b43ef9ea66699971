"""What an English template does with what an expression yields: it is said in English, or marked as Chinese."""

import re
from collections.abc import Callable
from functools import partial
from typing import Any, Final

from markupsafe import Markup, escape

from wuye_loop.domain.phrases import Phrase
from wuye_loop.web.english.catalogue import WORDS, Catalogue, Said

_PLACE: Final = re.compile(r"([^\s:]+)(\.ya?ml:\d+(?::\d+)?: )")
_ROOM: Final = 17  # letters beside a chart
#: Words of others in an English sentence, with the signs between them.
_RUN: Final = re.compile(
    r"[\u3000-\u303f\u4e00-\u9fff\uff00-\uffef](?:[^A-Za-z<>&\"']*[\u3000-\u303f\u4e00-\u9fff\uff00-\uffef])?"
)


def filters(catalogue: Catalogue) -> dict[str, Callable[..., Any]]:
    """Return the filters of the English templates, by name."""

    def marked(value: Any, element: str = "span") -> Any:
        """Return a value with what is Chinese in it said in English, or marked."""
        if not isinstance(value, str) or hasattr(value, "__html__") or not WORDS.search(value):
            return value
        return _shown(value if isinstance(value, Said) else catalogue.said(value), value, element)

    def flat(value: Any) -> Any:
        """Return a value in English where nothing can be marked."""
        if not isinstance(value, str) or hasattr(value, "__html__") or not WORDS.search(value):
            return value
        return catalogue.said(value) or value

    def tongue(value: Any) -> Markup | str:
        """Return what says that an element's text is Chinese, where it is."""
        return Markup(' lang="zh-CN"') if isinstance(value, str) and WORDS.search(str(flat(value))) else ""

    def told(value: Any) -> Any:
        """Return what somebody answered: a choice in English, own words as they are."""
        words = [catalogue.word(one) for one in value.split("、")] if isinstance(value, str) else [None]
        return ", ".join(filter(None, words)) if all(words) else own(value)

    def drawn(value: Any) -> Any:
        """Return a value in a picture, where other elements are allowed."""
        return marked(value, "tspan")

    made = (("said", marked), ("drawn", drawn), ("flat", flat), ("word", flat), ("tongue", tongue), ("own", own))
    return dict(made) | {
        "told": told,
        "s": ending,
        "ruled": partial(ruled, catalogue),
        "reasoned": partial(reasoned, catalogue),
        "brief": lambda value: _cut(str(flat(value))),
    }


def ruled(catalogue: Catalogue, value: Any) -> Any:
    """Return what is said of a rule file to who writes it, line by line, in English or marked."""
    if not isinstance(value, str) or hasattr(value, "__html__"):
        return value
    if isinstance(value, Phrase):
        said = catalogue.of_files.said(value)
        return _shown(Said(said[:1].upper() + said[1:], [said]) if said else None, value, "span")
    if not WORDS.search(value):
        return value.replace("（", " (").replace("）", ")")
    return Markup("\n").join(_of_file(catalogue.of_files, line) for line in value.split("\n"))


def _of_file(words: Catalogue, line: str) -> Any:
    """Return a finding in English, whether it names its place in the file or not."""
    place = _PLACE.match(line)
    at = f"{words.word(place[1]) or place[1]}{place[2]}" if place else ""
    found = line[place.end() :] if place else line
    return at + _shown(words.said(found), found, "span")


def reasoned(catalogue: Catalogue, value: Any) -> Any:
    """Return a router's reason in English, with names marked."""
    return _shown(catalogue.of_reasons.said(value), value, "span") if isinstance(value, str) else value


def _cut(text: str) -> str:
    """Return a title as a chart has room for."""
    return text if len(text) <= _ROOM else text[: _ROOM - 1].rstrip() + "…"


def _shown(said: str | None, value: str, element: str) -> Any:
    """Return what was found in English, with the Chinese in it marked; where nothing was, the value, marked."""
    if said is None:
        return own(value) if element == "span" else Markup('<{0} lang="zh-CN">{1}</{0}>').format(Markup(element), value)  # noqa: S704 a name of ours
    return _mixed(said, element) if WORDS.search(said) else said


def own(value: Any) -> Any:
    """Return somebody's own words: they are never looked up."""
    return (
        Markup('<span lang="zh-CN">{}</span>').format(value)
        if isinstance(value, str) and WORDS.search(value)
        else value
    )


def ending(n: Any) -> str:
    """Return what makes an English word several."""
    return "" if str(n) == "1" else "s"


def _mixed(text: str, element: str) -> Markup:
    """Return an English sentence with the Chinese in it marked: what somebody wrote as a whole."""
    made, at = [], 0
    own = sorted({re.escape(one) for one in getattr(text, "own", ())}, key=len, reverse=True)
    for found in re.finditer("|".join([*own, _RUN.pattern]), text):
        made += [
            escape(text[at : found.start()]),
            Markup('<{0} lang="zh-CN">{1}</{0}>').format(Markup(element), found.group()),  # noqa: S704 a name of ours
        ]
        at = found.end()
    return Markup("").join([*made, escape(text[at:])])

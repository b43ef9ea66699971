"""What is said in English: the pages' own texts, and the words of the shipped rule files, from two catalogues of gettext."""

import re
from collections.abc import Iterable, Mapping
from functools import cache, cached_property, lru_cache
from importlib.resources import files
from pathlib import Path
from types import MappingProxyType
from typing import Final, Self

import polib
import re2

from wuye_loop.domain.phrases import Phrase
from wuye_loop.web.english.values import value

#: The pages' own catalogue; those of what is said of a rule file, and of what differs between two, to who writes them; the
#: name of one beside rule files.
PAGES: Final = "locale/en/LC_MESSAGES/wuye_loop.po"
CLERKS: Final = "locale/en/LC_MESSAGES/clerks.po"
DIFFERENCES: Final = "locale/en/LC_MESSAGES/differences.po"
RULES: Final = "locale/en.po"
WORDS: Final = re.compile(r"[\u4e00-\u9fff]")
_PLACE: Final = re.compile(r"\{([^{}]*)\}")
_FEW: Final = 2  # signs: a text with fewer beside its values is known only where these are numbers
_MOST: Final = 600  # characters of what is looked up: longer is a document or somebody's story
_KEPT: Final = 4096  # texts that were looked up
_DEEP: Final = 6  # sentences within sentences
_LIMIT: Final = "时限"
_SIGNS: Final = {"，": ", ", "；": "; ", "、": ", ", "。": ". ", "：": ": "}
_CLAUSES: Final = re.compile(f"([{''.join(_SIGNS)}])")
_EDGES: Final = "，；：。 "
_APART: Final = re.compile("[，：]")
_NAMED: Final = re.compile(r"([\u4e00-\u9fff]+)“([^“”]*)”")
_STATED: Final = re.compile(r"([a-z_]+(?:\.[a-z0-9_]+)?|[\u4e00-\u9fff]{2,6}) 为 ([^（）→]+)")  # a fact and its value
_CODED: Final = re.compile(r"([a-z][a-z0-9-]*(?:@\d+)?[ @])([^\s，：；。、]+)")
#: Two parts, what stands between them in English, and behind.
_TOGETHER: Final = (
    (re.compile(r"(.+?)（([^（）]+)）"), " (", ")"),
    (re.compile(r"(.+?) ([\d.,]+%)"), " ", ""),
    (re.compile(r"(\S+) (\S.*)"), " ", ""),
)
_WITHIN: Final = "“{title}”"
_INNER: Final = str.maketrans("“”", "‘’")
_LEVEL: Final = "level"
_INSIDE: Final = ("fact", _LEVEL)  # parts that stand within a sentence, and are no names
_OR: Final = " 或 "
_LISTS: Final = {"；": "; ", "、": ", ", _OR: " or "}
_SPACES: Final = re.compile("  +")
_WITHIN_QUOTES: Final = re.compile(r"“([^“”]+)”")
_KEYED: Final = re.compile(
    r"([^（）]+)（([a-z0-9_-]+)）"
)  # of two that are called alike, each with its name in the file
_QUOTED: Final = re.compile(r"“([^“”]+)”(?:（([^（）]+)）)?")


def _signed(form: str) -> str:
    """Return a form without words of its own with English signs."""
    for sign, english in (*_SIGNS.items(), ("（", " ("), ("）", ")"), ("}{", "} {")):
        form = form.replace(sign, english)
    return form


def _inner(said: str) -> str:
    """Return a word as it stands within a sentence."""
    lower = said[:1].lower() + said[1:]
    return Said(lower, [said]) if isinstance(said, Said) else lower


class Said(str):
    """A text put together in English; what is Chinese in it are names and words of others, each known as a whole."""

    __slots__ = ("own",)
    own: tuple[str, ...]

    def __new__(cls, text: str, parts: Iterable[str | None] = ()) -> Self:
        """Make one of parts: what others wrote in them stays known."""
        made = super().__new__(cls, text)
        made.own = tuple(own for part in parts if isinstance(part, Said) for own in part.own)
        return made

    @classmethod
    def kept(cls, text: str) -> Self:
        """Return what somebody else wrote, as it is."""
        made = cls(text)
        made.own = (text,)
        return made


class Pattern:
    """A text that holds values, found again in what was said with them."""

    def __init__(self, chinese: str, english: str) -> None:
        self.english = english
        pieces = _PLACE.split(chinese)
        literal, names = pieces[::2], pieces[1::2]
        self.mark = max(literal, key=len)  # what is looked for first, as it is quick
        self.long = len(chinese)
        self.weight = sum(len(WORDS.findall(piece)) for piece in literal)
        held = r"(.+?)" if self.weight >= _FEW else r"([\d.,]+)"
        last = r"(.*?)" if self.weight >= _FEW and names and not literal[-1] else held  # may say nothing
        shape, self.names = [re.escape(literal[0])], list[str]()
        for n, name in enumerate(names):
            apart = n == 0 or bool(literal[n])  # two values with nothing between them are found as one
            shape += [(last if n == len(names) - 1 else held) if apart else "", re.escape(literal[n + 1])]
            self.names += [name] if apart else []
        self.empty = dict.fromkeys(names, "")
        self.shape = re2.compile("(?s)" + "".join(shape))  # what somebody wrote cannot make it slow

    def values(self, text: str) -> dict[str, str] | None:
        """Return the values that a text holds; None where it is another."""
        if self.mark not in text:
            return None
        found = self.shape.fullmatch(text)
        return self.empty | dict(zip(self.names, found.groups(), strict=True)) if found else None


def entries(path: Path | str) -> dict[str, str]:
    """Return what a catalogue says; what is not translated, or marked as doubtful, is left out."""
    read: list[polib.POEntry] = polib.pofile(str(path))
    return {one.msgid: one.msgstr for one in read if one.translated() and not one.obsolete}


class Catalogue:
    """What is said in English, by what is said in Chinese."""

    def __init__(
        self,
        pages: Iterable[tuple[str, str]],
        rules: Iterable[tuple[str, str]],
        ours: Path | None = None,
        *,
        composed: bool = False,
        forms: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self._composes = (
            composed  # whether what is put together of known parts is known: nobody's own words are asked for
        )
        self._pages, self._rules, self._ours = dict(pages), dict(rules), ours
        self._forms = forms  # of texts that still know their parts: nothing is looked for in what was said with them
        every = self._rules | self._pages
        # what stands within a sentence is also found without the signs around it
        bare = {name.strip(_EDGES): text.strip(" ,;:.") for name, text in every.items()} | every
        self._said = {name: text for name, text in bare.items() if not _PLACE.search(name)}
        made = [Pattern(name, text) for name, text in bare.items() if _PLACE.search(name) and "{{" not in name]
        self._patterns = sorted(made, key=lambda one: (-one.weight, -one.long))
        self._known = lru_cache(maxsize=_KEPT)(self._look_up)

    @cached_property
    def of_files(self) -> "Catalogue":
        """The same, and what is said of rule files to who writes them: read where it is first asked for."""
        if self._ours is None:
            return Catalogue(self._pages.items(), self._rules.items(), composed=True)
        differ = entries(self._ours / DIFFERENCES)
        words = {name: text for name, text in differ.items() if not _PLACE.search(name)}
        known = words | entries(self._ours / CLERKS) | self._pages
        return Catalogue(known.items(), self._rules.items(), composed=True, forms=differ)

    @cached_property
    def of_reasons(self) -> "Catalogue":
        """The same, where what is put together of known words is known: a router's reasons, in which nobody's own words stand."""
        return Catalogue(self._pages.items(), self._rules.items(), composed=True)

    def text(self, chinese: str) -> str:
        """Return a text of a template in English; what nobody translated stays as it is."""
        return self._pages.get(chinese, chinese)

    def word(self, chinese: str) -> str | None:
        """Return a word or sentence without values in English; a time limit may be named without saying that it is one."""
        return self._said.get(chinese) or self._said.get(chinese + _LIMIT)

    def fill(self, chinese: str, values: dict[str, str]) -> Said:
        """Return a text that holds values in English."""
        return self._filled(self._pages.get(chinese, chinese), values, 0)

    def said(self, text: str) -> str | None:
        """Return in English what the program or a rule file said; None for what is somebody's own."""
        if isinstance(text, Phrase):
            return self._phrased(text)
        return self._known(text, 0) if len(text) <= _MOST else self.word(text)

    def _phrased(self, text: Phrase) -> str | None:
        """Return a text of known parts in the order that English has; parts that nobody translated stay as they are."""
        form = (
            self._pages.get(text.form)
            or self._forms.get(text.form)
            or (None if WORDS.search(text.form) else _signed(text.form))
        )
        if form is None:
            return self._known(str(text), 0) if len(text) <= _MOST else None
        parts = {name: self._held(part) for name, part in text.parts.items()}
        parts |= {name: _inner(parts[name]) for name in _INSIDE if name in parts}
        if form == _WITHIN:
            parts = {name: Said(part.translate(_INNER), [part]) for name, part in parts.items()}
        return Said(_SPACES.sub(" ", _PLACE.sub(lambda found: parts[found[1]], form)).strip(" "), parts.values())

    def _held(self, part: str) -> str:
        """Return a part of a text in English, or as it is."""
        if isinstance(part, Phrase):
            return self._phrased(part) or Said.kept(part)
        core = part.strip()
        return self._whole(core) if WORDS.search(core) else _signed(core)

    def _whole(self, text: str) -> str:
        """Return a word or a name in English, or as it is; nothing is looked for within what a city wrote."""
        if known := self.word(text) or value(text):
            return known
        if found := _KEYED.fullmatch(text):
            name = self._whole(found[1])
            return Said(f"{name} ({found[2]})", [name])
        if found := _WITHIN_QUOTES.fullmatch(text):
            name = self._whole(found[1])
            return Said(f"“{name}”", [name])
        return Said.kept(text)

    def _look_up(self, text: str, deep: int) -> str | None:
        known = self.word(text) or value(text)
        if known is not None or deep > (2 * _DEEP if self._composes else _DEEP):
            return known
        if quoted := _QUOTED.fullmatch(text):
            inner, more = (self._known(part, deep + 1) if part else "" for part in quoted.groups())
            if not inner or more is None:
                return None
            return Said(f"“{inner}”" + (f" ({more})" if more else ""), [inner, more])
        whole = self._listed(text, deep + 1) or self._named(text, deep + 1) if self._composes else None
        if whole is not None:
            return whole
        for pattern in self._patterns:
            values = pattern.values(text)
            if values is not None:
                return self._filled(pattern.english, values, deep + 1)
        return self._by_clause(text, deep + 1) or (self._composed(text, deep + 1) if self._composes else None)

    def _part(self, text: str, deep: int) -> str | None:
        return self._known(text, deep) if WORDS.search(text) else text

    def _listed(self, text: str, deep: int) -> Said | None:
        """Return a list of what is known."""
        for sign in _LISTS:
            if text.startswith(sign) or (sign == "、" and _APART.search(text)):
                continue  # the rest of a sentence, or a list within one: known as a whole or not at all
            if sign in text and (sign != _OR or all(map(WORDS.search, text.split(sign)))):
                made = [self._part(piece, deep) for piece in text.split(sign)]
                if None not in made:
                    return Said(_LISTS[sign].join(filter(None, made)), made)
        return None

    def _named(self, text: str, deep: int) -> Said | None:
        """Return what has a name in quotes, or a fact with its value."""
        if named := _NAMED.fullmatch(text):
            what = self._known(named[1], deep)
            name = self._part(named[2], deep) or Said.kept(named[2])
            return Said(f"{what} “{name}”", [what, name]) if what is not None else None
        if stated := _STATED.fullmatch(text):
            fact, value = (self._part(one, deep) or Said.kept(one) for one in stated.groups())
            return Said(f"{fact} is {value}", [fact, value])
        return None

    def _composed(self, text: str, deep: int) -> Said | None:
        """Return two known parts that stand together; a code in front of a name is kept."""
        if coded := _CODED.fullmatch(text):
            name = self._part(coded[2], deep) or Said.kept(coded[2])
            return Said(f"{coded[1]}{name}", [name])
        for shape, between, behind in _TOGETHER:
            if found := shape.fullmatch(text):
                one, other = (self._part(part, deep) for part in found.groups())
                if one is not None and other is not None:
                    return Said(f"{one}{between}{other}{behind}", [one, other])
        return None

    def _by_clause(self, text: str, deep: int) -> str | None:
        """Return what is known in each of its sentences, or else in each of its clauses."""
        sentences = text.removesuffix("。").split("；")
        if len(sentences) > 1:
            said = [self._part(one, deep) for one in sentences]
            if None not in said:
                return Said("; ".join(filter(None, said)) + ("." if text.endswith("。") else ""), said)
        pieces = _CLAUSES.split(text)
        if len(pieces) == 1:
            return None
        made, parts = [], list[str]()
        for piece in pieces:
            one = _SIGNS.get(piece) or self._part(piece, deep)
            if one is None:
                return None
            made.append(one if piece in _SIGNS else one.rstrip())
            parts.append(one)
        return Said("".join(made).strip(), parts)

    def _filled(self, english: str, values: dict[str, str], deep: int) -> Said:
        """Return an English text with its values, each looked up itself."""
        parts: list[str] = []

        def one(found: re.Match[str]) -> str:
            held = values.get(found.group(1), found.group())
            core = held.strip()
            said = (self._known(core, deep) or Said.kept(core)) if WORDS.search(core) else _signed(core)
            if found.group(1) == _LEVEL and found.start():
                said = _inner(said)
            parts.append(said)
            return held.replace(core, said) if said else held

        return Said(_SPACES.sub(" ", _PLACE.sub(one, english)), parts)


@cache
def catalogue(folders: tuple[Path, ...]) -> Catalogue:
    """Return what is said in English where rule files lie in these folders; the first of them has the first word."""
    ours = Path(str(files("wuye_loop.web")))
    pages = entries(ours / PAGES)
    rules: dict[str, str] = {}
    for folder in reversed(folders):
        beside = folder / RULES
        if beside.is_file():
            rules |= entries(beside)
    return Catalogue(pages.items(), rules.items(), ours)

"""Chinese templates read as English ones: the texts between tags are looked up before a template is compiled.

So the Chinese pages stand in the templates as they are read, and neither language pays for the other while a page is drawn.
A text is what stands between two tags, or in an attribute that is read aloud, up to the next statement of the template;
it may hold expressions (`{{ n }} 件`), which its translation holds too. What an expression yields is looked up as it is
drawn (`said`), and marked as Chinese where it is somebody's own words or a name.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final

from jinja2 import Environment
from jinja2.ext import Extension

from wuye_loop.web.english.catalogue import WORDS

CHINESE: Final = re.compile(r"[\u3000-\u303f\u4e00-\u9fff\uff00-\uffef]")
_TOKEN: Final = re.compile(r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}|</?[a-zA-Z][\w-]*|/?>|\"|[^<>\"{/]+|.", re.DOTALL)
_EXPRESSION: Final = re.compile(r"\{\{-?(.*?)-?\}\}", re.DOTALL)
_LITERAL: Final = re.compile(
    r"(?<!== )(?<!!= )(?<!\w\[)(?<!replace\()(?:'((?:[^'\\]|\\.)*)'|\"((?:[^\"\\]|\\.)*)\")(?! in )"
)
_ATTRIBUTE: Final = re.compile(r"([\w-]+)=\Z")
_READ_ALOUD: Final = frozenset({"title", "aria-label", "placeholder", "alt", "data-th", "label"})
_TIMES: Final = re.compile(r"(?<![\w.])times\.")
_OWN: Final = re.compile(r"\|(?:own|told)\Z")
_SCRIPTS: Final = re.compile(r"\Adata-say-")  # texts that the scripts show
_FLAT: Final = frozenset({"title", "option", "textarea"})  # elements that hold nothing but text
_DRAWN: Final = frozenset({"text", "tspan"})  # elements of a picture
_OPTION: Final = re.compile(r"\{\{\s*(.*?)\s*\}\}(\s*</option>)?", re.DOTALL)
#: Punctuation between two values; each is as wide as a Chinese sign, and a space belongs to the English one.
_SIGNS: Final = {"：": ": ", "，": ", ", "、": ", ", "；": "; ", "。": ". ", "（": " (", "）": ") ", "　": " \u2002", "“": "“", "”": "”", "～": "–", "〔": "[", "〕": "]", "！": "! ", "？": "? ", "／": "/"}  # fmt: skip

_ENDS: Final = "：，；、。"

Translate = Callable[[str], str]


def trimmed(text: str) -> tuple[str, str, str]:
    """Return the space before a text, the text, the space behind it."""
    core = text.strip()
    at = text.find(core) if core else len(text)
    return text[:at], core, text[at + len(core) :]


@dataclass(slots=True)
class Reader:
    """Reads a template once, putting what `translate` says in place of each text; `mark` says how expressions are drawn."""

    translate: Translate
    made: list[str] = field(default_factory=list)
    run: list[str] = field(default_factory=list)
    tag: str | None = None  # the tag that is being read, without `<`
    inside: str = ""  # the element that began last
    attribute: str | None = None
    kept: tuple[str, int] | None = None  # the Chinese element one is in, and how deep
    in_title: bool = False
    has_value: bool = False

    def read(self, source: str) -> str:
        """Return the English template."""
        for found in _TOKEN.finditer(source):
            self._take(found.group(), source, found.end())
        self._close()
        return "".join(self.made)

    def _take(self, piece: str, source: str, end: int) -> None:
        if piece.startswith("{#"):
            return
        if piece.startswith("{%"):
            self._close()
            self._statement(piece)
        elif self.attribute is not None:
            self._in_attribute(piece)
        elif self.tag is not None:
            self._in_tag(piece, source, end)
        elif piece.startswith("<") and len(piece) > 1:
            self._close()
            self.tag, self.has_value = piece[1:], False
            self.made.append(piece)
        else:
            self.run.append(piece)

    def _statement(self, piece: str) -> None:
        words = piece.strip("{%- }").split()
        if words[:2] == ["block", "title"]:
            self.in_title = True
        elif words[:1] == ["endblock"]:
            self.in_title = False
        self.made.append(piece)
        if not self.kept:
            self._literals(piece)  # what they are drawn as is looked up then: they may be keys of something

    def _in_attribute(self, piece: str) -> None:
        if piece == '"':
            self._close()
            self.attribute = None
            self.made.append(piece)
        else:
            self.run.append(piece)

    def _in_tag(self, piece: str, source: str, end: int) -> None:
        if piece == '"':
            named = _ATTRIBUTE.search(self.made[-1]) if self.made else None
            self.attribute = named.group(1) if named else ""
            self.has_value = self.has_value or self.attribute == "value"
            self.made.append(piece)
        elif piece in (">", "/>"):
            self._end_of_tag(piece, source, end)
        else:
            self.made.append(piece)

    def _end_of_tag(self, piece: str, source: str, end: int) -> None:
        name, self.tag = self.tag or "", None
        if name == "option" and not self.kept:
            self._option(source, end)
        self.made.append(piece)
        self._nested(name, piece, "".join(self.made[-40:]).rpartition(f"<{name}")[2])
        if name.startswith("/"):
            self.inside = ""
        elif piece == ">":
            self.inside = name

    def _nested(self, name: str, piece: str, written: str) -> None:
        """Keep count of where a Chinese element ends."""
        if name == "html":
            self.made = ["".join(self.made).replace('<html lang="zh-CN"', '<html lang="en"')]
        elif self.kept and name.lstrip("/") == self.kept[0] and piece == ">":
            deep = self.kept[1] + (-1 if name.startswith("/") else 1)
            self.kept = (self.kept[0], deep) if deep else None
        elif not self.kept and 'lang="zh-CN"' in written and piece == ">":
            self.kept = (name, 1)

    def _option(self, source: str, end: int) -> None:
        """Say that an option's text is Chinese where it is, and keep what it sends."""
        shown = _OPTION.match(source, end)
        if shown:
            inner = shown.group(1)
            self.made.append(f"{{{{ ({inner})|tongue }}}}")
            if shown.group(2) and not self.has_value:
                self.made.append(f' value="{{{{ {inner} }}}}"')

    def _close(self) -> None:
        """Put the text that ends here into the English template."""
        if not self.run:
            return
        text = "".join(self.run)
        self.run = []
        if self.kept:
            self.made.append(_TIMES.sub("times.chinese.", text))
        elif self.attribute is None:
            self.made.append(self._drawn(self._text(text), self._filter()))
        elif self.attribute in _READ_ALOUD or _SCRIPTS.match(self.attribute):
            self.made.append(self._drawn(self._text(text), "flat"))
        else:
            self.made.append(text)

    def _filter(self) -> str:
        if self.in_title or self.inside in _FLAT:
            return "flat"
        return "drawn" if self.inside in _DRAWN else "said"

    def _text(self, text: str) -> str:
        before, core, behind = (part.replace("　", "\u2002") if not part.strip() else part for part in trimmed(text))
        bare = _EXPRESSION.sub("", core)
        if WORDS.search(bare):
            if core[-1] in _ENDS and self.attribute is None:
                behind = behind or " "  # a Chinese sign holds its space
            return before + self.translate(core) + behind
        if CHINESE.search(_EXPRESSION.sub("", text)):
            return "".join(
                part if part.startswith("{{") else "".join(_SIGNS.get(sign, sign) for sign in part)
                for part in re.split(r"(\{\{.*?\}\})", text, flags=re.DOTALL)
            )
        return text

    def _drawn(self, text: str, how: str) -> str:
        def one(found: re.Match[str]) -> str:
            inner = self._literals(found.group(1).strip())
            if how == "flat" and (own := _OWN.search(inner)):
                return f"{{{{ {inner[: own.start()]} }}}}"
            return f"{{{{ ({inner})|{how} }}}}"

        return _EXPRESSION.sub(one, text)

    def _literals(self, code: str) -> str:
        def one(found: re.Match[str]) -> str:
            text = found.group(1) if found.group(1) is not None else found.group(2)
            if not CHINESE.search(text):
                return found.group()
            before, core, behind = trimmed(text)
            said = self.translate(core) if WORDS.search(core) else "".join(_SIGNS.get(sign, sign) for sign in core)
            return '"' + (before + said + behind).replace("\\", "\\\\").replace('"', '\\"') + '"'

        return _LITERAL.sub(one, code)


def texts(source: str) -> Iterator[str]:
    """Yield the Chinese texts of a template, as a catalogue names them."""
    found: list[str] = []

    def noted(text: str) -> str:
        found.append(text)
        return text

    Reader(noted).read(source)
    yield from found


class InEnglish(Extension):
    """Reads each template as an English one before it is compiled; the environment's `translate` says what a text is."""

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        environment.extend(translate=None)

    def preprocess(self, source: str, name: str | None, filename: str | None = None) -> str:
        """Return the English source."""
        _ = name, filename
        return Reader(self.environment.translate).read(source)  # type: ignore[attr-defined]

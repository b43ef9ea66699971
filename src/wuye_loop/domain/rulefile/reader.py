"""The strict YAML dialect of rule files: plain data, and the place in the file where each value stands.

Scalars follow YAML 1.2. Whatever lets two readers see two things (duplicate keys, anchors, aliases, merge keys, tags,
directives, invisible characters) is an error that names its line. Nothing is constructed, no alias is ever expanded.
"""

import re
from dataclasses import dataclass, field

from wuye_loop.domain.rulefile.fast import read_fast
from wuye_loop.domain.rulefile.scalars import LINE_BREAK, MAX_BYTES, MAX_DEPTH, MAX_NODES, Mark, Path, YamlDocError

__all__ = ["MAX_BYTES", "MAX_DEPTH", "MAX_NODES", "Mark", "Path", "YamlDoc", "YamlDocError", "read"]

# Controls, line breaks that only some programs see, zero-width and direction marks, surrogates, non-characters.
_UNSEEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ud800-\udfff\ufeff\ufffe\uffff]"
)


@dataclass(frozen=True)
class YamlDoc:
    """One document as plain data (dict, list, str, int, float, bool, None), with its file name and its text."""

    data: object
    file: str
    text: str
    values: dict[Path, Mark] = field(repr=False, compare=False)
    keys: dict[Path, Mark] = field(repr=False, compare=False)

    def has(self, path: Path) -> bool:
        """Whether the file writes a value at this path."""
        return path in self.values

    def mark(self, path: Path, *, key: bool = False) -> Mark:
        """Find where the value at this path (or its key) begins; a path that does not exist gives its nearest ancestor."""
        if key and path in self.keys:
            return self.keys[path]
        while path and path not in self.values:
            path = path[:-1]
        return self.values.get(path, Mark(1, 1))

    def place(self, path: Path, *, key: bool = False) -> tuple[str, Mark]:
        """Find the file, too: of a document that extends another, a value may stand in either."""
        return self.file, self.mark(path, key=key)


def read(text: str | bytes, file: str) -> YamlDoc:
    """Read one document of at most 256 KiB, 32 levels and 40,000 nodes; raise YamlDocError for anything else."""
    clean = _checked_text(text, file)
    found = read_fast(clean)
    if found is None:  # what is wrong with it, in words: the slow reader is not loaded before
        from wuye_loop.domain.rulefile.careful import read_carefully  # noqa: PLC0415

        found = read_carefully(clean, file)
    if found.data is None:
        message = "文件是空的：至少要有一个“键: 值”"
        raise YamlDocError(message, Mark(1, 1), file)
    return YamlDoc(found.data, file, clean, found.values, found.keys)


def _checked_text(text: str | bytes, file: str) -> str:
    """Give the text without a leading byte order mark; refuse what is too long or cannot be seen."""
    if len(text) > MAX_BYTES or (isinstance(text, str) and len(text.encode(errors="surrogatepass")) > MAX_BYTES):
        raise YamlDocError(f"文件超过 {MAX_BYTES // 1024} KiB", None, file)
    clean = (_decoded(text, file) if isinstance(text, bytes) else text).removeprefix("\ufeff")
    if found := _UNSEEN.search(clean):
        message = f"含有看不见或不允许的字符 U+{ord(found.group()):04X}：请删除"
        raise YamlDocError(message, _place(clean, found.start()), file)
    return clean


def _decoded(raw: bytes, file: str) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        good = raw[: error.start].decode()
        message = "文件不是 UTF-8 编码（可能是 GBK 或 UTF-16）：请另存为 UTF-8"
        raise YamlDocError(message, _place(good, len(good)), file) from None


def _place(text: str, index: int) -> Mark:
    """Count lines the way the parser does: CR, LF or both together end a line."""
    start, line = 0, 1
    for line_break in LINE_BREAK.finditer(text, 0, index):
        start, line = line_break.end(), line + 1
    return Mark(line, index - start + 1)

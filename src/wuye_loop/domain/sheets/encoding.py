"""Which encoding a text is in: told by its mark, by being valid, and by whether what comes out is ordinary Chinese."""

import codecs
import re
from collections import Counter
from io import BytesIO
from typing import IO, Final

from wuye_loop.domain.sheets.limits import MIB, BadSheet, Meter

_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_CHUNK: Final = MIB
_SAMPLE: Final = 256 * 1024
_ORDINARY: Final = 0.85
_CHANCE: Final = 0.6  # below it a text was decoded by chance
_OTHERS: Final = ("big5hkscs", "utf-16-le", "utf-16-be", "shift_jis", "euc_kr", "utf-8")
_DOUBLED: Final = (("gb18030", "utf-8"), ("cp1252", "utf-8"), ("latin-1", "utf-8"), ("latin-1", "gb18030"))
_FEW: Final = 8  # characters beyond ASCII: of fewer nothing can be told
_NAMES: Final = {"big5hkscs": "big5", "gb18030": "gb18030"}
_UNDECODED: Final = re.compile("[\udc80-\udcff]")
# Of GB 2312 and of Big5: where signs and widths stand, and where the characters of every day do.
_SCRIPTS: Final = (("gb2312", 0xA1, 0xA3, 0xB0, 0xD7), ("big5", 0xA1, 0xA3, 0xA4, 0xC6))


def spoiled(text: str) -> bool:
    """Say whether a text holds bytes that could not be decoded."""
    return _UNDECODED.search(text) is not None


def decoded(raw: bytes, insisted: str | None = None) -> str:
    """Return a short text whole. Raises BadSheet where a byte cannot be decoded, or only by chance."""
    encoding = choose(BytesIO(raw), insisted, None)
    try:
        text = raw.decode(encoding, "surrogateescape")
    except UnicodeError:  # half a character at the end
        raise BadSheet(f"不是完整的 {encoding.upper()} 文件") from None
    if spoiled(text):
        raise BadSheet(f"有不是 {encoding.removesuffix('-sig').upper()} 编码的文字，请另存为 UTF-8")
    return text


def choose(raw: IO[bytes], insisted: str | None, meter: Meter | None, packed: int | None = None) -> str:
    """Return the codec to read a stream with; bytes that it cannot decode spoil their own row only.

    `packed` is how large the file is that is being unpacked.

    Raises BadSheet for an unknown name, and where what comes out would be mojibake, naming what would fit.
    """
    valid, sample, head = _survey(raw, meter, packed)
    if insisted is not None:
        return _insisted(insisted, sample, valid=valid)
    marked = next((name for mark, name in _MARKS if head.startswith(mark)), None)
    if marked is not None:
        return marked
    if valid and b"\0" not in head[:2]:
        _not_doubled(sample.decode("utf-8", "ignore"))
        return "utf-8"
    fits = {name: _share(sample, name) for name in ("gb18030", *_OTHERS)}
    best = max(fits, key=lambda name: fits[name])
    if fits["utf-8"] >= _ORDINARY:
        return "utf-8"
    if fits["gb18030"] >= _CHANCE and fits["gb18030"] >= fits[best] - 0.1:
        return "gb18030"
    if fits[best] >= _ORDINARY and best != "gb18030":
        name = _NAMES.get(best, best)
        raise BadSheet(
            f"既不是 UTF-8 也不是 GB18030 编码的文本，像是 {name}：请另存为 UTF-8；用命令的，也可以写 --encoding {name}"
        )
    if fits["gb18030"] >= _CHANCE:
        return "gb18030"
    raise BadSheet("既不是 UTF-8 也不是 GB18030 编码的文本，请另存为 UTF-8；用命令的，也可以用 --encoding 写明编码")


def _survey(raw: IO[bytes], meter: Meter | None, packed: int | None) -> tuple[bool, bytes, bytes]:
    """Return whether all of it is UTF-8, lines that tell the encoding, and how it begins."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    valid, sample, head, size = True, b"", b"", 0
    while chunk := raw.read(_CHUNK):
        head = head or chunk[:4]
        size += len(chunk)
        if meter is not None:
            meter.time()
            meter.unpacked(size, size if packed is None else packed)
        if len(sample) < _SAMPLE and not chunk.isascii():
            lines = chunk.splitlines(keepends=True)
            telling = b"".join(line for line in lines if not line.isascii()) if b"\0" not in chunk[:64] else chunk
            sample += telling[: _SAMPLE - len(sample)]
        if valid:
            try:
                decoder.decode(chunk)
            except UnicodeDecodeError:
                valid = False
    try:
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        valid = False
    return valid, sample, head


def _insisted(name: str, sample: bytes, *, valid: bool) -> str:
    try:
        codec = codecs.lookup(name)
        b"ab\0\0".decode(name)
    except (LookupError, UnicodeDecodeError):
        raise BadSheet(f"--encoding：没有编码 {name[:20]}，可写 utf-8、gb18030、big5、utf-16") from None
    if valid and codec.name not in ("utf-8", "utf-8-sig") and _share(sample, "utf-8") >= _ORDINARY:
        raise BadSheet("按所写的编码读出来不成文字，这个文件是 UTF-8：请写 --encoding utf-8，或不写")
    if _share(sample, name) < _CHANCE:
        fit = next((other for other in ("gb18030", *_OTHERS) if _share(sample, other) >= _ORDINARY), None)
        hint = f"像是 {_NAMES.get(fit, fit)}：请写 --encoding {_NAMES.get(fit, fit)}" if fit else "请另存为 UTF-8"
        raise BadSheet(f"按所写的编码读出来不成文字，{hint}")
    return "utf-8-sig" if codec.name == "utf-8" else name


def _not_doubled(text: str) -> None:
    """Refuse a text that was decoded wrongly and then saved as UTF-8."""
    if len(_beyond_ascii(text)) < _FEW * 2 or ordinary(text) >= _CHANCE:
        return
    for wrong, right in _DOUBLED:
        try:
            mended = text.encode(wrong, "ignore").decode(right, "ignore")
        except (UnicodeError, LookupError):
            continue
        if len(_beyond_ascii(mended)) >= _FEW and ordinary(mended) >= _ORDINARY:
            raise BadSheet(f"文字已成乱码：像是 {right} 的文件被当作 {wrong} 打开后另存的，请用原来的文件")


def _share(sample: bytes, name: str) -> float:
    """Return which share of what is beyond ASCII would be ordinary, 0 where much cannot be decoded at all."""
    text = sample.decode(name, "replace")
    if text.isascii():
        return 1.0 if "\0" not in text else 0.0
    if name.startswith("utf-16") and "\n" not in text and "," not in text and "\t" not in text:
        return 0.0
    return ordinary(text)


def ordinary(text: str) -> float:
    """Return which share of a text's characters beyond ASCII is of everyday Chinese, in one script or the other."""
    beyond = Counter(_beyond_ascii(text))  # a sheet has many characters and few different ones
    if not beyond:
        return 1.0
    ordinary_ones = (sum(n for char, n in beyond.items() if _everyday(char, *script)) for script in _SCRIPTS)
    return max(ordinary_ones) / beyond.total()


def _beyond_ascii(text: str) -> list[str]:
    return [char for char in text if char > "\x7f"]


def _everyday(char: str, name: str, signs: int, last_sign: int, first: int, last: int) -> bool:
    try:
        lead = char.encode(name)[0]
    except UnicodeEncodeError:
        return False
    return signs <= lead <= last_sign or first <= lead <= last

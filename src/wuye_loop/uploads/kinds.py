"""What kind of file some bytes are, and where such a file ends. What a caller says of a file is not believed."""

import re
from collections.abc import Iterator

from wuye_loop.domain.errors import BadInput, UnsupportedMedia

JPEG, PNG, WEBP, HEIC, PDF = "image/jpeg", "image/png", "image/webp", "image/heic", "application/pdf"
#: What is taken; WebP and HEIC are kept as JPEG, which every office opens.
TAKEN = (JPEG, PNG, WEBP, HEIC, PDF)
#: What is kept, with the ending of its name.
KEPT = {JPEG: ".jpg", PNG: ".png", PDF: ".pdf"}

_HEIC_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"}
_START, _END, _SCAN, _JFIF = 0xD8, 0xD9, 0xDA, 0xE0
_ALONE = {0x01, *range(0xD0, 0xD8)}  # markers without a length
_NEXT_MARKER = re.compile(rb"\xff[\x01-\xcf\xd8-\xfe]")  # within a scan FF00 is data and D0 to D7 restart it
_PNG_HEAD = b"\x89PNG\r\n\x1a\n"
_BLANK = b"\0\t\n\f\r "


def kind_of(content: bytes) -> str:
    """Return which of TAKEN these bytes begin as.

    Raises BadInput for no bytes at all, UnsupportedMedia for a kind that is not taken.
    """
    if not content:
        raise BadInput("文件是空的")
    if content.startswith(b"\xff\xd8\xff"):
        return JPEG
    if content.startswith(_PNG_HEAD):
        return PNG
    if content.startswith(b"%PDF-"):
        return PDF
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return WEBP
    if content[4:8] == b"ftyp" and content[8:12] in _HEIC_BRANDS:
        return HEIC
    raise UnsupportedMedia("只收 JPEG、PNG、WebP、HEIC 图片和 PDF 文件")


def is_whole(content: bytes, kind: str) -> bool:
    """Say whether a file of this kind ends where its bytes do, so that it is not something else as well.

    Blanks may follow, and what cameras add to their own pictures: a second picture, a short film, a vendor's list.
    """
    end = {JPEG: _jpeg_end, PNG: _png_end, WEBP: _webp_end, HEIC: _heic_end, PDF: _pdf_end}[kind](content)
    return end is not None and (not content[end:].strip(_BLANK) or _of_a_camera(content[end:]))


def _of_a_camera(rest: bytes) -> bool:
    return rest.startswith(b"\xff\xd8\xff") or rest[4:8] == b"ftyp" or rest.endswith(b"SEFT")


def segments(content: bytes) -> Iterator[tuple[int, int, int]]:
    """Yield (marker, start, end) of a JPEG's segments to the end of its picture, scans without their data.

    Stops early where the bytes are no JPEG; then the last one is not the end marker.
    """
    at = 0
    while at + 2 <= len(content) and content[at] == 0xFF:  # noqa: PLR2004 each marker begins so
        marker = content[at + 1]
        if marker == 0xFF:  # noqa: PLR2004 filling
            at += 1
            continue
        bare = marker in _ALONE or marker in (_START, _END)
        end = at + 2 if bare else at + 2 + int.from_bytes(content[at + 2 : at + 4])
        if end > len(content) or (not bare and end < at + 4):
            return
        yield marker, at, end
        if marker == _END:
            return
        at = end
        if marker == _SCAN:
            found = _NEXT_MARKER.search(content, end)
            if found is None:
                return
            at = found.start()


def without_notes(content: bytes) -> bytes:
    """Return a JPEG without what is written beside its picture (EXIF, XMP, IPTC, thumbnails, comments); pixels as they were.

    Kept of the application segments are those that say how to read colours: JFIF's own and Adobe's.
    """
    kept, last = [], 0
    for marker, start, end in segments(content):
        note = marker == 0xFE or 0xE1 <= marker <= 0xED or marker == 0xEF  # noqa: PLR2004 COM, APP1 to 13, APP15
        if note or (marker == _JFIF and content[start + 4 : start + 8] == b"JFXX"):
            kept.append(content[last:start])
            last = end
        if marker == _END:
            kept.append(content[last:end])
            return b"".join(kept)
    return content


def _jpeg_end(content: bytes) -> int | None:
    return next((end for marker, _, end in segments(content) if marker == _END), None)


def _png_end(content: bytes) -> int | None:
    at = len(_PNG_HEAD)
    while at + 12 <= len(content):
        name, at = content[at + 4 : at + 8], at + 12 + int.from_bytes(content[at : at + 4])
        if name == b"IEND":
            return at if at <= len(content) else None
    return None


def _webp_end(content: bytes) -> int | None:
    size = int.from_bytes(content[4:8], "little")
    end = 8 + size + size % 2
    return end if end <= len(content) else (8 + size if 8 + size == len(content) else None)


def _heic_end(content: bytes) -> int | None:
    """Return where the last whole box ends."""
    at = 0
    while at + 8 <= len(content):
        size = int.from_bytes(content[at : at + 4])
        if size == 1:
            size = int.from_bytes(content[at + 8 : at + 16])
        elif size == 0:
            size = len(content) - at
        if size < 8 or at + size > len(content) or not content[at + 4 : at + 8].isalnum():  # noqa: PLR2004 a box's head
            break
        at += size
    return at or None


def _pdf_end(content: bytes) -> int | None:
    found = content.rfind(b"%%EOF")
    return found + 5 if found >= 0 else None

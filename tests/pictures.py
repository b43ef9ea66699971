"""Pictures and papers as telephones, scanners and mischief-makers send them; made, not kept."""

import io
import struct
import zlib
from typing import Any

import pikepdf
from PIL import Image, PngImagePlugin

#: What no kept file may hold: a place, a telephone, a person.
MARKS = (b"SecretPhone", b"SecretAuthor", b"36.7069", b"SecretProfile", b"SecretThumb")
_XMP = b"<x:xmpmeta xmlns:x='adobe:ns:meta/'><dc:creator>SecretAuthor 36.7069</dc:creator></x:xmpmeta>"


def picture(n: int = 1, size: tuple[int, int] = (24, 16), mode: str = "RGB") -> Image.Image:
    """Return a picture whose left half is one colour and whose right half another; `n` makes it its own."""
    made = Image.new("RGB", size, (200, n % 256, 10))
    made.paste((10, 20, 220), (size[0] // 2, 0, size[0], size[1]))
    return made.convert(mode)


def saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    """Encode a picture."""
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def png(n: int = 1) -> bytes:
    """Return a small PNG of its own."""
    return saved(picture(n), "PNG")


def jpeg(n: int = 1) -> bytes:
    """Return a small JPEG of its own."""
    return saved(picture(n), "JPEG")


def exif(orientation: int = 1) -> Image.Exif:
    """Return what a telephone writes beside a picture: itself, its owner, where it stood."""
    notes = Image.Exif()
    notes[0x0112] = orientation
    notes[0x010F], notes[0x0110], notes[0x013B] = "SecretPhone", "SecretPhone 15", "SecretAuthor"
    notes.get_ifd(0x8825).update({1: "N", 2: (36.0, 42.0, 24.84), 3: "E", 4: (119.0, 6.0, 7.0), 29: "SecretAuthor"})
    return notes


def telling_jpeg(orientation: int = 1) -> bytes:
    """Return a JPEG with EXIF, XMP, IPTC, a thumbnail, a colour profile's place and a comment, each of which names somebody."""
    plain = saved(picture(), "JPEG", exif=exif(orientation), comment=b"SecretAuthor", xmp=_XMP)
    iptc = b"Photoshop 3.0\x008BIM\x04\x04\x00\x00\x00\x10\x1c\x02\x50\x00\x0cSecretAuthor"
    thumb = b"JFXX\x00\x10SecretThumb"
    more = b"".join(
        b"\xff" + bytes([marker]) + struct.pack(">H", len(body) + 2) + body
        for marker, body in ((0xED, iptc), (0xE0, thumb), (0xE2, b"MPF\0SecretProfile"[:3] + b"X\0SecretProfile"))
    )
    return plain[:2] + more + plain[2:]


def telling_png() -> bytes:
    """Return a PNG with texts and EXIF that name somebody."""
    notes = PngImagePlugin.PngInfo()
    notes.add_text("Author", "SecretAuthor")
    notes.add_itxt("XML:com.adobe.xmp", _XMP.decode(), zip=True)
    return saved(picture(), "PNG", pnginfo=notes, exif=exif())


def bomb(side: int) -> bytes:
    """Return a PNG whose head promises a square of this side, and whose body is short."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    head = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(bytes(100_000)))
        + chunk(b"IEND", b"")
    )


def pdf(n: int = 1, pages: int = 1) -> bytes:
    """Return a paper of white pages with a number on each."""
    return _written(_pages(n, pages))


def _pages(n: int, pages: int) -> pikepdf.Pdf:
    paper = pikepdf.Pdf.new()
    for one in range(pages):
        page = paper.add_blank_page(page_size=(200, 200))
        page.Contents = paper.make_stream(b"BT /F1 12 Tf (%d %d) Tj ET" % (n, one))
    return paper


def _written(paper: pikepdf.Pdf, **options: Any) -> bytes:
    out = io.BytesIO()
    paper.save(out, compress_streams=False, object_stream_mode=pikepdf.ObjectStreamMode.disable, **options)
    return out.getvalue()


def telling_pdf() -> bytes:
    """Return a paper with everything that can name somebody, run or hide: notes, XMP, a script, a file, a photograph's EXIF."""
    paper = _pages(1, 2)
    paper.docinfo["/Author"] = "SecretAuthor"
    with paper.open_metadata() as notes:
        notes["dc:creator"] = ["SecretAuthor"]
    page = paper.pages[0]
    photo = pikepdf.Stream(paper, telling_jpeg())
    photo.stream_dict = pikepdf.Dictionary(
        Type=pikepdf.Name.XObject, Subtype=pikepdf.Name.Image, Width=24, Height=16, BitsPerComponent=8,
        ColorSpace=pikepdf.Name.DeviceRGB, Filter=pikepdf.Name.DCTDecode,
        Metadata=paper.make_stream(_XMP), PieceInfo=pikepdf.Dictionary(App=pikepdf.Dictionary(Private="SecretPhone")),
    )  # fmt: skip
    page.Resources = pikepdf.Dictionary(XObject=pikepdf.Dictionary(Im0=paper.make_indirect(photo)))
    page.Contents = paper.make_stream(b"q 100 0 0 100 0 0 cm /Im0 Do Q")
    page.obj.Thumb = paper.make_stream(b"SecretThumb")
    page.obj.AA = pikepdf.Dictionary(O=pikepdf.Dictionary(S=pikepdf.Name.JavaScript, JS="app.alert('SecretAuthor')"))
    page.obj.Annots = paper.make_indirect(
        pikepdf.Array([
            pikepdf.Dictionary(Type=pikepdf.Name.Annot, Subtype=pikepdf.Name.Text, T="SecretAuthor", Rect=[0, 0, 9, 9])
        ])
    )  # fmt: skip
    paper.Root.OpenAction = pikepdf.Dictionary(S=pikepdf.Name.JavaScript, JS="app.alert('SecretAuthor')")
    paper.attachments["SecretAuthor.txt"] = b"SecretAuthor"
    return _written(paper)


def locked_pdf() -> bytes:
    """Return a paper behind a password."""
    return _written(_pages(1, 1), encryption=pikepdf.Encryption(owner="x", user="y"))

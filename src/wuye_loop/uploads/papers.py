"""A PDF written anew from its pages: what they show, and nothing that runs, hides or names who made it."""

import io
from collections.abc import Iterator

import pikepdf
from pikepdf import Array, Dictionary, Name, Object, Pdf, Stream

from wuye_loop.uploads.bounds import Bounds, Unfit
from wuye_loop.uploads.kinds import without_notes

_MOST_OBJECTS = 100_000
_DEEPEST = 20
#: What a page keeps; its remarks and form fields are drawn into it first, and then dropped.
_OF_A_PAGE = {
    "/Type", "/Parent", "/Contents", "/Resources", "/MediaBox", "/CropBox", "/BleedBox", "/TrimBox", "/ArtBox",
    "/Rotate", "/Group", "/UserUnit",
}  # fmt: skip
#: What no part of a paper keeps: notes about it, private data of programs, what would run or open something.
_NOTES = (
    "/Metadata", "/PieceInfo", "/Thumb", "/LastModified", "/AA", "/A", "/OpenAction", "/JS", "/StructParents",
    "/StructParent", "/AF", "/Measure", "/OPI", "/Alternates", "/ID",
)  # fmt: skip


def rewritten(content: bytes, bounds: Bounds) -> bytes:
    """Return the bytes of what is kept of a PDF.

    Raises Unfit; whatever else the reader raises means that the file is broken.
    """
    try:
        source = Pdf.open(io.BytesIO(content))
    except pikepdf.PasswordError:
        raise Unfit("locked") from None
    with source, Pdf.new() as new:
        if source.is_encrypted:
            raise Unfit("locked")
        if not 0 < len(source.pages) <= bounds.pages or len(source.objects) > _MOST_OBJECTS:
            raise Unfit("pages" if len(source.pages) else "broken")
        source.flatten_annotations("screen")
        new.pages.extend(source.pages)
        for page in new.pages:
            for name in set(page.obj.keys()) - _OF_A_PAGE:
                del page.obj[name]
        new.remove_unreferenced_resources()
        for each in new.objects:
            _clear(each)
        out = io.BytesIO()
        new.save(out, deterministic_id=True, object_stream_mode=pikepdf.ObjectStreamMode.generate)
    if out.tell() > bounds.bytes:
        raise Unfit("large")
    return out.getvalue()


def _clear(thing: Object, depth: int = 0) -> None:
    """Take the notes out of an object and what lies directly in it; of a photograph, those inside its own bytes."""
    if isinstance(thing, Dictionary | Stream):
        for name in _NOTES:
            if name in thing:
                del thing[name]
    if isinstance(thing, Stream) and _filters(thing) == [Name.DCTDecode]:
        parameters = thing.get(Name.DecodeParms)
        parameters = parameters if isinstance(parameters, Dictionary | Array) else None
        thing.write(without_notes(thing.read_raw_bytes()), filter=Name.DCTDecode, decode_parms=parameters)
    for inner in _within(thing):
        if not inner.is_indirect and depth < _DEEPEST:
            _clear(inner, depth + 1)


def _filters(stream: Stream) -> list[Object]:
    found = stream.get(Name.Filter)
    return list(found) if isinstance(found, Array) else [found] if found is not None else []


def _within(thing: Object) -> Iterator[Object]:
    values = [value for _, value in thing.items()] if isinstance(thing, Dictionary | Stream) else []
    for value in [*values, *(thing if isinstance(thing, Array) else ())]:
        if isinstance(value, Dictionary | Array):
            yield value

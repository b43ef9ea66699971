"""What is kept of a picture or a paper: what it shows, upright, and nothing that was written beside it."""

import io
import subprocess
import sys
from pathlib import Path
from typing import Any

import pikepdf
import pillow_heif
import pytest
from PIL import Image
from tests.pictures import (
    MARKS,
    bomb,
    exif,
    jpeg,
    locked_pdf,
    pdf,
    picture,
    png,
    saved,
    telling_jpeg,
    telling_pdf,
    telling_png,
)  # fmt: skip

from wuye_loop.domain.errors import BadInput, UnsupportedMedia
from wuye_loop.uploads.bounds import REASONS, Bounds
from wuye_loop.uploads.kinds import HEIC, JPEG, PDF, PNG, WEBP, is_whole, kind_of, without_notes
from wuye_loop.uploads.labels import label
from wuye_loop.uploads.rewriting import Rewritten, rewrite

HTML = b"<html><script>alert(1)</script></html>"
BOUNDS = Bounds()


def kept(content: bytes, **bounds: Any) -> Rewritten:
    return rewrite(content, kind_of(content), Bounds(**bounds))


def refused(content: bytes, **bounds: Any) -> str:
    with pytest.raises(BadInput) as caught:
        kept(content, **bounds)
    return next(key for key, words in REASONS.items() if words == caught.value.detail)


def heic(**options: Any) -> bytes:
    out = io.BytesIO()
    pillow_heif.from_pillow(picture(size=(64, 48))).save(out, **options)
    return out.getvalue()


def opened(file: Rewritten) -> Image.Image:
    image = Image.open(io.BytesIO(file.content))
    image.load()
    return image


def uncompressed(paper: bytes) -> bytes:
    out = io.BytesIO()
    with pikepdf.open(io.BytesIO(paper)) as opened_:
        opened_.save(
            out,
            object_stream_mode=pikepdf.ObjectStreamMode.disable,
            compress_streams=False,
            stream_decode_level=pikepdf.StreamDecodeLevel.generalized,
        )
    return out.getvalue()


def red(image: Image.Image, x: int, y: int) -> bool:
    pixel = image.convert("RGB").getpixel((x, y))
    assert isinstance(pixel, tuple)
    return pixel[0] > pixel[2]


def test_nothing_that_names_somebody_is_kept_of_a_picture() -> None:
    for sent, kind in ((telling_jpeg(), JPEG), (telling_png(), PNG), (heic(exif=exif().tobytes()), JPEG),
                       (saved(picture(), "WEBP", exif=exif(), xmp=b"<x>SecretAuthor</x>"), JPEG)):  # fmt: skip
        assert any(mark in sent for mark in MARKS)
        file = kept(sent)
        assert file.media_type == kind
        assert [mark for mark in MARKS if mark in file.content] == []
        image = opened(file)
        assert dict(image.getexif()) == {}
        assert not {"xmp", "XML:com.adobe.xmp", "Author", "comment", "icc_profile", "photoshop"} & set(image.info)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_picture_stands_as_it_was_taken(orientation: int) -> None:
    image = opened(kept(telling_jpeg(orientation)))
    turned = orientation >= 5
    assert image.size == ((16, 24) if turned else (24, 16))
    corners = [red(image, 2, 2), red(image, image.width - 3, 2), red(image, 2, image.height - 3)]
    # The left half as stored is red: mirrored or turned by half it is right, turned by a quarter above or below.
    expected = {
        1: [True, False, True], 2: [False, True, False], 3: [False, True, False], 4: [True, False, True],
        5: [True, True, False], 6: [True, True, False], 7: [False, False, True], 8: [False, False, True],
    }  # fmt: skip
    assert corners == expected[orientation]


def test_what_a_telephone_and_a_browser_send_is_kept_as_jpeg() -> None:
    for sent in (
        heic(),
        saved(picture(), "WEBP"),
        saved(picture(mode="RGBA"), "WEBP"),
        saved(picture(mode="CMYK"), "JPEG"),
    ):
        file = kept(sent)
        image = opened(file)
        assert (file.media_type, image.format) == (JPEG, "JPEG")
        assert red(image, 2, 2)
        assert not red(image, image.width - 3, 2)


def test_a_drawing_stays_what_it_is() -> None:
    for mode in ("1", "L", "LA", "P", "RGB", "RGBA", "I;16"):
        image = Image.new(mode, (9, 7)) if mode == "I;16" else picture(size=(9, 7), mode=mode)
        file = kept(saved(image, "PNG"))
        assert file.media_type == PNG
        assert opened(file).convert("RGBA").tobytes() == image.convert("RGBA").tobytes(), mode


def test_the_same_file_is_written_the_same_every_time() -> None:
    for sent in (telling_jpeg(), png(), telling_pdf(), heic()):
        assert kept(sent) == kept(sent)


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        (b"\xff\xd8\xff", "broken"),
        (b"\xff\xd8\xff\xe0" + b"x" * 5000, "broken"),
        (jpeg()[:-40], "broken"),
        (jpeg() + HTML, "more"),
        (png() + HTML, "more"),
        (saved(picture(), "WEBP") + HTML, "more"),
        (heic() + HTML, "more"),
        (pdf() + HTML, "more"),
        (pdf() + b"PK\x03\x04" + bytes(30), "more"),
        (bomb(60_000), "pixels"),
        (bomb(200), "broken"),
        (b"%PDF-1.7\n" + HTML, "broken"),
        (locked_pdf(), "locked"),
        (pdf(pages=201), "pages"),
        (b"\x89PNG\r\n\x1a\n" + HTML, "broken"),
    ],
)  # fmt: skip
def test_what_is_no_whole_picture_or_asks_too_much_is_refused(sent: bytes, reason: str) -> None:
    assert refused(sent) == reason


def test_what_cameras_add_behind_their_pictures_is_dropped_not_refused() -> None:
    plain = kept(jpeg())
    for tail in (jpeg(2), b"\0\0\0\x18ftypmp42" + bytes(40), bytes(64), b"..Image_UTC_Data..SEFT"):
        assert kept(jpeg() + tail) == plain


def test_memory_and_time_are_bounded_and_the_refusal_says_so() -> None:
    large = saved(Image.new("RGB", (7000, 7000)), "PNG")
    assert refused(large, memory_mib=160) == "costly"
    assert kept(large).media_type == PNG


def test_nothing_that_names_runs_or_hides_is_kept_of_a_paper() -> None:
    sent = telling_pdf()
    file = kept(sent)
    assert file.media_type == PDF
    with pikepdf.open(io.BytesIO(file.content)) as paper:
        assert len(paper.pages) == 2
        assert set(paper.trailer.keys()) <= {
            "/Root",
            "/Size",
            "/ID",
            "/Type",
            "/W",
            "/Index",
            "/Filter",
            "/Length",
            "/DecodeParms",
        }
        photo = paper.pages[0].Resources.XObject.Im0.read_raw_bytes()
    plain = uncompressed(file.content)
    for bytes_ in (file.content, plain, photo):
        assert [mark for mark in MARKS if mark in bytes_] == []
    for word in (b"JavaScript", b"EmbeddedFile", b"/Annots", b"/Thumb", b"OpenAction"):
        assert word not in plain
    with Image.open(io.BytesIO(photo)) as shown, Image.open(io.BytesIO(telling_jpeg())) as taken:
        assert shown.tobytes() == taken.tobytes()  # not a pixel of a photograph in a paper changes


def test_a_remark_in_a_paper_is_drawn_into_its_page() -> None:
    paper = pikepdf.open(io.BytesIO(pdf()))
    look = paper.make_stream(b"0 0 20 20 re f % seen")
    look.stream_dict.update(
        {"/Type": pikepdf.Name.XObject, "/Subtype": pikepdf.Name.Form, "/BBox": pikepdf.Array([0, 0, 20, 20])}
    )
    stamp = pikepdf.Dictionary(
        Type=pikepdf.Name.Annot,
        Subtype=pikepdf.Name.Stamp,
        Rect=[10, 10, 30, 30],
        AP=pikepdf.Dictionary(N=look),
        F=4,
        T="SecretAuthor",
    )
    paper.pages[0].obj.Annots = pikepdf.Array([paper.make_indirect(stamp)])
    out = io.BytesIO()
    paper.save(out)
    written = uncompressed(kept(out.getvalue()).content)
    assert b"seen" in written
    assert b"SecretAuthor" not in written


def test_the_process_that_decodes_knows_no_key_and_writes_no_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("WUYE_MASTER_KEY", "secret")
    seen: dict[str, Any] = {}
    run = subprocess.run

    def watching(command: Any, **options: Any) -> Any:
        seen.update(options)
        return run(command, **options)

    monkeypatch.setattr(subprocess, "run", watching)
    kept(png())
    assert set(seen["env"]) <= {"LANG", "OMP_NUM_THREADS"}
    writes = (
        "import sys; sys.argv=['', 'x', '{}']\nfrom wuye_loop.uploads import decoding\nfrom wuye_loop.uploads.bounds import Bounds\n"
        "decoding._confine(Bounds())\nopen('file', 'wb', buffering=0).write(b'x' * 10)\n"
    )
    done = run([sys.executable, "-c", writes], capture_output=True, check=False, cwd=tmp_path, text=True)
    assert "File too large" in done.stderr


def test_kinds_are_told_by_bytes_alone() -> None:
    for content, kind in ((jpeg(), JPEG), (png(), PNG), (pdf(), PDF), (heic(), HEIC), (saved(picture(), "WEBP"), WEBP)):
        assert kind_of(content) == kind
        assert is_whole(content, kind)
        assert not is_whole(content[: len(content) // 2], kind)
    for strange in (b"GIF89a", HTML, b"MZ", b"RIFF....WAVE", b"\0\0\0\x18ftypmp42", b"\xff\xd8"):
        with pytest.raises(UnsupportedMedia):
            kind_of(strange)


def test_notes_are_cut_out_of_a_photograph_without_touching_it() -> None:
    plain = without_notes(telling_jpeg(6))
    assert [mark for mark in MARKS if mark in plain] == []
    with Image.open(io.BytesIO(plain)) as one, Image.open(io.BytesIO(telling_jpeg(6))) as other:
        assert one.tobytes() == other.tobytes()
    assert without_notes(b"\xff\xd8\xff\xe1\x00") == b"\xff\xd8\xff\xe1\x00"


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ("照片.HEIC", "照片.jpg"),
        ("C:\\Users\\x\\电梯 故障.jpeg", "电梯 故障.jpg"),
        ("../../etc/passwd", "passwd.jpg"),
        ("a\u202egpj.exe", "agpj.jpg"),
        ("合同<script>.pdf.exe", "合同 script .pdf.jpg"),
        ("x\r\nSet-Cookie: a=b.jpg", "x Set-Cookie a=b.jpg"),
        ("\u200b.jpg", None),
        ("...", None),
        ("长" * 300 + ".png", "长" * 96 + ".jpg"),
        ("\ud800.png", None),
    ],
)
def test_a_name_is_a_label(sent: str, shown: str | None) -> None:
    assert label(sent, JPEG) == shown

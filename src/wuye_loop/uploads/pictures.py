"""A picture decoded to its pixels and encoded anew: upright, in sRGB, with nothing beside the pixels."""

import io

from PIL import Image, ImageCms, ImageOps

from wuye_loop.uploads.bounds import Bounds, Unfit
from wuye_loop.uploads.kinds import HEIC, JPEG, PNG

_FORMATS = {"image/jpeg": "JPEG", "image/png": "PNG", "image/webp": "WEBP", "image/heic": "HEIF"}
_QUALITIES = (90, 80, 70, 60)
_LONGEST_SIDE = 30_000
_OF_PNG = {"1", "L", "LA", "P", "RGB", "RGBA", "I;16"}


def rewritten(content: bytes, kind: str, bounds: Bounds) -> tuple[str, bytes]:
    """Return the kind and the bytes of what is kept of a picture; of several in one file, the first.

    Raises Unfit; whatever else the decoder raises means that the file is broken.
    """
    Image.MAX_IMAGE_PIXELS = None  # looked at below, before a pixel is decoded
    if kind == HEIC:
        import pillow_heif  # noqa: PLC0415 thirty milliseconds that only these pictures need

        pillow_heif.register_heif_opener(thumbnails=False)
    with Image.open(io.BytesIO(content), formats=(_FORMATS[kind],)) as opened:
        width, height = opened.size
        if width * height > bounds.pixels or max(width, height) > _LONGEST_SIDE:
            raise Unfit("pixels")
        opened.load()
        picture = ImageOps.exif_transpose(opened)
        profile = opened.info.get("icc_profile")
    picture = _in_srgb(picture, profile)
    transparency = picture.info.get("transparency")
    # Encoders also take what they find here: a JPEG's comment, a PNG's profile.
    picture.info = {} if transparency is None else {"transparency": transparency}
    return (PNG, _png(picture, bounds)) if kind == PNG else (JPEG, _jpeg(picture, bounds))


def _in_srgb(picture: Image.Image, profile: bytes | None) -> Image.Image:
    """Return the picture with its colours as every screen takes them: the profile, which may name a device, is not kept."""
    if not profile or picture.mode != "RGB":
        return picture
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        changed = ImageCms.profileToProfile(picture, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
    except (ImageCms.PyCMSError, OSError, ValueError):
        return picture
    return changed if changed is not None else picture


def _png(picture: Image.Image, bounds: Bounds) -> bytes:
    picture = picture if picture.mode in _OF_PNG else picture.convert("RGB")
    out = io.BytesIO()
    picture.save(out, "PNG")
    if out.tell() > bounds.bytes:
        raise Unfit("large")
    return out.getvalue()


def _jpeg(picture: Image.Image, bounds: Bounds) -> bytes:
    if picture.mode not in ("L", "RGB"):
        if picture.has_transparency_data:
            picture = picture.convert("RGBA")
            ground = Image.new("RGBA", picture.size, "white")
            picture = Image.alpha_composite(ground, picture)
        picture = picture.convert("RGB")
    picture.info = {}
    for quality in _QUALITIES:
        out = io.BytesIO()
        picture.save(out, "JPEG", quality=quality)
        if out.tell() <= bounds.bytes:
            return out.getvalue()
    raise Unfit("large")

"""What was read of a file goes along in the page that asks whether to load it: nothing is kept between the two."""

import base64
import binascii
import zlib
from collections.abc import Mapping
from typing import Any, Final

import orjson
from starlette.datastructures import FormData

from wuye_loop.domain.errors import BadInput
from wuye_loop.domain.sheets.limits import MIB
from wuye_loop.web.fields import text_of

_MOST: Final = 32 * MIB  # of what is unpacked
_DIGITS: Final = 9  # of a version
INCOMPLETE: Final = "页面不完整，请再选一次文件"


def packed(data: Mapping[str, Any]) -> str:
    """Return plain data as a text for a hidden field."""
    return base64.urlsafe_b64encode(zlib.compress(orjson.dumps(data), 9)).decode()


def unpacked(form: FormData) -> dict[str, Any]:
    """Return what a page carried. Raises BadInput for what no page of ours has made; what it says is checked by its reader."""
    try:
        inflating = zlib.decompressobj()
        raw = inflating.decompress(base64.urlsafe_b64decode(text_of(form, "packed").encode()), _MOST)
        data = orjson.loads(raw)
    except (ValueError, zlib.error, binascii.Error):
        raise BadInput(INCOMPLETE) from None
    if not inflating.eof or not isinstance(data, dict):
        raise BadInput(INCOMPLETE)
    return data


def version_of(form: FormData) -> int:
    """Return the version that was looked at. Raises BadInput."""
    sent = text_of(form, "version")
    if not (sent.isascii() and sent.isdigit() and len(sent) <= _DIGITS):
        raise BadInput(INCOMPLETE)
    return int(sent)

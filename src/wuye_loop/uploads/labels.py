"""A file's name as a label: for people to read, never a path."""

import re

from wuye_loop.domain.privacy.text import clean
from wuye_loop.uploads.kinds import KEPT

MOST = 100
_FOLDERS = re.compile(r"[\\/]")
_ENDING = re.compile(r"\.[A-Za-z0-9]{1,5}$")
_UNFIT = re.compile(r'[\x00-\x1f\x7f-\x9f\ud800-\udfff<>:"|?*;%]+')


def label(name: str, media_type: str) -> str | None:
    """Return a sent name cleaned: no folders, no signs with a meaning, the ending of what is kept; None when nothing is left."""
    last = _FOLDERS.split(name[:1000])[-1]
    words = " ".join(clean(_UNFIT.sub(" ", last), max_len=1000).split())
    ending = KEPT[media_type]
    stem = _ENDING.sub("", words).strip(" .")[: MOST - len(ending)].strip(" .")
    return stem + ending if stem else None

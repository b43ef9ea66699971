"""The mark that an opened identity carries: sixteen characters that lead from a photograph of a screen to who looked.

Fifteen are chance (75 bits, nobody hits one by trying), the last a check, so that a misread one is told apart from an
unknown one. The letters I, L, O and U are not used; who reads them as 1, 1, 0 is understood.
"""

import hashlib
import re

LENGTH = 15
_LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_ALIKE = str.maketrans("ILO", "110")
_FORM = re.compile(rf"[{_LETTERS}]{{{LENGTH + 1}}}")
_GROUP = 4


def made(code: str) -> str:
    """Return the mark of fifteen unguessable characters, as `7KQ2-M9XD-4H6T-1A5C`; ValueError for any other code."""
    whole = code + _check(code)
    if not _FORM.fullmatch(whole):
        raise ValueError(f"a mark is made of {LENGTH} characters")
    return "-".join(whole[at : at + _GROUP] for at in range(0, len(whole), _GROUP))


def read(text: str) -> str | None:
    """Return the mark that somebody wrote down, in its own spelling; None where it cannot be one."""
    plain = re.sub(r"[\s-]", "", text.upper()).translate(_ALIKE)
    if not _FORM.fullmatch(plain) or _check(plain[:LENGTH]) != plain[LENGTH:]:
        return None
    return made(plain[:LENGTH])


def _check(code: str) -> str:
    return _LETTERS[hashlib.sha256(code.encode()).digest()[0] % len(_LETTERS)]

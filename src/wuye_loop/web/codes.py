"""The query code (查询码) that opens a grievance to whoever complained: derived from its number, so that none is stored."""

import hmac
from typing import Final

from wuye_loop.domain.privacy.sealing import KeyRing

_LETTERS: Final = "23456789ABCDEFGHJKMNPQRSTVWXYZ"  # none that is read or heard as another
_LENGTH: Final = 6


def query_code(ring: KeyRing, number: str) -> str:
    """Return the code of a grievance's number: six letters and digits that nobody without the key can make."""
    return _spelt(ring.index.mac(_asked(number)))


def opens(ring: KeyRing, number: str, code: str) -> bool:
    """Say whether a code, however it was typed, is that of a number, also one that an earlier key made."""
    typed = code.strip().upper().replace(" ", "").replace("-", "").encode()
    made = [_spelt(digest).encode() for digest in ring.index.every(_asked(number))]
    return any(hmac.compare_digest(typed, one) for one in made)


def _asked(number: str) -> bytes:
    return b"query\x00" + number.encode()


def _spelt(digest: bytes) -> str:
    made, letters = int.from_bytes(digest), []
    for _ in range(_LENGTH):
        made, place = divmod(made, len(_LETTERS))
        letters.append(_LETTERS[place])
    return "".join(letters)

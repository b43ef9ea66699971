"""API keys: `wyl_live_<43 characters of base64url>_<crc32 in 8 hex digits>`, 256 bits of chance each.

The checksum lets a door refuse a mistyped key without asking the database, and lets scanners find a leaked one.
A key is stored only as its SHA-256: 256 bits cannot be guessed, so no slow hash is needed.
"""

import base64
import binascii
import hashlib
import re

_BRAND = "wyl_live_"
_SECRET_BYTES = 32
_SHOWN = len(_BRAND) + 6  # 36 bits: enough to tell keys apart, leaving 220 unknown
_FORM = re.compile(r"wyl_live_[A-Za-z0-9_-]{43}_[0-9a-f]{8}")


def mint(random_bytes: bytes) -> str:
    """Return the key that 32 unguessable bytes make; ValueError for any other length."""
    if len(random_bytes) != _SECRET_BYTES:
        raise ValueError(f"a key is made of {_SECRET_BYTES} bytes, not {len(random_bytes)}")
    body = _BRAND + base64.urlsafe_b64encode(random_bytes).decode().rstrip("=")
    return f"{body}_{_checksum(body)}"


def digest(key: str) -> bytes:
    """Return the 32 bytes under which a key, a session's token or a link's is stored and looked up (SHA-256).

    256 unguessable bits need no slow hash.
    """
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest()


def well_formed(key: str) -> bool:
    """Say whether a text has a key's form, length and checksum; it may still be unknown, expired or revoked."""
    if not _FORM.fullmatch(key):
        return False
    body, _, checksum = key.rpartition("_")
    return checksum == _checksum(body)


def prefix(key: str) -> str:
    """Return the beginning of a key, by which people tell keys apart."""
    return key[:_SHOWN]


def _checksum(body: str) -> str:
    return f"{binascii.crc32(body.encode()):08x}"

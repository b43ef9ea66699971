"""The second factor of signing in: codes of six digits by time (RFC 6238), and their secret as it is stored."""

from datetime import datetime
from typing import Final
from uuid import UUID

import pyotp
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from wuye_loop.domain.errors import SealBroken
from wuye_loop.domain.privacy.sealing import KeyRing
from wuye_loop.domain.privacy.suites import AES, NONCE_BYTES

STEP_SECONDS: Final = 30


def taken_step(secret: str, code: str, now: datetime, used: int) -> int | None:
    """Return the step a code belongs to: the present one or its neighbours, and later than the last that was used.

    None for any other code, and for a secret that is none.
    """
    digits = code.replace(" ", "")
    present = int(now.timestamp()) // STEP_SECONDS
    try:
        totp = pyotp.TOTP(secret)
        for step in (present, present - 1, present + 1):
            if step > used and totp.verify(digits, for_time=step * STEP_SECONDS, valid_window=0):
                return step
    except ValueError:  # binascii's too: no secret of ours
        return None
    return None


def address_of(secret: str, login: str) -> str:
    """Return the otpauth address that an authenticator reads from a QR code."""
    return pyotp.TOTP(secret).provisioning_uri(name=login, issuer_name="wuye-loop")


def seal(ring: KeyRing, account: UUID, secret: str) -> bytes:
    """Return the secret as it is stored; it opens only for this account."""
    nonce = ring.chance(NONCE_BYTES)
    return nonce + AES.encrypt(_key(ring.keys[ring.active]), nonce, secret.encode(), account.bytes)


def opened(ring: KeyRing, account: UUID, sealed: bytes) -> str:
    """Return what was sealed, by whichever key of the ring.

    Raises SealBroken for what was altered or moved to another account.
    """
    for key in ring.keys.values():
        try:
            return AES.decrypt(_key(key), sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], account.bytes).decode()
        except (InvalidTag, ValueError):
            continue  # another key's, or broken
    raise SealBroken("动态口令的密文校验失败")


def _key(master: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=b"wuye-loop second factor").derive(master)

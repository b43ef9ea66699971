"""Envelope encryption of a complainant's identity, and the keyed index by which a phone number is found again.

A data key of the grievance's own seals the value; a master key from the ring wraps the data key. Destroying the wrapped
key erases the identity everywhere it was copied (PIPL art. 19), while the ledger's hash chain stays whole.
"""

import hmac
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from hashlib import sha256
from types import MappingProxyType
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from wuye_loop.domain.errors import Erased, SealBroken

ALG = "A256GCM"
KEY_BYTES = 32

_NONCE_BYTES = 12
_VERSION = b"\x01"
_PHONE_NOISE = str.maketrans("", "", " \t\n\u00a0-‐‑–—－.·()_/")
_COUNTRY = ("+86", "0086")
_MOBILE_DIGITS = 11


@dataclass(frozen=True, slots=True)
class Sealed:
    """One sealed value as it is stored; without `wrapped_key` it can never be opened again."""

    key_id: str  # the master key that wraps the data key
    alg: str
    wrapped_key: bytes
    nonce: bytes
    ciphertext: bytes


@dataclass(frozen=True, slots=True)
class KeyRing:
    """Master keys by id, one of them active, and the index key; `chance` returns that many unguessable bytes.

    Its printed form shows no key.
    """

    keys: Mapping[str, bytes] = field(repr=False)
    active: str
    index_key: bytes = field(repr=False)
    chance: Callable[[int], bytes] = field(repr=False)

    def __post_init__(self) -> None:
        if self.active not in self.keys:
            raise ValueError("the active key is not in the ring")
        if any(len(key) != KEY_BYTES for key in (*self.keys.values(), self.index_key)):
            raise ValueError(f"every key of the ring has {KEY_BYTES} bytes")
        object.__setattr__(self, "keys", MappingProxyType(dict(self.keys)))

    def seal(self, grievance_id: UUID, name: str, plain: bytes, *, beside: Sealed | None = None) -> Sealed:
        """Seal one field of a grievance's complainant; `beside` is an earlier one of the same grievance, whose key is shared.

        The value opens only for this grievance and this field name.
        """
        if beside is None:
            data_key = self.chance(KEY_BYTES)
            key_id, wrapped = self.active, self._wrap(grievance_id, data_key)
        else:
            key_id, wrapped, data_key = beside.key_id, beside.wrapped_key, self._unwrap(grievance_id, beside)
        nonce = self.chance(_NONCE_BYTES)
        ciphertext = AESGCM(data_key).encrypt(nonce, plain, _bound_to(grievance_id, name))
        return Sealed(key_id, ALG, wrapped, nonce, ciphertext)

    def open(self, grievance_id: UUID, name: str, sealed: Sealed) -> bytes:
        """Return what was sealed; Erased when its key was destroyed, SealBroken when it or its place was altered."""
        data_key = self._unwrap(grievance_id, sealed)
        try:
            return AESGCM(data_key).decrypt(sealed.nonce, sealed.ciphertext, _bound_to(grievance_id, name))
        except (InvalidTag, ValueError):
            raise SealBroken("密文校验失败：内容被改动，或不属于这件诉求") from None

    def rewrap(self, grievance_id: UUID, sealed: Sealed) -> Sealed:
        """Wrap the data key anew under the active master key; the ciphertext stays as it is."""
        if sealed.key_id == self.active:
            return sealed
        wrapped = self._wrap(grievance_id, self._unwrap(grievance_id, sealed))
        return replace(sealed, key_id=self.active, wrapped_key=wrapped)

    def blind(self, text: str) -> bytes:
        """Return the 32 bytes under which a phone number is looked up: HMAC-SHA256 of its normal form.

        Keyed, because all the mobile numbers there are can be hashed in hours.
        """
        return hmac.digest(self.index_key, b"phone\0" + phone_key(text).encode("utf-8", "replace"), sha256)

    def _wrap(self, grievance_id: UUID, data_key: bytes) -> bytes:
        nonce = self.chance(_NONCE_BYTES)
        bound = b"wuye-loop/wrap" + _VERSION + grievance_id.bytes + self.active.encode()
        return nonce + AESGCM(self.keys[self.active]).encrypt(nonce, data_key, bound)

    def _unwrap(self, grievance_id: UUID, sealed: Sealed) -> bytes:
        if not sealed.wrapped_key:
            raise Erased("身份信息已按要求销毁，无法恢复")
        if sealed.alg != ALG:
            raise SealBroken("未知的加密算法")
        if sealed.key_id not in self.keys:
            raise SealBroken("密钥环中没有这份数据的密钥")
        nonce, wrapped = sealed.wrapped_key[:_NONCE_BYTES], sealed.wrapped_key[_NONCE_BYTES:]
        bound = b"wuye-loop/wrap" + _VERSION + grievance_id.bytes + sealed.key_id.encode()
        try:
            return AESGCM(self.keys[sealed.key_id]).decrypt(nonce, wrapped, bound)
        except (InvalidTag, ValueError):
            raise SealBroken("数据密钥校验失败：内容被改动，或不属于这件诉求") from None


def phone_key(text: str) -> str:
    """Return a phone number's normal form: half-width, no spaces or hyphens, no country code before a mobile."""
    number = unicodedata.normalize("NFKC", text).translate(_PHONE_NOISE)
    for code in _COUNTRY:
        if number.startswith(code):
            return number.removeprefix(code)
    return number[2:] if len(number) == _MOBILE_DIGITS + 2 and number.startswith("861") else number


def _bound_to(grievance_id: UUID, name: str) -> bytes:
    """Return the associated data: grievance, field, version; the id's fixed length keeps the parts apart."""
    return b"wuye-loop/seal" + _VERSION + grievance_id.bytes + name.encode()

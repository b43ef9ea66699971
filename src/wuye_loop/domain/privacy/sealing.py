"""Envelope encryption: each grievance has a data key of its own, which seals who complained and every free text.

A master key from the ring wraps the data key. Destroying the wrapped key erases all of it everywhere it was copied
(PIPL art. 19), while the ledger's chain, which covers what is sealed, stays whole.
"""

import base64
import binascii
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from uuid import UUID

from cryptography.exceptions import InvalidTag

from wuye_loop.domain.errors import Erased, SealBroken
from wuye_loop.domain.privacy.macs import MacKeys
from wuye_loop.domain.privacy.suites import AES, BY_ALG, BY_MARK, NONCE_BYTES, Suite

KEY_BYTES = 32

_VERSION = b"\x01"
_UNMARKED = NONCE_BYTES + KEY_BYTES + 16  # bytes of a wrapped key before it named its suite
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


class DataKey:
    """The key of one grievance, opened: what it seals opens only for that grievance and that name."""

    __slots__ = ("_chance", "_key", "grievance_id", "key_id", "suite", "wrapped")

    def __init__(
        self, grievance_id: UUID, key: bytes, key_id: str, wrapped: bytes, suite: Suite, chance: Callable[[int], bytes]
    ) -> None:
        self.grievance_id = grievance_id
        self.key_id = key_id
        self.wrapped = wrapped
        self.suite = suite
        self._key = key
        self._chance = chance

    def seal(self, name: str, plain: bytes) -> Sealed:
        """Seal a value under a name, with what is needed to open it again."""
        nonce = self._chance(NONCE_BYTES)
        ciphertext = self.suite.encrypt(self._key, nonce, plain, _bound_to(self.grievance_id, name))
        return Sealed(self.key_id, self.suite.alg, self.wrapped, nonce, ciphertext)

    def open(self, name: str, sealed: Sealed) -> bytes:
        """Return what was sealed; SealBroken when it or its place was altered."""
        suite = BY_ALG.get(sealed.alg)
        if suite is None:
            raise SealBroken("未知的加密算法")
        try:
            return suite.decrypt(self._key, sealed.nonce, sealed.ciphertext, _bound_to(self.grievance_id, name))
        except InvalidTag:
            raise SealBroken("密文校验失败：内容被改动，或不属于这件诉求") from None

    def pack(self, name: str, plain: bytes) -> str:
        """Seal a value into one word: the mark of its suite, and nonce and ciphertext in base64url.

        The nonce follows from the value and the key, so that one text has one sealed form within its grievance: what is
        said again is no change.
        """
        nonce = self.suite.mac(self._key, b"wuye-loop/nonce" + name.encode() + b"\0" + plain)[:NONCE_BYTES]
        ciphertext = self.suite.encrypt(self._key, nonce, plain, _bound_to(self.grievance_id, name))
        return self.suite.mark + base64.urlsafe_b64encode(nonce + ciphertext).decode()

    def unpack(self, name: str, packed: str) -> bytes:
        """Return what was packed; SealBroken when it or its place was altered."""
        suite = BY_MARK.get(packed[:1])
        try:
            raw = base64.b64decode(packed[1:], altchars=b"-_", validate=True)
        except (binascii.Error, ValueError):
            suite, raw = None, b""
        if suite is None:
            raise SealBroken("密文已损坏")
        return self.open(name, Sealed(self.key_id, suite.alg, self.wrapped, raw[:NONCE_BYTES], raw[NONCE_BYTES:]))

    def digest(self, data: bytes) -> str:
        """Return a digest that nobody without the key can try guesses against: the mark of its suite, then hex."""
        return self.suite.mark + self.suite.mac(self._key, b"wuye-loop/digest" + data).hex()

    def made(self, data: bytes, digest: str) -> bool:
        """Say whether this is the digest of these bytes under this key."""
        suite = BY_MARK.get(digest[:1])
        return suite is not None and suite.mac(self._key, b"wuye-loop/digest" + data).hex() == digest[1:]


@dataclass(frozen=True, slots=True)
class KeyRing:
    """Master keys by id, one of them active; the keys of the phone index and of the ledger's chain.

    `chance` returns that many unguessable bytes. Its printed form shows no key.
    """

    keys: Mapping[str, bytes] = field(repr=False)
    active: str
    index: MacKeys = field(repr=False)
    chain: MacKeys = field(repr=False)
    chance: Callable[[int], bytes] = field(repr=False)
    suite: Suite = AES

    def __post_init__(self) -> None:
        if self.active not in self.keys:
            raise ValueError("the active key is not in the ring")
        if any(len(key) != KEY_BYTES for key in (*self.keys.values(), *self.index.keys.values())):
            raise ValueError(f"every key of the ring has {KEY_BYTES} bytes")

    def new_key(self, grievance_id: UUID) -> DataKey:
        """Make the data key of a new grievance."""
        key = self.chance(KEY_BYTES)
        return DataKey(grievance_id, key, self.active, self._wrap(grievance_id, key), self.suite, self.chance)

    def data_key(self, grievance_id: UUID, sealed: Sealed) -> DataKey:
        """Open the data key of a grievance; Erased when it was destroyed, SealBroken when it or its place was altered."""
        key = self._unwrap(grievance_id, sealed)
        return DataKey(grievance_id, key, sealed.key_id, sealed.wrapped_key, self.suite, self.chance)

    def open(self, grievance_id: UUID, name: str, sealed: Sealed) -> bytes:
        """Return what was sealed; raises as data_key and DataKey.open do."""
        return self.data_key(grievance_id, sealed).open(name, sealed)

    def rewrap(self, grievance_id: UUID, sealed: Sealed) -> Sealed:
        """Wrap the data key anew under the active master key and suite; the ciphertext stays as it is."""
        if sealed.key_id == self.active and sealed.wrapped_key[:1] == self.suite.mark.encode():
            return sealed
        wrapped = self._wrap(grievance_id, self._unwrap(grievance_id, sealed))
        return replace(sealed, key_id=self.active, wrapped_key=wrapped)

    def blind(self, text: str) -> bytes:
        """Return the digest under which a phone number is kept: keyed, for all mobile numbers can be hashed in hours."""
        return self.index.mac(_phone(text))

    def blinded(self, text: str, digest: bytes) -> bool:
        """Say whether this is a form under which a phone number may have been kept."""
        return self.index.knows(_phone(text), digest)

    def blinds(self, text: str) -> list[bytes]:
        """Return every form under which a phone number may have been kept, the present one first."""
        return self.index.every(_phone(text))

    def _wrap(self, grievance_id: UUID, data_key: bytes) -> bytes:
        nonce = self.chance(NONCE_BYTES)
        wrapped = self.suite.encrypt(self.keys[self.active], nonce, data_key, _wrapped_for(grievance_id, self.active))
        return self.suite.mark.encode() + nonce + wrapped

    def _unwrap(self, grievance_id: UUID, sealed: Sealed) -> bytes:
        wrapped = sealed.wrapped_key
        if not wrapped:
            raise Erased("身份信息已按要求销毁，无法恢复")
        if sealed.alg not in BY_ALG:
            raise SealBroken("未知的加密算法")
        if sealed.key_id not in self.keys:
            raise SealBroken("密钥环中没有这份数据的密钥")
        unmarked = len(wrapped) == _UNMARKED
        suite = AES if unmarked else BY_MARK.get(wrapped[:1].decode("latin-1"))
        if suite is None:
            raise SealBroken("未知的加密算法")
        packed = wrapped if unmarked else wrapped[1:]
        bound = _wrapped_for(grievance_id, sealed.key_id)
        try:
            return suite.decrypt(self.keys[sealed.key_id], packed[:NONCE_BYTES], packed[NONCE_BYTES:], bound)
        except InvalidTag:
            raise SealBroken("数据密钥校验失败：内容被改动，或不属于这件诉求") from None


def phone_key(text: str) -> str:
    """Return a phone number's normal form: half-width, no spaces or hyphens, no country code before a mobile."""
    number = unicodedata.normalize("NFKC", text).translate(_PHONE_NOISE)
    for code in _COUNTRY:
        if number.startswith(code):
            return number.removeprefix(code)
    return number[2:] if len(number) == _MOBILE_DIGITS + 2 and number.startswith("861") else number


def _phone(text: str) -> bytes:
    return b"phone\0" + phone_key(text).encode("utf-8", "replace")


def _wrapped_for(grievance_id: UUID, key_id: str) -> bytes:
    return b"wuye-loop/wrap" + _VERSION + grievance_id.bytes + key_id.encode()


def _bound_to(grievance_id: UUID, name: str) -> bytes:
    """Return the associated data: grievance, field, version; the id's fixed length keeps the parts apart."""
    return b"wuye-loop/seal" + _VERSION + grievance_id.bytes + name.encode()

"""Keyed digests that name their suite and their key: 36 bytes, of which the first four say by what it was made."""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final

from wuye_loop.domain.privacy.suites import AES, BY_MARK, Suite

_NAME_BYTES = 3
BYTES: Final = 1 + _NAME_BYTES + 32


@dataclass(frozen=True, slots=True)
class MacKeys:
    """Keys of one purpose by name, the active one first."""

    keys: Mapping[bytes, bytes] = field(repr=False)
    suite: Suite = AES

    def __post_init__(self) -> None:
        if not self.keys:
            raise ValueError("a ring has at least one key of each purpose")

    @classmethod
    def of(cls, *keys: bytes, suite: Suite = AES) -> "MacKeys":
        """Make it of keys, the active one first."""
        return cls({name_of(key): key for key in keys}, suite)

    def mac(self, data: bytes) -> bytes:
        """Return the digest of these bytes under the active key."""
        name = next(iter(self.keys))
        return self.suite.mark.encode() + name + self.suite.mac(self.keys[name], data)

    def made(self, data: bytes, digest: bytes) -> bool:
        """Say whether this is the digest of these bytes, under whichever key of the ring it names."""
        again = self.again(data, digest)
        return again is not None and hmac.compare_digest(again, digest)

    def again(self, data: bytes, like: bytes) -> bytes | None:
        """Return the digest of these bytes by the suite and key of another; None where the ring lacks that key."""
        suite, key = BY_MARK.get(like[:1].decode("latin-1")), self.keys.get(like[1 : 1 + _NAME_BYTES])
        if len(like) != BYTES or suite is None or key is None:
            return None
        return like[: 1 + _NAME_BYTES] + suite.mac(key, data)

    def knows(self, data: bytes, digest: bytes) -> bool:
        """Say whether this is the digest of these bytes, named or from before digests had names."""
        if len(digest) == BYTES:
            return self.made(data, digest)
        return any(hmac.compare_digest(AES.mac(key, data), digest) for key in self.keys.values())

    def every(self, data: bytes) -> list[bytes]:
        """Return every form under which the digest of these bytes may have been kept, that of the active key first."""
        found = [
            suite.mark.encode() + name + suite.mac(key, data)
            for name, key in self.keys.items()
            for suite in (self.suite, *(other for other in BY_MARK.values() if other is not self.suite))
        ]
        return [*found, *(AES.mac(key, data) for key in self.keys.values())]  # 32 bytes from before digests had names


def name_of(key: bytes) -> bytes:
    """Name a key by what it is."""
    return sha256(b"wuye-loop/name" + key).digest()[:_NAME_BYTES]

"""The two sets of ciphers a value can be kept under: the international one, and the one of the Chinese standards (国密).

Every value names its set by one character, so that both may stand beside each other and one can follow the other.
"""

import hmac
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hmac import HMAC

_SM4_KEY = 16  # bytes
_TAG = 16
NONCE_BYTES: Final = 12


@dataclass(frozen=True, slots=True)
class Suite:
    """Authenticated encryption and a keyed digest; keys are 32 bytes, nonces 12, digests 32.

    `decrypt` raises InvalidTag, also for what is too short to be a ciphertext.
    """

    name: str
    mark: str
    alg: str
    encrypt: Callable[[bytes, bytes, bytes, bytes], bytes]  # (key, nonce, plain, bound to) -> ciphertext
    decrypt: Callable[[bytes, bytes, bytes, bytes], bytes]
    mac: Callable[[bytes, bytes], bytes]  # (key, data) -> digest


def _aes_encrypt(key: bytes, nonce: bytes, plain: bytes, bound: bytes) -> bytes:
    return AESGCM(key).encrypt(nonce, plain, bound)


def _aes_decrypt(key: bytes, nonce: bytes, sealed: bytes, bound: bytes) -> bytes:
    try:
        return AESGCM(key).decrypt(nonce, sealed, bound)
    except ValueError:  # a nonce of another length
        raise InvalidTag from None


def _sm4_encrypt(key: bytes, nonce: bytes, plain: bytes, bound: bytes) -> bytes:
    work = Cipher(algorithms.SM4(_sm4_key(key)), modes.GCM(nonce)).encryptor()
    work.authenticate_additional_data(bound)
    return work.update(plain) + work.finalize() + work.tag


def _sm4_decrypt(key: bytes, nonce: bytes, sealed: bytes, bound: bytes) -> bytes:
    if len(sealed) < _TAG or len(nonce) != NONCE_BYTES:
        raise InvalidTag
    work = Cipher(algorithms.SM4(_sm4_key(key)), modes.GCM(nonce, sealed[-_TAG:])).decryptor()
    work.authenticate_additional_data(bound)
    return work.update(sealed[:-_TAG]) + work.finalize()


def _sm3_mac(key: bytes, data: bytes) -> bytes:
    work = HMAC(key, hashes.SM3())
    work.update(data)
    return work.finalize()


@lru_cache(maxsize=64)  # of the master keys; data keys come and go
def _sm4_key(key: bytes) -> bytes:
    """Return the 16 bytes that SM4 takes, made of all 32."""
    return _sm3_mac(key, b"wuye-loop/sm4")[:_SM4_KEY]


AES = Suite("aes", "a", "A256GCM", _aes_encrypt, _aes_decrypt, partial(hmac.digest, digest="sha256"))
SM = Suite("sm", "s", "SM4GCM", _sm4_encrypt, _sm4_decrypt, _sm3_mac)
SUITES: Final = {suite.name: suite for suite in (AES, SM)}
BY_MARK: Final = {suite.mark: suite for suite in SUITES.values()}
BY_ALG: Final = {suite.alg: suite for suite in SUITES.values()}

"""Where the key ring lives: a file that only its owner may read, or one variable of the environment."""

import base64
import binascii
import fcntl
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

import orjson
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from wuye_loop.domain.errors import KeyRingBroken
from wuye_loop.domain.privacy.sealing import KEY_BYTES, KeyRing

_OTHERS = 0o077
_FORMAT = 1


def load(path: Path, master_key: str | None = None, *, chance: Callable[[int], bytes] = os.urandom) -> KeyRing:
    """Return the ring of `master_key` when one is given (WUYE_MASTER_KEY), else that of the file, made at first use.

    KeyRingBroken in words when either is malformed, or when others than its owner may read the file.
    """
    if master_key is not None:
        return from_master(master_key, chance=chance)
    if not path.exists():
        with _locked(path):
            if not path.exists():
                key = chance(KEY_BYTES)
                _write(path, KeyRing({_name(key): key}, _name(key), chance(KEY_BYTES), chance))
    return _read(path, chance)


def from_master(master_key: str, *, chance: Callable[[int], bytes] = os.urandom) -> KeyRing:
    """Derive a ring from 32 bytes in base64, the same one on every machine that is given them.

    Several keys, separated by commas, are a rotation: the first is active, the last (the oldest) keeps the index.
    """
    masters = [_decoded(part.strip()) for part in master_key.split(",")]
    keys = {_name(wrap): wrap for wrap in (_derived(master, b"wrap") for master in masters)}
    return KeyRing(keys, next(iter(keys)), _derived(masters[-1], b"index"), chance)


def rotate(path: Path, *, chance: Callable[[int], bytes] = os.urandom) -> KeyRing:
    """Add a new active key to the file and return the ring; older keys stay, for what they still wrap."""
    with _locked(path):
        ring = _read(path, chance)
        key = chance(KEY_BYTES)
        ring = KeyRing({**ring.keys, _name(key): key}, _name(key), ring.index_key, chance)
        _write(path, ring)
    return ring


def _read(path: Path, chance: Callable[[int], bytes]) -> KeyRing:
    try:
        if path.stat().st_mode & _OTHERS:
            raise KeyRingBroken("密钥文件的权限过宽：只应允许属主读写（chmod 600）")
        saved = orjson.loads(path.read_bytes())
        keys: Mapping[str, str] = saved["keys"]
        if saved["format"] != _FORMAT:
            raise KeyRingBroken("密钥文件的格式版本未知")
        ring = {name: _decoded(key) for name, key in keys.items()}
        return KeyRing(ring, saved["active"], _decoded(saved["index"]), chance)
    except OSError as error:
        raise KeyRingBroken(f"密钥文件无法读取（{error.strerror}）") from error
    except (KeyError, TypeError, ValueError, AttributeError):
        # From None: the file's content must not reach a traceback.
        raise KeyRingBroken("密钥文件已损坏") from None


def _write(path: Path, ring: KeyRing) -> None:
    """Replace the file whole: a reader sees the old ring or the new one, and a power cut leaves one of them."""
    content = orjson.dumps(
        {
            "format": _FORMAT,
            "active": ring.active,
            "keys": {name: _encoded(key) for name, key in ring.keys.items()},
            "index": _encoded(ring.index_key),
        },
        option=orjson.OPT_INDENT_2,
    )
    fresh = path.with_name(path.name + ".new")
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(descriptor)
    fresh.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold the only right to write the file: two processes at first start must not each keep a ring of their own."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor = os.open(path.with_name(path.name + ".lock"), os.O_WRONLY | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _derived(master: bytes, purpose: bytes) -> bytes:
    return HKDF(SHA256(), KEY_BYTES, salt=None, info=b"wuye-loop/" + purpose).derive(master)


def _name(key: bytes) -> str:
    """Name a key by what it is, so that two rings never give one name to two keys."""
    return "k-" + sha256(b"wuye-loop/name" + key).hexdigest()[:12]


def _encoded(key: bytes) -> str:
    return base64.urlsafe_b64encode(key).decode()


def _decoded(text: str) -> bytes:
    try:
        key = base64.b64decode(text.replace("-", "+").replace("_", "/") + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise KeyRingBroken("主密钥不是有效的 base64") from None
    if len(key) != KEY_BYTES:
        raise KeyRingBroken(f"主密钥应为 {KEY_BYTES} 字节")
    return key

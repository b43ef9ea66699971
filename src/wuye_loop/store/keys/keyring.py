"""Where the key ring lives: a file that only its owner may read, or one variable of the environment."""

import base64
import binascii
import fcntl
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from hashlib import sha256
from pathlib import Path
from time import monotonic

import orjson
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from wuye_loop.domain.errors import KeyRingBroken
from wuye_loop.domain.privacy.macs import MacKeys
from wuye_loop.domain.privacy.sealing import KEY_BYTES, KeyRing
from wuye_loop.domain.privacy.suites import AES, SUITES, Suite
from wuye_loop.settings import Settings

_OTHERS = 0o077
_BEFORE_CHAINS, _FORMAT = 1, 2
_LOOK_SECONDS = 1.0


def load(
    path: Path, master_key: str | None = None, *, suite: Suite = AES, chance: Callable[[int], bytes] = os.urandom
) -> KeyRing:
    """Return the ring of `master_key` when one is given (WUYE_MASTER_KEY), else that of the file, made at first use.

    KeyRingBroken in words when either is malformed, or when others than its owner may read the file.
    """
    if master_key is not None:
        return from_master(master_key, suite=suite, chance=chance)
    if not path.exists():
        with _locked(path):
            if not path.exists():
                _write(path, _begun(suite, chance))
    return _read(path, suite, chance)


def from_master(master_key: str, *, suite: Suite = AES, chance: Callable[[int], bytes] = os.urandom) -> KeyRing:
    """Derive a ring from 32 bytes in base64, the same one on every machine that is given them.

    Several keys, separated by commas, are a rotation: the first is active, the others open what was made with them.
    """
    masters = [_decoded(part.strip()) for part in master_key.split(",")]
    keys = {_name(wrap): wrap for wrap in (_derived(master, b"wrap") for master in masters)}
    index, chain = ([_derived(master, use) for master in masters] for use in (b"index", b"chain"))
    return _ring(keys, next(iter(keys)), index, chain, suite, chance)


def add(path: Path, *, suite: Suite = AES, chance: Callable[[int], bytes] = os.urandom) -> str:
    """Add new keys to the file beside the active ones and return the name by which `activate` makes them active.

    Between the two every process has time to learn of them: none ever meets what it cannot open.
    """
    with _locked(path):
        ring, fresh = _read(path, suite, chance), _begun(suite, chance)
        index, chain = (
            [*old.keys.values(), *new.keys.values()]
            for old, new in ((ring.index, fresh.index), (ring.chain, fresh.chain))
        )
        _write(path, _ring({**ring.keys, **fresh.keys}, ring.active, index, chain, suite, chance))
    return fresh.active


def activate(path: Path, name: str, *, suite: Suite = AES, chance: Callable[[int], bytes] = os.urandom) -> KeyRing:
    """Make the keys that were added last the active ones and return the ring; the older stay, for what they made."""
    with _locked(path):
        ring = _read(path, suite, chance)
        index, chain = (_last_first(list(keys.keys.values())) for keys in (ring.index, ring.chain))
        ring = _ring(ring.keys, name, index, chain, suite, chance)
        _write(path, ring)
    return ring


def _last_first(keys: list[bytes]) -> list[bytes]:
    return [keys[-1], *keys[:-1]]


def retire(path: Path, *, suite: Suite = AES, chance: Callable[[int], bytes] = os.urandom) -> list[str]:
    """Drop from the file every wrapping key that is not active and return their names.

    Whoever calls this has made sure that nothing is wrapped by them any more. Keys of the chain stay, to verify by, and
    those of the index, to know a repeated order again.
    """
    with _locked(path):
        ring = _read(path, suite, chance)
        gone = [name for name in ring.keys if name != ring.active]
        index, chain = (list(keys.keys.values()) for keys in (ring.index, ring.chain))
        _write(path, _ring({ring.active: ring.keys[ring.active]}, ring.active, index, chain, suite, chance))
    return gone


def rings(settings: Settings) -> "Rings":
    """Return the ring that the settings name, followed where it is a file. Raises KeyRingBroken as load does."""
    suite = SUITES[settings.crypto]
    if settings.master_key is not None:
        ring = from_master(settings.master_key.get_secret_value(), suite=suite)
        return Rings(lambda: ring, None)
    return Rings(partial(load, settings.keys, suite=suite), settings.keys)


class Rings:
    """The ring a process goes by: a file that another process has changed is read again, soon."""

    def __init__(self, read: Callable[[], KeyRing], path: Path | None, *, look_seconds: float = _LOOK_SECONDS) -> None:
        self._read, self._path, self._look_seconds = read, path, look_seconds
        self._looked = monotonic()
        self._ring = read()  # which makes the file, where there is none
        self._mark: tuple[int, int] | None = None
        self._mark = self._marked()

    @property
    def ring(self) -> KeyRing:
        """Return the ring as it is now."""
        now = monotonic()
        if self._path is not None and now - self._looked >= self._look_seconds:
            self._looked = now
            mark = self._marked()
            if mark != self._mark:
                self._ring, self._mark = self._read(), mark
        return self._ring

    def forget(self) -> None:
        """Read the ring again at once."""
        self._ring, self._mark = self._read(), self._marked()

    def _marked(self) -> tuple[int, int] | None:
        try:
            found = self._path.stat() if self._path is not None else None
        except OSError:  # gone for a moment, or for good: what was read still serves
            return self._mark
        return (found.st_mtime_ns, found.st_ino) if found is not None else None


def _begun(suite: Suite, chance: Callable[[int], bytes]) -> KeyRing:
    key = chance(KEY_BYTES)
    return _ring({_name(key): key}, _name(key), [chance(KEY_BYTES)], [chance(KEY_BYTES)], suite, chance)


def _ring(
    keys: Mapping[str, bytes],
    active: str,
    index: Sequence[bytes],
    chain: Sequence[bytes],
    suite: Suite,
    chance: Callable[[int], bytes],
) -> KeyRing:
    return KeyRing(
        keys, active, MacKeys.of(*index, suite=suite), MacKeys.of(*chain, suite=suite), chance=chance, suite=suite
    )


def _read(path: Path, suite: Suite, chance: Callable[[int], bytes]) -> KeyRing:
    try:
        if path.stat().st_mode & _OTHERS:
            raise KeyRingBroken("密钥文件的权限过宽：只应允许属主读写（chmod 600）")
        saved = orjson.loads(path.read_bytes())
        keys: Mapping[str, str] = saved["keys"]
        if saved["format"] not in (_BEFORE_CHAINS, _FORMAT):
            raise KeyRingBroken("密钥文件的格式版本未知")
        ring = {name: _decoded(key) for name, key in keys.items()}
        if saved["format"] == _BEFORE_CHAINS:
            index = [_decoded(saved["index"])]
            chain = [_derived(index[0], b"chain")]
        else:
            index, chain = ([_decoded(key) for key in saved[use]] for use in ("index", "chain"))
        return _ring(ring, saved["active"], index, chain, suite, chance)
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
            "index": [_encoded(key) for key in ring.index.keys.values()],
            "chain": [_encoded(key) for key in ring.chain.keys.values()],
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

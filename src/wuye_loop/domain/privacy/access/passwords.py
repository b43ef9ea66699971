"""Passwords as people choose them: which are too weak, how they are kept, and how long to wait after wrong ones."""

from datetime import timedelta
from functools import cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from argon2 import PasswordHasher

SHORTEST: Final = 10
_LONGEST: Final = 200
_FREE_TRIES: Final = 5
_FIRST_WAIT, _LONGEST_WAIT = 30, 3600  # seconds
_FEWEST_CHARACTERS: Final = 5  # different ones
_SALT_BYTES: Final = 16
_WEAK: Final = ("password", "12345", "qwerty", "abcdef", "admin", "11111", "00000", "iloveyou", "wuye")


def weakness(password: str, *own: str) -> str | None:
    """Return in words what is wrong with a chosen password, or None; `own` are the person's login and name."""
    if len(password) < SHORTEST:
        return f"口令至少 {SHORTEST} 个字符"
    if len(password) > _LONGEST:
        return f"口令最多 {_LONGEST} 个字符"
    if len(set(password)) < _FEWEST_CHARACTERS:
        return "口令里重复的字符太多"
    low = password.casefold()
    if any(word in low for word in _WEAK) and len(low) < 2 * SHORTEST:
        return "口令里有人人都会先试的词，请换一个"
    if any(word and word.casefold() in low for word in own):
        return "口令里不要有自己的用户名或姓名"
    return None


def hashed(password: str, salt: bytes) -> str:
    """Return what is stored of a password: argon2id with its salt of 16 bytes and its costs. Takes 50 ms."""
    return _hasher().hash(password, salt=salt[:_SALT_BYTES])


def fits(kept: str, password: str) -> bool:
    """Say whether a password is the one that was stored. Takes as long as `hashed`."""
    from argon2.exceptions import InvalidHashError, VerificationError  # noqa: PLC0415 as below

    try:
        return _hasher().verify(kept, password)
    except (VerificationError, InvalidHashError):
        return False


@cache
def _hasher() -> "PasswordHasher":
    """Return what hashes: 19 MiB, two passes, one lane: what OWASP names as the least for argon2id; a twentieth of a second."""
    from argon2 import PasswordHasher  # noqa: PLC0415 when somebody first signs in

    return PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)


def wait_after(failures: int) -> timedelta | None:
    """Return how long an account is closed after so many wrong passwords in a row: from the fifth, doubling to an hour."""
    if failures < _FREE_TRIES:
        return None
    return timedelta(seconds=min(_LONGEST_WAIT, _FIRST_WAIT * 2 ** min(failures - _FREE_TRIES, 10)))

"""Free text as it is kept: sealed under its grievance's data key, so that erasing the key erases every word of it.

In memory a text is `Words`: the text itself, which remembers the sealed form it goes to the database and the ledger in.
What comes back from there is the sealed form, one word that means nothing, until an `Opener` opens it for a reader.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from wuye_loop.domain.errors import Erased, SealBroken
from wuye_loop.domain.privacy.sealing import DataKey, KeyRing, Sealed

ERASED: Final = "（已按规定销毁）"
BROKEN: Final = "（密文已损坏）"
_MARK = "sealed:"
_NAME = "words"


class Words(str):
    """A free text that knows its sealed form."""

    __slots__ = ("sealed",)
    sealed: str


def sealed_words(text: str, key: DataKey) -> Words:
    """Return a text with the form it is kept in."""
    words = Words(text)
    words.sealed = _MARK + key.pack(_NAME, text.encode())
    return words


def as_kept(value: object) -> str:
    """Return what orjson is to write for a kind of text of its own (`default=`, with OPT_PASSTHROUGH_SUBCLASS)."""
    if isinstance(value, Words):
        return value.sealed
    if isinstance(value, str):
        return str(value)
    msg = f"not to be kept as JSON: {type(value).__name__}"
    raise TypeError(msg)


def is_sealed(value: Any) -> bool:
    """Say whether a value holds a text in its sealed form."""
    if isinstance(value, str):
        return value.startswith(_MARK)
    if isinstance(value, Mapping):
        return any(map(is_sealed, value.values()))
    return isinstance(value, list | tuple) and any(map(is_sealed, value))


class Opener:
    """Opens whatever texts of one grievance are sealed in a value; the data key is unwrapped when the first is met."""

    __slots__ = ("_key", "_keyring", "_of", "_sealed")

    def __init__(self, keyring: KeyRing, grievance_id: UUID, sealed: Sealed | None) -> None:
        self._keyring, self._of, self._sealed = keyring, grievance_id, sealed
        self._key: DataKey | None = None

    def __call__(self, value: Any) -> Any:
        """Return the value with its texts in words: a string, or a mapping or sequence of such."""
        if isinstance(value, str):
            return self._text(value) if value.startswith(_MARK) else value
        if isinstance(value, Mapping):
            return {name: self(item) for name, item in value.items()}
        if isinstance(value, Sequence) and not isinstance(value, bytes):
            return [self(item) for item in value]
        return value

    def _text(self, word: str) -> str:
        words = Words(self._opened(word))
        words.sealed = word
        return words

    def _opened(self, word: str) -> str:
        try:
            if self._key is None:
                if self._sealed is None:
                    return ERASED
                self._key = self._keyring.data_key(self._of, self._sealed)
            return self._key.unpack(_NAME, word.removeprefix(_MARK)).decode()
        except Erased:
            return ERASED
        except (SealBroken, UnicodeDecodeError):
            return BROKEN

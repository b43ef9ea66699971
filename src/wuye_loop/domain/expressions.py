"""Regular expressions that are compiled when they are first used: a server answers before it has met the first text."""

import re
from typing import Any, cast


class _Late:
    """Stands for a compiled expression; from its first use on, each method is the compiled one's own."""

    def __init__(self, text: str, flags: int) -> None:
        self._made_of = (text, flags)
        self._made: re.Pattern[str] | None = None

    def __getattr__(self, name: str) -> Any:
        self._made = self._made or re.compile(*self._made_of)
        found = getattr(self._made, name)
        self.__dict__[name] = found
        return found


def expression(text: str, flags: int = 0) -> re.Pattern[str]:
    """Return what `re.compile` does, later. Raises as it does, when it is first used: a test uses each."""
    return cast("re.Pattern[str]", _Late(text, flags))

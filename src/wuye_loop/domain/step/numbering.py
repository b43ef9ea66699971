"""Numbers of documents for many steps that are decided one after another and written together."""

from collections.abc import Callable, Mapping

Series = tuple[str, int]


class Numbers:
    """Counts on in each series and year from the last number that was drawn; what is not used after all is given back.

    `last` returns that number, and lets nobody else draw from the series until the steps are written. It is not asked where
    `before` says what another transaction is about to write: whether that is so is to be asked when these are.
    """

    def __init__(self, last: Callable[[str, int], int], before: Mapping[Series, int] | None = None) -> None:
        self._last, self._before = last, before or {}
        self._stand: dict[Series, int] = {}
        self._drawn: list[Series] = []

    def __call__(self, series: str, year: int) -> int:
        """Return the next number of a series in a year."""
        key = series, year
        if key not in self._stand:
            found = self._before.get(key)
            self._stand[key] = self._last(series, year) if found is None else found
        self._stand[key] += 1
        self._drawn.append(key)
        return self._stand[key]

    @property
    def mark(self) -> int:
        """How many numbers were drawn until now."""
        return len(self._drawn)

    def back_to(self, mark: int) -> None:
        """Give back every number drawn since then."""
        for key in self._drawn[mark:]:
            self._stand[key] -= 1
        del self._drawn[mark:]

    @property
    def assumed(self) -> dict[Series, int]:
        """The last number before those drawn of each series of which it was not asked."""
        return {key: self._before[key] for key in self.drawn() if key in self._before}

    @property
    def stand(self) -> Mapping[Series, int]:
        """The last number of every series that was asked for."""
        return self._stand

    def drawn(self) -> dict[Series, int]:
        """Return the last number of each series that numbers were drawn from and not given back."""
        return {key: self._stand[key] for key in sorted(set(self._drawn))}

"""Numbers of documents for many steps that are decided one after another and written together."""

from collections.abc import Callable

Series = tuple[str, int]


class Numbers:
    """Counts on in each series and year from the last number that was drawn; what is not used after all is given back.

    `last` returns that number, and lets nobody else draw from the series until the steps are written.
    """

    def __init__(self, last: Callable[[str, int], int]) -> None:
        self._last = last
        self._stand: dict[Series, int] = {}
        self._drawn: list[Series] = []

    def __call__(self, series: str, year: int) -> int:
        """Return the next number of a series in a year."""
        key = series, year
        if key not in self._stand:
            self._stand[key] = self._last(series, year)
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

    def drawn(self) -> dict[Series, int]:
        """Return the last number of each series that numbers were drawn from and not given back."""
        return {key: self._stand[key] for key in sorted(set(self._drawn))}

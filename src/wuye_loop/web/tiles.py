"""每格一个社区: the areas of a board as a grid of tiles, coloured by a chosen figure. No map, no other host."""

from typing import Any, Final, Literal

from wuye_loop.web import charts

Figure = Literal["open", "overdue", "repeat"]
FIGURES: Final = {"open": ("在办", "件"), "overdue": ("超期未办", "件"), "repeat": ("重复反映", "组")}
_COLUMNS: Final = 7  # so wide that four characters fit
_BESIDE: Final = 6  # columns where each street has its name before its tiles
_STEPS: Final = 4
_WHOLE: Final = 400.0
_NAMES: Final = 84.0
_HEIGHT: Final = 40
_ENDS: Final = ("社区", "街道")
_LETTERS: Final = 4


def grid(places: dict[str, Any], figure: Figure) -> dict[str, Any]:
    """Return where each tile stands, its step of colour and its list; by where they lie when all say so, else by street."""
    items: list[dict[str, Any]] = places["items"]
    lie = [item["at"] for item in items if item["at"] is not None]
    placed = len(lie) == len(items)
    cells = charts.by_place(lie, _COLUMNS) if placed else charts.by_group([item["street"] for item in items], _BESIDE)
    left = 0.0 if placed else _NAMES
    columns = max((column for column, _ in cells), default=0) + 1
    width = (_WHOLE - left) / max(columns, 4)
    among = charts.bands(max((item[figure] for item in items), default=0), _STEPS)
    groups = {cell: item["street"] for cell, item in zip(cells, items, strict=True)}
    return {
        "figure": figure,
        "figures": [(name, title) for name, (title, _) in FIGURES.items()],
        "title": FIGURES[figure][0],
        "unit": FIGURES[figure][1],
        "level": places["level"],
        "elsewhere": places["elsewhere"],
        "placed": placed,
        "left": left,
        "width": round(width, 1),
        "height": _HEIGHT,
        "tall": (max((row for _, row in cells), default=0) + 1) * _HEIGHT,
        "bands": [(low, high) for low, high in among],
        "borders": charts.borders(groups, round(width, 1), _HEIGHT),
        "names": [] if placed else _names(cells, items),
        "tiles": [
            item | {
                "x": round(column * round(width, 1), 1),
                "y": row * _HEIGHT,
                "step": charts.band_of(item[figure], among),
                "called": _called(item["title"]),
                "href": _address(figure, item["key"]),
            }
            for (column, row), item in zip(cells, items, strict=True)
        ],
    }  # fmt: skip


def _names(cells: list[charts.Cell], items: list[dict[str, Any]]) -> list[tuple[float, str]]:
    """Return the name of each group of tiles beside its first row."""
    first: dict[str, float] = {}
    for (_, row), item in zip(cells, items, strict=True):
        first.setdefault(item["street"], row * _HEIGHT)
    return [(y, name[: _LETTERS + 2]) for name, y in first.items()]


def _called(title: str) -> str:
    for end in _ENDS:
        title = title.removesuffix(end) or title
    return title[:_LETTERS]


def _address(figure: Figure, key: str) -> str:
    return {
        "open": f"/search?final=0&area={key}",
        "overdue": f"/search?late=1&area={key}",
        "repeat": f"/board?area={key}#repeats",
    }[figure]

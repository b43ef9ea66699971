"""A bulletin as the JSON that `bulletin check` reads: what it printed, each figure beside what it is made of."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final

import orjson

from wuye_loop.domain.assessment.scheme import BREAKDOWNS
from wuye_loop.domain.figures.exact import half_up
from wuye_loop.queries.assessment.bulletin import Bulletin, Cell, Change, Sheet

_WHOLE: Final = "合计"


def as_json(one: Bulletin) -> bytes:
    """Return it; a figure has the digits that were printed."""
    shares = [sheet for sheet in one.sheets if sheet.section == "funnel" or sheet.section in BREAKDOWNS]
    made = {
        "title": one.title,
        "period": one.period,
        "counts": {_called(sheet): _whole(sheet) for sheet in shares},
        "sums": [{"name": sheet.title, "of": _called(sheet), "parts": _counts(sheet)} for sheet in shares],
        "percentages": [
            {"name": sheet.title, "of": _called(sheet), "decimals": 2, "parts": _shares(sheet)} for sheet in shares
        ],
        "rates": [
            {
                "name": title, "value": half_up(figure.value, 2), "numerator": _exact(figure.numerator),
                "denominator": _exact(figure.denominator or Fraction(0)),
            }
            for title, figure in one.rates
            if figure.value is not None
        ],
        "growth": [line for sheet in one.sheets for line in _growth(sheet)],
        "ranks": [line for sheet in one.sheets if sheet.section == "scores" for line in _ranks(sheet, within=one.within)],
    }  # fmt: skip
    return orjson.dumps({name: value for name, value in made.items() if value}, default=_digits)


def _called(sheet: Sheet) -> str:
    return f"{sheet.title}{_WHOLE}"


def _parts(sheet: Sheet) -> list[tuple[Cell, ...]]:
    return [row for row in sheet.rows if row[0] != _WHOLE]


def _whole(sheet: Sheet) -> Cell:
    """Return the number under a table; where none is printed, what its parts make."""
    printed = next((row[1] for row in sheet.rows if row[0] == _WHOLE), None)
    return sum(int(str(row[1])) for row in sheet.rows) if printed is None else printed


def _counts(sheet: Sheet) -> dict[str, Cell]:
    return {str(row[0]): row[1] for row in _parts(sheet)}


def _shares(sheet: Sheet) -> dict[str, list[Cell]]:
    return {str(row[0]): [row[1], row[2]] for row in _parts(sheet)}


def _growth(sheet: Sheet) -> Iterable[Mapping[str, Any]]:
    """Yield by how much counts grew, as it was printed: of plain counts, which a reader can divide himself."""
    for column, title in enumerate(sheet.columns):
        if title not in ("环比", "同比"):
            continue
        for row in sheet.rows:
            now, before, said = row[1], row[column - 1], row[column]
            if isinstance(now, int) and isinstance(before, int) and isinstance(said, Change) and before:
                percent = Decimal(0) if said == "持平" else Decimal(said.removesuffix("%"))
                yield {"name": f"{row[0]}{title}", "now": now, "before": before, "percent": percent}


def _ranks(sheet: Sheet, *, within: bool) -> Iterable[Mapping[str, Any]]:
    """Yield the places, each group's apart where places are within groups."""
    at = {name: sheet.columns.index(name) for name in ("名次", "考核对象", "得分")}
    groups: dict[str, list[list[Cell]]] = {}
    for row in sheet.rows:
        group = str(row[0]) if sheet.columns[0] == "分组" else ""
        label = f"{row[at['考核对象']]}" + (f"（{group}）" if group and not within else "")
        groups.setdefault(group if within else "", []).append([label, row[at["得分"]], row[at["名次"]]])
    for group, rows in groups.items():
        yield {"name": f"{sheet.title}{group}", "order": "descending", "rows": rows}


def _exact(value: Fraction) -> Decimal:
    return half_up(value, 4).normalize()


def _digits(value: object) -> object:
    if isinstance(value, Decimal):
        return orjson.Fragment(f"{value:f}")
    if isinstance(value, str):
        return str(value)
    raise TypeError(type(value))

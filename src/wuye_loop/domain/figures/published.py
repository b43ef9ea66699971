"""A published bulletin as values: what somebody else printed, read exactly as it was written."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any, Final, TypeVar

from wuye_loop.domain.figures.exact import MOST_DECIMALS

T = TypeVar("T")
MAX_BYTES: Final = 16 * 1024 * 1024
_LARGEST: Final = Decimal(10) ** 18
_KEYS: Final = frozenset({"title", "period", "counts", "sums", "percentages", "rates", "growth", "ranks", "source"})
_SHOWN: Final = 40

Figure = Decimal | str  # a number, or the name of a count


class UnreadableBulletin(ValueError):
    """The file is not of the form; the message says where and what to write instead."""


@dataclass(frozen=True)
class Sum:
    """Parts that are said to make up a whole."""

    where: str
    of: Figure | None
    parts: Mapping[str, Figure | None]


@dataclass(frozen=True)
class Share:
    """One part of a table of percentages: how many, and what was printed."""

    count: Figure | None
    printed: Decimal | None


@dataclass(frozen=True)
class Percentages:
    """A table of counts and percentages of one base."""

    where: str
    of: Figure | None
    decimals: int | None
    parts: Mapping[str, Share]


@dataclass(frozen=True)
class PrintedRate:
    """One printed rate in per cent with what it is said to be made of."""

    where: str
    value: Decimal | None
    numerator: Figure | None
    denominator: Figure | None
    decimals: int | None


@dataclass(frozen=True)
class Growth:
    """A printed change in per cent against an earlier figure."""

    where: str
    now: Figure | None
    before: Figure | None
    percent: Decimal | None
    decimals: int | None


@dataclass(frozen=True)
class Ranked:
    """One row of a table of ranks."""

    label: str
    score: Decimal | None
    rank: int | None


@dataclass(frozen=True)
class Ranks:
    """A table of ranks; `descending` where the highest score is first."""

    where: str
    descending: bool
    rows: tuple[Ranked, ...]


@dataclass(frozen=True)
class Published:
    """Everything that a published bulletin says in figures; `unknown` are keys of the file that nobody reads."""

    counts: Mapping[str, Decimal]
    sums: tuple[Sum, ...] = ()
    percentages: tuple[Percentages, ...] = ()
    rates: tuple[PrintedRate, ...] = ()
    growth: tuple[Growth, ...] = ()
    ranks: tuple[Ranks, ...] = ()
    unknown: tuple[str, ...] = field(default=())


def read_published(raw: bytes, file: str) -> Published:
    """Read a bulletin; raises UnreadableBulletin for what is not of the form."""
    if len(raw) > MAX_BYTES:
        raise UnreadableBulletin(f"{file}: 文件超过 {MAX_BYTES // 1024 // 1024} MiB")
    try:
        data = json.loads(
            raw.decode("utf-8-sig"),
            parse_float=Decimal,
            parse_int=Decimal,
            parse_constant=_no_constant,
            object_pairs_hook=_once,
        )
        return _published(data)
    except UnicodeDecodeError:
        raise UnreadableBulletin(f"{file}: 文件不是 UTF-8 编码：请另存为 UTF-8") from None
    except json.JSONDecodeError as error:
        raise UnreadableBulletin(f"{file}:{error.lineno}:{error.colno}: 不是有效的 JSON") from None
    except RecursionError:
        raise UnreadableBulletin(f"{file}: JSON 嵌套过深") from None
    except InvalidOperation:
        raise UnreadableBulletin(f"{file}: 数太长，读不出来") from None
    except UnreadableBulletin as error:
        raise UnreadableBulletin(f"{file}: {error}") from None


def _no_constant(name: str) -> Decimal:
    raise UnreadableBulletin(f"{name} 不是数；没有的数写 null")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise UnreadableBulletin(f"“{twice[:_SHOWN]}”在同一处写了两次")
    return members


def _published(data: object) -> Published:
    whole = _mapping(data, "文件")
    counts = {name: _number(value, f"counts/{name}") for name, value in _mapping(whole.get("counts"), "counts").items()}
    return Published(
        {name: value for name, value in counts.items() if value is not None},
        _each(whole, "sums", _sum),
        _each(whole, "percentages", _percentages),
        _each(whole, "rates", _rate),
        _each(whole, "growth", _growth),
        _each(whole, "ranks", _ranks),
        tuple(name for name in whole if name not in _KEYS),
    )


def _each(whole: Mapping[str, Any], key: str, read: Callable[[Mapping[str, Any], str], T]) -> tuple[T, ...]:
    found = []
    for place, raw in enumerate(_items(whole.get(key), key)):
        at = f"{key}[{place}]"
        one = _mapping(raw, at)
        name = one.get("name")
        if name is not None and not isinstance(name, str):
            raise UnreadableBulletin(f"{at}/name 要写文字")
        found.append(read(one, f"{key}/{name}" if name else at))
    return tuple(found)


def _sum(one: Mapping[str, Any], at: str) -> Sum:
    parts = {
        label: _figure(value, f"{at}/{label}") for label, value in _mapping(one.get("parts"), f"{at}/parts").items()
    }
    return Sum(at, _figure(one.get("of"), f"{at}/of"), parts)


def _percentages(one: Mapping[str, Any], at: str) -> Percentages:
    parts = {}
    for label, raw in _mapping(one.get("parts"), f"{at}/parts").items():
        pair = _items(raw, f"{at}/{label}")
        if len(pair) != 2:  # noqa: PLR2004 a count and a percentage
            raise UnreadableBulletin(f"{at}/{label} 要写成 [件数, 百分比]")
        parts[label] = Share(_figure(pair[0], f"{at}/{label}"), _number(pair[1], f"{at}/{label}"))
    return Percentages(at, _figure(one.get("of"), f"{at}/of"), _decimals(one, at), parts)


def _rate(one: Mapping[str, Any], at: str) -> PrintedRate:
    numerator, denominator = (_figure(one.get(key), f"{at}/{key}") for key in ("numerator", "denominator"))
    return PrintedRate(at, _number(one.get("value"), f"{at}/value"), numerator, denominator, _decimals(one, at))


def _growth(one: Mapping[str, Any], at: str) -> Growth:
    now, before = (_figure(one.get(key), f"{at}/{key}") for key in ("now", "before"))
    return Growth(at, now, before, _number(one.get("percent"), f"{at}/percent"), _decimals(one, at))


def _ranks(one: Mapping[str, Any], at: str) -> Ranks:
    order = one.get("order", "descending")
    if order not in ("descending", "ascending"):
        raise UnreadableBulletin(f"{at}/order 要写 descending（高分在前）或 ascending（低分在前）")
    rows = []
    for place, raw in enumerate(_items(one.get("rows"), f"{at}/rows")):
        row = _items(raw, f"{at}/rows[{place}]")
        if len(row) != 3 or not isinstance(row[0], str):  # noqa: PLR2004 a name, a score, a rank
            raise UnreadableBulletin(f"{at}/rows[{place}] 要写成 [名称, 得分, 名次]")
        rank = _number(row[2], f"{at}/{row[0]}")
        if rank is not None and rank != rank.to_integral_value():
            raise UnreadableBulletin(f"{at}/{row[0]} 的名次要写整数")
        rows.append(Ranked(row[0], _number(row[1], f"{at}/{row[0]}"), None if rank is None else int(rank)))
    return Ranks(at, order == "descending", tuple(rows))


def _decimals(one: Mapping[str, Any], at: str) -> int | None:
    value = _number(one.get("decimals"), f"{at}/decimals")
    if value is None:
        return None
    if value != value.to_integral_value() or not 0 <= value <= MOST_DECIMALS:
        raise UnreadableBulletin(f"{at}/decimals 要写 0 至 {MOST_DECIMALS} 的整数")
    return int(value)


def _figure(value: object, at: str) -> Figure | None:
    return value if isinstance(value, str) else _number(value, at)


def _number(value: object, at: str) -> Decimal | None:
    if value is None:
        return None
    if not isinstance(value, Decimal):
        raise UnreadableBulletin(f"{at} 要写数（不加引号，不带 %）")
    exponent = value.as_tuple().exponent
    if not isinstance(exponent, int) or abs(value) >= _LARGEST or exponent < -MOST_DECIMALS:
        raise UnreadableBulletin(f"{at} 的数太大，或小数超过 {MOST_DECIMALS} 位")
    return value


def _mapping(value: object, at: str) -> Mapping[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise UnreadableBulletin(f"{at} 要写成 {{…}}")
    return value


def _items(value: object, at: str) -> list[Any]:
    if value is None:
        return []
    if not isinstance(value, list):
        raise UnreadableBulletin(f"{at} 要写成 […]")
    return value

"""What does not add up in a published bulletin: where, what was printed, what would be right, and why."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from itertools import combinations
from typing import Final

from wuye_loop.domain.figures.exact import HUNDRED, cut_off, digits, half_up, percent, pushed_up
from wuye_loop.domain.figures.published import Figure, Growth, Percentages, PrintedRate, Published, Share, Sum
from wuye_loop.domain.figures.ranking import misplaced

_MOST_NAMES: Final = 3  # bases that a message names
_MOST_PAIRED: Final = 40  # counts of which differences and sums are tried as a base


@dataclass(frozen=True, slots=True)
class Anomaly:
    """One printed figure that cannot be right; `right` is None where the file does not say what would be."""

    where: str
    published: Decimal | int | str | None
    right: Decimal | int | None
    problem: str


def anomalies(bulletin: Published) -> list[Anomaly]:
    """Return everything that does not add up, in the order of the file; nothing where all is right."""
    return list(_Looking(bulletin).all())


class _Looking:
    """One look through a bulletin: its counts at hand."""

    def __init__(self, bulletin: Published) -> None:
        self._it = bulletin
        self._counts = bulletin.counts

    def all(self) -> Iterator[Anomaly]:
        yield from self._negative()
        yield from self._unknown_names()
        for one in self._it.sums:
            yield from self._sum(one)
        for table in self._it.percentages:
            yield from self._percentages(table)
        yield from self._told_twice()
        for rate in self._it.rates:
            yield from self._rate(rate)
        for growth in self._it.growth:
            yield from self._growth(growth)
        for ranks in self._it.ranks:
            for row, right, why in misplaced(ranks):
                yield Anomaly(f"{ranks.where}/{row.label}", row.rank, right, why)

    def _value(self, figure: Figure | None) -> Decimal | None:
        return self._counts.get(figure) if isinstance(figure, str) else figure

    def _name(self, figure: Figure | None) -> str:
        return f"{figure}（{_plain(self._value(figure))}）" if isinstance(figure, str) else _plain(figure)

    def _negative(self) -> Iterator[Anomaly]:
        for name, value in self._counts.items():
            if value < 0:
                yield Anomaly(f"counts/{name}", value, None, "件数不能小于 0")
        for where, figure in self._parts():
            if isinstance(figure, Decimal) and figure < 0:
                yield Anomaly(where, figure, None, "件数不能小于 0")

    def _parts(self) -> Iterator[tuple[str, Figure | None]]:
        for one in self._it.sums:
            yield from ((f"{one.where}/{label}", part) for label, part in one.parts.items())
        for table in self._it.percentages:
            yield from ((f"{table.where}/{label}", share.count) for label, share in table.parts.items())

    def _unknown_names(self) -> Iterator[Anomaly]:
        named = list(self._parts())
        named += [(f"{one.where}/of", one.of) for one in self._it.sums]
        named += [(f"{table.where}/of", table.of) for table in self._it.percentages]
        for rate in self._it.rates:
            named += [(f"{rate.where}/numerator", rate.numerator), (f"{rate.where}/denominator", rate.denominator)]
        for growth in self._it.growth:
            named += [(f"{growth.where}/now", growth.now), (f"{growth.where}/before", growth.before)]
        for where, figure in named:
            if isinstance(figure, str) and figure not in self._counts:
                yield Anomaly(
                    where, figure, None, f"counts 里没有“{figure}”，这一处无从核对：写数，或写 counts 里的名称"
                )

    # --- sums -------------------------------------------------------------------------------------------------------

    def _sum(self, one: Sum) -> Iterator[Anomaly]:
        whole = self._value(one.of)
        parts = {label: self._value(part) for label, part in one.parts.items()}
        known = [part for part in parts.values() if part is not None]
        yield from self._over(one.where, one.of, parts)
        if whole is None or not known or len(known) < len(parts):
            return
        total = sum(known, Decimal(0))
        if total == whole:
            return
        yield Anomaly(f"{one.where}/{_called(one.of)}", whole, total, self._why_not(one, whole, total))

    def _why_not(self, one: Sum, whole: Decimal, total: Decimal) -> str:
        gap = abs(whole - total)
        words = f"各部分相加是 {_plain(total)}，{'少' if total < whole else '多'} {_plain(gap)}"
        if total < whole:
            used = set(one.parts.values()) | set(one.parts)
            lacking = [name for name, value in self._counts.items() if value == gap and name not in used]
            if lacking:
                words += f"，正好是没有列入的 {'、'.join(lacking[:_MOST_NAMES])}"
        else:
            same = [label for label, part in one.parts.items() if self._value(part) == gap]
            if same:
                words += f"，正好是 {'、'.join(same[:_MOST_NAMES])}，可能重复计入"
        others = [name for name, value in self._counts.items() if value == total and name != one.of]
        if others:
            words += f"；与 {self._name(others[0])} 相等，可能用错了总数"
        return words

    def _over(self, where: str, of: Figure | None, parts: Mapping[str, Decimal | None]) -> Iterator[Anomaly]:
        whole = self._value(of)
        for label, part in parts.items():
            if whole is not None and part is not None and part > whole >= 0:
                yield Anomaly(
                    f"{where}/{label}", part, None, f"一部分大于总数 {self._name(of)}：至多是 {_plain(whole)}"
                )

    # --- percentages ------------------------------------------------------------------------------------------------

    def _percentages(self, table: Percentages) -> Iterator[Anomaly]:
        counts = {label: self._value(share.count) for label, share in table.parts.items()}
        known = [count for count in counts.values() if count is not None]
        total = sum(known, Decimal(0))
        base = total if table.of is None else self._value(table.of)
        yield from self._over(table.where, table.of, counts)
        if base is not None and table.of is not None and total > base and all(count <= base for count in known):
            words = f"各部分相加是 {_plain(total)}，超过总数 {self._name(table.of)}"
            yield Anomaly(f"{table.where}/{_called(table.of)}", base, total, words)
        judged = _Column(table, counts, base)
        hint = self._better_base(table, counts, base, total) if judged.wrong else ""
        for label, share in table.parts.items():
            if share.printed is None:
                continue
            where = f"{table.where}/{label}"
            if label in judged.wrong:
                right = judged.wrong[label]
                yield Anomaly(where, share.printed, right, judged.why(label, self._base_named(table.of, total)) + hint)
            elif not 0 <= share.printed <= HUNDRED and not _said(counts[label], base):
                yield Anomaly(where, share.printed, None, "占比要在 0 与 100 之间")
            elif (full := judged.hides(label)) is not None:
                yield Anomaly(
                    where,
                    share.printed,
                    full,
                    f"写 100%，却不是 {self._base_named(table.of, total)} 的全部：进位成了 100",
                )
        yield from self._full_without_all(table, counts, base, total, judged)

    def _base_named(self, of: Figure | None, total: Decimal) -> str:
        return f"各部分之和（{_plain(total)}）" if of is None else self._name(of)

    def _full_without_all(
        self,
        table: Percentages,
        counts: Mapping[str, Decimal | None],
        base: Decimal | None,
        total: Decimal,
        judged: "_Column",
    ) -> Iterator[Anomaly]:
        """Tell of a column that adds to 100 though parts of the whole are missing in it."""
        printed = [share.printed for share in table.parts.values() if share.printed is not None]
        if not printed or base is None or any(count is None for count in counts.values()) or total >= base:
            return
        column = sum(printed, Decimal(0))
        if column == HUNDRED and judged.wrong:
            words = f"占比合计 100，各部分却只有 {_plain(total)}，缺 {_plain(base - total)}"
            fair = percent(total, base)
            yield Anomaly(
                f"{table.where}/合计", column, None if fair is None else half_up(fair, judged.decimals), words
            )

    def _better_base(
        self, table: Percentages, counts: Mapping[str, Decimal | None], base: Decimal | None, total: Decimal
    ) -> str:
        """Return on which base every figure of the table would be right; nothing where there is none."""
        pairs = [
            (count, share.printed, _places(share.printed, table.decimals))
            for label, share in table.parts.items()
            if share.printed is not None and (count := counts[label]) is not None
        ]
        candidates = {f"{name}（{_plain(value)}）": value for name, value in self._counts.items()}
        candidates.setdefault(f"各部分之和（{_plain(total)}）", total)
        fits = [
            name
            for name, value in candidates.items()
            if value > 0
            and value != base
            and any(count for count, _, _ in pairs)
            and all(_prints(count, value, printed, places) for count, printed, places in pairs)
        ]
        return f"；以 {'、'.join(fits[:_MOST_NAMES])} 为基数，整列才对得上" if fits else ""

    def _told_twice(self) -> Iterator[Anomaly]:
        """Tell of a part that a sum and the table of percentages of the same name count differently."""
        sums = {one.where.partition("/")[2]: one for one in self._it.sums if "/" in one.where}
        for table in self._it.percentages:
            one = sums.get(table.where.partition("/")[2])
            if one is None or self._value(one.of) != self._value(table.of):
                continue
            for label, share in table.parts.items():
                there, here = self._value(one.parts.get(label)), self._value(share.count)
                if there is not None and here is not None and there != here:
                    words = f"同名的合计表里是 {_plain(there)}，前后不一致"
                    yield Anomaly(f"{table.where}/{label}", here, there, words)

    # --- rates ------------------------------------------------------------------------------------------------------

    def _rate(self, rate: PrintedRate) -> Iterator[Anomaly]:
        part, base = self._value(rate.numerator), self._value(rate.denominator)
        if rate.value is None:
            return
        if part is None or base is None:
            if not 0 <= rate.value <= HUNDRED:
                yield Anomaly(rate.where, rate.value, None, "率要在 0 与 100 之间")
            return
        fair, places = percent(part, base), _places(rate.value, rate.decimals)
        if fair is None:
            yield Anomaly(rate.where, rate.value, None, f"分母 {self._name(rate.denominator)} 是 0，没有率：应为空白")
            return
        right = half_up(fair, places)
        if part > base:
            words = f"率超过 100：分子 {self._name(rate.numerator)} 大于分母 {self._name(rate.denominator)}"
            yield Anomaly(rate.where, rate.value, None, words + self._swapped(part, base, places))
        elif rate.value != right:
            words = self._why_rate(rate, part, base, fair, places)
            yield Anomaly(rate.where, rate.value, right, words)
        elif rate.value == HUNDRED and part < base:
            exact = _first_below(fair, places)
            words = f"写 100%，却还差 {_plain(base - part)} 件（{_plain(part)}／{_plain(base)}）：进位成了 100"
            yield Anomaly(rate.where, rate.value, exact, words)
        elif isinstance(rate.numerator, str) and rate.numerator == rate.denominator:
            yield Anomaly(rate.where, rate.value, None, f"分子分母都是 {self._name(rate.numerator)}，基数写错了")

    def _swapped(self, part: Decimal, base: Decimal, places: int) -> str:
        other = percent(base, part)
        return f"；分子分母若写反了，应为 {_plain(half_up(other, places))}" if other is not None and base >= 0 else ""

    def _why_rate(self, rate: PrintedRate, part: Decimal, base: Decimal, fair: Fraction, places: int) -> str:
        value = rate.value
        assert value is not None  # noqa: S101 a blank rate is not asked about
        right = half_up(fair, places)
        words = f"{_plain(part)}／{_plain(base)} 应为 {_plain(right)}"
        if value > HUNDRED:
            words = f"率超过 100：{words}"
        if value == HUNDRED:
            words = f"写 100%，却还差 {_plain(base - part)} 件：{words}"
        if how := _rounding(value, fair, places):
            return f"{words}，{how}"
        if digits(value) > places and value == half_up(fair, digits(value)):
            return f"{words}，多写了小数位"
        if value == half_up(fair / 100, digits(value)):
            return f"{words}，写成了小数，没有乘 100"
        return words + self._other_base(part, base, value, places)

    def _other_base(self, part: Decimal, base: Decimal, value: Decimal, places: int) -> str:
        """Return on which base, or with which numerator, a rate would be right."""
        bases = [name for name, count in self._counts.items() if count > 0 and count != base]
        fits = [self._name(name) for name in bases if _prints(part, self._counts[name], value, places)]
        fits = fits or list(self._derived(part, base, value, places))
        if fits:
            return f"；以 {'、'.join(fits[:_MOST_NAMES])} 为基数才是 {_plain(value)}"
        tops = [
            self._name(name)
            for name, count in self._counts.items()
            if count != part and 0 <= count <= base and _prints(count, base, value, places)
        ]
        if tops and value > 0:
            return f"；分子若是 {'、'.join(tops[:_MOST_NAMES])} 才是 {_plain(value)}"
        if value > 0 and part > 0:
            return f"；要得 {_plain(value)}，基数约为 {_plain(half_up(Fraction(part) * 100 / Fraction(value), 0))}"
        return ""

    def _derived(self, part: Decimal, base: Decimal, value: Decimal, places: int) -> Iterator[str]:
        """Yield bases that are the difference of two counts, or their sum."""
        named = list(self._counts.items())[:_MOST_PAIRED]
        for (one, first), (two, second) in combinations(named, 2):
            for words, made in (
                (f"{one}−{two}", first - second),
                (f"{two}−{one}", second - first),
                (f"{one}＋{two}", first + second),
            ):
                if made > 0 and made != base and made >= part and _prints(part, made, value, places):
                    yield f"{words}（{_plain(made)}）"

    # --- growth -----------------------------------------------------------------------------------------------------

    def _growth(self, growth: Growth) -> Iterator[Anomaly]:
        now, before, value = self._value(growth.now), self._value(growth.before), growth.percent
        if value is None or now is None or before is None:
            return
        change = percent(now - before, before)
        if change is None:
            yield Anomaly(growth.where, value, None, "上期是 0，没有增幅：应为空白")
            return
        places = _places(value, growth.decimals)
        right = half_up(change, places)
        if value != right:
            words = f"{_plain(before)} → {_plain(now)} 应为 {_plain(right)}"
            yield Anomaly(growth.where, value, right, words + self._why_growth(value, now, before, change, places))

    def _why_growth(self, value: Decimal, now: Decimal, before: Decimal, change: Fraction, places: int) -> str:
        of_now, of_before = percent(now - before, now), percent(now, before)
        if value == -half_up(change, places):
            return "，升降写反了"
        if how := _rounding(value, change, places):
            return f"，{how}"
        if of_now is not None and value == half_up(of_now, places):
            return f"，用了本期 {_plain(now)} 作基数，应以上期 {_plain(before)} 为基数"
        if of_before is not None and value == half_up(of_before, places):
            return "，写的是本期占上期的百分比，不是增幅"
        if value == now - before:
            return "，写的是增加的件数，不是百分比"
        others = [self._name(name) for name, count in self._counts.items() if _grew(count, now, value, places)]
        return f"；以 {'、'.join(others[:_MOST_NAMES])} 为上期才是 {_plain(value)}" if others else ""


class _Column:
    """The printed percentages of one table against what their counts come to."""

    def __init__(self, table: Percentages, counts: Mapping[str, Decimal | None], base: Decimal | None) -> None:
        self._shares: Mapping[str, Share] = table.parts
        self._fair: dict[str, Fraction] = {}
        self._places: dict[str, int] = {}
        self.wrong: dict[str, Decimal | None] = {}
        self.decimals = table.decimals or 0
        rights: list[Decimal] = []
        printed: list[Decimal] = []
        for label, share in table.parts.items():
            count = counts[label]
            if share.printed is None or count is None or base is None:
                continue
            places = self._places[label] = _places(share.printed, table.decimals)
            self.decimals = max(self.decimals, places)
            fair = percent(count, base)
            if fair is None:
                self.wrong[label] = None
                continue
            right = half_up(fair, places)
            self._fair[label] = fair
            rights.append(right)
            printed.append(share.printed)
            if right != share.printed:
                self.wrong[label] = right
        self._column_forced = _adds_to_all(printed) and not _adds_to_all(rights)
        self._lines = len(printed)

    def hides(self, label: str) -> Decimal | None:
        """Return the rate of a part that is printed as 100 though it is not all; None for any other."""
        fair = self._fair.get(label)
        if fair is None or fair >= HUNDRED or self._shares[label].printed != HUNDRED:
            return None
        return _first_below(fair, self._places[label])

    def why(self, label: str, base: str) -> str:
        right, printed = self.wrong[label], self._shares[label].printed
        if right is None or printed is None:
            return f"基数 {base} 是 0，没有占比：应为空白"
        words = f"以 {base} 为基数应为 {_plain(right)}"
        if printed > HUNDRED:
            words = f"占比超过 100：{words}"
        unit = Decimal(1).scaleb(-self._places[label])
        if self._column_forced and abs(printed - right) <= unit * self._lines:
            return f"{words}，为使合计等于 100 硬凑的"
        how = _rounding(printed, self._fair[label], self._places[label])
        return f"{words}，{how}" if how else words


def _adds_to_all(figures: Sequence[Decimal]) -> bool:
    return sum(figures, Decimal(0)) == HUNDRED


def _prints(part: Decimal, base: Decimal, printed: Decimal, places: int) -> bool:
    fair = percent(part, base)
    return fair is not None and half_up(fair, places) == printed


def _grew(before: Decimal, now: Decimal, printed: Decimal, places: int) -> bool:
    return before > 0 and _prints(now - before, before, printed, places)


def _rounding(printed: Decimal, fair: Fraction, places: int) -> str | None:
    """Say by which other rounding a figure came about; None where by none."""
    if printed == cut_off(fair, places):
        return "被截尾了，没有四舍五入"
    if printed == pushed_up(fair, places):
        return "一律进位了，没有四舍五入"
    return None


def _first_below(fair: Fraction, places: int) -> Decimal:
    """Return a rate with as many decimals as it takes to show that it is below 100."""
    more = places
    while half_up(fair, more) == HUNDRED:
        more += 1
    return half_up(fair, more)


def _places(printed: Decimal, decimals: int | None) -> int:
    return digits(printed) if decimals is None else decimals


def _said(count: Decimal | None, base: Decimal | None) -> bool:
    return count is not None and base is not None


def _called(figure: Figure | None) -> str:
    return figure if isinstance(figure, str) else "合计"


def _plain(value: Decimal | int | None) -> str:
    return "" if value is None else f"{value:f}"


def spoken(one: Anomaly) -> str:
    """Return one anomaly as a line for people."""
    printed = one.published if isinstance(one.published, str | None) else _plain(Decimal(one.published))
    right = "" if one.right is None else f"，应为 {_plain(Decimal(one.right))}"
    return f"{one.where}: 印的是 {printed or '空白'}{right}：{one.problem}"

"""Numbers that lead to a person: telephones, identity cards, bank cards, accounts; known ones, and what looks like one."""

import re
from collections.abc import Collection, Iterator, Sequence
from itertools import pairwise
from typing import Final

from wuye_loop.domain.expressions import expression
from wuye_loop.domain.privacy.folding import NO_DIGIT, NUMERALS, Folded, occurrences
from wuye_loop.domain.privacy.spared import Spared, is_counted, is_date, is_service

Span = tuple[int, int]

PHONE: Final = "电话"
CARD: Final = "证件号"
BANK: Final = "银行账号"
Found = tuple[int, int, str]

_RUN = expression(r"\d+")
_EXTENDED = expression(r"转|ext|分机")
# What may stand between the digits of a number that nobody gave: of one that is known it may be anything.
_APART: Final = r"[ \t\n\u3000\u00a0\-.·•‧・—–_/\\*x×~|,，、()#:]{1,3}"
_ROW = expression(rf"\d+(?:{_APART}\d+)*")
_LISTING = expression(r"[,，、/~|\n:#]")
_KNOWN_GAP: Final = 5
_SHORT_GAP: Final = 3
_MOST_GROUPS: Final = 20
_MOST_DIGITS: Final = 19
_FEWEST_DIGITS: Final = 11  # of a mobile number; cards and accounts have more

_MOBILE = expression(r"(?:0{0,2}86|0|17951)?1[3-9]\d{9}")
_MOBILES = expression(r"(?:1[3-9]\d{9}){2,8}")
_PREFIX = expression(r"^(?:0{0,2}86|0|17951)(?=1[3-9]\d{9}$)")
# How people group a mobile number where the same signs also part the items of a list.
_GROUPED: Final = frozenset(
    ((3, 4, 4), (3, 8), (7, 4), (3, 3, 5), (4, 3, 4), (5, 6), (3, 4, 2, 2), (3, 2, 2, 2, 2), (1,) * 11, (11,))
)
_PROVINCES: Final = frozenset(
    "11 12 13 14 15 21 22 23 31 32 33 34 35 36 37 41 42 43 44 45 46 50 51 52 53 54 61 62 63 64 65 71 81 82 83".split()  # noqa: SIM905
)
_BORN: Final = r"(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])"
_CARD_18 = expression(rf"\d{{6}}(?:18|19|20)\d\d{_BORN}\d{{3}}[\dx]")
_CARD_15 = expression(rf"\d{{6}}\d\d{_BORN}\d{{3}}")

_LANDLINE = expression(
    r"(?<![\d.])(?:\+?86[\s\-]?)?\(?0(?:10|2\d|[3-9]\d\d)\)?[\s\-—–_/.)]{0,3}([2-9]\d{2,3}[\s\-—.]?\d{4})(?!\d)"
    r"(?:\s?(?:转|-|—|ext\.?|分机号?)\s?\d{1,6}(?!\d))?"
)
_FOREIGN = expression(r"\+\d{1,3}[\s\-]?\(?\d(?:[\s\-()]?\d){6,13}")
_CALLED: Final = r"(?:电\s?话|手\s?机号?码?|座\s?机|固\s?话|宅电|传真|联系方式|联系|号码|来电|回电|回复|请回|致电|call|tel|phone|mobile|fax|拨打|☎|短信|热线|打给我?)"
# 电话13912345678, tel: 88881234, 座机8881234转801: what a word names a telephone need not look like one.
_LABELLED = expression(
    rf"{_CALLED}[^\d\n。！？;；+]{{0,8}}(\+?\d[\d\s\-—–.()*x]{{5,18}}\d)(?!\d)(?:\s?(?:转|ext\.?|分机号?)\s?\d{{1,6}}(?!\d))?"
)
_LOCAL = expression(r"(?<![\d.\-/a-z])(?:2[1-9]|[3-8]\d)\d{6}(?![\d.a-z])")
_LOCAL_PARTED = expression(r"(?<![\d.\-—/a-z])((?:2[1-9]|[3-8]\d)\d{2})[\-—\s](\d{4})(?![\d.\-—/a-z])")
_SHORT_LABELLED = expression(r"短号[^\d\n]{0,4}(\d{3,6})(?!\d)")
_TAIL = expression(r"(?:尾号|尾数|[末后]\s?[四4]\s?位)[^\d\n]{0,6}(\d{4})(?!\d)")
# 136****2399, 1381234****, 370702********123x, 6222***********0123: enough is left to find the one it is.
_MASK: Final = r"*×●○□"
_MASKED_MOBILE = expression(
    rf"(?<![\d{_MASK}])1[3-9](?=[\dx{_MASK}]{{0,6}}[x{_MASK}]{{2}})[\dx{_MASK}#]{{7,10}}(?![\d{_MASK}])"
    rf"|(?<!\d)1[3-9]\d[\s\-]?[x{_MASK}#?]{{3,6}}[\s\-]?\d{{4}}(?!\d)"
)
_MASKED_CARD = expression(rf"(?<!\d)[1-8]\d{{2,13}}[x{_MASK}]{{4,14}}\d{{0,4}}[\dx]?(?![\d{_MASK}])")
_ACCOUNT = expression(
    r"(?:卡\s?号|[账帐]\s?号|账户|银行卡|对公户|工行|建行|农行|中行|交行|邮储|信用社)[^\d\n。]{0,10}(\d[\d \-]{7,30}\d)(?!\d)"
)
_CERTIFICATE = expression(
    r"(?:身份证|身份号码?|证件|护照|驾驶证|驾照|行驶证|社保|医保|军官证|士兵证|居住证|通行证|房产证|不动产权?证?|产权证|准考证|学籍|工号|学号|户号|"
    r"用户编?号|缴费号|燃气卡)(?:卡|证)?(?:号码?|编号)?\s?[:：是为第]{0,2}\s?((?=[^\d]{0,12}\d)[a-z0-9()〔〕\-第号字]{5,28})"
)
_DIGITS_OF_CARD: Final = 16
_MOBILE_DIGITS: Final = 11
# Of each row every text has a character that the pattern beside it finds anything in.
_ENDS: Final = frozenset("尾末后")
_MASKS: Final = frozenset(f"{_MASK}x#?")
_OF_ACCOUNTS: Final = frozenset("卡号户行储社")
_OF_CERTIFICATES: Final = frozenset("证份件照保籍工学户费卡产")
_COUNTING = expression(r"\s?(?:号|栋|幢|座|楼|层|单元|月|日)")


def find_known(folded: Folded, numbers: Collection[str]) -> Iterator[Span]:
    """Yield where known numbers stand, whatever stands between their digits; all their digits must occur in the text.

    Of a mobile number also its end of eight digits; a short number only by itself.
    """
    digits = folded.digits
    if not numbers:
        return
    places = [n for n, one in enumerate(digits) if one.isdigit()]
    packed = "".join(digits[n] for n in places)
    for number in numbers:
        gap = _KNOWN_GAP if len(number) >= 10 else _SHORT_GAP  # noqa: PLR2004 so many digits never meet by chance
        for at in occurrences(packed, number):
            run = places[at : at + len(number)]
            end = run[-1] + 1
            close = all(there - here <= gap for here, there in pairwise(run))
            alone = len(number) > _ALONE or _by_itself(digits, run[0], run[-1])
            if close and alone and not _is_price(digits, run[0], end, number):
                extension = _EXTENSION.match(digits, end)
                yield run[0], extension.end() if extension else end


_ALONE: Final = 6  # digits of a number that must stand by itself


# After the digits of a telephone: what people dial next.
_EXTENSION = expression(r"\s?(?:转|ext\.?|分机号?)\s?\d{1,6}(?!\d)")


def _is_price(digits: str, start: int, end: int, number: str) -> bool:
    """Say whether digits that are a local number are written as an amount of money."""
    return len(number) <= _LONGEST_PRICE and digits[start:end] == number and digits.startswith("元", end)


_LONGEST_PRICE: Final = 8


def _by_itself(digits: str, first: int, last: int) -> bool:
    return not digits[first - 1 : first].isdigit() and not digits[last + 1 : last + 2].isdigit()


def find_likely(folded: Folded, spared: Spared) -> Iterator[Found]:
    """Yield what looks like a number that leads to a person, and what sort of number it is."""
    digits = folded.digits
    count = sum(map(len, _RUN.findall(digits)))
    if not count:
        return
    yield from _likely(digits, count, folded.has, spared)
    if (apart := _set_apart(folded)) is not None:
        yield from _likely(apart, count, folded.has, spared)


def _likely(digits: str, count: int, has: frozenset[str], spared: Spared) -> Iterator[Found]:
    if count >= _FEWEST_DIGITS:
        yield from _grouped(digits, spared)
    if count >= _FEWEST_CALLED:
        yield from _telephones(digits, spared)
    yield from _shortened(digits, has)
    yield from _by_their_names(digits, has)


# 李四13912345678, 13912345678一直没人接, ①13912345678: what stands beside figures is not always one of them.
_BESIDE = expression(rf"(?<=\d)[{NUMERALS}]|[{NUMERALS}](?=\d)")
_ITEM = expression("[①-⒛❶-➓⓫-⓿㉑-㉟㊱-㊿](?=[0-9０-９])")


def _set_apart(folded: Folded) -> str | None:
    """Return a text in whose one form no numeral is a digit, nor a sign of a list before figures; None where none stands so."""
    plain = folded.plain
    items = {found.start() for found in _ITEM.finditer(folded.text)}
    if items:
        places = range(len(plain)) if folded.places is None else folded.places
        return "".join("、" if place in items else one for one, place in zip(plain, places, strict=True))
    return plain if _BESIDE.search(plain) is not None else None


def _grouped(digits: str, spared: Spared) -> Iterator[Found]:
    """Put neighbouring groups of digits together, and look at what they make."""
    for row in _rows(digits):
        n = 0
        while n < len(row):
            found = next(_made_of(digits, row, n, spared), None)
            if found is None:
                n += 1
                continue
            last, start, end, sort = found
            yield start, end, sort
            n = last + 1


def _rows(digits: str) -> Iterator[Sequence[Span]]:
    """Yield the groups that stand so near each other that they may make one number, where they have digits enough."""
    for row in _ROW.finditer(digits):
        start, end = row.span()
        if end - start >= _FEWEST_DIGITS:
            groups = [found.span() for found in _RUN.finditer(digits, start, end)]
            if sum(last - first for first, last in groups) >= _FEWEST_DIGITS:
                yield groups


def _made_of(digits: str, groups: Sequence[Span], first: int, spared: Spared) -> Iterator[tuple[int, int, int, str]]:
    """Yield what the groups from one on make: the last of them, where it stands, what it is; the longest first."""
    number, sizes, listing = "", [], False
    made: list[tuple[int, int, int, str]] = []
    start = groups[first][0]
    for n in range(first, min(first + _MOST_GROUPS, len(groups))):
        here, end = groups[n]
        if n > first:
            listing = listing or _LISTING.search(digits, groups[n - 1][1], here) is not None
        number += digits[here:end]
        sizes.append(end - here)
        if len(number) > _MOST_DIGITS and n > first:
            break
        sort, end = _sort_of(digits, number, end)
        if sort is None or (
            sort is PHONE and (spared.has_phone(number) or _is_row(digits, sizes, start, end, listing))
        ):
            continue
        if sort is not PHONE and listing:
            continue
        made.append((n, start, end, sort))
    yield from reversed(made)


def _sort_of(digits: str, number: str, end: int) -> tuple[str | None, int]:
    """Return what a row of digits is, and where it ends with the x of an identity card."""
    if _MOBILE.fullmatch(number) or _MOBILES.fullmatch(number):
        return PHONE, end
    if number[:2] in _PROVINCES:
        if digits[end : end + 1] == "x" and _CARD_18.fullmatch(f"{number}x"):
            return CARD, end + 1
        if _CARD_18.fullmatch(number) or _CARD_15.fullmatch(number):
            return CARD, end
    if _DIGITS_OF_CARD <= len(number) <= _MOST_DIGITS and (number.startswith("62") or _is_bank_card(number)):
        return BANK, end
    return None, end


def _is_row(digits: str, sizes: Sequence[int], start: int, end: int, listing: bool) -> bool:  # noqa: FBT001
    """Say whether what looks like a telephone is a row of small numbers: 13、14、15栋, 13 14 15 16 17 8号楼."""
    if len(sizes) == 1:
        return False
    if listing:
        grouped = tuple(sizes) if sum(sizes) == _MOBILE_DIGITS else tuple(sizes[1:])  # a country code stands alone
        return grouped not in _GROUPED
    if max(sizes) > 2 or len(sizes) == _MOBILE_DIGITS:  # noqa: PLR2004 buildings and floors have two digits at most
        return False
    rows = [int(one) for one in _RUN.findall(digits[start:end])]
    return rows == sorted(rows) or _COUNTING.match(digits, end) is not None


def _is_bank_card(number: str) -> bool:
    """Say whether a number has a card's check digit and begins as cards do."""
    if number[0] not in "3456" or number.startswith(("19", "20")):
        return False
    total = 0
    for place, one in enumerate(reversed(number)):
        value = int(one) * (1 + place % 2)
        total += value - 9 if value > 9 else value  # noqa: PLR2004 Luhn's sum of digits
    return total % 10 == 0


def _telephones(digits: str, spared: Spared) -> Iterator[Found]:
    """Yield numbers that are written as telephones are: with an area or country code, after a word, by eight digits."""
    for start, end in _written_so(digits, spared):
        if not is_service(digits, start, end, spared):
            yield start, end, PHONE


def _written_so(digits: str, spared: Spared) -> Iterator[Span]:
    for found in _LANDLINE.finditer(digits):
        if not _is_spared(found[0], found[1], spared):
            yield found.span()
    for found in _FOREIGN.finditer(digits) if "+" in digits else ():
        if not _is_spared(found[0], "", spared):
            yield found.span()
    for found in _LABELLED.finditer(digits):
        if _is_called(digits, found, spared):
            yield found.start(1), found.end()
    yield from _of_eight_digits(digits, spared)


def _of_eight_digits(digits: str, spared: Spared) -> Iterator[Span]:
    for found in _LOCAL.finditer(digits):
        if not spared.has_phone(found[0]) and not is_date(found[0]) and not is_counted(digits, *found.span()):
            yield found.span()
    for found in _LOCAL_PARTED.finditer(digits):
        # 8800-9500元 and 2016-2017 go upwards; a telephone may, but then nothing tells the two apart.
        falls = int(found[2]) < int(found[1])
        if falls and not spared.has_phone(found[1] + found[2]) and not is_counted(digits, *found.span()):
            yield found.span()


def _shortened(digits: str, has: frozenset[str]) -> Iterator[Found]:
    """Yield numbers of which a part is left: 短号 6688, 尾号 2399, 138****2399."""
    if "短" in has:
        yield from ((*found.span(1), PHONE) for found in _SHORT_LABELLED.finditer(digits))
    if not has.isdisjoint(_ENDS):
        yield from ((*found.span(1), PHONE) for found in _TAIL.finditer(digits))
    if not has.isdisjoint(_MASKS):
        yield from ((*found.span(), PHONE) for found in _MASKED_MOBILE.finditer(digits))


_FEWEST_CALLED: Final = 7
_MOST_CALLED: Final = 13


def _is_called(digits: str, found: re.Match[str], spared: Spared) -> bool:
    """Say whether what stands after a word for a telephone is one."""
    number = NO_DIGIT.sub("", found[1])
    if not _FEWEST_CALLED <= len(number) <= _MOST_CALLED or is_date(number) or _is_span_of_years(found[1]):
        return False
    return not _is_spared(number, number, spared) and not is_counted(digits, found.start(1), found.end(1))


def _is_spared(whole: str, local: str, spared: Spared) -> bool:
    number = whole if whole.isdecimal() else NO_DIGIT.sub("", _EXTENDED.split(whole)[0])
    every = {number, _PREFIX.sub("", number), NO_DIGIT.sub("", local)}
    return any(spared.has_phone(one) for one in every if one)


_YEARS = expression(r"(?:19|20)\d\d\s?[\-—–.]\s?(?:(?:19|20)\d\d|\d{1,2}(?:\s?[\-—–.]\s?\d{1,2})?)")


def _is_span_of_years(text: str) -> bool:
    """Say whether digits are 2016-2017 or 2019-04-01."""
    return _YEARS.fullmatch(text.strip()) is not None


def _by_their_names(digits: str, has: frozenset[str]) -> Iterator[Found]:
    if not has.isdisjoint(_OF_ACCOUNTS):
        yield from ((*found.span(1), BANK) for found in _ACCOUNT.finditer(digits))
    if not has.isdisjoint(_OF_CERTIFICATES):
        yield from ((*found.span(1), CARD) for found in _CERTIFICATE.finditer(digits))
    if not has.isdisjoint(_MASKS):
        yield from ((*found.span(), CARD) for found in _MASKED_CARD.finditer(digits))

"""A learned model: plain numbers in a file with a hash, applied without any library, the same everywhere."""

import hashlib
import json
import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Self

from wuye_loop.domain.suggesting.features import TITLE, WHOLE, features

FORMAT = 1
_SHIPPED = Path(__file__).with_name("shipped.json")
SCALE = 1_000  # weights are whole thousandths
TF_SCALE = 16  # 1 + ln(count) in sixteenths
_FIELD = 56  # bits of one category's sum within a packed number: no text is long enough to fill it
_HALF, _MASK = 1 << (_FIELD - 1), (1 << _FIELD) - 1
_TF = [0, *(round(TF_SCALE * (1 + math.log(n))) for n in range(1, 64))]


class ModelProblem(ValueError):
    """A file is no model that can be used; the message says why, in Chinese."""


@dataclass(frozen=True, slots=True)
class Seen:
    """One part's features: by number the weights of all categories packed into one whole number, and its rareness."""

    weights: Mapping[int, int]
    rareness: Mapping[int, int]  # thousandths


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a model says: categories with their margins, the best first, and how sure it is that the best is right."""

    ranked: tuple[tuple[str, float], ...]
    confidence: float
    known: int  # of the text's features that the model has met


@dataclass(frozen=True, slots=True)
class Model:
    """Weights for each category over two parts of a text and over what the file's patterns found."""

    name: str
    digest: str  # sha256 of the numbers: what a ledger row pins
    categories: tuple[str, ...]
    bias: tuple[int, ...]
    known: Mapping[int, Seen]
    by_pattern: Mapping[str, tuple[int, ...]]  # by the sign of a pattern of the file: the weights of its being found
    slope: float  # of the curve from the distance between first and second to the chance of being right
    offset: float
    sure: float  # from this confidence on, a suggestion is taken
    about: Mapping[str, Any] = field(default_factory=dict)  # how it was made: counts and dates, no words
    #: The same over units (`company` is whoever runs the estate); asked with `places` beside the signs.
    units: "Model | None" = None

    def judge(self, title: str, body: str, signs: Collection[str]) -> Verdict:
        """Return what the model says of a text in which the file's patterns found these signs."""
        sums = [float(one) for one in self.bias]
        known = 0
        for part, counts in features(title, body):
            packed, norm, met = self._sum(part, counts)
            known += met
            if norm:
                sums = [one + more / norm for one, more in zip(sums, _unpacked(packed, len(sums)), strict=True)]
        for sign in signs:
            weights = self.by_pattern.get(sign)
            if weights is not None:
                sums = [one + more for one, more in zip(sums, weights, strict=True)]
        order = sorted(range(len(sums)), key=lambda index: -sums[index])
        ranked = tuple((self.categories[index], round(sums[index] / SCALE, 6)) for index in order)
        gap = ranked[0][1] - ranked[1][1] if len(ranked) > 1 else 1.0
        return Verdict(ranked, round(1 / (1 + math.exp(-(self.slope * gap + self.offset))), 4), known)

    def leaning(self, part: int, number: int, category: str, against: str) -> int:
        """Return what a feature says for one category against another, in thousandths before norming."""
        packed = self.known[part].weights.get(number)
        if packed is None:
            return 0
        one, other = (_FIELD * self.categories.index(name) for name in (category, against))
        return _field(packed, one) - _field(packed, other)

    def _sum(self, part: int, counts: Mapping[int, int]) -> tuple[int, float, int]:
        """Return the packed sum of the weights, the norm they are divided by, and how many features were met."""
        here = self.known[part]
        weights, rareness = here.weights, here.rareness
        packed = squares = met = 0
        for number, count in counts.items():
            weight = weights.get(number)
            if weight is not None:
                tf = _TF[count] if count < len(_TF) else _TF[-1]
                packed += weight * tf
                squares += (rareness[number] * tf) ** 2
                met += 1
        return packed, math.sqrt(squares) / SCALE, met

    @classmethod
    def read(cls, data: bytes) -> Self:
        """Read a model from its file's bytes.

        Raises ModelProblem for what is no model, is of another format, or was changed after it was made.
        """
        try:
            raw = json.loads(data)
            numbers_ = raw["numbers"]
            given = raw["sha256"]
        except (ValueError, KeyError, TypeError):
            raise ModelProblem("不是分类模型文件") from None
        if digest_of(numbers_) != given:
            raise ModelProblem("模型文件的内容与它自己写的 sha256 不符，文件被改动过或不完整")
        try:
            return cls._of(numbers_, str(given))
        except (KeyError, TypeError, ValueError, IndexError):
            raise ModelProblem("模型文件缺少内容，或格式不是本版所用") from None

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a model file; raises ModelProblem and OSError."""
        return cls.read(path.read_bytes())

    @classmethod
    def shipped(cls) -> Self:
        """Return the model that comes with the house, learned from made-up complaints."""
        return cls.load(_SHIPPED)

    @classmethod
    def _of(cls, raw: Mapping[str, Any], digest: str) -> Self:
        if raw["format"] != FORMAT:
            raise ValueError(raw["format"])
        categories = tuple(str(one) for one in raw["categories"])
        width = len(categories)
        known = {part: _known(raw["parts"][str(part)], width) for part in (TITLE, WHOLE)}
        patterns = {str(name): _row(weights, width) for name, weights in raw["patterns"].items()}
        sure = raw["confidence"]
        units = cls._of({"format": FORMAT, "name": raw["name"], **raw["units"]}, digest) if raw.get("units") else None
        return cls(
            str(raw["name"]), digest, categories, _row(raw["bias"], width), known, patterns,
            float(sure["slope"]), float(sure["offset"]), float(sure["sure"]), dict(raw.get("about", {})), units,
        )  # fmt: skip


def places(estate: str | None, area_path: str) -> tuple[str, ...]:
    """Return the signs of where a complaint lies: its estate, and each area that it lies in; hashed as patterns are."""
    codes = (estate, *area_path.split("/"))
    return tuple(hashlib.blake2b(f"at {code}".encode(), digest_size=8).hexdigest() for code in codes if code)


def written(numbers_: Mapping[str, Any]) -> bytes:
    """Return the bytes of a model file with these numbers."""
    lines = json.dumps({"sha256": digest_of(numbers_), "numbers": numbers_}, ensure_ascii=False, separators=(",", ":"))
    return lines.encode() + b"\n"


def digest_of(numbers_: object) -> str:
    """Return the sha256 over the numbers, however they are laid out in the file."""
    plain = json.dumps(numbers_, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(plain.encode()).hexdigest()


def _row(weights: Sequence[int], width: int) -> tuple[int, ...]:
    row = tuple(int(one) for one in weights)
    if len(row) != width:
        raise ValueError(len(row))
    return row


def _known(rows: Sequence[Sequence[int]], width: int) -> Seen:
    """Read a part's rows: number, rareness, one weight for each category."""
    weights, rareness = {}, {}
    for number, rare, *row in rows:
        if len(row) != width:
            raise ValueError(len(row))
        weights[number] = _packed(row)
        rareness[number] = rare
    return Seen(weights, rareness)


def _packed(row: Sequence[int]) -> int:
    packed = 0
    for weight in reversed(row):
        packed = (packed << _FIELD) + weight
    return packed


def _field(packed: int, shift: int) -> int:
    """Return one category's weight; one less where those below it come to less than nothing."""
    return (((packed >> shift) + _HALF) & _MASK) - _HALF


def _unpacked(packed: int, width: int) -> list[int]:
    """Return the sums that are packed into one number; each may be negative."""
    found = []
    for _ in range(width):
        one = ((packed + _HALF) & _MASK) - _HALF
        found.append(one)
        packed = (packed - one) >> _FIELD
    return found


@cache
def shipped_model() -> Model:
    """Return the model that comes with the house; one for the whole process."""
    return Model.shipped()

"""A 12345 order as the hotline sends it: the shape of an intake, the same for HTTP, batch and import."""

from typing import Annotated, Final

import orjson
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, JsonValue

from wuye_loop.domain.errors import BadValue
from wuye_loop.domain.privacy.text import clean, legible
from wuye_loop.domain.time.written import LONGEST as LONGEST_INSTANT

RESIDENTS: Final = "resident"  # the source of what residents file on pages of our own
EXTERNAL_ID_MOST = 64
TITLE_MOST = 200
_MAX_EXTRA = 16_384  # bytes of JSON: what a city adds of its own, not a document
_LONGEST = 20_000  # characters of a body; every field has its own, lower bound


def _cleaned(value: str) -> str:
    return clean(value, max_len=_LONGEST)


def _small_and_legible(value: dict[str, JsonValue]) -> dict[str, JsonValue]:
    if len(orjson.dumps(value)) > _MAX_EXTRA:
        raise BadValue("附加字段太大")
    found: dict[str, JsonValue] = legible(value)
    return found


def _filled(value: str) -> str:
    if not value:
        raise BadValue("不能只有空白")
    return value


CLEAN = AfterValidator(_cleaned)
FILLED = AfterValidator(_filled)


class Place(BaseModel):
    """Where: an estate by code or name, an area by code, an address (shown to building level only)."""

    model_config = ConfigDict(extra="forbid")
    estate: Annotated[str, Field(max_length=60), CLEAN] | None = Field(None, examples=["E0101"])
    area_code: Annotated[str, Field(max_length=24), CLEAN] | None = Field(None, examples=["370705001"])
    address: Annotated[str, Field(max_length=200), CLEAN] | None = Field(
        None, examples=["幸福路 8 号 3 号楼 2 单元 501"]
    )


class Complainant(BaseModel):
    """Who: sealed at once, never in an answer."""

    model_config = ConfigDict(extra="forbid")
    name: Annotated[str, Field(max_length=40), CLEAN] | None = Field(None, examples=["张三"])
    phone: Annotated[str, Field(max_length=24), CLEAN] | None = Field(None, examples=["13800000000"])
    anonymous: bool = False
    confidential: bool = False


class IntakeForm(BaseModel):
    """A 12345 order as the hotline sends it; what a city adds of its own goes into `extra` and is kept."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {
                "external_id": "2026112100000001",
                "channel": "电话",
                "kind": "投诉",
                "category": "电梯",
                "urgency": "平急",
                "title": "三号楼电梯停运两天",
                "body": "三号楼电梯自周四起停运，家中有老人无法下楼。",
                "place": {"estate": "E0101", "address": "3 号楼 2 单元"},
                "complainant": {"name": "张三", "phone": "13800000000"},
                "extra": {},
            }
        },
    )
    external_id: Annotated[str, Field(min_length=1, max_length=EXTERNAL_ID_MOST), CLEAN, FILLED]
    channel: Annotated[str, Field(min_length=1, max_length=40), CLEAN, FILLED]
    kind: Annotated[str, Field(min_length=1, max_length=20), CLEAN, FILLED]
    category: Annotated[str, Field(max_length=120), CLEAN] | None = None
    urgency: Annotated[str, Field(max_length=20), CLEAN] | None = None
    title: Annotated[str, Field(min_length=1, max_length=TITLE_MOST), CLEAN, FILLED]
    body: Annotated[str, Field(min_length=1, max_length=20_000), CLEAN, FILLED]
    occurred_at: Annotated[str, Field(max_length=LONGEST_INSTANT, examples=["2026-11-20 09:05:00"]), CLEAN] | None = (
        None  # as it was written: one that cannot be read is a flag, no refusal
    )
    place: Place = Field(default_factory=Place)
    complainant: Complainant = Field(default_factory=Complainant)
    extra: Annotated[dict[str, JsonValue], AfterValidator(_small_and_legible)] = Field(default_factory=dict)


class Correction(BaseModel):
    """What of an order is set right, and why: a field that is not named stays; null takes a place, category, phone or time away."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"example": {"reason": "来电人更正小区", "place": {"estate": "E0102"}, "category": "电梯"}},
    )
    reason: Annotated[str, Field(min_length=2, max_length=500), CLEAN, FILLED]
    place: Place | None = None
    category: Annotated[str, Field(max_length=120), CLEAN] | None = None
    kind: Annotated[str, Field(min_length=1, max_length=20), CLEAN, FILLED] = ""
    phone: Annotated[str, Field(max_length=24), CLEAN] | None = None
    title: Annotated[str, Field(min_length=1, max_length=TITLE_MOST), CLEAN, FILLED] = ""
    body: Annotated[str, Field(min_length=1, max_length=20_000), CLEAN, FILLED] = ""
    occurred_at: Annotated[str, Field(max_length=LONGEST_INSTANT), CLEAN] | None = None

    @property
    def named(self) -> frozenset[str]:
        """The fields that it names."""
        return frozenset(self.model_fields_set) - {"reason"}


class Supplement(BaseModel):
    """Words that the complainant adds to an order."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"text": "电梯里还有人被困。"}})
    text: Annotated[str, Field(min_length=1, max_length=4000), CLEAN, FILLED]

"""The order as its first ledger row vouches for it: what is fixed in the clear, the texts by a digest that can be erased."""

from collections.abc import Mapping
from typing import Any, Final

import orjson

from wuye_loop.domain.grievance.situation import plain
from wuye_loop.domain.privacy.sealing import DataKey

FIXED: Final = (
    "number", "source", "external_id", "channel", "kind", "received_at", "occurred_at", "estate_code", "area_code",
    "company_code", "anonymous", "confidential", "category_suggested",
)  # fmt: skip
#: What an erasure strikes; who does not hold the grievance's key can neither read it from the ledger nor guess it.
TEXTS: Final = ("title", "body", "address", "extra")


def order_image(order: Mapping[str, Any], key: DataKey) -> dict[str, Any]:
    """Return the image of an order's columns."""
    return {**{name: plain(order[name]) for name in FIXED}, "texts": key.digest(texts_of(order))}


def texts_of(order: Mapping[str, Any]) -> bytes:
    """Return the texts of an order as they are digested: UTF-8 JSON, keys sorted."""
    return orjson.dumps({name: order[name] for name in TEXTS}, option=orjson.OPT_SORT_KEYS)

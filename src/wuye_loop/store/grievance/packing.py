"""Images that no statement looks into, kept as bytes: JSON, deflated against a dictionary that the first byte names."""

import zlib
from collections.abc import Mapping
from typing import Any, Final

import orjson

from wuye_loop.domain.privacy.words import as_kept
from wuye_loop.store.grievance.dictionaries import DICTIONARIES

#: By which dictionary the rows of ledgers, by which clocks and grievances are packed from now on.
LEDGER: Final = 1
CLOCK: Final = 2
GRIEVANCE: Final = 3
_WINDOW: Final = -13  # 8 kB, no header: as far back as a dictionary and a row reach
_SHAPES: Final = {
    LEDGER: (_WINDOW, 6),
    CLOCK: (-11, 4),
    GRIEVANCE: (-11, 4),
}  # what is small is begun with little memory
_MOST: Final = 1 << 24  # bytes of one image: whoever writes to the database does not fill our memory
# Copied for each image: to begin with the dictionary in it costs as much as to pack.
_BEGUN: Final = {
    name: zlib.compressobj(6, zlib.DEFLATED, *_SHAPES[name], zlib.Z_DEFAULT_STRATEGY, words)
    for name, words in DICTIONARIES.items()
}


class Unreadable(ValueError):
    """The bytes are none that were packed here."""


def packed(dictionary: int, image: object) -> str:
    """Return an image as PostgreSQL reads a bytea: in hexadecimal; free text as it is sealed."""
    begun = _BEGUN[dictionary].copy()
    text = orjson.dumps(image, option=orjson.OPT_PASSTHROUGH_SUBCLASS, default=as_kept)
    return f"\\x{dictionary:02x}{begun.compress(text).hex()}{begun.flush().hex()}"


def unpacked(kept: bytes | str) -> Any:
    """Return the image, from bytes or from their hexadecimal form. Raises Unreadable."""
    try:
        whole = bytes.fromhex(kept[2:]) if isinstance(kept, str) else bytes(kept)
        begun = zlib.decompressobj(_WINDOW, DICTIONARIES[whole[0]])
        text = begun.decompress(whole[1:], _MOST)
        if not begun.eof or begun.unused_data:
            raise Unreadable("not to its end")
        return orjson.loads(text)
    except (IndexError, KeyError, TypeError, ValueError, zlib.error) as error:
        raise Unreadable(str(error)) from error


# --- rows of ledgers ------------------------------------------------------------------------------------------------

#: Of the first row alone: a form of later rows may have a field of the same name, which is its own.
_OF_ORDER: Final = ("suggestion", "red_words", "area", "estate", "kind", "channel", "category", "urgency")
_LATER: Final = frozenset({"routing"})
_FIRST: Final = _LATER | frozenset(_OF_ORDER)
#: Of the router that answered: on arrival, and later.
_PROPOSED: Final = ("kind", "unit")
_ROUTED: Final = ("title",)
_PARTS: Final = 2  # of what is packed of a row: its facts and its changes
_ASKED_OF_CHANGES: Final = ("cycle", "urged", "lead_unit")


def apart(seq: int, facts: Mapping[str, Any], changes: Mapping[str, Any]) -> tuple[Any, Any, str | None]:
    """Return what of a row's facts and changes statements look into, and the bytes of the rest; None where there is none."""
    told = {name: facts[name] for name in _OF_ORDER if name in facts} if seq == 1 else {}
    if _are_traces(routing := facts.get("routing")):
        told["routing"] = routing
    if not told and not changes:
        return facts, changes, None
    left = {name: value for name, value in facts.items() if name not in told}
    kept = packed(LEDGER, {"facts": told, "changes": changes})
    return left | _asked_facts(seq, told), _asked_changes(seq, changes), kept


def whole(seq: int, facts: Any, changes: Any, kept: bytes | str | None) -> tuple[Any, Any]:
    """Return a row's facts and changes, from what `apart` made of them or from a row that was kept in the clear.

    What does not belong together comes back as it lies there, with a change that no chain has.
    """
    if kept is None:
        return facts, changes
    try:
        inside = unpacked(kept)
        told, changed = inside["facts"], inside["changes"]
        there = {name: facts[name] for name in told if name in facts}
        fits = changes == _asked_changes(seq, changed) and there == _asked_facts(seq, told)
        # What statements look into is not hidden from them among the bytes.
        ours = told.keys() <= (_FIRST if seq == 1 else _LATER)
        if fits and ours and (told or changed) and len(inside) == _PARTS:
            return {**facts, **told}, changed
    except (Unreadable, AttributeError, LookupError, TypeError, RecursionError):
        pass
    return facts, {**changes, "packed": None} if isinstance(changes, dict) else changes


def facts_of(facts: Any, kept: bytes | str | None) -> Any:
    """Return a row's facts where nobody asks whether they belong to its changes: as they lie there, if they cannot be read."""
    if kept is None:
        return facts
    try:
        return {**facts, **unpacked(kept)["facts"]}
    except (Unreadable, KeyError, TypeError):
        return facts


def _are_traces(routing: Any) -> bool:
    return isinstance(routing, list) and all(isinstance(one, dict) for one in routing)


def _asked_facts(seq: int, told: Mapping[str, Any]) -> dict[str, Any]:
    """Return of the routers' traces the one that answered."""
    if "routing" not in told:
        return {}
    answered = (one for one in told["routing"] if one.get("outcome") in {"matched", "fallback"})
    asked = _PROPOSED if seq == 1 else _ROUTED
    return {"routing": [{name: one[name] for name in asked if name in one} for one in answered][:1]}


def _asked_changes(seq: int, changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return of the grievance's fields those that are counted by when they changed; the first row changes nothing."""
    fields = changes.get("grievance", {})
    if seq == 1:
        asked = {"lead_unit": fields["lead_unit"]} if fields.get("lead_unit") is not None else {}
    else:
        asked = {name: fields[name] for name in _ASKED_OF_CHANGES if name in fields}
    return {"grievance": asked} if asked else {}


# --- grievances -----------------------------------------------------------------------------------------------------

_PACKED_FIELDS: Final = ("counts", "did")
_PACKED_DATA: Final = ("suggestion",)
_PACKED: Final = {"data", *_PACKED_FIELDS}


def grievance_columns(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return a grievance's columns from its fields: what statements look into, and the bytes of the rest."""
    data = fields["data"]
    rest = {"data": {name: data[name] for name in _PACKED_DATA if name in data}}
    rest |= {name: fields[name] for name in _PACKED_FIELDS}
    left = {name: value for name, value in data.items() if name not in _PACKED_DATA}
    return {**fields, **{name: {} for name in _PACKED_FIELDS}, "data": left, "packed": packed(GRIEVANCE, rest)}


def grievance_field(name: str, there: Any, rest: Mapping[str, Any]) -> Any:
    """Return a field from its column and what is packed of the row; what lies in the clear comes before it."""
    more = rest.get(name)
    return {**more, **there} if more and isinstance(there, dict) else there


def grievance_rest(kept: bytes | str | None) -> Mapping[str, Any]:
    """Return what is packed of a grievance's row. Raises Unreadable."""
    if kept is None:
        return {}
    rest = unpacked(kept)
    if (
        not isinstance(rest, dict)
        or rest.keys() != _PACKED
        or not all(isinstance(value, dict) for value in rest.values())
        or not rest["data"].keys() <= set(_PACKED_DATA)
    ):
        raise Unreadable("no fields")
    return rest


# --- clocks ---------------------------------------------------------------------------------------------------------

#: What a clock's row says in columns of its own; its image says the rest.
OF_CLOCK: Final = (
    "name", "task_id", "cycle", "run", "unit", "started_at", "status", "due_at", "provisional", "ended_at",
)  # fmt: skip
_IN_COLUMNS: Final = frozenset({"id", *OF_CLOCK})


def clock_row(image: Mapping[str, Any]) -> dict[str, Any]:
    """Return a clock's columns, from its image in the ledger."""
    columns: dict[str, Any] = {"task_id": None, "unit": None, "ended_at": None}
    rest: dict[str, Any] = {}
    for name, value in image.items():
        (columns if name in _IN_COLUMNS and value is not None else rest)[name] = value
    return columns | {"image": {}, "packed": packed(CLOCK, rest)}


def clock_image(row: Any) -> Any:
    """Return the image of a clock from its row, `to_jsonb(clock)` or the same by name; None from none.

    From a row that is damaged comes what no clock can be read from.
    """
    if row is None:
        return None
    image = clock_rest(row["image"], row["packed"])
    if not isinstance(image, dict):
        return image
    return {**image, "id": row["id"], **{name: row[name] for name in OF_CLOCK}}


def clock_rest(image: Any, kept: bytes | str | None) -> Any:
    """Return what a clock's row says beside its other columns; what lies there in the clear comes before what is packed."""
    if kept is None or not isinstance(image, dict):
        return image
    try:
        return {**unpacked(kept), **image}
    except (Unreadable, TypeError):
        return {**image, "packed": None}

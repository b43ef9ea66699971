"""Who may see which grievance: one predicate, used by every query that reads or locks one."""

from typing import Any

from wuye_loop.domain.grievance.situation import Actor
from wuye_loop.domain.terms import ActorKind

#: After every character that an area path may hold: the end of a subtree's range.
_LAST = "\U0010ffff"


def visible(actor: Actor, alias: str = "g") -> tuple[str, dict[str, Any]]:
    """Return a SQL predicate over `grievance AS alias` and its parameters.

    A hotline sees what came from its own source; a unit what it has a part in now; a supervisor, auditor or admin the
    subtree of the key's area; the system everything; who keeps the keys nothing. A row outside answers like one that does not exist.
    """
    if actor.kind is ActorKind.SYSTEM:
        return "TRUE", {}
    if actor.kind is ActorKind.SECURITY:
        return "FALSE", {}
    if actor.kind is ActorKind.HOTLINE:
        return f"{alias}.source = %(v_source)s", {"v_source": actor.source}
    if actor.kind is ActorKind.UNIT:
        return f"{alias}.units @> ARRAY[%(v_unit)s]::text[]", {"v_unit": actor.unit}
    return subtree(actor.area_path, alias, "v")


#: The same predicate where each row of `m` brings an asker of its own, as `asking` gives them; a test holds the two equal.
VISIBLE_TO_EACH = """CASE m.kind
  WHEN 'system' THEN TRUE WHEN 'security' THEN FALSE
  WHEN 'hotline' THEN g.source = m.source
  WHEN 'unit' THEN g.units @> ARRAY[m.unit]
  ELSE m.area = '' OR (g.area_path ~>=~ m.area AND g.area_path ~<~ m.area_end) END"""
EACH = "kind text, source text, unit text, area text, area_end text"


def asking(actor: Actor) -> dict[str, str | None]:
    """Return the columns of `m` (EACH) by which an actor asks."""
    return {
        "kind": actor.kind.value, "source": actor.source, "unit": actor.unit,
        "area": actor.area_path, "area_end": actor.area_path + _LAST,
    }  # fmt: skip


def sees_paper(actor: Actor, alias: str) -> tuple[str, dict[str, Any]]:
    """Return a predicate over `document AS alias` for those without a grievance, and its parameters.

    A unit sees what it got, in copy too, and what it issued; who sees an area what is about somebody there; a hotline nothing.
    """
    if actor.kind is ActorKind.SYSTEM:
        return "TRUE", {}
    if actor.kind in (ActorKind.SECURITY, ActorKind.HOTLINE):
        return "FALSE", {}
    if actor.kind is ActorKind.UNIT:
        mine = f"({alias}.addressee = %(v_unit)s OR {alias}.issuer = %(v_unit)s OR {alias}.copies @> ARRAY[%(v_unit)s]::text[])"
        return mine, {"v_unit": actor.unit}
    return subtree(actor.area_path, alias, "v")


def sent_by(actor: Actor, alias: str = "g") -> tuple[str, dict[str, Any]]:
    """Return a predicate for the grievances whose external ids the actor may ask for: a sender's own; of others, all seen."""
    if actor.kind in (ActorKind.HOTLINE, ActorKind.UNIT):
        return f"{alias}.source = %(v_sender)s", {"v_sender": actor.sender}
    return "TRUE", {}


def subtree(path: str, alias: str, prefix: str) -> tuple[str, dict[str, Any]]:
    """Return a predicate for rows whose `area_path` lies under a path: a range, so that the index serves it."""
    if not path:
        return "TRUE", {}
    low, high = f"{prefix}_low", f"{prefix}_high"
    return (f"({alias}.area_path ~>=~ %({low})s AND {alias}.area_path ~<~ %({high})s)", {low: path, high: path + _LAST})


def covers(actor: Actor, path: str) -> bool:
    """Say whether an area lies within the actor's own: what a filter by area may name."""
    return path.startswith(actor.area_path)

"""Every combination of what a key may be asked to be, against the rule worked out by hand."""

from itertools import product

import pytest

from wuye_loop.domain.privacy.access.key_rules import FITS, POWERS, REVEAL, SCOPES, misfit, takes_two
from wuye_loop.domain.terms import ActorKind

UNITS = (None, "department", "office", "centre", "community", "company", "ended")
SOURCES = (None, "wx", "", " wx", "x" * 65, "a\nb", "unit:market")

#: role -> kinds of unit it may name (None: none), areas, sources, identities
ALLOWED: dict[str, tuple[set[str | None], set[bool], set[str | None], set[bool]]] = {
    "hotline": ({None, "department", "office", "centre", "community"}, {False}, {None, "wx"}, {True, False}),
    "unit": ({"department", "office", "centre", "community", "company"}, {False}, {None}, {True, False}),
    "supervisor": ({None, "department", "office", "centre", "community"}, {True, False}, {None}, {False}),
    "admin": ({None}, {True, False}, {None}, {False}),
    "security": ({None}, {False}, {None}, {False}),
    "auditor": ({None, "department", "office", "centre", "community"}, {True, False}, {None}, {False}),
}


def test_there_is_a_rule_for_every_role_but_the_systems_own() -> None:
    assert set(FITS) == set(SCOPES) == set(ActorKind) - {ActorKind.SYSTEM}
    assert set(ALLOWED) == {kind.value for kind in FITS}


@pytest.mark.parametrize("role", ALLOWED)
def test_only_what_makes_sense_is_no_misfit_and_all_else_is_told_in_words(role: str) -> None:
    units, areas, sources, reveals = ALLOWED[role]
    walked = 0
    for unit, area, source, reveal in product(UNITS, (True, False), SOURCES, (True, False)):
        said = misfit(
            ActorKind(role),
            unit=unit is not None,
            unit_kind=None if unit == "ended" else unit,
            area=area,
            source=source,
            reveal=reveal,
        )
        fits = unit in units and area in areas and source in sources and reveal in reveals
        fits = fits and not (unit == "company" and reveal)
        assert (said is None) == fits, (role, unit, area, source, reveal, said)
        assert said is None or len(said) > 8
        walked += 1
    assert walked == 196


def test_no_role_has_the_scopes_of_two_of_the_three_powers() -> None:
    own = {kind: set(SCOPES[kind]) for kind in POWERS}
    assert own == {ActorKind.ADMIN: {"admin", "act"}, ActorKind.SECURITY: {"keys"}, ActorKind.AUDITOR: {"read"}}


@pytest.mark.parametrize(
    ("role", "reveal", "two"),
    [
        ("admin", False, True),
        ("security", False, True),
        ("auditor", False, True),
        ("hotline", True, True),
        ("hotline", False, True),  # it reads all of a source, and learns whether a phone number complained before
        ("unit", True, True),
        ("unit", False, False),
        ("supervisor", False, False),
    ],
)
def test_what_is_dangerous_takes_two(role: str, reveal: bool, two: bool) -> None:  # noqa: FBT001
    assert takes_two(ActorKind(role), reveal=reveal) is two


def test_the_scope_that_opens_identities_keeps_its_name() -> None:
    assert REVEAL == "identity:reveal"

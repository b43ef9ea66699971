import pytest
from hypothesis import given
from hypothesis import strategies as st

from wuye_loop.domain.language.conditions import compiled, folded
from wuye_loop.domain.suggesting.needed import needed

CHARACTERS = st.sampled_from("电梯水坏a1")
PIECES = st.one_of(CHARACTERS, st.sampled_from((".", r"\d", "[电梯]", "[^水]", "[电a]", "^", "$", r"\.")))


def _repeated(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    repeat = st.sampled_from(("", "?", "*", "+", "{0,2}", "{2}", "{1,3}", "+?"))
    row = st.lists(st.tuples(inner, repeat).map(lambda both: f"(?:{both[0]}){both[1]}"), max_size=4).map("".join)
    return st.lists(row, min_size=1, max_size=3).map("|".join)


PATTERNS = st.recursive(PIECES, _repeated, max_leaves=8)


@given(st.lists(PATTERNS, min_size=1, max_size=3), st.text(CHARACTERS, max_size=8))
def test_a_text_in_which_a_pattern_is_found_has_one_of_what_it_needs(patterns: list[str], text: str) -> None:
    for pattern, needs in zip(patterns, needed(patterns), strict=True):
        if needs is not None and needs.isdisjoint(text):
            assert compiled(pattern).search(folded(text).encode()) is None, pattern


@pytest.mark.parametrize(
    ("pattern", "needs"),
    [
        ("电梯", "电"),
        ("电梯|水管", "电水"),
        ("电?梯", "梯"),
        ("(?:电|水).{0,3}坏+", "坏"),
        ("[电水]坏{0,1}", "电水"),
        ("电{2,3}", "电"),
    ],
)
def test_a_pattern_needs_the_rarest_of_what_stands_in_each_of_its_alternatives(pattern: str, needs: str) -> None:
    assert needed([pattern])[0] == frozenset(needs)


@pytest.mark.parametrize(
    "pattern",
    [
        "电?",
        "电|",
        "a|电",
        ".*",
        r"\d+",
        "[^电]",
        "[电a]",
        "(?i)电",
        r"\p{Han}电",
        "[[:alpha:]]电",
        r"\Q电\E",
        "(" * 60 + "电" + ")" * 60,
    ],
)
def test_what_may_be_absent_or_is_not_read_is_never_needed(pattern: str) -> None:
    assert needed([pattern]) == [None]

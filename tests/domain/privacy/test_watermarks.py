import pytest

from wuye_loop.domain.privacy.access import watermarks
from wuye_loop.ports import SeededIds

CODE = "7KQ2M9XD4H6T1A5"
MARK = "7KQ2-M9XD-4H6T-1A5Y"


def test_a_mark_is_four_groups_of_four_the_last_sign_a_check() -> None:
    assert watermarks.made(CODE) == MARK


@pytest.mark.parametrize(
    "written", [MARK, MARK.lower(), MARK.replace("-", ""), " 7kq2 m9xd 4h6t la5y ", "7KQ2-M9XD-4H6T-IA5Y"]
)
def test_whoever_reads_it_from_a_photograph_is_understood(written: str) -> None:
    assert watermarks.read(written) == MARK


@pytest.mark.parametrize(
    "written", ["", "7KQ2", MARK + "A", MARK.replace("Y", "U"), "七KQ2-M9XD-4H6T-1A5Y", "X" * 4000]
)
def test_what_is_no_mark_is_told_apart(written: str) -> None:
    assert watermarks.read(written) is None


def test_one_sign_misread_is_seen_nearly_always() -> None:
    signs = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
    slips = [CODE[:at] + sign + CODE[at + 1 :] for at in range(15) for sign in signs if sign != CODE[at]]
    missed = [slip for slip in slips if watermarks.read(slip + MARK[-1]) is not None]
    assert len(missed) / len(slips) < 0.06


@pytest.mark.parametrize("code", ["", "7KQ2M9XD4H6T1A", "7KQ2M9XD4H6T1AU"])
def test_a_mark_is_made_of_fifteen_signs_and_no_other(code: str) -> None:
    with pytest.raises(ValueError, match="15"):
        watermarks.made(code)


def test_marks_that_are_made_are_read_again() -> None:
    ids = SeededIds(7)
    for _ in range(500):
        mark = watermarks.made(ids.code(watermarks.LENGTH))
        assert watermarks.read(mark.replace("-", " ").lower()) == mark

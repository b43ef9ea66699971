import csv
import io

import pytest

from wuye_loop.cli.order_rows import all_lost
from wuye_loop.domain.privacy.text import clean
from wuye_loop.domain.sheets.cells import Number, id_text, is_blank, lost_digits, safe, text_of
from wuye_loop.domain.sheets.refused import RefusedFile, RefusedRow

ID = "20261120000401"


@pytest.mark.parametrize(
    "written",
    [
        ID, f"'{ID}", f'="{ID}"', f"\t{ID}", "２０２６１１２００００４０１", f"{ID}.0", "2026 1120 0004 01", f"\u200b{ID}", f"{ID}\u3000",
        f"‘{ID}", f' ="{ID}" ', f"\ufeff{ID}\u00a0", f"＇{ID}", f"'=\"{ID}\"", Number("20261120000401"), Number("2.0261120000401E13"),
        f"{ID}.00", f"\u202a{ID}\u202c",
    ],
)  # fmt: skip
def test_one_id_however_it_is_decorated_is_one(written: str) -> None:
    assert id_text(written) == ID


@pytest.mark.parametrize("kept", ["WY-12.0a", "AB〔2026〕12号", "1.5", "007", "12E5", "2026.1120"])
def test_what_belongs_to_an_id_stays(kept: str) -> None:
    assert id_text(kept) == kept
    assert not lost_digits(kept)


@pytest.mark.parametrize(
    "written",
    [
        "2.02611E+15", "2.02611e+15", "1.39E+10", "２.０２６１１Ｅ＋１５", Number("2.026112000210102e+17"), Number("202611200002101022"),
        Number("2026112000000100"), "202611200002102000", "'2.02611E+15", '="2.02611E+15"',
    ],
)  # fmt: skip
def test_an_id_that_a_spreadsheet_has_rounded_is_known(written: str) -> None:
    assert lost_digits(id_text(written))


def test_a_column_of_long_ids_that_all_end_in_zeros_has_lost_its_digits_and_one_of_them_has_not() -> None:
    assert all_lost(["2026112000000100", "2026112000000200", "2026112000000300", "7"])
    assert not all_lost(["2026112000000100", "2026112000000201", "2026112000000300"])
    assert not all_lost(["2026112000000100"])


@pytest.mark.parametrize(
    "cell", ["=1+1", "+86电话", "-", "@x", "'=1", "''", "a\nb", '="00"', "'", "普通", "\tx", "=cmd|' /C calc'!A0"]
)
def test_a_refused_cell_is_written_safely_and_read_back_the_same(cell: str) -> None:
    file = io.StringIO()
    RefusedFile(file, ["内容"]).add(RefusedRow(3, [cell], "因为"))
    _, row = csv.reader(io.StringIO(file.getvalue(), newline=""))
    assert row[2][:1] not in "=+-@\t" or not row[2]
    assert text_of(row[2]) == text_of(cell)


def test_a_refused_number_is_written_as_it_was_read() -> None:
    assert safe(Number("2.0261120002701E13")) == "20261120002701"
    assert lost_digits(id_text(safe(Number("2.026112000210102e+17"))))


@pytest.mark.parametrize("unseen", ["\u034f", "\u115f", "\u3164", "\u2065", "\uffa0", "\ufff9", "\U000e0080"])
def test_what_no_text_keeps_of_what_cannot_be_seen_no_cell_keeps_either(unseen: str) -> None:
    assert clean(f"{unseen}{ID}{unseen}", max_len=64) == ID
    assert id_text(f"{unseen}{ID}{unseen}") == ID
    assert is_blank(unseen)

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wuye_loop.domain.errors import BadInput
from wuye_loop.edge.paging import LONGEST_CURSOR, Order, identifier, instant, integer, text

ORDER = Order("things", (instant, identifier))
EARLIEST = datetime(1990, 1, 1, tzinfo=UTC).replace(tzinfo=None)
LATEST = datetime(9999, 1, 1, tzinfo=UTC).replace(tzinfo=None)
OTHER = Order("others", (instant, identifier))


def refused(error: BadInput) -> bool:
    """Say whether the refusal names the cursor and says in words what to do."""
    match error.extra["fields"]:
        case [{"path": "query.cursor", "problem": str(problem)}]:
            return "第一页" in problem
    return False


@given(at=st.datetimes(EARLIEST, LATEST, timezones=st.just(UTC)), key=st.uuids())
def test_a_cursor_reads_back_to_the_key_it_was_written_for(at: datetime, key: UUID) -> None:
    cursor = ORDER.write((at, key))
    assert cursor is not None
    assert ORDER.read(cursor) == (at, key)


def test_the_end_of_a_list_has_no_cursor_and_its_beginning_needs_none() -> None:
    assert ORDER.write(None) is None
    assert ORDER.read(None) is None


def test_a_list_refuses_the_cursor_of_another() -> None:
    cursor = OTHER.write((datetime(2026, 1, 1, tzinfo=UTC), UUID(int=1)))
    with pytest.raises(BadInput):
        ORDER.read(cursor)


@given(st.text(max_size=LONGEST_CURSOR))
def test_no_text_that_the_list_did_not_write_is_a_cursor(cursor: str) -> None:
    with pytest.raises(BadInput) as refusal:
        ORDER.read(cursor)
    assert refused(refusal.value)


@pytest.mark.parametrize(
    ("read", "part"),
    [
        (integer, True), (integer, -1), (integer, 2**31), (integer, 1.0), (integer, "1"), (text, 7), (text, "a\0"),
        (text, "长" * 201), (instant, "2026-01-01"), (instant, 5), (identifier, "x"), (identifier, None),
    ],
)  # fmt: skip
def test_a_part_of_another_kind_is_refused(read: Any, part: object) -> None:
    order = Order("things", (read,))
    with pytest.raises(BadInput) as refusal:
        order.read(order.write((part,)))
    assert refused(refusal.value)

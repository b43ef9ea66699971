"""How instants are written: equal instants are equal bytes, and no two others are."""

from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wuye_loop.domain.time.timestamps import as_text, from_text

instants = st.datetimes(datetime(1990, 1, 1), datetime(2200, 12, 31)).map(lambda at: at.replace(tzinfo=UTC))  # noqa: DTZ001 - hypothesis draws naive bounds


@given(instants | instants.map(lambda at: at.replace(microsecond=0)))
def test_an_instant_is_written_with_all_six_decimals(at: datetime) -> None:
    assert as_text(at) == at.strftime("%Y-%m-%dT%H:%M:%S.%f") + "Z"
    assert from_text(as_text(at)) == at


@given(instants, st.integers(-14 * 60, 14 * 60))
def test_one_instant_is_one_text_whatever_the_zone(at: datetime, minutes: int) -> None:
    assert as_text(at.astimezone(timezone(timedelta(minutes=minutes)))) == as_text(at)


def test_an_hour_that_the_wall_shows_twice_is_written_as_two() -> None:
    first = datetime(2025, 11, 2, 1, 30, tzinfo=ZoneInfo("America/New_York"))
    again = first.replace(fold=1)
    assert first == again, "the two compare as the wall shows them"
    assert [as_text(first), as_text(again)] == ["2025-11-02T05:30:00.000000Z", "2025-11-02T06:30:00.000000Z"]


def test_a_text_without_an_offset_is_no_instant() -> None:
    with pytest.raises(ValueError, match="时区"):
        from_text("2026-11-21T01:02:03")

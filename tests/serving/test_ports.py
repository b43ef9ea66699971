from datetime import UTC, datetime, timedelta, timezone

import pytest

from wuye_loop.ports import Clock, Ids, SeededIds, SettableClock, SystemClock, SystemIds

NOON = datetime(2026, 9, 30, 12, tzinfo=UTC)


def test_a_frozen_clock_stands_still_until_it_is_moved() -> None:
    clock = SettableClock(NOON)
    assert clock.now() == clock.now() == NOON
    assert clock.advance(timedelta(days=5)) == clock.now() == NOON + timedelta(days=5)
    clock.set(NOON)
    assert clock.now() == NOON


def test_a_rehearsal_clock_runs_on_from_where_it_was_set() -> None:
    clock = SettableClock()
    before = SystemClock().now()
    assert timedelta() <= clock.now() - before < timedelta(seconds=5)
    clock.set(NOON)
    first = clock.now()
    assert NOON <= first < NOON + timedelta(seconds=5)
    assert clock.now() >= first
    assert clock.advance(timedelta(hours=1)) >= NOON + timedelta(hours=1)
    assert clock.offset != timedelta()


def test_a_clock_speaks_utc_and_refuses_a_naive_instant() -> None:
    shanghai = datetime(2026, 9, 30, 20, tzinfo=timezone(timedelta(hours=8)))
    assert SettableClock(shanghai).now().isoformat() == "2026-09-30T12:00:00+00:00"
    with pytest.raises(ValueError, match="not the naive 2026-09-30"):
        SettableClock(datetime(2026, 9, 30))  # noqa: DTZ001 the mistake itself


@pytest.mark.parametrize("ids", [SystemIds(), SeededIds(1)], ids=["system", "seeded"])
def test_ids_are_distinct_sorted_uuid7_and_tokens_are_url_safe(ids: Ids) -> None:
    made = [ids.new() for _ in range(1000)]
    assert made == sorted(set(made))
    assert {i.version for i in made} == {7}
    tokens = {ids.token(32) for _ in range(100)}
    assert len(tokens) == 100
    assert all(len(token) == 43 and token.replace("-", "a").replace("_", "a").isalnum() for token in tokens)


def test_a_seed_gives_the_same_ids_again() -> None:
    one, same, other = SeededIds(7), SeededIds(7), SeededIds(8)
    assert (one.new(), one.token(8)) == (same.new(), same.token(8))
    assert one.new() != other.new()


def test_the_system_clock_is_a_clock_in_utc() -> None:
    clock: Clock = SystemClock()
    assert clock.now().utcoffset() == timedelta()

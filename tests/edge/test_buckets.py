import pytest

from wuye_loop.edge.buckets import Buckets, Rate
from wuye_loop.edge.rates import kind_of, network_of


class Hand:
    """A clock that is turned by hand."""

    def __init__(self) -> None:
        self.at = 1000.0

    def __call__(self) -> float:
        return self.at


def test_a_bucket_gives_what_it_holds_and_fills_again() -> None:
    clock = Hand()
    buckets = Buckets(Rate(2, 4), clock)
    assert [buckets.take("a") for _ in range(6)] == [0, 0, 0, 0, 1, 1]
    assert buckets.take("b") == 0  # everybody has one of their own
    clock.at += 1
    assert [buckets.take("a") for _ in range(3)] == [0, 0, 1]
    clock.at += 3600
    assert [buckets.take("a") for _ in range(5)] == [0, 0, 0, 0, 1]  # never more than it holds


def test_what_was_done_is_paid_back_before_the_next() -> None:
    clock = Hand()
    buckets = Buckets(Rate(10, 20), clock)
    assert buckets.take("a") == 0
    buckets.owe("a", 100)
    assert buckets.take("a") == 9
    clock.at += 8
    assert buckets.take("a") == 1
    clock.at += 1
    assert buckets.take("a") == 0


def test_no_rate_is_no_bound() -> None:
    buckets = Buckets(Rate(0, 1), Hand())
    assert {buckets.take("a") for _ in range(1000)} == {0}


def test_a_flood_of_names_takes_no_more_memory() -> None:
    buckets = Buckets(Rate(1, 1), Hand(), most=100)
    for n in range(1000):
        buckets.take(n)
    assert len(buckets._held) == 100
    assert buckets.take(999) == 1


@pytest.mark.parametrize(
    ("method", "path", "kind"),
    [
        ("GET", "/v1/grievances", "reads"),
        ("HEAD", "/v1/x", "reads"),
        ("POST", "/v1/grievances", "intake"),
        ("POST", "/v1/grievances:batch", "intake"),
        ("POST", "/v1/grievances/WY1/files", "files"),
        ("POST", "/v1/grievances/WY1/actions/accept", "writes"),
        ("DELETE", "/anything", "writes"),
    ],
)
def test_each_kind_of_request_has_a_bucket(method: str, path: str, kind: str) -> None:
    assert kind_of(method, path) == kind


def test_a_household_of_addresses_is_one() -> None:
    assert network_of("2001:db8::1") == network_of("2001:db8::ffff:1") == "2001:db8::/64"
    assert network_of("2001:db8:0:1::1") != network_of("2001:db8::1")
    assert network_of("192.0.2.1") == "192.0.2.1"
    assert network_of("unknown") == "unknown"

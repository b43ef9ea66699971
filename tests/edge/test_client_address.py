"""Whose word is taken for a client's address: the wire's, and that of proxies that were named, as far as they wrote it."""

from ipaddress import ip_network
from typing import Any

import pytest

from wuye_loop.edge.client_address import UNKNOWN, client_address
from wuye_loop.settings import Settings

PROXIES = (ip_network("10.0.0.0/8"), ip_network("fd00::/8"))


def scope(peer: str | None, *forwarded: str) -> dict[str, Any]:
    headers = [(b"x-forwarded-for", value.encode("latin-1")) for value in forwarded]
    return {"client": (peer, 5000) if peer is not None else None, "headers": headers}


@pytest.mark.parametrize(
    ("peer", "forwarded", "address"),
    [
        ("203.0.113.9", (), "203.0.113.9"),
        ("203.0.113.9", ("192.0.2.1",), "203.0.113.9"),  # a stranger's word about himself
        ("10.0.0.1", (), "10.0.0.1"),
        ("10.0.0.1", ("192.0.2.1",), "192.0.2.1"),
        ("10.0.0.1", ("8.8.8.8, 192.0.2.1",), "192.0.2.1"),  # the first was the client's own writing
        ("10.0.0.1", ("8.8.8.8, 192.0.2.1, 10.1.1.1",), "192.0.2.1"),
        ("10.0.0.1", ("8.8.8.8", "192.0.2.1"), "192.0.2.1"),  # two lines are one list
        ("10.0.0.1", ("10.2.2.2, 10.1.1.1",), "10.2.2.2"),  # somebody inside
        ("10.0.0.1", ("192.0.2.1, nonsense",), "10.0.0.1"),
        ("10.0.0.1", ("192.0.2.1, nonsense, 10.1.1.1",), "10.1.1.1"),
        ("10.0.0.1", ("",), "10.0.0.1"),
        ("10.0.0.1", ("192.0.2.1, " + ", ".join(["10.1.1.1"] * 20),), "10.1.1.1"),
        ("::ffff:10.0.0.1", (" 2001:db8::1 ",), "2001:db8::1"),
        ("fd00::1", ("::ffff:192.0.2.1",), "192.0.2.1"),
        (None, ("192.0.2.1",), UNKNOWN),
        ("testclient", ("192.0.2.1",), UNKNOWN),
    ],
)
def test_an_address_is_as_far_back_as_trusted_proxies_vouch_for_it(
    peer: str | None, forwarded: tuple[str, ...], address: str
) -> None:
    assert client_address(scope(peer, *forwarded), PROXIES) == address


def test_with_no_proxy_named_nobody_is_believed() -> None:
    assert client_address(scope("10.0.0.1", "192.0.2.1"), ()) == "10.0.0.1"


def test_proxies_are_written_as_addresses_and_networks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WUYE_TRUSTED_PROXIES", "10.0.0.0/8, 192.0.2.7,fd00::/8")
    named = Settings().trusted_proxies
    assert named == (ip_network("10.0.0.0/8"), ip_network("192.0.2.7/32"), ip_network("fd00::/8"))

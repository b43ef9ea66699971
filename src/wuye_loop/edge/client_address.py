"""From which address a request comes: the connection's own, or what a trusted proxy says of it, and nobody else's word."""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

from fastapi import Request
from starlette.types import Scope

from wuye_loop.edge.site import site_of

Network = IPv4Network | IPv6Network
#: Where no address can be told: a socket in the file system, a test without a wire.
UNKNOWN = "unknown"
_FORWARDED_FOR = b"x-forwarded-for"
_FURTHEST = 20  # hops that are looked at; a longer list is somebody's joke


def client_address(scope: Scope, trusted: Sequence[Network]) -> str:
    """Return the address of whoever sent a request, as text; UNKNOWN where there is none.

    X-Forwarded-For counts only from a peer in `trusted`, and in it only what trusted proxies added: it is read from its
    right end to the first address that is not one of theirs. Whatever stands left of that the client may have written.
    """
    peer = _read((scope.get("client") or ("",))[0])
    if peer is None:
        return UNKNOWN
    if not trusted or not _within(peer, trusted):
        return str(peer)
    lines = [value for name, value in scope["headers"] if name == _FORWARDED_FOR]
    found = peer
    for part in reversed(b",".join(lines).decode("latin-1").split(",")[-_FURTHEST:]):
        said = _read(part.strip())
        if said is None:
            break
        found = said
        if not _within(said, trusted):
            break
    return str(found)


def address_of(request: Request) -> str:
    """Return the client's address of a request to this installation, by its WUYE_TRUSTED_PROXIES."""
    return client_address(request.scope, site_of(request).settings.trusted_proxies)


def _read(text: str) -> IPv4Address | IPv6Address | None:
    try:
        found = ip_address(text)
    except ValueError:
        return None
    # A socket for both families shows IPv4 peers as ::ffff:a.b.c.d.
    return (found.ipv4_mapped or found) if isinstance(found, IPv6Address) else found


def _within(address: IPv4Address | IPv6Address, networks: Sequence[Network]) -> bool:
    return any(address in network for network in networks)

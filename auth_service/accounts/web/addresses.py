"""Whose request it is, seen through the proxies in front of us."""

import ipaddress
from collections.abc import Sequence

from django.conf import settings
from django.http import HttpRequest

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address
IPV6_PREFIX = 64  # one customer's; within it a single machine has as many addresses as it likes


def throttled_address(request: HttpRequest) -> str | None:
    """The network address that sign-in failures are counted by; None if nobody knows it."""
    address = client_address(
        peer=request.META.get("REMOTE_ADDR", ""),
        forwarded_for=request.META.get("HTTP_X_FORWARDED_FOR", ""),
        trusted=settings.TRUSTED_PROXIES,
    )
    if isinstance(address, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((address, IPV6_PREFIX), strict=False).network_address)
    return None if address is None else str(address)


def client_address(*, peer: str, forwarded_for: str, trusted: Sequence[Network]) -> Address | None:
    """The right-most hop of X-Forwarded-For that is not a trusted proxy; what a stranger writes there counts nothing.

    Each proxy appends whom it heard from, so that entries are worth as much as the proxy to their right.
    """
    address = _parsed(peer)
    for hop in reversed(forwarded_for.split(",")):
        if address is None or not any(address in network for network in trusted):
            break
        found = _parsed(hop)
        if found is None:
            break
        address = found
    return address


def _parsed(text: str) -> Address | None:
    """An address as proxies write it: with a port, in brackets, or IPv4 within IPv6."""
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address

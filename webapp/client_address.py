"""The client's address, derived in one place for rate limits, login lockouts and logs."""

import re
from collections.abc import Mapping
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any

from django.conf import settings

WITHOUT_PORT = re.compile(r"\[(?P<bracketed>[^\]]*)\](:\d+)?|(?P<ipv4>[^:]*):\d+")
NO_ADDRESS = IPv4Address("0.0.0.0")  # noqa: S104  # the peer of a Unix socket has none


def client_address(meta: Mapping[str, Any]) -> IPv4Address | IPv6Address:
    """The address that the outermost of our PROXIES saw; without proxies, that of the connection.

    `meta` has a request's REMOTE_ADDR and HTTP_X_FORWARDED_FOR. An entry that is not an address counts as the proxy that
    sent it, so that clients cannot avoid limits by sending one.
    """
    peer = parse(meta.get("REMOTE_ADDR", "")) or NO_ADDRESS
    forwarded = meta.get("HTTP_X_FORWARDED_FOR")
    if not settings.PROXIES or not forwarded:
        return peer
    entries = forwarded.split(",")
    return parse(entries[-min(settings.PROXIES, len(entries))]) or peer


def limited_address(meta: Mapping[str, Any]) -> str:
    """The address that limits apply to. An IPv6 client owns a whole /64, so all of it counts as one address."""
    address = client_address(meta)
    return str(address if address.version == 4 else ip_network((address, 64), strict=False).network_address)


def parse(text: str) -> IPv4Address | IPv6Address | None:
    """The address, which may have a port, brackets, quotes or a zone; None if it is not an address."""
    text = text.strip().strip('\\"')
    if match := WITHOUT_PORT.fullmatch(text):
        text = match["ipv4"] or match["bracketed"] or ""
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address

"""Who may read the metrics: whoever shows the token, or connects from a network that was named."""

from __future__ import annotations

from ipaddress import ip_address, ip_network

from django.conf import settings
from django.utils.crypto import constant_time_compare


def opens(*, authorization: str, address: str, forwarded: bool) -> bool:
    """Whether to let somebody in.

    Args:
        authorization: the header, empty without one.
        address: who is connected.
        forwarded: a proxy stands in between: then the address is the proxy's and says nothing about who asks.
    """
    if settings.METRICS_TOKEN and constant_time_compare(authorization, f"Bearer {settings.METRICS_TOKEN}"):
        return True
    return not forwarded and _named(address)


def _named(address: str) -> bool:
    try:
        found = ip_address(address.split("%")[0])
    except ValueError:
        return False
    return any(found in ip_network(network) for network in settings.METRICS_FROM)

"""Keyed hashes of devices and networks: they tell who is the same, and nothing else."""

from __future__ import annotations

import hashlib
import ipaddress

from retention.incentives import persons


def device_hash(told: str) -> int | None:
    """Of whatever a shop or a browser tells a device apart by; None: nothing was told."""
    return _hash(b"device\0", told.strip())


def network_hash(address: str) -> int | None:
    """Of the network that an IP address is in: an IPv4 address itself, the /64 of an IPv6 one. None: it is none."""
    try:
        found = ipaddress.ip_address(address.strip())
    except ValueError:
        return None
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped is None:
            return _hash(b"network\0", str(ipaddress.ip_network((found, 64), strict=False)))
        found = found.ipv4_mapped
    return _hash(b"network\0", str(found))


def _hash(kind: bytes, told: str) -> int | None:
    if not told:
        return None
    digest = hashlib.sha256(persons.hash_key() + b"referrals." + kind + told.encode()).digest()
    return int.from_bytes(digest[:8], "big", signed=True)

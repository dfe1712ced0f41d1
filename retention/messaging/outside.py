"""Calling addresses that others chose: https only, never into our own network, no redirects, small answers, in time."""

from __future__ import annotations

import ipaddress
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

import urllib3
from django.conf import settings

TIMEOUT = urllib3.Timeout(connect=5, read=15)
_LARGEST_ANSWER = 100_000
_LONGEST_READ = 15.0  # seconds


class NotOutside(ValueError):
    """An address that may not be called: of another scheme, nowhere, or in a private network."""


class Unreachable(Exception):
    """Nothing was handed over: there was no connection."""


class NoAnswer(Exception):
    """It was handed over, wholly or in part, and no answer came."""


@dataclass(frozen=True)
class Answer:
    status: int
    body: bytes
    retry_after: str = ""


def post(url: str, *, body: bytes, headers: Mapping[str, str], is_trusted: bool = False) -> Answer:
    """POST to an address; `is_trusted` ones come from our own settings and may be anywhere.

    Raises:
        NotOutside, Unreachable, NoAnswer
    """
    return _call("POST", url, body, headers, is_trusted)


def get(url: str) -> Answer:
    """GET an address.

    Raises:
        NotOutside, Unreachable, NoAnswer
    """
    return _call("GET", url, None, {}, False)


def _call(method: str, url: str, body: bytes | None, headers: Mapping[str, str], is_trusted: bool) -> Answer:
    """The name is looked up once, and the address found is called, so that it cannot turn into another."""
    parts = urlsplit(url)
    may_be_private = is_trusted or settings.PRIVATE_ADDRESSES_ALLOWED
    if parts.scheme not in (("https", "http") if may_be_private else ("https",)) or not parts.hostname:
        raise NotOutside(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    address = _address(parts.hostname, port, may_be_private)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    pool: urllib3.HTTPConnectionPool
    if parts.scheme == "https":
        pool = urllib3.HTTPSConnectionPool(
            address, port, timeout=TIMEOUT, server_hostname=parts.hostname, assert_hostname=parts.hostname
        )
    else:
        pool = urllib3.HTTPConnectionPool(address, port, timeout=TIMEOUT)
    host = parts.netloc.rpartition("@")[2]
    try:
        with pool:
            answer = pool.urlopen(
                method,
                path,
                body=body,
                headers={"Host": host, "User-Agent": "Retention", **headers},
                redirect=False,
                retries=False,
                preload_content=False,
            )
            try:
                return Answer(answer.status, _read(answer), answer.headers.get("Retry-After", ""))
            finally:
                answer.close()
    except (urllib3.exceptions.NewConnectionError, urllib3.exceptions.ConnectTimeoutError, urllib3.exceptions.SSLError):
        raise Unreachable(parts.hostname) from None
    except (urllib3.exceptions.HTTPError, OSError):
        raise NoAnswer(parts.hostname) from None


def _read(answer: urllib3.BaseHTTPResponse) -> bytes:
    """Its beginning: no more than is of use, and no longer than a slow sender may take in all."""
    body, ends = b"", time.monotonic() + _LONGEST_READ
    while len(body) < _LARGEST_ANSWER and time.monotonic() < ends:
        part = answer.read1(_LARGEST_ANSWER - len(body))
        if not part:
            break
        body += part
    return body


def _address(host: str, port: int, may_be_private: bool) -> str:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise Unreachable(host) from None
    addresses = [str(place[4][0]) for place in found]
    if not may_be_private and not all(is_public(address) for address in addresses):
        raise NotOutside(host)
    return addresses[0]


def is_public(address: str) -> bool:
    """Whether an IP address is one of the open internet; an IPv4 one written as IPv6 is judged as what it is."""
    parsed = ipaddress.ip_address(address.partition("%")[0])
    inner = getattr(parsed, "ipv4_mapped", None) or getattr(parsed, "sixtofour", None)
    return (inner or parsed).is_global and not (inner or parsed).is_multicast

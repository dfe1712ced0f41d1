"""Fetching a feed from an address that somebody typed, without being sent into our own network."""

from __future__ import annotations

import http.client
import ipaddress
import socket
import ssl
import time
from collections.abc import Callable
from urllib.parse import urljoin, urlsplit

from django.utils.translation import gettext_lazy as _

from campaigns.calendar.reading import MOST_BYTES, CalendarTooLarge
from retention.refusals import Refused

TIMEOUT_SECONDS, MOST_SECONDS, MOST_REDIRECTS = 10, 30, 3


class NotFetched(Refused):
    code = "campaigns.feed_not_fetched"
    sentence = _("The feed could not be fetched: %(why)s.")
    status = 422


def is_public(address: str) -> bool:
    """Whether an IP address is of the internet, and no way round to our own network."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.sixtofour or ip.teredo or ip in ipaddress.ip_network("64:ff9b::/96"):
            return False
        if ip.ipv4_mapped:
            ip = ip.ipv4_mapped
    return ip.is_global and not ip.is_multicast


def fetch(url: str, *, may_reach: Callable[[str], bool] = is_public) -> bytes:
    """What is at a web address, after at most three redirections.

    The name is looked up once and exactly that address is called, so that no second answer leads elsewhere.

    Raises:
        NotFetched: nothing of use there, or it is not on the internet.
        CalendarTooLarge
    """
    ends = time.monotonic() + MOST_SECONDS  # of this process; no rule of ours depends on it
    for _hop in range(MOST_REDIRECTS + 1):
        status, location, content = _once(url, may_reach, ends)
        if status in (301, 302, 303, 307, 308) and location:
            url = location if "://" in location else urljoin(url, location)
            continue
        if status != 200:
            raise NotFetched(why=f"HTTP {status}")
        return content
    raise NotFetched(why="too many redirections")


def _once(url: str, may_reach: Callable[[str], bool], ends: float) -> tuple[int, str | None, bytes]:
    try:
        parts = urlsplit(url.replace("webcal://", "https://", 1))
    except ValueError:
        raise NotFetched(why="it is no web address") from None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise NotFetched(why="it is no web address")
    try:
        port = parts.port or (443 if parts.scheme == "https" else 80)
        found = socket.getaddrinfo(parts.hostname, port, type=socket.SOCK_STREAM)
    except (OSError, ValueError):
        raise NotFetched(why="nobody is there by that name") from None
    addresses = [str(row[4][0]) for row in found]
    if not all(may_reach(address) for address in addresses):
        raise NotFetched(why="it is not on the internet")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    connection = http.client.HTTPConnection(parts.hostname, port, timeout=TIMEOUT_SECONDS)
    try:
        connection.sock = socket.create_connection((addresses[0], port), TIMEOUT_SECONDS)
        if parts.scheme == "https":
            context = ssl.create_default_context()
            connection.sock = context.wrap_socket(connection.sock, server_hostname=parts.hostname)
        connection.request("GET", path, headers={"Accept": "text/calendar, */*;q=0.1", "User-Agent": "Retention"})
        answer = connection.getresponse()
        return answer.status, answer.headers.get("Location"), _body(answer, ends)
    except (OSError, http.client.HTTPException) as error:
        raise NotFetched(why=type(error).__name__) from None
    finally:
        connection.close()


def _body(answer: http.client.HTTPResponse, ends: float) -> bytes:
    content = b""
    # One piece at a time: a server that sends a byte now and then meets the end of its time.
    while piece := answer.read1(65_536):
        content += piece
        if len(content) > MOST_BYTES:
            raise CalendarTooLarge
        if time.monotonic() > ends:
            raise NotFetched(why="it takes too long")
    return content

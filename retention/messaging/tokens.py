"""Signed tokens of the links in messages: opaque, unforgeable, without an end of their own or anything personal."""

from __future__ import annotations

import base64
import binascii
import uuid
from functools import cache, lru_cache

from django.conf import settings
from django.core.signing import BadSignature, Signer, b64_encode
from django.utils.crypto import salted_hmac
from django.utils.encoding import force_bytes


class _Signer(Signer):
    """Django's own, but that its key is made ready once instead of for each of a million links."""

    def __init__(self, salt: str, key: str) -> None:
        super().__init__(key=key, salt=salt, sep=".", algorithm="sha256")
        self._ready = salted_hmac(f"{salt}signer", b"", key, algorithm="sha256")

    def signature(self, value: bytes | str, key: bytes | str | None = None) -> str:
        if key not in (None, self.key):  # an older key of the installation
            return super().signature(value, key)
        mac = self._ready.copy()
        mac.update(force_bytes(value))
        return b64_encode(mac.digest()).decode()


@cache
def _signer(salt: str, key: str) -> Signer:
    # The key is an argument so that a test with another key gets another signer.
    return _Signer(f"messaging.{salt}", key)


def _sign(salt: str, payload: bytes) -> str:
    return _signed(salt, settings.SECRET_KEY, payload)


# Every message holds two links with the same token.
@lru_cache(maxsize=1000)
def _signed(salt: str, key: str, payload: bytes) -> str:
    text = base64.urlsafe_b64encode(payload).rstrip(b"=").decode("ascii")
    return _signer(salt, key).sign(text)


def _unsign(salt: str, token: str) -> bytes:
    text = _signer(salt, settings.SECRET_KEY).unsign(token)
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (binascii.Error, ValueError):
        raise BadSignature("not a token") from None


def customer_token(public_id: uuid.UUID, channel: str) -> str:
    """For unsubscribing and preferences: one customer on one channel."""
    return _sign("customer", public_id.bytes + channel.encode("ascii"))


def read_customer_token(token: str) -> tuple[uuid.UUID, str]:
    """The customer's public id and the channel.

    Raises:
        BadSignature: not one of ours.
    """
    payload = _unsign("customer", token)
    return uuid.UUID(bytes=payload[:16]), payload[16:].decode("ascii")


def ask_token(consent_id: int) -> str:
    """For confirming what was asked up to this consent event; how long it is good the ask itself says."""
    return _sign("ask", consent_id.to_bytes(8, "big"))


def read_ask_token(token: str) -> int:
    """The consent event's id.

    Raises:
        BadSignature: not one of ours.
    """
    return int.from_bytes(_unsign("ask", token), "big")


def code_token(code_id: int) -> str:
    """For the picture of a code; the code itself stays out of the address, which proxies and logs keep."""
    return _sign("code", code_id.to_bytes(8, "big"))


def read_code_token(token: str) -> int:
    """The code's id.

    Raises:
        BadSignature: not one of ours.
    """
    return int.from_bytes(_unsign("code", token), "big")


def page_token(page: str, payload: bytes) -> str:
    """For a page of another room that stands in messages: what the payload holds, and until when, that room knows."""
    return _sign(f"page.{page}", payload)


def read_page_token(page: str, token: str) -> bytes:
    """The payload.

    Raises:
        BadSignature: not one of ours.
    """
    return _unsign(f"page.{page}", token)


def delivery_token(public_id: uuid.UUID) -> str:
    """For the pixel and the links of one message."""
    return _sign("delivery", public_id.bytes)


def read_delivery_token(token: str) -> uuid.UUID:
    """The delivery's public id.

    Raises:
        BadSignature: not one of ours.
    """
    payload = _unsign("delivery", token)
    if len(payload) != 16:
        raise BadSignature("not a token")
    return uuid.UUID(bytes=payload)


def tracking(public_id: uuid.UUID) -> dict[str, str]:
    """What the words of one message need to be seen: the beginning of its links, and its pixel."""
    token = delivery_token(public_id)
    return {"click": f"{settings.BASE_URL}/l/{token}/", "pixel": f"{settings.BASE_URL}/o/{token}.gif"}


def unsubscribe_url(public_id: uuid.UUID, channel: str) -> str:
    return f"{settings.BASE_URL}/u/{customer_token(public_id, channel)}"


def preferences_url(public_id: uuid.UUID, channel: str) -> str:
    return f"{settings.BASE_URL}/p/{customer_token(public_id, channel)}"


def confirmation_url(consent_id: int) -> str:
    return f"{settings.BASE_URL}/c/{ask_token(consent_id)}"


def qr_url(code_id: int) -> str:
    return f"{settings.BASE_URL}/q/{code_token(code_id)}.png"


def barcode_url(code_id: int) -> str:
    return f"{settings.BASE_URL}/b/{code_token(code_id)}.png"

"""Secrets of endpoints, derived from the installation's key, and signatures as Standard Webhooks has them."""

from __future__ import annotations

import base64
import datetime as dt

from django.conf import settings
from django.utils.crypto import salted_hmac
from standardwebhooks.webhooks import Webhook

from retention.webhooks.models import Endpoint

#: For so long after a rotation the secret before it signs too.
ROTATION = dt.timedelta(hours=24)


def secret_of(endpoint: Endpoint) -> str:
    """What the receiver verifies with: `whsec_…`."""
    return _secret(endpoint, endpoint.generation, settings.SECRET_KEY)


def headers_of(endpoint: Endpoint, number: str, body: str, *, at: dt.datetime) -> dict[str, str]:
    """The headers of one call; signed with every secret that its receiver may hold."""
    secrets = [
        _secret(endpoint, generation, key)
        for generation in _generations(endpoint, at)
        for key in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    ]
    return {
        "Content-Type": "application/json",
        "webhook-id": number,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(Webhook(secret).sign(number, at, body) for secret in secrets),
    }


def _generations(endpoint: Endpoint, at: dt.datetime) -> list[int]:
    is_rotating = endpoint.earlier_until is not None and at < endpoint.earlier_until
    return [endpoint.generation, endpoint.generation - 1] if is_rotating else [endpoint.generation]


def _secret(endpoint: Endpoint, generation: int, key: str | bytes) -> str:
    told = f"{endpoint.public_id}:{generation}"
    digest = salted_hmac("retention.webhooks.secret", told, secret=key, algorithm="sha256").digest()
    return f"whsec_{base64.b64encode(digest).decode()}"

"""Whose a webhook is, where Anymail leaves that to others: Svix's signatures (Resend) and Amazon SNS's (SES)."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from django.http import HttpRequest
from standardwebhooks.webhooks import EmptyWebhookSecretError, Webhook, WebhookVerificationError

from retention.messaging import outside

try:
    from cryptography import x509
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import padding
except ImportError:  # the extra that checks signatures is not installed
    x509 = None

#: Where Amazon keeps the certificates of SNS, and where a subscription is confirmed.
CERTIFICATES = re.compile(r"https://sns\.[a-z0-9-]+\.amazonaws\.com(\.cn)?/SimpleNotificationService-[0-9a-z]+\.pem")
CONFIRMATIONS = re.compile(r"https://sns\.[a-z0-9-]+\.amazonaws\.com(\.cn)?/\?Action=ConfirmSubscription&\S+")
#: What of a notification, and of everything else, is signed: in this order, where it is there.
_SIGNED = ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type")
_SIGNED_ELSE = ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type")


class NotSigned(Exception):
    """The request does not prove whose it is."""


def check_svix(request: HttpRequest, secret: str) -> None:
    """Svix signs as the Standard Webhooks do, under names of its own; the secret is its `whsec_…`.

    Raises:
        NotSigned
    """
    headers = {f"webhook-{name}": request.headers.get(f"svix-{name}", "") for name in ("id", "timestamp", "signature")}
    try:
        Webhook(secret).verify(request.body, headers, json_parse=False)
    except (WebhookVerificationError, EmptyWebhookSecretError, ValueError):
        raise NotSigned from None


def check_sns(request: HttpRequest, topic: str) -> None:
    """Amazon's signature over a message of this topic (its ARN); another topic's are Amazon's too, and not ours.

    Raises:
        NotSigned
    """
    try:
        said = json.loads(request.body)
        signature = base64.b64decode(said["Signature"], validate=True)
        if x509 is None or said["TopicArn"] != topic or not CERTIFICATES.fullmatch(said["SigningCertURL"]):
            raise NotSigned
        algorithm = hashes.SHA256() if said["SignatureVersion"] == "2" else hashes.SHA1()  # noqa: S303 - Amazon's own
        key = _public_key(said["SigningCertURL"])
        key.verify(signature, _signed_words(said), padding.PKCS1v15(), algorithm)
    except (LookupError, TypeError, ValueError, InvalidSignature, outside.Unreachable, outside.NoAnswer):
        raise NotSigned from None


def confirm_sns(said: Mapping[str, Any]) -> None:
    """Follow the link of a signed message that asks whether the topic's messages are wanted here.

    Raises:
        ValueError: its link leads elsewhere, or was not answered.
    """
    link = str(said.get("SubscribeURL", ""))
    if not CONFIRMATIONS.fullmatch(link):
        raise ValueError("not a link to SNS")
    try:
        answer = outside.get(link)
    except (outside.Unreachable, outside.NoAnswer):
        raise ValueError("SNS could not be reached") from None
    if answer.status != 200:
        raise ValueError(f"SNS answered {answer.status}")


@lru_cache(maxsize=16)
def _public_key(url: str) -> Any:
    """A certificate's key; a new certificate gets a new address."""
    answer = outside.get(url)
    if answer.status != 200:
        raise ValueError(f"the certificate was answered {answer.status}")
    return x509.load_pem_x509_certificate(answer.body).public_key()


def _signed_words(said: Mapping[str, Any]) -> bytes:
    names = _SIGNED if said["Type"] == "Notification" else _SIGNED_ELSE
    return "".join(f"{name}\n{said[name]}\n" for name in names if name in said).encode()

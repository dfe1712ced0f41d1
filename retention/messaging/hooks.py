"""What mail providers tell us by webhook: checked and read by Anymail, then said in our words."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import hmac
import re
import uuid
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from anymail.exceptions import (
    AnymailError,
    AnymailInsecureWebhookWarning,
    AnymailNotSupportedWarning,
    AnymailWebhookValidationFailure,
)
from anymail.webhooks.amazon_ses import AmazonSESBaseWebhookView, AmazonSESTrackingWebhookView
from anymail.webhooks.brevo import BrevoTrackingWebhookView
from anymail.webhooks.mailersend import MailerSendTrackingWebhookView
from anymail.webhooks.mailgun import MailgunTrackingWebhookView
from anymail.webhooks.mailjet import MailjetTrackingWebhookView
from anymail.webhooks.mandrill import MandrillCombinedWebhookView
from anymail.webhooks.postmark import PostmarkTrackingWebhookView
from anymail.webhooks.resend import ResendTrackingWebhookView
from anymail.webhooks.sendgrid import SendGridTrackingWebhookView
from anymail.webhooks.sparkpost import SparkPostTrackingWebhookView
from django.conf import settings
from django.http import HttpRequest

from retention.messaging import signatures
from retention.messaging.machines import is_machine_name
from retention.messaging.models import Event
from retention.messaging.operations.tracking import Told


class Ses(AmazonSESTrackingWebhookView):
    """Reads SES's events without Amazon's client, which it would take for confirming a subscription alone."""

    def __init__(self, **options: Any) -> None:
        self.auto_confirm_enabled = True
        super(AmazonSESBaseWebhookView, self).__init__(**options)

    def auto_confirm_sns_subscription(self, sns_message: Any) -> None:
        signatures.confirm_sns(sns_message)


@dataclass(frozen=True)
class Provider:
    """Anymail's view, and the name under which it takes the secret: a signing key, or `user:password`.

    Where Anymail does not check the signature, or only with its provider's own library, `check` does.
    """

    view: Any
    secret: str = ""
    check: Callable[[HttpRequest, str], None] | None = None


#: For those that sign nothing and send a password with each request.
_BY_PASSWORD = "webhook_secret"  # noqa: S105 - the name of it
PROVIDERS = {
    "brevo": Provider(BrevoTrackingWebhookView, _BY_PASSWORD),
    "mailersend": Provider(MailerSendTrackingWebhookView, "signing_secret"),
    "mailgun": Provider(MailgunTrackingWebhookView, "webhook_signing_key"),
    "mailjet": Provider(MailjetTrackingWebhookView, _BY_PASSWORD),
    "mandrill": Provider(MandrillCombinedWebhookView, "webhook_key"),
    "postmark": Provider(PostmarkTrackingWebhookView, _BY_PASSWORD),
    "resend": Provider(ResendTrackingWebhookView, check=signatures.check_svix),
    "sendgrid": Provider(SendGridTrackingWebhookView, "tracking_webhook_verification_key"),
    # Its secret is the ARN of the SNS topic.
    "ses": Provider(Ses, check=signatures.check_sns),
    "sparkpost": Provider(SparkPostTrackingWebhookView, _BY_PASSWORD),
}
_KINDS = {
    "delivered": Event.Kind.DELIVERED,
    "opened": Event.Kind.OPENED,
    "clicked": Event.Kind.CLICKED,
    "bounced": Event.Kind.BOUNCED,
    "rejected": Event.Kind.BOUNCED,
    "complained": Event.Kind.COMPLAINED,
    "unsubscribed": Event.Kind.UNSUBSCRIBED,
}
#: A bounce for another reason than the address may pass; and a provider may refuse for reasons of its own.
_FOR_GOOD = {"bounced", "invalid"}
#: What reading a body of another shape may raise.
_NONSENSE = (AnymailError, AttributeError, LookupError, TypeError, ValueError)
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


class NotTheirs(Exception):
    """No such provider here, or the request does not prove that it comes from it."""


class Unreadable(Exception):
    """It is theirs, and not in a form that we know."""


def read(provider: str, request: HttpRequest, *, now: dt.datetime) -> list[Told]:
    """What a signed request of a provider says.

    Raises:
        NotTheirs: unknown, not set up here, or its signature or password is wrong.
        Unreadable
    """
    known, secret = PROVIDERS.get(provider), settings.MAIL_HOOKS.get(provider)
    if known is None or not secret:
        raise NotTheirs
    options: dict[str, Any] = {known.secret: secret} if known.secret else {}
    if known.view is MandrillCombinedWebhookView:
        # What it signs begins with the address it calls.
        options["webhook_url"] = request.build_absolute_uri()
    if known.secret != _BY_PASSWORD:
        options[_BY_PASSWORD] = []
    try:
        if known.check is not None:
            known.check(request, secret)
        view = _view(known, options)
        view.setup(request)
        view.run_validators(request)
    except (AnymailWebhookValidationFailure, signatures.NotSigned, *_NONSENSE):
        raise NotTheirs from None
    try:
        events = view.parse_events(request)
    except _NONSENSE:
        raise Unreadable from None
    return [told for event in events if (told := _told(provider, event, now)) is not None]


def _view(known: Provider, options: dict[str, Any]) -> Any:
    if known.view is SendGridTrackingWebhookView:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", AnymailNotSupportedWarning)
            known.view.as_view(tracking_webhook_verification_key=None)
            return known.view(**options)
    with warnings.catch_warnings():
        # What `check` has checked needs no password.
        warnings.simplefilter("ignore", AnymailInsecureWebhookWarning)
        return known.view(**options)


def _told(provider: str, event: Any, now: dt.datetime) -> Told | None:
    kind = _KINDS.get(event.event_type)
    if kind is None:
        return None
    raw = str(event.esp_event)
    if kind == Event.Kind.BOUNCED and (event.reject_reason not in _FOR_GOOD or _is_soft(event)):
        kind = Event.Kind.SOFT_BOUNCED
    number = (
        event.event_id
        or hashlib.sha256(
            "|".join((kind, str(event.message_id), str(event.timestamp), str(event.recipient), raw)).encode()
        ).hexdigest()
    )
    user_agent = event.user_agent
    return Told(
        kind=kind,
        source=f"{provider}:{kind}:{number}"[:120],
        at=min(event.timestamp or now, now),
        reference=_reference(event),
        recipient=event.recipient or "",
        is_machine=kind in (Event.Kind.OPENED, Event.Kind.CLICKED)
        and ("proxy" in raw.lower() and provider == "brevo" or is_machine_name(user_agent or "?")),
        detail=event.reject_reason or "",
    )


def _is_soft(event: Any) -> bool:
    """Providers of two kinds of bounces name the milder one so."""
    esp_event = event.esp_event if isinstance(event.esp_event, dict) else {}
    named = [esp_event.get(name) for name in ("event", "Type", "type", "bounce_class")]
    for bounce in (esp_event.get("bounce"), _part(esp_event.get("data"), "bounce")):
        named += [_part(bounce, name) for name in ("bounceType", "type")]
    return any("soft" in str(name).lower() or "transient" in str(name).lower() for name in named) or (
        esp_event.get("hard_bounce") is False
    )


def _part(whole: Any, name: str) -> Any:
    return whole.get(name) if isinstance(whole, dict) else None


def _reference(event: Any) -> uuid.UUID | None:
    """The delivery: handed back as metadata, or in the Message-ID that we gave it."""
    # SES gives mails numbers of its own that look like ours, and hands ours back among the headers.
    ours = _part(_part(_part(event.esp_event, "mail"), "commonHeaders"), "messageId")
    for text in (str((event.metadata or {}).get("delivery", "")), str(ours or ""), str(event.message_id or "")):
        found = _UUID.search(text.lower())
        if found:
            return uuid.UUID(found.group())
    return None


#: The provider's error codes of numbers that never take text messages.
_NO_PHONE = {"30005", "30006", "21614", "21211"}


def check_texts(request: HttpRequest) -> None:
    """Whether the SMS provider signed this call: HMAC over the address and the sorted fields, as Twilio does.

    Raises:
        NotTheirs
    """
    token = settings.SMS["token"]
    address = f"{settings.BASE_URL}{request.get_full_path()}"
    signed = address + "".join(f"{name}{value}" for name, value in sorted(request.POST.items()))
    wanted = base64.b64encode(hmac.digest(token.encode(), signed.encode(), "sha1")).decode()
    if not token or not hmac.compare_digest(wanted, request.headers.get("X-Twilio-Signature", "")):
        raise NotTheirs


def text_told(request: HttpRequest, reference: uuid.UUID, *, now: dt.datetime) -> Told | None:
    """What a status call of the SMS provider says of one message; None for what is only on its way."""
    status, code = request.POST.get("MessageStatus", ""), request.POST.get("ErrorCode", "")
    kind = {
        "delivered": Event.Kind.DELIVERED,
        "undelivered": Event.Kind.SOFT_BOUNCED,
        "failed": Event.Kind.SOFT_BOUNCED,
    }
    if status not in kind:
        return None
    found = Event.Kind.BOUNCED if code in _NO_PHONE else kind[status]
    number = request.POST.get("MessageSid", "")[:60]
    return Told(
        kind=found, source=f"sms:{found}:{number or reference}", at=now, reference=reference, detail=code, channel="sms"
    )

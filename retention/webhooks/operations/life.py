"""Endpoints: made, changed, switched off and on, their secrets replaced, and a word sent to see whether it arrives."""

from __future__ import annotations

import datetime as dt
import ipaddress
import uuid
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from retention.actors import Actor
from retention.audit.operations import record
from retention.marks import safe_mark
from retention.messaging import outside
from retention.refusals import Refused
from retention.webhooks.catalogue import TEST, kinds
from retention.webhooks.models import Endpoint, Notice
from retention.webhooks.operations.following import DELIVER, FOLLOW
from retention.webhooks.signing import ROTATION
from retention.work.models import Alert
from retention.work.operations import nudge, raise_alert, resolve_alert

ALERT = "webhooks.endpoint_off"


class NoSuchEndpoint(Refused):
    code = "webhooks.no_such_endpoint"
    sentence = _("There is no such endpoint.")
    status = 404


class UnsafeAddress(Refused):
    code = "webhooks.unsafe_address"
    sentence = _("The address begins with https:// and lies in the open internet.")
    status = 422


class UnknownKinds(Refused):
    code = "webhooks.unknown_kinds"
    sentence = _("There are no such events: %(kinds)s.")
    status = 422


class EndpointIsOff(Refused):
    code = "webhooks.endpoint_is_off"
    sentence = _("The endpoint is switched off. Switch it on first.")


class EndpointIsOn(Refused):
    code = "webhooks.endpoint_is_on"
    sentence = _("The endpoint is on already.")


@transaction.atomic
def create_endpoint(
    *,
    name: str,
    url: str,
    of: Sequence[str],
    now: dt.datetime,
    by: Actor,
    made_by: str | None = None,
    made_of: str = "",
) -> Endpoint:
    """A new endpoint, on from now: it is told of what happens from here on.

    Args:
        of: keys of kinds.
        made_by: names the request; again, the same endpoint, whose `made_of` says of what it was made.

    Raises:
        UnsafeAddress, UnknownKinds
    """
    asked = {
        "name": name.strip(), "url": _checked(url), "kinds": _known(of), "mark": safe_mark(), "since_at": now,
        "followed_at": now, "made_by": made_by, "made_of": made_of, "created_at": now,
    }  # fmt: skip
    if made_by is None:
        endpoint, is_new = Endpoint.objects.create(**asked), True
    else:
        endpoint, is_new = Endpoint.objects.get_or_create(made_by=made_by, defaults=asked)
    if is_new:
        endpoint.refresh_from_db(fields=["public_id"])
        record(verb="webhooks.create_endpoint", by=by, now=now, subject=endpoint, after=_shown(endpoint))
    return endpoint


@transaction.atomic
def save_endpoint(*, endpoint_id: int, name: str, url: str, of: Sequence[str], now: dt.datetime, by: Actor) -> Endpoint:
    """Change where it is and what it is told. New kinds are told from now on.

    Raises:
        NoSuchEndpoint, UnsafeAddress, UnknownKinds
    """
    endpoint = _held(endpoint_id)
    before = _shown(endpoint)
    endpoint.name, endpoint.url, endpoint.kinds = name.strip(), _checked(url), _known(of)
    endpoint.save(update_fields=["name", "url", "kinds"])
    if (after := _shown(endpoint)) != before:
        record(verb="webhooks.save_endpoint", by=by, now=now, subject=endpoint, before=before, after=after)
    return endpoint


@transaction.atomic
def rotate_secret(*, endpoint_id: int, now: dt.datetime, by: Actor, rotated_by: str = "") -> Endpoint:
    """Another secret; for a day the one before signs too, so that the receiver can be changed over.

    Args:
        rotated_by: names the request; again, nothing is replaced once more.

    Raises:
        NoSuchEndpoint
    """
    endpoint = _held(endpoint_id)
    if rotated_by and endpoint.rotated_by == rotated_by:
        return endpoint
    endpoint.generation += 1
    endpoint.earlier_until, endpoint.rotated_by = now + ROTATION, rotated_by
    endpoint.save(update_fields=["generation", "earlier_until", "rotated_by"])
    record(verb="webhooks.rotate_secret", by=by, now=now, subject=endpoint, after={"generation": endpoint.generation})
    return endpoint


@transaction.atomic
def record_reveal(*, endpoint_id: int, now: dt.datetime, by: Actor) -> Endpoint:
    """Somebody looks at the secret.

    Raises:
        NoSuchEndpoint
    """
    endpoint = _held(endpoint_id)
    record(verb="webhooks.reveal_secret", by=by, now=now, subject=endpoint)
    return endpoint


@transaction.atomic
def switch_off(*, endpoint_id: int, now: dt.datetime, by: Actor, why: str = Endpoint.Off.HAND) -> Endpoint:
    """Nothing is told to it; what waits, waits, and its mark stays where it is. Off already, it stays as it is.

    Raises:
        NoSuchEndpoint
    """
    endpoint = _held(endpoint_id)
    if not endpoint.is_on:
        return endpoint
    endpoint.is_on, endpoint.off_why, endpoint.off_at = False, why, now
    endpoint.save(update_fields=["is_on", "off_why", "off_at"])
    record(verb="webhooks.switch_off", by=by, now=now, subject=endpoint, after={"why": why})
    if why != Endpoint.Off.HAND:
        raise_alert(
            kind=ALERT,
            subject=str(endpoint.pk),
            level=Alert.Level.URGENT,
            text=f"The webhook endpoint “{endpoint.name}” was switched off: {endpoint.get_off_why_display()}.",
            url=f"/{settings.CONSOLE_PATH}webhooks/endpoint/{endpoint.pk}/change/",
            now=now,
        )
    return endpoint


@transaction.atomic
def switch_on(*, endpoint_id: int, with_meanwhile: bool, now: dt.datetime, by: Actor) -> Endpoint:
    """On again: from now, or `with_meanwhile` also of what happened since and of what was waiting.

    Raises:
        NoSuchEndpoint, EndpointIsOn
    """
    endpoint = _held(endpoint_id)
    if endpoint.is_on:
        raise EndpointIsOn
    waiting = endpoint.notices.filter(state=Notice.State.WAITING)
    if with_meanwhile:
        waiting.update(tries=0, next_at=now, lease_until=None)
    else:
        waiting.update(state=Notice.State.GIVEN_UP, next_at=None, lease_until=None, ended_at=now)
        endpoint.mark, endpoint.since_at, endpoint.followed_at = safe_mark(), now, now
    endpoint.is_on, endpoint.off_why, endpoint.off_at, endpoint.failing_since = True, "", None, None
    endpoint.save(update_fields=["is_on", "off_why", "off_at", "failing_since", "mark", "since_at", "followed_at"])
    record(verb="webhooks.switch_on", by=by, now=now, subject=endpoint, after={"with_meanwhile": with_meanwhile})
    resolve_alert(kind=ALERT, subject=str(endpoint.pk), now=now)
    nudge(FOLLOW)
    nudge(DELIVER)
    return endpoint


@transaction.atomic
def archive_endpoint(*, endpoint_id: int, now: dt.datetime, by: Actor) -> Endpoint:
    """It is told nothing any more and leaves the list; its log stays for as long as notices are kept.

    Raises:
        NoSuchEndpoint
    """
    endpoint = switch_off(endpoint_id=endpoint_id, now=now, by=by)
    endpoint.archived_at = now
    endpoint.save(update_fields=["archived_at"])
    record(verb="webhooks.archive_endpoint", by=by, now=now, subject=endpoint)
    resolve_alert(kind=ALERT, subject=str(endpoint.pk), now=now)
    return endpoint


@transaction.atomic
def send_test(*, endpoint_id: int, now: dt.datetime, by: Actor) -> Notice:
    """A notice of nothing, to see whether it arrives.

    Raises:
        NoSuchEndpoint, EndpointIsOff
    """
    endpoint = _held(endpoint_id)
    if not endpoint.is_on:
        raise EndpointIsOff
    notice = Notice.objects.create(
        endpoint=endpoint, kind=TEST, reference=f"webhooks.test:{uuid.uuid4()}", occurred_at=now, recorded_at=now,
        next_at=now, data={"endpoint": str(endpoint.public_id)}, replayed_by=by.name,
    )  # fmt: skip
    notice.refresh_from_db(fields=["public_id"])
    nudge(DELIVER)
    return notice


def endpoint_of(public_id: uuid.UUID) -> Endpoint:
    """The endpoint of this public id.

    Raises:
        NoSuchEndpoint
    """
    endpoint = Endpoint.objects.filter(public_id=public_id, archived_at=None).first()
    if endpoint is None:
        raise NoSuchEndpoint
    return endpoint


def _held(endpoint_id: int) -> Endpoint:
    endpoint = Endpoint.objects.select_for_update(no_key=True).filter(pk=endpoint_id, archived_at=None).first()
    if endpoint is None:
        raise NoSuchEndpoint
    return endpoint


def _checked(url: str) -> str:
    """What can be told of an address before it is called; where its name leads is looked at with every call."""
    try:
        parts = urlsplit(url.strip())
        is_fine = bool(parts.hostname) and "@" not in parts.netloc and (parts.port or 443) > 0
    except ValueError:
        raise UnsafeAddress from None
    schemes = ("https", "http") if settings.PRIVATE_ADDRESSES_ALLOWED else ("https",)
    if not is_fine or parts.scheme not in schemes or not url.isprintable() or " " in url.strip():
        raise UnsafeAddress
    if not settings.PRIVATE_ADDRESSES_ALLOWED and not _may_be_public(parts.hostname or ""):
        raise UnsafeAddress
    return url.strip()


def _may_be_public(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return host != "localhost" and not host.endswith((".localhost", ".local", ".internal"))
    return outside.is_public(host)


def _known(of: Sequence[str]) -> list[str]:
    if strangers := sorted(set(of) - kinds().keys()):
        raise UnknownKinds(kinds=", ".join(strangers))
    return sorted(set(of))


def _shown(endpoint: Endpoint) -> dict[str, Any]:
    return {"name": endpoint.name, "url": endpoint.url, "kinds": endpoint.kinds}

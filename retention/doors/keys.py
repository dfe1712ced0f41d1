"""Callers' keys: making, rotating and revoking them, and recognising one on every request in microseconds."""

import datetime as dt
import hashlib
import secrets
from collections.abc import Iterable
from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from retention import clock
from retention.actors import Actor
from retention.audit.operations import record
from retention.doors.models import ApiKey
from retention.refusals import Refused

PREFIX = "rk_"
#: How long a process trusts a key it has looked up: a revoked key stops everywhere within this many seconds.
TRUSTED_FOR = 2.0
_REMEMBERED_AT_MOST = 1_000
_remembered: dict[bytes, tuple[ApiKey, float]] = {}


class NameTaken(Refused):
    code = "doors.key_name_taken"
    sentence = _("There is already a key named %(name)s.")


class AlreadyRevoked(Refused):
    code = "doors.key_already_revoked"
    sentence = _("The key %(name)s is revoked already.")


@dataclass(frozen=True)
class NewKey:
    """A key just made. `secret` is shown this once; only its hash is kept."""

    key: ApiKey
    secret: str


@transaction.atomic
def create_key(
    *, name: str, scopes: Iterable[str], known: Iterable[str], now: dt.datetime, by: Actor, is_public: bool = False
) -> NewKey:
    """Make a key with these scopes, all of which must be `known` to some endpoint.

    Where `is_public`, its answers reach strangers, and rooms say no more than strangers may know.

    Raises:
        NameTaken
        ValidationError: no name, no scope, or a scope that no endpoint asks for.
    """
    scopes = sorted(set(scopes))
    if not name or len(name) > 60 or not name.isprintable():
        raise ValidationError({"name": _("Give the key a name of at most 60 symbols.")})
    if unknown := sorted(set(scopes) - set(known)):
        raise ValidationError({"scopes": _("No endpoint asks for %s.") % ", ".join(unknown)}, code="unknown_scope")
    if not scopes:
        raise ValidationError({"scopes": _("A key without scopes opens nothing.")}, code="no_scope")
    secret, values = _new_secret()
    key, is_new = ApiKey.objects.get_or_create(
        name=name,
        defaults={**values, "scopes": scopes, "is_public": is_public, "by_id": by.staff_id, "created_at": now},
    )
    if not is_new:
        raise NameTaken(name=name)
    after = {"name": name, "scopes": scopes, "is_public": is_public}
    record(verb="doors.create_key", by=by, now=now, subject=key, after=after)
    return NewKey(key, secret)


@transaction.atomic
def rotate_key(*, key_id: int, now: dt.datetime, by: Actor) -> NewKey:
    """Give a key a new secret; the old one stops within `TRUSTED_FOR` seconds.

    Raises:
        AlreadyRevoked
    """
    key = ApiKey.objects.select_for_update().get(pk=key_id)
    if key.revoked_at:
        raise AlreadyRevoked(name=key.name)
    forget(bytes(key.secret_hash))
    secret, values = _new_secret()
    for field, value in values.items():
        setattr(key, field, value)
    key.save(update_fields=list(values))
    record(verb="doors.rotate_key", by=by, now=now, subject=key)
    return NewKey(key, secret)


@transaction.atomic
def revoke_key(*, key_id: int, now: dt.datetime, by: Actor) -> ApiKey:
    """Stop a key for good; everywhere within `TRUSTED_FOR` seconds.

    Raises:
        AlreadyRevoked
    """
    key = ApiKey.objects.select_for_update().get(pk=key_id)
    if key.revoked_at:
        raise AlreadyRevoked(name=key.name)
    key.revoked_at = now
    key.save(update_fields=["revoked_at"])
    forget(bytes(key.secret_hash))
    record(verb="doors.revoke_key", by=by, now=now, subject=key)
    return key


def recognise(header: str, now: dt.datetime) -> ApiKey | None:
    """The key that an Authorization header carries, unless it is unknown or revoked."""
    scheme, _space, secret = header.partition(" ")
    if scheme.lower() != "bearer" or not secret.startswith(PREFIX):
        return None
    digest = hashlib.sha256(secret.encode("utf-8", "replace")).digest()
    key = _remembered_key(digest) or _look_up(digest)
    if key is not None and key.last_used_on != now.date():
        _note_use(key, now.date())
    return key


def forget(digest: bytes) -> None:
    """Stop trusting a key in this process at once; the others ask again within `TRUSTED_FOR` seconds."""
    _remembered.pop(digest, None)


def _remembered_key(digest: bytes) -> ApiKey | None:
    key, until = _remembered.get(digest, (None, 0.0))
    return key if until > clock.ticks() else None


def _look_up(digest: bytes) -> ApiKey | None:
    key = ApiKey.objects.filter(secret_hash=digest, revoked_at=None).first()
    if key is None:
        forget(digest)
        return None
    if len(_remembered) >= _REMEMBERED_AT_MOST:
        _remembered.clear()
    _remembered[digest] = (key, clock.ticks() + TRUSTED_FOR)
    return key


def _note_use(key: ApiKey, day: dt.date) -> None:
    key.last_used_on = day
    ApiKey.objects.filter(~Q(last_used_on=day) | Q(last_used_on=None), pk=key.pk).update(last_used_on=day)


def _new_secret() -> tuple[str, dict]:
    # 20 random bytes are 160 bits; no salt is needed for what nobody can guess.
    secret = PREFIX + secrets.token_urlsafe(20)
    return secret, {"prefix": secret[:12], "secret_hash": hashlib.sha256(secret.encode()).digest()}

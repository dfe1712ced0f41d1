"""Keys: shown once, kept as a hash, rotated, revoked, and recognised."""

import datetime as dt
import hashlib

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext

from retention.actors import Actor
from retention.audit.models import AuditEntry
from retention.doors import keys
from retention.doors.models import ApiKey

pytestmark = pytest.mark.django_db
BY = Actor.command("test")


def recognised(secret, now):
    return keys.recognise(f"Bearer {secret}", now)


def test_a_key_is_kept_only_as_a_hash(new_key, now):
    made = new_key("shop", "a:b")
    row = ApiKey.objects.get()
    assert bytes(row.secret_hash) == hashlib.sha256(made.secret.encode()).digest()
    assert made.secret.startswith(row.prefix)
    assert len(made.secret) == 30
    kept = repr(ApiKey.objects.values_list()) + repr(AuditEntry.objects.values_list())
    assert made.secret not in kept
    assert recognised(made.secret, now) == made.key


def test_a_rotated_key_has_a_new_secret_and_the_same_scopes(new_key, now):
    made = new_key("shop", "a:b")
    assert recognised(made.secret, now)
    again = keys.rotate_key(key_id=made.key.pk, now=now, by=BY)
    assert recognised(made.secret, now) is None
    assert recognised(again.secret, now).scopes == ["a:b"]


def test_a_revoked_key_stops_at_once_in_this_process_and_for_good(new_key, now):
    made = new_key("shop", "a:b")
    assert recognised(made.secret, now)
    keys.revoke_key(key_id=made.key.pk, now=now, by=BY)
    assert recognised(made.secret, now) is None
    for again in (keys.revoke_key, keys.rotate_key):
        with pytest.raises(keys.AlreadyRevoked):
            again(key_id=made.key.pk, now=now, by=BY)


def test_a_key_revoked_by_another_process_stops_when_the_memory_of_it_ends(new_key, now, monkeypatch):
    made = new_key("shop", "a:b")
    assert recognised(made.secret, now)
    ApiKey.objects.update(revoked_at=now)
    ticks = keys.clock.ticks()
    monkeypatch.setattr(keys.clock, "ticks", lambda: ticks + keys.TRUSTED_FOR + 0.1)
    assert recognised(made.secret, now) is None


def test_the_day_of_use_is_written_once_a_day_and_nothing_is_read_in_between(new_key, now):
    made = new_key("shop", "a:b")
    recognised(made.secret, now)
    assert ApiKey.objects.get().last_used_on == now.date()
    with CaptureQueriesContext(
        connection,
    ) as queries:
        recognised(made.secret, now)
    assert len(queries) == 0
    recognised(made.secret, now + dt.timedelta(days=1))
    assert ApiKey.objects.get().last_used_on == now.date() + dt.timedelta(days=1)


@pytest.mark.parametrize(
    ("name", "scopes", "known"),
    [
        ("", ["a"], ["a"]),
        ("n" * 61, ["a"], ["a"]),
        ("shop", [], ["a"]),
        ("shop", ["a", "b"], ["a"]),
        ("a\nb", ["a"], ["a"]),
    ],
)
def test_what_cannot_be_a_key(name, scopes, known, now):
    with pytest.raises(ValidationError):
        keys.create_key(name=name, scopes=scopes, known=known, now=now, by=BY)
    assert not ApiKey.objects.exists()


def test_a_name_is_taken_once(new_key):
    new_key("shop", "a:b")
    with pytest.raises(keys.NameTaken):
        new_key("shop", "a:b")

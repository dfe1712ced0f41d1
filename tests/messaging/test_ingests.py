"""Lists of addresses that are not to be written to: only their hashes stay, and nothing becomes milder."""

import pytest

from retention.actors import Actor
from retention.customers.addresses import address_hash
from retention.messaging.models import Suppression
from retention.work.ingest import ingest

BY = Actor.command("test")


@pytest.fixture
def bring(shop, now):
    def run(*rows, **options):
        return ingest("suppressions", rows, now=now, by=BY, **options)

    return run


def kept():
    rows = Suppression.objects.order_by("since", "pk")
    return {bytes(row.address_hash): (row.channel, row.why, row.marketing_only) for row in rows}


def test_addresses_are_kept_as_hashes_with_why(bring):
    result = bring(
        {"email": " Dead@Example.com ", "why": "Bounce"},
        {"email": "tired@example.com", "why": "unsubscribed"},
        {"email": "plain@example.com"},
        {"email": "left@example.com", "why": "unsubscribed", "marketing_only": False},
    )
    assert (result.new, result.changed) == (4, 0)
    assert kept() == {
        address_hash("dead@example.com"): ("email", "bounce", False),
        # Mail about her orders still comes to who only unsubscribed.
        address_hash("tired@example.com"): ("email", "unsubscribed", True),
        address_hash("plain@example.com"): ("email", "by hand", False),
        address_hash("left@example.com"): ("email", "unsubscribed", False),
    }


def test_again_nothing_changes_and_only_stricter_replaces(bring):
    bring({"email": "a@example.com", "why": "unsubscribed"}, {"email": "b@example.com", "why": "complaint"})
    same = bring({"email": "a@example.com", "why": "unsubscribed"}, {"email": "b@example.com", "why": "unsubscribed"})
    assert (same.new, same.changed, same.unchanged) == (0, 0, 2)
    harder = bring({"email": "a@example.com", "why": "bounce"}, {"email": "b@example.com", "why": "bounce"})
    assert (harder.new, harder.changed) == (0, 1)
    assert kept() == {
        address_hash("a@example.com"): ("email", "bounce", False),
        address_hash("b@example.com"): ("email", "complaint", False),
    }


def test_a_preview_says_who_is_there_already_and_writes_nothing(bring):
    bring({"email": "a@example.com"})
    found = bring({"email": "A@example.com"}, {"email": "c@example.com"}, dry_run=True, samples=10)
    assert [difference.is_new for difference in found.samples] == [False, True]
    assert len(kept()) == 1


def test_what_is_no_address_or_comes_twice_is_refused_whole(bring):
    result = bring({"email": "nobody"}, {"email": "a@example.com"}, {"email": "A@example.com "}, {"why": "erased"})
    assert sorted((error.line, error.column, error.code) for error in result.refused) == [
        (1, "email", "not_an_email"),
        (2, "email", "duplicate"),
        (3, "email", "duplicate"),
        (4, "email", "required"),
        (4, "why", "not_a_choice"),
    ]
    assert not kept()

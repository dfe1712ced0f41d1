"""Activities and consents in bulk: whose they are, what is known twice, what the state becomes."""

import datetime as dt

import pytest
from django.db import DatabaseError, connection, transaction

from retention.actors import Actor
from retention.customers.addresses import address_hash
from retention.customers.models import Activity, Consent, ConsentProof, ConsentState, Customer, CustomerStats
from retention.customers.operations import ConsentRefused, give_consent, withdraw_consent

BY = Actor.command("test")
DAY = "2026-05-03T00:00:00Z"


@pytest.fixture
def ann(bring):
    bring("customers", {"reference": "ann", "email": "Ann@example.com", "phone": "+4915112345678"})
    return Customer.objects.get()


def test_an_activity_is_recorded_once_and_moves_last_seen(bring, catalogue, ann):
    row = {"customer": "ann", "kind": "viewed_product", "product": "LP", "reference": "v1", "occurred_at": DAY}
    assert bring("activities", row).new == 1
    assert bring("activities", row).unchanged == 1
    early = {"email": "ANN@example.com", "kind": "logged_in", "occurred_at": "2026-05-01T00:00:00Z"}
    opened = {"customer": "ann", "kind": "mail_opened", "occurred_at": "2026-05-09T00:00:00Z"}
    clicked = {"customer": "ann", "kind": "mail_clicked", "occurred_at": "2026-05-08T00:00:00Z"}
    assert bring("activities", early, opened, clicked).new == 3
    stats = CustomerStats.objects.get()
    # A machine may open a mail; a click is human.
    assert stats.last_seen_at == stats.last_opened_at == dt.datetime(2026, 5, 8, tzinfo=dt.UTC)
    assert Activity.objects.filter(customer=ann).count() == 4


def test_a_visitor_not_known_yet_has_a_key(bring):
    bring("activities", {"visitor_key": "v", "kind": "searched", "properties": {"query": "lp"}, "occurred_at": DAY})
    assert Activity.objects.values_list("customer", "visitor_key", "properties").get() == (None, "v", {"query": "lp"})


@pytest.mark.parametrize(
    ("changes", "column", "code"),
    [
        ({"customer": "nobody"}, "customer", "unknown_customer"),
        ({"customer": "", "email": "x@example.com"}, "email", "unknown_customer"),
        ({"customer": ""}, "customer", "nobodys"),
        ({"kind": "danced"}, "kind", "unknown_kind"),
        ({"kind": ""}, "kind", "required"),
        ({"product": "no"}, "product", "unknown_product"),
        ({"order_reference": "no"}, "order_reference", "unknown_order"),
        ({"properties": {"rating": 11}}, "properties.rating", "wrong_property"),
        ({"properties": {"rating": "good"}}, "properties.rating", "wrong_property"),
        ({"properties": [1]}, "properties", "wrong_type"),
        ({"properties": "{"}, "properties", "not_an_object"),
        ({"properties": {"text": "a\0"}}, "properties", "not_an_object"),
        ({"properties": {"text": "x" * 20_001}}, "properties", "too_long"),
        ({"occurred_at": "2026-06-01"}, "occurred_at", "in_the_future"),
        ({"occurred_at": ""}, "occurred_at", "required"),
        ({"visitor_key": "x" * 65}, "visitor_key", "too_long"),
    ],
)
def test_a_bad_activity_is_refused(refused, ann, changes, column, code):
    good = {"customer": "ann", "kind": "reviewed", "occurred_at": DAY}
    assert (2, column, code) in refused("activities", good, {**good, **changes})
    assert not Activity.objects.exists()


def test_a_reference_twice_in_one_load_is_refused(refused, ann):
    row = {"customer": "ann", "kind": "shared", "occurred_at": DAY, "reference": "x"}
    assert refused("activities", row, row) == [(1, "reference", "duplicate"), (2, "reference", "duplicate")]


class TestConsents:
    def test_an_event_is_appended_and_the_state_follows_the_newest(self, bring, ann):
        said = {"customer": "ann", "channel": "email", "source": "popup"}
        rows = [
            {**said, "event": "given", "occurred_at": "2026-05-02T00:00:00Z", "reference": "2", "proof": "Ann, form 7"},
            {**said, "event": "withdrawn", "occurred_at": "2026-05-01T00:00:00Z", "reference": "1"},
        ]
        assert bring("consents", *rows).new == 2
        assert bring("consents", *rows).unchanged == 2
        state = ConsentState.objects.get()
        assert (state.purpose, state.is_given, state.address) == ("marketing", True, "ann@example.com")
        assert bytes(Consent.objects.get(reference="2").address_hash) == address_hash("ann@example.com")
        assert ConsentProof.objects.get().text == "Ann, form 7"

    @pytest.mark.parametrize("events", [("given", "withdrawn"), ("withdrawn", "given")])
    def test_of_two_at_one_instant_the_stricter_counts_in_one_load_and_in_two(self, bring, ann, events):
        rows = [
            {"customer": "ann", "channel": channel, "source": "x", "event": event, "occurred_at": DAY}
            for event in events
            for channel in ("email", "sms")
        ]
        bring("consents", rows[0], rows[2])
        bring("consents", rows[1])
        bring("consents", rows[3])
        assert dict(ConsentState.objects.values_list("channel", "is_given")) == {"email": False, "sms": False}

    def test_late_news_of_an_older_event_change_no_state(self, ann, now):
        said = {"customer_id": ann.pk, "channel": "email", "purpose": "topic:news", "source": "x", "now": now, "by": BY}
        withdraw_consent(**said)
        give_consent(**said, occurred_at=now - dt.timedelta(days=1))
        assert ConsentState.objects.get().is_given is False
        give_consent(**{**said, "now": now + dt.timedelta(seconds=1)}, reference="g")
        assert give_consent(**said, reference="g").is_new is False
        assert ConsentState.objects.get().is_given is True
        assert Consent.objects.count() == 3

    def test_it_holds_for_the_address_it_was_said_for(self, bring, ann, now):
        give_consent(customer_id=ann.pk, channel="email", purpose="marketing", source="x", now=now, by=BY)
        bring("customers", {"reference": "ann", "email": "new@example.com"})
        assert ConsentState.objects.get().address == "ann@example.com"

    @pytest.mark.parametrize(
        ("changes", "column", "code"),
        [
            ({"customer": "nobody"}, "customer", "unknown_customer"),
            ({"customer": ""}, "customer", "no_customer"),
            ({"channel": "pigeon"}, "channel", "not_a_choice"),
            ({"event": "maybe"}, "event", "not_a_choice"),
            ({"purpose": "spam"}, "purpose", "unknown_purpose"),
            ({"source": ""}, "source", "required"),
            ({"occurred_at": "2026-06-01"}, "occurred_at", "in_the_future"),
            ({"wording": "x" * 61}, "wording", "too_long"),
        ],
    )
    def test_a_bad_consent_is_refused(self, refused, ann, changes, column, code):
        good = {"customer": "ann", "channel": "email", "event": "given", "source": "x", "occurred_at": DAY}
        assert refused("consents", good, {**good, **changes}) == [(2, column, code)]
        assert not Consent.objects.exists()

    def test_there_must_be_an_address_to_consent_for(self, bring, now):
        bring("customers", {"reference": "b"})
        with pytest.raises(ConsentRefused) as caught:
            give_consent(
                customer_id=Customer.objects.get().pk, channel="sms", purpose="marketing", source="x", now=now, by=BY
            )
        assert caught.value.errors[0].code == "no_address"

    @pytest.mark.parametrize(
        "statement", ["UPDATE customers_consent SET event = 'given'", "DELETE FROM customers_consent"]
    )
    def test_what_was_said_is_never_rewritten(self, ann, now, statement):
        withdraw_consent(customer_id=ann.pk, channel="email", purpose="marketing", source="x", now=now, by=BY)
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)
        assert Consent.objects.get().event == "withdrawn"

"""Life events: dated from what she bought or did, expiring, corrected by her for good, unsayable if sensitive."""

import datetime as dt

import pytest
from django.core.exceptions import ValidationError

from retention.actors import Actor
from retention.audit.models import Version
from retention.customers.jobs import InferLifeEvents
from retention.customers.models import AttributeDefinition, Customer, LifeEvent
from retention.customers.operations import save_customer
from retention.customers.operations.life_events import (
    Inferred,
    NoSuchLifeEvent,
    archive_life_event,
    correct_life_event,
    infer_life_events,
    save_life_event,
)
from retention.messaging.placeholders import samples
from retention.messaging.words import faults
from retention.segments.querysets import members

BY = Actor.command("test")
NOW = dt.datetime(2026, 5, 12, 10, tzinfo=dt.UTC)
PARENT = {
    "key": "new-parent", "label": "New parent", "is_sensitive": True, "about": "", "what": "bought", "kind": "",
    "products": ["NAPPY"], "categories": ["Baby"], "at_least": 2, "within_days": 60, "lasts_days": 365,
}  # fmt: skip


@pytest.fixture
def nappies(bring):
    bring(
        "products",
        {"sku": "NAPPY", "name": "Nappies", "price": "10.00", "currency": "EUR", "category": "Care"},
        {"sku": "BOTTLE", "name": "Bottle", "price": "10.00", "currency": "EUR", "category": "Baby/Feeding"},
        {"sku": "BABYISH", "name": "Doll", "price": "10.00", "currency": "EUR", "category": "Babyish"},
    )
    bring("customers", *({"reference": name, "email": f"{name}@example.com"} for name in ("anna", "boris", "chloe")))


@pytest.fixture
def buys(bring, nappies):
    count = iter(range(100))

    def buy(who, sku, days_ago, state="paid"):
        at = (NOW - dt.timedelta(days=days_ago)).isoformat()
        bring(
            "orders",
            {"reference": f"b{next(count)}", "customer": who, "state": state, "currency": "EUR", "total": "10.00",
             "placed_at": at, "lines": [{"sku": sku, "quantity": 1, "unit_price": "10.00"}]},
        )  # fmt: skip

    return buy


def make(**changes) -> LifeEvent:
    return save_life_event(life_event_id=None, values={**PARENT, **changes}, now=NOW, by=BY)


def held(who, key="new-parent"):
    return Customer.objects.get(reference=who).attributes.get(key)


def inferred(day, until):
    return {"value": day, "how": "inferred", "until": until}


def test_two_purchases_within_the_days_date_it_by_the_second(buys):
    event = make()
    bought = [("anna", "NAPPY", 100), ("anna", "BOTTLE", 50), ("anna", "NAPPY", 5), ("boris", "NAPPY", 62),
              ("boris", "NAPPY", 1), ("chloe", "BABYISH", 3), ("chloe", "NAPPY", 2)]  # fmt: skip
    for purchase in bought:
        buys(*purchase)
    buys("chloe", "NAPPY", 1, state="cancelled")
    assert (event.attribute.kind, event.attribute.is_sensitive, event.version.number) == ("date", True, 1)
    assert InferLifeEvents.preview(now=NOW) == {"due": 1}
    assert InferLifeEvents.run(now=NOW, progress=lambda *_: None) == {"due": 1, "touched": 1}
    assert held("anna") == inferred("2026-03-23", "2027-03-23")
    assert (held("boris"), held("chloe")) == (None, None)
    assert infer_life_events(now=NOW) == Inferred(0, 0)
    rule = {"key": "attribute_date", "args": {"attribute": "new-parent", "window": "last", "days": 90}}
    assert [customer.reference for customer in members(rule, NOW)] == ["anna"]


def test_it_expires_and_may_be_dated_anew(buys):
    make(lasts_days=30)
    for days_ago in (40, 25, 3):
        buys("anna", "NAPPY", days_ago)
    infer_life_events(now=NOW)
    assert held("anna") == inferred("2026-04-17", "2026-05-17")
    assert infer_life_events(now=NOW + dt.timedelta(days=4)) == Inferred(0, 0)
    assert infer_life_events(now=NOW + dt.timedelta(days=5)) == Inferred(1, 1)
    assert held("anna") == inferred("2026-05-09", "2026-06-08")
    assert infer_life_events(now=NOW + dt.timedelta(days=90)) == Inferred(0, 1)
    assert held("anna") is None


def test_what_she_says_wins_over_later_inference(buys, api):
    make()
    for who in ("anna", "boris"):
        buys(who, "NAPPY", 20)
        buys(who, "NAPPY", 10)
    infer_life_events(now=NOW)
    anna, boris = (Customer.objects.get(reference=who) for who in ("anna", "boris"))
    correct_life_event(customer_id=anna.pk, key="new-parent", on=None, now=NOW, by=BY)
    answer = api.post(f"customers/{boris.public_id}/life-events/new-parent/", {"on": "2026-01-31"})
    assert answer.status_code == 200, answer.content
    assert answer.json() == [
        {"key": "new-parent", "label": "New parent", "is_sensitive": True, "on": "2026-01-31", "how": "asked",
         "until": None}
    ]  # fmt: skip
    said = {"anna": {"how": "asked"}, "boris": {"value": "2026-01-31", "how": "asked"}}
    buys("anna", "NAPPY", 1)
    for days in (0, 1, 400):
        infer_life_events(now=NOW + dt.timedelta(days=days))
        assert {who: held(who) for who in said} == said
    # A word about something else leaves it as it is.
    AttributeDefinition.objects.create(key="pet", label="Pet", kind="text")
    save_customer(customer_id=anna.pk, values={"attributes": {"pet": "cat"}}, now=NOW, by=BY)
    assert held("anna") == {"how": "asked"}
    known = {"key": "attribute_known", "args": {"attribute": "new-parent"}}
    assert [customer.reference for customer in members(known, NOW)] == ["boris"]
    shown = api.get(f"customers/{anna.public_id}/life-events/").json()
    assert (shown[0]["on"], shown[0]["how"]) == (None, "asked")
    with pytest.raises(NoSuchLifeEvent):
        correct_life_event(customer_id=anna.pk, key="pet", on=None, now=NOW, by=BY)
    assert api.post(f"customers/{boris.public_id}/life-events/nothing/", {"on": None}).status_code == 404


def test_an_activity_can_give_it_away(bring, nappies):
    save_life_event(
        life_event_id=None, now=NOW, by=BY,
        values={**PARENT, "key": "moving", "what": "did", "kind": "searched", "products": [], "categories": [],
                "at_least": 3, "within_days": 7},
    )  # fmt: skip
    for days_ago in (6, 4, 1):
        at = (NOW - dt.timedelta(days=days_ago)).isoformat()
        bring("activities", {"kind": "searched", "customer": "anna", "occurred_at": at})
    infer_life_events(now=NOW)
    assert held("anna", "moving")["value"] == "2026-05-11"


def test_sensitive_ones_are_no_words_of_messages(nappies):
    make()
    AttributeDefinition.objects.create(key="pet", label="Pet", kind="text")
    assert [*samples()["attributes"]] == ["pet"]
    assert faults("Your {{ attributes.pet }}", "en", samples(), is_html=False) == []
    (fault,) = faults("Dear parent since {{ attributes.new-parent }}", "en", samples(), is_html=False)
    assert "attributes.new-parent" in str(fault.params)


def test_an_edited_rule_is_inferred_anew_and_an_archived_one_taken_back(buys):
    event = make()
    buys("anna", "NAPPY", 20)
    buys("anna", "NAPPY", 10)
    infer_life_events(now=NOW)
    changed = save_life_event(life_event_id=event.pk, values={**PARENT, "at_least": 3}, edited=1, now=NOW, by=BY)
    assert (changed.version.number, held("anna")) == (2, None)
    assert infer_life_events(now=NOW) == Inferred(0, 0)
    old = Version.objects.get(subject="customers.lifeevent", number=1)
    save_life_event(life_event_id=event.pk, values=old.data, edited=2, now=NOW, by=BY)
    assert infer_life_events(now=NOW) == Inferred(1, 0)
    archive_life_event(life_event_id=event.pk, now=NOW, by=BY)
    assert held("anna") is None
    assert infer_life_events(now=NOW) == Inferred(0, 0)


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"products": [], "categories": []}, "products"),
        ({"products": ["NOTHING"]}, "products"),
        ({"what": "did", "kind": "dancing"}, "kind"),
        ({"label": ""}, "label"),
        ({"at_least": 0}, "__all__"),
    ],
)
def test_what_is_refused(nappies, changes, where):
    with pytest.raises(ValidationError) as refused:
        make(**changes)
    assert where in refused.value.message_dict
    assert not LifeEvent.objects.exists()

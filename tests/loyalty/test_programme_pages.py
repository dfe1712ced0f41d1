"""The console's pages of programmes: from the gallery to a live programme, and what a basket would earn."""

import html
import json

import pytest
from django.urls import reverse

from loyalty.models import Programme
from retention.customers.models import Product
from retention.doors.seeds import seed as seed_roles
from retention.incentives import operations as incentives
from retention.incentives.rules import IncentiveRule
from retention.shop.models import Staff
from tests.loyalty.conftest import BY

pytestmark = pytest.mark.django_db


@pytest.fixture
def boss(client, shop, now):
    seed_roles(now=now)
    client.force_login(Staff.objects.create_superuser("boss", "boss@example.com", "x"))
    return client


@pytest.fixture
def mug(now):
    return Product.objects.create(sku="MUG", name="Mug", price_minor=900, currency="EUR", recorded_at=now)


def page(name, pk):
    return reverse(f"admin:loyalty_programme_{name}", args=[pk])


@pytest.mark.parametrize(
    ("key", "kind", "rules"),
    [("points", "points", 4), ("stars", "points", 3), ("store_cash", "money", 1)],
)
def test_a_ready_programme_is_a_draft_by_one_click_and_can_be_launched(boss, key, kind, rules):
    gallery = reverse("admin:loyalty_programme_gallery")
    assert boss.get(gallery).status_code == 200
    assert boss.post(gallery, {"key": "nothing"}).status_code == 404

    boss.post(gallery, {"key": key})
    boss.post(gallery, {"key": key})

    first, second = Programme.objects.order_by("pk")
    assert (first.key, second.key, first.state) == (key, f"{key}_2", "draft")
    assert (first.unit.kind, len(first.version.data["earning"])) == (kind, rules)
    assert boss.get(page("change", first.pk)).status_code == 200
    boss.post(reverse("admin:loyalty_programme_launch", args=[first.pk]), {"_form_submitted": "True"})
    first.refresh_from_db()
    assert first.state == "live"
    assert first.name in boss.get(reverse("admin:loyalty_programme_changelist")).content.decode()


def test_the_editor_saves_versions_and_says_what_is_wrong_at_its_place(boss):
    boss.post(reverse("admin:loyalty_programme_gallery"), {"key": "stars"})
    made = Programme.objects.get()
    rule = {**made.version.data, "names": {"en": "Coffee stars"}, "matching": "first"}

    saved = boss.post(page("change", made.pk), {"rule": json.dumps(rule), "edited": 1, "why": "New name"})
    again = boss.post(page("change", made.pk), {"rule": json.dumps(rule), "edited": 1, "why": ""})

    made.refresh_from_db()
    assert (saved.status_code, again.status_code) == (302, 200)
    assert (made.name, made.version.number, made.version.why) == ("Coffee stars", 2, "New name")
    say = reverse("admin:incentives_incentive_say") + "?of=programme"
    wrong = {**rule, "earning": [{"kind": "per_order", "key": "A b", "amount": 0}]}
    told = boss.post(say, json.dumps({"rule": wrong}), content_type="application/json").json()
    assert set(told["errors"]) == {"/earning/0/key", "/earning/0/amount"}
    assert boss.get(reverse("admin:loyalty_programme_add")).status_code == 302


def test_an_offer_that_cannot_make_a_perk_true_is_told_beside_its_field(boss, now):
    boss.post(reverse("admin:loyalty_programme_gallery"), {"key": "points"})
    made = Programme.objects.get()
    coded = IncentiveRule.model_validate({"name": "Coded", "effects": [{"kind": "percent", "basis_points": 1000}]})
    number = incentives.create_incentive(rule=coded, now=now, by=BY).pk
    rule = made.version.data
    rule["tiers"]["steps"][2]["perks"] = [{"names": {"en": "Sale"}, "incentive": number}]
    place, words = "/tiers/steps/2/perks/0/incentive", "“Coded” asks for a code. A perk's offer applies by itself."

    say = reverse("admin:incentives_incentive_say") + "?of=programme"
    told = boss.post(say, json.dumps({"rule": rule, "row": made.pk}), content_type="application/json").json()
    saved = boss.post(page("change", made.pk), {"rule": json.dumps(rule), "edited": 1, "why": ""})

    assert told == {"errors": {place: [words]}}
    assert f"{place}: {words}" in html.unescape(saved.content.decode())
    made.refresh_from_db()
    assert made.version.number == 1


def test_what_is_being_written_is_tried_at_once(boss, mug):
    boss.post(reverse("admin:loyalty_programme_gallery"), {"key": "stars"})
    say = reverse("admin:incentives_incentive_say") + "?of=programme"
    rule = {"names": {"en": "x"}, "earning": [{"kind": "per_amount", "key": "base", "amount": 3, "per_minor": 100}]}

    told = boss.post(say, json.dumps({"rule": rule}), content_type="application/json").json()

    assert told["sentence"] == (
        "3 for every €1.00 paid. Earned on what is paid with money; points, credit and gift cards earn nothing."
        " Can be spent at once."
    )
    assert "<td>27</td>" in told["example"]
    # Of a programme that is there, in its unit.
    row = {"rule": rule, "row": Programme.objects.get().pk}
    told = boss.post(say, json.dumps(row), content_type="application/json").json()
    assert told["sentence"].startswith("3 stars for every €1.00 paid. ")


def test_a_basket_and_an_order_are_tried(boss, mug, order, customers, now):
    boss.post(reverse("admin:loyalty_programme_gallery"), {"key": "stars"})
    made = Programme.objects.get()
    bought = order(customers[0], ("MUG", 900, 2), at=now)
    basket = {"lines": "MUG, 1, 9.00", "currency": "EUR", "at": "2026-05-12 15:00"}

    shown = boss.post(page("try", made.pk), basket).content.decode()
    at = {"at": "2026-05-13 12:00", "currency": "EUR"}
    of_order = boss.post(page("try", made.pk), {**at, "order": bought.reference})
    nothing = boss.post(page("try", made.pk), {"lines": "", "currency": "EUR", "order": "no"}).content.decode()

    # 2 for each of 9.00, doubled on Tuesday at three, and one for the visit; the order is tried as of now.
    assert "37 stars" in shown
    assert "37 stars" in of_order.content.decode()
    assert "There is no order of this number." in nothing

"""The console's pages of this room, through requests as a browser sends them."""

import datetime as dt
import json

import pytest
from django.urls import reverse

from retention.audit.models import Version
from retention.customers.models import Product
from retention.incentives import operations
from retention.incentives.baskets import Line
from retention.incentives.checkouts import Buyer, Checkout
from retention.incentives.models import Code, CodeBatch, Incentive, Redemption
from retention.incentives.rules import sentence
from retention.incentives.versions import rule_of
from retention.shop.models import Staff
from tests.incentives.conftest import BY

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shop")]

LIST = "/admin/incentives/incentive/"
RULE = {
    "name": "Spring",
    "effects": [
        {
            "kind": "percent",
            "basis_points": 1250,
            "scope": {"on": "lines", "categories": ["Shoes", "Hats/Wool"], "without_discounted": True},
        },
        {"kind": "free_shipping"},
    ],
    "conditions": [
        {"kind": "minimum_amount", "amounts": {"EUR": 5000, "USD": 6050}},
        {"kind": "in_countries", "countries": ["DE", "AT"]},
    ],
    "limits": {"total": 500, "per_customer": 1, "money": {"amount_minor": 100000, "currency": "EUR"}},
    "codes": {"kind": "public", "text": "spring-20"},
    "validity": {"starts_at": "2026-05-01T00:00"},
}


def sent(rule, **fields):
    """What a browser sends of the form."""
    return {"rule": rule if isinstance(rule, str) else json.dumps(rule), "why": "", **fields}


@pytest.fixture
def marketer(client):
    """A client logged in as somebody who may do everything."""
    staff = Staff.objects.create_superuser("root", "root@example.com", "x")
    client.force_login(staff, backend="django.contrib.auth.backends.ModelBackend")
    return client


def change(incentive):
    return f"{LIST}{incentive.pk}/change/"


def test_a_form_becomes_a_rule_and_is_said_back(marketer):
    response = marketer.post(f"{LIST}add/", sent(RULE, why="spring"))
    assert response.status_code == 302, response.context["adminform"].form.errors
    incentive = Incentive.objects.get()
    rule = rule_of(incentive.version_id)
    assert sentence(rule) == (
        "12.5 % off Shoes, Hats/Wool, not on sale items and Free shipping, from 50.00 EUR / 60.50 USD,"
        " delivered to DE, AT, first 500 shoppers, once per customer, 1000.00 EUR in all"
    )
    assert (incentive.state, rule.codes.text, incentive.version.why) == ("draft", "SPRING20", "spring")
    assert incentive.starts_at == dt.datetime(2026, 4, 30, 22, tzinfo=dt.UTC), "midnight by the shop's clock"
    page = marketer.get(change(incentive)).content.decode()
    assert "12.5 % off Shoes" in page
    assert "2026-05-01T00:00" in page, "the shop's clock again"


def test_a_rule_that_is_saved_as_it_was_shown_is_the_same(marketer):
    marketer.post(f"{LIST}add/", sent(RULE))
    incentive = Incentive.objects.get()
    form = marketer.get(change(incentive)).context["adminform"].form
    response = marketer.post(change(incentive), sent(form["rule"].initial, edited=form["edited"].initial))
    assert response.status_code == 302, response.context["adminform"].form.errors
    one, two = Version.objects.filter(subject="incentives.incentive").order_by("number")
    assert one.data == two.data


def test_without_scripts_what_is_wrong_names_its_place(marketer):
    response = marketer.post(f"{LIST}add/", sent({**RULE, "effects": [{"kind": "percent"}]}))
    assert response.status_code == 200
    assert "/effects/0/basis_points: Fill this in." in str(response.context["adminform"].form.errors)
    assert "rule" in marketer.post(f"{LIST}add/", sent("{")).context["adminform"].form.errors
    assert not Incentive.objects.exists()


def test_a_taken_code_and_a_save_meanwhile_come_back_in_the_form(marketer, offer, now):
    taken = offer(codes={"kind": "public", "text": "SPRING20"})
    response = marketer.post(f"{LIST}add/", sent(RULE))
    assert "is there already" in str(response.context["adminform"].form.errors)
    rule = rule_of(taken.version_id).model_copy(update={"name": "Other"})
    operations.save_incentive(incentive_id=taken.pk, rule=rule, edited=1, now=now, by=BY)
    response = marketer.post(change(taken), sent(RULE, edited="1"))
    assert "while you were editing" in str(response.context["adminform"].form.errors)
    taken.refresh_from_db()
    assert (taken.name, taken.version.number) == ("Other", 2)


def press(client, incentive, button, **data):
    """Sends a dialog as its confirm button does."""
    url = reverse(f"admin:incentives_incentive_{button}", args=[incentive.pk])
    response = client.post(url, {"_form_submitted": "True", **data})
    incentive.refresh_from_db()
    return response


def test_go_live_stop_and_resume(marketer, offer):
    incentive = offer(is_live=False, codes={"kind": "public", "text": "ALL"})
    for button, state in (("go_live", "live"), ("stop", "stopped"), ("resume", "live")):
        page = marketer.get(change(incentive)).content.decode()
        assert reverse(f"admin:incentives_incentive_{button}", args=[incentive.pk]) in page
        response = press(marketer, incentive, button, why="because")
        assert "HX-Redirect" in response.headers, response.content.decode()
        assert incentive.state == state
    assert "Only a draft" in press(marketer, incentive, "go_live").content.decode()


def test_codes_are_generated_once_however_often_the_dialog_is_sent(marketer, offer):
    incentive = offer()
    data = {"count": "7", "purpose": "handout", "source": "console:1"}
    for _time in range(2):
        assert "HX-Redirect" in press(marketer, incentive, "generate_codes", **data).headers
    assert (Code.objects.count(), CodeBatch.objects.count()) == (7, 1)
    too_few = press(marketer, incentive, "generate_codes", **{**data, "count": "0", "source": "console:2"})
    assert "HX-Redirect" not in too_few.headers
    assert Code.objects.count() == 7


def test_a_newer_version_is_applied_to_the_codes_out_when_told_so(marketer, offer, grant, customers, now):
    incentive = offer()
    grant(incentive, customers[:2], is_given=True)
    rule = rule_of(incentive.version_id).model_copy(update={"name": "Newer"})
    operations.save_incentive(incentive_id=incentive.pk, rule=rule, edited=1, now=now, by=BY)
    url = reverse("admin:incentives_incentive_apply_to_codes", args=[incentive.pk])
    assert "2 codes that are out" in marketer.get(url).content.decode()
    press(marketer, incentive, "apply_to_codes")
    assert set(Code.objects.values_list("version__number", flat=True)) == {2}


def test_try_it_shows_what_comes_off_or_why_nothing_does(marketer, offer, customers, now):
    incentive = offer(
        is_live=False,
        conditions=[{"kind": "minimum_amount", "amounts": {"EUR": 5000}}, {"kind": "first_order"}],
        validity={"ends_at": now + dt.timedelta(days=1)},
    )
    Product.objects.create(sku="a", name="a", currency="EUR", price_minor=9000, recorded_at=now)
    url = reverse("admin:incentives_incentive_try", args=[incentive.pk])
    first = marketer.get(url).content.decode()
    assert "a, 2, 90.00" in first
    assert "Nothing comes off" in first, "the first basket is tried at once, and the offer has ended since"
    assert "expired" in first
    data = {"lines": "a, 1, 90.00", "currency": "eur", "customer": "c1@example.com", "at": "2026-05-12 11:00"}
    page = marketer.post(url, data).content.decode()
    assert "18.00 EUR off, 72.00 EUR to pay" in page
    page = marketer.post(url, {**data, "lines": "a, 1, 38", "at": "2026-06-01 00:00", "customer": ""}).content.decode()
    assert "12.00 EUR short" in page
    assert "expired" in page
    assert "known customers" in page
    assert not Code.objects.exists()


@pytest.mark.parametrize("lines", ["a", "a, 0, 5", "a, x, 5", "a, 1, x", "a, 1, 5.001", ", 1, 5"])
def test_try_it_says_which_line_it_cannot_read(marketer, offer, lines):
    url = reverse("admin:incentives_incentive_try", args=[offer().pk])
    response = marketer.post(url, {"lines": lines, "currency": "EUR"})
    assert response.status_code == 200
    assert "lines" in response.context["form"].errors


def test_try_it_knows_no_such_customer(marketer, offer):
    url = reverse("admin:incentives_incentive_try", args=[offer().pk])
    response = marketer.post(url, {"lines": "a, 1, 5", "currency": "EUR", "customer": "nobody"})
    assert "customer" in response.context["form"].errors


@pytest.mark.parametrize("page", ["incentive", "code", "grant", "redemption"])
def test_lists_open_and_find(marketer, offer, grant, customers, page):
    grant(offer(codes={"kind": "unique", "pattern": "ABC-########"}), customers, is_given=True)
    assert marketer.get(f"/admin/incentives/{page}/").status_code == 200
    if page == "code":
        assert "5 codes" in marketer.get("/admin/incentives/code/?q=abc-").content.decode()
        assert "0 codes" in marketer.get("/admin/incentives/code/?q=xyz").content.decode()


def test_what_happened_cannot_be_edited(marketer, offer, grant, customers):
    grant(offer(), customers[:1])
    for model in ("code", "grant"):
        pk = (Code if model == "code" else Code.objects.get().grant.__class__).objects.get().pk
        url = f"/admin/incentives/{model}/{pk}/change/"
        assert marketer.get(url).status_code == 200
        assert marketer.post(url, {"state": "void"}).status_code == 403
    assert Code.objects.get().state == "reserved"


def test_a_redemption_shows_what_was_taken_off(marketer, offer, now):
    offer(codes={"kind": "public", "text": "SAVE-20"})
    done = operations.redeem(
        source="k:1",
        request_hash=b"1",
        codes=["SAVE20"],
        checkout=Checkout(
            currency="EUR", buyer=Buyer(), lines=(Line("a", 1, 10000),), shipping_minor=490, order_reference="o1"
        ),
        now=now,
    )
    row = Redemption.objects.get(public_id=done.public_id)
    page = marketer.get(f"/admin/incentives/redemption/{row.pk}/change/")
    assert page.status_code == 200
    shown = " ".join(page.content.decode().split())
    assert f"−{row.discount_minor / 100:.2f}" in shown
    assert "Shipping" in shown
    # Taken over without its lines, it still opens.
    Redemption.objects.filter(pk=row.pk).update(effects={})
    page = marketer.get(f"/admin/incentives/redemption/{row.pk}/change/")
    assert page.status_code == 200
    assert "Shipping" not in page.content.decode()

"""Exports of other programs as they are downloaded, each brought in from a small file of invented people."""

import io
from pathlib import Path

import pytest

from retention import registries
from retention.actors import Actor
from retention.customers.addresses import address_hash
from retention.customers.models import (
    Consent,
    ConsentProof,
    ConsentState,
    Customer,
    CustomerStats,
    Order,
    Product,
)
from retention.customers.operations import give_consent, withdraw_consent
from retention.customers.presets.orders import Line, settle
from retention.messaging.models import Suppression
from retention.shop.models import ExchangeRate
from retention.work.column_maps import known_layout, peek
from retention.work.ingest.feeds import bring

BY = Actor.command("test")
FILES = Path(__file__).with_name("files")


@pytest.fixture
def read(shop, now):
    """A function that brings a file in by a preset and returns (kind, new, changed, refused) of each kind."""

    def by_preset(key, name, *, text=None, **options):
        content = text.encode() if text is not None else (FILES / name).read_bytes()
        feeds = registries.presets[key].feeds
        done = bring(feeds, io.BytesIO(content), now=options.pop("now", now), by=BY, **options)
        told = [(e.line, e.column, e.code) for one in done for e in one.result.refused]
        return [(one.kind, one.result.new, one.result.changed) for one in done], told

    return by_preset


@pytest.mark.parametrize(
    ("name", "kind", "key"),
    [
        ("shopify_customers.csv", "customers", "shopify_customers"),
        ("shopify_orders.csv", "orders", "shopify_orders"),
        ("woocommerce_customers.csv", "customers", "woocommerce_customers"),
        ("woocommerce_orders.csv", "orders", "woocommerce_orders"),
        ("subscribed_members_export.csv", "customers", "mailchimp_subscribed"),
        ("unsubscribed_members_export.csv", "customers", "mailchimp_unsubscribed"),
        ("cleaned_members_export.csv", "customers", "mailchimp_cleaned"),
    ],
)
def test_each_file_is_known_by_its_columns(db, name, kind, key):
    with (FILES / name).open("rb") as file:
        seen = peek(file, kind)
    assert not seen.is_ours
    assert known_layout(kind, seen.headers, name)[1] == {"preset": key}
    fitting = [preset.key for preset in registries.presets if preset.fits(seen.headers, name)]
    assert fitting == [key]


def test_contacts_who_never_subscribed_are_not_taken_for_subscribers(db):
    with (FILES / "subscribed_members_export.csv").open("rb") as file:
        seen = peek(file, "customers")
    assert known_layout("customers", seen.headers, "nonsubscribed_members_export_1.csv") is None


class TestShopify:
    def test_customers_with_what_they_agreed_to(self, read, now):
        assert read("shopify_customers", "shopify_customers.csv") == ([("customers", 3, 0), ("consents", 2, 0)], [])
        anna = Customer.objects.get(reference="7210448301122")
        assert (anna.given_name, anna.phone, anna.postcode, anna.address, anna.country) == (
            "Anna", "+4915112345678", "50667", "Lindenweg 1\nHinterhaus", "DE",
        )  # fmt: skip
        assert Customer.objects.get(email="ben@example.com").phone == "+442079460000"
        said = Consent.objects.values_list("customer__given_name", "channel", "purpose", "event", "occurred_at")
        assert sorted(said) == [
            ("Anna", "email", "marketing", "given", now),
            ("Anna", "sms", "marketing", "given", now),
        ]
        again, refused = read("shopify_customers", "shopify_customers.csv")
        assert (again, refused) == ([("customers", 0, 0), ("consents", 0, 0)], [])

    def test_a_file_without_times_withdraws_but_never_undoes_a_withdrawal(self, read, now):
        read("shopify_customers", "shopify_customers.csv")
        anna = Customer.objects.get(given_name="Anna")
        withdraw_consent(customer_id=anna.pk, channel="sms", purpose="marketing", source="desk", now=now, by=BY)
        text = (FILES / "shopify_customers.csv").read_text().replace("anna@example.com,yes", "anna@example.com,no")
        assert read("shopify_customers", "", text=text)[0] == [("customers", 0, 0), ("consents", 1, 0)]
        assert dict(ConsentState.objects.values_list("channel", "is_given")) == {"email": False, "sms": False}

    def test_orders_come_out_as_what_was_paid(self, read, shop):
        ExchangeRate.objects.create(currency="USD", on="2026-01-01", rate="0.9")
        assert read("shopify_orders", "shopify_orders.csv") == ([("products", 3, 0), ("orders", 4, 0)], [])
        assert dict(Order.objects.values_list("reference", "state")) == {
            "#1001": "fulfilled", "#1002": "placed", "#1003": "returned", "#1004": "cancelled",
        }  # fmt: skip
        first = Order.objects.get(reference="#1001")
        assert (first.total_minor, first.discount_minor, first.shipping_minor, first.codes, first.country) == (
            4990, 500, 490, ["FALL5"], "DE",
        )  # fmt: skip
        assert [(line.product.sku, line.quantity, line.total_minor) for line in first.lines.all()] == [
            ("FERN-1", 2, 3000), ("Tote Bag, large", 1, 2000),
        ]  # fmt: skip
        taxed = Order.objects.get(reference="#1002")
        (line,) = taxed.lines.all()
        assert (taxed.total_minor, taxed.tax_minor, line.unit_price_minor, line.discount_minor, line.total_minor) == (
            3263, 263, 1088, 1, 3263,
        )  # fmt: skip
        assert CustomerStats.objects.get(customer__email="anna@example.com").spend_minor == 4990
        assert read("shopify_orders", "shopify_orders.csv")[0] == [("products", 0, 0), ("orders", 0, 0)]

    def test_known_products_keep_their_price(self, read, bring):
        bring("products", {"sku": "MUG-1", "name": "Mug", "price": "12.00", "currency": "EUR"})
        ExchangeRate.objects.create(currency="USD", on="2026-01-01", rate="0.9")
        assert read("shopify_orders", "shopify_orders.csv")[0] == [("products", 2, 0), ("orders", 4, 0)]
        assert Product.objects.values_list("name", "price_minor").get(sku="MUG-1") == ("Mug", 1200)

    def test_errors_name_the_line_and_the_column_of_the_file_and_nothing_is_written(self, read):
        text = (FILES / "shopify_orders.csv").read_text()
        text = text.replace('1,"Tote Bag, large",20.00', '1,"Tote Bag, large",lots').replace("voided", "vanished")
        text = text.replace("2026-04-12 10:00:00 +0200", "")
        _done, refused = read("shopify_orders", "", text=text)
        assert refused == [(3, "Lineitem price", "not_an_amount")]
        text = text.replace("lots", "20.00")
        _done, refused = read("shopify_orders", "", text=text)
        assert refused == [(4, "Currency", "no_exchange_rate"), (6, "Financial Status", "not_a_choice")]
        assert not Order.objects.exists()
        assert not Product.objects.exists(), "what the first kind had written is undone with the second"


class TestWooCommerce:
    def test_customers(self, read):
        assert read("woocommerce_customers", "woocommerce_customers.csv") == ([("customers", 2, 0)], [])
        anna = Customer.objects.get(reference="17")
        # 17:41 on the clock of a shop in Berlin.
        assert (anna.phone, anna.signed_up_at.isoformat()) == ("+492214710999", "2025-01-20T16:41:26+00:00")
        guest = Customer.objects.get(email="dina@example.com")
        assert (guest.reference, guest.given_name) == (None, "Dina")

    def test_orders_with_tax_discount_and_fee(self, read):
        assert read("woocommerce_orders", "woocommerce_orders.csv") == ([("products", 3, 0), ("orders", 2, 0)], [])
        first, second = Order.objects.order_by("reference")
        assert (first.state, first.total_minor, first.shipping_minor, first.discount_minor, first.codes) == (
            "fulfilled", 5290, 490, 0, ["SPRING"],
        )  # fmt: skip
        lines = first.lines.values_list("product__sku", "quantity", "unit_price_minor", "discount_minor", "total_minor")
        assert list(lines) == [("FERN-1", 3, 1500, 500, 4000), ("woo-56", 1, 800, 0, 800)]
        assert (second.state, second.total_minor) == ("paid", 1150)
        assert first.country == "DE", "without a delivery address it goes where the bill goes"


class TestMailchimp:
    def test_subscribed_have_given_their_consent_when_they_confirmed(self, read):
        assert read("mailchimp_subscribed", "subscribed_members_export.csv") == (
            [("customers", 2, 0), ("consents", 1, 0)],
            [],
        )
        anna = Customer.objects.get(email="anna@example.com")
        assert (anna.birth_year, anna.birth_month, anna.birth_day, anna.country, anna.phone) == (
            None, 5, 17, "DE", "+4915112345678",
        )  # fmt: skip
        consent = Consent.objects.get()
        assert (consent.customer, consent.channel, consent.purpose, consent.event, consent.source) == (
            anna, "email", "marketing", "given", "mailchimp",
        )  # fmt: skip
        assert consent.occurred_at.isoformat() == "2025-03-16T14:40:47+00:00"
        assert "CONFIRM_IP: 192.0.2.7" in ConsentProof.objects.get().text
        assert read("mailchimp_subscribed", "subscribed_members_export.csv")[0] == [
            ("customers", 0, 0), ("consents", 0, 0),
        ]  # fmt: skip

    @pytest.mark.parametrize("order", [("subscribed", "unsubscribed"), ("unsubscribed", "subscribed")])
    def test_unsubscribed_have_withdrawn_it_in_whatever_order_the_files_come(self, read, order):
        for status in order:
            _done, refused = read(f"mailchimp_{status}", f"{status}_members_export.csv")
            assert refused == []
        state = ConsentState.objects.get()
        assert (state.is_given, state.occurred_at.isoformat()) == (False, "2025-09-01T07:00:00+00:00")

    def test_cleaned_addresses_have_none_any_more(self, read):
        read("mailchimp_subscribed", "subscribed_members_export.csv")
        read("mailchimp_cleaned", "cleaned_members_export.csv")
        assert ConsentState.objects.get().is_given is False
        assert sorted(Consent.objects.values_list("event", flat=True)) == ["expired", "given"]
        suppression = Suppression.objects.get()
        assert (suppression.why, suppression.marketing_only) == ("bounce", False)
        assert bytes(suppression.address_hash) == address_hash("anna@example.com")

    def test_a_blank_cell_takes_nothing_away(self, read, bring):
        bring("customers", {"email": "ben@example.com", "given_name": "Ben", "city": "London"})
        read("mailchimp_subscribed", "subscribed_members_export.csv")
        assert Customer.objects.values_list("given_name", "city").get(email="ben@example.com") == ("Ben", "London")

    def test_a_refused_customer_stops_her_consent_too_and_the_good_ones_may_come_in(self, read):
        text = (FILES / "subscribed_members_export.csv").read_text()
        text = text.replace("anna@example.com", "anna at example")
        text = text.replace(',2,,,,,,,,,,,,"2025-03-17', ',2,"2025-03-17 08:00:00",,,,,,,,,,,"2025-03-17')
        done, refused = read("mailchimp_subscribed", "", text=text)
        assert refused == [(2, "Email Address", "not_an_email")]
        assert not Customer.objects.exists()
        done, refused = read("mailchimp_subscribed", "", text=text, good_only=True)
        assert refused == [(2, "Email Address", "not_an_email")]
        assert (done, Customer.objects.get().email) == ([("customers", 1, 0), ("consents", 1, 0)], "ben@example.com")

    def test_looking_ahead_writes_nothing_and_says_all_of_it(self, read):
        done, refused = read("mailchimp_subscribed", "subscribed_members_export.csv", dry_run=True)
        assert (done, refused) == ([("customers", 2, 0), ("consents", 1, 0)], [])
        assert not Customer.objects.exists()
        assert not Consent.objects.exists()


def test_a_later_consent_of_ours_outlives_an_old_export(read, now):
    read("mailchimp_unsubscribed", "unsubscribed_members_export.csv")
    anna = Customer.objects.get()
    give_consent(customer_id=anna.pk, channel="email", purpose="marketing", source="popup", now=now, by=BY)
    read("mailchimp_unsubscribed", "unsubscribed_members_export.csv")
    assert ConsentState.objects.get().is_given is True


@pytest.mark.parametrize(
    ("lines", "options"),
    [
        ([Line(1, 1000, 1000)], {"shipping": 0, "total": 1000}),
        ([Line(3, 999, 999), Line(7, 700, 650)], {"shipping": 490, "total": 2500}),
        ([Line(2, 3000, 3000), Line(1, 2000, 2000)], {"shipping": 490, "total": 4990, "subtotal": 4500}),
        ([Line(3, 1000, 1000)], {"shipping": 100, "total": 400}),
        ([Line(1, 0, 0), Line(2, 0, 0)], {"shipping": 0, "total": 55}),
    ],
)
def test_settled_orders_add_up(lines, options):
    settled = settle(lines, **options)
    paid = sum(unit * line.quantity - off for line, (unit, off) in zip(lines, settled.lines, strict=True))
    assert paid - settled.discount + options["shipping"] == options["total"]
    assert all(
        unit >= 0 and 0 <= off <= unit * line.quantity for line, (unit, off) in zip(lines, settled.lines, strict=True)
    )

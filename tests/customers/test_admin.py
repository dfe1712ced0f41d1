"""The console's pages for customers and facts, through the client."""

import csv
import datetime as dt
import io

import pytest
from django.urls import reverse

from retention.customers.models import (
    AttributeDefinition,
    Customer,
    CustomerStage,
    Order,
    Product,
    Rfm,
    Stage,
    StageChange,
)

NOW = dt.datetime(2026, 5, 12, 10, tzinfo=dt.UTC)


def test_a_profile_is_edited_by_what_changed_alone(lead, bring, sizes):
    bring("customers", {"reference": "a", "email": "a@example.com", "city": "Bonn", "attributes": {"size": "S"}})
    url = reverse("admin:customers_customer_change", args=[Customer.objects.get().pk])
    page = lead.get(url)
    assert page.status_code == 200
    form = page.context["adminform"].form
    sent = {name: "" if value is None else value for name, value in form.initial.items() if name in form.fields}
    sent = {**dict.fromkeys(form.fields, ""), **sent, "interests": "jazz,vinyl", "given_name": "Ann"}
    sent |= {"birthday": "05-17", "attribute_size": "M", "attribute_vegan": "yes"}
    answer = lead.post(url, _with_tabs(page, sent))
    assert answer.status_code == 302, answer.context["errors"]
    customer = Customer.objects.get()
    assert (customer.given_name, customer.city, customer.birth_month, customer.interests) == (
        "Ann", "Bonn", 5, ["jazz", "vinyl"],
    )  # fmt: skip
    assert customer.attributes == {"size": {"value": "M", "how": "asked"}, "vegan": {"value": True, "how": "asked"}}


def test_who_may_only_look_reads_all_that_is_known(log_in, bring, sizes):
    bring("customers", {"reference": "a", "birthday": "1990-05-17", "attributes": {"size": "S", "vegan": True}})
    her = Customer.objects.get()
    inferred = {"value": "M", "how": "inferred", "until": "2027-04-01"}
    Customer.objects.update(attributes={**her.attributes, "size": inferred})
    active, loyal = (
        Stage.objects.create(key=key, name={"en": key.title()}, position=at)
        for at, key in enumerate(("active", "loyal"))
    )
    CustomerStage.objects.create(customer=her, stage=loyal, since=NOW)
    StageChange.objects.create(customer=her, before=active, after=loyal, at=NOW)
    scores = {"recency": 5, "frequency": 4, "monetary": 5, "group": "champions", "previous_group": "loyal"}
    Rfm.objects.create(customer=her, **scores, computed_at=NOW)
    page = log_in("support agent").get(reverse("admin:customers_customer_change", args=[her.pk])).content.decode()
    for told in (
        "1990-05-17",
        "Loyal, since 12 May 2026; before that Active",
        "Champions (5-4-5), since 12 May 2026; before that Loyal",
        "Size: <strong>M</strong> <small>Inferred from what she buys or does; holds until 2027-04-01.</small>",
        "Vegan: <strong>Yes</strong>",
    ):  # fmt: skip
        assert told in page
    assert 'name="attribute_size"' not in page


def test_a_refusal_comes_back_at_its_field(lead, bring):
    bring("customers", {"reference": "a", "email": "a@example.com"}, {"reference": "b", "email": "b@example.com"})
    url = reverse("admin:customers_customer_change", args=[Customer.objects.get(reference="b").pk])
    page = lead.get(url)
    form = page.context["adminform"].form
    sent = {name: form.initial.get(name) or "" for name in form.fields} | {"email": "a@example.com", "interests": ""}
    answer = lead.post(url, _with_tabs(page, sent))
    assert answer.status_code == 200
    assert "email" in answer.context["adminform"].form.errors
    assert Customer.objects.get(reference="b").email == "b@example.com"


def _with_tabs(page, sent):
    for formset in page.context["inline_admin_formsets"]:
        prefix = formset.formset.prefix
        sent |= {f"{prefix}-TOTAL_FORMS": "0", f"{prefix}-INITIAL_FORMS": "0"}
    return sent


@pytest.mark.parametrize("term", ["ann@ex", "ANN@EX", "ref-1", "smi", "Ann Smith", "smith ann", "0151 12345678", "O1"])
def test_a_customer_is_found_by_the_beginning_of_anything(lead, bring, catalogue, order, term):
    ann = {"reference": "ref-1", "email": "Ann@example.com", "given_name": "Ann", "family_name": "Smith"}
    bring("customers", {**ann, "phone": "+4915112345678"}, {"reference": "other", "given_name": "Bo"})
    bring("orders", order(customer="ref-1"))
    page = lead.get(reverse("admin:customers_customer_changelist"), {"q": term})
    assert [customer.reference for customer in page.context["cl"].result_list] == ["ref-1"]


def test_a_tombstone_is_on_no_list(lead, bring):
    bring("customers", {"reference": "a"}, {"reference": "b"})
    a, b = Customer.objects.order_by("reference")
    Customer.objects.filter(pk=b.pk).update(merged_into=a)
    page = lead.get(reverse("admin:customers_customer_changelist"))
    assert [customer.pk for customer in page.context["cl"].result_list] == [a.pk]


@pytest.mark.parametrize("model", ["customer", "product", "order", "activity", "consent", "activitykind", "attributedefinition"])  # fmt: skip  # noqa: E501
def test_every_list_opens(lead, model):
    assert lead.get(reverse(f"admin:customers_{model}_changelist")).status_code == 200


class TestFiles:
    def test_what_goes_out_can_come_back(self, lead, bring, upload):
        row = {
            "reference": "a",
            "given_name": "=1+1",
            "birthday": "1990-05-17",
            "interests": ["x", "y"],
            "city": "Köln",
        }
        bring("customers", {**row, "email": "a@example.com", "signed_up_at": "2026-01-31T10:00:00Z"})
        answer = lead.post("/admin/customers/customer/export/", {"format": "0"})
        assert answer.status_code == 200
        text = answer.content.decode()
        (exported,) = csv.DictReader(io.StringIO(text))
        # A formula is defused on its way out, and is itself again when it comes back.
        assert (exported["given_name"], exported["birthday"], exported["interests"]) == ("'=1+1", "1990-05-17", "x, y")
        (table,) = upload("customers", text).context["tables"]
        assert (table.counts, table.refused_rows) == ((0, 0, 1), 0)

    def test_orders_with_their_lines_go_out_and_come_back(self, lead, bring, catalogue, order, upload):
        bring("orders", order())
        text = lead.post("/admin/customers/order/export/", {"format": "0"}).content.decode()
        rows = list(csv.DictReader(io.StringIO(text)))
        assert [(row["reference"], row["sku"], row["unit_price"]) for row in rows] == [
            ("O1", "LP", "12.00"), ("O1", "CD", "5.00"),
        ]  # fmt: skip
        (table,) = upload("orders", text).context["tables"]
        assert (table.counts, table.refused_rows) == ((0, 0, 1), 0)
        assert Order.objects.count() == 1

    @pytest.mark.parametrize("model", ["customer", "product", "order"])
    def test_staff_with_no_rights_get_nothing(self, log_in, bring, model):
        bring("customers", {"reference": "a", "email": "secret@example.com"})
        client = log_in("")
        for send in (client.get, client.post):
            answer = send(f"/admin/customers/{model}/export/", {"format": "0"})
            assert answer.status_code == 403
            assert b"secret@" not in answer.content

    def test_seeing_is_neither_exporting_nor_importing(self, log_in):
        client = log_in("support agent")
        page = client.get(reverse("admin:customers_customer_changelist"))
        assert page.status_code == 200
        assert reverse("admin:work_import_upload") not in page.content.decode()
        assert client.post("/admin/customers/customer/export/", {"format": "0"}).status_code == 403
        assert client.get(reverse("admin:work_import_upload")).status_code == 403


def test_a_product_is_made_and_its_price_changed(lead, shop):
    url = reverse("admin:customers_product_add")
    page = lead.get(url)
    form = page.context["adminform"].form
    sent = dict.fromkeys(form.fields, "") | {
        "sku": "LP",
        "name": "Record",
        "currency": "EUR",
        "price": "12",
    }
    answer = lead.post(url, _with_tabs(page, sent | {"price": "12.505"}))
    assert "more digits" in str(answer.context["adminform"].form.errors["price"])
    answer = lead.post(url, _with_tabs(page, sent | {"unit_cost": "4.99"}))
    assert answer.status_code == 302, answer.context["errors"]
    product = Product.objects.get()
    assert [product.price_minor, product.minimum_price_minor, product.unit_cost_minor] == [1200, 0, 499]
    url = reverse("admin:customers_product_change", args=[product.pk])
    page = lead.get(url)
    form = page.context["adminform"].form
    assert str(form["price"].value()) == "12.00"
    sent = {name: form[name].value() or "" for name in form.fields} | {"tags": "", "is_low_margin": ""}
    answer = lead.post(url, _with_tabs(page, sent | {"price": "11", "minimum_price": "11.50"}))
    assert "minimum_price" in answer.context["adminform"].form.errors
    lead.post(url, _with_tabs(page, sent | {"price": "11"}))
    product.refresh_from_db()
    assert [product.price_minor, product.unit_cost_minor] == [1100, 499]
    shown = lead.get(url).content.decode()
    assert "€11.00" in shown
    assert "€12.00" in shown, "the former price, in the history"


def test_a_choice_needs_choices(lead, shop):
    sent = {"key": "size", "label": "Size", "kind": "choice", "choices": ""}
    answer = lead.post(reverse("admin:customers_attributedefinition_add"), sent)
    assert "choices" in answer.context["adminform"].form.errors
    lead.post(reverse("admin:customers_attributedefinition_add"), {**sent, "choices": "S,M"})
    assert AttributeDefinition.objects.get().choices == ["S", "M"]

"""The console's pages for customers and facts, through the client."""

import csv
import io

import pytest
from django.contrib.auth.models import Group
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from retention.customers.models import AttributeDefinition, Customer, Order, Product
from retention.doors.imports import figures
from retention.doors.seeds import seed as seed_roles
from retention.shop.models import Staff
from retention.work.models import Import


@pytest.fixture
def log_in(shop, client, now):
    """A function that logs somebody of a role in."""
    seed_roles(now=now)

    def as_role(role):
        person = Staff.objects.create_user(role.replace(" ", "-") or "nobody", is_staff=True)
        if role:
            person.groups.add(Group.objects.get(name=role))
        client.force_login(person)
        return client

    return as_role


@pytest.fixture
def lead(log_in):
    return log_in("marketing lead")


def _upload(client, url, text, **data):
    file = SimpleUploadedFile("rows.csv", text.encode(), content_type="text/csv")
    return client.post(url, {"import_file": file, "format": "0", **data}, follow=True)


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
    url = "/admin/customers/customer/import/"

    def test_the_preview_is_what_happens_and_confirming_does_it(self, lead, bring):
        bring("customers", {"reference": "a", "city": "Bonn"}, {"reference": "b"})
        page = _upload(lead, self.url, "reference,city\na,Köln\nb,\nc,Kiel\n")
        result = page.context["result"]
        assert (result.totals["new"], result.totals["update"], result.totals["skip"]) == (1, 1, 1)
        assert "<del>Bonn</del> <ins>Köln</ins>" in page.content.decode()
        assert Customer.objects.count() == 2
        confirm = page.context["confirm_form"].initial
        done = lead.post(reverse("admin:customers_customer_process_import"), confirm, follow=True)
        assert "1 new, 1 changed, 1 as they were." in done.content.decode()
        assert dict(Customer.objects.values_list("reference", "city")) == {"a": "Köln", "b": "", "c": "Kiel"}

    def test_errors_are_told_by_row_and_column_and_nothing_can_be_confirmed(self, lead):
        page = _upload(lead, self.url, "reference,country\na,DE\nb,XX\n")
        (row,) = page.context["result"].invalid_rows
        assert (row.number, list(row.field_specific_errors)) == (3, ["country"])
        headers = page.context["result"].diff_headers
        assert dict(zip(headers, row.values, strict=True)) == {"reference": "b", "country": "XX"}, "as in the file"
        assert "confirm_form" not in page.context
        assert not Customer.objects.exists()

    def test_an_unknown_column_is_told(self, lead):
        page = _upload(lead, self.url, "reference,shoe\na,1\n")
        assert list(page.context["result"].invalid_rows[0].field_specific_errors) == ["shoe"]

    def test_a_large_file_goes_to_a_worker(self, lead):
        text = "reference\n" + "".join(f"c{number}\n" for number in range(5_001))
        page = _upload(lead, self.url, text)
        row = Import.objects.get()
        assert page.redirect_chain == [(reverse("admin:work_import_change", args=[row.pk]), 302)]
        assert (row.kind, row.state, row.bytes_total) == ("customers", "waiting", len(text))
        assert b'hx-trigger="every 1s"' in page.content
        assert not Customer.objects.exists()

    def test_what_goes_out_can_come_back(self, lead, bring):
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
        result = _upload(lead, self.url, text).context["result"]
        assert (result.totals["skip"], result.totals["update"]) == (1, 0)

    def test_orders_with_their_lines_go_out_and_come_back(self, lead, bring, catalogue, order):
        bring("orders", order())
        text = lead.post("/admin/customers/order/export/", {"format": "0"}).content.decode()
        rows = list(csv.DictReader(io.StringIO(text)))
        assert [(row["reference"], row["sku"], row["unit_price"]) for row in rows] == [
            ("O1", "LP", "12.00"), ("O1", "CD", "5.00"),
        ]  # fmt: skip
        page = _upload(lead, "/admin/customers/order/import/", text)
        assert (page.context["result"].totals["skip"], page.context["result"].invalid_rows) == (1, [])
        assert Order.objects.count() == 1

    def test_a_bad_file_is_told_at_its_field(self, lead):
        page = _upload(lead, self.url, "reference,reference\na,b\n")
        assert page.context["form"].errors["import_file"] == [
            "The file cannot be read: column reference is there twice."
        ]

    @pytest.mark.parametrize("model", ["customer", "product", "order"])
    @pytest.mark.parametrize("way", ["import", "export"])
    def test_staff_with_no_rights_get_neither(self, log_in, bring, model, way):
        bring("customers", {"reference": "a", "email": "secret@example.com"})
        client = log_in("")
        for send in (client.get, client.post):
            answer = send(f"/admin/customers/{model}/{way}/", {"format": "0"})
            assert answer.status_code == 403
            assert b"secret@" not in answer.content

    def test_seeing_is_not_exporting(self, log_in):
        client = log_in("support agent")
        assert client.get(reverse("admin:customers_customer_changelist")).status_code == 200
        assert client.post("/admin/customers/customer/export/", {"format": "0"}).status_code == 403


class TestPreviews:
    """What each kind's preview says: (what the row is, {column: (before, after)})."""

    ORDERS = "reference,email,state,currency,placed_at,sku,quantity,unit_price\n"

    @pytest.fixture
    def preview(self, lead):
        def look(model, resource, text):
            page = _upload(lead, f"/admin/customers/{model}/import/", text, resource=str(resource))
            result = page.context["result"]
            assert not result.invalid_rows, [row.error for row in result.invalid_rows]
            assert figures(result) in page.content.decode()
            cells = [
                (row.import_type, {n: c for n, c in zip(result.diff_headers, row.diff, strict=True) if c})
                for row in result.rows
            ]
            return (result.totals["new"], result.totals["update"], result.totals["skip"]), cells

        return look

    def test_orders_with_their_lines(self, preview, bring, catalogue, order):
        bring("orders", order(), order("O2"))
        text = (
            "O1,guest@example.com,fulfilled,EUR,2026-05-01T10:00:00Z,CD,3,5.00\n"
            "O2,guest@example.com,paid,EUR,2026-05-01T10:00:00Z,LP,1,12.00\nO2,,,,,CD,1,5.00\n"
            "O3,new@example.com,paid,EUR,2026-05-02,LP,2,12.00\n"
        )
        counts, ((is_changed, changed), (is_new, new)) = preview("order", 0, self.ORDERS + text)
        assert (counts, is_changed, is_new) == ((1, 1, 1), "update", "new")
        assert (changed["Line"], changed["Row"]) == ("2", "O1")
        assert changed["state"] == "<del>paid</del> <ins>fulfilled</ins>"
        assert changed["lines"] == "<del>1 × LP 12.00, 1 × CD 5.00</del> <ins>3 × CD 5.00</ins>"
        assert changed["total_minor"] == "<del>2000</del> <ins>1800</ins>"
        assert "customer" not in changed
        assert (new["customer"], new["lines"]) == ("<ins>new@example.com</ins>", "<ins>2 × LP 12.00</ins>")
        assert Order.objects.count() == 2

    def test_consents(self, preview, bring):
        bring("customers", {"reference": "a", "email": "a@example.com"})
        said = {"customer": "a", "channel": "email", "event": "given", "source": "x", "occurred_at": "2026-05-01"}
        bring("consents", {**said, "reference": "1"})
        text = "reference,customer,channel,event,source,occurred_at\n"
        text += "1,a,email,given,x,2026-05-01\n2,a,email,withdrawn,x,2026-05-02\n"
        counts, ((is_there, old), (is_new, new)) = preview("customer", 1, text)
        assert (counts, is_there, is_new) == ((1, 0, 1), "skip", "new")
        assert (old["event"], new["event"]) == ("given", "<ins>withdrawn</ins>")

    def test_activities(self, preview, bring):
        bring("activities", {"reference": "1", "visitor_key": "v", "kind": "shared", "occurred_at": "2026-05-01"})
        text = "reference,visitor_key,kind,occurred_at\n1,v,shared,2026-05-01\n,w,shared,2026-05-02\n"
        counts, ((is_there, old), (is_new, new)) = preview("customer", 2, text)
        assert (counts, is_there, is_new) == ((1, 0, 1), "skip", "new")
        assert (old["visitor_key"], new["visitor_key"]) == ("v", "<ins>w</ins>")

    def test_returns(self, preview, bring, catalogue, order):
        bring("orders", order())
        bring("returns", {"reference": "R1", "order_reference": "O1", "amount": "1", "occurred_at": "2026-05-05"})
        text = "reference,order_reference,amount,occurred_at,sku,quantity\n"
        text += "R1,O1,1,2026-05-05,,\nR2,O1,12,2026-05-06,LP,1\n"
        counts, ((is_there, old), (is_new, new)) = preview("order", 1, text)
        assert (counts, is_there, is_new) == ((1, 0, 1), "skip", "new")
        assert (old["amount"], new["sku"], new["amount"]) == ("1", "<ins>LP</ins>", "<ins>12</ins>")

    def test_stock(self, preview, bring, catalogue):
        bring("stock", {"sku": "LP", "place": "Mitte", "quantity": 3}, {"sku": "CD", "place": "Mitte", "quantity": 1})
        counts, cells = preview("product", 1, "sku,place,quantity\nLP,Mitte,2\nCD,Mitte,1\nCD,Nord,4\n")
        assert counts == (1, 1, 1)
        assert cells == [
            ("update", {"Line": "2", "Row": "LP", "quantity": "<del>3</del> <ins>2</ins>"}),
            ("new", {"Line": "4", "Row": "CD", "place": "<ins>Nord</ins>", "quantity": "<ins>4</ins>"}),
        ]


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

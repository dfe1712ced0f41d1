"""The bases of forms: one operation call, refusals on the same page, nothing half saved, versions carried."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from retention.audit.models import AuditEntry, Version
from retention.audit.querysets import versions_of
from retention.shop.models import ExchangeRate, Shop, Staff

pytestmark = pytest.mark.django_db
SHOP = "/admin/shop/shop/1/change/"
FIELDS = {
    "name": "Shop",
    "time_zone": "Europe/Berlin",
    "languages": "en,ko",
    "brand_color": "#1f2937",
    "website_url": "",
    "country": "",
    "sender_name": "",
    "sender_email": "",
    "postal_address": "",
    "logo_url": "",
    "edited": "1",
    "why": "",
}


@pytest.fixture
def admin(as_role):
    return as_role("administrator")


def errors(response):
    form = response.context["adminform"].form
    return [*form.non_field_errors(), *(f"{field}: {error}" for field, found in form.errors.items() for error in found)]


def test_saving_makes_one_operation_call_a_version_and_an_audit_row(admin, shop):
    response = admin.post(SHOP, {**FIELDS, "name": "New name", "why": "It moved"})
    assert response.status_code == 302
    version = versions_of(shop).first()
    assert (version.number, version.data["name"], version.why, version.by) == (2, "New name", "It moved", admin.user)
    entry = AuditEntry.objects.filter(verb="doors.save_shop").first()
    assert (entry.by, entry.subject, entry.subject_id) == (admin.user, "shop.shop", 1)


def test_the_form_carries_the_version_that_was_shown(admin, shop):
    page = admin.get(SHOP)
    assert page.context["adminform"].form["edited"].value() == 1
    assert b'name="edited"' in page.content


def test_who_edits_an_old_version_is_told_and_keeps_what_she_typed(admin, shop):
    admin.post(SHOP, {**FIELDS, "name": "First"})
    response = admin.post(SHOP, {**FIELDS, "name": "Second"})
    assert response.status_code == 200
    assert any("version 2 while you were editing version 1" in error for error in errors(response))
    assert b'value="Second"' in response.content
    assert Shop.objects.get().name == "First"
    assert versions_of(shop).count() == 2


def test_an_operations_field_error_lands_at_its_field(admin, shop):
    response = admin.post("/admin/shop/exchangerate/add/", {"currency": "EUR", "on": "2026-05-01", "rate": "2"})
    assert response.status_code == 200
    assert response.context["adminform"].form.errors["currency"] == ["The base currency is always worth one."]
    assert not ExchangeRate.objects.exists()
    assert not AuditEntry.objects.filter(verb="doors.set_rate").exists()


def test_a_row_is_added_by_its_operation_and_the_page_goes_on_to_it(admin, shop):
    data = {"currency": "USD", "on": "2026-05-01", "rate": "0.9", "_continue": "1"}
    response = admin.post("/admin/shop/exchangerate/add/", data)
    rate = ExchangeRate.objects.get()
    assert response["Location"] == f"/admin/shop/exchangerate/{rate.pk}/change/"


def test_read_only_fields_cannot_be_forged(admin, shop):
    admin.post(SHOP, {**FIELDS, "currency": "USD", "id": "7"})
    assert Shop.objects.values_list("id", "currency").get() == (1, "EUR")


def test_nothing_is_deleted_and_no_second_log_is_kept(admin, shop):
    assert admin.post("/admin/shop/shop/1/delete/", {"post": "yes"}).status_code == 403
    action = {"action": "delete_selected", "_selected_action": [str(admin.user.pk)], "post": "yes"}
    admin.post("/admin/shop/staff/", action)
    assert Staff.objects.filter(pk=admin.user.pk).exists()
    admin.post(SHOP, {**FIELDS, "name": "New name"})
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM django_admin_log")
        assert cursor.fetchone() == (0,)


def test_who_may_only_look_gets_no_form(as_role, shop):
    marketer = as_role("marketer")
    page = marketer.get(SHOP)
    assert page.status_code == 200
    assert b'name="edited"' not in page.content
    assert b'name="_save"' not in page.content
    assert marketer.post(SHOP, {**FIELDS, "name": "Mine"}).status_code == 403
    assert Shop.objects.get().name == "Shop"


class TestHistory:
    URL = "/admin/shop/shop/1/history/"

    @pytest.fixture
    def edited(self, admin, shop):
        admin.post(SHOP, {**FIELDS, "name": "Second", "postal_address": "Line 1\nLine 2", "why": "Two"})
        admin.post(SHOP, {**FIELDS, "name": "Third", "postal_address": "Line 1\nLine 3", "edited": "2"})
        return admin

    def test_it_lists_versions_with_who_and_why_and_shows_the_last_difference(self, edited):
        page = edited.get(self.URL)
        assert [version.number for version in page.context["versions"]] == [3, 2, 1]
        assert b"Two" in page.content
        changes = {change["label"]: change for change in page.context["changes"]}
        assert set(changes) == {"Name", "Postal address"}
        assert (changes["Name"]["before"], changes["Name"]["after"]) == ("Second", "Third")
        assert changes["Postal address"]["lines"] == ((" ", "Line 1"), ("-", "Line 2"), ("+", "Line 3"))

    def test_any_two_can_be_compared(self, edited):
        page = edited.get(self.URL, {"older": 1, "newer": 3})
        assert {c["label"]: (c["before"], c["after"]) for c in page.context["changes"]}["Name"] == ("Shop", "Third")

    def test_going_back_saves_the_old_content_as_the_newest_version(self, edited, shop):
        url = f"{self.URL}1/restore/"
        page = edited.get(url)
        assert page.context["form"]["edited"].value() == 3
        assert edited.get(url).status_code == 200
        assert versions_of(shop).count() == 3
        assert edited.post(url, {"edited": 3, "why": "Back"}).status_code == 302
        newest = versions_of(shop).first()
        assert (newest.number, newest.data["name"], newest.why) == (4, "Shop", "Back")
        assert Shop.objects.get().name == "Shop"

    def test_going_back_from_an_old_page_is_refused_on_the_page(self, edited, shop):
        response = edited.post(f"{self.URL}1/restore/", {"edited": 2, "why": ""})
        assert response.status_code == 200
        assert "while you were editing version 2" in str(response.context["form"].non_field_errors())
        assert Shop.objects.get().name == "Third"

    def test_only_who_may_change_goes_back(self, edited, as_role, shop):
        marketer = as_role("marketer")
        assert marketer.get(self.URL).status_code == 200
        assert marketer.get(f"{self.URL}1/restore/").status_code == 403
        assert marketer.post(f"{self.URL}1/restore/", {"edited": 3}).status_code == 403
        assert as_role("support agent").get(self.URL).status_code == 403
        assert Version.objects.count() == 3

    def test_versions_that_are_not_there(self, edited):
        assert edited.get(f"{self.URL}9/restore/").status_code == 404
        assert edited.get(f"{self.URL}3/restore/").status_code == 404
        assert edited.get("/admin/shop/shop/2/history/").status_code == 404


def test_the_history_asks_a_bounded_number_of_questions(admin, shop):
    for number in range(1, 4):
        admin.post(SHOP, {**FIELDS, "name": f"Name {number}", "edited": str(number)})
    with CaptureQueriesContext(connection) as few:
        admin.get("/admin/shop/shop/1/history/")
    for number in range(4, 14):
        admin.post(SHOP, {**FIELDS, "name": f"Name {number}", "edited": str(number)})
    with CaptureQueriesContext(connection) as many:
        admin.get("/admin/shop/shop/1/history/")
    assert len(many) == len(few)

"""Messages in the console: the editor saves whole or says where the mistake is; deliveries are read as customers do."""

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission

from retention.audit.models import AuditEntry, Version
from retention.customers.addresses import address_hash
from retention.messaging.models import Delivery, Suppression, Template
from retention.messaging.operations import Message, ensure_ready_templates, queue, send_due

pytestmark = pytest.mark.django_db


def staff(*rights):
    user = get_user_model().objects.create_user("mia", "mia@example.com", "x", is_staff=True, first_name="Mia")
    for right in rights:
        app, codename = right.split(".")
        user.user_permissions.add(Permission.objects.get(content_type__app_label=app, codename=codename))
    return user


@pytest.fixture
def marketer(client, shop):
    user = staff(
        "messaging.view_template",
        "messaging.add_template",
        "messaging.change_template",
        "messaging.send_test_template",
        "messaging.view_delivery",
        "messaging.view_suppression",
        "messaging.add_suppression",
    )
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


CONFIRMED = {"_form_submitted": "on"}
TYPED = {
    "name": "Spring",
    "channel": "email",
    "category": "marketing",
    "topic": "",
    "why": "First try",
    "edited": "",
    "words-en-subject": "Spring, {{ customer.first_name }}",
    "words-en-preheader": "",
    "words-en-body": "<mj-text>\r\nHello</mj-text>",
    "words-en-text": "",
    "words-ko-subject": "",
    "words-ko-body": "",
}


def test_the_editor_makes_a_template(marketer):
    answer = marketer.post("/admin/messaging/template/add/", TYPED)
    assert answer.status_code == 302
    version = Template.objects.get().version
    assert version.data["words"] == {
        "en": {
            "subject": "Spring, {{ customer.first_name }}",
            "preheader": "",
            "body": "<mj-text>\nHello</mj-text>",
            "text": "",
        }
    }
    assert (version.number, version.why, version.by.username) == (1, "First try", "mia")


def test_a_mistake_comes_back_with_its_place_and_nothing_typed_is_lost(marketer):
    typed = TYPED | {"words-en-body": "<mj-text>\r\n{{ customer.nick }}</mj-text>", "words-ko-subject": "안녕"}
    answer = marketer.post("/admin/messaging/template/add/", typed)
    page = answer.content.decode()
    assert answer.status_code == 200
    assert "English · body, line 2, column 4: There is no placeholder “customer.nick”." in page
    assert "한국어 · body, line 1, column 1: This may not be empty." in page
    assert "{{ customer.nick }}" in page
    assert "안녕" in page
    assert not Template.objects.exists()


def test_two_editors_at_once_the_second_is_told(marketer, template):
    made = template()
    url = f"/admin/messaging/template/{made.pk}/change/"
    assert marketer.post(url, TYPED | {"edited": "1"}).status_code == 302
    answer = marketer.post(url, TYPED | {"edited": "1", "name": "Late"})
    assert "Someone saved version 2 while you were editing version 1" in answer.content.decode()
    assert Template.objects.get().name == "Spring"


def test_an_older_version_is_restored_as_the_newest(marketer, template):
    made = template()
    marketer.post(f"/admin/messaging/template/{made.pk}/change/", TYPED | {"edited": "1"})
    marketer.post(f"/admin/messaging/template/{made.pk}/history/1/restore/", {"edited": "2", "why": "Better"})
    restored = Template.objects.get()
    assert (restored.name, restored.version.number) == ("Hello", 3)
    assert restored.version.data["words"] == Version.objects.get(number=1).data["words"]


def test_the_preview_shows_what_is_typed_to_a_real_customer_safely(marketer, customer):
    customer("anna", given_name="<b>Anna</b>", family_name="")
    typed = TYPED | {
        "words-en-body": "<mj-text>Dear {{ customer.first_name }}</mj-text>",
        "preview_customer": "anna@example.com",
        "preview_language": "en",
    }
    answer = marketer.post("/admin/messaging/template/preview/", typed)
    page = answer.content.decode()
    assert "Dear &lt;b&gt;Anna&lt;/b&gt;" in page
    assert "Spring, &lt;b&gt;Anna&lt;/b&gt;" in page
    assert "sandbox" in answer["Content-Security-Policy"]
    assert "script-src" not in answer["Content-Security-Policy"]
    assert answer["X-Frame-Options"] == "SAMEORIGIN"
    text = marketer.post("/admin/messaging/template/preview/", typed | {"preview_part": "text"}).content.decode()
    assert "Dear &lt;b&gt;Anna&lt;/b&gt;" in text
    assert "<pre" in text
    nobody = marketer.post("/admin/messaging/template/preview/", typed | {"preview_customer": "nobody@example.com"})
    assert "There is no such customer; these are samples." in nobody.content.decode()
    assert not Template.objects.exists()


def test_whoever_may_only_look_sees_the_mail_in_each_language(client, shop, template):
    made = template()
    analyst = client
    analyst.force_login(staff("messaging.view_template"), backend="django.contrib.auth.backends.ModelBackend")
    page = analyst.get(f"/admin/messaging/template/{made.pk}/change/").content.decode()
    for language in made.version.data["words"]:
        address = f"/admin/messaging/template/{made.pk}/message/?language={language}"
        assert f'src="{address}"' in page
        answer = analyst.get(address)
        assert "sandbox" in answer["Content-Security-Policy"]
        assert "Anna" in answer.content.decode()
    assert analyst.get("/admin/messaging/template/0/message/").status_code == 404


def test_the_preview_names_mistakes(marketer):
    page = marketer.post("/admin/messaging/template/preview/", TYPED | {"words-en-body": "<mj-foo/>"}).content.decode()
    assert "line 1, column 1" in page
    assert "There is no block “&lt;mj-foo&gt;”." in page


def test_a_test_goes_to_oneself_marked_and_gives_nothing(marketer, template, customer, smtp):
    made = template()
    customer("anna", language="ko")
    url = f"/admin/messaging/template/{made.pk}/send-test/"
    answer = marketer.post(url, CONFIRMED | {"customer": "anna@example.com"})
    assert "HX-Redirect" in answer.headers
    (mail,) = smtp.messages
    assert mail.recipients == ("mia@example.com",)
    assert mail.message["Subject"] == "[Test] 안녕하세요 Anna님"
    assert mail.message["X-Retention-Test"] == "yes"
    assert mail.message["List-Unsubscribe"] is None
    assert not Delivery.objects.exists()
    assert AuditEntry.objects.filter(verb="messaging.send_test").count() == 1


def test_a_test_needs_its_right(client, template):
    made = template()
    client.force_login(staff("messaging.view_template"), backend="django.contrib.auth.backends.ModelBackend")
    assert client.post(f"/admin/messaging/template/{made.pk}/send-test/", CONFIRMED).status_code == 403
    page = client.get(f"/admin/messaging/template/{made.pk}/change/").content.decode()
    assert "Dear {{ customer.first_name }}" in page
    assert "words-en-body" not in page


def test_ready_templates_come_by_a_button(marketer):
    marketer.post("/admin/messaging/template/add-ready/", CONFIRMED)
    assert Template.objects.filter(key="birthday").exists()


@pytest.mark.parametrize("url", ["/admin/messaging/template/", "/admin/messaging/delivery/"])
def test_lists_take_few_queries_however_many_rows(marketer, url, customer, now, by, django_assert_max_num_queries):
    made = ensure_ready_templates(now=now, by=by)
    people = [customer(f"c{n}") for n in range(20)]
    queue(template_id=made[0].pk, origin="test.row", messages=[Message(p.pk, p.pk) for p in people], now=now)
    with django_assert_max_num_queries(12):
        assert marketer.get(url).status_code == 200


def test_a_delivery_is_read_as_its_customer_reads_it(marketer, customer, template, now, smtp):
    anna, ben = customer("anna"), customer("ben", consent=False)
    queue(template_id=template().pk, origin="test.row", messages=[Message(1, anna.pk), Message(2, ben.pk)], now=now)
    send_due(now=now, worker="test")
    delivery = Delivery.objects.get(customer=anna)
    shown = marketer.get(f"/admin/messaging/delivery/{delivery.pk}/message/").content.decode()
    assert "Dear Anna" in shown
    assert "Hello Anna" in shown
    page = marketer.get("/admin/messaging/delivery/").content.decode()
    assert "There is no consent for marketing to this address." in page
    found = marketer.get("/admin/messaging/delivery/?q=ben@example.com").content.decode()
    assert "There is no consent" in found
    assert "Anna" not in found
    assert marketer.get("/admin/messaging/delivery/999999/message/").status_code == 404


def test_only_a_lead_decides_about_unknown_ones(marketer, customer, template, now):
    anna = customer("anna")
    queue(template_id=template().pk, origin="test.row", messages=[Message(1, anna.pk)], now=now)
    Delivery.objects.update(state="unknown", ended_at=now, reason="messaging.sender_lost")
    url = f"/admin/messaging/delivery/{Delivery.objects.get().pk}/send-again/"
    assert marketer.post(url, CONFIRMED).status_code == 403
    user = get_user_model().objects.get(username="mia")
    user.user_permissions.add(Permission.objects.get(codename="settle_delivery"))
    assert "HX-Redirect" in marketer.post(url, CONFIRMED).headers
    assert Delivery.objects.get().state == "queued"


def test_an_address_is_suppressed_and_found_again_by_the_whole_address_alone(marketer):
    marketer.post("/admin/messaging/suppression/add/", {"address": "Rude@Example.com "})
    row = Suppression.objects.get()
    assert (bytes(row.address_hash), row.why) == (address_hash("rude@example.com"), "by hand")
    assert (
        f"/suppression/{row.pk}/change/"
        in marketer.get("/admin/messaging/suppression/?q=rude@example.com").content.decode()
    )
    assert f"/suppression/{row.pk}/change/" not in marketer.get("/admin/messaging/suppression/?q=rude").content.decode()
    assert marketer.post(f"/admin/messaging/suppression/{row.pk}/lift/", CONFIRMED).status_code == 403

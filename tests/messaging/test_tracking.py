"""What is heard of messages: opens and clicks, of people and machines; what providers tell; the brake on bad rates."""

import base64
import datetime as dt
import hashlib
import hmac
import json
import re

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from django.db import DatabaseError, transaction
from django.db.models import Q

from retention.customers.addresses import address_hash
from retention.customers.models import Activity, ConsentState, CustomerStats
from retention.customers.seeds import seed as seed_customers
from retention.incentives.models import Code, Grant
from retention.messaging import tallies
from retention.messaging.links import counted, targets
from retention.messaging.machines import is_machine
from retention.messaging.models import Delivery, Event, Pause, Suppression
from retention.messaging.operations import (
    brake,
    lift_pause,
    pass_on,
    save_messaging_policy,
)
from retention.messaging.policy import SendingPolicy
from retention.work.models import Alert

pytestmark = pytest.mark.django_db

MINUTE = dt.timedelta(minutes=1)
PERSON = {"headers": {"user-agent": "Mozilla/5.0 (Macintosh; Intel Mac OS X 14_5) AppleWebKit/605.1.15 Safari"}}
LINKS = {
    "en": {
        "subject": "Hello",
        "body": '<mj-text>Hi <a href="https://tea.example.com/new?a=1&amp;b=2">new</a>'
        ' <a href="{{ unsubscribe_url }}">stop</a></mj-text>'
        '<mj-button href="{{ shop.website_url }}/sale">Sale</mj-button>',
    }
}


@pytest.fixture
def sent(say, send, customer, template, smtp, now, time_machine):
    """Anna's sent message, and the links of her mail."""

    def one(name="anna", **fields):
        anna = customer(name)
        say(anna, template_=template(words=LINKS), **fields)
        send()
        delivery = Delivery.objects.get(customer=anna)
        (mail,) = smtp.to(f"{name}@example.com")
        time_machine.move_to(now + MINUTE, tick=False)
        return delivery, mail.text("html")

    return one


def test_links_lead_past_us_and_on_to_where_they_led(sent, client, now):
    delivery, html = sent()
    links = re.findall(r'href="http://localhost:8000(/l/[^"]+)"', html)
    # The shell's own is number 0: her shop has no logo, so it is not in her mail.
    assert [link[-2:] for link in links] == ["/1", "/2"]
    assert "https://tea.example.com" not in html
    assert re.search(r'href="http://localhost:8000/u/', html)
    answer = client.get(links[0], **PERSON)
    assert (answer.status_code, answer["Location"]) == (302, "https://tea.example.com/new?a=1&b=2")
    assert answer["Referrer-Policy"] == "no-referrer"
    assert client.get(links[1], **PERSON)["Location"] == "https://tea.example.com/sale"
    assert client.get(links[0][:-1] + "7").status_code == 404
    assert client.get("/l/forged/0").status_code == 404
    # Two links within two seconds: the second was no person's.
    hits = list(delivery.events.order_by("pk").values_list("kind", "link", "is_machine"))
    assert hits == [("clicked", 1, False), ("clicked", 2, True)]
    assert tallies.of_version(delivery.version_id) == {"sent": 1, "clicked": 1, "clicked_by_machine": 1}


@pytest.mark.django_db(transaction=True)
def test_a_picture_for_everybody_and_opens_of_people_make_her_seen(sent, client, now):
    seed_customers(now=now)
    delivery, html = sent()
    CustomerStats.objects.create(customer=delivery.customer)
    (pixel,) = re.findall(r'src="http://localhost:8000(/o/[^"]+\.gif)"', html)
    assert client.get(pixel, headers={"user-agent": "Mozilla/5.0"})["Content-Type"] == "image/gif"
    assert client.get("/o/forged.gif").content == client.get(pixel, headers={"user-agent": "curl/8"}).content
    pass_on(now=now)
    assert CustomerStats.objects.get().last_opened_at is None
    for _again in range(3):
        client.get(pixel, **PERSON)
    assert list(Event.objects.order_by("pk").values_list("kind", "is_machine")) == [("opened", True), ("opened", False)]
    assert (pass_on(now=now + MINUTE), pass_on(now=now + MINUTE)) == (1, 0)
    assert CustomerStats.objects.get().last_opened_at == now + MINUTE
    assert Activity.objects.get().properties == {"is_human": True}
    assert tallies.of_version(delivery.version_id) == {"sent": 1, "opened": 1, "opened_by_machine": 1}


def test_too_fast_is_a_machine(sent, client, now, time_machine):
    delivery, html = sent()
    time_machine.move_to(delivery.left_at + dt.timedelta(seconds=2), tick=False)
    client.get(re.findall(r"/o/[^\"]+\.gif", html)[0], **PERSON)
    assert Event.objects.get().is_machine


@pytest.mark.parametrize(
    ("headers", "method", "machine"),
    [
        (PERSON["headers"] | {"User-Agent": PERSON["headers"]["user-agent"]}, "GET", False),
        ({"User-Agent": "Mozilla/5.0 (Windows NT 5.1) GoogleImageProxy via ggpht.com"}, "GET", False),
        ({"User-Agent": "Mozilla/5.0"}, "GET", True),
        ({}, "GET", True),
        ({"User-Agent": "Mozilla/5.0 (Windows NT 10.0) Outlook", "Sec-Purpose": "prefetch;prerender"}, "GET", True),
        ({"User-Agent": "Mozilla/5.0 (Windows NT 10.0) Outlook"}, "HEAD", True),
        ({"User-Agent": "YahooMailProxy; https://help.yahoo.com"}, "GET", True),
        ({"User-Agent": "Mozilla/5.0 (compatible; Googlebot/2.1)"}, "GET", True),
    ],
)
def test_who_is_a_machine(headers, method, machine):
    assert is_machine(method=method, headers=headers) is machine


def test_what_is_not_tracked(say, send, customer, template, smtp, now, by):
    say(customer("anna"), template_=template(words=LINKS, category="transactional"))
    send(transactional=True)
    save_messaging_policy(policy=SendingPolicy(tracks=False), edited=None, now=now, by=by)
    say(customer("ben"), template_=template(words=LINKS))
    send()
    for mail in smtp.messages:
        assert "/l/" not in mail.text("html")
        assert "/o/" not in mail.text("html")


def test_the_order_of_links_is_the_same_on_both_ways():
    html = "<body><a href='https://a'>x</a><a href=\"mailto:x\">m</a><a class='b' href=\"{{ shop.u }}\">y</a></body>"
    assert targets(html) == ("https://a", "{{ shop.u }}")
    assert re.findall(r"C\d", counted(html, "C", "P")) == ["C0", "C1"]
    assert counted(html, "C", "P").endswith(
        'src="P" width="1" height="1" alt="" style="display:block;border:0" /></body>'
    )


def test_events_are_kept_for_ever(sent, client):
    _delivery, html = sent()
    client.get(re.findall(r"/o/[^\"]+\.gif", html)[0], **PERSON)
    for change in (lambda: Event.objects.update(is_machine=True), lambda: Event.objects.all().delete()):
        with pytest.raises(DatabaseError), transaction.atomic():
            change()


# --- providers ---------------------------------------------------------------------------------------------------


def mailgun(event, reference, *, token="t1", key="key", **more):
    stamp = "1778580000"
    signature = hmac.new(key.encode(), f"{stamp}{token}".encode(), hashlib.sha256).hexdigest()
    body = {
        "signature": {"timestamp": stamp, "token": token, "signature": signature},
        "event-data": {
            "event": event,
            "id": token,
            "timestamp": 1778580000.0,
            "recipient": "anna@example.com",
            "user-variables": {"delivery": str(reference)},
            "message": {"headers": {"message-id": "x@mailgun"}},
            **more,
        },
    }
    return {"data": json.dumps(body), "content_type": "application/json"}


def test_a_late_hard_bounce_ends_the_message_and_voids_its_coupon(say, send, customer, coupons, smtp, client, settings):
    settings.MAIL_HOOKS = {"mailgun": "key"}
    anna, ben = customer("anna"), customer("ben")
    given = coupons(anna, ben)
    say(anna, ben, grants=given, group_id=7)
    send()
    delivery = Delivery.objects.get(customer=anna)
    said = mailgun("failed", delivery.public_id, severity="permanent", reason="bounce")
    assert [client.post("/hooks/mailgun/", **said).status_code for _twice in range(2)] == [200, 200]
    delivery.refresh_from_db()
    assert (delivery.state, delivery.reason) == ("bounced", "messaging.bounced")
    assert Event.objects.get().kind == "bounced"
    assert (Code.objects.get(grant_id=given[anna.pk]).state, Grant.objects.get(pk=given[anna.pk]).state) == (
        "void", "void"
    )  # fmt: skip
    assert Code.objects.get(grant_id=given[ben.pk]).state == "given"
    suppressed = Suppression.objects.get()
    assert (bytes(suppressed.address_hash), suppressed.why, suppressed.marketing_only) == (
        address_hash("anna@example.com"), "bounce", False
    )  # fmt: skip
    assert tallies.counts(Q(origin="test.row", group_id=7)) == {"sent": 2, "bounced": 1}


def test_a_bounce_for_now_is_only_counted(sent, client, settings):
    settings.MAIL_HOOKS = {"mailgun": "key", "brevo": "us:pw"}
    delivery, _html = sent()
    client.post("/hooks/mailgun/", **mailgun("failed", delivery.public_id, severity="temporary", reason="generic"))
    body = {"event": "soft_bounce", "email": "anna@example.com", "id": 5, "ts_event": 1778580000}
    body["message-id"] = f"<{delivery.public_id}@example.com>"
    auth = {"authorization": "Basic " + base64.b64encode(b"us:pw").decode()}
    said = {"data": json.dumps(body), "content_type": "application/json"}
    assert client.post("/hooks/brevo/", **said).status_code == 404
    assert client.post("/hooks/brevo/", headers=auth, **said).status_code == 200
    delivery.refresh_from_db()
    assert (delivery.state, Suppression.objects.count()) == ("sent", 0)
    # Brevo hands back the Message-ID, and that names the message.
    assert [(event.kind, event.delivery) for event in Event.objects.all()] == [("soft_bounced", delivery)]


def test_a_complaint_stops_marketing(sent, client, settings):
    settings.MAIL_HOOKS = {"postmark": "us:pw"}
    delivery, _html = sent()
    auth = {"authorization": "Basic " + base64.b64encode(b"us:pw").decode()}
    body = {
        "RecordType": "SpamComplaint",
        "Type": "SpamComplaint",
        "ID": 42,
        "Email": "anna@example.com",
        "BouncedAt": "2026-05-12T10:00:30Z",
        "Metadata": {"delivery": str(delivery.public_id)},
    }
    said = {"data": json.dumps(body), "content_type": "application/json"}
    assert client.post("/hooks/postmark/", headers=auth, **said).status_code == 200
    assert not ConsentState.objects.get(customer=delivery.customer).is_given
    assert Suppression.objects.get().marketing_only
    assert Delivery.objects.get(pk=delivery.pk).state == "sent"


def test_sendgrids_signature_is_checked(sent, client, settings):
    key = ec.generate_private_key(ec.SECP256R1())
    public = key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    settings.MAIL_HOOKS = {"sendgrid": base64.b64encode(public).decode()}
    delivery, _html = sent()
    body = json.dumps(
        [
            {
                "event": "open",
                "email": "anna@example.com",
                "timestamp": 1778580030,
                "sg_event_id": "e1",
                "sg_message_id": "m1",
                "useragent": PERSON["headers"]["user-agent"],
                "delivery": str(delivery.public_id),
            }
        ]
    )
    signature = base64.b64encode(key.sign(b"1778580030" + body.encode(), ec.ECDSA(hashes.SHA256()))).decode()
    headers = {
        "x-twilio-email-event-webhook-signature": signature,
        "x-twilio-email-event-webhook-timestamp": "1778580030",
    }
    said = {"content_type": "application/json", "headers": headers}
    assert client.post("/hooks/sendgrid/", data=body.replace("open", "click"), **said).status_code == 404
    assert client.post("/hooks/sendgrid/", data=body, **said).status_code == 200
    assert list(Event.objects.values_list("kind", "is_machine", "source")) == [("opened", False, "sendgrid:opened:e1")]


def test_strangers_learn_nothing(sent, client, settings):
    delivery, _html = sent()
    said = mailgun("failed", delivery.public_id, severity="permanent")
    assert client.post("/hooks/mailgun/", **said).status_code == 404
    assert client.post("/hooks/nobody/", **said).status_code == 404
    settings.MAIL_HOOKS = {"mailgun": "another"}
    assert client.post("/hooks/mailgun/", **said).status_code == 404
    assert client.post("/hooks/mailgun/", data="[]", content_type="application/json").status_code in (400, 404)
    assert not Event.objects.exists()


# --- the brake ---------------------------------------------------------------------------------------------------


def test_a_campaign_pauses_by_itself_until_somebody_looks(
    say, send, customer, template, smtp, client, settings, now, by
):
    settings.MAIL_HOOKS = {"mailgun": "key"}
    rates = {"bounced_per_mille": 100, "sample": 10}
    save_messaging_policy(policy=SendingPolicy.model_validate({"brake": rates}), edited=None, now=now, by=by)
    people = [customer(f"c{n}") for n in range(12)]
    made = template()
    say(*people[:11], template_=made, group_id=7)
    send()

    def bounce(n):
        reference = Delivery.objects.get(customer=people[n]).public_id
        client.post(
            "/hooks/mailgun/", **mailgun("failed", reference, token=f"t{n}", severity="permanent", reason="bounce")
        )

    bounce(0)
    assert brake(now=now) == 0
    bounce(1)
    # Two of eleven is over ten per cent, of the campaign and of the channel.
    assert (brake(now=now), brake(now=now)) == (2, 0)
    assert Alert.objects.filter(kind="messaging.brake", resolved_at=None).count() == 2
    say(people[11], template_=made, group_id=7)
    assert send()["held"] == 1
    assert Delivery.objects.get(customer=people[11]).reason == "messaging.paused"
    for pause in Pause.objects.all():
        lift_pause(pause_id=pause.pk, now=now, by=by)
    assert not Alert.objects.filter(resolved_at=None).exists()
    # What was counted before counts no more.
    assert brake(now=now) == 0
    assert send(at=now + 11 * MINUTE)["sent"] == 1


def test_tallies_are_the_same_however_often_they_are_folded(say, send, customer, template, now):
    made = template()
    say(customer("anna"), template_=made, group_id=7)
    send()
    say(customer("ben"), customer("cleo", consent=False), template_=made, group_id=7)
    send()
    counted_ = tallies.counts(Q(origin="test.row", group_id=7))
    assert counted_ == {"sent": 2, "unsent": 1}
    for _again in range(2):
        tallies.fold(now=now)
        assert tallies.counts(Q(origin="test.row", group_id=7)) == counted_
    assert tallies.Tally.objects.count() == 2

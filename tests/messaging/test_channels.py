"""Channels beside mail: text messages, the inbox, webhooks, push notices; each hands over exactly what it should."""

import base64
import datetime as dt
import hmac
import json
import uuid

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from standardwebhooks.webhooks import Webhook

from retention.actors import Actor
from retention.customers.models import ConsentState
from retention.doors.keys import create_key
from retention.messaging import outside, tokens
from retention.messaging.models import Delivery, Event, InboxMessage, PushSubscription, Suppression
from retention.messaging.operations import create_template, send_due
from retention.messaging.operations.stopping import settle_unknown
from retention.messaging.operations.templates import TemplateFaulty
from retention.messaging.texting import said, segments
from retention.work.models import Alert
from tests.messaging.sink import Sink

pytestmark = pytest.mark.django_db
MINUTE = dt.timedelta(minutes=1)
SECRET = "whsec_" + base64.b64encode(b"k" * 24).decode()


@pytest.fixture
def sink(settings):
    made = Sink()
    settings.SMS = {"account": "AC1", "token": "secret", "from": "+15005550006", "url": f"{made.url}/Messages.json"}
    settings.MESSAGE_WEBHOOK = {"url": f"{made.url}/chat", "secret": SECRET}
    settings.PRIVATE_ADDRESSES_ALLOWED = True
    yield made
    made.close()


@pytest.fixture
def texts(template):
    """A template of a channel: `texts("sms")`."""

    def make(channel, category="marketing", **words):
        said_ = {"text": "Hello {{ customer.first_name }}", **({} if channel == "sms" else {"subject": "Hi"}), **words}
        return template(words={"en": said_}, channel=channel, category=category, name=f"{channel} {category}")

    return make


def allow(customer, channel, address=""):
    ConsentState.objects.create(
        customer=customer, channel=channel, purpose="marketing", is_given=True, address=address,
        occurred_at=customer.recorded_at,
    )  # fmt: skip


@pytest.fixture
def anna(customer):
    made = customer("anna", phone="+491511234567")
    allow(made, "sms", "+491511234567")
    return made


def end(customer):
    delivery = Delivery.objects.get(customer=customer)
    return delivery.state, delivery.reason


# --- text messages -----------------------------------------------------------------------------------------------


def test_a_text_message_goes_to_whoever_agreed(say, send, customer, anna, sink, texts):
    ben = customer("ben", phone="+491519999999")
    allow(ben, "sms", "+4900000000")
    say(anna, ben, customer("cleo"), template_=texts("sms"))
    figures = send()
    assert (figures["sent"], figures["skipped"]) == (1, {"messaging.no_consent": 1, "messaging.no_address": 1})
    (call,) = sink.calls
    delivery = Delivery.objects.get(customer=anna)
    assert call.form == {
        "From": "+15005550006",
        "To": "+491511234567",
        "Body": "Hello Anna Reply STOP to end.\n",
        "StatusCallback": f"http://localhost:8000/hooks/sms/{tokens.delivery_token(delivery.public_id)}/",
    }
    assert call.headers["authorization"] == "Basic " + base64.b64encode(b"AC1:secret").decode()
    assert (delivery.state, delivery.provider_id) == ("sent", "SM1")


@pytest.mark.parametrize(
    ("answer", "state", "reason"),
    [
        ((400, {"code": 21211}), "failed", "messaging.address_refused"),
        ((400, {"code": 21610}), "failed", "messaging.said_stop"),
        ((400, {"code": 99}), "failed", "messaging.message_refused"),
        ((429, {}), "queued", "messaging.sender_refused"),
        ((401, {}), "queued", "messaging.sender_refused"),
        ((503, {}), "unknown", "messaging.answer_missing"),
        ((302, {}), "failed", "messaging.message_refused"),
        ("hang up", "unknown", "messaging.answer_missing"),
    ],
)
def test_what_a_providers_answer_means(say, send, anna, sink, texts, answer, state, reason):
    sink.answers = [answer]
    say(anna, template_=texts("sms"))
    send()
    assert end(anna) == (state, reason)
    assert len(sink.calls) == 1
    assert Suppression.objects.filter(channel="sms").count() == (reason.endswith(("address_refused", "said_stop")))


def test_not_set_up_waits_and_tells(say, send, anna, texts, settings, now):
    settings.SMS = {**settings.SMS, "from": ""}
    say(anna, template_=texts("sms"))
    for minutes in (0, 10, 40):
        send(at=now + minutes * MINUTE)
    assert end(anna) == ("queued", "messaging.not_set_up")
    assert Alert.objects.get(resolved_at=None).kind == "messaging.outage"


def signed(client, path, form, token="secret"):
    text = f"http://localhost:8000{path}" + "".join(f"{name}{value}" for name, value in sorted(form.items()))
    signature = base64.b64encode(hmac.digest(token.encode(), text.encode(), "sha1")).decode()
    return client.post(path, form, headers={"x-twilio-signature": signature})


def test_stop_ends_it_for_everybody_with_that_phone(say, send, customer, anna, sink, texts, client):
    ben = customer("ben", phone=anna.phone)
    allow(ben, "sms", anna.phone)
    form = {"From": anna.phone, "Body": " Stop. "}
    assert signed(client, "/hooks/sms/", form, token="guessed").status_code == 404
    assert signed(client, "/hooks/sms/", {**form, "Body": "Please stop by"}).status_code == 200
    assert ConsentState.objects.filter(channel="sms", is_given=True).count() == 2
    for _twice in range(2):
        assert signed(client, "/hooks/sms/", form).status_code == 200
    assert not ConsentState.objects.filter(channel="sms", is_given=True).exists()
    assert ConsentState.objects.filter(channel="email", is_given=True).count() == 2
    say(anna, ben, template_=texts("sms"))
    assert send()["skipped"] == {"messaging.suppressed": 2}
    signed(client, "/hooks/sms/", {**form, "Body": "START"})
    assert not Suppression.objects.exists()
    assert not ConsentState.objects.filter(channel="sms", is_given=True).exists()


def test_the_provider_tells_what_became_of_it(say, send, anna, sink, texts, client):
    say(anna, template_=texts("sms"))
    send()
    path = f"/hooks/sms/{tokens.delivery_token(Delivery.objects.get().public_id)}/"
    for status, code in (("sent", ""), ("delivered", ""), ("undelivered", "30003"), ("undelivered", "30006")):
        form = {"MessageSid": "SM1", "MessageStatus": status, "ErrorCode": code}
        assert signed(client, path, form).status_code == 200
    assert list(Event.objects.order_by("pk").values_list("kind", flat=True)) == ["delivered", "soft_bounced", "bounced"]
    assert end(anna) == ("bounced", "messaging.bounced")


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("", 0), ("a" * 160, 1), ("a" * 161, 2), ("a" * 306, 2), ("a" * 307, 3),
        # The euro takes two places; it is not cut in half.
        ("€" * 80, 1), ("€" * 81, 2), ("a" * 152 + "€" + "a" * 152, 3),
        ("안" * 70, 1), ("안" * 71, 2), ("안" * 134, 2), ("안" * 135, 3),
        ("😀" * 35, 1), ("😀" * 36, 2), ("안" * 66 + "😀" + "안" * 66, 3),
    ],
)  # fmt: skip
def test_segments_are_counted_as_phones_count_them(text, count):
    assert segments(text) == count


def test_an_answer_is_one_word():
    assert [said(text) for text in ("STOP", " stop! ", "수신거부", "stop it", "")] == [
        "stop",
        "stop",
        "수신거부",
        "",
        "",
    ]


@pytest.mark.parametrize(
    ("channel", "words", "faults"),
    [
        ("sms", {"text": ""}, [("text", "empty")]),
        ("sms", {"text": "Hi", "subject": "x"}, [("subject", "not_on_channel")]),
        ("sms", {"text": "안" * 700}, [("text", "too_many_segments")]),
        ("push", {"text": "Hi"}, [("subject", "empty")]),
        ("push", {"subject": "Hi", "text": "x", "body": "<mj-text>x</mj-text>"}, [("body", "not_on_channel")]),
        ("inbox", {"subject": "Hi", "text": "{{ nobody }}"}, [("text", "unknown_placeholder")]),
        ("inbox", {"subject": "Hi", "text": "Hi", "url": "{% x %}"}, [("url", "syntax")]),
    ],
)  # fmt: skip
def test_words_that_a_channel_cannot_take_are_refused(shop, now, by, channel, words, faults):
    with pytest.raises(TemplateFaulty) as refused:
        create_template(name="x", channel=channel, words={"en": words}, now=now, by=by)
    assert [(fault.part, fault.code) for fault in refused.value.faults] == faults


# --- webhook -----------------------------------------------------------------------------------------------------


def test_a_webhook_is_signed_and_repeated_with_the_same_number(say, send, customer, sink, texts, now, time_machine):
    time_machine.move_to(now, tick=False)
    anna = customer("anna")
    allow(anna, "post")
    sink.answers = [(500, {})]
    say(anna, customer("ben"), template_=texts("webhook", url="https://tea.example.com/{{ customer.first_name }}"))
    assert send()["skipped"] == {"messaging.no_consent": 1}
    assert end(anna) == ("queued", "messaging.answer_missing")
    assert send(at=now + 2 * MINUTE)["sent"] == 1
    first, second = sink.calls
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    told = Webhook(SECRET).verify(second.body, second.headers)
    assert told["data"] == {
        "id": first.headers["webhook-id"],
        "customer": str(anna.public_id),
        "name": "Anna",
        "subject": "Hi",
        "text": "Hello Anna\n",
        "url": "https://tea.example.com/Anna",
    }


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/", "https://127.0.0.1/", "https://localhost/", "https://10.1.2.3/", "https://[::1]/",
        "https://169.254.169.254/latest/meta-data", "https://[::ffff:127.0.0.1]/", "https://0.0.0.0/", "file:///etc/x",
        "https://192.168.0.1:8443/", "https://[fd00::1]/", "https://2130706433/", "https://100.64.0.1/",
    ],
)  # fmt: skip
def test_nobody_leads_us_into_our_own_network(url, settings):
    settings.PRIVATE_ADDRESSES_ALLOWED = False
    with pytest.raises((outside.NotOutside, outside.Unreachable)):
        outside.post(url, body=b"", headers={})


def test_public_addresses_are_told_from_others():
    assert [outside.is_public(a) for a in ("93.184.216.34", "2606:2800:220:1::1", "::ffff:8.8.8.8")] == [True] * 3
    assert [outside.is_public(a) for a in ("224.0.0.1", "198.18.0.1", "2002:7f00:1::", "fe80::1%eth0")] == [False] * 4


# --- mail over HTTP ----------------------------------------------------------------------------------------------


@pytest.fixture
def resend(sink, settings):
    settings.EMAIL_BACKEND = "anymail.backends.resend.EmailBackend"
    settings.ANYMAIL = {"RESEND_API_KEY": "secret", "RESEND_API_URL": sink.url, "REQUESTS_TIMEOUT": (1, 1)}
    return sink


def test_a_provider_is_told_the_same_key_when_somebody_sends_again(say, customer, resend, now, by):
    anna, ben = customer("anna"), customer("ben")
    resend.answers = ["hang up", (200, {"id": "r1"})]
    say(anna)
    # Nobody knows, so nothing but a person sends it again.
    assert send_due(now=now, worker="w")["unknown"] == 1
    hers = Delivery.objects.get(customer=anna)
    settle_unknown(delivery_id=hers.pk, arrived=False, now=now, by=by)
    say(ben)
    resend.answers += [(200, {"id": "r2"})]
    assert send_due(now=now + 10 * MINUTE, worker="w")["sent"] == 2
    his = Delivery.objects.get(customer=ben)
    assert [call.headers["idempotency-key"] for call in resend.calls] == [
        str(hers.public_id), str(hers.public_id), str(his.public_id),
    ]  # fmt: skip
    assert set(Delivery.objects.values_list("provider_id", "state")) == {("r1", "sent"), ("r2", "sent")}


@pytest.mark.parametrize(
    ("said", "state"),
    [
        # The first one got through, though its answer did not; its words were others.
        ({"name": "invalid_idempotent_request"}, "sent"),
        # The first one is still at it.
        ({"name": "concurrent_idempotent_requests"}, "queued"),
    ],
)
def test_what_a_provider_says_of_a_key_that_it_knows(say, customer, resend, now, said, state):
    resend.answers = [(409, {"statusCode": 409, **said})]
    say(customer("anna"))
    send_due(now=now, worker="w")
    assert [len(resend.calls), Delivery.objects.get().state] == [1, state]


# --- inbox -------------------------------------------------------------------------------------------------------


@pytest.fixture
def api(client, now):
    scopes = ("messages:read", "messages:write")
    secret = create_key(name="shop", scopes=scopes, known=scopes, now=now, by=Actor.command("test")).secret

    def call(method, path, data=None):
        headers = {"authorization": f"Bearer {secret}", "idempotency-key": uuid.uuid4().hex}
        body = "" if data is None else json.dumps(data)
        answer = client.generic(method, f"/api/v1/{path}", body, content_type="application/json", headers=headers)
        return answer.status_code, answer.json()

    return call


def test_the_inbox_is_read_over_the_api(say, send, customer, texts, api, now, time_machine):
    anna, ben = customer("anna", consent=False), customer("ben")
    say(anna, ben, template_=texts("inbox", url="https://tea.example.com/new"))
    assert send()["sent"] == 2
    status, listed = api("GET", f"inbox/?customer={anna.public_id}")
    (message,) = listed["items"]
    assert (status, message["subject"], message["text"], message["url"], message["read_at"]) == (
        200, "Hi", "Hello Anna", "https://tea.example.com/new", None,
    )  # fmt: skip
    time_machine.move_to(now + MINUTE, tick=False)
    status, read = api("POST", f"inbox/{message['id']}/read/")
    assert (status, read["read_at"]) == (200, "2026-05-12T10:01:00Z")
    time_machine.move_to(now + 2 * MINUTE, tick=False)
    assert api("POST", f"inbox/{message['id']}/read/") == (200, read)
    assert api("GET", f"inbox/?customer={anna.public_id}&unread=true")[1]["items"] == []
    assert api("POST", f"inbox/{uuid.uuid4()}/read/")[0] == 404
    assert InboxMessage.objects.exclude(read_at=None).count() == 1
    assert list(Event.objects.values_list("kind", "is_machine")) == [("opened", False)]


# --- push --------------------------------------------------------------------------------------------------------


def device(sink, path):
    key = ec.generate_private_key(ec.SECP256R1())
    point = key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    text = lambda data: base64.urlsafe_b64encode(data).rstrip(b"=").decode()  # noqa: E731
    return {"endpoint": f"https://push.example.com{path}", "p256dh": text(point), "auth": text(b"a" * 16)}


def test_a_notice_goes_to_every_device_and_gone_ones_are_left(say, send, customer, sink, texts, api, settings):
    key = ec.generate_private_key(ec.SECP256R1())
    raw = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    settings.VAPID = {"key": base64.urlsafe_b64encode(raw).decode(), "subject": "mailto:shop@example.com"}
    anna, ben = customer("anna"), customer("ben")
    for path in ("/one", "/two"):
        assert api("POST", f"customers/{anna.public_id}/devices/", device(sink, path))[0] == 200
    bad = {**device(sink, "/x"), "endpoint": "http://x"}
    assert api("POST", f"customers/{anna.public_id}/devices/", bad)[0] == 422
    for each in PushSubscription.objects.all():
        PushSubscription.objects.filter(pk=each.pk).update(
            endpoint=each.endpoint.replace("https://push.example.com", sink.url)
        )
    allow(anna, "push")
    allow(ben, "push")
    sink.answers = [(410, {}), (201, {})]
    say(anna, ben, template_=texts("push", url="https://tea.example.com"))
    figures = send()
    assert (figures["sent"], figures["skipped"]) == (1, {"messaging.no_address": 1})
    assert PushSubscription.objects.filter(gone_at=None).count() == 1
    call = sink.calls[1]
    assert (call.headers["content-encoding"], call.headers["ttl"]) == ("aes128gcm", "86400")
    assert call.headers["authorization"].startswith("vapid t=")
    # Nobody between us and her browser can read it.
    assert b"Hello" not in call.body

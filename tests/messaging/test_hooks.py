"""Webhooks whose signatures are checked here: Resend's by Svix's scheme, SES's by Amazon's certificate."""

import base64
import datetime as dt
import json
import re
import uuid

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from standardwebhooks.webhooks import Webhook

from retention.customers.models import ConsentState
from retention.messaging import signatures
from retention.messaging.models import Delivery, Event, Suppression
from tests.messaging.sink import Sink

pytestmark = pytest.mark.django_db
SECRET = "whsec_" + base64.b64encode(b"s" * 24).decode()
TOPIC = "arn:aws:sns:eu-central-1:123456789012:mail"


@pytest.fixture
def sent(say, send, customer, smtp, now, time_machine):
    """Anna's delivery, a minute after it was sent."""
    time_machine.move_to(now + dt.timedelta(minutes=1), tick=False)
    say(customer("anna"))
    send()
    return Delivery.objects.get()


# --- Resend ------------------------------------------------------------------------------------------------------


def resend(kind, delivery, *, number="msg_1", secret=SECRET, at=None, **data):
    body = {
        "type": f"email.{kind}",
        "created_at": "2026-05-12T10:00:30.000Z",
        "data": {
            "email_id": str(uuid.UUID(int=9)),
            "to": ["anna@example.com"],
            "headers": [{"name": "X-Metadata", "value": json.dumps({"delivery": str(delivery.public_id)})}],
            **data,
        },
    }
    text = json.dumps(body)
    at = at or dt.datetime(2026, 5, 12, 10, 1, tzinfo=dt.UTC)
    headers = {
        "svix-id": number,
        "svix-timestamp": str(int(at.timestamp())),
        "svix-signature": Webhook(secret).sign(number, at, text),
    }
    return {"data": text, "content_type": "application/json", "headers": headers}


def test_resend_is_believed_by_its_signature_alone(sent, client, settings):
    settings.MAIL_HOOKS = {"resend": SECRET}
    agent = {"userAgent": "Mozilla/5.0 (Macintosh; Intel Mac OS X 14_5) AppleWebKit/605.1.15 Safari", "link": "x"}
    said = resend("clicked", sent, click=agent)
    another = "whsec_" + base64.b64encode(b"t" * 24).decode()
    old = dt.datetime(2026, 5, 12, 9, 50, tzinfo=dt.UTC)
    for bad in (
        resend("clicked", sent, secret=another),
        resend("clicked", sent, at=old),
        {**said, "headers": {}},
        {**said, "data": said["data"].replace("clicked", "opened")},
        {**said, "headers": {**said["headers"], "svix-signature": "nonsense"}},
    ):
        assert client.post("/hooks/resend/", **bad).status_code == 404
    assert not Event.objects.exists()
    assert [client.post("/hooks/resend/", **said).status_code for _twice in range(2)] == [200, 200]
    assert list(Event.objects.values_list("kind", "is_machine", "source")) == [
        ("clicked", False, "resend:clicked:msg_1")
    ]


@pytest.mark.parametrize(
    ("bounce", "kind", "state"),
    [
        ({"type": "Permanent", "message": "The provider sent a hard bounce message."}, "bounced", "bounced"),
        ({"type": "Transient", "message": "sent a bounce message because the inbox was full"}, "soft_bounced", "sent"),
        ({"type": "Permanent", "message": "Resend has suppressed sending to this address"}, "soft_bounced", "sent"),
    ],
)
def test_resend_tells_bounces_for_good_from_others(sent, client, settings, bounce, kind, state):
    settings.MAIL_HOOKS = {"resend": SECRET}
    assert client.post("/hooks/resend/", **resend("bounced", sent, bounce=bounce)).status_code == 200
    assert (Event.objects.get().kind, Delivery.objects.get().state) == (kind, state)
    assert Suppression.objects.exists() == (kind == "bounced")


# --- SES ---------------------------------------------------------------------------------------------------------


class Amazon:
    """SNS as it is seen from outside: a certificate at an address, and messages signed with its key."""

    def __init__(self, sink, version="1"):
        self.key = rsa.generate_private_key(65537, 2048)
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "sns.amazonaws.com")])
        since = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
        made = x509.CertificateBuilder(name, name, self.key.public_key(), 1, since, since + dt.timedelta(days=999))
        self.path = f"/{uuid.uuid4().hex}.pem"
        sink.pages[self.path] = made.sign(self.key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
        self.url, self.version = f"{sink.url}{self.path}", version

    def says(self, message, *, kind="Notification", topic=TOPIC, **more):
        body = {
            "Type": kind,
            "MessageId": "m1",
            "TopicArn": topic,
            "Message": message if isinstance(message, str) else json.dumps(message),
            "Timestamp": "2026-05-12T10:00:30.000Z",
            "SignatureVersion": self.version,
            "SigningCertURL": self.url,
            **more,
        }
        words = {
            "Notification": ("Message", "MessageId", "Timestamp", "TopicArn", "Type"),
            "SubscriptionConfirmation":
                ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"),
        }[kind]  # fmt: skip
        signed = "".join(f"{word}\n{body[word]}\n" for word in words).encode()
        algorithm = hashes.SHA256() if self.version == "2" else hashes.SHA1()
        body["Signature"] = base64.b64encode(self.key.sign(signed, padding.PKCS1v15(), algorithm)).decode()
        headers = {"x-amz-sns-message-type": kind, "x-amz-sns-message-id": "m1"}
        return {"data": json.dumps(body), "content_type": "text/plain; charset=UTF-8", "headers": headers}


@pytest.fixture
def sink(settings, monkeypatch):
    """A server that stands where Amazon's certificates do."""
    made = Sink()
    settings.MAIL_HOOKS = {"ses": TOPIC}
    settings.PRIVATE_ADDRESSES_ALLOWED = True
    monkeypatch.setattr(signatures, "CERTIFICATES", re.compile(re.escape(made.url) + r"/\S+\.pem"))
    monkeypatch.setattr(signatures, "CONFIRMATIONS", re.compile(re.escape(made.url) + r"/\?Action=\S+"))
    yield made
    made.close()


def ses(kind, delivery, **about):
    ours = f"<{delivery.public_id}@example.com>"
    mail = {
        # Its own number holds something that looks like one of ours.
        "messageId": "0107018f6c1d2e3f-34208509-5b74-41f3-95c5-22c1edc3c924-000000",
        "destination": ["anna@example.com"],
        "commonHeaders": {"messageId": ours},
        "headers": [{"name": "Message-ID", "value": ours}],
    }
    return {"eventType": kind, "mail": mail, kind.lower(): about}


@pytest.mark.parametrize("version", ["1", "2"])
def test_ses_is_believed_by_amazons_signature_and_our_topic(sent, client, sink, version):
    amazon, stranger = Amazon(sink, version), Amazon(sink, version)
    complaint = ses("Complaint", sent, complainedRecipients=[{"emailAddress": "anna@example.com"}])
    said = amazon.says(complaint)
    forged = {**said, "data": said["data"].replace("anna@", "ben@")}
    theirs = json.loads(stranger.says(complaint)["data"])["Signature"]
    another = {**said, "data": json.dumps({**json.loads(said["data"]), "Signature": theirs})}
    elsewhere = amazon.says(complaint, SigningCertURL="https://sns.eu-central-1.amazonaws.com.example.com/x.pem")
    for bad in (forged, another, elsewhere, amazon.says(complaint, topic=f"{TOPIC}2"), {**said, "data": "[]"}):
        assert client.post("/hooks/ses/", **bad).status_code == 404
    assert not Event.objects.exists()
    assert [client.post("/hooks/ses/", **said).status_code for _twice in range(2)] == [200, 200]
    assert [(event.kind, event.delivery) for event in Event.objects.all()] == [("complained", sent)]
    assert not ConsentState.objects.get().is_given
    # The certificate was fetched once.
    assert [call.path for call in sink.calls] == [amazon.path]


@pytest.mark.parametrize(("kind", "state"), [("Permanent", "bounced"), ("Transient", "sent")])
def test_ses_tells_bounces_for_good_from_others(sent, client, sink, kind, state):
    bounced = {"bouncedRecipients": [{"emailAddress": "anna@example.com"}], "bounceSubType": "General"}
    said = Amazon(sink).says(ses("Bounce", sent, bounceType=kind, **bounced))
    assert client.post("/hooks/ses/", **said).status_code == 200
    sent.refresh_from_db()
    assert sent.state == state
    assert Event.objects.get().kind == ("bounced" if state == "bounced" else "soft_bounced")


def test_a_subscription_of_our_topic_is_confirmed_and_no_others(client, sink, settings):
    amazon = Amazon(sink)
    sink.pages["/?Action=ConfirmSubscription&Token=t"] = b"<ok/>"
    asked = {"kind": "SubscriptionConfirmation", "Token": "t"}
    link = f"{sink.url}/?Action=ConfirmSubscription&Token=t"
    for url, topic, status in (
        (link, f"{TOPIC}2", 404),
        ("https://example.com/?Action=ConfirmSubscription", TOPIC, 400),
        (link, TOPIC, 200),
    ):
        said = amazon.says("Do you?", topic=topic, SubscribeURL=url, **asked)
        assert client.post("/hooks/ses/", **said).status_code == status
    assert [call.path for call in sink.calls] == [amazon.path, "/?Action=ConfirmSubscription&Token=t"]


def test_only_amazons_own_addresses_are_asked():
    right = "https://sns.us-east-1.amazonaws.com/SimpleNotificationService-0f3a.pem"
    assert signatures.CERTIFICATES.fullmatch(right)
    for wrong in (
        right.replace("https", "http"),
        right.replace("amazonaws.com", "amazonaws.com.example.com"),
        right.replace("sns.", "evil.sns."),
        right.replace("sns.us-east-1", "my-bucket.s3"),
        f"{right}/../x",
        f"https://example.com/?{right}",
    ):
        assert not signatures.CERTIFICATES.fullmatch(wrong)
